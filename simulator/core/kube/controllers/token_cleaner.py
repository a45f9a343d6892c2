"""Deletes bootstrap tokens that have expired (pkg/controller/bootstrap/tokencleaner.go)."""

from __future__ import annotations

from ..api import bootstrap_tokens
from ..api.objects import Obj, key_of, split_key
from ..client import ApiError
from .base import Controller


class TokenCleanerController(Controller):
    """Keys are Secrets of kube-system."""

    name = "token-cleaner-controller"
    source = "token-cleaner-controller"
    resources = ("secrets",)

    def changed(self, resource: str, kind: str, obj: Obj) -> None:
        """A bootstrap token came or changed."""
        ours = obj.get("type") == bootstrap_tokens.TYPE and obj["metadata"]["namespace"] == bootstrap_tokens.NAMESPACE
        if kind != "DELETED" and ours:
            self.enqueue(key_of(obj))

    def sync(self, key: str) -> None:
        """Delete one token, or come back when it expires."""
        secret = self.informer("secrets").get(*split_key(key))
        if secret is None or secret.get("type") != bootstrap_tokens.TYPE:
            return
        rest = bootstrap_tokens.left(secret, self.world.wall)
        if rest is None:
            return
        if rest:
            self.enqueue(key, rest)
            return
        try:
            self.client.delete("secrets", *split_key(key), uid=secret["metadata"]["uid"])
        except ApiError as error:
            if error.code not in (404, 409):
                raise
