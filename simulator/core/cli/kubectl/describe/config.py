"""Config maps, secrets, service accounts, certificate signing requests (`describe.go`)."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from ....kube.api.printers.base import human
from .doc import Doc, labels_text, time_text

Obj = dict[str, Any]


def _size(value: str) -> int:
    try:
        return len(base64.b64decode(value))
    except binascii.Error:
        return 0


def config_map(d: Doc, obj: Obj) -> None:
    """A ConfigMap with its data."""
    d.head(obj)
    d.labels_and_annotations(obj)
    d.add("\nData\n====\n")
    for key, value in sorted((obj.get("data") or {}).items()):
        d.add(f"{key}:\n----\n{value}\n\n")
    d.add("\nBinaryData\n====\n")
    for key, value in sorted((obj.get("binaryData") or {}).items()):
        d.add(f"{key}: {_size(value)} bytes\n")
    d.add("\n")
    d.events(obj)


def secret(d: Doc, obj: Obj) -> None:
    """A Secret: names and sizes only."""
    d.head(obj)
    d.labels_and_annotations(obj)
    d.add(f"\nType:\t{obj.get('type', '')}\n\nData\n====\n")
    for key, value in sorted((obj.get("data") or {}).items()):
        if key == "token" and obj.get("type") == "kubernetes.io/service-account-token":
            d.add(f"{key}:\t{base64.b64decode(value).decode('utf-8', 'replace')}\n")
        else:
            d.add(f"{key}:\t{_size(value)} bytes\n")


def service_account(d: Doc, obj: Obj) -> None:
    """A ServiceAccount."""
    d.head(obj)
    d.labels_and_annotations(obj)
    names = [item.get("name", "") for item in obj.get("imagePullSecrets") or ()]
    d.line(0, "Image pull secrets:\t" + ("\n\t".join(names) or "<none>"))
    d.events(obj)


def signing_request(d: Doc, obj: Obj) -> None:
    """A CertificateSigningRequest with the subject of its request."""
    meta, spec = obj["metadata"], obj["spec"]
    d.line(0, f"Name:\t{meta['name']}")
    d.line(0, f"Labels:\t{labels_text(meta.get('labels'))}")
    d.line(0, f"Annotations:\t{labels_text(meta.get('annotations'))}")
    d.line(0, f"CreationTimestamp:\t{time_text(meta.get('creationTimestamp'))}")
    d.line(0, f"Requesting User:\t{spec.get('username', '')}")
    if spec.get("signerName"):
        d.line(0, f"Signer:\t{spec['signerName']}")
    if spec.get("expirationSeconds") is not None:
        d.line(0, f"Requested Duration:\t{human(spec['expirationSeconds'] * 10**9)}")
    d.line(0, f"Status:\t{_csr_status(obj)}")
    _subject(d, str(spec.get("request") or ""))
    d.events(obj)


def _csr_status(obj: Obj) -> str:
    types = [item["type"] for item in (obj.get("status") or {}).get("conditions") or ()]
    text = "Denied" if "Denied" in types else "Approved" if "Approved" in types else "Pending"
    if "Failed" in types:
        text += ",Failed"
    return text + (",Issued" if (obj.get("status") or {}).get("certificate") else "")


def _subject(d: Doc, request: str) -> None:
    from cryptography import x509
    from cryptography.x509.oid import NameOID

    try:
        found = x509.load_pem_x509_csr(base64.b64decode(request))
    except ValueError:
        return
    subject = found.subject

    def values(oid: x509.ObjectIdentifier) -> list[str]:
        return [str(item.value) for item in subject.get_attributes_for_oid(oid)]

    d.line(0, "Subject:")
    d.line(0, f"\tCommon Name:\t{''.join(values(NameOID.COMMON_NAME)[:1])}")
    d.line(0, f"\tSerial Number:\t{''.join(values(NameOID.SERIAL_NUMBER)[:1])}")
    for title, oid in (("Organization", NameOID.ORGANIZATION_NAME), ("Organizational Unit", NameOID.ORGANIZATIONAL_UNIT_NAME),
                       ("Country", NameOID.COUNTRY_NAME), ("Locality", NameOID.LOCALITY_NAME), ("Province", NameOID.STATE_OR_PROVINCE_NAME),
                       ("StreetAddress", NameOID.STREET_ADDRESS), ("PostalCode", NameOID.POSTAL_CODE)):  # fmt: skip
        if values(oid):
            d.line(0, f"\t{title}:\t" + "\n\t\t".join(values(oid)))
    try:
        names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return
    d.line(0, "Subject Alternative Names:")
    for title, kind in (("DNS Names", x509.DNSName), ("Email Addresses", x509.RFC822Name), ("URIs", x509.UniformResourceIdentifier),
                        ("IP Addresses", x509.IPAddress)):  # fmt: skip
        listed = [str(item) for item in names.get_values_for_type(kind)]
        if listed:
            d.line(0, f"\t{title}:\t" + "\n\t\t".join(listed))
