"""The states of files and the outcomes of chunks: what was promised, and what came."""
