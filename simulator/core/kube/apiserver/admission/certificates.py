"""Who may approve and sign, and what may not be asked for (`plugin/pkg/admission/certificates`)."""

from __future__ import annotations

from typing import Any

from ...api import csr, errors
from ..authz import Attributes
from ..call import Call

Obj = dict[str, Any]
GROUP = "certificates.k8s.io"


def _about(call: Call, subresource: str) -> bool:
    return call.kind.group == GROUP and call.kind.plural == "certificatesigningrequests" and call.info.subresource == subresource


def _check(call: Call, verb: str, signer: str, name: str) -> None:
    """Refuse who may not `verb` the signer, by its name or as `domain/*` (authorization.go)."""
    for asked in (signer, signer.partition("/")[0] + "/*"):
        if call.server.authorizer.allowed(Attributes(call.user, verb, GROUP, "signers", "", "", asked))[0]:
            return
    done = {"approve": "approve", "sign": "sign"}[verb]
    text = f'user not permitted to {done} requests with signerName "{signer}"'
    raise errors.forbidden(f"certificatesigningrequests.{GROUP}", name, text)


class CertificateApproval:
    """Changing conditions through `approval` needs the verb `approve` on the signer."""

    name = "CertificateApproval"

    def mutate(self, call: Call, obj: Obj, old: Obj | None) -> None:
        """Nothing to change."""

    def validate(self, call: Call, obj: Obj | None, old: Obj | None) -> None:
        """Only approvals are looked at."""
        if obj is not None and old is not None and _about(call, "approval"):
            _check(call, "approve", old["spec"].get("signerName", ""), old["metadata"]["name"])


class CertificateSigning:
    """Setting the certificate, or the condition Failed, needs the verb `sign` on the signer."""

    name = "CertificateSigning"

    def mutate(self, call: Call, obj: Obj, old: Obj | None) -> None:
        """Nothing to change."""

    def validate(self, call: Call, obj: Obj | None, old: Obj | None) -> None:
        """Only changes of status are looked at."""
        if obj is None or old is None or not _about(call, "status"):
            return
        new, held = obj.get("status") or {}, old.get("status") or {}
        if any(new.get(member) != held.get(member) for member in ("certificate", "conditions")):
            _check(call, "sign", old["spec"].get("signerName", ""), old["metadata"]["name"])


class CertificateSubjectRestriction:
    """No client certificates for `system:masters`, which no role could take back."""

    name = "CertificateSubjectRestriction"

    def mutate(self, call: Call, obj: Obj, old: Obj | None) -> None:
        """Nothing to change."""

    def validate(self, call: Call, obj: Obj | None, old: Obj | None) -> None:
        """Only new requests are looked at."""
        if obj is None or old is not None or not _about(call, "") or obj["spec"].get("signerName") != csr.APISERVER_CLIENT:
            return
        if "system:masters" in csr.organizations(csr.parse(obj["spec"]["request"])):
            text = f"use of {csr.APISERVER_CLIENT} signer with system:masters group is not allowed"
            raise errors.forbidden(f"certificatesigningrequests.{GROUP}", str(obj["metadata"].get("name") or ""), text)
