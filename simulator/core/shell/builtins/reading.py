"""read and mapfile: variables from input."""

from __future__ import annotations

import re
from collections.abc import Generator
from typing import Any

from ..fields import shell_quote
from ..state import Var


def _read_options(shell: Any, words: list[str]) -> tuple[dict[str, str], list[str]] | None:
    options: dict[str, str] = {}
    at = 1
    while at < len(words) and words[at].startswith("-") and len(words[at]) > 1:
        word = words[at]
        at += 1
        if word == "--":
            break
        for place, letter in enumerate(word[1:], 1):
            if letter in "pndtuaNi":
                if word[place + 1 :]:
                    options[letter] = word[place + 1 :]
                else:
                    options[letter] = words[at] if at < len(words) else ""
                    at += 1
                break
            if letter not in "ersti":
                shell.complain(f"read: -{letter}: invalid option")
                shell.err(
                    "read: usage: read [-ers] [-a array] [-d delim] [-i text] [-n nchars] [-N nchars] [-p prompt] [-t timeout] "
                    "[-u fd] [name ...]\n"
                )
                return None
            options[letter] = ""
    return options, words[at:]


def read(shell: Any, words: list[str]) -> Generator[Any, Any, int]:
    """`read [-r] [-p prompt] [-a array] [-d delim] [-n count] [-t seconds] [-s] [names]`."""
    parsed = _read_options(shell, words)
    if parsed is None:
        return 2
    options, names = parsed
    for name in names:
        if not re.match(r"[A-Za-z_]\w*(\[.*\])?\Z", name):
            shell.complain(f"read: `{name}': not a valid identifier")
            return 1
    fd = int(options["u"]) if options.get("u", "").isdigit() else 0
    if fd not in shell.fds:
        shell.complain(f"read: {fd}: invalid file descriptor: Bad file descriptor")
        return 1
    if "p" in options and shell.fds[fd].tty:
        shell.err(options["p"])
    delimiter = "\n" if "d" not in options else (options["d"][:1] or "\0")
    given = options.get("n") or options.get("N") or "0"
    if not (given.isascii() and given.isdigit()):
        shell.complain(f"read: {given}: invalid number")
        return 1
    limit = min(int(given[:9]), 1_000_000)
    text, complete, timed_out = yield from _input(shell, fd, delimiter, limit, options)
    values = _fields(shell, text, "r" in options, 0 if "a" in options else max(len(names), 1), not names and "a" not in options)
    if "a" in options:
        shell.state.vars[options["a"]] = Var("a", None, {str(n): value for n, value in enumerate(values)})
    elif not names:
        shell.assign("REPLY", values[0] if values else "")
    else:
        for number, name in enumerate(names):
            base, _, index = name.partition("[")
            shell.assign(base, values[number] if number < len(values) else "", index=index[:-1] if index else None)
    return 142 if timed_out else int(not complete)


def _input(
    shell: Any, fd: int, delimiter: str, limit: int, options: dict[str, str]
) -> Generator[Any, Any, tuple[str, bool, bool]]:
    raw = "r" in options
    deadline = None
    if "t" in options:
        try:
            deadline = shell.world.now + int(float(options["t"]) * 1e9)
        except ValueError:
            deadline = None
    data = bytearray()
    end = delimiter.encode()
    while True:
        stream = yield from shell.wait_input(fd, deadline)
        if stream is None:
            return data.decode("utf-8", "surrogateescape"), False, True
        if end == b"\n" and not limit and not data:
            line = stream.take_line()
            if line is None:
                yield shell.input_wait(fd)
                continue
            data += line
            while not raw and data.endswith(b"\\\n"):
                more = stream.take_line()
                if not more:
                    break
                data = data[:-2] + more
            complete = data.endswith(b"\n")
            return (
                data.rstrip(b"\n").decode("utf-8", "surrogateescape") if complete else data.decode("utf-8", "surrogateescape"),
                complete,
                False,
            )
        one = stream.take(1)
        if not one:
            return data.decode("utf-8", "surrogateescape"), False, False
        if one == end and "N" not in options:
            return data.decode("utf-8", "surrogateescape"), True, False
        data += one
        if limit and len(data.decode("utf-8", "ignore")) >= limit:
            return data.decode("utf-8", "surrogateescape"), True, False


