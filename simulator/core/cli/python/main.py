"""The command `python3`: `-c`, a file, standard input, `-m json.tool`, `-m http.server`."""

from __future__ import annotations

import ast
import json
from collections.abc import Generator
from typing import Any

from ...host.invocation import Call
from ...host.program import Wait
from .children import Children
from .interpreter import Interpreter
from .values import Absent, Leave, Stream, modules

Code = Generator[Wait, Any, int]
ABSENT = "not simulated in Slipway yet"
#: Characters that a program may have: its tree is made by the real parser, at once.
LONGEST = 100_000


def main(call: Call) -> Code:
    """`python3 [-c CODE | -m MODULE | FILE | -] [ARGUMENT…]`."""
    words = [*call.argv[1:]]
    while words and words[0] in ("-u", "-B", "-s", "-S", "-E", "-I", "-O", "-q"):
        words.pop(0)
    if words and words[0] in ("--version", "-V", "-VV"):
        call.out(f"Python {call.env.get('PYTHON_VERSION', '3.12.3')}\n")
        return 0
    if words[:1] == ["-c"]:
        if len(words) < 2:
            call.err(
                "Argument expected for the -c option\nusage: python3 [option] ... [-c cmd | -m mod | file | -] [arg] ...\nTry `python3 -h' for more information.\n"
            )
            return 2
        return (yield from _run(call, words[1], "<string>", ["-c", *words[2:]]))
    if words[:1] == ["-m"]:
        return (yield from _module(call, words[1:]))
    if words and words[0].startswith("-") and words[0] != "-":
        call.err(f"python3: {words[0]}: {ABSENT}\n")
        return 127
    if not words or words[0] == "-":
        if call.stdin_tty:
            call.err(f"python3: the interactive interpreter: {ABSENT}\n")
            return 127
        text = (yield from call.read()).decode("utf-8", "replace")
        return (yield from _run(call, text, "<stdin>", ["-" if words else "", *words[1:]], eaten=True))
    try:
        text = call.read_file(words[0]).decode("utf-8", "replace")
    except OSError as failed:
        call.err(f"python3: can't open file '{call.path(words[0])}': [Errno {failed.errno}] {failed.strerror}\n")
        return 2
    return (yield from _run(call, text, call.path(words[0]), words))


def _run(call: Call, text: str, file: str, argv: list[str], *, eaten: bool = False) -> Code:
    if len(text) > LONGEST:
        call.err(f"python3: a program of more than {LONGEST:,} characters: {ABSENT}\n")
        return 127
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as failed:
        line = getattr(failed, "lineno", 1) or 1
        rows = text.splitlines() or [""]
        shown = rows[line - 1].strip() if 0 < line <= len(rows) else ""
        call.err(f'  File "{file}", line {line}\n    {shown}\nSyntaxError: {getattr(failed, "msg", None) or "invalid syntax"}\n')
        return 1
    given = ""
    if not eaten and ("stdin" in text or "input(" in text):
        given = (yield from call.read()).decode("utf-8", "replace")
    stdin = Stream(given)
    written: dict[str, bool] = {}

    def opened(name: str, mode: str) -> Stream:
        if "b" in mode or "+" in mode:
            raise Absent(f"open(…, {mode!r})")
        try:
            if mode.startswith("r"):
                return Stream(call.read_file(name).decode("utf-8", "replace"))
            if mode[:1] == "w":
                call.write_file(name, b"")
            written[name] = True
            return Stream(write=lambda part: call.write_file(name, part.encode(), append=True))
        except OSError as failed:
            raise type(failed)(failed.errno, failed.strerror, name) from None

    known = modules(call, argv, stdin)
    children = Children(call)
    known["subprocess"] = children.module()
    known["os"].members |= {"system": children.system, "popen": children.popen}
    run = Interpreter(known, call.out, call.err, opened, stdin)
    try:
        run.block(tree.body, run.names)
    except Leave as left:
        call.err(left.said)
        return left.code & 255
    except Absent as what:
        call.err(f"python3: {what}: {ABSENT}\n")
        return 127
    except (MemoryError, RecursionError):
        call.err(f'Traceback (most recent call last):\n  File "{file}", line {run.line}, in <module>\nMemoryError\n')
        return 1
    except Exception as failed:
        kind = type(failed)
        name = kind.__name__ if kind.__module__ in ("builtins", "__main__") else f"{kind.__module__}.{kind.__name__}"
        said = str(failed)
        call.err(
            f'Traceback (most recent call last):\n  File "{file}", line {run.line}, in <module>\n{name}{": " + said if said else ""}\n'
        )
        return 1
    return 0


