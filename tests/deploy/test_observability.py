"""Dashboard and alerts name what the code has, and Prometheus' own tool accepts them."""

import re
import subprocess
from pathlib import Path

import pytest

from tools.dashboard import dashboard, expressions
from tools.metrics import names

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
RULES = DEPLOY / "prometheus" / "alerts.yml"
OURS = re.compile(r"\bqastream_\w+")


def promtool(*arguments: str | Path) -> None:
    command = ["promtool", *map(str, arguments)]
    done = subprocess.run(command, cwd=RULES.parent, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("text", [*expressions(), RULES.read_text(encoding="utf-8")], ids=lambda text: text[:60])
def test_every_metric_that_is_named_exists(text):
    assert set(OURS.findall(text)) <= names()


def test_every_metric_is_on_the_dashboard_or_in_an_alert():
    shown = set(OURS.findall(" ".join([*expressions(), RULES.read_text(encoding="utf-8")])))
    untold = {name for name in names() if not any(seen.startswith(name) for seen in shown)}
    assert {name for name in untold if not name.endswith(("_sum", "_count", "_bucket"))} == {
        "qastream_segments_written_total",
        "qastream_sink_starts_over_total",
    }


def test_panels_do_not_overlap():
    taken = set()
    for panel in dashboard()["panels"]:
        place = panel["gridPos"]
        cells = {(place["x"] + i, place["y"] + j) for i in range(place["w"]) for j in range(place["h"])}
        assert not cells & taken
        assert max(x for x, _ in cells) < 24
        taken |= cells


@pytest.mark.promtool
def test_the_rules_do_what_their_tests_say():
    promtool("check", "rules", RULES)
    promtool("test", "rules", "alerts.test.yml")


@pytest.mark.promtool
def test_every_rule_has_a_test():
    rules = re.findall(r"- alert: (\w+)", RULES.read_text(encoding="utf-8"))
    cases = (RULES.parent / "alerts.test.yml").read_text(encoding="utf-8")
    for rule in rules:
        assert re.search(rf"alertname: {rule}\n\s+exp_alerts:\n", cases), f"{rule} is never seen to fire"
        assert re.search(rf"alertname: {rule}, exp_alerts: \[\]", cases), f"{rule} is never seen not to"


@pytest.mark.promtool
def test_the_dashboards_expressions_are_promql(tmp_path):
    lines = [f"      - {{record: 'x:{i}', expr: {expression!r}}}" for i, expression in enumerate(expressions())]
    rules = tmp_path / "rules.yml"
    rules.write_text("groups:\n  - name: dashboard\n    rules:\n" + "\n".join(lines).replace('\\"', '"'))
    promtool("check", "rules", rules)
