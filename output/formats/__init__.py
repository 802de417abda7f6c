"""Writes complete documents in several formats, and compares their files with the segments."""
