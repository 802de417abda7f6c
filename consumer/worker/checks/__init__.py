"""Checks of answered pairs that need no model. A rejected pair names the checks that it failed."""