def _module(call: Call, words: list[str]) -> Code:
    name = words[0] if words else ""
    if name == "json.tool":
        return (yield from _json_tool(call, words[1:]))
    if name == "http.server":
        # the program that images run; it listens until it is ended
        return (yield from _serve(call))
    if name in ("venv", "pip", "ensurepip", "pytest", "unittest", "timeit", "this", "flask", "uvicorn", "gunicorn"):
        call.err(f"python3: -m {name}: {ABSENT}\n")
        return 127
    call.err(f"/usr/bin/python3: No module named {name}\n")
    return 1


def _json_tool(call: Call, words: list[str]) -> Code:
    indent: int | None = 4
    options = {"sort": False, "ascii": True, "lines": False}
    names: list[str] = []
    at = 0
    while at < len(words):
        word = words[at]
        at += 1
        if word == "--sort-keys":
            options["sort"] = True
        elif word == "--no-ensure-ascii":
            options["ascii"] = False
        elif word == "--json-lines":
            options["lines"] = True
        elif word == "--indent" and at < len(words) and words[at].isdigit() and int(words[at]) <= 16:
            indent, at = int(words[at]), at + 1
        elif word == "--compact":
            indent = None
        elif word.startswith("-") and word != "-":
            call.err(f"python3 -m json.tool {word}: {ABSENT}\n")
            return 127
        else:
            names.append(word)
    try:
        data = call.read_file(names[0]) if names and names[0] != "-" else (yield from call.read())
    except OSError as failed:
        call.err(
            f"usage: python -m json.tool [-h] [--sort-keys] [infile] [outfile]\npython -m json.tool: error: argument infile: can't open '{names[0]}': [Errno {failed.errno}] {failed.strerror}: '{names[0]}'\n"
        )
        return 2
    out: list[str] = []
    text = data.decode("utf-8", "replace")
    try:
        for part in [line for line in text.splitlines() if line.strip()] if options["lines"] else [text]:
            separators = (",", ":") if indent is None else None
            out.append(
                json.dumps(
                    json.loads(part),
                    indent=indent,
                    sort_keys=options["sort"],
                    ensure_ascii=options["ascii"],
                    separators=separators,
                )
                + "\n"
            )
    except (ValueError, RecursionError) as failed:
        call.err(f"{failed}\n")
        return 1
    if len(names) > 1:
        call.write_file(names[1], "".join(out).encode())
    else:
        call.out("".join(out))
    return 0


def _serve(call: Call) -> Code:
    from ...host.program import WaitTopic
    from ...kernel import network

    words = call.argv[call.argv.index("http.server") + 1 :]
    numbers = [word for word in words if word.isdigit()]
    port = int(numbers[0]) if numbers else 8000
    proc = call.proc
    netns = proc.netns or proc.host
    try:
        network.listen(call.world, netns, port, host=proc.host, pid=proc.pid)
    except OSError:
        call.err("Traceback (most recent call last):\nOSError: [Errno 98] Address already in use\n")
        return 1
    before, proc.program = proc.program, "python-http-server"
    try:
        if call.stdout_tty:
            call.out(f"Serving HTTP on 0.0.0.0 port {port} (http://0.0.0.0:{port}/) ...\n")
        while True:
            yield WaitTopic((f"python-http:{proc.key}",))
    finally:
        proc.program = before
        network.close_sockets(call.world, netns, proc.pid)
