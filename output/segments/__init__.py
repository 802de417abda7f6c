"""Names and reads segments, the files in results/ that hold the records of qa.results."""
