"""txn: compares and requests from standard input (txn_command.go, util.go: Argify, client/v3/compare.go)."""

from __future__ import annotations

import re
from collections.abc import Generator
from typing import Any

from ...etcd.mvcc import Compare, Op, TxnResult
from ...host.program import Wait
from .. import cobra_help
from ..cobra import Command, FlagError, HelpRequested, UsageError
from ..flags import Flag, Values
from . import answers, kv, render
from .session import EXIT_BAD_ARGS, EXIT_INVALID_INPUT, Failed, Session

Run = Generator[Wait, Any, int]
TITLES = ("compares:", "success requests (get, put, del):", "failure requests (get, put, del):")
TARGETS = {
    "ver": "version", "version": "version", "c": "create", "create": "create", "m": "mod", "mod": "mod", "val": "value", "value": "value",
}  # fmt: skip
OPERATORS = ("=", "!=", "<", ">")

_QUOTED = re.compile(r'\s*("(?:[^"\\\n]|\\.)*"|`[^`]*`)')
_WORD = re.compile(r"\s*(\S+)")
_ESCAPE = re.compile(r'\\(x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-7]{3}|[abfnrtv\\"])|\\')
_PLAIN = {"a": 7, "b": 8, "f": 12, "n": 10, "r": 13, "t": 9, "v": 11, "\\": 92, '"': 34}
_ARGUMENT = re.compile(r""""(?:[^"\\]|\\.)*"|'[^']*'|[^'"\s]\S*[^'"\s]?""")


class Panic(Failed):
    """The real tool's Go runtime ends here, with status 2 and the first lines of its trace on standard error."""

    def __init__(self, session: Session, what: str) -> None:
        session.inv.err(f"panic: {what}\n\ngoroutine 1 [running]:\n")
        super().__init__(2, "")


def unquote(text: str) -> bytes | None:
    """Go's strconv.Unquote of a text in double quotes or backquotes, as bytes; None for what it refuses."""
    if text.startswith("`"):
        return text[1:-1].encode()
    wrong = False

    def one(match: re.Match[str]) -> str:
        nonlocal wrong
        body = match[1]
        if body is None:
            wrong = True
            return ""
        if body[0] == "x":
            return bytes([int(body[1:], 16)]).decode("utf-8", "surrogateescape")
        if body[0] in "uU":
            return chr(min(int(body[1:], 16), 0x10FFFF))
        return chr(int(body, 8) & 255) if body[0] in "01234567" else chr(_PLAIN[body])

    out = _ESCAPE.sub(one, text[1:-1])
    return None if wrong else out.encode("utf-8", "surrogateescape")


def scan(text: str) -> tuple[int, bytes, str, bytes]:
    """`fmt.Sscanf(text, "%q) %s %q")`: how many of the three were read, and they."""
    found = _QUOTED.match(text)
    key = unquote(found[1]) if found else None
    if found is None or key is None:
        return 0, b"", "", b""
    rest = text[found.end() :]
    if not rest.startswith(")"):
        return 1, key, "", b""
    rest = rest[1:]
    word = _WORD.match(rest)
    if word is None or not rest[:1].isspace():  # a blank in the format wants one in the text
        return 1, key, "", b""
    rest = rest[word.end() :]
    value = _QUOTED.match(rest)
    plain = unquote(value[1]) if value and rest[:1].isspace() else None
    return (2, key, word[1], b"") if plain is None else (3, key, word[1], plain)


def compare_of(session: Session, line: str) -> Compare:
    """One line of the first part: `value("key") = "text"`."""
    target, parenthesis, rest = line.partition("(")
    if not parenthesis:
        raise Failed(EXIT_INVALID_INPUT, f"malformed comparison: {line}")
    count, key, operator, value = scan(rest)
    if count != 3:
        got = f"{target}({render.quoted(key)}) {operator} {render.quoted(value)}"
        raise Failed(EXIT_INVALID_INPUT, f"malformed comparison: {line}; got {got}")
    if target == "lease":  # the tool hands a text to what wants a number
        raise Panic(session, "bad value" if operator in OPERATORS else "Unknown result op")
    if target not in TARGETS:
        raise Failed(EXIT_INVALID_INPUT, f"malformed comparison: {line} (unknown target {target})")
    number: int | bytes = value
    if TARGETS[target] != "value":
        try:
            number = kv._parse_int(value.decode("utf-8", "replace"))
        except ValueError:
            raise Failed(EXIT_INVALID_INPUT, f"invalid txn compare request: {line}") from None
    if operator not in OPERATORS:
        raise Panic(session, "Unknown result op")
    return Compare(key, TARGETS[target], operator, number)


