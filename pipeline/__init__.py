"""The whole pipeline on one machine: it starts the missing processes, shows the progress, and stops them in order."""
