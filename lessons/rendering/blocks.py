"""The blocks that lessons have beyond CommonMark: commands, outputs, listings, figures, embeds.

Each function returns HTML whose text has been escaped.  The sanitiser in `markdown.py` runs over all of it afterwards.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import escape

from django.utils.translation import gettext, override
from pygments import highlight
from pygments.formatters.html import HtmlFormatter
from pygments.lexers import get_lexer_by_name

from lessons.rendering.icons import svg

HOST = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?\Z")
LISTINGS = {
    "yaml": "yaml",
    "json": "json",
    "console": "console",
    "bash": "bash",
    "sh": "bash",
    "ini": "ini",
    "text": "text",
    "go": "go",
}


class BlockError(Exception):
    """An author's block that cannot be rendered; the message says why."""


def options(words: list[str]) -> dict[str, str]:
    """`host=node01` words of a fence's info line."""
    out: dict[str, str] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals or not name:
            raise BlockError(f"cannot read `{word}`; write name=value")
        out[name] = value
    return out


@dataclass(frozen=True, slots=True)
class Expectation:
    """What the tests of a course expect of a command in a lesson; readers do not see it (docs/authoring.md)."""

    #: Exit status of its last line.
    status: int
    #: Virtual time that passes before the next command, as `20s`.
    wait: str
    #: The key that ends it, or "".
    ends: str


def expectation(given: dict[str, str]) -> Expectation:
    """Take `status`, `wait` and `ends` out of a block's options."""
    status, wait, ends = given.pop("status", "0"), given.pop("wait", "20s"), given.pop("ends", "")
    if not status.isdecimal() or int(status) > 255:
        raise BlockError(f"status={status} is not an exit status")
    if not re.fullmatch(r"\d{1,4}(s|m|h)", wait):
        raise BlockError(f"wait={wait} is not a duration such as 20s or 5m")
    if ends not in ("", "ctrl-c", "ctrl-d"):
        raise BlockError(f"ends={ends} is not a key: ctrl-c or ctrl-d")
    return Expectation(int(status), wait, ends)


def command(source: str, words: list[str], language: str, *, runs: bool) -> str:
    """A command in the text, with buttons that copy it and type it into a terminal."""
    given = options(words)
    host = given.pop("host", "controlplane")
    expectation(given)
    if given:
        raise BlockError(f"no such option: {', '.join(given)}; there are host, status, wait and ends")
    if not HOST.match(host):
        raise BlockError(f"`{host}` is not a host name")
    text = source.strip("\n")
    if not text.strip():
        raise BlockError("the block is empty")
    shown = _words(text) if "\n" not in text else "".join(f'<span class="l">{_words(line)}</span>' for line in text.split("\n"))
    first = text.split("\n")[0]
    with override(language):
        label = {"copy": gettext("Copy"), "run": gettext("Run")}
        copy = gettext("Copy: %(command)s") % {"command": first}
        run = gettext("Run in the terminal of %(host)s: %(command)s") % {"host": host, "command": first}
    shape = svg("copy") + escape(label["copy"])
    buttons = f'<button type="button" data-copy data-needs-js hidden aria-label="{escape(copy)}">{shape}</button>'
    if runs:
        buttons += f'<button type="button" data-run hidden aria-label="{escape(run)}">{svg("run")}{escape(label["run"])}</button>'
    where = f'<span class="on">{escape(host)}</span>' if runs and host != "controlplane" else ""
    lines = " is-lines" if "\n" in text else ""
    return (
        f'<div class="cmd{lines}" data-command="{escape(text)}" data-host="{escape(host)}">{where}'
        f'<pre><code>{shown}</code></pre><div class="do">{buttons}</div></div>\n'
    )


def _words(line: str) -> str:
    """Words that do not break inside, so that a long command wraps between its arguments."""
    parts = re.split(r"(\s+)", line)
    return "".join(f'<span class="w">{escape(part)}</span>' if part.strip() else part for part in parts)


def output(source: str, language: str, *, folded: bool) -> str:
    """What a terminal answered; `folded` below a command, where readers first say what they expect or run it themselves."""
    with override(language):
        label, summary = gettext("Output"), gettext("What it prints")
    text = escape(source.rstrip("\n"))
    term = f'<div class="term is-static"><pre tabindex="0" role="group" aria-label="{escape(label)}">{text}</pre></div>'
    return f'<details class="out"><summary>{escape(summary)}</summary>{term}</details>\n' if folded else f"{term}\n"


def listing(source: str, name: str, language: str) -> str:
    """A highlighted listing."""
    lexer = get_lexer_by_name(LISTINGS[name])
    inner = highlight(source, lexer, HtmlFormatter(nowrap=True, classprefix="hl-")).rstrip("\n")
    with override(language):
        label = gettext("Listing: %(kind)s") % {"kind": name}
    return f'<pre class="listing" tabindex="0" role="group" aria-label="{escape(label)}"><code>{inner}</code></pre>\n'


def figure(source: str, alt: str, caption: str) -> str:
    """A picture of the chapter with its caption; the address is relative to a lesson's page."""
    if not re.match(r"figures/[a-z0-9][a-z0-9._-]*\.(svg|png|webp)\Z", source):
        raise BlockError(f"`{source}` is not a picture of this chapter (figures/<name>.svg, .png or .webp)")
    if not alt.strip():
        raise BlockError("the picture says nothing to people who do not see it: ![What it shows](…)")
    below = f"<figcaption>{escape(caption)}</figcaption>" if caption else ""
    label = escape(caption or alt)  # wide drawings are moved sideways on a phone: by keyboard too
    drawing = f'<div class="drawing" tabindex="0" role="group" aria-label="{label}"><img src="../{escape(source)}" alt="{escape(alt)}" loading="lazy"></div>'
    return f"<figure>{drawing}{below}</figure>\n"
