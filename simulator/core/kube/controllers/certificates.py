"""The three controllers of CertificateSigningRequests: approving, signing, cleaning (pkg/controller/certificates).

Signatures are real: the certificate in `.status.certificate` verifies with the CA of `--cluster-signing-cert-file`.
"""

from __future__ import annotations

import base64
import datetime as dt
from typing import ClassVar

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.x509.oid import ExtendedKeyUsageOID, ObjectIdentifier

from ...host import x509 as keys
from ...host.x509 import KeyPair, load_cert, load_key
from ...kernel import clock
from .. import component
from ..api import csr
from ..api.objects import Obj
from .base import Controller

BACKDATE = dt.timedelta(minutes=5)
SHORT = dt.timedelta(hours=8)
SECOND_CHANCE = 5 * clock.SECOND

#: usage → position in x509.KeyUsage (keyUsageDict).
_KEY_USAGES = {
    "signing": 0,
    "digital signature": 0,
    "content commitment": 1,
    "key encipherment": 2,
    "data encipherment": 3,
    "key agreement": 4,
    "cert sign": 5,
    "crl sign": 6,
}
_EXTENDED: dict[str, ObjectIdentifier] = {
    "any": ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE,
    "server auth": ExtendedKeyUsageOID.SERVER_AUTH,
    "client auth": ExtendedKeyUsageOID.CLIENT_AUTH,
    "code signing": ExtendedKeyUsageOID.CODE_SIGNING,
    "email protection": ExtendedKeyUsageOID.EMAIL_PROTECTION,
    "s/mime": ExtendedKeyUsageOID.EMAIL_PROTECTION,
    "timestamping": ExtendedKeyUsageOID.TIME_STAMPING,
    "ocsp signing": ExtendedKeyUsageOID.OCSP_SIGNING,
}


def condition(obj: Obj, kind: str) -> Obj | None:
    """The condition of a type, or None."""
    return next((c for c in (obj.get("status") or {}).get("conditions") or () if c["type"] == kind), None)


class _Requests(Controller):
    """What the three share: they watch requests, whose keys are names."""

    resources: ClassVar[tuple[str, ...]] = ("certificatesigningrequests",)

    def changed(self, resource: str, kind: str, obj: Obj) -> None:
        """A request appeared or changed."""
        if kind != "DELETED":
            self.enqueue(obj["metadata"]["name"])


class SigningController(_Requests):
    """Signs what is approved, for the signers of kubernetes.io (signer/signer.go)."""

    name = "certificatesigningrequest-signing-controller"
    source = "csrsigning"

    def sync(self, key: str) -> None:
        """Sign one request, or say why it cannot be signed."""
        item = self.informer("certificatesigningrequests").get("", key)
        if item is None or (item.get("status") or {}).get("certificate"):
            return
        if condition(item, "Approved") is None or condition(item, "Denied") or condition(item, "Failed"):
            return
        spec = item["spec"]
        signer, usages = spec.get("signerName", ""), spec.get("usages") or []
        if signer not in (csr.APISERVER_CLIENT, csr.KUBELET_CLIENT, csr.KUBELET_SERVING):
            return
        request = csr.parse(spec["request"])
        if signer == csr.APISERVER_CLIENT:
            problem = csr.client_problem(usages)
        else:
            check = csr.kubelet_client_problem if signer == csr.KUBELET_CLIENT else csr.kubelet_serving_problem
            problem = check(request, usages)
        status = dict(item.get("status") or {})
        if problem:
            failed = {"type": "Failed", "status": "True", "reason": "SignerValidationFailure", "message": problem}
            failed["lastUpdateTime"] = self.world.timestamp()
            status["conditions"] = [*(status.get("conditions") or []), failed]
        else:
            authority = self._authority(signer)
            if authority is None:
                self.enqueue(key, SECOND_CHANCE)
                return
            signed = self._sign(request, usages, spec.get("expirationSeconds"), authority)
            status["certificate"] = base64.b64encode(signed).decode()
        self.client.update("certificatesigningrequests", {**item, "status": status}, subresource="status")

    def _authority(self, signer: str) -> KeyPair | None:
        """The CA of a signer: a pair of its own, or the common one; None when it cannot be read now."""
        own = signer.partition("/")[2]
        paths = []
        for half in ("cert", "key"):
            path = self.flags.get(f"cluster-signing-{own}-{half}-file") or self.flags.get(f"cluster-signing-{half}-file", "")
            paths.append(path)
        try:
            cert, key = (component.read_file(self.world, self.runtime.proc, path) for path in paths)
            load_cert(cert)
            load_key(key)
        except (OSError, ValueError) as error:
            component.klog(self.world, self.runtime.proc, "E", "certificate_controller.go:154", "Sync failed", err=str(error))
            return None
        return KeyPair(cert, key)

    def _sign(self, request: x509.CertificateSigningRequest, usages: list[str], seconds: int | None, authority: KeyPair) -> bytes:
        """The certificate, PEM (authority/policies.go: PermissiveSigningPolicy)."""
        ca = load_cert(authority.cert)
        most = component.duration(self.flags, "cluster-signing-duration", 365 * 24 * clock.HOUR) // clock.SECOND
        life = dt.timedelta(seconds=most if seconds is None else min(most, max(seconds, 600)))
        now = clock.to_datetime(self.world.wall).replace(microsecond=0)
        end = now + life - (BACKDATE if life >= SHORT else dt.timedelta())
        rng = self.world.rng("csr-signer")
        builder = (
            x509.CertificateBuilder()
            .subject_name(request.subject)
            .issuer_name(ca.subject)
            .public_key(request.public_key())
            .serial_number(((rng.bits64() >> 1) << 64 | rng.bits64()) + 1)
            .not_valid_before(now - BACKDATE)
            .not_valid_after(min(end, ca.not_valid_after_utc))
        )
        bits = [False] * 9
        for usage in usages:
            if usage in _KEY_USAGES:
                bits[_KEY_USAGES[usage]] = True
        if any(bits):
            builder = builder.add_extension(x509.KeyUsage(*bits), critical=True)
        extended = [_EXTENDED[usage] for usage in sorted(usages) if usage in _EXTENDED]
        if extended:
            builder = builder.add_extension(x509.ExtendedKeyUsage(extended), critical=False)
        builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        names = csr.alternative_names(request)
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        signed = keys.sign(builder, load_key(authority.key))
        return signed.public_bytes(serialization.Encoding.PEM)


