"""The progress of a run on the screen, and the summary at its end."""
