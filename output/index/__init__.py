"""Keeps the index of an output directory in SQLite."""
