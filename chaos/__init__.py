"""Fault runs against real processes, and the checker that counts their results. docs/chaos.md says what guards what."""
