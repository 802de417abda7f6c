"""Checks of answered pairs that need no model. Each names itself in the rejection."""

from consumer.worker.checks.checking import Checked, check_pairs
from consumer.worker.checks.evidence import locate_evidence
from languages.language import language_of

__all__ = ["Checked", "check_pairs", "language_of", "locate_evidence"]
