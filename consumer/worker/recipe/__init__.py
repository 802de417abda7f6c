"""The stages of a recipe, from a chunk to its result."""
