"""Keys and certificates, really made and really checked, but from the world's random streams so that replays agree.

The ready-made worlds use ECDSA P-256 (kubeadm's `encryptionAlgorithm: ECDSA-P256`), whose keys and certificates are small; kubeadm's
default, RSA-2048, and its other algorithms are there for whoever runs kubeadm or openssl.  Signatures are deterministic (RFC 6979,
PKCS #1 v1.5).
"""

from __future__ import annotations

import datetime as dt
import ipaddress
from functools import lru_cache

import msgspec
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from ..kernel import clock
from ..kernel.rng import Stream
from ..kernel.world import World
from .primes import primes

_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_ORDER_384 = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFC7634D81F4372DDF581A0DB248B0A77AECEC196ACCC52973
EXPONENT = 65537

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey

#: kubeadm's `encryptionAlgorithm`s.
ALGORITHMS = ("ECDSA-P256", "ECDSA-P384", "RSA-2048", "RSA-3072", "RSA-4096")


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


def new_key(world: World, stream: str = "pki", algorithm: str = "ECDSA-P256") -> bytes:
    """A new private key, PEM (SEC 1 or PKCS #1, as kubeadm writes keys); `algorithm` is one of `ALGORITHMS`."""
    rng = world.rng(stream)
    key = _rsa(rng, int(algorithm[4:])) if algorithm.startswith("RSA-") else _elliptic(rng, algorithm)
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )


def _elliptic(rng: Stream, algorithm: str) -> ec.EllipticCurvePrivateKey:
    words, order, curve = (4, _ORDER, ec.SECP256R1()) if algorithm == "ECDSA-P256" else (6, _ORDER_384, ec.SECP384R1())
    secret = 0
    for _ in range(words):
        secret = (secret << 64) | rng.bits64()
    return ec.derive_private_key(secret % (order - 1) + 1, curve)


