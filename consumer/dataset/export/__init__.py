"""`export`: training data in common formats."""
