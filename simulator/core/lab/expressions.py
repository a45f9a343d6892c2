"""CEL in check programs: an expression over what a probe saw, compiled once, run within a budget of steps."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from ..kernel.errors import BadInput
from ..kube.cel.evaluate import DYN, CelError, EvalError, Program, compile

MAX_LENGTH = 2000


@lru_cache(maxsize=256)
def _compiled(source: str, names: tuple[str, ...]) -> Program:
    if len(source) > MAX_LENGTH:
        raise BadInput(f"cel: longer than {MAX_LENGTH} characters")
    try:
        return compile(source, dict.fromkeys(names, DYN))
    except CelError as error:
        raise BadInput(f"cel: {error}") from None


def problem(source: str, names: tuple[str, ...]) -> str:
    """Why an expression over these names cannot be used, or nothing."""
    try:
        _compiled(source, names)
    except BadInput as error:
        return str(error)
    return ""


def truth(source: str, names: dict[str, Any]) -> bool:
    """Whether an expression over `names` holds; raises BadInput for one that cannot be read or is not true or false.

    An expression that cannot be computed on this value (a field that is not there) does not hold.
    """
    program = _compiled(source, tuple(sorted(names)))
    try:
        found = program.run(names)
    except EvalError:
        return False
    if not isinstance(found, bool):
        raise BadInput(f"cel: {source!r} is not true or false")
    return found
