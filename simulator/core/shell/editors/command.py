"""`vi`, `vim`, `view`, `ex` as commands: what stands on their command line."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from ...host.invocation import Call
from ...host.program import Wait
from ..coreutils.common import name_of
from .ex import Quit
from .vi import Vi

VERSION = "VIM - Vi IMproved 9.1 (2024 Jan 02, compiled Sep 06 2024 00:00:00)\nIncluded patches: 1-16, 647\n"


def vi(call: Call) -> Generator[Wait, Any, int]:
    """`vi [-R] [+N | +/text | +command] [-c command] [-es] [file …]`."""
    names: list[str] = []
    commands: list[str] = []
    readonly = name_of(call) == "view"
    script = name_of(call) == "ex"
    args = list(call.argv[1:])
    while args:
        word = args.pop(0)
        if word == "--version":
            call.out(VERSION)
            return 0
        if word == "--":
            names += args
            break
        if word.startswith("+"):
            commands.append(word[1:] or "$")
        elif word in ("-c", "--cmd") and args:
            commands.append(args.pop(0))
        elif word in ("-u", "-i", "-T", "-U", "-w") and args:
            args.pop(0)
        elif word.startswith("-") and len(word) > 1:
            if not set(word[1:]) <= set("RenNsEvVyCZXObop"):
                call.err(f'VIM - Vi IMproved 9.1 (2024 Jan 02)\nUnknown option argument: "{word}"\nMore info with: "vim -h"\n')
                return 1
            readonly = readonly or "R" in word
            script = script or "e" in word
        else:
            names.append(word)
    editor = Vi(call, names, readonly=readonly)
    if script:
        return (yield from _script(call, editor, commands))
    if not call.stdout_tty:
        call.err("Vim: Warning: Output is not to a terminal\n")
    if not call.stdin_tty:
        call.err("Vim: Warning: Input is not from a terminal\n")
    return (yield from editor.run(commands))


def _script(call: Call, editor: Vi, commands: list[str]) -> Generator[Wait, Any, int]:
    """`ex -s file < commands`: command lines from standard input, nothing is drawn."""
    failed = 0
    try:
        yield from editor.start(commands)
        while True:
            line = yield from call.read_line()
            if not line:
                return failed
            editor.message = ""
            yield from editor.execute(line.decode("utf-8", "surrogateescape").rstrip("\n"))
            if editor.message.startswith("E"):
                failed = 1
    except Quit as done:
        return done.code or failed
