"""Sources of files: scan them, notice changes, and wait until files have settled."""
