"""Runs the checks in child processes, so that nothing that a model says holds up the event loop of the worker."""
