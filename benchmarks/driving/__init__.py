"""Trials of a worker and its model servers under faults, with a process for each: `python -m benchmarks.driving`."""
