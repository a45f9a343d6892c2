"""The client that every component and command holds: verbs over the simulated network, and watches.

Calls are synchronous; `latency` sums the modelled time.  Objects are JSON-shaped dicts, **frozen by convention**: they are
shared with the server's cache and with other clients, so `api.objects.clone` before changing one.  Follows client-go's
`rest` and `dynamic` packages.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import msgspec
import yaml

from ..host import tls
from ..kernel import routing
from ..kernel.errors import BadInput, ConnectError
from ..kernel.http import Request, Response
from ..kernel.world import World
from .api import kinds
from .api.errors import ApiError, status
from .api.kinds import KindInfo
from .informer import Informer, InformerState
from .workqueue import WorkQueue

__all__ = [
    "ApiError",
    "Credentials",
    "Informer",
    "InformerState",
    "KubeClient",
    "Obj",
    "ObjList",
    "Watch",
    "WatchEvent",
    "WorkQueue",
]

Obj = dict[str, Any]

PATCH_TYPES = {
    "strategic": "application/strategic-merge-patch+json",
    "merge": "application/merge-patch+json",
    "json": "application/json-patch+json",
    "apply": "application/apply-patch+yaml",
}


class Credentials(msgspec.Struct):
    """Who a client is (PEM certificate and key, or a bearer token), whom it trusts, and whom it acts as."""

    cert: bytes = b""
    key: bytes = b""
    ca: bytes = b""
    token: str = ""
    impersonate: str = ""
    impersonate_groups: list[str] = []
    impersonate_uid: str = ""
    impersonate_extra: dict[str, list[str]] = {}


class WatchEvent(msgspec.Struct, array_like=True, frozen=True):
    """ADDED, MODIFIED, DELETED, BOOKMARK or ERROR, and the object (a Status for ERROR)."""

    type: str
    object: Obj


class ObjList:
    """The items of a list in key order, its resourceVersion, and the token of the next page ("" at the end)."""

    __slots__ = ("continue_token", "items", "remaining", "resource_version")

    def __init__(self, items: list[Obj], resource_version: str, continue_token: str = "", remaining: int | None = None) -> None:
        self.items = items
        self.resource_version = resource_version
        self.continue_token = continue_token
        self.remaining = remaining


class Watch:
    """An open watch: `poll` gives what is new, `topic` rings when there may be more."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    @property
    def topic(self) -> str:
        """The doorbell to subscribe or wait for."""
        return str(self._stream.topic)

    @property
    def closed(self) -> bool:
        """Whether the server has ended the watch."""
        return bool(self._stream.closed)

    def poll(self) -> list[WatchEvent]:
        """Events since the last poll."""
        return [WatchEvent(item["type"], item["object"]) for item in self._stream.poll()]

    def close(self) -> None:
        """Hang up."""
        self._stream.close()


