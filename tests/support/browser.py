"""A real browser (Debian: chromium), headless, driven by playwright."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

NAMES = ("chromium", "chromium-browser", "google-chrome")


def executable() -> str | None:
    return next(filter(None, map(shutil.which, NAMES)), None)


def obstacle() -> str | None:
    """Why there can be no browser here; None when there can."""
    return None if executable() else f"there is no {NAMES[0]} on the PATH (Debian: chromium)"


@contextmanager
def running_browser() -> Iterator:
    """A playwright Browser. No loop of asyncio can run beside it."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable())
        try:
            yield browser
        finally:
            browser.close()
