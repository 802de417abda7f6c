"""Workers that break one rule on purpose, which the fault runs must find."""
