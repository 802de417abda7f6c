"""The pictures in docs/, of runs made for them: `make screenshots`."""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from chaos.waiting import eventually
from tests.support.browser import running_browser
from tests.support.dashboard_picture import Span, page
from tests.support.observed import Observed, observed_pipeline
from tests.support.pipeline import finished

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
TEXTS = ROOT / "data" / "texts"
REPORT = {"width": 960, "height": 900}
LATENCY_MS, SLOTS = 1500, 16
FILES = 160
"""Besides the sample texts."""
FACTS = 40
"""Of a file: some 2,600 characters."""


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="qastream-screenshots-") as directory:
        (Path(directory) / "demo").mkdir()
        report(Path(directory) / "demo")
        status_and_dashboard(Path(directory))


def report(directory: Path) -> None:
    """Of what `make demo` makes, the first screen at desktop width."""
    finished(TEXTS, directory / "qa_results", "--recipe", "standard")
    _photograph(directory / "qa_results" / "report.html", DOCS / "images" / "report.png", whole=False)


def status_and_dashboard(directory: Path) -> None:
    """Of a run in which files come, one that is no text among them, and the model server dies once under its calls."""
    samples = [path for path in TEXTS.rglob("*") if path.is_file()]
    with observed_pipeline(directory, "--recipe", "standard", latency_ms=LATENCY_MS, slots=SLOTS) as run:
        began_s = time.time()
        for path in samples:
            run.drop(path.name, path.read_bytes())
        for number in range(FILES // 2):
            run.drop(f"{number}.txt", _text(number))
        run.drop("picture.txt", b"\x00\x01\x02\x03" * 50)
        _until_done(run, FILES // 8)
        run.crash_the_model()
        for number in range(FILES // 2, FILES):
            run.drop(f"{number}.txt", _text(number))
        _until_done(run, FILES // 2)
        _status(run, DOCS / "status.svg")
        _until_done(run, FILES + len(samples))
        html = directory / "dashboard.html"
        html.write_text(page(run.prometheus, Span(began_s, time.time())), encoding="utf-8")
    _photograph(html, DOCS / "images" / "dashboard.png", whole=True)


def _text(number: int) -> str:
    facts = (f"A type {number}-{part} laser is a light source that emits at {part + 193} nm." for part in range(FACTS))
    return " ".join(facts) + "\n"


def _until_done(run: Observed, files: int) -> None:
    eventually(lambda: run.done() >= files, within_s=300, what=lambda: f"{run.done()} files\n{run.pipeline.logs}")


def _status(run: Observed, target: Path) -> None:
    command = [sys.executable, "-m", "pipeline", "status", "--output-dir", run.pipeline.output_dir, "--svg", target]
    subprocess.run([*map(str, command), "--metrics", ",".join(run.metrics)], cwd=ROOT, check=True)


def _photograph(html: Path, target: Path, *, whole: bool) -> None:
    with running_browser() as browser:
        view = browser.new_page(viewport=REPORT, device_scale_factor=1)
        view.goto(html.resolve().as_uri())
        if whole:
            view.locator("body").screenshot(path=target)
        else:
            view.screenshot(path=target)


if __name__ == "__main__":
    main()
