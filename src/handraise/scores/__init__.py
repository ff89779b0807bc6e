"""What is it worth? Points, bands and tiers; a score is the sum of the rows that explain it."""
