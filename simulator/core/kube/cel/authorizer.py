"""`authorizer` in expressions: may the requester do something else? (`apiserver/pkg/cel/library/authz.go`)"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from .functions import define
from .values import EvalError, Extension

#: (user override, attributes) → (allowed, reason)
Ask = Callable[[str, dict[str, str]], tuple[bool, str]]


class Authorizer(Extension):
    """Who asks; `request` are the attributes of the request under way."""

    type_name = "kubernetes.authorization.Authorizer"

    def __init__(self, ask: Ask, user: str = "", request: dict[str, str] | None = None) -> None:
        self.ask, self.user, self.request = ask, user, request or {}

    @property
    def request_resource(self) -> Check:
        """`authorizer.requestResource`"""
        return Check(self, dict(self.request))


class Check(Extension):
    """A resource that is being described."""

    type_name = "kubernetes.authorization.ResourceCheck"

    def __init__(self, authorizer: Authorizer, attributes: dict[str, str]) -> None:
        self.authorizer, self.attributes = authorizer, attributes

    def narrowed(self, name: str, value: str) -> Check:
        """The same with one attribute more."""
        return Check(self.authorizer, {**self.attributes, name: value})


class Group(Check):
    """A group, not yet a resource."""

    type_name = "kubernetes.authorization.GroupCheck"


class Path(Check):
    """A path that is no resource."""

    type_name = "kubernetes.authorization.PathCheck"


class Decision(msgspec.Struct, Extension, frozen=True):
    """What was decided."""

    allowed: bool
    reason: str = ""
    type_name = "kubernetes.authorization.Decision"


def _check(held: Check, verb: str) -> Decision:
    if not verb:
        raise EvalError("invalid verb")
    allowed, reason = held.authorizer.ask(held.authorizer.user, {**held.attributes, "verb": verb})
    return Decision(allowed, reason)


def _account(held: Authorizer, namespace: str, name: str) -> Authorizer:
    return Authorizer(held.ask, f"system:serviceaccount:{namespace}:{name}", held.request)


_A, _G, _R, _P, _D = (cls.type_name for cls in (Authorizer, Group, Check, Path, Decision))


def _narrow(name: str) -> Callable[[Any, str], Check]:
    return lambda held, value: held.narrowed(name, value)


define(
    (
        (f"{_A}.path(string) {_P}", lambda held, path: Path(held, {"path": path})),
        (f"{_A}.group(string) {_G}", lambda held, group: Group(held, {"group": group})),
        (f"{_A}.serviceAccount(string, string) {_A}", _account),
        (f"{_G}.resource(string) {_R}", lambda held, name: Check(held.authorizer, {**held.attributes, "resource": name})),
        (f"{_R}.subresource(string) {_R}", _narrow("subresource")),
        (f"{_R}.namespace(string) {_R}", _narrow("namespace")),
        (f"{_R}.name(string) {_R}", _narrow("name")),
        (f"{_R}.fieldSelector(string) {_R}", _narrow("fieldSelector")),
        (f"{_R}.labelSelector(string) {_R}", _narrow("labelSelector")),
        (f"{_R}.check(string) {_D}", _check),
        (f"{_P}.check(string) {_D}", _check),
        (f"{_D}.allowed() bool", lambda held: held.allowed),
        (f"{_D}.reason() string", lambda held: held.reason),
        (f"{_D}.errored() bool", lambda held: False),
        (f"{_D}.error() string", lambda held: ""),
        ("jsonpatch.escapeKey(string) string", lambda key: key.replace("~", "~0").replace("/", "~1")),
    )
)
