"""`test` and `[`."""

from __future__ import annotations

from typing import Any

from .. import conditions


def _run(call: Any, args: list[str], name: str) -> int:
    try:
        return int(not conditions.evaluate(call, args))
    except conditions.TestError as failed:
        complain = getattr(call, "complain", None)
        if complain is not None:
            complain(f"{name}: {failed}")
        else:
            call.err(f"{name}: {failed}\n")
        return 2


def test(call: Any) -> int:
    """`test EXPRESSION`."""
    return _run(call, call.argv[1:], "test")


def bracket(call: Any) -> int:
    """`[ EXPRESSION ]`."""
    if call.argv[-1] != "]":
        return _run_missing(call)
    return _run(call, call.argv[1:-1], "[")


def _run_missing(call: Any) -> int:
    complain = getattr(call, "complain", None)
    if complain is not None:
        complain("[: missing `]'")
    else:
        call.err("[: missing ']'\n")
    return 2
