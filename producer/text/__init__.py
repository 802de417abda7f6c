"""Decoding of bytes into text, and splitting of text into chunks."""
