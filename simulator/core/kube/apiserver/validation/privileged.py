"""`--allow-privileged=false`, the binary's default: nothing privileged is let in (`pkg/capabilities`, ValidateSecurityContext)."""

from __future__ import annotations

from typing import Any

from ...api.errors import FieldError, forbidden_field
from ...api.objects import get_path

Obj = dict[str, Any]

#: Kind → where its pod's spec is.
SPECS: dict[str, tuple[str, ...]] = {
    "Pod": ("spec",),
    "PodTemplate": ("template", "spec"),
    "CronJob": ("spec", "jobTemplate", "spec", "template", "spec"),
    **dict.fromkeys(
        ("ReplicationController", "ReplicaSet", "Deployment", "DaemonSet", "StatefulSet", "Job"), ("spec", "template", "spec")
    ),
}


def check(kind: str, obj: Obj) -> list[FieldError]:
    """What is privileged in a pod or a template."""
    at = SPECS.get(kind)
    spec = get_path(obj, *at) if at is not None else None
    return [
        forbidden_field(f"{'.'.join(at or ())}.{group}[{index}].securityContext.privileged", "disallowed by cluster policy")
        for group in ("containers", "initContainers", "ephemeralContainers")
        for index, container in enumerate((spec or {}).get(group) or ())
        if (container.get("securityContext") or {}).get("privileged")
    ]
