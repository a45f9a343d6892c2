"""Links from a lesson's text to the glossary: each term once a lesson, where it first stands.

A form with a capital letter is found as it is written (`Service` is the kind, `service` any service); one without may begin with
a capital.  English forms take a plural; Korean ones take particles (`korean.py`).  The first sentence of the meaning stands beside
the word for those who point at it or tab to it; the link leads to the whole without any script.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import escape
from typing import Any

from markdown_it.token import Token

from lessons.rendering.korean import AFTER_NOUN

#: From a lesson's page, /<lang>/courses/<course>/<chapter>/<lesson>/.
GLOSSARY = "../../glossary/"
_MARKS = re.compile(r"[`*]")


def forms(term: dict[str, Any], language: str) -> list[str]:
    """How a term may be written in a language: its name and its other names."""
    names = [term["term"][language], *term.get("also", {}).get(language, [])]
    return list(dict.fromkeys(names))


def brief(term: dict[str, Any], language: str) -> str:
    """The first sentence of what a term means, without marks."""
    text = " ".join(_MARKS.sub("", term["text"][language]).split())
    end = text.find("다. " if language == "ko" else ". ")
    return text if end < 0 else text[: end + (2 if language == "ko" else 1)]


def _pattern(form: str, language: str) -> str:
    words = r"\s+".join(re.escape(part) for part in form.split())
    first = form[0]
    if form == form.lower() and first.isalpha() and first.isascii():
        words = f"[{first}{first.upper()}]{words[1:]}"
    if language == "ko":
        return rf"(?<![가-힣A-Za-z0-9_/.\-])(?:{words}){AFTER_NOUN}"
    return rf"(?<![\w/.\-])(?:{words})(?:s|es)?(?![\w/\-]|\.\w)"


@dataclass(slots=True)
class TermLinker:
    """Links the terms of one lesson in one language; `linked` are the terms that have had their link."""

    language: str
    #: Form (folded) to term.
    names: dict[str, dict[str, Any]]
    pattern: re.Pattern[str] | None
    linked: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, glossary: list[dict[str, Any]], language: str, chapter: int = 0) -> TermLinker:
        """For one lesson of a chapter; terms with `link: false`, and those that mean something else there, are left alone."""
        names: dict[str, dict[str, Any]] = {}
        for term in glossary:
            if term.get("link", True) and chapter in term.get("chapters", [chapter]):
                for form in forms(term, language):
                    names[form] = term
        longest = sorted(names, key=lambda form: (-len(form), form))
        found = "|".join(f"(?P<t{index}>{_pattern(form, language)})" for index, form in enumerate(longest))
        ordered = {form: names[form] for form in longest}
        return cls(language, ordered, re.compile(found) if longest else None)

    def children(self, tokens: list[Token]) -> list[Token]:
        """The inline tokens of a paragraph with links at first mentions; inside links and pictures nothing changes."""
        if self.pattern is None:
            return tokens
        out: list[Token] = []
        depth = 0
        for token in tokens:
            depth += token.nesting if token.type in ("link_open", "link_close") else 0
            if depth == 0 and token.type == "text":
                out += self._text(token.content)
            elif depth == 0 and token.type == "code_inline" and (slug := self._whole(token.content)):
                out += [self._open(slug), token, self._close(slug)]
            else:
                out.append(token)
        return out

    def _whole(self, content: str) -> str:
        term = self.names.get(content)
        return self._take(term) if term else ""

    def _take(self, term: dict[str, Any]) -> str:
        """The slug of a term that has no link yet, which it has from now on."""
        slug = str(term["id"])
        if slug in self.linked:
            return ""
        self.linked.add(slug)
        return slug

    def _text(self, content: str) -> Iterator[Token]:
        assert self.pattern is not None
        done = 0
        forms_in_order = list(self.names.values())
        for match in self.pattern.finditer(content):
            slug = self._take(forms_in_order[int(str(match.lastgroup)[1:])])
            if not slug:
                continue
            yield Token("text", "", 0, content=content[done : match.start()])
            yield self._open(slug)
            yield Token("text", "", 0, content=match.group())
            yield self._close(slug)
            done = match.end()
        yield Token("text", "", 0, content=content[done:])

    def _open(self, slug: str) -> Token:
        link = f'<a class="is-term" href="{GLOSSARY}#{slug}" aria-describedby="tip-{slug}">'
        return Token("html_inline", "", 0, content=f'<span class="term-at">{link}')

    def _close(self, slug: str) -> Token:
        term = next(term for term in self.names.values() if term["id"] == slug)
        said = escape(brief(term, self.language))
        return Token("html_inline", "", 0, content=f'</a><span class="tip" role="tooltip" id="tip-{slug}">{said}</span></span>')
