"""Shell patterns (globs): translation to regular expressions that cannot blow up, and path name expansion."""

from __future__ import annotations

import functools
import posixpath
import re
from collections.abc import Sequence

from ..host.filesystem import Tree

CLASSES = {
    "alpha": "a-zA-Z", "digit": "0-9", "alnum": "a-zA-Z0-9", "upper": "A-Z", "lower": "a-z", "space": r"\s", "blank": r" \t",
    "punct": r"!-/:-@\[-`{-~", "xdigit": "0-9A-Fa-f", "cntrl": r"\x00-\x1f\x7f", "print": r"\x20-\x7e", "graph": r"\x21-\x7e", "word": r"\w",
}  # fmt: skip
#: Names that one path expansion may give.
MAX_NAMES = 20_000
Segments = Sequence[tuple[str, bool]]


def flatten(segments: Segments) -> str:
    """A pattern text in which quoted characters carry a backslash."""
    return "".join(re.sub(r"([\\*?\[\]+@!()|])", r"\\\1", text) if quoted else text for text, quoted in segments)


def magic(segments: Segments, extglob: bool = False) -> bool:
    """Whether an unquoted part has a wildcard."""
    return any(not quoted and re.search(r"[*?\[]" + (r"|[+@!]\(" if extglob else ""), text) for text, quoted in segments)


def bracket(pattern: str, at: int) -> tuple[str, int] | None:
    """A bracket expression from its `[`: (regular expression, position after it)."""
    end = at + 1
    negate = pattern[end : end + 1] in ("!", "^") and pattern[end : end + 1] != ""
    end += negate
    body, first, seen = "", True, False
    while end < len(pattern):
        c = pattern[end]
        if c == "]" and not first:
            if not seen:
                return None
            if not body:  # nothing but ranges that are turned around: they hold no sign
                return ("." if negate else r"(?!)"), end + 1
            return (f"[^{body}]" if negate else f"[{body}]"), end + 1
        first, seen = False, True
        if c == "[" and pattern.startswith("[:", end):
            close = pattern.find(":]", end)
            if close > 0 and pattern[end + 2 : close] in CLASSES:
                body += CLASSES[pattern[end + 2 : close]]
                end = close + 2
                continue
        c, end = _sign(pattern, end)
        if pattern[end : end + 1] == "-" and pattern[end + 1 : end + 2] not in ("]", ""):
            last, end = _sign(pattern, end + 1)
            if c <= last:
                body += f"{_escaped(c)}-{_escaped(last)}"
            continue
        body += _escaped(c)
    return None


def _sign(pattern: str, at: int) -> tuple[str, int]:
    """A sign of a bracket expression, its backslash taken away, and the position after it."""
    if pattern[at] == "\\" and at + 1 < len(pattern):
        at += 1
    return pattern[at], at + 1


def _escaped(c: str) -> str:
    """A sign as a set of Python's regular expressions takes it."""
    return c if c.isalnum() else "\\" + c if c.isascii() and c.isprintable() else re.escape(c)


def _chunks(pattern: str, extglob: bool) -> list[str | None]:
    """Regular expressions of the fixed chunks, None for each `*`."""
    out: list[str | None] = []
    at = 0
    while at < len(pattern):
        c = pattern[at]
        if extglob and c in "?*+@!" and pattern[at + 1 : at + 2] == "(":
            found = _group(pattern, at)
            if found is not None:
                out.append(found[0])
                at = found[1]
                continue
        at += 1
        if c == "*":
            if not out or out[-1] is not None:
                out.append(None)
            continue
        if c == "?":
            text = "."
        elif c == "\\" and at < len(pattern):
            text = re.escape(pattern[at])
            at += 1
        elif c == "[":
            found = bracket(pattern, at - 1)
            text = re.escape(c)
            if found is not None:
                text, at = found
        else:
            text = re.escape(c)
        out.append(text)
    return out


def _group(pattern: str, at: int) -> tuple[str, int] | None:
    depth, end, parts, start = 0, at + 1, [], at + 2
    while end < len(pattern):
        c = pattern[end]
        if c == "\\":
            end += 2
            continue
        depth += (c == "(") - (c == ")")
        if c == "|" and depth == 1:
            parts.append(pattern[start:end])
            start = end + 1
        if depth == 0:
            parts.append(pattern[start:end])
            inner = "|".join("".join(".*?" if chunk is None else chunk for chunk in _chunks(part, True)) for part in parts)
            op = pattern[at]
            if op == "!":
                return f"(?:(?!(?:{inner})\\Z).*?)", end + 1
            return f"(?:{inner})" + {"?": "?", "*": "*+", "+": "++", "@": ""}[op], end + 1
        end += 1
    return None


@functools.lru_cache(maxsize=2048)
def compiled(pattern: str, extglob: bool = False, nocase: bool = False) -> re.Pattern[str]:
    """The regular expression of a whole pattern: each `*` but the last is lazy and atomic, so matching is linear-ish."""
    out: list[str] = []
    group: list[str] = []
    stars = 0
    for chunk in _chunks(pattern, extglob):
        if chunk is None:
            if stars:
                out.append(f"(?>.*?{''.join(group)})")
            else:
                out.append("".join(group))
            group = []
            stars += 1
        else:
            group.append(chunk)
    if stars:
        out.append(".*")
    out.append("".join(group))
    return re.compile("".join(out) + r"\Z", re.DOTALL | (re.IGNORECASE if nocase else 0))


