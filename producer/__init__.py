"""From files in a directory to chunks on Kafka, each once."""
