"""Where the repository is, whose generated files the tools write."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
