"""The script of a sed command line, and `l`."""

from __future__ import annotations

import re

from ...host.executor import Ended
from ...host.invocation import Call
from .common import parse


def _visible(text: str) -> str:
    names = {"\\": "\\\\", "\n": "\\n", "\t": "\\t", "\a": "\\a", "\b": "\\b", "\f": "\\f", "\r": "\\r", "\v": "\\v"}
    out = ""
    for c in text:
        if c in names:
            out += names[c]
        elif " " <= c <= "~":
            out += c
        else:
            out += "".join(f"\\{b:03o}" for b in c.encode("utf-8", "surrogateescape"))
    return out + "$"


def _script(call: Call, name: str) -> str:
    """The text of `-f name`."""
    try:
        return call.read_file(name).decode("utf-8", "surrogateescape")
    except OSError as failed:
        call.err(f"sed: couldn't open file {name}: {failed.strerror}\n")
        raise Ended(4) from None


def _program(call: Call) -> tuple[str, dict[str, str], list[str]]:
    scripts: list[str] = []
    args, at = [call.argv[0]], 1
    while at < len(call.argv):
        word = call.argv[at]
        match = re.fullmatch(r"-([nErsuz]*)([ef])(.*)", word, re.DOTALL)
        if match and not word.startswith("--"):
            value = match.group(3)
            if not value:
                at += 1
                value = call.argv[at] if at < len(call.argv) else ""
            scripts.append(value if match.group(2) == "e" else _script(call, value))
            if match.group(1):
                args.append("-" + match.group(1))
        elif word.startswith("--expression="):
            scripts.append(word[13:])
        elif word.startswith("--file="):
            scripts.append(_script(call, word[7:]))
        elif word in ("--expression", "--file"):
            at += 1
            value = call.argv[at] if at < len(call.argv) else ""
            scripts.append(value if word == "--expression" else _script(call, value))
        elif re.fullmatch(r"-[nErsu]*i.*", word) and not word.startswith("--"):
            flags, _, suffix = word[1:].partition("i")
            args.append(f"--in-place={suffix}")
            if flags:
                args.append("-" + flags)
        else:
            args.append(word)
        at += 1
    call.argv = args
    options, names = parse(call, "nErsuz", "quiet:n silent:n regexp-extended:E in-place?i separate:s debug posix null-data:z")
    if not scripts:
        if not names:
            call.err("Usage: sed [OPTION]... {script-only-if-no-other-script} [input-file]...\n")
            raise Ended(1)
        scripts = [names.pop(0)]
    return "\n".join(scripts), options, names
