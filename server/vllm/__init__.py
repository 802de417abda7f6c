"""Starts vLLM."""
