"""The index of an output directory, in SQLite."""
