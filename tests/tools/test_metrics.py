import re
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from schemas.error_classes import ERROR_CLASSES
from telemetry.metrics import OTHER, PROCESSES, bounded
from tools.metrics import names

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("process", PROCESSES)
def test_names_follow_prometheus_conventions(process):
    registry = CollectorRegistry()
    PROCESSES[process](registry)
    for metric in registry.collect():
        assert re.fullmatch(r"qastream_[a-z][a-z_]*[a-z]", metric.name)
        assert not re.search(r"_(ms|millis|kb|mb|count|sum|bucket|total)$", metric.name)
        assert metric.documentation.endswith(".")
        if metric.type == "histogram":
            assert metric.name.endswith("_seconds")


def test_a_reason_that_nobody_knows_is_no_series_of_its_own():
    assert bounded("refused") == "refused"
    assert bounded("no such class: text of a document") == OTHER


def test_every_error_class_in_the_code_is_in_the_table():
    found = set()
    for file in (file for package in ("consumer", "inference", "producer") for file in (ROOT / package).rglob("*.py")):
        found |= set(re.findall(r'(?:error_class ?= ?|RejectedError\(\s*)"([^"]+)"', file.read_text(encoding="utf-8")))
    assert found == set(ERROR_CLASSES)
    assert {name for name in found if bounded(name) == OTHER} == {"outage", "overload"}  # waited for, for ever


def test_names_are_those_that_are_scraped():
    assert {"qastream_chunks_total", "qastream_chunk_seconds_bucket", "qastream_chunks_unfinished"} <= names()
