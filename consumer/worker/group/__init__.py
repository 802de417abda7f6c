"""The consumer group: membership, intake, offsets, and one tenure for each partition."""
