"""Faults against real workers on a real Kafka, and a checker that counts what came out."""