def _rsa(rng: Stream, bits: int) -> rsa.RSAPrivateKey:
    if bits == 2048:
        known = primes()
        first = rng.below(len(known))
        p, q = known[first], known[(first + 1 + rng.below(len(known) - 1)) % len(known)]
    else:
        p = q = _search(rng, bits // 2)
        while p == q:
            q = _search(rng, bits // 2)
    p, q = max(p, q), min(p, q)
    secret = pow(EXPONENT, -1, (p - 1) * (q - 1))
    numbers = rsa.RSAPrivateNumbers(
        p, q, secret, secret % (p - 1), secret % (q - 1), pow(q, -1, p), rsa.RSAPublicNumbers(EXPONENT, p * q)
    )
    return numbers.private_key(unsafe_skip_rsa_key_validation=True)


def _search(rng: Stream, bits: int) -> int:
    """The first probable prime above a random number: some tenths of a second."""
    number = 0
    for _ in range(bits // 64):
        number = (number << 64) | rng.bits64()
    number |= (3 << (bits - 2)) | 1
    while any(number % p == 0 for p in _SMALL) or pow(2, number - 1, number) != 1 or (number - 1) % EXPONENT == 0:
        number += 2
    return number


_SMALL = tuple(p for p in range(3, 5000, 2) if all(p % q for q in range(3, int(p**0.5) + 1, 2)))


@lru_cache(maxsize=512)
def load_key(pem: bytes) -> PrivateKey:
    """The private key in a PEM; raises ValueError."""
    try:
        key = serialization.load_pem_private_key(pem, None, unsafe_skip_rsa_key_validation=True)
    except TypeError as error:  # it is encrypted
        raise ValueError(str(error)) from None
    if not isinstance(key, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey):
        raise ValueError("neither an ECDSA nor an RSA private key")
    return key


def sign(builder: x509.CertificateBuilder, key: PrivateKey) -> x509.Certificate:
    """A certificate signed with SHA-256, the same for the same key and content."""
    if isinstance(key, rsa.RSAPrivateKey):
        return builder.sign(key, hashes.SHA256())
    return builder.sign(key, hashes.SHA256(), ecdsa_deterministic=True)


def sign_request(builder: x509.CertificateSigningRequestBuilder, key: PrivateKey) -> x509.CertificateSigningRequest:
    """A certificate signing request, likewise."""
    if isinstance(key, rsa.RSAPrivateKey):
        return builder.sign(key, hashes.SHA256())
    return builder.sign(key, hashes.SHA256(), ecdsa_deterministic=True)


def sign_bytes(key: PrivateKey, data: bytes) -> bytes:
    """A signature with SHA-256: PKCS #1 v1.5, or ECDSA in DER."""
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(data, padding.PKCS1v15(), hashes.SHA256())
    return key.sign(data, ec.ECDSA(hashes.SHA256(), deterministic_signing=True))


def key_identifier(key: ec.EllipticCurvePublicKey | rsa.RSAPublicKey) -> x509.SubjectKeyIdentifier:
    """The identifier that Go gives an authority's key: the first 20 bytes of its SHA-256 (crypto/x509 since Go 1.25)."""
    if isinstance(key, rsa.RSAPublicKey):
        bits = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.PKCS1)
    else:
        bits = key.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
    digest = hashes.Hash(hashes.SHA256())
    digest.update(bits)
    return x509.SubjectKeyIdentifier(digest.finalize()[:20])


def public_pem(key_pem: bytes) -> bytes:
    """The public half of a private key, PEM."""
    return (
        load_key(key_pem).public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )


def belongs(cert_pem: bytes, key_pem: bytes) -> bool:
    """Whether a private key is the certificate's; raises ValueError for what is neither."""
    form = (serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return load_cert(cert_pem).public_key().public_bytes(*form) == public_pem(key_pem)


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
    seconds: int = 0,
    algorithm: str = "ECDSA-P256",
    identifiers: bool = False,
    authority: bool | None = None,
    skew: int = 0,
) -> KeyPair:
    """A new key and its certificate: self-signed (a CA, unless `authority` says otherwise) without `issuer`, else signed by it.

    Valid from five minutes ago for `days` (or `seconds`) from now, by a clock that is `skew` ns ahead.  `identifiers` adds the keys' identifiers, as Go does; the ready-made
    worlds leave them out, as nothing there looks at them and every world would carry them.
    """
    key_pem = new_key(world, algorithm=algorithm)
    key = load_key(key_pem)
    now = clock.to_datetime(world.wall + skew).replace(microsecond=0)
    subject = _name(common_name, organizations)
    rng = world.rng("pki")
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject if issuer is None else load_cert(issuer.cert).subject)
        .public_key(key.public_key())
        .serial_number((rng.bits64() >> 1) + 1)
        .not_valid_before(now - dt.timedelta(minutes=5))
        .not_valid_after(now + (dt.timedelta(seconds=seconds) if seconds else dt.timedelta(days=days)))
    )
    ca = issuer is None if authority is None else authority
    builder = builder.add_extension(x509.KeyUsage(True, False, True, False, False, ca, False, False, False), critical=True)
    usages = [ExtendedKeyUsageOID.SERVER_AUTH] * server + [ExtendedKeyUsageOID.CLIENT_AUTH] * client
    if usages:
        builder = builder.add_extension(x509.ExtendedKeyUsage(usages), critical=False)
    builder = builder.add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
    if identifiers:
        builder = _identified(builder, key, issuer)
    names: list[x509.GeneralName] = [x509.DNSName(d) for d in dns]
    names += [x509.IPAddress(ipaddress.ip_address(i)) for i in ips]
    if ca and authority is None:
        names = [x509.DNSName(common_name)]
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    cert = sign(builder, key if issuer is None else load_key(issuer.key))
    return KeyPair(cert.public_bytes(serialization.Encoding.PEM), key_pem)


def redated(world: World, pem: bytes, issuer: KeyPair, start: dt.datetime, end: dt.datetime) -> bytes:
    """The same certificate (subject, key, extensions) with another validity, signed anew; PEM."""
    old = load_cert(pem)
    builder = (
        x509.CertificateBuilder()
        .subject_name(old.subject)
        .issuer_name(load_cert(issuer.cert).subject)
        .public_key(old.public_key())
        .serial_number((world.rng("pki").bits64() >> 1) + 1)
        .not_valid_before(start)
        .not_valid_after(end)
    )
    for extension in old.extensions:
        builder = builder.add_extension(extension.value, critical=extension.critical)
    return sign(builder, load_key(issuer.key)).public_bytes(serialization.Encoding.PEM)


def _identified(builder: x509.CertificateBuilder, key: PrivateKey, issuer: KeyPair | None) -> x509.CertificateBuilder:
    """With the identifier of its own key (an authority), or that of the authority's when that has one (a leaf)."""
    if issuer is None:
        return builder.add_extension(key_identifier(key.public_key()), critical=False)
    try:
        found = load_cert(issuer.cert).extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    except x509.ExtensionNotFound:
        return builder
    named = x509.AuthorityKeyIdentifier(found.digest, None, None)
    return builder.add_extension(named, critical=False)


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
