"""One request being served: who asks, what for, and with which options."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from ...kernel.http import Request
from ..api.kinds import KindInfo, Subresource
from .request_info import RequestInfo

if TYPE_CHECKING:
    from .registry.strategy import Strategy
    from .server import Server

Obj = dict[str, Any]


class User(msgspec.Struct, frozen=True):
    """An authenticated user (`user.Info`)."""

    name: str
    groups: tuple[str, ...] = ()
    uid: str = ""
    extra: tuple[tuple[str, tuple[str, ...]], ...] = ()


class Call:
    """A resource request after authorisation; `warnings` become Warning headers."""

    __slots__ = (
        "applying",
        "changed",
        "dry_run",
        "info",
        "kind",
        "operation",
        "owners",
        "refused",
        "request",
        "server",
        "strategy",
        "sub",
        "user",
        "version",
        "warnings",
    )

    def __init__(
        self, server: Server, request: Request, info: RequestInfo, user: User, kind: KindInfo, strategy: Strategy
    ) -> None:
        self.server = server
        self.request = request
        self.info = info
        self.user = user
        self.kind = kind
        self.strategy = strategy
        self.version = info.version
        self.sub: Subresource | None = kind.subresource(info.subresource) if info.subresource else None
        self.warnings: list[str] = []
        self.operation = "UPDATE"
        self.applying: Any = None
        self.owners: list[Obj] | None = None
        #: The admission plugins that changed the object (None: nobody wants to know) and the one that refused the request.
        self.changed: list[str] | None = None
        self.refused = ""
        self.dry_run = bool(request.query) and self._dry_run(request.query.get("dryRun"))

    @staticmethod
    def _dry_run(values: list[str] | None) -> bool:
        return bool(values)

    @property
    def namespace(self) -> str:
        """The namespace of the request, "" for cluster-scoped kinds."""
        return self.info.namespace if self.kind.namespaced else ""

    @property
    def manager(self) -> str:
        """The field manager: the parameter, else the user agent's name (`managerOrUserAgent`)."""
        given = self.request.param("fieldManager")
        if given:
            return given
        return self.request.headers.get("user-agent", "").partition("/")[0] or "unknown"

    @property
    def actor(self) -> str:
        """Who the trace says asked: the user agent's name; a kubelet with its node, a controller by its service account."""
        agent = self.request.headers.get("user-agent", "").partition("/")[0]
        if agent == "kubelet" and self.user.name.startswith("system:node:"):
            return "kubelet/" + self.user.name.removeprefix("system:node:")
        if agent == "kube-controller-manager" and self.user.name.startswith("system:serviceaccount:kube-system:"):
            return self.user.name.rpartition(":")[2]
        return agent or self.user.name

    def key(self, namespace: str, name: str) -> bytes:
        """The etcd key of an object of this kind."""
        if self.kind.namespaced:
            return f"{self.kind.prefix}/{namespace}/{name}".encode()
        return f"{self.kind.prefix}/{name}".encode()