class KubeClient:
    """Verbs on resources by plural name (`pods`, `deployments`, `events.events.k8s.io`).

    `server` is `https://172.30.1.2:6443`; `netns` the network namespace that the calls leave from.
    """

    def __init__(self, world: World, netns: str, server: str, credentials: Credentials, user_agent: str) -> None:
        self.world = world
        self.netns = netns
        self.server = server
        self.credentials = credentials
        self.user_agent = user_agent
        self.latency = 0
        self.warnings: list[str] = []
        parts = urlsplit(server if "://" in server else "https://" + server)
        self.scheme = parts.scheme
        self.host = parts.hostname or ""
        self.port = parts.port or (443 if parts.scheme == "https" else 80)
        self.base = parts.path.rstrip("/")
        self.headers = {"user-agent": user_agent}
        if credentials.token:
            self.headers["authorization"] = "Bearer " + credentials.token
        if credentials.impersonate:
            self.headers["impersonate-user"] = credentials.impersonate
            if credentials.impersonate_groups:
                self.headers["impersonate-group"] = "\n".join(credentials.impersonate_groups)
            if credentials.impersonate_uid:
                self.headers["impersonate-uid"] = credentials.impersonate_uid
            for key, values in sorted(credentials.impersonate_extra.items()):
                self.headers["impersonate-extra-" + quote(key.lower(), safe="")] = "\n".join(values)

    @classmethod
    def from_kubeconfig(
        cls,
        world: World,
        netns: str,
        text: bytes,
        *,
        context: str | None = None,
        user_agent: str,
        read_file: Callable[[str], bytes] | None = None,
    ) -> KubeClient:
        """A client of a kubeconfig's (current) context; raises BadInput.  `read_file` resolves `client-certificate:` paths."""
        config = load_kubeconfig(text)
        chosen = context or config.get("current-context") or ""
        bound = _named(config, "contexts", chosen).get("context") or {}
        cluster = _named(config, "clusters", bound.get("cluster") or "").get("cluster") or {}
        user = _named(config, "users", bound.get("user") or "").get("user") or {}
        server = cluster.get("server") or ""
        if not server:
            raise BadInput(f'context "{chosen}" names no cluster with a server')
        credentials = Credentials(
            cert=_material(user, "client-certificate", read_file),
            key=_material(user, "client-key", read_file),
            ca=b"" if cluster.get("insecure-skip-tls-verify") else _material(cluster, "certificate-authority", read_file),
            token=str(user.get("token") or ""),
            impersonate=str(user.get("as") or ""),
            impersonate_groups=list(user.get("as-groups") or ()),
        )
        if not credentials.token and user.get("tokenFile") and read_file is not None:
            credentials.token = read_file(str(user["tokenFile"])).decode().strip()
        return cls(world, netns, server, credentials, user_agent)

    def at(self, server: str) -> KubeClient:
        """The same user's client of another address."""
        return KubeClient(self.world, self.netns, server, self.credentials, self.user_agent)

    # -- the wire -------------------------------------------------------------------------------------------------------
    def request(self, request: Request) -> Response:
        """Send a raw request with this client's credentials; raises ConnectError only."""
        for name, value in self.headers.items():
            request.headers.setdefault(name, value)
        request.client_cert = request.client_cert or self.credentials.cert
        request.source = request.source or self.netns
        request.scheme = self.scheme
        if self.base:
            request.path = self.base + request.path
        ip = self.host
        if not ip[:1].isdigit():
            ip = "127.0.0.1" if ip == "localhost" else self._resolve(ip)
        try:
            path = routing.walk(self.world, self.netns, ip, self.port)
            if self.scheme == "https" and self.credentials.ca:
                tls.check(self.world, self.netns, path.listener, self.credentials.ca, self.host)
            answer = routing.send(self.world, self.netns, path, request)
        except ConnectError as failed:
            failed.request = failed.request or self._named(request)
            raise
        self.latency += answer.latency
        warning = answer.headers.get("warning")
        if warning:
            self.warnings.append(warning)
        return answer

    def _named(self, request: Request) -> str:
        """`Get "https://…?limit=500"`: how Go's client names a request that failed."""
        pairs = [(name, value) for name in sorted(request.query) for value in request.query[name]]
        url = self.server.rstrip("/") + request.path.removeprefix(self.base) + ("?" + urlencode(pairs) if pairs else "")
        return f'{request.method.capitalize()} "{url}"'

    def _resolve(self, name: str) -> str:
        resolver = self.world.tables.get("resolve")
        found = resolver(self.world, self.netns, name) if resolver is not None else ""
        if not found:
            raise ConnectError("dns", name)
        return str(found)

    def call(self, method: str, path: str, query: dict[str, list[str]] | None = None, obj: Any = None, content: str = "") -> Any:
        """Send a request and return the decoded answer; raises ApiError for a Status of failure."""
        headers = dict(self.headers)
        if content:
            headers["content-type"] = content
        answer = self.request(Request(method=method, path=path, query=query or {}, headers=headers, obj=obj))
        return self._answer(answer)

    def _answer(self, answer: Response) -> Any:
        if answer.status >= 400:
            found = answer.obj
            if not isinstance(found, dict) or found.get("kind") != "Status":
                text = answer.body.decode("utf-8", "replace").strip()
                if answer.status == 404:  # client-go names what it has no Status of
                    found = status(404, "NotFound", "the server could not find the requested resource")
                else:
                    found = status(answer.status, "", text or "the server could not process the request")
            raise ApiError(found, answer.headers)
        if answer.stream is not None:
            return answer.stream
        return answer.obj if answer.obj is not None else answer.body

    def take_latency(self) -> int:
        """The modelled nanoseconds since the last call of this, and start anew."""
        spent, self.latency = self.latency, 0
        return spent

    def kind(self, resource: str) -> KindInfo:
        """The row of a resource name."""
        return kinds.by_resource(resource)

    # -- verbs ----------------------------------------------------------------------------------------------------------
    def get(self, resource: str, namespace: str | None, name: str, *, subresource: str = "") -> Obj:
        """One object; ApiError 404 when absent."""
        answer: Obj = self.call("GET", kinds.by_resource(resource).path(namespace or "", name, subresource))
        return answer

    def list(
        self,
        resource: str,
        namespace: str | None = None,
        *,
        label_selector: str = "",
        field_selector: str = "",
        resource_version: str = "",
        exact: bool = False,
        limit: int = 0,
        continue_token: str = "",
    ) -> ObjList:
        """The objects of a namespace, or of all."""
        query: dict[str, list[str]] = {}
        if label_selector:
            query["labelSelector"] = [label_selector]
        if field_selector:
            query["fieldSelector"] = [field_selector]
        if resource_version:
            query["resourceVersion"] = [resource_version]
            if exact:
                query["resourceVersionMatch"] = ["Exact"]
        if limit:
            query["limit"] = [str(limit)]
        if continue_token:
            query["continue"] = [continue_token]
        answer = self.call("GET", kinds.by_resource(resource).path(namespace or ""), query)
        meta = answer["metadata"]
        return ObjList(answer["items"], meta["resourceVersion"], meta.get("continue", ""), meta.get("remainingItemCount"))

    def create(
        self, resource: str, namespace: str | None, obj: Any, *, subresource: str = "", name: str = "", dry_run: bool = False
    ) -> Obj:
        """Create an object, or post to a subresource of `name` (`binding`, `eviction`, `token`)."""
        path = kinds.by_resource(resource).path(namespace or "", name, subresource)
        answer: Obj = self.call("POST", path, {"dryRun": ["All"]} if dry_run else None, obj)
        return answer

    def update(self, resource: str, obj: Obj, *, subresource: str = "", name: str = "", dry_run: bool = False) -> Obj:
        """Replace an object (or its status, scale …); a stale resourceVersion is ApiError 409."""
        meta = obj.get("metadata") or {}
        path = kinds.by_resource(resource).path(meta.get("namespace") or "", name or meta.get("name") or "", subresource)
        answer: Obj = self.call("PUT", path, {"dryRun": ["All"]} if dry_run else None, obj)
        return answer

    def patch(
        self,
        resource: str,
        namespace: str | None,
        name: str,
        patch: Any,
        *,
        kind: str = "strategic",
        subresource: str = "",
        field_manager: str = "",
        force: bool = False,
        dry_run: bool = False,
    ) -> Obj:
        """Patch an object; `kind` is strategic, merge, json or apply (which needs a field manager)."""
        query: dict[str, list[str]] = {}
        if field_manager:
            query["fieldManager"] = [field_manager]
        if force:
            query["force"] = ["true"]
        if dry_run:
            query["dryRun"] = ["All"]
        path = kinds.by_resource(resource).path(namespace or "", name, subresource)
        answer: Obj = self.call("PATCH", path, query, patch, PATCH_TYPES[kind])
        return answer

    def delete(
        self,
        resource: str,
        namespace: str | None,
        name: str,
        *,
        grace: int | None = None,
        propagation: str | None = None,
        uid: str | None = None,
        resource_version: str | None = None,
        dry_run: bool = False,
    ) -> Obj:
        """Delete an object; the answer is the object (still terminating) or a Status of success."""
        options: Obj = {"kind": "DeleteOptions", "apiVersion": "v1"}
        if grace is not None:
            options["gracePeriodSeconds"] = grace
        if propagation is not None:
            options["propagationPolicy"] = propagation
        if uid is not None or resource_version is not None:
            wanted = {"uid": uid, "resourceVersion": resource_version}
            options["preconditions"] = {k: v for k, v in wanted.items() if v is not None}
        if dry_run:
            options["dryRun"] = ["All"]
        answer: Obj = self.call("DELETE", kinds.by_resource(resource).path(namespace or "", name), None, options)
        return answer

    def watch(
        self,
        resource: str,
        namespace: str | None = None,
        *,
        resource_version: str,
        label_selector: str = "",
        field_selector: str = "",
        bookmarks: bool = False,
    ) -> Watch:
        """Watch from a resourceVersion (exclusive)."""
        query = {"watch": ["true"], "resourceVersion": [resource_version]}
        if label_selector:
            query["labelSelector"] = [label_selector]
        if field_selector:
            query["fieldSelector"] = [field_selector]
        if bookmarks:
            query["allowWatchBookmarks"] = ["true"]
        return Watch(self.call("GET", kinds.by_resource(resource).path(namespace or ""), query))


# -- kubeconfig ---------------------------------------------------------------------------------------------------------


def load_kubeconfig(text: bytes) -> Obj:
    """The decoded kubeconfig; raises BadInput."""
    if len(text) > 1_000_000:
        raise BadInput("the kubeconfig is larger than 1 MB")
    try:
        config = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except yaml.YAMLError as error:
        raise BadInput(f"error loading config file: yaml: {error}") from None
    if not isinstance(config, dict):
        raise BadInput("error loading config file: not a kubeconfig")
    return config


def _named(config: Obj, section: str, name: str) -> Obj:
    for item in config.get(section) or ():
        if isinstance(item, dict) and item.get("name") == name:
            return item
    raise BadInput(f'{section[:-1]} "{name}" does not exist')


def _material(entry: Obj, key: str, read_file: Callable[[str], bytes] | None) -> bytes:
    data = entry.get(key + "-data")
    if data:
        try:
            return base64.b64decode(str(data), validate=True)
        except ValueError as error:
            raise BadInput(f"{key}-data: {error}") from None
    path = entry.get(key)
    if path and read_file is not None:
        return read_file(str(path))
    return b""
