"""Every kind of fault at the two ends once; `python -m chaos --ends` has many of each."""

from pathlib import Path

import pytest

from chaos.ends import KINDS, SHARED, run_ends
from tests.conftest import MakeSettings
from tests.support.embedded import EmbeddedServer

SEED = 6


@pytest.mark.timeout(300)
@pytest.mark.parametrize("shares", [("all",), SHARED])
def test_nothing_is_lost_doubled_or_seen_half_written(
    make_settings: MakeSettings, tmp_path: Path, embedded_server: EmbeddedServer, shares: tuple[str, ...]
):
    report = run_ends(make_settings(), tmp_path, embedded_server.base_url, seed=SEED, shares=shares)
    print(report)
    assert report.clean, report
    assert report.faults == dict.fromkeys(KINDS, 1)
    assert report.looks > 50
