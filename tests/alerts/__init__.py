"""Tests of telling the team."""
