"""The guide's names for our commands."""
