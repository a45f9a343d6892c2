"""Where nerdctl's commands on containers differ from the shared ones (`pkg/cmd/container`)."""

from __future__ import annotations

from ..engine import interact
from ..engine.session import Steps
from .session import NerdctlError, Session


def _known(session: Session) -> None:
    try:
        session.find(session.args[0])
    except NerdctlError:
        raise NerdctlError(f"no such container {session.args[0]}") from None


def execute(session: Session) -> Steps:
    """`nerdctl exec`."""
    session.connect()
    _known(session)
    return (yield from interact.execute(session))


def show_logs(session: Session) -> Steps:
    """`nerdctl logs`."""
    session.connect()
    _known(session)
    return (yield from interact.show_logs(session))
