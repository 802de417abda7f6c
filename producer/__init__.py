"""The producer publishes the files of a directory as chunks on Kafka, each once."""
