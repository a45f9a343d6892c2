"""Computed values of questions, in the simulator's CEL: plain values in, a plain value out, in a bounded number of steps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from simulator.core.kube.cel.evaluate import DYN, CelError, EvalError, compile


class BadExpression(ValueError):
    """An expression that cannot be read or computed; the message says why."""


def value(source: str, names: Mapping[str, Any]) -> Any:
    """The value of an expression over `names`: a number, text, truth value, or a list or map of such.  Raises `BadExpression`."""
    try:
        found = compile(source, dict.fromkeys(names, DYN)).run(dict(names))
    except (CelError, EvalError) as error:
        raise BadExpression(str(error)) from None
    return plain(found)


def plain(found: Any) -> Any:
    """CEL's value as JSON has it."""
    if isinstance(found, bool) or found is None:
        return found
    if isinstance(found, int):
        return int(found)
    if isinstance(found, float):
        return float(found)
    if isinstance(found, str):
        return str(found)
    if isinstance(found, list | tuple):
        return [plain(item) for item in found]
    if isinstance(found, dict):
        return {str(key): plain(item) for key, item in found.items()}
    raise BadExpression(f"gives a {type(found).__name__}; a number, text, list or map is needed")
