"""Dashboard and alert rules on a real Prometheus that looks at a real run: each expression finds its data."""

import re
from collections.abc import Iterator

import pytest

from chaos.waiting import eventually
from tests.support.observed import Observed, observed_pipeline
from tests.support.prometheus import RULES, Prometheus
from tools.dashboard import expressions

pytestmark = pytest.mark.promtool
FILES = 40
SELECTOR = re.compile(r"\b(?:qastream_\w+|up)(?:\{[^}]*\})?(?=[\[\s),]|$)")


@pytest.fixture(scope="module")
def prometheus(kafka: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    """After a run in which answers came, a model server died under its calls, and a file was no text."""
    flags = ["--bootstrap-servers", kafka, "--namespace", "live", "--recipe", "standard"]
    with observed_pipeline(tmp_path_factory.mktemp("live"), *flags, latency_ms=200) as run:
        live_through(run)
        yield run.prometheus


def live_through(run: Observed) -> None:
    for number in range(FILES):
        run.drop(f"{number}.txt", text(number))
    eventually(run.done, what=lambda: run.pipeline.logs)
    run.crash_the_model()
    run.drop("picture.txt", b"\x00\x01\x02\x03" * 50)
    eventually(lambda: run.done() == FILES, what=lambda: run.pipeline.logs)
    told = f"sum(qastream_documents_complete) == {FILES} and sum(qastream_files_rejected_total) == 1"
    eventually(lambda: run.prometheus.query(told), what=lambda: run.pipeline.logs)


def text(number: int) -> str:
    """Long enough for a question or two."""
    facts = (f"A type {number}-{part} laser is a light source that emits at {part + 193} nm." for part in range(12))
    return " ".join(facts) + "\n"


def test_every_panel_of_the_dashboard_has_data(prometheus: Prometheus):
    empty = [expression for expression in expressions() if not prometheus.query(expression)]
    assert not empty, "\n".join(["no data for", *empty])


def test_every_alert_rule_is_evaluated_over_series_that_exist(prometheus: Prometheus):
    (group,) = prometheus.get("rules")["groups"]
    assert len(group["rules"]) == RULES.read_text(encoding="utf-8").count("- alert:")
    assert {rule["health"] for rule in group["rules"]} == {"ok"}
    selectors = {selector for rule in group["rules"] for selector in SELECTOR.findall(rule["query"])}
    assert len(selectors) > 10
    empty = [selector for selector in sorted(selectors) if not prometheus.query(selector)]
    assert not empty, "\n".join(["no data for", *empty])


def test_what_went_wrong_raises_its_alert_and_no_other(prometheus: Prometheus):
    """Those that need minutes of trouble are fired in alerts.test.yml."""
    eventually(lambda: firing(prometheus))
    assert firing(prometheus) == {"QAStreamDeadLetters"}


def firing(prometheus: Prometheus) -> set[str]:
    alerts = prometheus.get("alerts")["alerts"]
    return {alert["labels"]["alertname"] for alert in alerts if alert["state"] == "firing"}
