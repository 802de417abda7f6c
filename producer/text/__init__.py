"""Bytes to text, and text to chunks."""
