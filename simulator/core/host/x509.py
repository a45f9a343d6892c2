"""Keys and certificates, really made and really checked, but from the world's random streams so that replays agree.

Keys are ECDSA P-256 (kubeadm's `encryptionAlgorithm: ECDSA-P256`) and signatures deterministic (RFC 6979): finding RSA primes
would cost a world more time than everything else in its boot.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
from functools import lru_cache

import msgspec
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from ..kernel import clock
from ..kernel.world import World

_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


class KeyPair(msgspec.Struct, frozen=True):
    """A certificate and its private key as PEM."""

    cert: bytes
    key: bytes


class Subject(msgspec.Struct, frozen=True):
    """What authentication reads from a client certificate: its name, groups, and validity in Unix nanoseconds."""

    common_name: str
    organizations: tuple[str, ...]
    not_before: int
    not_after: int
    issuer: str


def new_key(world: World, stream: str = "pki") -> bytes:
    """A new private key, PEM (SEC 1, as kubeadm writes EC keys)."""
    rng = world.rng(stream)
    secret = 0
    for _ in range(4):
        secret = (secret << 64) | rng.bits64()
    key = ec.derive_private_key(secret % (_ORDER - 1) + 1, ec.SECP256R1())
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )


@lru_cache(maxsize=512)
def load_key(pem: bytes) -> ec.EllipticCurvePrivateKey:
    """The private key in a PEM; raises ValueError."""
    key = serialization.load_pem_private_key(pem, None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise ValueError("not an ECDSA private key")
    return key


def public_pem(key_pem: bytes) -> bytes:
    """The public half of a private key, PEM."""
    return (
        load_key(key_pem).public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )


def _name(common_name: str, organizations: tuple[str, ...]) -> x509.Name:
    parts = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, o) for o in organizations]
    return x509.Name([*parts, x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def issue(
    world: World,
    common_name: str,
    *,
    issuer: KeyPair | None = None,
    organizations: tuple[str, ...] = (),
    dns: tuple[str, ...] = (),
    ips: tuple[str, ...] = (),
    server: bool = False,
    client: bool = False,
    days: int = 365,
) -> KeyPair:
    """A new key and its certificate: self-signed (a CA) without `issuer`, else signed by it.  Valid from five minutes ago."""
    key_pem = new_key(world)
    key = load_key(key_pem)
    start = clock.to_datetime(world.wall) - dt.timedelta(minutes=5)
    subject = _name(common_name, organizations)
    rng = world.rng("pki")
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject if issuer is None else load_cert(issuer.cert).subject)
        .public_key(key.public_key())
        .serial_number((rng.bits64() >> 1) + 1)
        .not_valid_before(start)
        .not_valid_after(start + dt.timedelta(days=days))
    )
    ca = issuer is None
    builder = builder.add_extension(x509.KeyUsage(True, False, True, False, False, ca, False, False, False), critical=True)
    usages = [ExtendedKeyUsageOID.SERVER_AUTH] * server + [ExtendedKeyUsageOID.CLIENT_AUTH] * client
    if usages:
        builder = builder.add_extension(x509.ExtendedKeyUsage(usages), critical=False)
    builder = builder.add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
    names: list[x509.GeneralName] = [x509.DNSName(d) for d in dns]
    names += [x509.IPAddress(ipaddress.ip_address(i)) for i in ips]
    if ca:
        names = [x509.DNSName(common_name)]
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    signer = key if issuer is None else load_key(issuer.key)
    cert = builder.sign(signer, hashes.SHA256(), ecdsa_deterministic=True)
    return KeyPair(cert.public_bytes(serialization.Encoding.PEM), key_pem)


@lru_cache(maxsize=2048)
def load_cert(pem: bytes) -> x509.Certificate:
    """The first certificate in a PEM; raises ValueError."""
    return x509.load_pem_x509_certificate(pem)


def _text(name: x509.Name, oid: x509.ObjectIdentifier) -> tuple[str, ...]:
    return tuple(str(a.value) for a in name.get_attributes_for_oid(oid))


@lru_cache(maxsize=2048)
def subject_of(pem: bytes) -> Subject:
    """Who a client certificate says it is; raises ValueError for what is no certificate."""
    cert = load_cert(pem)
    common = _text(cert.subject, NameOID.COMMON_NAME)
    issuer = _text(cert.issuer, NameOID.COMMON_NAME)
    return Subject(
        common[0] if common else "",
        _text(cert.subject, NameOID.ORGANIZATION_NAME),
        int(cert.not_valid_before_utc.timestamp()) * clock.SECOND,
        int(cert.not_valid_after_utc.timestamp()) * clock.SECOND,
        issuer[0] if issuer else "",
    )


@lru_cache(maxsize=4096)
def signed_by(pem: bytes, ca_pem: bytes) -> bool:
    """Whether a certificate's signature verifies with a CA's key."""
    try:
        load_cert(pem).verify_directly_issued_by(load_cert(ca_pem))
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def verify(world: World, pem: bytes, ca_pem: bytes) -> str:
    """ "" when `pem` is signed by the CA and valid now, else why not, in the words of Go's crypto/x509."""
    if not signed_by(pem, ca_pem):
        return "x509: certificate signed by unknown authority"
    subject = subject_of(pem)
    if not subject.not_before <= world.wall <= subject.not_after:
        now = clock.rfc3339(world.wall)
        bound = clock.rfc3339(subject.not_after if world.wall > subject.not_after else subject.not_before)
        word = "after" if world.wall > subject.not_after else "before"
        return f"x509: certificate has expired or is not yet valid: current time {now} is {word} {bound}"
    return ""
