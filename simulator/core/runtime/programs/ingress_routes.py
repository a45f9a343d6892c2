"""From Ingress objects to nginx's servers and locations, as ingress-nginx's template makes them (`internal/ingress/controller`).

Pure: objects in, a table out.  A host is a server, a path a location; `Prefix` paths match by element, `Exact` ones whole, and when an
Ingress of a host asks for `use-regex` or `rewrite-target` all paths of that host are regular expressions, the longest first.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import msgspec

Obj = dict[str, Any]
PREFIX = "nginx.ingress.kubernetes.io/"
#: Annotations that ingress-nginx refuses unless its administrator allows snippets.
SNIPPETS = ("configuration-snippet", "server-snippet", "stream-snippet", "auth-snippet", "modsecurity-snippet")


class Location(msgspec.Struct, frozen=True):
    """A path of a server: how it matches (`exact`, `prefix`, `plain`, `regex`), its backend, and its Ingress."""

    path: str
    match: str
    ingress: Obj
    service: str
    port: int | str

    @property
    def namespace(self) -> str:
        """Where its service is."""
        return str(self.ingress["metadata"]["namespace"])

    def annotation(self, name: str, default: str = "") -> str:
        """An annotation of ingress-nginx's own prefix."""
        return str((self.ingress["metadata"].get("annotations") or {}).get(PREFIX + name, default))

    def captured(self, path: str) -> re.Match[str] | None:
        """The match of a regular expression's location."""
        try:
            return re.match(self.path, path, re.IGNORECASE)
        except re.error:
            return None

    def matches(self, path: str) -> bool:
        """Whether a request's path is this location's."""
        if self.match == "regex":
            return self.captured(path) is not None
        if self.match == "exact" or self.path == path:
            return path == self.path
        if self.match == "plain" or self.path == "/":
            return path.startswith(self.path)
        return path.startswith(self.path.rstrip("/") + "/")


class Server(msgspec.Struct):
    """A host: its locations in the order that they are tried, and the secret of its certificate (`namespace/name`, "" for none)."""

    locations: list[Location] = []
    secret: str = ""


def ours(ingress: Obj, classes: Iterable[Obj], controller: str, name: str, without_class: bool) -> bool:
    """Whether an Ingress is this controller's (`k8s.GetIngressClass`, `store.New`): by its class, or by the annotation of old."""
    wanted = ingress["spec"].get("ingressClassName")
    old = (ingress["metadata"].get("annotations") or {}).get("kubernetes.io/ingress.class")
    if old is not None:
        return bool(old == name)
    if wanted is None:
        return without_class
    return any(c["metadata"]["name"] == wanted and (c.get("spec") or {}).get("controller") == controller for c in classes)


def build(ingresses: Iterable[Obj]) -> dict[str, Server]:
    """Servers by host (`_` answers for all others), of Ingresses from the oldest to the newest: who came first keeps a path."""
    servers: dict[str, Server] = {"_": Server()}
    ordered = sorted(
        ingresses, key=lambda i: (i["metadata"]["creationTimestamp"], i["metadata"]["namespace"], i["metadata"]["name"])
    )
    regex_hosts = {rule.get("host") or "_" for i in ordered if _regex(i) for rule in i["spec"].get("rules") or ()}
    for ingress in (i for i in ordered if not _canary(i)):
        _rules(servers, ingress, regex_hosts)
        for entry in ingress["spec"].get("tls") or ():
            if entry.get("secretName"):
                for host in entry.get("hosts") or ():
                    if host in servers and not servers[host].secret:
                        servers[host].secret = f"{ingress['metadata']['namespace']}/{entry['secretName']}"
    for server in servers.values():
        server.locations.sort(key=lambda one: (one.match != "exact", -len(one.path)))
    return servers


def _canary(ingress: Obj) -> bool:
    return (ingress["metadata"].get("annotations") or {}).get(PREFIX + "canary") == "true"


