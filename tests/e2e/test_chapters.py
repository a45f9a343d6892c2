"""Each chapter's path as a reader without an account goes it: its first lesson and a question in it, on through the lessons, the page
of its commands, the quiz; looked at by axe in both themes.  Languages and widths alternate, so that each pair is seen somewhere.

The newcomer's test plays a whole chapter with a cluster; here it is about every chapter's pages.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import yaml
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from tests.e2e import answers, bench, site

CHAPTERS = sorted(answers.COURSE.glob("[0-9][0-9]-*"))
WIDTHS = (1440, 390)


@pytest.fixture(scope="module")
def reader(chromium: Browser, running_site: site.Site) -> Iterator[Page]:
    """One page for all chapters; it fails at the end when a script or the security policy complained."""
    context = chromium.new_context(viewport={"width": 1440, "height": 1000}, reduced_motion="reduce", base_url=running_site.url)
    context.set_default_timeout(bench.PATIENCE)
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    yield page
    context.close()
    assert errors == []


def look(page: Page, *themes: str) -> None:
    """Nothing for axe in these themes, and nothing wider than the window."""
    for theme in themes:
        page.evaluate("(theme) => { document.documentElement.dataset.theme = theme }", theme)
        found = Axe().run(page).response["violations"]
        assert [(v["id"], [n["target"] for n in v["nodes"]], v["nodes"][0].get("failureSummary")) for v in found] == [], page.url
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), page.url


def answer(page: Page) -> None:
    """Answer the first question of choices in the text: what was said about the choice appears in place."""
    ask = page.locator("form.ask:has(input[type=radio])").first
    ask.locator("input[type=radio]").first.check()
    ask.locator("button[type=submit]").click()
    page.locator("form.ask .why").first.wait_for()


@pytest.mark.parametrize("number", range(1, len(CHAPTERS) + 1))
def test_a_chapter_is_read_to_its_end(reader: Page, number: int) -> None:
    folder = CHAPTERS[number - 1]
    lessons = yaml.safe_load((folder / "chapter.yaml").read_text("utf-8"))["lessons"]
    lang, width = ("ko", "en")[number % 2], WIDTHS[number // 2 % 2]
    themes = ("dark", "light") if number % 2 else ("light", "dark")
    reader.set_viewport_size({"width": width, "height": 1000})
    base = f"/{lang}/courses/cluster-architecture/{folder.name.partition('-')[2]}/"
    reader.goto(f"{base}{lessons[0]}/")
    assert reader.locator("a.is-term").count()
    look(reader, themes[0])
    if reader.locator("form.ask:has(input[type=radio])").count():
        answer(reader)
    reader.locator(".turn a").last.click()
    reader.wait_for_url(f"**{base}{lessons[1]}/")
    reader.goto(f"{base}{lessons[-1]}/")
    reader.locator(".turn a.is-wide").click()
    reader.wait_for_url(f"**{base}commands/")
    assert reader.locator(".commands > div").count() >= 8
    if number % 3 == 1:
        look(reader, themes[1])
    reader.locator(".turn a").last.click()
    reader.wait_for_url(f"**{base}quiz/")


def test_the_course_is_searched_by_keyboard(reader: Page) -> None:
    """`/`, a word with its particle, down to the first result, Enter; the term is where it leads."""
    reader.set_viewport_size({"width": 1440, "height": 1000})
    reader.goto("/ko/courses/cluster-architecture/")
    reader.keyboard.press("/")
    reader.keyboard.type("파드에서는")
    reader.locator(".find-live a").first.wait_for()
    look(reader, "light")
    reader.keyboard.press("ArrowDown")
    reader.keyboard.press("Enter")
    reader.wait_for_url("**/glossary/#pod")
    assert reader.locator("#pod dfn").inner_text() == "파드"
    look(reader, "dark")


def test_a_word_says_what_it_means(reader: Page) -> None:
    """Tab to a word of the glossary: its meaning shows beside it; Escape puts it away; it is a link without scripts as well."""
    reader.goto("/en/courses/cluster-architecture/scheduler/two-questions/")
    word = reader.locator("a.is-term").first
    word.focus()
    name = str(word.get_attribute("aria-describedby"))
    tip = reader.locator(f"#{name}")
    tip.wait_for(state="visible")
    look(reader, "light")
    reader.keyboard.press("Escape")
    tip.wait_for(state="hidden")
    assert word.get_attribute("href") == f"../../glossary/#{name.removeprefix('tip-')}"
