"""ctr's main."""

from __future__ import annotations

from collections.abc import Generator
from types import GeneratorType
from typing import Any

from ...host.program import Invocation
from ...kernel.errors import ConnectError, NotSimulated
from ..urfave import Stop, command_help, parse
from .session import CtrError, Session, ShowHelp


def main(inv: Invocation) -> Generator[Any, Any, int]:
    """The command `ctr`."""
    from .tree import APP, REFUSED

    try:
        context = parse(APP, inv.argv, inv.env)
    except Stop as stop:
        inv.out(stop.out)
        inv.err(stop.err)
        if stop.error:
            inv.err(f"ctr: {stop.error}\n")
        return stop.code
    for name in sorted(context.given & REFUSED):
        raise NotSimulated(f"{context.path} --{name}")
    run = context.command.run
    assert run is not None
    try:
        result = run(Session(inv, context))
        if isinstance(result, GeneratorType):
            result = yield from result
        return int(result or 0)
    except ShowHelp:
        inv.out(command_help(context.command, context.path, APP.help_usage, refused=True))
        return 0
    except CtrError as failed:
        inv.err(f"ctr: {failed}\n")
        return 1
    except ConnectError as failed:
        inv.err(f'ctr: connection error: desc = "transport: error while dialing: {failed.detail}": unavailable\n')
        return 1
