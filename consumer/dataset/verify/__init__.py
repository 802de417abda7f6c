"""Verifies that ledger, topics and disk balance."""
