"""The watched directory: scan, hints, settling."""
