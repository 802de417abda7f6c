"""Counts the outcomes of a fault run against what was expected."""
