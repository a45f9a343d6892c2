"""Browser fixtures: Debian's Chromium, or Playwright's own when that is not there; the protocol harness."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Playwright, sync_playwright

from tests.e2e import bench, site
from tests.e2e.harness.server import Harness, Running

HERE = Path(__file__).parent
RESULTS = Path(__file__).resolve().parents[2] / "test-results"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything here needs a browser, and one process shares it."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.e2e)
            item.add_marker(pytest.mark.xdist_group("browser"))


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """One browser for the whole run."""
    with sync_playwright() as playwright:
        yield launch(playwright)


def launch(playwright: Playwright) -> Browser:
    """Starts a browser; skips loudly where there is none."""
    options: dict[str, Any] = {"args": ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []}
    for path in ("/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"):
        if Path(path).exists():
            options["executable_path"] = path
            break
    try:
        return playwright.chromium.launch(**options)
    except Exception as problem:
        pytest.skip(
            f"NO BROWSER: install Debian's chromium or run `playwright install chromium` ({str(problem).splitlines()[0]})"
        )


@pytest.fixture(scope="session")
def running_site() -> Iterator[site.Site]:
    """The site, started as `make run` starts it, on a folder of its own; once for all stories."""
    folder = Path(tempfile.mkdtemp(prefix="slipway-e2e-"))
    started = site.start(folder)
    try:
        yield started
    finally:
        started.stop()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def running() -> Iterator[Running]:
    """The protocol harness, once."""
    server = Running()
    yield server
    server.stop()


@pytest.fixture
def harness(running: Running) -> Harness:
    """The harness with fresh clusters."""
    harness = running.harness
    harness.clusters.clear()
    harness.posts.clear()
    harness.refuse = 0
    harness.post_status = 204
    return harness


class Watched:
    """A page that remembers what went wrong in it."""

    def __init__(self, page: Page, base: str) -> None:
        self.page = page
        self.base = base
        self.errors: list[str] = []
        page.on("pageerror", lambda error: self.errors.append(f"error: {error}"))
        page.on("console", lambda message: self.errors.append(f"console: {message.text}") if message.type == "error" else None)

    def open(self, path: str) -> Page:
        self.page.goto(self.base + path)
        return self.page


@pytest.fixture
def watched(chromium: Browser, running: Running) -> Iterator[Watched]:
    """A desktop page; the test fails when the page logged an error or broke the security policy."""
    context = chromium.new_context(viewport={"width": 1440, "height": 1000}, permissions=["clipboard-read", "clipboard-write"])
    context.set_default_timeout(bench.PATIENCE)
    watched = Watched(context.new_page(), running.url)
    yield watched
    context.close()
    unexpected = [e for e in watched.errors if "WebSocket connection" not in e and "Failed to load resource" not in e]
    assert not unexpected, unexpected
