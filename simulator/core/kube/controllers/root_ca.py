"""Publishes the cluster's CA in every namespace: ConfigMap `kube-root-ca.crt` (controller/certificates/rootcacertpublisher)."""

from __future__ import annotations

from ..api.objects import Obj
from ..client import ApiError
from ..component import read_file
from .base import Controller

NAME = "kube-root-ca.crt"
NOTE = (
    "Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal "
    "service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters."
)


class RootCAPublisher(Controller):
    """Reconciles the ConfigMap of each namespace; keys are namespace names."""

    name = "root-ca-certificate-publisher-controller"
    source = "root-ca-cert-publisher"
    resources = ("namespaces", "configmaps")

    def changed(self, resource: str, kind: str, obj: Obj) -> None:
        """A namespace appeared, or its ConfigMap was changed or deleted."""
        if resource == "namespaces":
            if kind != "DELETED":
                self.enqueue(obj["metadata"]["name"])
        elif obj["metadata"]["name"] == NAME and kind != "ADDED":
            self.enqueue(obj["metadata"]["namespace"])

    def sync(self, key: str) -> None:
        """Create or mend one namespace's ConfigMap."""
        space = self.informer("namespaces").get("", key)
        if (
            space is None
            or (space.get("status") or {}).get("phase") == "Terminating"
            or space["metadata"].get("deletionTimestamp")
        ):
            return
        path = self.flags.get("root-ca-file")
        if not path:
            return
        try:
            bundle = read_file(self.world, self.runtime.proc, path).decode()
        except OSError:
            return
        data = {"ca.crt": bundle}
        found = self.informer("configmaps").get(key, NAME)
        if found is None:
            meta = {"name": NAME, "namespace": key, "annotations": {"kubernetes.io/description": NOTE}}
            body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": data}
            try:
                self.client.create("configmaps", key, body)
            except ApiError as error:
                if "being terminated" not in error.message:
                    raise
            return
        note = (found["metadata"].get("annotations") or {}).get("kubernetes.io/description")
        if found.get("data") != data or note != NOTE:
            annotations = {**(found["metadata"].get("annotations") or {}), "kubernetes.io/description": NOTE}
            self.client.update(
                "configmaps", {**found, "metadata": {**found["metadata"], "annotations": annotations}, "data": data}
            )
