"""Screenshots for docs/: `python -m tests.support.screenshots data/qa_results/report.html docs/images/report.png`."""

import sys
from pathlib import Path

from tests.support.browser import running_browser

DESKTOP = {"width": 960, "height": 900}


def take(page_file: Path, target: Path) -> None:
    """The first screen of the page, at desktop width."""
    with running_browser() as browser:
        page = browser.new_page(viewport=DESKTOP, device_scale_factor=1)
        page.goto(page_file.resolve().as_uri())
        page.screenshot(path=target)


if __name__ == "__main__":
    take(Path(sys.argv[1]), Path(sys.argv[2]))
