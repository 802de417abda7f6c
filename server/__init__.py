"""What the pipeline talks to on one machine: a vLLM server, a check of it, an embedded stand-in, a Kafka broker."""
