"""`/healthz`, `/livez`, `/readyz` with their checks by name (`apiserver/pkg/server/healthz`)."""

from __future__ import annotations

from ...etcd.errors import EtcdError
from ...kernel.errors import ConnectError
from ...kernel.http import Request, Response
from .server import Server

HOOKS = (
    "start-apiserver-admission-initializer", "generic-apiserver-start-informers", "priority-and-fairness-config-consumer",
    "priority-and-fairness-filter", "storage-object-count-tracker-hook", "start-apiextensions-informers",
    "start-apiextensions-controllers", "crd-informer-synced", "start-system-namespaces-controller",
    "peer-endpoint-reconciler-controller", "start-cluster-authentication-info-controller",
    "start-kube-apiserver-identity-lease-controller", "start-kube-apiserver-identity-lease-garbage-collector",
    "storage-readiness", "start-legacy-token-tracking-controller", "start-service-ip-repair-controllers",
    "rbac/bootstrap-roles", "scheduling/bootstrap-system-priority-classes", "priority-and-fairness-config-producer",
    "bootstrap-controller", "start-kubernetes-service-cidr-controller", "aggregator-reload-proxy-client-cert",
    "start-kube-aggregator-informers", "apiservice-status-local-available-controller",
    "apiservice-status-remote-available-controller", "apiservice-registration-controller", "apiservice-wait-for-first-sync",
    "apiservice-discovery-controller", "kube-apiserver-autoregistration", "autoregister-completion!",
    "apiservice-openapi-controller", "apiservice-openapiv3-controller",
)  # fmt: skip
_HOOK_CHECKS = tuple(name[:-1] if name.endswith("!") else "poststarthook/" + name for name in HOOKS)

CHECKS: dict[str, tuple[str, ...]] = {
    "healthz": ("ping", "log", "loopback-serving-certificate", "etcd", *_HOOK_CHECKS),
    "livez": ("ping", "log", "loopback-serving-certificate", "etcd", *_HOOK_CHECKS),
    "readyz": ("ping", "log", "etcd", "etcd-readiness", "informer-sync", *_HOOK_CHECKS, "shutdown"),
}

#: Hooks that cannot have run while etcd has never answered.
_NEED_ETCD = frozenset(("poststarthook/rbac/bootstrap-roles", "poststarthook/scheduling/bootstrap-system-priority-classes"))
_PLAIN = {"content-type": "text/plain; charset=utf-8", "x-content-type-options": "nosniff"}
ETCD_FAILED = "error getting data from etcd: context deadline exceeded"


def serve(server: Server, request: Request, kind: str, rest: str) -> Response:
    """One of the three endpoints, or one of its checks."""
    if not rest and not request.query and server.ready and not check(server, "etcd"):
        return Response(body=b"ok", headers=dict(_PLAIN))  # what probes ask every second
    names = CHECKS[kind]
    excluded = [name for name in request.query.get("exclude", ()) if name]
    if rest:
        if rest not in names:
            return Response(status=404, body=b"404 page not found\n", headers={"content-type": "text/plain; charset=utf-8"})
        names = (rest,)
    lines, failed = [], []
    for name in names:
        if name in excluded:
            lines.append(f"[+]{name} excluded: ok")
            continue
        problem = check(server, name)
        if problem:
            failed.append(name)
            lines.append(f"[-]{name} failed: reason withheld")
        else:
            lines.append(f"[+]{name} ok")
    unknown = sorted(name for name in excluded if name not in CHECKS[kind])
    if unknown:
        listed = ", ".join(f'"{name}"' for name in unknown)
        lines.append(f"warn: some health checks cannot be excluded: no matches for {listed}")
    plain = dict(_PLAIN)
    if failed:
        if rest:
            return Response(status=500, body=f"internal server error: {ETCD_FAILED}\n".encode(), headers=plain)
        return Response(status=500, body=("\n".join(lines) + f"\n{kind} check failed\n").encode(), headers=plain)
    if "verbose" not in request.query or rest:
        return Response(body=b"ok", headers=plain)
    return Response(body=("\n".join(lines) + f"\n{kind} check passed\n").encode(), headers=plain)


def check(server: Server, name: str) -> str:
    """What is wrong with a check, or ""."""
    if name in ("etcd", "etcd-readiness"):
        try:
            server.client.current_revision()
        except (ConnectError, EtcdError):
            return ETCD_FAILED
    if name in _NEED_ETCD and not server.ready:
        return "not finished"
    return ""
