"""The plain text of rendered HTML: what a reader reads, without buttons, pictures' frames and the meanings beside terms."""

from __future__ import annotations

from html.parser import HTMLParser

_SILENT = {"button", "svg", "script", "style", "summary"}
_VOID = {"br", "img", "path", "hr"}
_BLOCKS = {"p", "li", "h2", "h3", "h4", "pre", "tr", "td", "th", "figcaption", "div", "blockquote", "dd", "dt"}


class _Reader(HTMLParser):
    """Cuts at `h2`s: a list of (anchor, title, text)."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.sections: list[list[str]] = [["", "", ""]]
        self.silent = 0
        #: Open tags, whether each is silent, and whether it is a line of its own.
        self.stack: list[tuple[str, bool, bool]] = []
        self.heading = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        classes = (given.get("class") or "").split()
        if tag == "h2":
            self.sections.append([given.get("id") or "", "", ""])
            self.heading = True
        if tag in _VOID:
            return
        quiet = tag in _SILENT or not {"tip", "sec", "on"}.isdisjoint(classes)
        self.silent += quiet
        self.stack.append((tag, quiet, tag in _BLOCKS or "l" in classes))

    def handle_endtag(self, tag: str) -> None:
        if tag in _VOID:
            return
        while self.stack:
            name, quiet, line = self.stack.pop()
            self.silent -= quiet
            if line and name != "h2":
                self.sections[-1][2] += " "
            if name == tag:
                break
        if tag == "h2":
            self.heading = False

    def handle_data(self, data: str) -> None:
        if not self.silent:
            self.sections[-1][1 if self.heading else 2] += data


def sections(html: str) -> list[tuple[str, str, str]]:
    """(anchor, title, text) of each section of rendered HTML; what stands before the first heading has no anchor."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return [(anchor, " ".join(title.split()), " ".join(text.split())) for anchor, title, text in reader.sections]


def plain(html: str) -> str:
    """All of its text."""
    return " ".join(part for _anchor, title, text in sections(html) for part in (title, text) if part)
