"""The harness's pages: the same hooks as the site's templates, with as little else as possible (`html/`)."""

from __future__ import annotations

from pathlib import Path
from string import Template

HTML = Path(__file__).with_name("html")


def fill(file: str, **values: str) -> str:
    """One of the files with its `${…}` filled in."""
    return Template((HTML / f"{file}.html").read_text("utf-8")).substitute(values)


def page(path: str, nonce: str) -> str | None:
    """The page at a path such as `/en/lesson/`, or None."""
    parts = [p for p in path.split("/") if p]
    lang, name = (parts[0], parts[1]) if len(parts) == 2 and parts[0] in ("en", "ko") else ("", "")
    head = fill("head", lang=lang, nonce=nonce, name=f"{name}/")
    if name == "lesson":
        commands = [("echo from the text", "controlplane"), ("echo one&#10;sleep 5&#10;echo two", "node01")]
        return head + fill("lesson", lang=lang, commands="".join(fill("command", command=c, host=h) for c, h in commands))
    if name == "quiz":
        words = ("first", "second", "third")
        return head + fill("quiz", items="".join(fill("item", word=word, place=str(i)) for i, word in enumerate(words, 1)))
    return None
