"""An OpenAI-compatible server whose model finds pairs in the text instead of inventing them.

It is for trying the pipeline on a machine without a GPU: what it makes is honest, but no training data.
"""