def _regex(ingress: Obj) -> bool:
    found = ingress["metadata"].get("annotations") or {}
    return found.get(PREFIX + "use-regex") == "true" or bool(found.get(PREFIX + "rewrite-target"))


def _rules(servers: dict[str, Server], ingress: Obj, regex_hosts: set[str]) -> None:
    spec = ingress["spec"]
    default = (spec.get("defaultBackend") or {}).get("service")
    rules = spec.get("rules") or []
    if default and not rules:
        _add(servers["_"], Location("/", "prefix", ingress, default["name"], _port(default)))
    for rule in rules:
        host = rule.get("host") or "_"
        server = servers.setdefault(host, Server())
        for entry in (rule.get("http") or {}).get("paths") or ():
            service = (entry.get("backend") or {}).get("service")
            if not service:
                continue
            path, kind = entry.get("path") or "/", entry.get("pathType") or "ImplementationSpecific"
            match = {"Exact": "exact", "Prefix": "prefix"}.get(kind, "plain")
            if host in regex_hosts and match != "exact":
                match = "regex"
            _add(server, Location(path, match, ingress, service["name"], _port(service)))
        if default:
            _add(server, Location("/", "prefix", ingress, default["name"], _port(default)))


def _add(server: Server, location: Location) -> None:
    if all((one.path, one.match) != (location.path, location.match) for one in server.locations):
        server.locations.append(location)


def _port(service: Obj) -> int | str:
    found = service.get("port") or {}
    return found.get("number") or found.get("name") or 80


def find(servers: dict[str, Server], host: str, path: str) -> tuple[str, Location | None]:
    """The server that a request is for (its host, one with a wildcard, `_`), and its location."""
    name = host.partition(":")[0].lower()
    wild = "*." + name.partition(".")[2]
    for key in (name, wild, "_"):
        if key in servers:
            return key, next((one for one in servers[key].locations if one.matches(path)), None)
    return "_", None


def canary(ingresses: Iterable[Obj], main: Location, host: str) -> Location | None:
    """The canary of a location: the same host and path in an Ingress with `canary: "true"`."""
    for ingress in ingresses:
        if not _canary(ingress):
            continue
        for rule in ingress["spec"].get("rules") or ():
            if (rule.get("host") or "_") != host:
                continue
            for entry in (rule.get("http") or {}).get("paths") or ():
                service = (entry.get("backend") or {}).get("service")
                if service and (entry.get("path") or "/") == main.path:
                    return Location(main.path, main.match, ingress, service["name"], _port(service))
    return None


def refusal(new: Obj, others: Iterable[Obj]) -> str:
    """Why the admission webhook does not take an Ingress; "" when it does (`CheckIngress`)."""
    meta = new["metadata"]
    annotations = meta.get("annotations") or {}
    for name in SNIPPETS:
        if PREFIX + name in annotations:
            return f"{PREFIX}{name} annotation cannot be used. Snippet directives are disabled by the Ingress administrator"
    mine = _paths(new)
    for _, path, kind in mine:
        if kind in ("Exact", "Prefix") and not re.fullmatch(r"/[A-Za-z0-9._~/%:@!&'+,;=-]*", path):
            return f"ingress contains invalid paths: path {path} cannot be used with pathType {kind}"
    if _canary(new):
        return ""
    for other in others:
        held = other["metadata"]
        if (held["namespace"], held["name"]) == (meta.get("namespace"), meta.get("name")) or _canary(other):
            continue
        taken = {(host, path) for host, path, _ in _paths(other)}
        for host, path, _ in mine:
            if (host, path) in taken:
                return f'host "{host}" and path "{path}" is already defined in ingress {held["namespace"]}/{held["name"]}'
    return ""


def _paths(ingress: Obj) -> list[tuple[str, str, str]]:
    return [
        (rule.get("host") or "_", entry.get("path") or "/", entry.get("pathType") or "")
        for rule in ingress["spec"].get("rules") or ()
        for entry in (rule.get("http") or {}).get("paths") or ()
    ]
