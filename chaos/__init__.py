"""Fault runs against real processes, and the checker that counts what came of them."""
