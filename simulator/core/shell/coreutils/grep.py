"""`grep`, `egrep`, `fgrep`: GNU's options; standard input is searched as it comes."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Generator
from typing import Any

from ...host.executor import Ended
from ...host.invocation import Call
from ...host.program import Wait
from . import regexes
from .common import Code, device_fd, lines, name_of, parse, read_path, usage, whole

LONG = """ignore-case:i invert-match:v count:c line-number:n files-with-matches:l files-without-match:L only-matching:o quiet:q silent:q
recursive:r extended-regexp:E fixed-strings:F perl-regexp:P basic-regexp:G word-regexp:w line-regexp:x regexp=e file=f no-filename:h
with-filename:H label=label null-data:z binary-files=binary initial-tab:T directories=d unix-byte-offsets:u max-count=m after-context=A before-context=B context=C color?color colour?color include=include exclude=exclude
exclude-dir=exclude-dir no-messages:s text:a byte-offset:b null:Z line-buffered"""


class _Grep:
    def __init__(self, call: Call, options: dict[str, str], pattern: re.Pattern[str], named: bool) -> None:
        self.call, self.o, self.pattern, self.named = call, options, pattern, named
        context = options.get("C", "0")
        self.after, self.before = (
            whole(call, options.get(letter, context), "{}: invalid context length argument", 2) for letter in "AB"
        )
        self.limit = whole(call, options["m"], "invalid max count", 2) if "m" in options else -1
        self.colour = options.get("color") in ("always",) or (
            options.get("color") in ("", "auto") and "color" in options and call.stdout_tty
        )
        self.printed = -1
        self.number = self.count = self.left = self.offset = self.next_offset = 0
        self.kept: list[tuple[int, str]] = []
        self.any_context = False
        self.end = "\0" if "z" in options else "\n"

    def start(self) -> None:
        self.number = self.count = self.left = self.offset = self.next_offset = 0
        self.kept, self.printed = [], -1

    def prefix(self, name: str, mark: str, number: int) -> str:
        if self.colour:
            out = f"\x1b[35m\x1b[K{name}\x1b[m\x1b[K\x1b[36m\x1b[K{mark}\x1b[m\x1b[K" if self.named else ""
            return out + (f"\x1b[32m\x1b[K{number}\x1b[m\x1b[K\x1b[36m\x1b[K{mark}\x1b[m\x1b[K" if "n" in self.o else "")
        tab = "\t" if "T" in self.o and (self.named or "n" in self.o) else ""
        shown = f"{number:>4}" if tab else str(number)
        place = f"{self.offset}{mark}" if "b" in self.o else ""
        return (f"{name}{mark}" if self.named else "") + (f"{shown}{mark}" if "n" in self.o else "") + place + tab

    def line(self, name: str, raw: bytes) -> bool:
        """Handle one line; False when no more are wanted."""
        self.number += 1
        self.offset, self.next_offset = self.next_offset, self.next_offset + len(raw)
        text = raw.decode("utf-8", "surrogateescape")
        text = text if self.end == "\0" else text.removesuffix("\n")
        found = self.pattern.search(text[: regexes.MAX_SUBJECT]) is not None
        if found == ("v" in self.o):
            if self.left > 0:
                self.left -= 1
                self.show(name, "-", self.number, text, False)
            elif self.before:
                self.kept = [*self.kept, (self.number, text)][-self.before :]
            return self.limit < 0 or self.count < self.limit or self.left > 0
        if 0 <= self.limit <= self.count:
            return False
        self.count += 1
        if any(flag in self.o for flag in "qlLc"):
            return not ("q" in self.o or "l" in self.o or "L" in self.o) and not 0 <= self.limit <= self.count
        if (
            (self.after or self.before)
            and self.printed >= 0
            and (self.kept[0][0] if self.kept else self.number) > self.printed + 1
        ) or ((self.after or self.before) and self.printed < 0 and self.any_context):
            self.call.out("--\n")
        for number, kept in self.kept:
            self.show(name, "-", number, kept, False)
        self.kept = []
        if "o" in self.o:
            if "v" not in self.o:
                for match in self.pattern.finditer(text):
                    part = _kept(match)
                    if part:
                        piece = f"\x1b[01;31m\x1b[K{part}\x1b[m\x1b[K" if self.colour else part
                        self.call.out((self.prefix(name, ":", self.number) + piece + self.end).encode("utf-8", "surrogateescape"))
        else:
            self.show(name, ":", self.number, text, True)
        self.left = self.after
        return not (0 <= self.limit <= self.count and not self.left)

    def show(self, name: str, mark: str, number: int, text: str, matched: bool) -> None:
        self.printed, self.any_context = number, True
        if self.colour and matched and "v" not in self.o:
            text = self.pattern.sub(lambda m: f"\x1b[01;31m\x1b[K{m.group()}\x1b[m\x1b[K" if m.group() else "", text)
        self.call.out((self.prefix(name, mark, number) + text + self.end).encode("utf-8", "surrogateescape"))

    def finish(self, name: str) -> bool:
        """The end of an input: counts and names; whether it matched."""
        if "c" in self.o and "q" not in self.o:
            self.call.out(f"{name}:{self.count}\n" if self.named else f"{self.count}\n")
        end = "\0" if "Z" in self.o else "\n"
        if "l" in self.o and self.count:
            self.call.out(name + end)
        if "L" in self.o and not self.count:
            self.call.out(name + end)
        return self.count > 0


def _compile(call: Call, options: dict[str, str], patterns: list[str]) -> re.Pattern[str]:
    extended = "E" in options or name_of(call) == "egrep"
    fixed = "F" in options or name_of(call) == "fgrep"
    parts = []
    try:
        for pattern in patterns:
            for one in pattern.split("\n"):
                if fixed:
                    text = re.escape(one)
                elif "P" in options:
                    text = _perl(one)
                    regexes.guard(text)
                else:
                    text = regexes.compile_posix(one, extended=extended).pattern
                if "w" in options:
                    text = rf"(?<!\w)(?:{text})(?!\w)"
                if "x" in options:
                    text = rf"^(?:{text})\Z"
                parts.append(text)
        return re.compile(
            "|".join(f"(?:{part})" if len(parts) > 1 else part for part in parts), re.IGNORECASE if "i" in options else 0
        )
    except regexes.BadPattern as failed:
        call.err(f"{name_of(call)}: {failed}\n")
        raise Ended(2) from None
    except re.error as failed:
        unclosed = any(word in str(failed) for word in ("unterminated subpattern", "missing )")) and "P" in options
        call.err(f"{name_of(call)}: {'missing closing parenthesis' if unclosed else 'Invalid regular expression'}\n")
        raise Ended(2) from None


def _perl(pattern: str) -> str:
    """A Perl pattern in Python's words: `\\K` keeps what stands before it out of the match."""
    pattern = re.sub(r"\\h", r"[ \\t]", pattern).replace("\\R", "(?:\\r\\n|\\n|\\r)")
    pattern = re.sub(r"\[\[:(\w+):\]\]", lambda m: f"[{regexes.CLASSES.get(m.group(1), m.group(1))}]", pattern)
    pattern = re.sub(r"\(\?<(\w+)>", r"(?P<\1>", pattern)
    before, mark, after = pattern.rpartition("\\K")
    return f"(?P<keep{KEEP}>{before}){after}" if mark else pattern


