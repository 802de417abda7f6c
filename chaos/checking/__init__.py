"""Compares the outcomes of a fault run with the expected ones."""
