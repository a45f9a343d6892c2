"""The Markdown of a step as the platforms read it: what can be clicked, copied, opened or written, with the line of each.

Killercoda: `` `cmd`{{exec}} ``, `{{exec interrupt}}`, `{{copy}}`, `{{}}`, the same after a fence's end.  Katacoda: `{{execute}}`, with a
terminal (`T1`), a host (`HOST1`), `interrupt`, `no-newline`, `ctrl-seq`; `{{open}}`; `<pre class="file" data-filename data-target>`.
"""

from __future__ import annotations

import html
import re

import msgspec

EXEC, COPY, OPEN, FILE, FENCE = "exec", "copy", "open", "file", "fence"


class Action(msgspec.Struct):
    """One thing of a page: kind, the line where it starts, its text, and how it is carried out."""

    kind: str
    line: int
    text: str
    terminal: str = ""  # T1, T2 …
    host: str = ""  # HOST1, host01, node01 …
    interrupt: bool = False
    newline: bool = True
    keys: bool = False  # a control sequence such as ^C
    language: str = ""
    filename: str = ""
    target: str = ""  # replace, append, prepend, insert
    marker: str = ""
    summary: str = ""  # of the <details> around it
    before: str = ""  # of a block: the line of text before it
    inline: bool = False


_FENCE = re.compile(r"^(?P<indent>[ \t>]*(?:[-*+]|\d+[.)])?[ \t]*)(?P<mark>`{3,}|~{3,})[ \t]*(?P<info>[^`\n]*)$")
_MARK = re.compile(r"\s*\{\{(?P<what>[^{}]*)\}\}")
_INLINE = re.compile(r"(?<![`\\])(?P<ticks>`{1,3})(?P<text>(?:(?!\n[ \t]*\n)[^`])+?)(?P=ticks)\{\{(?P<what>[^{}\n]*)\}\}")
_SUMMARY = re.compile(r"<summary[^>]*>(.*?)</summary>", re.I | re.S)
_PRE = re.compile(r"<pre(?P<attributes>[^>]*)>(?P<body>.*?)</pre>", re.I | re.S)
_ATTRIBUTE = re.compile(r"""([\w-]+)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>"']+))""")
_TAG = re.compile(r"<[^>]+>")


def parse(text: str) -> list[Action]:
    """The actions of a Markdown text, by line."""
    found: list[Action] = []
    masked = _pre(text, found)
    masked = _fences(masked, text, found)
    for match in _INLINE.finditer(masked):
        line = masked.count("\n", 0, match.start()) + 1
        action = _marked(match["what"], " ".join(match["text"].split("\n")).strip(), line)
        if action is not None:
            action.inline = True
            found.append(action)
    for action in found:
        action.summary = _details(masked, action.line)
        if not action.inline:
            action.before = _before(text, action.line)
    return sorted(found, key=lambda one: one.line)


def _details(text: str, line: int) -> str:
    """The summary of the innermost <details> that holds a line; "details" when it has none, "" outside."""
    stack: list[str] = []
    offset = 0
    for number, content in enumerate(text.split("\n"), 1):
        if number >= line:
            break
        for tag in re.finditer(r"<(/?)details\b[^>]*>", content, re.I):
            if tag[1]:
                if stack:
                    stack.pop()
            else:
                rest = _SUMMARY.search(text, offset + tag.end(), offset + tag.end() + 600)
                stack.append(_TAG.sub("", rest[1]).strip() if rest else "details")
        offset += len(content) + 1
    return stack[-1] or "details" if stack else ""


def _before(text: str, line: int) -> str:
    """The nearest line of words above a block (its own fence and empty lines are none)."""
    above = text.split("\n")[max(0, line - 9) : line - 1]
    for content in reversed(above):
        bare = _TAG.sub("", content).strip()
        if bare.startswith(("```", "~~~")):
            if bare.strip("`~ ").startswith("{{") or (bare.strip("`~") == "" and content is not above[-1]):
                return ""  # the end of another block
            continue
        if bare:
            return bare
    return ""


def _blank(text: str) -> str:
    return re.sub(r"[^\n]", " ", text)


