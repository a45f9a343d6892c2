"""PKCS#10 requests inside CertificateSigningRequests, and what a kubelet's must look like (`pkg/apis/certificates/helpers.go`)."""

from __future__ import annotations

import base64
import binascii
from functools import lru_cache

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.x509.oid import NameOID

APISERVER_CLIENT = "kubernetes.io/kube-apiserver-client"
KUBELET_CLIENT = "kubernetes.io/kube-apiserver-client-kubelet"
KUBELET_SERVING = "kubernetes.io/kubelet-serving"
LEGACY = "kubernetes.io/legacy-unknown"
_BEGIN = b"-----BEGIN CERTIFICATE REQUEST-----"


@lru_cache(maxsize=256)
def parse(request: str) -> x509.CertificateSigningRequest:
    """The request in `spec.request` (base64 of PEM) with a valid signature; raises ValueError in the API server's words."""
    try:
        pem = base64.b64decode(request)
    except (binascii.Error, ValueError):
        pem = b""
    if not pem.lstrip().startswith(_BEGIN):
        raise ValueError("PEM block type must be CERTIFICATE REQUEST")
    try:
        found = x509.load_pem_x509_csr(pem)
        valid = found.is_signature_valid
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise ValueError("asn1: structure error: malformed certificate request") from None
    if not valid:
        raise ValueError("x509: signature verification failed")
    return found


def common_name(request: x509.CertificateSigningRequest) -> str:
    """The subject's CN, or ""."""
    found = request.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(found[0].value) if found else ""


def organizations(request: x509.CertificateSigningRequest) -> list[str]:
    """The subject's O values."""
    return [str(item.value) for item in request.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)]


def alternative_names(request: x509.CertificateSigningRequest) -> list[x509.GeneralName]:
    """The subject alternative names asked for."""
    try:
        return list(request.extensions.get_extension_for_class(x509.SubjectAlternativeName).value)
    except (x509.ExtensionNotFound, ValueError):
        return []


def _has(names: list[x509.GeneralName], kind: type[x509.GeneralName]) -> bool:
    return any(isinstance(name, kind) for name in names)


def _usages_match(usages: list[str], purpose: str) -> bool:
    return set(usages) in ({"digital signature", "key encipherment", purpose}, {"digital signature", purpose})


def kubelet_serving_problem(request: x509.CertificateSigningRequest, usages: list[str]) -> str:
    """Why a request is not one for a kubelet's serving certificate, or "" (ValidateKubeletServingCSR)."""
    names = alternative_names(request)
    if organizations(request) != ["system:nodes"]:
        return "subject organization is not system:nodes"
    if not _has(names, x509.DNSName) and not _has(names, x509.IPAddress):
        return "DNS or IP subjectAltName is required"
    if _has(names, x509.RFC822Name):
        return "Email subjectAltNames are not allowed"
    if _has(names, x509.UniformResourceIdentifier):
        return "URI subjectAltNames are not allowed"
    if not _usages_match(usages, "server auth"):
        return "usages did not match [digital signature key encipherment server auth]"
    return "" if common_name(request).startswith("system:node:") else "subject common name does not begin with system:node:"


def kubelet_client_problem(request: x509.CertificateSigningRequest, usages: list[str]) -> str:
    """Why a request is not one for a kubelet's client certificate, or "" (ValidateKubeletClientCSR)."""
    names = alternative_names(request)
    if organizations(request) != ["system:nodes"]:
        return "subject organization is not system:nodes"
    for kind, what in (
        (x509.DNSName, "DNS"),
        (x509.RFC822Name, "Email"),
        (x509.IPAddress, "IP"),
        (x509.UniformResourceIdentifier, "URI"),
    ):
        if _has(names, kind):
            return f"{what} subjectAltNames are not allowed"
    if not common_name(request).startswith("system:node:"):
        return "subject common name does not begin with system:node:"
    return "" if _usages_match(usages, "client auth") else "usages did not match [client auth digital signature key encipherment]"


def client_problem(usages: list[str]) -> str:
    """Why usages are not those of a client certificate, or "" (validAPIServerClientUsages)."""
    for usage in usages:
        if usage not in ("digital signature", "key encipherment", "client auth"):
            return f"invalid usage for client certificate: {usage}"
    return "" if "client auth" in usages else "missing required usage for client certificate: client auth"
