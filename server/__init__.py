"""The servers that the pipeline talks to on one machine: vLLM, a stand-in for it, a Kafka broker; and a check."""
