"""NamespaceLifecycle (`apiserver/pkg/admission/plugin/namespace/lifecycle/admission.go`).

Nothing is created in a namespace that is absent or terminating; the namespaces that the cluster needs cannot be deleted.
"""

from __future__ import annotations

from typing import Any

from ...api import errors
from ...api.errors import ApiError, status
from ..call import Call

Obj = dict[str, Any]
IMMORTAL = ("default", "kube-system", "kube-public")


class NamespaceLifecycle:
    """The plugin."""

    name = "NamespaceLifecycle"

    def mutate(self, call: Call, obj: Obj, old: Obj | None) -> None:
        """Creations only; runs first so that a missing namespace is said before anything else."""
        if old is not None or not call.kind.namespaced or call.operation != "CREATE":
            return
        namespace = call.info.namespace
        if not namespace or call.kind.kind == "LocalSubjectAccessReview":
            return
        found = call.server.storage.get(b"/registry/namespaces/" + namespace.encode())
        if found is None:
            raise errors.not_found("namespaces", namespace)
        if (found[0].get("status") or {}).get("phase") == "Terminating":
            raise terminating(call, obj, namespace, found[0])

    def validate(self, call: Call, obj: Obj | None, old: Obj | None) -> None:
        """Deletions of the needed namespaces."""
        if call.operation == "DELETE" and call.kind.kind == "Namespace" and call.info.name in IMMORTAL:
            raise errors.forbidden("namespaces", call.info.name, "this namespace may not be deleted")


def terminating(call: Call, obj: Obj, namespace: str, held: Obj) -> ApiError:
    """The 403 of a creation in a namespace that is going away."""
    resource = call.kind.group_resource
    name = str(obj["metadata"].get("name") or "")
    why = f"unable to create new content in namespace {namespace} because it is being terminated"
    details = {"name": name, "group": call.kind.group, "kind": call.kind.plural}
    cause = {
        "reason": "NamespaceTerminating",
        "message": f"namespace {namespace} is being terminated",
        "field": "metadata.namespace",
    }
    shown = f'{resource} "{name}" is forbidden: {why}' if name else f"{resource} is forbidden: {why}"
    return ApiError(status(403, "Forbidden", shown, {**{k: v for k, v in details.items() if v}, "causes": [cause]}))
