"""cert-manager's controller (cert-manager/cert-manager, pkg/controller/certificates, pkg/issuer): Certificates become Secrets.

It signs for SelfSigned and CA issuers, makes Certificates for Ingresses with `cert-manager.io/issuer` or `cluster-issuer`, and brings back a
Secret that was deleted.  A CertificateRequest holds no signing request, and says so; ACME, Vault and Venafi issuers stay not ready, with a
message that they are not simulated; the webhook and cainjector run and have nothing to do.  Renewal follows the clock of the world when
something of a Certificate changes.
"""

from __future__ import annotations

import base64
import datetime as dt
from typing import Any

import msgspec

from ...host import x509
from ...host.process import Process
from ...host.x509 import KeyPair
from ...kernel import clock
from ...kernel.clock import SECOND
from ...kernel.errors import ConnectError
from ...kernel.world import World
from ...kube.api.objects import Obj, annotations_of, is_deleting
from ...kube.client import ApiError, KubeClient
from ...kube.component import explain, parse_duration
from ...kube.events import EventState, Recorder
from .. import logs
from .account import client_of, stamp
from .basics import Quiet

GROUP, API = "cert-manager.io", "/apis/cert-manager.io/v1"
TOPICS = (
    *(f"registry:cert-manager.io/{name}" for name in ("certificates", "issuers", "clusterissuers")),
    "registry:secrets",
    "registry:ingress",
)
ABSENT = ("acme", "vault", "venafi")
DEFAULT = 90 * 86_400
#: What stands where a CertificateRequest has its PEM: the key is made with the certificate here.
NO_REQUEST = b"the signing request itself is not simulated in Slipway yet\n"


class Authority(msgspec.Struct):
    """One process's state: the events that it has sent."""

    events: EventState = msgspec.field(default_factory=EventState)


def section(world: World) -> dict[str, Authority]:
    """By process key."""
    return world.section("cert-manager", dict)


class NotReady(Exception):
    """An issuer cannot sign; `reason` and the message are its condition's."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


def seconds(text: str) -> int:
    """A Go duration such as `2160h` in seconds; 90 days, cert-manager's default, for none and for what is none."""
    try:
        return parse_duration(text) // SECOND or DEFAULT
    except ValueError:
        return DEFAULT


class CertManager(Quiet):
    """The `Program` of the controller, the webhook (`cert-manager:webhook`) and cainjector."""

    def start(self, world: World, proc: Process) -> None:
        """The controller begins to watch a moment later."""
        role = proc.program.partition(":")[2].partition("/")[0]
        logs.emit(world, proc, f'{stamp(world, "I")} start.go:75] "starting cert-manager {role}" logger="cert-manager"')
        if role == "controller":
            section(world)[proc.key] = Authority()
            world.after(2 * SECOND, proc.target, ["begin"])
        else:
            logs.emit(world, proc, f"{stamp(world, 'I')} start.go:80] what the {role} does is not simulated in Slipway yet")

    def stop(self, world: World, proc: Process, signal: int) -> int:
        """What was signed stays."""
        section(world).pop(proc.key, None)
        world.unsubscribe(proc.target)
        return super().stop(world, proc, signal)

    def timer(self, world: World, proc: Process, payload: Any) -> None:
        """`["begin"]`, then `["wake"]` after each change."""
        if proc.key not in section(world):
            return
        if payload[0] == "begin":
            for topic in TOPICS:
                world.subscribe(topic, proc.target, ["wake"])
        run = Run(world, proc, client_of(world, proc, "cert-manager-certificates"))
        try:
            run.everything()
        except (ApiError, ConnectError) as error:
            why = explain(error, run.client)
            logs.emit(
                world, proc, f'{stamp(world, "E")} controller.go:167] "re-queuing item due to error processing" err="{why}"'
            )
            world.after(5 * SECOND, proc.target, ["wake"])


