"""The baseline: what a competent analyst would write in SQL over the raw tables, and whether it says the same."""
