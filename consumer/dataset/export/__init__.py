"""Exports training data in common formats."""