def words_of(line: str) -> list[str]:
    """The words of a request: quoted ones without their quotes (`Argify`)."""
    out = []
    for word in _ARGUMENT.findall(line):
        if word[0] == "'":
            out.append(word[1:-1])
        elif word[0] == '"':
            plain = unquote(word)
            if plain is None:
                raise Failed(EXIT_INVALID_INPUT, "invalid syntax")
            out.append(plain.decode("utf-8", "surrogateescape"))
        else:
            out.append(word)
    return out


def request_of(session: Session, line: str) -> Op:
    """One line of the other parts: a get, put or del with its flags."""
    words = words_of(line)
    if len(words) < 2:
        raise Failed(EXIT_INVALID_INPUT, f"invalid txn compare request: {line}")
    wrong = Failed(EXIT_INVALID_INPUT, f"invalid txn request: {line}")
    try:
        command, rest = _requests().find(words)
        if command.run is None:
            raise wrong
        return command.run(session, command.parse(rest))  # type: ignore[no-any-return]
    except (FlagError, HelpRequested):
        session.inv.err(cobra_help.stock_usage(command) + "\n")
        raise wrong from None
    except UsageError:
        raise wrong from None


def _get(session: Session, values: Values) -> Op:
    kv.check_get(values)
    key, end = kv.span(session, values.args, values.on("prefix"), values.on("from-key"))
    return Op(
        kind="range", key=key, range_end=end, revision=max(0, values.number("rev")), limit=max(0, values.number("limit")),
        keys_only=values.on("keys-only"), count_only=values.on("count-only"),
    )  # fmt: skip


def _put(session: Session, values: Values) -> Op:
    args = values.args
    kv.check_put(values)
    if not values.on("ignore-value") and len(args) < 2:  # the value would be standard input, which the requests come from
        raise Failed(EXIT_BAD_ARGS, kv.PUT_NEEDS)
    value = b"" if values.on("ignore-value") else args[1].encode("utf-8", "surrogateescape")
    return kv.put_op(values, value)


def _delete(session: Session, values: Values) -> Op:
    kv.check_delete(values)
    key, end = kv.span(session, values.args, values.on("prefix"), values.on("from-key"))
    return Op(kind="delete", key=key, range_end=end, prev_kv=values.on("prev-kv"))


def _requests() -> Command:
    """The three commands of a request, with their flags and without the global ones."""
    made = {"get": _get, "put": _put, "del": _delete}
    commands = (
        Command(one.use, short=one.short, flags=tuple(one.flags), run=made[one.name]) for one in kv.COMMANDS if one.name in made
    )
    return Command("", commands=tuple(commands))


def txn(session: Session) -> Run:
    """`etcdctl txn`: compares, an empty line, success requests, an empty line, failure requests, an empty line."""
    if session.values.args:
        raise Failed(EXIT_BAD_ARGS, "txn command does not accept argument")
    parts: list[list[Any]] = []
    for at, title in enumerate(TITLES):
        if session.values.on("interactive"):
            session.inv.out(f"{title}\n")
        part: list[Any] = []
        while True:
            raw = yield from session.inv.read_line()
            if not raw.endswith(b"\n"):
                raise Failed(EXIT_INVALID_INPUT, "EOF")
            line = raw.decode("utf-8", "surrogateescape").strip()
            if not line:
                break
            part.append(request_of(session, line) if at else compare_of(session, line))
        parts.append(part)
    compare, success, failure = (tuple(part) for part in parts)
    found: TxnResult = yield from session.call("KV/Txn", forever=True, compare=compare, success=success, failure=failure)
    return (yield from answers.show_txn(session, found))


COMMANDS = (
    Command(
        "txn [options]",
        short="Txn processes all the requests in one transaction",
        run=txn,
        flags=(Flag(name="interactive", short="i", kind="bool", usage="Input transaction in interactive mode", no_opt="true"),),
    ),
)
