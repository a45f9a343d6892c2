"""What every page's scripts do: words, themes, language links, quiz answers that are never lost, ordering; no axe violations."""

from __future__ import annotations

import json
import re
from pathlib import Path
from urllib.parse import parse_qs

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.e2e.bench import ready, run, shows
from tests.e2e.conftest import Watched
from tests.e2e.harness.server import ROOT, Harness

SCRIPTS = sorted((ROOT / "static" / "js").rglob("*.js"))


def test_both_languages_have_the_same_words(watched: Watched, harness: Harness) -> None:
    page = watched.open("/en/quiz/")
    keys = page.evaluate("""async () => {
      const out = {};
      for (const lang of ['en', 'ko']) {
        const parts = await Promise.all(['', 'editor-'].map((part) => import(`/static/js/i18n/${part}${lang}.js`)));
        const words = Object.assign({}, ...parts.map((part) => part.default));
        const holes = (v) => [...new Set(String(v).match(/{\\w+}/g) ?? [])].filter((h) => h !== '{n}').sort().join();
        out[lang] = Object.fromEntries(Object.entries(words).map(([k, v]) => [k, typeof v === 'function' ? '' : holes(v)]));
      }
      return out;
    }""")
    assert sorted(keys["en"]) == sorted(keys["ko"])
    differing = [k for k in keys["en"] if keys["en"][k] and keys["ko"][k] and keys["en"][k] != keys["ko"][k]]
    assert differing == []


def test_every_key_used_in_a_script_has_words() -> None:

    used: set[str] = set()
    for script in SCRIPTS:
        if script.parent.name != "i18n":
            used |= set(re.findall(r"\bt\('([a-z0-9.-]+)'", script.read_text("utf-8")))
    words = "".join(path.read_text("utf-8") for path in (ROOT / "static" / "js" / "i18n").glob("*en.js"))
    missing = [k for k in sorted(used) if f"  {k}: " not in words and f"'{k}': " not in words]
    assert missing == []


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda p: str(p.relative_to(ROOT / "static" / "js")))
def test_scripts_stay_small_and_evaluate_nothing(script: Path) -> None:
    text = script.read_text("utf-8")
    assert text.count("\n") < 400 or script.parent.name == "i18n"  # words are looked up, nobody reads them through
    for forbidden in ("eval(", "new Function", "innerHTML", "insertAdjacentHTML", "document.write", "http://", "https://"):
        assert forbidden not in text.replace("http://www.w3.org/2000/svg", ""), forbidden


def test_vendored_bundles_say_their_versions_and_licences() -> None:
    folder = ROOT / "static" / "vendor"
    listed = json.loads((folder / "versions.json").read_text("utf-8"))
    asked = json.loads((ROOT / "package.json").read_text("utf-8"))["devDependencies"]
    locked = json.loads((ROOT / "package-lock.json").read_text("utf-8"))["packages"]
    licences = (folder / "LICENCES.txt").read_text("utf-8")
    assert {p.name for p in folder.iterdir()} == {*listed["files"], "versions.json", "LICENCES.txt"}
    for name, entry in listed["packages"].items():
        assert entry["version"] == locked[f"node_modules/{name}"]["version"] == asked.get(name, entry["version"])
        assert f"{name} {entry['version']} ({entry['license']})" in licences


def test_the_theme_is_kept(watched: Watched, harness: Harness) -> None:
    page = watched.open("/en/quiz/")
    switch = page.locator("[data-theme-switch]")
    assert switch.inner_text() == "Theme: system"
    switch.click()
    switch.click()
    assert page.evaluate("() => document.documentElement.dataset.theme") == "dark"
    page.reload()
    assert page.evaluate("() => document.documentElement.dataset.theme") == "dark"
    assert switch.inner_text() == "Theme: dark"
    switch.click()
    assert page.evaluate("() => document.documentElement.dataset.theme ?? 'none'") == "none"


def test_the_language_link_keeps_the_place(watched: Watched, harness: Harness) -> None:
    page = watched.open("/en/quiz/?q=3#second")
    page.get_by_role("link", name="한국어").click()
    page.wait_for_url("**/ko/quiz/?q=3#second")


def answers(harness: Harness) -> list[dict[str, list[str]]]:
    return [parse_qs(body) for path, body in harness.posts if path == "/save/"]


def test_an_answer_is_saved_as_it_is_given(watched: Watched, harness: Harness) -> None:
    page = watched.open("/en/quiz/")
    page.get_by_label("b", exact=True).check()
    page.wait_for_function("() => document.querySelector('[data-save-state]').textContent === 'saved'")
    sent = answers(harness)[-1]
    assert sent["q1"] == ["b"]
    page.get_by_label("Port").fill("2379")
    page.wait_for_function("() => document.querySelector('[data-save-state]').textContent === 'saved'")
    later = answers(harness)[-1]
    # the server puts what one browser sends in order, whichever request arrives first
    assert later["device"] == sent["device"]
    assert int(later["q2.at"][0]) > int(sent["q1.at"][0])


