"""What was promised and what came: states of files, and outcomes of chunks."""
