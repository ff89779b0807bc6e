"""Tests of what people see: the report and the command line."""