#: A group name that no pattern of a learner's has.
KEEP = "_slipway"


def _kept(match: re.Match[str]) -> str:
    """What of a match is shown: without what `\\K` left out."""
    name = f"keep{KEEP}"
    if name in match.re.groupindex and match.group(name) is not None:
        return match.group()[len(match.group(name)) :]
    return match.group()


def _patterns(call: Call) -> list[str]:
    """Every `-e` (the common parser keeps only the last)."""
    found: list[str] = []
    args, at = [call.argv[0]], 1
    while at < len(call.argv):
        word = call.argv[at]
        if word == "--":
            args += call.argv[at:]
            break
        match = re.fullmatch(r"-([A-Za-z]*)e(.*)", word, re.DOTALL)
        if match and not set(match.group(1)) & set("efmABCd") and not word.startswith("--"):
            value = match.group(2)
            if not value:
                at += 1
                value = call.argv[at] if at < len(call.argv) else ""
            found.append(value)
            if match.group(1):
                args.append("-" + match.group(1))
        elif word.startswith("--regexp="):
            found.append(word[9:])
        else:
            args.append(word)
        at += 1
    call.argv = args
    return found


def grep(call: Call) -> Code:
    """`grep [options] pattern [files]`."""
    call.argv = [re.sub(r"^-(\d+)$", r"-C\1", word) for word in call.argv]
    patterns = _patterns(call)
    options, names = parse(call, "ivycnlLoqrREFPGwxhHsaf:m:A:B:C:bZzITd:U", LONG, code=2)
    if "y" in options:
        options["i"] = "1"
    if "f" in options:
        text = (yield from read_path(call, options["f"])).decode("utf-8", "surrogateescape")
        patterns += text.removesuffix("\n").split("\n") if text else ["$^"]
    if not patterns:
        if not names:
            call.err(
                f"Usage: {name_of(call)} [OPTION]... PATTERNS [FILE]...\nTry '{name_of(call)} --help' for more information.\n"
            )
            return 2
        patterns = [names.pop(0)]
    deep = "r" in options or "R" in options
    if deep and not names:
        names = ["."]
    targets, code = _targets(call, options, names or ["-"], deep)
    named = ("H" in options or len(names) > 1 or deep) and "h" not in options
    state = _Grep(call, options, _compile(call, options, patterns), named)
    matched = False
    for name in targets:
        state.start()
        shown = options.get("label", "(standard input)") if name == "-" else name
        fd = 0 if name == "-" else device_fd(name)
        if fd is not None and fd in call.fds:
            yield from _stream(call, state, shown, fd)
        else:
            try:
                data = call.read_file(name)
            except OSError as failed:
                if "s" not in options:
                    call.err(f"{name_of(call)}: {name}: {failed.strerror}\n")
                code = 2
                continue
            binary = b"\0" in data[:4096]
            if binary and ("I" in options or options.get("binary") == "without-match"):
                continue
            if "z" in options:
                for raw in data.removesuffix(b"\0").split(b"\0"):
                    if not state.line(shown, raw):
                        break
                matched = state.finish(shown) or matched
                continue
            if binary and "a" not in options and not any(flag in options for flag in "qlLc"):
                if state.pattern.search(data.decode("utf-8", "replace")):
                    call.err(f"{name_of(call)}: {name}: binary file matches\n")
                    matched = True
                continue
            for raw in lines(data):
                if not state.line(shown, raw):
                    break
        matched = state.finish(shown) or matched
        if matched and "q" in options:
            return 0
    return code if code else int(not matched)


