"""Every kind of fault at the two ends once; `python -m tests.chaos --ends` has many of each."""

from pathlib import Path

import pytest

from tests.chaos.ends import KINDS, run_ends
from tests.conftest import MakeSettings
from tests.support.embedded import EmbeddedServer

SEED = 6


@pytest.mark.timeout(300)
def test_nothing_is_lost_doubled_or_seen_half_written(
    make_settings: MakeSettings, tmp_path: Path, embedded_server: EmbeddedServer
):
    report = run_ends(make_settings(), tmp_path, embedded_server.base_url, seed=SEED)
    print(report)
    assert report.clean, report
    assert report.faults == dict.fromkeys(KINDS, 1)
    assert report.looks > 50
