"""The labelled sets behind the checks, and what the checks make of them: `python -m benchmarks.quality`."""
