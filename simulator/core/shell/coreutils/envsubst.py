"""`envsubst`: variables of the environment put into a text (gettext 0.21)."""

from __future__ import annotations

import re

from ...host.invocation import Call
from .common import Code, parse, usage

NAME = re.compile(r"\$(?:\{([A-Za-z_]\w*)\}|([A-Za-z_]\w*))", re.ASCII)


def envsubst(call: Call) -> Code:
    """`envsubst [-v] ['$A $B']`: standard input with `$NAME` and `${NAME}` replaced, all of them or those that are named."""
    options, rest = parse(call, "vhV", "variables:v help:h version:V")
    if "V" in options:
        call.out("envsubst (GNU gettext-runtime) 0.21\n")
        return 0
    if len(rest) > 1:
        call.err("envsubst: too many arguments\n")
        return 1
    if "v" in options:
        if not rest:
            raise usage(call, "missing arguments")
        call.out("".join(f"{braced or plain}\n" for braced, plain in NAME.findall(rest[0])))
        return 0
    wanted = {braced or plain for braced, plain in NAME.findall(rest[0])} if rest else None

    def one(match: re.Match[str]) -> str:
        name = match[1] or match[2]
        return call.env.get(name, "") if wanted is None or name in wanted else match[0]

    text = (yield from call.read()).decode("utf-8", "surrogateescape")
    call.out(NAME.sub(one, text).encode("utf-8", "surrogateescape"))
    return 0
