"""The formats of a document on disk: JSON and Parquet."""
