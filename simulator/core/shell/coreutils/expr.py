"""expr: expressions given as words."""

from __future__ import annotations

from typing import Any

from ...host.invocation import Call


def expr(call: Call) -> int:
    """`expr`: arithmetic, comparison, `:`, length, substr."""
    args = call.argv[1:]
    if len(args) == 2 and args[0] == "length":
        call.out(f"{len(args[1])}\n")
        return int(not args[1])
    if len(args) == 4 and args[0] == "substr":
        start = int(args[2]) - 1
        text = args[1][start : start + int(args[3])]
        call.out(text + "\n")
        return int(not text)
    from .. import arith

    try:
        value = _expr(args)
    except (ValueError, IndexError, arith.ArithError):
        call.err("expr: syntax error\n" if len(args) < 3 else "expr: non-integer argument\n")
        return 2
    except ZeroDivisionError:
        call.err("expr: division by zero\n")
        return 2
    call.out(f"{value}\n")
    return int(value in ("", "0"))


def _expr(args: list[str]) -> str:
    for ops in (("|",), ("&",), ("=", "==", "!=", "<", "<=", ">", ">="), ("+", "-"), ("*", "/", "%"), (":",)):
        depth = 0
        for at in range(len(args) - 2, 0, -1):
            depth += (args[at] == ")") - (args[at] == "(")
            if depth == 0 and args[at] in ops:
                return _apply(_expr(args[:at]), args[at], _expr(args[at + 1 :]))
    if len(args) >= 3 and args[0] == "(" and args[-1] == ")":
        return _expr(args[1:-1])
    if len(args) != 1:
        raise ValueError
    return args[0]


def _apply(a: str, op: str, b: str) -> str:
    if op == "|":
        return a if a not in ("", "0") else (b or "0")
    if op == "&":
        return a if a not in ("", "0") and b not in ("", "0") else "0"
    if op == ":":
        from . import regexes

        match = regexes.compile_posix(b, extended=False).match(a)
        if match is None:
            return "" if "\\(" in b else "0"
        return (match.group(1) or "") if match.re.groups else str(len(match.group()))
    if op in ("+", "-", "*", "/", "%"):
        x, y = int(a), int(b)
        if op in "/%":
            quotient = abs(x) // abs(y) * (1 if (x < 0) == (y < 0) else -1)
            return str(quotient if op == "/" else x - quotient * y)
        return str({"+": x + y, "-": x - y, "*": x * y}[op])
    try:
        left: Any = int(a)
        right: Any = int(b)
    except ValueError:
        left, right = a, b
    table = {
        "=": left == right,
        "==": left == right,
        "!=": left != right,
        "<": left < right,
        "<=": left <= right,
        ">": left > right,
        ">=": left >= right,
    }
    return str(int(table[op]))
