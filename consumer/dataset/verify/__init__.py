"""`verify`: the balance sheet of ledger, topics and disk."""
