"""`/metrics`: the well-known series of an API server with true values (`apiserver/pkg/endpoints/metrics`, `component-base/metrics`).

Requests are counted from the first time that somebody asks for metrics: a cluster that nobody measures keeps no counters.  Durations are
the modelled ones.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from ...etcd.errors import EtcdError
from ...kernel import versions
from ...kernel.errors import ConnectError
from ...kernel.http import Request, Response
from ..api import packs
from ..api.errors import ApiError

if TYPE_CHECKING:
    from .audit import Seen
    from .server import Server

#: Upper bounds in seconds of `apiserver_request_duration_seconds`.
BUCKETS = (
    0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60,
)  # fmt: skip
_VERBS = {"create": "POST", "update": "PUT", "patch": "PATCH", "delete": "DELETE", "deletecollection": "DELETECOLLECTION"}
_CONNECT = ("exec", "attach", "portforward", "proxy")
_SECOND = 1_000_000_000


class Tally(msgspec.Struct, omit_defaults=True):
    """What has been counted since `since` (virtual ns; -1: nothing is counted yet).

    Keys are label values joined by `|`; a duration is [count, sum in ns, then one count a bucket].
    """

    since: int = -1
    requests: dict[str, int] = {}
    durations: dict[str, list[int]] = {}


def count(server: Server, request: Request, response: Response, seen: Seen) -> None:
    """Count a request that has been answered."""
    tally, info = server.tally, seen.info
    if info is None:
        return
    if info.resource_request:
        verb = _VERBS.get(seen.verb, seen.verb.upper())
        if info.subresource in _CONNECT:
            verb = "CONNECT"
        elif verb == "PATCH" and "apply-patch" in request.headers.get("content-type", ""):
            verb = "APPLY"
        scope = "resource" if info.name else "namespace" if info.namespace else "cluster"
        labels = [verb, info.group, info.version, info.resource, info.subresource, scope]
    else:
        labels = [request.method, "", "", "", info.path, ""]
    dry = "All" if request.query.get("dryRun") else ""
    key = "|".join([*labels, dry])
    coded = f"{key}|{response.status}"
    tally.requests[coded] = tally.requests.get(coded, 0) + 1
    if labels[0] in ("WATCH", "CONNECT"):
        return
    held = tally.durations.setdefault(key, [0, 0, *(0 for _ in BUCKETS)])
    held[0] += 1
    held[1] += response.latency
    for i, bound in enumerate(BUCKETS):
        if response.latency <= bound * _SECOND:
            held[2 + i] += 1


def text(server: Server) -> bytes:
    """The exposition."""
    if server.tally.since < 0:
        server.tally.since = server.world.now
    out: list[str] = []
    _requests(server, out)
    _storage(server, out)
    _family(out, "apiserver_current_inflight_requests", "gauge", "Requests being served in the last second, by kind.", "STABLE")
    out += [f'apiserver_current_inflight_requests{{request_kind="{kind}"}} 0' for kind in ("mutating", "readOnly")]
    _family(out, "kubernetes_build_info", "gauge", "1, labelled by the version and how it was built.", "BETA")
    out.append("kubernetes_build_info{" + ",".join(f'{name}="{value}"' for name, value in _build_labels(server.version)) + "} 1")
    process = server.process()
    if process is not None:
        _family(out, "process_start_time_seconds", "gauge", "Start of the process in Unix seconds.")
        out.append(f"process_start_time_seconds {(server.world.epoch + process.started) / _SECOND:.2f}")
    return ("\n".join(out) + "\n").encode()


def _family(out: list[str], name: str, kind: str, words: str, stability: str = "") -> None:
    out.append(f"# HELP {name} {f'[{stability}] ' if stability else ''}{words}")
    out.append(f"# TYPE {name} {kind}")


def _labels(key: str) -> dict[str, str]:
    names = ("verb", "group", "version", "resource", "subresource", "scope", "dry_run", "code")
    return dict(zip(names, key.split("|"), strict=False))


def _shown(labels: dict[str, Any]) -> str:
    inner = ",".join(f'{name}="{_escaped(str(labels[name]))}"' for name in sorted(labels))
    return "{" + inner + "}"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _requests(server: Server, out: list[str]) -> None:
    tally = server.tally
    _family(out, "apiserver_request_total", "counter", "Requests by verb, resource, scope and HTTP response code.", "STABLE")
    for key in sorted(tally.requests):
        out.append(f"apiserver_request_total{_shown({**_labels(key), 'component': 'apiserver'})} {tally.requests[key]}")
    name = "apiserver_request_duration_seconds"
    _family(out, name, "histogram", "Seconds that answers took, by verb, resource and scope.", "STABLE")
    for key in sorted(tally.durations):
        held, labels = tally.durations[key], {**_labels(key), "component": "apiserver"}
        for i, bound in enumerate(BUCKETS):
            out.append(f"{name}_bucket{_shown({**labels, 'le': bound})} {held[2 + i]}")
        out.append(f"{name}_bucket{_shown({**labels, 'le': '+Inf'})} {held[0]}")
        out.append(f"{name}_sum{_shown(labels)} {held[1] / _SECOND:.9g}")
        out.append(f"{name}_count{_shown(labels)} {held[0]}")


def _storage(server: Server, out: list[str]) -> None:
    _family(out, "apiserver_storage_objects", "gauge", "Stored objects at the last check, by kind.", "STABLE")
    for kind in sorted((*packs.kinds_of(server.version), *server.custom_kinds()), key=lambda k: k.group_resource):
        if "list" not in kind.verbs or kind.kind == "ComponentStatus" or kind.group == "events.k8s.io":
            continue
        try:
            _, _, _, number = server.storage.list(f"{kind.prefix}/".encode(), limit=1)
        except ApiError:
            continue
        out.append(f'apiserver_storage_objects{{resource="{kind.group_resource}"}} {number}')
    try:
        server.client.current_revision()
        up = 1
    except (ConnectError, EtcdError):
        up = 0
    _family(out, "kubernetes_healthcheck", "gauge", "Results of health checks: 1 is passing.", "STABLE")
    out += [f'kubernetes_healthcheck{{name="etcd",type="{kind}"}} {up}' for kind in ("healthz", "livez", "readyz")]


def _build_labels(version: str) -> list[tuple[str, str]]:
    """The labels of `kubernetes_build_info`, by name."""
    names = {"buildDate": "build_date", "compiler": "compiler", "gitCommit": "git_commit", "gitTreeState": "git_tree_state",
             "gitVersion": "git_version", "goVersion": "go_version", "major": "major", "minor": "minor", "platform": "platform"}  # fmt: skip
    build = versions.info(version)
    return [(label, build[name]) for name, label in names.items()]
