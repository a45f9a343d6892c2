"""The order of a build's objects (`api/internal/builtins/SortOrderTransformer.go`)."""

from __future__ import annotations

from ..errors import CommandError
from .items import Obj, id_of

#: Namespaces and definitions first, webhooks last (`api/internal/builtins/SortOrderTransformer.go`: legacy order).
FIRST = ("Namespace", "ResourceQuota", "StorageClass", "CustomResourceDefinition", "ServiceAccount", "PodSecurityPolicy", "Role", "ClusterRole",
         "RoleBinding", "ClusterRoleBinding", "ConfigMap", "Secret", "Endpoints", "Service", "LimitRange", "PriorityClass", "PersistentVolume",
         "PersistentVolumeClaim", "Deployment", "StatefulSet", "CronJob", "PodDisruptionBudget")  # fmt: skip
LAST = ("MutatingWebhookConfiguration", "ValidatingWebhookConfiguration")


def in_order(objects: list[Obj], options: Obj) -> list[Obj]:
    """Objects as `sortOptions` has them; raises CommandError."""
    order = options.get("order") or "legacy"
    if order == "fifo":
        return objects
    if order != "legacy":
        raise CommandError(f"the field 'sortOptions.order' must be one of [fifo, legacy, ]: got {order}")
    legacy = options.get("legacySortOptions") or {}
    first, last = (legacy.get("orderFirst") or (), legacy.get("orderLast") or ()) if legacy else (FIRST, LAST)
    rank = {kind: at - len(first) for at, kind in enumerate(first)} | {kind: at + 1 for at, kind in enumerate(last)}

    def key(obj: Obj) -> tuple[int, str, str]:
        one = id_of(obj)
        return (
            rank.get(one.kind, 0),
            f"{one.group or '~G'}_{one.version or '~V'}_{one.kind}",
            f"{one.namespace or '~X'}|{one.name or '~N'}",
        )

    return sorted(objects, key=key)
