"""Commands under the names that the vLLM guide gives them."""