def matches(pattern: str, text: str, extglob: bool = False, nocase: bool = False) -> bool:
    """Whether a pattern (see `flatten`) matches a whole text."""
    return compiled(pattern, extglob, nocase).match(text) is not None


def unescape(pattern: str) -> str:
    """The literal text of a pattern without wildcards."""
    return re.sub(r"\\(.)", r"\1", pattern, flags=re.DOTALL)


def strip(text: str, pattern: str, op: str, extglob: bool = False) -> str:
    """`#`, `##`, `%`, `%%`: remove the shortest or longest matching prefix or suffix."""
    found = compiled(pattern, extglob)
    size = len(text)
    if not re.search(r"[*?\[(]", pattern):
        literal = unescape(pattern)
        if op[0] == "#":
            return text[len(literal) :] if text.startswith(literal) else text
        return text[: size - len(literal)] if literal and text.endswith(literal) else text
    order = range(size + 1) if len(op) == 1 else range(size, -1, -1)
    for length in order:
        if op[0] == "#":
            if found.match(text[:length]):
                return text[length:]
        elif found.match(text[size - length :]):
            return text[: size - length]
    return text


def replacement(by: str, matched: str) -> str:
    """What stands for a match: `&` is the match, `\\&` an ampersand."""
    if "&" not in by and "\\" not in by:
        return by
    return re.sub(r"\\([\\&])|&", lambda found: found.group(1) or matched, by)


def replace(text: str, pattern: str, by: str, op: str, extglob: bool = False, nocase: bool = False) -> str:
    """`/`, `//`, `/#`, `/%`: replace the longest match by what `replacement` makes of `by`."""
    if not pattern:
        return replacement(by, "") + text if op == "/#" else text + replacement(by, "") if op == "/%" else text
    found = compiled(pattern, extglob, nocase)
    size = len(text)
    if op == "/#":
        return next((replacement(by, text[:n]) + text[n:] for n in range(size, -1, -1) if found.match(text[:n])), text)
    if op == "/%":
        return next((text[:n] + replacement(by, text[n:]) for n in range(size + 1) if found.match(text[n:])), text)
    if not nocase and not re.search(r"[*?\[(]", pattern):
        literal = unescape(pattern)
        return text.replace(literal, replacement(by, literal), -1 if op == "//" else 1)
    simple = "*" not in pattern and "(" not in pattern
    if simple:
        inner = re.compile(found.pattern[:-2], found.flags)
        return inner.sub(lambda match: replacement(by, match.group()), text, count=0 if op == "//" else 1)
    if size > 4000:
        size = 4000
    out, at = "", 0
    while at <= size:
        end = next((n for n in range(size, at, -1) if found.match(text[at:n])), None)
        if end is None:
            out += text[at : at + 1]
            at += 1
            continue
        out += replacement(by, text[at:end])
        at = end
        if op == "/":
            break
    return out + text[max(at, 0) :]


def expand_paths(
    tree: Tree,
    cwd: str,
    pattern: str,
    *,
    dotglob: bool = False,
    globstar: bool = False,
    extglob: bool = False,
    nocase: bool = False,
    skipdots: bool = True,
) -> list[str]:
    """The sorted paths that a pattern names; empty when there are none. `skipdots`: `.` and `..` never match."""
    absolute = pattern.startswith("/")
    parts = pattern.split("/")
    found: list[str] = ["/" if absolute else ""]
    names = [part for part in parts if part]
    for number, part in enumerate(names):
        last = number == len(names) - 1
        grown: list[str] = []
        for prefix in found:
            folder = posixpath.normpath(posixpath.join(cwd, prefix or "."))
            if not re.search(r"[*?\[]|[+@!]\(", part):
                name = unescape(part)
                if _present(tree, posixpath.join(folder, name)):
                    grown.append(prefix + name)
                continue
            if globstar and part == "**":
                grown.extend(_deep(tree, folder, prefix, last, True))
                continue
            try:
                candidates = tree.listdir(folder)
            except OSError:
                continue
            test = compiled(part, extglob, nocase)
            if part.startswith(".") and not skipdots:
                candidates = [".", "..", *candidates]
            for name in candidates:
                if name.startswith(".") and not (part.startswith((".", "\\.")) or dotglob):
                    continue
                if test.match(name) and (last or tree.isdir(posixpath.join(folder, name))):
                    grown.append(prefix + name)
            if len(grown) > MAX_NAMES:
                break
        found = grown if last else [path + "/" for path in grown if tree.isdir(posixpath.join(cwd, path))]
    if pattern.endswith("/") and names:
        found = [path.rstrip("/") + "/" for path in found if tree.isdir(posixpath.normpath(posixpath.join(cwd, path)))]
    return sorted(found)


def _present(tree: Tree, path: str) -> bool:
    try:
        tree.lookup(posixpath.normpath(path), follow=False)
    except OSError:
        return False
    return True


def _deep(tree: Tree, folder: str, prefix: str, last: bool, top: bool = False) -> list[str]:
    out = [prefix.rstrip("/")] if not last and prefix else ([""] if not last else [prefix] if top and prefix else [])
    try:
        names = tree.listdir(folder)
    except OSError:
        return out
    for name in names:
        path = posixpath.join(folder, name)
        if name.startswith("."):
            continue
        if tree.isdir(path):
            if last:
                out.append(prefix + name)
            out.extend(_deep(tree, path, prefix + name + "/", last))
        elif last:
            out.append(prefix + name)
    return out
