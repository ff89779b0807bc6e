"""Tests of the house: how the code reads, that everything is documented, that what is locked agrees."""
