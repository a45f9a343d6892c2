"""ServiceAccount (`plugin/pkg/admission/serviceaccount/admission.go`): the account of a pod and its token volume."""

from __future__ import annotations

from typing import Any

from ...api import errors
from ..call import Call

Obj = dict[str, Any]
MIRROR = "kubernetes.io/config.mirror"
MOUNT_PATH = "/var/run/secrets/kubernetes.io/serviceaccount"
TOKEN_SECONDS = 3607


class ServiceAccount:
    """The plugin."""

    name = "ServiceAccount"

    def mutate(self, call: Call, obj: Obj, old: Obj | None) -> None:
        """Pods that are created get an account, its pull secrets and a projected token."""
        if old is not None or call.kind.kind != "Pod" or call.info.subresource:
            return
        spec, meta = obj["spec"], obj["metadata"]
        if MIRROR in (meta.get("annotations") or {}):
            self._mirror(call, obj)
            return
        name = spec.get("serviceAccountName") or "default"
        spec["serviceAccountName"] = spec["serviceAccount"] = name
        found = call.server.storage.get(f"/registry/serviceaccounts/{call.namespace}/{name}".encode())
        if found is None:
            why = f'error looking up service account {call.namespace}/{name}: serviceaccount "{name}" not found'
            raise errors.forbidden("pods", str(meta.get("name") or ""), why)
        account = found[0]
        automount = spec.get("automountServiceAccountToken")
        if automount is None:
            automount = account.get("automountServiceAccountToken", True)
        if automount:
            mount_token(call, spec)
        if not spec.get("imagePullSecrets") and account.get("imagePullSecrets"):
            spec["imagePullSecrets"] = [dict(item) for item in account["imagePullSecrets"]]

    def validate(self, call: Call, obj: Obj | None, old: Obj | None) -> None:
        """Nothing more to refuse."""

    @staticmethod
    def _mirror(call: Call, obj: Obj) -> None:
        name = obj["metadata"].get("name", "")
        if obj["spec"].get("serviceAccountName"):
            raise errors.forbidden("pods", name, "a mirror pod may not reference service accounts")
        for volume in obj["spec"].get("volumes") or ():
            if volume.get("secret") or volume.get("projected"):
                raise errors.forbidden("pods", name, "a mirror pod may not reference secrets")


def mount_token(call: Call, spec: Obj) -> None:
    """Add the `kube-api-access-xxxxx` volume and mount it where nothing is mounted yet."""
    containers = [*(spec.get("initContainers") or ()), *(spec.get("containers") or ())]
    if all(any(m.get("mountPath") == MOUNT_PATH for m in c.get("volumeMounts") or ()) for c in containers):
        return
    held = spec.setdefault("volumes", [])
    existing = next((v["name"] for v in held if v.get("name", "").startswith("kube-api-access-")), None)
    name = existing or "kube-api-access-" + call.server.world.rng("apiserver/names").token(5)
    for container in containers:
        mounts = container.setdefault("volumeMounts", [])
        if not any(m.get("mountPath") == MOUNT_PATH for m in mounts):
            mounts.append({"name": name, "readOnly": True, "mountPath": MOUNT_PATH})
    if existing is None:
        held.append({"name": name, "projected": projection()})


def projection() -> Obj:
    """The token, the cluster's CA and the namespace."""
    field = {"path": "namespace", "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"}}
    return {
        "sources": [
            {"serviceAccountToken": {"expirationSeconds": TOKEN_SECONDS, "path": "token"}},
            {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
            {"downwardAPI": {"items": [field]}},
        ],
        "defaultMode": 420,
    }
