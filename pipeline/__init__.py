"""The whole pipeline on one machine: starts what is missing, shows how far it is, stops in order."""
