"""Texts of other systems as Markdown, which Slipway's questions are written in."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from lessons.interchange.items import Text

_SPECIAL = re.compile(r"([\\`*_\[\]<>#&])")
_MARKS = {"b": "**", "strong": "**", "i": "*", "em": "*", "code": "`", "tt": "`"}
_BREAKS = {"p", "div", "ul", "ol", "li", "table", "tr", "h1", "h2", "h3", "h4", "h5", "h6", "pre", "blockquote"}
_SILENT = {"script", "style", "head", "title"}


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.out: list[str] = []
        self.silent = 0
        self.code = 0
        self.lost: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _SILENT:
            self.silent += 1
        self.code += tag in {"code", "tt"}
        if tag == "br":
            self.out.append("  \n")
        elif tag in _MARKS:
            self.out.append(_MARKS[tag])
        elif tag in _BREAKS:
            self.out.append("\n- " if tag == "li" else "\n\n")
        elif tag in {"img", "audio", "video", "object", "iframe"}:
            self.lost.add(tag)
            words = dict(attrs).get("alt")
            self.out.append(_SPECIAL.sub(r"\\\1", words) if words else "")

    def handle_endtag(self, tag: str) -> None:
        self.silent -= tag in _SILENT and self.silent > 0
        self.code -= tag in {"code", "tt"} and self.code > 0
        if tag in _MARKS:
            self.out.append(_MARKS[tag])
        elif tag in _BREAKS and tag != "li":
            self.out.append("\n\n")

    def handle_data(self, data: str) -> None:
        if not self.silent:
            words = re.sub(r"\s+", " ", data)
            self.out.append(words if self.code else _SPECIAL.sub(r"\\\1", words))


def from_html(html: str) -> tuple[str, set[str]]:
    """Markdown of some HTML, and the names of elements that could not be kept (pictures and the like)."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return re.sub(r"\n{3,}", "\n\n", "".join(reader.out)).strip(), reader.lost


def words_of(text: Text) -> str:
    """A text without any marks, for places that take words only."""
    if text.format not in {"html", "moodle"} or "<" not in text.text:
        return text.text
    return " ".join(re.sub(r"\\(.)", r"\1", re.sub(r"[*`]", "", from_html(text.text)[0])).split())


def markdown(text: Text) -> tuple[str, set[str]]:
    """A text as Markdown, and what it lost.  Moodle's own format is HTML whose line breaks count."""
    if text.format == "markdown":
        return text.text, set()
    if text.format == "html":
        return from_html(text.text)
    if text.format == "moodle" and re.search(r"</?[a-zA-Z][^>]*>", text.text):
        return from_html(text.text.replace("\n", "<br>"))
    return _SPECIAL.sub(r"\\\1", text.text).replace("\n", "  \n"), set()
