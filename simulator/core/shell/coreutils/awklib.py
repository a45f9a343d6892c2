"""The functions of awk."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any

from ...kernel.clock import SECOND


def _text(machine: Any, node: Any) -> str:
    from .awkvalues import text

    return text(machine.eval(node))


def _number(machine: Any, node: Any) -> float:
    from .awkvalues import number

    return number(machine.eval(node))


def _pattern(machine: Any, node: Any) -> re.Pattern[str]:
    return machine.regex(node[1] if node[0] == "regex" else _text(machine, node))  # type: ignore[no-any-return]


def length(machine: Any, args: Any) -> float:
    """`length(x)`; of an array its size."""
    if not args:
        return float(len(machine.record))
    if args[0][0] == "var" and isinstance(machine.scope(args[0][1]).get(args[0][1]), dict):
        return float(len(machine.array(args[0][1])))
    return float(len(_text(machine, args[0])))


def _bounded(value: float) -> float:
    return 0.0 if math.isnan(value) else min(max(value, -1e9), 1e9)


def substr(machine: Any, args: Any) -> str:
    """`substr(s, m, n)` with rounding."""
    value, start = _text(machine, args[0]), round(_bounded(_number(machine, args[1])))
    stop = len(value) + 1 if len(args) < 3 else start + round(_bounded(_number(machine, args[2])))
    return value[max(start, 1) - 1 : max(stop - 1, 0)]


def split(machine: Any, args: Any) -> float:
    """`split(s, a, sep)`."""
    from .awkvalues import StrNum, looks_numeric, text

    value = _text(machine, args[0])
    if len(args) > 2:
        sep = args[2][1] if args[2][0] == "regex" else _text(machine, args[2])
    else:
        sep = text(machine.vars["FS"])
    parts = machine.split(value, sep)
    array = machine.array(args[1][1])
    array.clear()
    array.update({str(n): StrNum(part) if looks_numeric(part) else part for n, part in enumerate(parts, 1)})
    return float(len(parts))


def _substitute(machine: Any, args: Any, count: int) -> float:
    pattern = _pattern(machine, args[0])
    target = args[2] if len(args) > 2 else ("field", ("num", 0.0))
    template = _text(machine, args[1])

    def fill(match: re.Match[str]) -> str:
        return re.sub(
            r"\\(.)|&",
            lambda m: m.group(1) if m.group(1) in ("&", "\\") else (m.group() if m.group(1) else match.group()),
            template,
        )

    result, done = pattern.subn(fill, _text(machine, target), count=count)
    if done:
        machine.assign(target, result)
    return float(done)


def sub(machine: Any, args: Any) -> float:
    """`sub(regex, replacement, target)`."""
    return _substitute(machine, args, 1)


def gsub(machine: Any, args: Any) -> float:
    """`gsub(regex, replacement, target)`."""
    return _substitute(machine, args, 0)


def match(machine: Any, args: Any) -> float:
    """`match(s, regex)` sets RSTART and RLENGTH."""
    value = _text(machine, args[0])
    found = _pattern(machine, args[1]).search(value)
    machine.vars["RSTART"] = float(found.start() + 1 if found else 0)
    machine.vars["RLENGTH"] = float(found.end() - found.start() if found else -1)
    return float(machine.vars["RSTART"])


def sprintf(machine: Any, args: Any) -> str:
    """`sprintf(format, …)`."""
    values = [machine.eval(arg) for arg in args]
    return str(machine.format(str(values[0]), values[1:]))


def system(machine: Any, args: Any) -> float:
    """`system(command)`."""
    return float(machine.run_command(_text(machine, args[0]), b"", capture=False)[0])


def _math(function: Callable[[float], float]) -> Callable[[Any, Any], float]:
    def run(machine: Any, args: Any) -> float:
        try:
            return float(function(_number(machine, args[0])))
        except (ValueError, OverflowError):
            return float("nan")

    return run


BUILTINS: dict[str, Callable[[Any, Any], Any]] = {
    "length": length,
    "substr": substr,
    "index": lambda machine, args: float(_text(machine, args[0]).find(_text(machine, args[1])) + 1),
    "split": split,
    "sub": sub,
    "gsub": gsub,
    "match": match,
    "sprintf": sprintf,
    "system": system,
    "toupper": lambda machine, args: _text(machine, args[0]).upper(),
    "tolower": lambda machine, args: _text(machine, args[0]).lower(),
    "int": _math(lambda value: float(int(value)) if math.isfinite(value) else value),
    "sqrt": _math(math.sqrt),
    "exp": _math(math.exp),
    "log": _math(math.log),
    "sin": _math(math.sin),
    "cos": _math(math.cos),
    "atan2": lambda machine, args: math.atan2(_number(machine, args[0]), _number(machine, args[1])),
    "rand": lambda machine, args: machine.call.world.rng("awk").unit(),
    "srand": lambda machine, args: 0.0,
    "systime": lambda machine, args: float(machine.call.world.wall // SECOND),
    "close": lambda machine, args: machine.close_one(_text(machine, args[0])),
    "fflush": lambda machine, args: machine.flush() or 0.0,
}

#: The fewest arguments of the builtins that need some.
LEAST = {"substr": 2, "index": 2, "split": 2, "sub": 2, "gsub": 2, "match": 2, "sprintf": 1, "system": 1, "toupper": 1, "tolower": 1, "int": 1,
         "sqrt": 1, "exp": 1, "log": 1, "sin": 1, "cos": 1, "atan2": 2, "close": 1}  # fmt: skip
