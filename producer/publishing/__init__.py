"""Chunks and ledger entries to Kafka."""
