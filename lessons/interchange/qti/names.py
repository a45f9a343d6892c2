"""Names of QTI 2.1 and 3.0.  3.0 is 2.1 with other words: `choiceInteraction` is `qti-choice-interaction`, `maxChoices` `max-choices`."""

from __future__ import annotations

import re
from xml.etree.ElementTree import Element

_HUMP = re.compile(r"(?<=[a-z0-9])([A-Z])")


def dashed(name: str) -> str:
    """`maxChoices` as `max-choices`."""
    return _HUMP.sub(lambda match: "-" + match.group(1).lower(), name)


def humped(name: str) -> str:
    """`max-choices` as `maxChoices`."""
    first, *rest = name.split("-")
    return first + "".join(part.capitalize() for part in rest)


def plain(tag: str) -> str:
    """An element's name as 2.1 has it."""
    return humped(tag.removeprefix("qti-")) if tag.startswith("qti-") else tag


def to_three(element: Element, html: set[str]) -> None:
    """Rename everything of 2.1 below and at `element` to 3.0; what is HTML stays."""
    for found in element.iter():
        if found.tag in html:
            continue
        found.tag = "qti-" + dashed(found.tag)
        for name in list(found.attrib):
            if not name.startswith(("xmlns", "xml:", "xsi:")):
                found.attrib[dashed(name)] = found.attrib.pop(name)


def to_two(element: Element) -> None:
    """The reverse of `to_three`."""
    for found in element.iter():
        if isinstance(found.tag, str) and found.tag.startswith("qti-"):
            found.tag = plain(found.tag)
            for name in list(found.attrib):
                if not name.startswith("data-"):
                    found.attrib[humped(name)] = found.attrib.pop(name)