def _pre(text: str, found: list[Action]) -> str:
    """Take the `<pre>` blocks out: those of class `file` are actions, the others are shown as they are."""
    fences = _fence_spans(text)

    def one(match: re.Match[str]) -> str:
        if any(start <= match.start() < end for start, end in fences):
            return match[0]
        attributes = {m[1].lower(): html.unescape(m[2] or m[3] or m[4] or "") for m in _ATTRIBUTE.finditer(match["attributes"])}
        if "file" not in attributes.get("class", "").split():
            return _blank(match[0])
        body = html.unescape(_TAG.sub("", match["body"]) if "</" in match["body"] else match["body"]).removeprefix("\n")
        line = text.count("\n", 0, match.start()) + 1
        name, target = attributes.get("data-filename", ""), attributes.get("data-target", "")
        if target == "clipboard" or not name:
            found.append(Action(COPY, line, body))
        else:
            marker = attributes.get("data-marker", "")
            found.append(Action(FILE, line, body, filename=name, target=target or "append", marker=marker))
        return _blank(match[0])

    return _PRE.sub(one, text)


def _fence_spans(text: str) -> list[tuple[int, int]]:
    spans: list[tuple[int, int]] = []
    offset, start, mark = 0, -1, ""
    for line in text.split("\n"):
        match = _FENCE.match(line)
        if start < 0 and match:
            start, mark = offset, match["mark"]
        elif start >= 0 and line.strip(" \t>").startswith(mark):
            spans.append((start, offset + len(line)))
            start = -1
        offset += len(line) + 1
    return spans


def _fences(masked: str, text: str, found: list[Action]) -> str:
    lines = masked.split("\n")
    number = 0
    while number < len(lines):
        match = _FENCE.match(lines[number])
        if match is None:
            number += 1
            continue
        width = len(match["indent"].expandtabs(4))
        end = number + 1
        while end < len(lines) and not _closes(lines[end], match["mark"]):
            end += 1
        body = "\n".join(_dedent(line, width) for line in lines[number + 1 : end])
        tail = lines[end].strip(" \t>").lstrip("`~") if end < len(lines) else ""
        if end + 1 < len(lines) and not tail and re.fullmatch(r"\s*\{\{[^{}.\"]*\}\}\s*", lines[end + 1]):
            tail = lines[end + 1]
            lines[end + 1] = ""
        info = match["info"].strip()
        inner = _MARK.search(info)
        mark = _MARK.match(tail) or inner
        language = info.split("{")[0].split()[0].lower() if info.split("{")[0].split() else ""
        action = _marked(mark["what"], body, number + 2) if mark else None
        if action is None:
            action = Action(FENCE, number + 2, body)
        action.language = language
        if body.strip():
            found.append(action)
        for one in range(number, min(end + 1, len(lines))):
            lines[one] = ""
        number = end + 1
    return "\n".join(lines)


def _closes(line: str, mark: str) -> bool:
    bare = line.strip(" \t>")
    rest = bare.lstrip(mark[0]).strip()
    return bare.startswith(mark) and (not rest or rest.startswith("{{"))


def _dedent(line: str, width: int) -> str:
    bare = line.expandtabs(4) if line[:1] == "\t" and width else line
    if bare.startswith(">"):
        return bare.removeprefix(">").removeprefix(" ")
    kept = 0
    while kept < width and bare[kept : kept + 1] == " ":
        kept += 1
    return bare[kept:]


def _marked(what: str, text: str, line: int) -> Action | None:
    """The action that `{{what}}` makes of a code; None when the braces are something else (a Go template)."""
    words = what.split()
    if not words:
        return Action(FENCE, line, text, language="none")
    head, rest = words[0].lower(), words[1:]
    if head in ("copy", "copy-code"):
        return Action(COPY, line, text)
    if head == "open":
        return Action(OPEN, line, text.strip())
    if head not in ("exec", "execute"):
        return None
    action = Action(EXEC, line, text)
    for word in rest:
        if re.fullmatch(r"[Tt]\d+", word):
            action.terminal = word.upper()
        elif re.fullmatch(r"(?i)host-?\d+|node\d+|controlplane|client|master", word):
            action.host = word.lower()
        elif word.lower() == "interrupt":
            action.interrupt = True
        elif word.lower() == "no-newline":
            action.newline = False
        elif word.lower() == "ctrl-seq":
            action.keys = True
    return action
