"""One run on one machine: its processes, from the first start to the last end."""
