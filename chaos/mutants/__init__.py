"""Workers that break one rule on purpose. The fault runs must find every one of them."""
