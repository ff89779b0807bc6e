"""Readers: one file for each shape that input comes in."""
