"""Signs the ConfigMap `cluster-info` with every bootstrap token that may (pkg/controller/bootstrap/bootstrapsigner.go)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json

from ..api import bootstrap_tokens
from ..api.objects import Obj
from ..client import ApiError
from .base import Controller

NAMESPACE, NAME, KUBECONFIG = "kube-public", "cluster-info", "kubeconfig"
SIGNATURE = "jws-kubeconfig-"


def _b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def detached_signature(content: str, ident: str, secret: str) -> str:
    """A JSON Web Signature (HS256) of the content whose payload is left out (cluster-bootstrap/token/jws)."""
    head = _b64(json.dumps({"alg": "HS256", "kid": ident}, separators=(",", ":")).encode())
    digest = hmac.new(secret.encode(), f"{head}.{_b64(content.encode())}".encode(), hashlib.sha256).digest()
    return f"{head}..{_b64(digest)}"


class BootstrapSignerController(Controller):
    """One key: the ConfigMap."""

    name = "bootstrap-signer-controller"
    source = "bootstrap-signer-controller"
    resources = ("configmaps", "secrets")

    def changed(self, resource: str, kind: str, obj: Obj) -> None:
        """The ConfigMap or a bootstrap token changed."""
        meta = obj["metadata"]
        if resource == "configmaps":
            if kind != "DELETED" and (meta["namespace"], meta["name"]) == (NAMESPACE, NAME):
                self.enqueue(NAME)
        elif obj.get("type") == bootstrap_tokens.TYPE and meta["namespace"] == bootstrap_tokens.NAMESPACE:
            self.enqueue(NAME)

    def sync(self, key: str) -> None:
        """Write the signatures where they are not right."""
        found = self.informer("configmaps").get(NAMESPACE, NAME)
        data = (found or {}).get("data") or {}
        if found is None or KUBECONFIG not in data:
            return
        wanted = {name: text for name, text in data.items() if not name.startswith(SIGNATURE)}
        for secret in self.informer("secrets").list(bootstrap_tokens.NAMESPACE):
            if secret.get("type") != bootstrap_tokens.TYPE:
                continue
            token = bootstrap_tokens.for_signing(secret, self.world.wall)
            if token is not None:
                wanted[SIGNATURE + token[0]] = detached_signature(data[KUBECONFIG], *token)
        if wanted == data:
            return
        try:
            self.client.update("configmaps", {**found, "data": wanted})
        except ApiError as error:  # the next change of the ConfigMap brings it here again
            if error.code not in (404, 409):
                raise
