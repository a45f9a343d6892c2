"""TLS of a member: the files it needs to start and whom its client port refuses (`client/pkg/transport/listener.go`, `crypto/tls`)."""

from __future__ import annotations

from functools import lru_cache

from ..host import files, x509
from ..host.process import Process
from ..kernel.errors import ConnectError
from ..kernel.http import Request
from ..kernel.world import World
from .member import Running

#: The flags of each listener: certificate, key, authority.
FLAGS = {
    "client": ("cert-file", "key-file", "trusted-ca-file"),
    "peer": ("peer-cert-file", "peer-key-file", "peer-trusted-ca-file"),
}


def _read(world: World, proc: Process, path: str) -> bytes:
    """A file as the member sees it; raises OSError in Go's words."""
    try:
        return files.read_often(world, proc.host, path, mnt=proc.mnt)
    except OSError as error:
        raise OSError(f"open {path}: {(error.strerror or 'no such file or directory').lower()}") from None


@lru_cache(maxsize=512)
def _pair_problem(cert: bytes, key: bytes) -> str:
    """What `tls.X509KeyPair` says of a certificate and a key; "" when they belong together."""
    for what, pem in (("certificate", cert), ("key", key)):
        if b"-----BEGIN " not in pem:
            return f"tls: failed to find any PEM data in {what} input"
    try:
        same = x509.belongs(cert, key)
    except ValueError:
        return "tls: failed to parse private key"
    return "" if same else "tls: private key does not match public key"


def startup_problem(world: World, proc: Process, found: dict[str, str], kind: str, where: str) -> str:
    """Why a TLS listener of a kind cannot be opened at `where` (address:port) with these flags; "" when it can."""
    cert, key, authority = (found[name] for name in FLAGS[kind])
    auto = found.get("auto-tls" if kind == "client" else "peer-auto-tls") == "true"
    if not cert and not key:
        return "" if auto else f"cannot listen on TLS for {where}: KeyFile and CertFile are not presented"
    if not cert or not key:
        return f"KeyFile and CertFile must both be present[key: {key}, cert: {cert}]"
    try:
        problem = _pair_problem(_read(world, proc, cert), _read(world, proc, key))
        if not problem and authority:
            _read(world, proc, authority)
    except OSError as error:
        return str(error)
    return problem


def certificate(world: World, proc: Process, running: Running) -> bytes:
    """What the server shows in a TLS handshake; b"" where it speaks no TLS."""
    if not running.tls:
        return b""
    try:
        return _read(world, proc, running.flags["cert-file"])
    except OSError:
        return b""


def check_client(world: World, proc: Process, running: Running, request: Request) -> None:
    """Refuse the client whom the handshake would refuse for its certificate; raises ConnectError."""
    if running.flags["client-cert-auth"] != "true":
        return
    if not request.client_cert:
        raise ConnectError("tls", proc.host, "remote error: tls: certificate required")
    path = running.flags["trusted-ca-file"]
    try:
        authority = _read(world, proc, path) if path else b""
    except OSError:
        authority = b""
    if authority and not x509.signed_by(request.client_cert, authority):
        raise ConnectError("tls", proc.host, "remote error: tls: unknown certificate authority")


def check(world: World, proc: Process, running: Running, request: Request) -> None:
    """Refuse what the TLS handshake of a gRPC client would refuse; raises ConnectError."""
    if running.tls:
        if request.scheme != "https":
            raise ConnectError("reset", proc.host, "error reading server preface: EOF")
        check_client(world, proc, running, request)
    elif request.scheme == "https":
        raise ConnectError("tls", proc.host, "tls: first record does not look like a TLS handshake")