class ApprovingController(_Requests):
    """Approves kubelets' client certificates when the requester may have them (approver/sarapprove.go)."""

    name = "certificatesigningrequest-approving-controller"
    source = "csrapproving"

    def sync(self, key: str) -> None:
        """Approve one request, or leave it to people."""
        item = self.informer("certificatesigningrequests").get("", key)
        if item is None or (item.get("status") or {}).get("certificate"):
            return
        if condition(item, "Approved") or condition(item, "Denied") or item["spec"].get("signerName") != csr.KUBELET_CLIENT:
            return
        spec = item["spec"]
        request = csr.parse(spec["request"])
        if csr.kubelet_client_problem(request, spec.get("usages") or []):
            return
        tries = [("nodeclient", "Auto approving kubelet client certificate after SubjectAccessReview.")]
        if spec.get("username") == csr.common_name(request):
            tries.insert(0, ("selfnodeclient", "Auto approving self kubelet client certificate after SubjectAccessReview."))
        for subresource, message in tries:
            if self._may(spec, subresource):
                approved = {"type": "Approved", "status": "True", "reason": "AutoApproved", "message": message}
                status = dict(item.get("status") or {})
                status["conditions"] = [*(status.get("conditions") or []), approved]
                self.client.update("certificatesigningrequests", {**item, "status": status}, subresource="approval")
                return

    def _may(self, spec: Obj, subresource: str) -> bool:
        attributes = {
            "group": "certificates.k8s.io", "resource": "certificatesigningrequests", "verb": "create",
            "subresource": subresource, "version": "*",
        }  # fmt: skip
        asked = {"user": spec.get("username", ""), "groups": spec.get("groups") or [], "resourceAttributes": attributes}
        body = {"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "metadata": {}, "spec": asked}
        answer = self.client.create("subjectaccessreviews", None, body)
        return bool((answer.get("status") or {}).get("allowed"))


class CleanerController(Controller):
    """Deletes requests that nobody needs any more (cleaner/cleaner.go)."""

    name = "certificatesigningrequest-cleaner-controller"
    source = "csrcleaner"
    resources = ("certificatesigningrequests",)
    period = clock.HOUR

    def tick(self) -> None:
        """Look at every request."""
        for item in self.informer("certificatesigningrequests").list():
            if self._done(item):
                self.client.delete("certificatesigningrequests", None, item["metadata"]["name"])

    def _older(self, stamp: str, hours: int) -> bool:
        return bool(stamp) and clock.parse_rfc3339(stamp) + hours * clock.HOUR < self.world.wall

    def _done(self, item: Obj) -> bool:
        """Denied, failed or issued an hour ago; not looked at for a day; issued and expired."""
        status = item.get("status") or {}
        held = status.get("conditions") or []
        certificate = status.get("certificate")
        if not held and self._older(item["metadata"]["creationTimestamp"], 24):
            return True
        for found in held:
            stamp = found.get("lastUpdateTime") or ""
            if found["type"] in ("Denied", "Failed") and self._older(stamp, 1):
                return True
            if found["type"] == "Approved" and certificate and self._older(stamp, 1):
                return True
        if not certificate or condition(item, "Approved") is None:
            return False
        try:
            expires = load_cert(base64.b64decode(certificate)).not_valid_after_utc
        except (ValueError, UnsupportedAlgorithm):
            return False
        return expires < clock.to_datetime(self.world.wall)
