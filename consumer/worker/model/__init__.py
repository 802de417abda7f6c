"""The model servers: clients, slots, retries and the generation cache."""
