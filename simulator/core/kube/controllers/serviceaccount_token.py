"""Fills Secrets of type kubernetes.io/service-account-token, and removes them with their account
(pkg/controller/serviceaccount/tokens_controller.go)."""

from __future__ import annotations

import base64

from ..api.jwt import legacy_claims, sign_jwt
from ..api.objects import Obj, annotations_of, key_of
from ..client import ApiError
from ..component import read_file
from .base import Controller

TYPE = "kubernetes.io/service-account-token"
NAME, UID = "kubernetes.io/service-account.name", "kubernetes.io/service-account.uid"


class ServiceAccountTokenController(Controller):
    """Keys are `sa|namespace/name|uid` of accounts that went and `secret|namespace/name|account` of token Secrets.

    It acts as the manager itself: it was there before controllers had accounts.
    """

    name = "serviceaccount-token-controller"
    source = "serviceaccount-token-controller"
    resources = ("serviceaccounts", "secrets")
    own_account = False

    def changed(self, resource: str, kind: str, obj: Obj) -> None:
        """An account went, or a token Secret came, changed or went."""
        if resource == "serviceaccounts":
            if kind == "DELETED":
                self.enqueue(f"sa|{key_of(obj)}|{obj['metadata']['uid']}")
        elif obj.get("type") == TYPE:
            self.enqueue(f"secret|{key_of(obj)}|{annotations_of(obj).get(NAME, '')}")

    def sync(self, key: str) -> None:
        """One account or one Secret."""
        what, where, rest = key.split("|")
        namespace, _, name = where.partition("/")
        if what == "sa":
            self._account_gone(namespace, name, rest)
            return
        secret = self.informer("secrets").get(namespace, name)
        if secret is None:
            self._forget_reference(namespace, rest, name)
        elif secret.get("type") == TYPE:
            self._secret(secret)

    def _account_gone(self, namespace: str, name: str, uid: str) -> None:
        held = self.informer("serviceaccounts").get(namespace, name)
        if held is not None and held["metadata"]["uid"] == uid:
            return
        for secret in self.informer("secrets").list(namespace):
            notes = annotations_of(secret)
            if secret.get("type") == TYPE and notes.get(NAME) == name and notes.get(UID) in (None, "", uid):
                self._delete(secret)

    def _delete(self, secret: Obj) -> None:
        meta = secret["metadata"]
        try:
            self.client.delete("secrets", meta["namespace"], meta["name"], uid=meta["uid"])
        except ApiError as error:
            if error.code not in (404, 409):
                raise

    def _forget_reference(self, namespace: str, account: str, secret: str) -> None:
        """An account that lists the Secret does so no longer."""
        found = self.informer("serviceaccounts").get(namespace, account) if account else None
        listed = (found or {}).get("secrets") or []
        kept = [item for item in listed if item.get("name") != secret]
        if found is not None and len(kept) != len(listed):
            self.client.update("serviceaccounts", {**found, "secrets": kept})

    def _secret(self, secret: Obj) -> None:
        meta, notes = secret["metadata"], annotations_of(secret)
        namespace, account = meta["namespace"], notes.get(NAME, "")
        found = self.informer("serviceaccounts").get(namespace, account)
        if found is None or notes.get(UID) not in (None, "", found["metadata"]["uid"]):
            self._delete(secret)
            return
        data = dict(secret.get("data") or {})
        authority = self._file("root-ca-file")
        wanted = {"namespace": data.get("namespace") or base64.b64encode(namespace.encode()).decode()}
        if authority:
            wanted["ca.crt"] = base64.b64encode(authority).decode()
        signer = self._file("service-account-private-key-file")
        if not data.get("token"):
            if not signer:
                return
            claims = legacy_claims(namespace, account, found["metadata"]["uid"], meta["name"])
            wanted["token"] = base64.b64encode(sign_jwt(claims, signer).encode()).decode()
        if all(data.get(member) == value for member, value in wanted.items()):
            return
        notes = {**notes, NAME: account, UID: found["metadata"]["uid"]}
        fresh = {**secret, "metadata": {**meta, "annotations": notes}, "data": {**data, **wanted}}
        try:
            self.client.update("secrets", fresh)
        except ApiError as error:  # changed meanwhile: the change brings it here again
            if error.code not in (404, 409):
                raise

    def _file(self, flag: str) -> bytes:
        path = self.flags.get(flag)
        try:
            return read_file(self.world, self.runtime.proc, path) if path else b""
        except OSError:
            return b""
