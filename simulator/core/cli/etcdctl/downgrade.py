"""downgrade validate, enable and cancel (downgrade_command.go); completion's script is cobra's and not simulated."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from ...host.program import Sleep, Wait
from ..cobra import Command
from . import render
from .session import EXIT_BAD_ARGS, EXIT_BAD_FEATURE, EXIT_ERROR, Failed, Session

Run = Generator[Wait, Any, int]


def _target(session: Session) -> str:
    args = session.values.args
    if not args:
        raise Failed(EXIT_BAD_ARGS, "TARGET_VERSION not provided")
    if len(args) > 1:
        raise Failed(EXIT_BAD_ARGS, "too many arguments")
    if not args[0]:
        raise Failed(EXIT_BAD_ARGS, "target version not provided")
    return args[0]


def _show(session: Session, word: str, version: str) -> int:
    if session.form == "simple":
        session.inv.out(f"Downgrade {word} success, cluster version {version}\n")
    elif session.form == "json":
        session.inv.out(render.dumps({"version": version}))
    else:
        raise Failed(EXIT_BAD_FEATURE, f"{session.form} not supported as output format")
    return 0


def validate(session: Session) -> Run:
    """`etcdctl downgrade validate VERSION`."""
    version = yield from session.call("Maintenance/Downgrade", version=_target(session))
    return _show(session, "validate", version)


def enable(session: Session) -> Run:
    """`etcdctl downgrade enable VERSION`: refused for the real reasons; where it would begin it is not simulated."""
    yield from session.call("Maintenance/Downgrade", version=_target(session))
    raise Failed(EXIT_ERROR, "downgrade enable: not simulated in Slipway yet")


def cancel(session: Session) -> Run:
    """`etcdctl downgrade cancel`: without a downgrade that runs it succeeds and changes nothing."""
    version = yield from session.call("Maintenance/Downgrade", version="")
    return _show(session, "cancel", version)


def completion(session: Session) -> Run:
    """`etcdctl completion SHELL`."""
    yield Sleep(0)
    raise Failed(EXIT_ERROR, "completion: not simulated in Slipway yet")


COMMANDS = (
    Command(
        "downgrade <TARGET_VERSION>",
        short="Takes a cluster back to the release before",
        commands=(
            Command("validate <TARGET_VERSION>", short="Asks whether the cluster could be taken back", run=validate),
            Command("enable <TARGET_VERSION>", short="Begins taking the cluster back", run=enable),
            Command("cancel", short="Gives up a downgrade that has begun", run=cancel),
        ),
    ),
    Command(
        "completion [bash|zsh|fish|powershell]",
        short="Generate completion script",
        run=completion,
        raw=True,
        flags_in_use_line=False,
    ),
)
