"""The consumer group: membership, intake, and one tenure for each partition."""
