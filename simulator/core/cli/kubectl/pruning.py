"""What `--prune` of apply and diff finds: objects applied before that are in no file any more (`kubectl/pkg/cmd/{apply,diff}/prune.go`)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ...kube.api.kinds import KindInfo
from .create.base import LAST_APPLIED
from .errors import CommandError
from .session import Session

Obj = dict[str, Any]
PRUNED = ("configmaps", "endpoints", "namespaces", "persistentvolumeclaims", "persistentvolumes", "pods", "replicationcontrollers", "secrets", "services",
          "jobs.batch", "cronjobs.batch", "ingresses.networking.k8s.io", "daemonsets.apps", "deployments.apps", "replicasets.apps",
          "statefulsets.apps")  # fmt: skip


def allowed(s: Session, items: list[str]) -> list[KindInfo]:
    """The kinds of `--prune-allowlist=group/version/kind`."""
    out = []
    for item in items:
        if item.count("/") != 2:
            raise CommandError(f"invalid GroupVersionKind format: {item}, please follow <group/version/kind>")
        group, version, kind = item.split("/")
        where = f"{group}/{version}" if group and group != "core" else version
        out.append(s.mapper.for_object({"apiVersion": where, "kind": kind}).kind)
    return out


def candidates(s: Session, listed: list[KindInfo], namespaces: list[str], visited: set[str]) -> Iterator[tuple[KindInfo, Obj]]:
    """Applied objects of the kinds (`listed`, or the usual ones) in the visited namespaces, namespaced kinds first."""
    if not listed:
        s.klog("W", "prune.go:71", "Deprecated: kubectl apply will no longer prune non-namespaced resources by default when used with the "
               "--namespace flag in a future release. To preserve the current behaviour, list the resources you want to target explicitly in the "
               "--prune-allowlist flag.")  # fmt: skip
    kinds = listed or [s.kind(name) for name in PRUNED]
    for namespaced in (True, False):
        for namespace in namespaces if namespaced else [""]:
            for kind in kinds:
                if kind.namespaced != namespaced:
                    continue
                for obj in s.list(kind, namespace, labels=s.values.text("selector")):
                    meta = obj["metadata"]
                    if LAST_APPLIED in (meta.get("annotations") or {}) and meta["uid"] not in visited:
                        yield kind, {"apiVersion": kind.api_version, "kind": kind.kind, **obj}
