"""`jq`: reading, options and output; the language is in jqlang.py."""

from __future__ import annotations

import json
from typing import Any

from ...host.invocation import Call
from . import jqlang, jqparse
from .common import Code, inputs

COLOURS = {"null": "1;30", "false": "0;39", "true": "0;39", "number": "0;39", "string": "0;32", "array": "1;39", "object": "1;39"}


def render(value: Any, indent: int, sort: bool, level: int = 0) -> str:
    """A value as jq prints it."""
    if isinstance(value, dict) and value:
        pairs = sorted(value.items()) if sort else list(value.items())
        parts = [f"{_scalar(key)}:{' ' if indent else ''}{render(item, indent, sort, level + 1)}" for key, item in pairs]
        return "{" + _lines(parts, indent, level) + "}"
    if isinstance(value, list) and value:
        return "[" + _lines([render(item, indent, sort, level + 1) for item in value], indent, level) + "]"
    return _scalar(value)


def _lines(parts: list[str], indent: int, level: int) -> str:
    if not indent:
        return ",".join(parts)
    inner = "\n" + " " * indent * (level + 1)
    return inner + ("," + inner).join(parts) + "\n" + " " * indent * level


def _scalar(value: Any) -> str:
    if isinstance(value, float) and value == int(value) and abs(value) < 1e17:
        value = int(value)
    return json.dumps(value, ensure_ascii=False)


def _documents(text: str) -> list[Any]:
    decoder = json.JSONDecoder()
    out: list[Any] = []
    at = 0
    while True:
        while at < len(text) and text[at] in " \t\r\n":
            at += 1
        if at >= len(text):
            return out
        value, at = decoder.raw_decode(text, at)
        out.append(value)


def _options(call: Call) -> tuple[dict[str, Any], dict[str, Any], list[str]]:
    options: dict[str, Any] = {}
    variables: dict[str, Any] = {}
    rest: list[str] = []
    args = list(call.argv[1:])
    longs = {
        "raw-output": "r",
        "compact-output": "c",
        "null-input": "n",
        "raw-input": "R",
        "slurp": "s",
        "exit-status": "e",
        "sort-keys": "S",
        "join-output": "j",
        "monochrome-output": "M",
        "color-output": "C",
        "tab": "T",
    }
    while args:
        word = args.pop(0)
        if word in ("--arg", "--argjson") and len(args) > 1:
            name, value = args.pop(0), args.pop(0)
            variables[name] = value if word == "--arg" else json.loads(value)
        elif word == "--indent" and args:
            options["indent"] = int(args.pop(0))
        elif word in ("--args", "--jsonargs"):
            variables["__args"] = args
        elif word.startswith("--") and word[2:] in longs:
            options[longs[word[2:]]] = True
        elif word.startswith("-") and len(word) > 1 and not word.startswith("--"):
            for letter in word[1:]:
                if letter not in "rcnRseSjMCa":
                    raise ValueError(word)
                options[letter] = True
        elif word.startswith("--"):
            raise ValueError(word)
        else:
            rest.append(word)
    return options, variables, rest


def jq(call: Call) -> Code:
    """`jq [-rcnRseSj] [--arg name value] filter [files]`."""
    try:
        options, variables, rest = _options(call)
    except ValueError as failed:
        call.err(
            f"jq: Unknown option: {failed}\nUse jq --help for help with command-line options,\nor see the jq manpage, or online docs  at https://jqlang.github.io/jq\n"
        )
        return 2
    if not rest:
        call.err("Usage:\tjq [OPTIONS] FILTER [FILES...]\n")
        return 2
    try:
        program = jqparse.parse(rest[0])
    except jqparse.JqSyntaxError as failed:
        call.err(f"jq: error: {failed}\njq: 1 compile error\n")
        return 3
    found, code = ([], 0) if "n" in options else (yield from inputs(call, rest[1:]))
    values: list[Any] = []
    broken = ""
    for _, data in found:
        text = data.decode("utf-8", "replace")
        if "R" in options:
            values += [text] if "s" in options else text.splitlines()
            continue
        try:
            values += _documents(text)
        except (ValueError, RecursionError) as failed:
            broken = str(failed)
    if "n" in options:
        values = [None]
    elif "s" in options and "R" not in options:
        values = [values]
    last: Any = None
    machine = jqlang.Machine({"ENV": dict(call.env), "__loc__": None, **variables})
    for value in values:
        try:
            for result in machine.run(program, value):
                last = result
                _print(call, result, options)
        except jqlang.JqError as failed:
            call.err(f"jq: error (at <stdin>:0): {failed}\n")
            code = 5
        except RecursionError:
            call.err("jq: error: nested too deeply\n")
            code = 5
    if broken:
        call.err(f"jq: parse error: {broken}\n")
        return 2
    if "e" in options and not code:
        return 1 if last in (None, False) else 0
    return 2 if code == 1 else code


def _print(call: Call, value: Any, options: dict[str, Any]) -> None:
    if ("r" in options or "j" in options) and isinstance(value, str):
        text = value
    else:
        text = render(value, 0 if "c" in options else options.get("indent", 2), "S" in options)
    call.out((text + ("" if "j" in options else "\n")).encode("utf-8", "surrogateescape"))
