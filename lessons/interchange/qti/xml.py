"""XML of strangers: parsed without entities, with bounds, and with the line of every element."""

from __future__ import annotations

import re
from html import escape
from html.parser import HTMLParser
from typing import Any
from xml.etree.ElementTree import Element

import nh3
from defusedxml import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser, ParseError

MAX_DEPTH = 60
MAX_ELEMENTS = 200_000


class BadXml(Exception):
    """A document that cannot be read, with the line."""

    def __init__(self, line: int, reason: str) -> None:
        self.line = line
        super().__init__(reason)


class _Lined(DefusedXMLParser):  # type: ignore[misc]
    """A parser that refuses document types and entities, counts, and remembers lines."""

    def __init__(self) -> None:
        super().__init__(forbid_dtd=False, forbid_entities=True, forbid_external=True)
        self.depth = self.count = 0
        self.lines: dict[int, int] = {}

    def _start(self, tag: str, attributes: Any) -> Any:
        self.depth += 1
        self.count += 1
        line = self.parser.CurrentLineNumber
        if self.depth > MAX_DEPTH:
            raise BadXml(line, f"elements are nested more than {MAX_DEPTH} deep")
        if self.count > MAX_ELEMENTS:
            raise BadXml(line, f"has more than {MAX_ELEMENTS:,} elements")
        element = super()._start(tag, attributes)
        self.lines[id(element)] = line
        return element

    def _end(self, tag: str) -> Any:
        self.depth -= 1
        return super()._end(tag)


class Document:
    """A parsed document: names without their namespaces, lines by element."""

    def __init__(self, content: bytes) -> None:
        parser = _Lined()
        try:
            parser.feed(content)
            self.root: Element = parser.close()
        except ParseError as error:
            raise BadXml(error.position[0], f"is not well-formed XML: {str(error).split(':')[0]}") from None
        except DefusedXmlException:
            raise BadXml(0, "declares entities or refers to other files, which is refused") from None
        except (LookupError, ValueError) as error:
            raise BadXml(0, f"is not readable: {error}") from None
        self._lines = parser.lines
        for element in self.root.iter():
            if isinstance(element.tag, str):
                element.tag = local(element.tag)
                for name in [name for name in element.attrib if "}" in name]:
                    element.attrib[local(name)] = element.attrib.pop(name)

    def line(self, element: Element) -> int:
        """Where an element begins."""
        return self._lines.get(id(element), 0)


def local(name: str) -> str:
    """A name without its namespace."""
    return name.rpartition("}")[2]


def inner(element: Element) -> str:
    """What an element holds, as HTML."""
    parts = [escape(element.text or "", quote=False)]
    for child in element:
        parts.append(outer(child))
        parts.append(escape(child.tail or "", quote=False))
    return "".join(parts)


_VOID = {"br", "hr", "img"}


def outer(element: Element) -> str:
    """An element as HTML."""
    if not isinstance(element.tag, str):
        return ""
    attributes = "".join(f' {name}="{escape(value)}"' for name, value in element.attrib.items())
    if element.tag in _VOID:
        return f"<{element.tag}{attributes}>"
    return f"<{element.tag}{attributes}>{inner(element)}</{element.tag}>"


#: What an item's body may hold of HTML, with the attributes that are kept.
TAGS = set("p div span b strong i em code pre br ul ol li sub sup table thead tbody tr th td blockquote a hr h2 h3 h4".split())
ATTRIBUTES: dict[str, set[str]] = {"a": {"href"}}
BLOCKS = set("p div pre ul ol table blockquote hr h2 h3 h4".split())


class _Builder(HTMLParser):
    def __init__(self, root: Element) -> None:
        super().__init__(convert_charrefs=True)
        self.stack = [root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        child = Element(tag, {name: value or "" for name, value in attrs})
        self.stack[-1].append(child)
        if tag not in _VOID:
            self.stack.append(child)

    def handle_endtag(self, tag: str) -> None:
        if tag not in _VOID and len(self.stack) > 1:
            self.stack.pop()

    def handle_data(self, data: str) -> None:
        data = re.sub("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]", "", data)
        here = self.stack[-1]
        if len(here):
            here[-1].tail = (here[-1].tail or "") + data
        else:
            here.text = (here.text or "") + data


def fill(element: Element, html: str) -> Element:
    """Put cleaned HTML into an element as well-formed XML.  Returns the element."""
    builder = _Builder(element)
    builder.feed(nh3.clean(html, tags=TAGS, attributes=ATTRIBUTES, link_rel=None))
    builder.close()
    return element


def fill_blocks(element: Element, html: str) -> Element:
    """Like `fill`, for places that take blocks only: what stands outside of blocks becomes paragraphs."""
    loose = fill(Element("div"), html)
    if all(child.tag in BLOCKS and not (child.tail or "").strip() for child in loose) and not (loose.text or "").strip():
        for child in list(loose):
            element.append(child)
        return element
    paragraph: Element | None = None

    def words(text: str | None) -> None:
        nonlocal paragraph
        if text and (text.strip() or paragraph is not None):
            if paragraph is None:
                paragraph = Element("p")
                element.append(paragraph)
            if len(paragraph):
                paragraph[-1].tail = (paragraph[-1].tail or "") + text
            else:
                paragraph.text = (paragraph.text or "") + text

    words(loose.text)
    for child in list(loose):
        tail, child.tail = child.tail, None
        if child.tag in BLOCKS:
            paragraph = None
            element.append(child)
        else:
            if paragraph is None:
                paragraph = Element("p")
                element.append(paragraph)
            paragraph.append(child)
        words(tail)
    return element
