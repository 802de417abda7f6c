"""One run on one machine: its processes, from their start to their end."""
