"""ServiceAccount (plugin/pkg/admission/serviceaccount/admission.go): every pod runs as an account and gets its token mounted."""

from __future__ import annotations

from typing import Any

from ...api import errors
from ..call import Call

Obj = dict[str, Any]
MOUNT_PATH = "/var/run/secrets/kubernetes.io/serviceaccount"
MIRROR = "kubernetes.io/config.mirror"
TOKEN_SECONDS = 3607


def _volume(name: str) -> Obj:
    sources: list[Obj] = [
        {"serviceAccountToken": {"expirationSeconds": TOKEN_SECONDS, "path": "token"}},
        {"configMap": {"items": [{"key": "ca.crt", "path": "ca.crt"}], "name": "kube-root-ca.crt"}},
        {"downwardAPI": {"items": [{"fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"}, "path": "namespace"}]}},
    ]
    return {"name": name, "projected": {"defaultMode": 420, "sources": sources}}


class ServiceAccount:
    """The plugin."""

    name = "ServiceAccount"

    def mutate(self, call: Call, obj: Obj, old: Obj | None) -> None:
        """Name the account (default: `default`), take its pull secrets, mount its token."""
        if call.kind.kind != "Pod" or call.operation != "CREATE" or call.info.subresource:
            return
        spec = obj["spec"]
        if MIRROR in (obj["metadata"].get("annotations") or {}):
            return
        name = spec.get("serviceAccountName") or "default"
        spec["serviceAccountName"] = spec["serviceAccount"] = name
        account = self._account(call, obj, name)
        if account.get("imagePullSecrets") and not spec.get("imagePullSecrets"):
            spec["imagePullSecrets"] = account["imagePullSecrets"]
        wanted = spec.get("automountServiceAccountToken", account.get("automountServiceAccountToken", True))
        if wanted:
            self._mount(call, spec)

    def _account(self, call: Call, obj: Obj, name: str) -> Obj:
        found = call.server.storage.get(f"/registry/serviceaccounts/{call.namespace}/{name}".encode())
        if found is None:
            why = f"error looking up service account {call.namespace}/{name}: serviceaccount \"{name}\" not found"
            raise errors.forbidden("pods", str(obj["metadata"].get("name") or ""), why)
        account: Obj = found[0]
        return account

    def _mount(self, call: Call, spec: Obj) -> None:
        containers = [*spec.get("initContainers", ()), *spec.get("containers", ())]
        needing = [c for c in containers if all(m.get("mountPath") != MOUNT_PATH for m in c.get("volumeMounts", ()))]
        if not needing:
            return
        name = next(
            (
                v["name"]
                for v in spec.get("volumes", ())
                if any("serviceAccountToken" in s for s in (v.get("projected") or {}).get("sources", ()))
                and v["name"].startswith("kube-api-access-")
            ),
            "",
        )
        if not name:
            name = "kube-api-access-" + call.server.world.rng("apiserver/names").token(5)
            spec.setdefault("volumes", []).append(_volume(name))
        for container in needing:
            container.setdefault("volumeMounts", []).append({"mountPath": MOUNT_PATH, "name": name, "readOnly": True})

    def validate(self, call: Call, obj: Obj | None, old: Obj | None) -> None:
        """A mirror pod may not use an account."""
        if call.kind.kind != "Pod" or call.operation != "CREATE" or call.info.subresource or obj is None:
            return
        if MIRROR in (obj["metadata"].get("annotations") or {}) and obj["spec"].get("serviceAccountName"):
            why = "a mirror pod may not reference service accounts"
            raise errors.forbidden("pods", str(obj["metadata"].get("name") or ""), why)
