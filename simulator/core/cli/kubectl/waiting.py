"""Waiting for objects to change (`kubectl/pkg/cmd/wait/delete.go`, `condition.go`)."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any

from ...host.program import Wait, WaitTopic
from ...kernel.clock import SECOND
from ...kube.api.errors import ApiError
from .builder import Info
from .errors import CommandError, is_not_found
from .session import Session

Obj = dict[str, Any]
WEEK = 168 * 3600 * SECOND


def look(s: Session, info: Info) -> Obj | None:
    """The object now, or None when there is none."""
    try:
        found: Obj = s.call("GET", info.path())
    except ApiError as error:
        if is_not_found(error):
            return None
        raise
    return found


def until(s: Session, info: Info, done: Callable[[Obj | None], bool], deadline: int) -> Generator[Wait, Any, Obj | None]:
    """Wait until `done` of the object is true; raises the time-out that wait and delete tell."""
    while True:
        found = look(s, info)
        if done(found):
            return found
        if s.world.now >= deadline:
            raise CommandError(f"timed out waiting for the condition on {info.label}")
        yield WaitTopic((info.mapping.kind.topic,), deadline)


def gone(uid: str) -> Callable[[Obj | None], bool]:
    """The object with this UID is no more."""
    return lambda found: found is None or bool(uid and found["metadata"].get("uid") != uid)
