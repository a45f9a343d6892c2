"""What tests do with a bench: open it, type, read the screen."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from playwright.sync_api import Page

#: Milliseconds that a page is waited for. Only what fails takes as long: a loaded machine is no defect.
PATIENCE = 120_000

CONTENTS = """(name) => document.querySelector('[data-bench]').bench.panel.tabs.get(name).view?.contents() ?? ''"""


def ready(page: Page, path: str = "", *, still: bool = False) -> None:
    """Waits until the bench is connected and its terminal drawn; as somebody finds it who comes to it, or as it is before (`still`)."""
    page.wait_for_selector('[data-bench][data-connection="online"]')
    page.wait_for_function("() => document.querySelector('[data-bench]').bench.panel.view")
    if not still:
        page.evaluate("() => document.querySelector('[data-bench]').bench.panel.wake()")
    if path:
        page.wait_for_function("(p) => document.querySelector('[data-bench]').bench.connection.path === p", arg=path)


def screen(page: Page, name: str = "controlplane") -> str:
    """All text of a terminal, its scrollback and the line being edited."""
    return str(page.evaluate(CONTENTS, name))


def shows(page: Page, text: str, name: str = "controlplane") -> None:
    """Waits until a terminal's screen is, or ends with, `text`."""
    try:
        page.wait_for_function(f"([name, text]) => ({CONTENTS})(name).endsWith(text)", arg=[name, text])
    except Exception as problem:
        raise AssertionError(f"wanted the screen to end with {text!r}, it is {screen(page, name)!r}") from problem


def comes(page: Page, read: Callable[[], Any], wanted: Any) -> None:
    """Waits until what has arrived behind the page (frames at the harness, rows of the database) is `wanted`."""
    deadline = time.monotonic() + PATIENCE / 1000
    while read() != wanted and time.monotonic() < deadline:
        page.wait_for_timeout(20)
    assert read() == wanted


def focus(page: Page) -> None:
    """Puts the keyboard into the front terminal."""
    page.evaluate("() => document.querySelector('[data-bench]').bench.panel.view.focus()")


def run(page: Page, line: str) -> None:
    """Types a line and Enter into the front terminal."""
    focus(page)
    page.keyboard.type(line)
    page.keyboard.press("Enter")
