"""What the first lesson weighs on the wire, what of it is there without scripts, and that the terminal's own weight comes when it is wanted."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Browser, Route

from tests.e2e import bench, site
from tests.e2e.bench import ready, run, shows
from tests.e2e.conftest import Watched
from tests.e2e.harness.server import Harness
from tests.e2e.visitors import log_in, visit

#: Bytes as they came over the wire, headers included: the bound of the first lesson's page, and what the page may take of it before a test says so.
MOST = 200_000
FIRST = "/{lang}/courses/cluster-architecture/architecture/why-a-fleet/"


@pytest.mark.parametrize("lang", ["en", "ko"])
def test_the_first_lesson_with_its_cluster_weighs_less_than_200_kb(chromium: Browser, running_site: site.Site, lang: str) -> None:
    learner = visit(chromium, running_site.url, lang, "learner")
    log_in(learner, running_site, "learner")
    wire = learner.context.new_cdp_session(learner.page)
    wire.send("Network.enable")
    wire.send("Network.setCacheDisabled", {"cacheDisabled": True})
    urls: dict[str, str] = {}
    sizes: dict[str, int] = {}
    frames: list[int] = []

    def finished(event: dict[str, Any]) -> None:
        sizes[urls[event["requestId"]]] = int(event["encodedDataLength"])

    wire.on("Network.requestWillBeSent", lambda event: urls.__setitem__(event["requestId"], event["request"]["url"]))
    wire.on("Network.loadingFinished", finished)
    wire.on("Network.webSocketFrameReceived", lambda event: frames.append(len(event["response"]["payloadData"])))
    learner.go(FIRST)
    ready(learner.page, still=True)
    learner.page.wait_for_selector("svg.map")
    learner.page.wait_for_load_state("networkidle")
    names = {url.rsplit("/", 1)[-1].split(".")[0] for url in sizes}
    assert {"htmx", "bench", "shipmap", "slipway"} <= names, "the page did not come whole"
    assert "xterm" not in {url.rsplit("/", 1)[-1].split(".")[0] for url in sizes if url.endswith(".js")}
    weight = sum(sizes.values()) + sum(frames)
    heaviest = sorted(((size, url) for url, size in sizes.items()), reverse=True)[:6]
    assert weight < MOST, (weight, heaviest)
    learner.context.close()
    assert learner.errors == []


def test_a_lesson_is_read_without_scripts(chromium: Browser, running_site: site.Site) -> None:
    context = chromium.new_context(java_script_enabled=False, locale="en-GB")
    context.set_default_timeout(bench.PATIENCE)
    page = context.new_page()
    page.goto(running_site.url + FIRST.format(lang="en"))
    assert page.get_by_role("heading", name="Why a fleet").is_visible()
    assert page.locator("main img, main svg").first.is_visible()
    assert page.get_by_text("kubectl create deployment hello --image=nginx --replicas=2").first.is_visible()
    assert not page.locator("[data-run]:visible").count(), "a button that can do nothing"
    context.close()


def test_what_is_typed_before_the_terminal_has_come_is_not_lost(watched: Watched, harness: Harness) -> None:
    held: list[Route] = []
    watched.page.route("**/vendor/xterm*.js", lambda route: held.append(route))
    page = watched.open("/en/lesson/")
    ready(page, still=True)
    shows(page, "controlplane:~$")
    assert not held, "nobody has asked for it"
    page.keyboard.press("Tab")
    page.locator(".still").focus()
    run(page, "echo early")
    page.wait_for_function("() => document.querySelector('.still').textContent.includes('echo early')")
    page.keyboard.type("echo la")
    assert len(held) == 1, "asked for once"
    held[0].continue_()
    page.wait_for_selector(".xterm-helper-textarea")
    page.wait_for_function("() => document.activeElement.classList.contains('xterm-helper-textarea')")
    page.keyboard.type("te")
    page.keyboard.press("Enter")
    shows(page, "echo early\nearly\ncontrolplane:~$ echo late\nlate\ncontrolplane:~$")


def test_a_run_button_works_while_the_terminal_stands_still(watched: Watched, harness: Harness) -> None:
    watched.page.route("**/vendor/xterm*.js", lambda route: route.abort())
    page = watched.open("/en/lesson/")
    ready(page, still=True)
    page.evaluate("() => document.querySelector('[data-bench]').bench.panel.run('controlplane', ['echo run'])")
    shows(page, "run")
    page.wait_for_selector(".plain-line")
    assert "run" in bench.screen(page)