class Run:
    """One look at everything."""

    def __init__(self, world: World, proc: Process, client: KubeClient) -> None:
        self.world, self.proc, self.client = world, proc, client
        self.recorder = Recorder(world, client, section(world)[proc.key].events, "cert-manager-certificates-issuing", "")
        self.own = proc.env.get("POD_NAMESPACE", "cert-manager")

    def everything(self) -> None:
        """Ingresses, issuers, certificates."""
        for ingress in self.client.list("ingresses").items:
            self._ingress(ingress)
        issuers: dict[str, Obj] = {}
        for plural in ("issuers", "clusterissuers"):
            for issuer in self.client.call("GET", f"{API}/{plural}")["items"]:
                self._issuer(plural, issuer)
                issuers[f"{plural}/{issuer['metadata'].get('namespace', '')}/{issuer['metadata']['name']}"] = issuer
        for certificate in self.client.call("GET", f"{API}/certificates")["items"]:
            if not is_deleting(certificate):
                self._certificate(certificate, issuers)

    # -- ingress-shim ----------------------------------------------------------------------------------------------------
    def _ingress(self, ingress: Obj) -> None:
        notes, meta = annotations_of(ingress), ingress["metadata"]
        kind = "ClusterIssuer" if f"{GROUP}/cluster-issuer" in notes else "Issuer"
        issuer = notes.get(f"{GROUP}/cluster-issuer") or notes.get(f"{GROUP}/issuer")
        if not issuer:
            return
        for entry in (ingress.get("spec") or {}).get("tls") or ():
            if not entry.get("secretName") or not entry.get("hosts"):
                continue
            owner = {
                "apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "name": meta["name"], "uid": meta["uid"],
                "controller": True, "blockOwnerDeletion": True,
            }  # fmt: skip
            body = {
                "apiVersion": f"{GROUP}/v1", "kind": "Certificate",
                "metadata": {"name": entry["secretName"], "namespace": meta["namespace"], "ownerReferences": [owner]},
                "spec": {
                    "dnsNames": entry["hosts"], "secretName": entry["secretName"], "usages": ["digital signature", "key encipherment"],
                    "issuerRef": {"group": GROUP, "kind": kind, "name": issuer},
                },
            }  # fmt: skip
            path = f"{API}/namespaces/{meta['namespace']}/certificates"
            if self._get(f"{path}/{entry['secretName']}") is None:
                self.client.call("POST", path, None, body)
                self.recorder.event(
                    ingress, "Normal", "CreateCertificate", f'Successfully created Certificate "{entry["secretName"]}"'
                )

    # -- issuers ---------------------------------------------------------------------------------------------------------
    def _issuer(self, plural: str, issuer: Obj) -> None:
        state, reason, message = "True", "IsReady", ""
        try:
            if self._authority(plural, issuer) is not None:
                reason, message = "KeyPairVerified", "Signing CA verified"
        except NotReady as why:
            state, reason, message = "False", why.reason, str(why)
        space = issuer["metadata"].get("namespace")
        path = f"{API}/{f'namespaces/{space}/' if space else ''}{plural}/{issuer['metadata']['name']}"
        if self._condition(issuer, path, "Ready", state, reason, message):
            self.recorder.event(issuer, "Normal" if state == "True" else "Warning", reason, message or "Issuer is ready")

    def _authority(self, plural: str, issuer: Obj) -> KeyPair | None:
        """The key pair that an issuer signs with, None for a self-signed one; raises NotReady."""
        spec = issuer.get("spec") or {}
        for kind in ABSENT:
            if kind in spec:
                raise NotReady("NotSimulated", f"{kind} issuers: not simulated in Slipway yet")
        if "ca" not in spec:
            if "selfSigned" in spec:
                return None
            raise NotReady("InvalidIssuer", "no issuer specified for Issuer")
        name = spec["ca"]["secretName"]
        space = issuer["metadata"].get("namespace") if plural == "issuers" else self.own
        secret = self._get(f"/api/v1/namespaces/{space}/secrets/{name}")
        if secret is None:
            raise NotReady("ErrGetKeyPair", f'Error getting keypair for CA issuer: secrets "{name}" not found')
        data = {key: base64.b64decode(value) for key, value in (secret.get("data") or {}).items()}
        try:
            x509.load_cert(data["tls.crt"])
            return KeyPair(data["tls.crt"], data["tls.key"])
        except (KeyError, ValueError):
            raise NotReady("ErrInvalidKeyPair", f"Error getting keypair for CA issuer: secret {name} holds no key pair") from None

    # -- certificates ----------------------------------------------------------------------------------------------------
    def _certificate(self, certificate: Obj, issuers: dict[str, Obj]) -> None:
        meta, spec = certificate["metadata"], certificate["spec"]
        space, name = meta["namespace"], meta["name"]
        path = f"{API}/namespaces/{space}/certificates/{name}"
        secret = self._get(f"/api/v1/namespaces/{space}/secrets/{spec['secretName']}")
        if secret is not None and self._valid(secret, certificate):
            self._up_to_date(certificate, path, secret)
            return
        ref = spec["issuerRef"]
        plural = "clusterissuers" if ref.get("kind") == "ClusterIssuer" else "issuers"
        issuer = issuers.get(f"{plural}/{space if plural == 'issuers' else ''}/{ref['name']}")
        why = "Secret does not exist" if secret is None else "the existing Secret does not match the spec"
        if self._condition(certificate, path, "Issuing", "True", "DoesNotExist", f"Issuing certificate as {why}"):
            self.recorder.event(certificate, "Normal", "Issuing", f"Issuing certificate as {why}")
            self._condition(certificate, path, "Ready", "False", "DoesNotExist", f"Issuing certificate as {why}")
        if issuer is None:
            kind = ref.get("kind") or "Issuer"
            text = f'Referenced "{kind}" not found: {kind.lower()}.cert-manager.io "{ref["name"]}" not found'
            self._request(certificate, "False", "Pending", text, b"", b"")
            return
        try:
            authority = self._authority(plural, issuer)
        except NotReady:
            self._request(certificate, "False", "Pending", "Referenced issuer does not have a Ready status condition", b"", b"")
            return
        pair = self._sign(spec, authority)
        ca = pair.cert if authority is None else authority.cert
        self._request(certificate, "True", "Issued", "Certificate fetched from issuer successfully", pair.cert, ca)
        self._store(certificate, secret, pair, ca)
        self.recorder.event(certificate, "Normal", "Issuing", "The certificate has been successfully issued")
        held = self._get(f"/api/v1/namespaces/{space}/secrets/{spec['secretName']}")
        if held is not None:
            self._up_to_date(self.client.call("GET", path), path, held)

    def _sign(self, spec: Obj, authority: KeyPair | None) -> KeyPair:
        key = spec.get("privateKey") or {}
        algorithm = f"RSA-{key.get('size') or 2048}"
        if key.get("algorithm") == "ECDSA":
            algorithm = f"ECDSA-P{key.get('size') or 256}"
        names = tuple(spec.get("dnsNames") or ())
        return x509.issue(
            self.world,
            spec.get("commonName") or (names[0] if names else ""),
            issuer=authority,
            organizations=tuple((spec.get("subject") or {}).get("organizations") or ()),
            dns=names,
            ips=tuple(spec.get("ipAddresses") or ()),
            server=not spec.get("isCA"),
            client="client auth" in (spec.get("usages") or ()),
            seconds=seconds(str(spec.get("duration") or "")),
            algorithm=algorithm,
            identifiers=True,
            authority=bool(spec.get("isCA")),
        )

    def _valid(self, secret: Obj, certificate: Obj) -> bool:
        """Whether a Secret holds what the Certificate asks for, and not too near its end."""
        data, spec, notes = secret.get("data") or {}, certificate["spec"], annotations_of(secret)
        if not data.get("tls.crt") or not data.get("tls.key") or notes.get(f"{GROUP}/issuer-name") != spec["issuerRef"]["name"]:
            return False
        if notes.get(f"{GROUP}/alt-names", "") != ",".join(spec.get("dnsNames") or ()) or notes.get(
            f"{GROUP}/common-name", ""
        ) != (spec.get("commonName") or ""):
            return False
        cert = x509.load_cert(base64.b64decode(data["tls.crt"]))
        return clock.to_datetime(self.world.wall) < _renewal(cert.not_valid_before_utc, cert.not_valid_after_utc)

    def _store(self, certificate: Obj, secret: Obj | None, pair: KeyPair, ca: bytes) -> None:
        spec, meta = certificate["spec"], certificate["metadata"]
        ref = spec["issuerRef"]
        notes = {
            f"{GROUP}/alt-names": ",".join(spec.get("dnsNames") or ()),
            f"{GROUP}/certificate-name": meta["name"],
            f"{GROUP}/common-name": spec.get("commonName") or "",
            f"{GROUP}/ip-sans": ",".join(spec.get("ipAddresses") or ()),
            f"{GROUP}/issuer-group": ref.get("group", ""),
            f"{GROUP}/issuer-kind": ref.get("kind") or "Issuer",
            f"{GROUP}/issuer-name": ref["name"],
            f"{GROUP}/uri-sans": "",
        }
        more = spec.get("secretTemplate") or {}
        data = {"ca.crt": ca, "tls.crt": pair.cert, "tls.key": pair.key}
        body: Obj = {
            "apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/tls",
            "metadata": {
                "name": spec["secretName"], "namespace": meta["namespace"], "annotations": notes | (more.get("annotations") or {}),
                "labels": {"controller.cert-manager.io/fao": "true"} | (more.get("labels") or {}),
            },
            "data": {name: base64.b64encode(value).decode() for name, value in data.items()},
        }  # fmt: skip
        if secret is None:
            self.client.create("secrets", meta["namespace"], body)
        else:
            self.client.patch(
                "secrets",
                meta["namespace"],
                spec["secretName"],
                {"metadata": body["metadata"], "data": body["data"]},
                kind="merge",
            )

    def _request(self, certificate: Obj, state: str, reason: str, message: str, cert: bytes, ca: bytes) -> None:
        """The CertificateRequest of the next revision and its conditions."""
        meta, spec = certificate["metadata"], certificate["spec"]
        number = int((certificate.get("status") or {}).get("revision") or 0) + 1
        path, name = f"{API}/namespaces/{meta['namespace']}/certificaterequests", f"{meta['name']}-{number}"
        held = self._get(f"{path}/{name}")
        if held is None:
            body = {
                "apiVersion": f"{GROUP}/v1", "kind": "CertificateRequest",
                "metadata": {
                    "name": name, "namespace": meta["namespace"],
                    "annotations": {f"{GROUP}/certificate-name": meta["name"], f"{GROUP}/certificate-revision": str(number)},
                    "ownerReferences": [
                        {"apiVersion": f"{GROUP}/v1", "kind": "Certificate", "name": meta["name"], "uid": meta["uid"], "controller": True, "blockOwnerDeletion": True}
                    ],
                },
                "spec": {
                    "issuerRef": spec["issuerRef"], "request": base64.b64encode(NO_REQUEST).decode(),
                    "usages": spec.get("usages") or ["digital signature", "key encipherment"],
                    "username": f"system:serviceaccount:{self.own}:cert-manager",
                },
            }  # fmt: skip
            held = self.client.call("POST", path, None, body)
            self.recorder.event(certificate, "Normal", "Requested", f'Created new CertificateRequest resource "{name}"')
        more = {"certificate": base64.b64encode(cert).decode(), "ca": base64.b64encode(ca).decode()} if cert else {}
        moment = clock.rfc3339(self.world.wall)
        rows = [
            {
                "type": "Approved",
                "status": "True",
                "reason": "cert-manager.io",
                "message": "Certificate request has been approved by cert-manager.io",
                "lastTransitionTime": moment,
            },
            {"type": "Ready", "status": state, "reason": reason, "message": message, "lastTransitionTime": moment},
        ]
        before = [(row["type"], row["status"], row.get("message")) for row in (held.get("status") or {}).get("conditions") or ()]
        if before != [(row["type"], row["status"], row["message"]) for row in rows]:
            self.client.call("PUT", f"{path}/{name}/status", None, {**held, "status": {"conditions": rows, **more}})

    def _up_to_date(self, certificate: Obj, path: str, secret: Obj) -> None:
        cert = x509.load_cert(base64.b64decode(secret["data"]["tls.crt"]))
        start, end = cert.not_valid_before_utc, cert.not_valid_after_utc
        more = {
            "notBefore": _moment(start), "notAfter": _moment(end), "renewalTime": _moment(_renewal(start, end)),
            "revision": int((certificate.get("status") or {}).get("revision") or 0) or 1,
        }  # fmt: skip
        if (certificate.get("status") or {}).get("notAfter") not in (None, more["notAfter"]):
            more["revision"] = int(certificate["status"].get("revision") or 0) + 1
        self._condition(certificate, path, "Ready", "True", "Ready", "Certificate is up to date and has not expired", more)

    # -- helpers ---------------------------------------------------------------------------------------------------------
    def _condition(self, obj: Obj, path: str, kind: str, state: str, reason: str, message: str, more: Obj | None = None) -> bool:
        """Set one condition of an object (Ready takes Issuing away); says whether that changed anything."""
        status = dict(obj.get("status") or {})
        rows = [
            row
            for row in status.get("conditions") or ()
            if not (kind == "Ready" and state == "True" and row["type"] == "Issuing")
        ]
        old: Obj = next((row for row in rows if row["type"] == kind), {})
        same = (old.get("status"), old.get("reason"), old.get("message", "")) == (state, reason, message)
        if (
            same
            and all(status.get(name) == value for name, value in (more or {}).items())
            and len(rows) == len(status.get("conditions") or ())
        ):
            return False
        moment = clock.rfc3339(self.world.wall)
        row = {
            "type": kind, "status": state, "reason": reason, "message": message, "observedGeneration": obj["metadata"].get("generation", 1),
            "lastTransitionTime": old.get("lastTransitionTime", moment) if old.get("status") == state else moment,
        }  # fmt: skip
        status |= {"conditions": [*(one for one in rows if one["type"] != kind), row], **(more or {})}
        changed = self.client.call("PUT", f"{path}/status", None, {**obj, "status": status})
        obj["status"], obj["metadata"] = changed.get("status") or status, changed["metadata"]
        return True

    def _get(self, path: str) -> Obj | None:
        try:
            found: Obj = self.client.call("GET", path)
        except ApiError as missing:
            if missing.code != 404:
                raise
            return None
        return found


def _renewal(start: dt.datetime, end: dt.datetime) -> dt.datetime:
    """Two thirds into a certificate's life."""
    return end - (end - start) / 3


def _moment(when: dt.datetime) -> str:
    return when.strftime("%Y-%m-%dT%H:%M:%SZ")
