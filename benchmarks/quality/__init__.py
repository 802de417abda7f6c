"""The labelled cases behind the checks, and the figures of the checks on them: `python -m benchmarks.quality`."""
