"""Segments: the files in results/ that hold the records of qa.results."""
