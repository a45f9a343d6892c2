"""Answers a quiz in the browser from its file, so that a right answer stays right when the authors change their questions."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml
from playwright.sync_api import Locator, Page

from tests.e2e.site import ROOT

COURSE = ROOT / "lessons" / "content" / "cluster-architecture"


def load(path: Path) -> dict[str, Any]:
    """A YAML file of the course."""
    return dict(yaml.safe_load(path.read_text("utf-8")))


def said(text: Any, lang: str) -> str:
    """A text of the file in a language, as it reads on the page (without Markdown's marks)."""
    words = text[lang] if isinstance(text, dict) else str(text)
    return re.sub(r"\s+", " ", re.sub(r"[`*]", "", words)).strip()


def answer_all(page: Page, quiz: dict[str, Any], lang: str) -> int:
    """Gives the right answer to every question of the attempt on the page but those about worlds, which the tests of the course play;
    how many points these are worth."""
    left = 0
    for sheet in page.locator("section.question").all():
        asked = re.sub(r"\s+", " ", sheet.locator(".asked").inner_text()).strip()
        found = [q for q in quiz["questions"] if said(q["text"], lang) == asked]
        assert len(found) == 1, f"the question {asked!r} is not in the file"
        if found[0]["type"] in WORLDS:
            left += found[0].get("points", 1)
        else:
            ANSWERS[found[0]["type"]](sheet, found[0], lang)
    return left


def choose(sheet: Locator, question: dict[str, Any], lang: str) -> None:
    """Radio buttons and check boxes."""
    for choice in question["choices"]:
        if choice.get("correct"):
            sheet.locator(".opts label").filter(has_text=re.compile(rf"^\s*{re.escape(said(choice['text'], lang))}\s*$")).click()


def true_or_false(sheet: Locator, question: dict[str, Any], _lang: str) -> None:
    """The first option is true, the second false."""
    sheet.locator(".opts label").nth(0 if question["answer"] else 1).click()


def write(sheet: Locator, question: dict[str, Any], lang: str) -> None:
    """A short text or a number."""
    right = question["answer"] if question["type"] == "numeric" else said(question["accept"][0], lang)
    sheet.locator(".answer-line input").fill(str(right))


def match(sheet: Locator, question: dict[str, Any], lang: str) -> None:
    """A select for each left side."""
    for pair in question["pairs"]:
        sheet.get_by_label(said(pair["left"], lang), exact=True).select_option(label=said(pair["right"], lang))


def put_in_order(sheet: Locator, question: dict[str, Any], lang: str) -> None:
    """By the Up buttons, as somebody with a keyboard would."""
    for position, item in enumerate(question["items"]):
        row = sheet.locator("li").filter(has_text=said(item, lang))
        for _ in range(len(question["items"])):
            if row.locator(".pos").input_value() == str(position + 1):
                break
            row.locator(".mv button").first.click()


WORLDS = {"output", "command", "state"}
ANSWERS = {
    "single": choose,
    "multiple": choose,
    "truefalse": true_or_false,
    "short": write,
    "numeric": write,
    "matching": match,
    "ordering": put_in_order,
}
