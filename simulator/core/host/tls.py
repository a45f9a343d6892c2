"""TLS of simulated connections, as far as it can fail: whose certificate a server shows, and whether a client takes it (Go's crypto/x509).

A program that serves TLS has `certificate(world, proc) -> bytes`; one that has none is not looked at.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from cryptography import x509
from cryptography.x509.oid import NameOID

from ..kernel import clock
from ..kernel.errors import ConnectError
from ..kernel.network import Listener
from ..kernel.world import World
from . import processes
from .machine import wall_of
from .x509 import load_cert, signed_by, subject_of

PREFIX = "tls: failed to verify certificate: "


class Shown(NamedTuple):
    """What a certificate says: the addresses and names that it is for, and by whose word."""

    dns: tuple[str, ...]
    ips: tuple[str, ...]
    trusted: bool
    same_name: str
    start: int
    end: int


@lru_cache(maxsize=1024)
def _shown(pem: bytes, ca: bytes) -> Shown | None:
    try:
        cert = load_cert(pem)
        subject = subject_of(pem)
        authority = load_cert(ca)
    except ValueError:
        return None
    try:
        names = cert.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        dns = tuple(names.get_values_for_type(x509.DNSName))
        ips = tuple(str(ip) for ip in names.get_values_for_type(x509.IPAddress))
    except x509.ExtensionNotFound:
        dns = ips = ()
    same = ""
    if cert.issuer == authority.subject:
        same = str(authority.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value)
    return Shown(dns, ips, signed_by(pem, ca), same, subject.not_before, subject.not_after)


def problem(pem: bytes, ca: bytes, name: str, now: int) -> str:
    """Why a client does not take a server's certificate, "" when it does (x509.Certificate.Verify, VerifyHostname)."""
    shown = _shown(pem, ca)
    if shown is None:
        return PREFIX + "x509: certificate signed by unknown authority"
    if not shown.start <= now <= shown.end:
        bound = shown.end if now > shown.end else shown.start
        when = f"current time {clock.rfc3339(now)} is {'after' if now > shown.end else 'before'} {clock.rfc3339(bound)}"
        return PREFIX + f"x509: certificate has expired or is not yet valid: {when}"
    if not shown.trusted:
        text = PREFIX + "x509: certificate signed by unknown authority"
        if shown.same_name:
            text += (
                ' (possibly because of "x509: ECDSA verification failure" while trying to verify candidate authority certificate '
                f'"{shown.same_name}")'
            )
        return text
    if name[:1].isdigit():
        if name not in shown.ips:
            if not shown.ips:
                return PREFIX + f"x509: cannot validate certificate for {name} because it doesn't contain any IP SANs"
            return PREFIX + f"x509: certificate is valid for {', '.join(shown.ips)}, not {name}"
    elif name not in shown.dns:
        return PREFIX + f"x509: certificate is valid for {', '.join(shown.dns)}, not {name}"
    return ""


def presented(world: World, item: Listener) -> bytes:
    """The certificate of the process behind a socket, or b""."""
    proc = processes.find(world, item.host, item.pid)
    certificate = getattr(processes.program_of(world, proc.program), "certificate", None) if proc is not None else None
    return bytes(certificate(world, proc)) if certificate is not None else b""


def check(world: World, netns: str, item: Listener, ca: bytes, name: str) -> None:
    """Look at the certificate of the process behind a socket as a client with that CA does; raises ConnectError of kind `tls`."""
    pem = presented(world, item) if ca else b""
    if not pem:
        return
    why = problem(pem, ca, name, wall_of(world, netns))
    if why:
        raise ConnectError("tls", name, why)
