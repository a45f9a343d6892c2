"""Notes on each ValidatingAdmissionPolicy that its expressions were checked (pkg/controller/validatingadmissionpolicystatus).

The types of expressions are not checked against the schemas of what they match: no warnings are written.
"""

from __future__ import annotations

from ..api.objects import Obj
from .base import Controller


class AdmissionPolicyStatusController(Controller):
    """Keys are names of policies."""

    name = "validatingadmissionpolicy-status-controller"
    source = "validatingadmissionpolicy-status"
    resources = ("validatingadmissionpolicies",)

    def changed(self, resource: str, kind: str, obj: Obj) -> None:
        """A policy came or changed."""
        if kind != "DELETED":
            self.enqueue(obj["metadata"]["name"])

    def sync(self, key: str) -> None:
        """Write the observed generation of one policy."""
        policy = self.informer("validatingadmissionpolicies").get("", key)
        if policy is None:
            return
        generation = policy["metadata"].get("generation") or 0
        if generation <= ((policy.get("status") or {}).get("observedGeneration") or 0):
            return
        body = {
            "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicy", "metadata": {"name": key},
            "status": {"observedGeneration": generation, "typeChecking": {}},
        }  # fmt: skip
        self.client.patch(
            "validatingadmissionpolicies", None, key, body, kind="apply", subresource="status",
            field_manager="validatingadmissionpolicy-status", force=True,
        )  # fmt: skip
