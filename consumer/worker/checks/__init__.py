"""Checks of answered pairs that need no model. A rejected pair names the checks that it failed."""

from consumer.worker.checks.checking import Checked, check_pairs
from consumer.worker.checks.evidence import locate_evidence

__all__ = ["Checked", "check_pairs", "locate_evidence"]
