"""A worker and its model servers under faults, each a process of its own: `python -m benchmarks.driving`."""
