"""Keeps a ServiceAccount `default` in every namespace (pkg/controller/serviceaccount/serviceaccounts_controller.go)."""

from __future__ import annotations

from ..api.objects import Obj
from ..client import ApiError
from .base import Controller


class ServiceAccountController(Controller):
    """Reconciles the default ServiceAccount of each namespace; keys are namespace names."""

    name = "serviceaccount-controller"
    source = "serviceaccount-controller"
    resources = ("namespaces", "serviceaccounts")

    def changed(self, resource: str, kind: str, obj: Obj) -> None:
        """A namespace appeared, or a default ServiceAccount was deleted."""
        if resource == "namespaces":
            if kind != "DELETED":
                self.enqueue(obj["metadata"]["name"])
        elif kind == "DELETED" and obj["metadata"]["name"] == "default":
            self.enqueue(obj["metadata"]["namespace"])

    def sync(self, key: str) -> None:
        """Create the ServiceAccount where it is missing."""
        space = self.informer("namespaces").get("", key)
        if (
            space is None
            or (space.get("status") or {}).get("phase") == "Terminating"
            or space["metadata"].get("deletionTimestamp")
        ):
            return
        if self.informer("serviceaccounts").get(key, "default") is not None:
            return
        body = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default", "namespace": key}}
        try:
            self.client.create("serviceaccounts", key, body)
        except ApiError as error:
            if error.code != 409 and "being terminated" not in error.message:
                raise
