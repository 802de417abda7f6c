"""Owns the output directory: its layout, names, segments, formats, locks, manifest and index."""
