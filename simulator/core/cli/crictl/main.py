"""crictl's main: parse, run, print errors as logrus does."""

from __future__ import annotations

from collections.abc import Generator
from types import GeneratorType
from typing import Any

from ...host.program import Invocation
from ...kernel.errors import ConnectError
from ...runtime.cri import CriError
from .. import human
from ..urfave import Stop, command_help, parse
from .session import CrictlError, Session


class ShowHelp(Exception):
    """The command shows its own help (`cli.ShowSubcommandHelp`) and ends with 0."""


def main(inv: Invocation) -> Generator[Any, Any, int]:
    """The command `crictl`."""
    from .tree import APP

    try:
        context = parse(APP, inv.argv, inv.env)
    except Stop as stop:
        inv.out(stop.out)
        inv.err(stop.err)
        if stop.error:
            human.logrus(inv, "fatal", stop.error)
        return stop.code
    run = context.command.run
    assert run is not None
    try:
        session = Session(inv, context)
        result = run(session)
        if isinstance(result, GeneratorType):
            result = yield from result
        return int(result or 0)
    except ShowHelp:
        inv.out(command_help(context.command, context.path, refused=True))
        return 0
    except (CrictlError, CriError) as failed:
        human.logrus(inv, "fatal", str(failed))
        return 1
    except ConnectError as failed:
        human.logrus(
            inv,
            "fatal",
            f'rpc error: code = Unavailable desc = connection error: desc = "transport: Error while dialing: dial {failed.address.replace("://", " ")}: connect: {failed.detail}"',
        )
        return 1
