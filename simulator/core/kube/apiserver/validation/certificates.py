"""Validation of CertificateSigningRequests (`pkg/apis/certificates/validation/validation.go`)."""

from __future__ import annotations

import base64
from typing import Any

from cryptography import x509

from ...api import csr, names
from ...api.errors import FieldError, duplicate, forbidden_field, invalid_value, not_supported, required

Obj = dict[str, Any]

USAGES = (
    "any", "cert sign", "client auth", "code signing", "content commitment", "crl sign", "data encipherment", "decipher only",
    "digital signature", "email protection", "encipher only", "ipsec end system", "ipsec tunnel", "ipsec user",
    "key agreement", "key encipherment", "microsoft sgc", "netscape sgc", "ocsp signing", "s/mime", "server auth", "signing",
    "timestamping",
)  # fmt: skip
_TRUE_ONLY = ("Approved", "Denied", "Failed")
_CONDITIONS = "status.conditions"


def request(obj: Obj) -> list[FieldError]:
    """A request to be created (validateCertificateSigningRequest)."""
    spec = obj.get("spec") or {}
    out: list[FieldError] = []
    try:
        csr.parse(spec.get("request") or "")
    except ValueError as error:
        out.append(invalid_value("spec.request", spec.get("request") or "", str(error)))
    usages = spec.get("usages") or []
    if not usages:
        out.append(required("spec.usages"))
    for i, usage in enumerate(usages):
        if usage not in USAGES:
            out.append(not_supported(f"spec.usages[{i}]", usage, USAGES))
    for i, usage in enumerate(usages):
        if usage in usages[:i]:
            out.append(duplicate(f"spec.usages[{i}]", usage))
    out += signer_name(spec.get("signerName") or "")
    seconds = spec.get("expirationSeconds")
    if seconds is not None and seconds < 600:
        text = "may not specify a duration less than 600 seconds (10 minutes)"
        out.append(invalid_value("spec.expirationSeconds", seconds, text))
    return out + conditions((obj.get("status") or {}).get("conditions") or [])


def signer_name(name: str) -> list[FieldError]:
    """A domain and a path (ValidateSignerName)."""
    at = "spec.signerName"
    if not name:
        return [required(at)]
    if name == csr.LEGACY:
        return [invalid_value(at, name, "the legacy signerName is not allowed via this API version")]
    domain, slash, path = name.partition("/")
    if not slash or "/" in path:
        text = 'must be a fully qualified domain and path of the form "example.com/signer-name"'
        return [invalid_value(at, name, text)]
    out = [invalid_value(at, domain, text) for text in names.dns_subdomain(domain)]
    if "." not in domain:
        out.append(invalid_value(at, domain, "should be a domain with at least two segments separated by dots"))
    if not path:
        out.append(invalid_value(at, name, 'validating label "": must be non-empty'))
    else:
        out += [invalid_value(at, path, f'validating label "{part}": {text}') for part in path.split(".")
                for text in names.dns_label(part)]  # fmt: skip
    return out


def conditions(items: list[Obj]) -> list[FieldError]:
    """The conditions as a whole (validateConditions)."""
    out: list[FieldError] = []
    seen: list[str] = []
    for i, item in enumerate(items):
        at, kind, status = f"{_CONDITIONS}[{i}]", item.get("type") or "", item.get("status") or ""
        if not kind:
            out.append(required(f"{at}.type"))
        allowed = ("True",) if kind in _TRUE_ONLY else ("False", "True", "Unknown")
        if not status:
            out.append(required(f"{at}.status"))
        elif status not in allowed:
            out.append(not_supported(f"{at}.status", status, allowed))
        other = {"Approved": "Denied", "Denied": "Approved"}.get(kind)
        if other in seen:
            out.append(invalid_value(_CONDITIONS, kind, "Approved and Denied conditions are mutually exclusive"))
        if kind in seen:
            out.append(duplicate(f"{at}.type", kind))
        seen.append(kind)
    return out


def update(sub: str, obj: Obj, old: Obj) -> list[FieldError]:
    """A change through `approval`, `status` or none (ValidateCertificateSigningRequest…Update)."""
    new, held = obj.get("status") or {}, old.get("status") or {}
    out = conditions(new.get("conditions") or [])
    for kind in _TRUE_ONLY:
        mine = [c for c in new.get("conditions") or () if c.get("type") == kind]
        theirs = [c for c in held.get("conditions") or () if c.get("type") == kind]
        if len(mine) < len(theirs):
            out.append(forbidden_field(_CONDITIONS, f'updates may not remove a condition of type "{kind}"'))
        elif kind != "Failed" and sub != "approval":
            if len(mine) > len(theirs):
                out.append(forbidden_field(_CONDITIONS, f'updates may not add a condition of type "{kind}"'))
            elif mine != theirs:
                out.append(forbidden_field(_CONDITIONS, f'updates may not modify a condition of type "{kind}"'))
    certificate, before = new.get("certificate") or "", held.get("certificate") or ""
    if certificate != before:
        if sub != "status":
            out.append(forbidden_field("status.certificate", "updates may not set certificate content"))
        elif before:
            out.append(forbidden_field("status.certificate", "updates may not modify existing certificate content"))
        else:
            out += _certificate(certificate)
    return out


def _certificate(text: str) -> list[FieldError]:
    try:
        x509.load_pem_x509_certificates(base64.b64decode(text))
    except (ValueError, TypeError):
        why = "must contain at least one CERTIFICATE PEM block"
        return [invalid_value("status.certificate", "<certificate data>", why)]
    return []