def test_a_page_with_nothing_to_send_is_saved(watched: Watched, harness: Harness) -> None:
    page = watched.open("/en/quiz/")
    page.wait_for_function("() => document.querySelector('[data-autosave]').dataset.saved === 'ok'")
    assert answers(harness) == []


def test_an_answer_that_cannot_be_sent_is_kept_and_sent_later(watched: Watched, harness: Harness) -> None:
    page = watched.open("/en/quiz/")
    page.context.set_offline(True)
    page.get_by_label("Port").fill("2379")
    page.wait_for_function("() => document.querySelector('[data-save-state]').textContent.startsWith('kept on this device')")
    assert answers(harness) == []
    page.context.set_offline(False)
    page.wait_for_function("() => document.querySelector('[data-save-state]').textContent === 'saved'")
    assert answers(harness)[-1]["q2"] == ["2379"]


def test_a_kept_answer_survives_closing_the_page(watched: Watched, harness: Harness) -> None:
    page = watched.open("/en/quiz/")
    harness.post_status = 503
    page.get_by_label("Port").fill("10250")
    page.get_by_label("a", exact=True).check()
    page.wait_for_function("() => document.querySelector('[data-save-state]').textContent.startsWith('kept on this device')")
    page.goto("about:blank")
    harness.post_status = 204
    harness.posts.clear()
    page = watched.open("/en/quiz/")
    page.wait_for_function("() => document.querySelector('[data-save-state]').textContent === 'saved'")
    assert page.get_by_label("Port").input_value() == "10250"
    assert answers(harness)[-1]["q1"] == ["a"]
    page.reload()
    assert page.get_by_label("Port").input_value() == ""


def test_a_refusal_is_final_and_says_why(watched: Watched, harness: Harness) -> None:
    harness.post_status = 409
    page = watched.open("/en/quiz/")
    page.get_by_label("a", exact=True).check()
    page.wait_for_function("() => document.querySelector('[data-save-state]').textContent === 'not saved: the quiz is closed'")


def order(watched: Watched) -> list[str]:
    items = """() => [...document.querySelectorAll('[data-order] li')].map(
      (li) => li.querySelector('[data-label]').textContent + li.querySelector('.pos').value)"""
    return [str(item) for item in watched.page.evaluate(items)]


def test_items_are_ordered_by_button_number_and_drag(watched: Watched, harness: Harness) -> None:
    page = watched.open("/en/quiz/")
    page.get_by_role("button", name="Move down: first").click()
    assert order(watched) == ["second1", "first2", "third3"]
    assert page.evaluate("() => document.activeElement.getAttribute('aria-label')") == "Move down: first"
    page.get_by_role("spinbutton", name="third").fill("1")
    page.get_by_role("spinbutton", name="third").press("Tab")
    assert order(watched) == ["third1", "second2", "first3"]
    page.locator("[data-order] li", has_text="first").locator(".grip").drag_to(
        page.locator("[data-order] li", has_text="third"), target_position={"x": 5, "y": 2}
    )
    assert order(watched) == ["first1", "third2", "second3"]
    page.wait_for_function("() => document.querySelector('[data-save-state]').textContent === 'saved'")
    assert answers(harness)[-1]["o-first"] == ["1"]


@pytest.mark.parametrize("lang", ["en", "ko"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_bench_has_no_axe_violations(watched: Watched, harness: Harness, lang: str, scheme: str) -> None:
    harness.cluster()
    watched.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
    page = watched.open(f"/{lang}/lesson/")
    ready(page)
    run(page, "rollout")
    page.wait_for_selector(".tl-event")
    page.locator('[data-id="pod:default/web-5f6d9c7b8b-k2xqp"]').click()
    shows(page, "rollout\ncontrolplane:~$")
    assert violations(page) == []
    page.locator('[popovertarget="bench-astext"]').click()
    assert violations(page) == []


def test_the_plain_terminal_has_no_axe_violations(watched: Watched, harness: Harness) -> None:
    page = watched.open("/en/lesson/")
    ready(page)
    page.get_by_role("button", name="Plain", exact=True).click()
    harness.drop()
    page.wait_for_selector(".bench-banner:not([hidden])")
    assert violations(page) == []


def violations(page: Page) -> list[str]:
    """Each violation and where it is."""
    found = Axe().run(page)
    return [
        f"{v['id']}: {[n['target'] for n in v['nodes']]} {v['nodes'][0].get('failureSummary', '')}"
        for v in found.response["violations"]
    ]
