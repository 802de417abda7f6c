"""`status`: how a pipeline stands, as tables and as JSON."""
