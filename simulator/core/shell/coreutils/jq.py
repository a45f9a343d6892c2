"""`jq`: reading, options and output; the language is in jqlang.py."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from typing import Any

from ...host.invocation import Call
from . import jqlang, jqparse, jqtext
from .common import Code, read_path

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
    if isinstance(value, float) and math.isfinite(value) and value == int(value) and abs(value) < 1e17:
        value = int(value)
    return json.dumps(value, ensure_ascii=False)


def _documents(text: str) -> Iterator[tuple[Any, int]]:
    """(value, line behind it) of each document; raises ValueError behind those that can be read."""
    decoder = json.JSONDecoder()
    at = 0
    while True:
        while at < len(text) and text[at] in " \t\r\n":
            at += 1
        if at >= len(text):
            return
        value, at = decoder.raw_decode(text, at)
        yield value, text.count("\n", 0, at) + (1 if "\n" in text[at:] else 0)


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
        "ascii-output": "a",
        "unbuffered": "u",
    }
    while args:
        word = args.pop(0)
        if word in ("--arg", "--argjson") and len(args) > 1:
            name, value = args.pop(0), args.pop(0)
            variables[name] = value if word == "--arg" else json.loads(value)
        elif word == "--indent" and args:
            given = args.pop(0)
            if not given.isdigit() or int(given) > 7:
                raise ValueError(f"--indent {given}")
            options["indent"] = int(given)
        elif word in ("--args", "--jsonargs"):
            if not rest and args:
                rest.append(args.pop(0))
            variables["__args"] = [json.loads(text) for text in args] if word == "--jsonargs" else list(args)
            args = []
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
    if not rest and not (call.stdin_tty and call.stdout_tty):
        rest = ["."]  # as jq 1.6 and newer: in a pipe the filter may be left out
    if not rest:
        call.err("Usage:\tjq [OPTIONS] FILTER [FILES...]\n")
        return 2
    try:
        program = jqparse.parse(rest[0])
    except jqparse.JqSyntaxError as failed:
        told = str(failed)
        if told.startswith("syntax error, ") and "Unix shell" not in told:
            told += " (Unix shell quoting issues?)"
        call.err(f"jq: error: {told} at <top-level>, line 1:\n{rest[0]}\njq: 1 compile error\n")
        return 3
    found: list[tuple[str, bytes]] = []
    code = 0
    if "n" in options and len(rest) < 2 and call.stdin_tty:
        pass  # nothing to read
    else:
        for name in rest[1:] or ["-"]:
            try:
                found.append(
                    (name, (yield from call.read()) if name == "-" and not rest[1:] else (yield from read_path(call, name)))
                )
            except OSError as failed:
                call.err(f"jq: error: Could not open file {name}: {failed.strerror}\n")
                code = 1
    values: list[Any] = []
    places: list[int] = []  # the line behind each value
    broken = ""
    for _, data in found:
        text = data.decode("utf-8", "replace")
        if "R" in options:
            values += [text] if "s" in options else text.splitlines()
            places += [1] * (len(values) - len(places))
            continue
        try:
            for document, line in _documents(text):
                values.append(document)
                places.append(line)
        except (ValueError, RecursionError) as failed:
            broken = jqtext.complaint(text) if isinstance(failed, ValueError) else "Exceeds depth limit for parsing"
    source = rest[1] if len(rest) > 1 else "<stdin>"
    if "s" in options and "R" not in options:
        values, places = [values], places[-1:] or [0]
    waiting: list[Any] = []
    if "n" in options:
        waiting, values = values, [None]
    last: Any = None
    named = {name: value for name, value in variables.items() if name != "__args"}
    arguments = {"positional": list(variables.get("__args", [])), "named": named}
    machine = jqlang.Machine({"ENV": dict(call.env), "__loc__": None, "ARGS": arguments, **variables})
    machine.waiting = waiting if "n" in options else list(values)
    number = -1
    while machine.waiting or (number < 0 and "n" in options):
        number += 1
        value = None if "n" in options else machine.waiting.pop(0)
        if "n" in options and number:
            break
        try:
            for result in machine.run(program, value):
                last = result
                _print(call, result, options)
        except jqlang.JqError as failed:
            if re.fullmatch(r"\$?[\w:]+(/\d+)? is not defined", str(failed)):  # jq notices it before it runs
                call.err(f"jq: error: {failed} at <top-level>, line 1:\n{rest[0]}\njq: 1 compile error\n")
                return 3
            place = f"{source}:{places[number] if number < len(places) else 0}" if "n" not in options else "<unknown>"
            call.err(f"jq: error (at {place}): {failed}\n")
            code = 5
        except RecursionError:
            call.err("jq: error: nested too deeply\n")
            code = 5
    if broken:
        call.err(f"jq: parse error: {broken}\n")
        return 2
    if "e" in options and not code:
        return 1 if last is None or last is False else 0
    return 2 if code == 1 else code


def _print(call: Call, value: Any, options: dict[str, Any]) -> None:
    if ("r" in options or "j" in options) and isinstance(value, str):
        text = value
    else:
        text = render(value, 0 if "c" in options else options.get("indent", 2), "S" in options)
        if "T" in options and "c" not in options:
            text = re.sub(r"(?m)^ +", lambda m: "\t" * (len(m.group()) // 2), text)
        if "a" in options:
            text = re.sub(r"[^\x00-\x7f]", lambda m: json.dumps(m.group())[1:-1], text)
    call.out((text + ("" if "j" in options else "\n")).encode("utf-8", "surrogateescape"))
