"""What curl asks of a server's certificate: a known issuer, its own name, its dates (`lib/vtls/openssl.c`).

A component shows the certificate that its flags name.  One without such a flag has made its own at the start, as Kubernetes' components
do (`GenerateSelfSignedCertKey`): a leaf under a CA of its own, which nobody knows.
"""

from __future__ import annotations

from typing import Any

from cryptography import x509 as certificates
from cryptography.x509.oid import ExtensionOID

from ...host import files, processes, x509
from ...host.invocation import Call
from ...host.process import Process

CERT_FLAGS = ("--tls-cert-file", "--cert-file")
HELP = (
    "More details here: https://curl.se/docs/sslcerts.html\n\n"
    "curl failed to verify the legitimacy of the server and therefore could not\n"
    "establish a secure connection to it. To learn more about this situation and\n"
    "how to fix it, please visit the web page mentioned above.\n"
)


def shown(call: Call, proc: Process, host: str) -> bytes:
    """The certificate that a process serves with (for that host, where it tells them apart); b"" for one that it made itself."""
    program: Any = processes.program_of(call.world, proc.program)
    if by_name(program):
        return bytes(program.certificate(call.world, proc, host))
    argv = proc.argv
    for i, word in enumerate(argv):
        name, equals, value = word.partition("=")
        if name in CERT_FLAGS:
            path = value if equals else argv[i + 1] if i + 1 < len(argv) else ""
            try:
                return files.read_file(call.world, proc.host, path, mnt=proc.mnt)
            except OSError:
                return b""
    return b""


def by_name(program: Any) -> bool:
    """Whether a program has a certificate for each host that it is asked for (SNI)."""
    return bool(getattr(program, "sni", False))


def problem(call: Call, proc: Process, host: str, ca: bytes) -> str:
    """Why a server is not believed, or ""; `ca` is the content of --cacert."""
    cert = shown(call, proc, host)
    if not cert and by_name(processes.program_of(call.world, proc.program)):
        return "SSL certificate problem: self-signed certificate"
    if not cert:
        return "SSL certificate problem: self-signed certificate in certificate chain"
    trusted = _split(ca)
    if not any(x509.signed_by(cert, one) for one in trusted):
        if x509.signed_by(cert, cert):
            return "SSL certificate problem: self-signed certificate"
        return "SSL certificate problem: unable to get local issuer certificate"
    subject = x509.subject_of(cert)
    if call.world.wall > subject.not_after:
        return "SSL certificate problem: certificate has expired"
    if call.world.wall < subject.not_before:
        return "SSL certificate problem: certificate is not yet valid"
    if not _named(cert, host):
        return f"SSL: no alternative certificate subject name matches target host name '{host}'"
    return ""


def _split(pem: bytes) -> list[bytes]:
    end = b"-----END CERTIFICATE-----"
    return [part.strip() + b"\n" + end + b"\n" for part in pem.split(end) if b"BEGIN CERTIFICATE" in part]


def _named(cert: bytes, host: str) -> bool:
    try:
        found = x509.load_cert(cert).extensions.get_extension_for_oid(ExtensionOID.SUBJECT_ALTERNATIVE_NAME).value
    except (certificates.ExtensionNotFound, ValueError):
        return False
    assert isinstance(found, certificates.SubjectAlternativeName)
    names = [name.lower() for name in found.get_values_for_type(certificates.DNSName)]
    addresses = [str(address) for address in found.get_values_for_type(certificates.IPAddress)]
    wild = "*." + host.partition(".")[2]
    return host.lower() in names or wild.lower() in names or host in addresses
