"""Tests of the fault runs and of their checker."""
