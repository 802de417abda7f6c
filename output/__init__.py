"""The output directory: its layout, names, segments, locks, manifest and index."""
