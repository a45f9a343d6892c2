"""Lessons' Markdown: CommonMark with tables, and the blocks of docs/authoring.md.

`render` gives the parts of a page in order: `{"html": …}`, `{"question": id}` or `{"try": slug}`; the page puts live
questions and exercises between the HTML.  `inline` and `paragraphs` render the short texts of YAML files.  Raw HTML in
a source is shown as text; whatever is rendered goes through the sanitiser, so a mistake here cannot become a script.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import nh3
from django.utils.text import slugify
from django.utils.translation import gettext, override
from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock
from markdown_it.token import Token
from mdit_py_plugins.container import container_plugin

from lessons.rendering import blocks
from lessons.rendering.blocks import BlockError
from lessons.rendering.terms import TermLinker

Part = dict[str, str]

_EMBED = re.compile(r":::(question|try)[ \t]+([a-z0-9]+(?:-[a-z0-9]+)*)[ \t]*\Z")
_NOTES = ("note", "tip", "warning")
_TAGS = {
    *(
        "a",
        "blockquote",
        "br",
        "button",
        "code",
        "dd",
        "del",
        "details",
        "div",
        "dl",
        "dt",
        "em",
        "figcaption",
        "figure",
        "h2",
        "h3",
        "h4",
        "hr",
    ),
    *(
        "img",
        "li",
        "ol",
        "p",
        "pre",
        "span",
        "strong",
        "summary",
        "svg",
        "path",
        "table",
        "tbody",
        "td",
        "th",
        "thead",
        "tr",
        "ul",
    ),
}
_ATTRIBUTES: dict[str, set[str]] = {
    "*": {"class", "lang"},
    "a": {"href", "title", "aria-describedby"},
    "button": {"type", "data-copy", "data-needs-js", "data-run", "hidden", "aria-label"},
    "div": {"data-command", "data-host", "tabindex", "role", "aria-label"},
    "h2": {"id"},
    "h3": {"id"},
    "img": {"src", "alt", "loading", "title"},
    "ol": {"start"},
    "path": {"d"},
    "pre": {"tabindex", "role", "aria-label"},
    "span": {"id", "role"},
    "svg": {"viewBox", "aria-hidden"},
    "th": {"scope"},
}


@dataclass(frozen=True, slots=True)
class Shown:
    """A command block: its text, the terminal it is for, whether it can be run, and the section it stands in (0: before the first)."""

    text: str
    host: str
    runs: bool
    section: int


@dataclass(slots=True)
class Rendered:
    """The parts of one lesson in one language, and what could not be rendered: (line from 1, reason)."""

    parts: list[Part] = field(default_factory=list)
    problems: list[tuple[int, str]] = field(default_factory=list)
    shown: list[Shown] = field(default_factory=list)

    def embeds(self, kind: str) -> list[str]:
        """The slugs of embedded exercises (`try`) or questions, in order."""
        return [part[kind] for part in self.parts if kind in part]


def _embed_rule(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    line = state.src[state.bMarks[start] + state.tShift[start] : state.eMarks[start]]
    match = _EMBED.match(line)
    if not match or state.is_code_block(start):
        return False
    if not silent:
        token = state.push("embed", "", 0)
        token.info, token.content = match.group(1), match.group(2)
        token.map = [start, start + 1]
        token.meta = {"nested": state.level > 0}
        state.line = start + 1
    return True


def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
    for name in _NOTES:
        container_plugin(parser, name)
    parser.block.ruler.before("fence", "embed", _embed_rule, {"alt": ["paragraph", "reference", "blockquote", "list"]})
    return parser


_PARSER = _parser()
_SHORT = MarkdownIt("commonmark", {"html": False}).disable(["image"])


def _sanitise(html: str) -> str:
    return nh3.clean(html, tags=_TAGS, attributes=_ATTRIBUTES, url_schemes={"http", "https", "mailto"}, link_rel="noopener")


class _Page:
    """Renders one lesson: walks the tokens, replacing the special ones, and cuts the result at the embeds."""

    def __init__(self, language: str, number: str, link: Callable[[str, str], str | None], terms: TermLinker | None) -> None:
        self.language, self.number, self.link, self.terms = language, number, link, terms
        self.in_heading = False
        self.out = Rendered()
        self.section = 0
        self.pending: list[Token] = []

    def problem(self, token: Token, reason: str) -> None:
        self.out.problems.append(((token.map or [0])[0] + 1, reason))

    def flush(self) -> None:
        if self.pending:
            html = _PARSER.renderer.render(self.pending, _PARSER.options, {})
            self.out.parts.append({"html": _sanitise(html)})
            self.pending = []

    def html(self, token: Token, make: Callable[[], str]) -> Token:
        replacement = Token("html_block", "", 0, map=token.map)
        try:
            replacement.content = make()
        except BlockError as error:
            self.problem(token, str(error))
        return replacement

    def walk(self, tokens: list[Token]) -> None:
        index = 0
        while index < len(tokens):
            token = tokens[index]
            if token.type == "embed":
                if token.meta["nested"]:
                    self.problem(token, "stands inside a list or a remark; embeds stand alone")
                self.flush()
                self.out.parts.append({token.info: token.content})
            elif token.type == "fence":
                self.pending.append(self.fence(token))
            elif token.type == "heading_open":
                self.heading(token, tokens[index + 1])
                self.in_heading = True
            elif token.type == "paragraph_open" and self.lone_image(tokens, index):
                self.pending.append(self.image(token, tokens[index + 1]))
                index += 2
            elif token.type.startswith("container_"):
                self.pending.append(self.remark(token))
            else:
                if token.type == "inline":
                    self.inline(token)
                    if self.terms and not self.in_heading:
                        token.children = self.terms.children(token.children or [])
                self.in_heading = token.type in ("heading_open", "th_open")
                if token.type == "th_open":
                    token.attrSet("scope", "col")
                token.attrs.pop("style", None)  # column alignment; the policy forbids inline styles
                self.pending.append(token)
            index += 1
        self.flush()

    def fence(self, token: Token) -> Token:
        words = token.info.split()
        kind, rest = (words[0], words[1:]) if words else ("text", [])
        if kind in ("run", "cmd"):
            host = next((word.removeprefix("host=") for word in rest if word.startswith("host=")), "controlplane")
            self.out.shown.append(Shown(token.content.strip("\n"), host, kind == "run", self.section))
            return self.html(token, lambda: blocks.command(token.content, rest, self.language, runs=kind == "run"))
        if kind == "output":
            folded = bool(self.pending) and self.pending[-1].content.startswith('<div class="cmd')
            return self.html(token, lambda: blocks.output(token.content, self.language, folded=folded))
        if kind not in blocks.LISTINGS:
            self.problem(token, f"no block of kind `{kind}`; there are run, cmd, output, {', '.join(blocks.LISTINGS)}")
            return Token("html_block", "", 0)
        return self.html(token, lambda: blocks.listing(token.content, kind, self.language))

    def heading(self, token: Token, content: Token) -> None:
        if token.tag not in ("h2", "h3"):
            self.problem(token, "sections are `##`, parts of a section `###`; the page prints the title")
        if token.tag == "h2":
            self.section += 1
            token.attrSet("id", f"s{self.section}")
            number = Token("html_inline", "", 0, content=f'<span class="sec">{self.number}.{self.section}</span>')
            content.children = [number, *(content.children or [])]
        elif token.tag == "h3" and (slug := slugify(content.content)):
            token.attrSet("id", slug)
        self.pending.append(token)

    @staticmethod
    def lone_image(tokens: list[Token], index: int) -> bool:
        children = tokens[index + 1].children or []
        return len(children) == 1 and children[0].type == "image"

    def image(self, opening: Token, inline: Token) -> Token:
        image = (inline.children or [])[0]
        source, title = str(image.attrs.get("src", "")), str(image.attrs.get("title", ""))
        return self.html(opening, lambda: blocks.figure(source, image.content, title))

    def remark(self, token: Token) -> Token:
        made = Token("html_block", "", 0, map=token.map)
        if token.type.endswith("_close"):
            made.content = "</div>\n"
            return made
        kind, _, title = token.info.strip().partition(" ")
        with override(self.language):
            usual = {"note": "", "tip": gettext("Tip"), "warning": gettext("Mind")}[kind]
        start = title.strip() or usual
        made.content = f'<div class="note is-{kind}">' + (f"<p><strong>{nh3.clean_text(start)}</strong></p>\n" if start else "\n")
        return made

    def inline(self, token: Token) -> None:
        for child in token.children or []:
            if child.type == "image":
                self.problem(token, "a picture stands alone, with an empty line before and after")
            if child.type == "link_open":
                href = str(child.attrs.get("href", ""))
                kind, colon, slug = href.partition(":")
                if colon and kind in ("lesson", "quiz"):
                    target = self.link(kind, slug)
                    if target is None:
                        self.problem(token, f"links to {kind} `{slug}`, which is not in this course")
                    else:
                        child.attrSet("href", target)


def render(
    source: str, *, language: str, number: str, link: Callable[[str, str], str | None], terms: TermLinker | None = None
) -> Rendered:
    """The parts of a lesson.  `number` is `1.2`; `link(kind, slug)` gives the relative address of a lesson or quiz.

    `terms` links first mentions to the glossary.
    """
    page = _Page(language, number, link, terms)
    page.walk(_PARSER.parse(source))
    return page.out


@lru_cache(maxsize=8192)
def inline(source: str) -> str:
    """One line of a YAML text: code, emphasis, links."""
    return _sanitise(str(_SHORT.renderInline(source)))


@lru_cache(maxsize=8192)
def paragraphs(source: str) -> str:
    """A YAML text of several paragraphs, lists and listings."""
    return _sanitise(str(_SHORT.render(source)))


def tokens_of(source: str) -> Iterator[Any]:
    """The parser's tokens, for tests and tools that look for commands."""
    yield from _PARSER.parse(source)
