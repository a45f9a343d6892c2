"""What a browser does by itself while a lesson is open, measured in Chromium against the pages' own harness: the echo of a key, and
drawing the map when a message has brought another view.

Needs Chromium and what the tests need; says so where they are not there.
"""

from __future__ import annotations

import statistics
from typing import Any

KEYS, VIEWS = 40, 60
#: One frame at 60 a second, in milliseconds.
FRAME = 1000 / 60

#: From a key to its letter in the terminal's buffer; nothing is sent before Enter.
ECHO = """async (letter) => {
  const { panel, connection } = document.querySelector('[data-bench]').bench;
  const before = panel.view.contents();
  let sent = 0;
  const { send } = WebSocket.prototype;
  WebSocket.prototype.send = function (data) { sent += 1; return send.call(this, data); };
  const began = performance.now();
  const area = document.querySelector('.xterm-helper-textarea');
  area.focus();
  area.dispatchEvent(new KeyboardEvent('keydown', { key: letter, code: `Key${letter.toUpperCase()}`, keyCode: letter.toUpperCase().charCodeAt(0), bubbles: true, cancelable: true }));
  area.dispatchEvent(new KeyboardEvent('keypress', { key: letter, charCode: letter.charCodeAt(0), keyCode: letter.charCodeAt(0), bubbles: true, cancelable: true }));
  while (panel.view.contents() === before && performance.now() - began < 500) await new Promise((done) => { const c = new MessageChannel(); c.port1.onmessage = done; c.port2.postMessage(0); });
  const took = performance.now() - began;
  WebSocket.prototype.send = send;
  return [took, sent];
}"""

#: From a view to the finished picture, style and layout included.
DRAW = """(n) => {
  const bench = document.querySelector('[data-bench]').bench;
  const view = structuredClone(bench.view);
  view.rv = 9000 + n;
  for (const host of view.hosts) for (const pod of host.pods ?? []) pod.state = n % 2 ? 'pending' : 'healthy';
  const began = performance.now();
  bench.showView(view);
  document.querySelector('svg.map').getBoundingClientRect();
  return performance.now() - began;
}"""


def report() -> bool:
    """Prints both; whether the median of each is within a frame.  True where there is no browser to ask."""
    try:
        from playwright.sync_api import sync_playwright

        from tests.e2e import bench
        from tests.e2e.conftest import launch
        from tests.e2e.harness.server import Running
    except ImportError as missing:
        print(f"  not measured: {missing}", flush=True)
        return True
    with sync_playwright() as playwright:
        try:
            browser = launch(playwright)
        except BaseException as missing:  # what stands for a skipped test is no Exception
            print(f"  not measured: {missing}", flush=True)
            return True
        running = Running()
        try:
            running.harness.cluster()
            page = browser.new_page(viewport={"width": 1440, "height": 1000})
            page.goto(running.url + "/en/lesson/")
            bench.ready(page)
            page.wait_for_selector("svg.map")
            bench.focus(page)
            echoes: list[Any] = [page.evaluate(ECHO, "abcdefgh"[n % 8]) for n in range(KEYS)]
            draws = [float(page.evaluate(DRAW, n)) for n in range(VIEWS)]
        finally:
            running.stop()
            browser.close()
    if any(sent for _took, sent in echoes):
        raise SystemExit("bench: a letter was sent before Enter")
    return all([_line("a key's echo", [took for took, _ in echoes]), _line("a view on the map", draws)])


def _line(name: str, taken: list[float]) -> bool:
    ordered = sorted(taken)
    print(
        f"  {name:<18} median {statistics.median(ordered):7.2f}   95 % {ordered[int(len(ordered) * 0.95)]:7.2f}   (target below {FRAME:.1f})",
        flush=True,
    )
    return statistics.median(ordered) < FRAME