def _stream(call: Call, state: _Grep, shown: str, fd: int) -> Generator[Wait, Any, None]:
    rest = b""
    while True:
        stream = yield from call.wait_input(fd)
        data = stream.take(65536)
        rest += data
        whole = lines(rest)
        rest = b""
        if data and whole and not whole[-1].endswith(b"\n"):
            rest = whole.pop()
        for raw in whole:
            if not state.line(shown, raw):
                return
        if not data:
            return


def _targets(call: Call, options: dict[str, str], names: list[str], deep: bool) -> tuple[list[str], int]:
    out: list[str] = []
    code = 0
    from .. import patterns as globs

    for name in names:
        if name != "-" and call.isdir(name):
            if not deep and options.get("d") in ("skip", "recurse"):
                continue
            if not deep:
                call.err(f"{name_of(call)}: {name}: Is a directory\n")
                continue
            for path, node in call.tree.walk(call.path(name)):
                if node.kind != "file":
                    continue
                relative = posixpath.relpath(path, call.path(name))
                base = posixpath.basename(path)
                if "include" in options and not globs.matches(options["include"], base):
                    continue
                if "exclude" in options and globs.matches(options["exclude"], base):
                    continue
                if "exclude-dir" in options and any(
                    globs.matches(options["exclude-dir"], part) for part in relative.split("/")[:-1]
                ):
                    continue
                out.append(
                    relative
                    if name == "." and not any(word in (".", "./") for word in call.argv[1:])
                    else posixpath.join(name, relative)
                )
        else:
            out.append(name)
    return out, code


__all__ = ["grep", "usage"]