def _fields(shell: Any, text: str, raw: bool, count: int, whole: bool) -> list[str]:
    """Split a line at IFS into `count` fields (0: all); backslashes quote unless raw."""
    ifs = shell.ifs()
    white = "".join(c for c in ifs if c in " \t\n")
    pairs: list[tuple[str, bool]] = []
    at = 0
    while at < len(text):
        if text[at] == "\\" and not raw:
            at += 1
            if at < len(text):
                pairs.append((text[at], True))
        else:
            pairs.append((text[at], False))
        at += 1
    if whole:
        return ["".join(c for c, _ in pairs)]

    def blank(item: tuple[str, bool]) -> bool:
        return item[0] in white and not item[1]

    while pairs and blank(pairs[0]):
        pairs.pop(0)
    while pairs and blank(pairs[-1]):
        pairs.pop()
    out: list[str] = []
    at = 0
    while at < len(pairs):
        if count and len(out) == count - 1:
            rest = pairs[at:]
            text = "".join(c for c, _ in rest)
            hard = [n for n, (c, q) in enumerate(rest) if c in ifs and c not in white and not q]
            if len(hard) == 1 and hard[0] == len(rest) - 1:
                text = text[:-1].rstrip(white) if white else text[:-1]
            out.append(text)
            return out
        word = ""
        while at < len(pairs) and (pairs[at][1] or pairs[at][0] not in ifs):
            word += pairs[at][0]
            at += 1
        out.append(word)
        hard_seen = False
        while at < len(pairs) and not pairs[at][1] and (pairs[at][0] in white or (pairs[at][0] in ifs and not hard_seen)):
            hard_seen = hard_seen or pairs[at][0] not in white
            at += 1
    return out


def mapfile(shell: Any, words: list[str]) -> Generator[Any, Any, int]:
    """`mapfile [-t] [-n count] [-s skip] [-d delim] [array]`."""
    options: dict[str, str] = {}
    at = 1
    while at < len(words) and words[at].startswith("-"):
        letter = words[at][1:2]
        if letter in "nsdOuCc":
            options[letter] = words[at][2:] or (words[at + 1] if at + 1 < len(words) else "")
            at += 1 if words[at][2:] else 2
        else:
            for each in words[at][1:]:
                options[each] = ""
            at += 1
    for letter in "nsOu":
        given = options.get(letter) or "0"
        if not (given.isascii() and given.isdigit()):
            what = "file descriptor specification" if letter == "u" else "line count" if letter != "O" else "array origin"
            shell.complain(f"mapfile: {given}: invalid {what}")
            return 1
    name = words[at] if at < len(words) else "MAPFILE"
    if not re.match(r"[A-Za-z_]\w*\Z", name):
        shell.complain(f"mapfile: `{name}': not a valid identifier")
        return 1
    data = yield from shell.read()
    end = (options["d"][:1] or "\0") if "d" in options else "\n"
    text = data.decode("utf-8", "surrogateescape")
    lines = [line + end for line in text.split(end)[:-1]] + ([text.split(end)[-1]] if text.split(end)[-1] else [])
    lines = lines[int(options.get("s") or 0) :]
    if int(options.get("n") or 0):
        lines = lines[: int(options["n"])]
    if "t" in options:
        lines = [line[: -len(end)] if line.endswith(end) else line for line in lines]
    first = int(options["O"]) if options.get("O", "").isdigit() else 0
    old = shell.state.vars.get(name)
    items = dict(old.items) if "O" in options and old is not None and old.kind == "a" else {}
    shell.state.vars[name] = Var("a", None, items)
    every = int(options["c"]) if options.get("c", "").isdigit() else 5000
    for number, line in enumerate(lines, first):
        if "C" in options and every and (number - first + 1) % every == 0:
            yield from shell.run_source(f"{options['C']} {number} {shell_quote(line)}")
        items[str(number)] = line
    return 0
