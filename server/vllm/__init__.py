"""Starts vLLM and explains why it did not start."""
