"""`openssl x509`: show a certificate, or sign a request (apps/x509.c)."""

from __future__ import annotations

import datetime as dt
import hashlib
import ipaddress
import posixpath
from collections.abc import Callable, Generator
from typing import Any

from cryptography import x509 as pki
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from ...host.invocation import Call
from ...host.program import Wait
from ...kernel.clock import SECOND, to_datetime
from . import config, keys
from .options import Options, Wrong, cannot_open, number, parse, thread, unreadable
from .req import DIGESTS, algorithm_for, random_serial, sign, valid
from .text import certificate_text, extensions_text, hexadecimal, name_text, time_text

Code = Generator[Wait, Any, int]
PRINTED = "subject issuer dates startdate enddate serial fingerprint text pubkey modulus hash subject_hash issuer_hash email"
FINGERPRINTS: dict[str, type[hashes.HashAlgorithm]] = {"sha1": hashes.SHA1, "md5": hashes.MD5, **DIGESTS}


def x509(call: Call, words: list[str]) -> Code:
    """`openssl x509 [-in FILE] …`, `openssl x509 -req -CA … -CAkey …`."""
    try:
        asked = parse("x509", words, "in out inform outform ext checkend checkhost checkip days CA CAkey CAserial set_serial extfile extensions signkey key "
                      "nameopt certopt copy_extensions",
                      f"{PRINTED} noout req CAcreateserial new {' '.join(FINGERPRINTS)}",
                      not_yet="purpose passin CAform CAkeyform trustout addtrust clrtrust force_pubkey x509toreq ocsp_uri checkemail",
                      other="")  # fmt: skip
        if asked.on("req"):
            return (yield from _sign(call, asked))
        return (yield from _show(call, asked))
    except Wrong as wrong:
        call.err(str(wrong))
        return 1


def load(data: bytes, form: str = "") -> pki.Certificate:
    """A certificate in PEM or DER; raises ValueError."""
    return pki.load_der_x509_certificate(data) if form.upper() == "DER" else pki.load_pem_x509_certificate(data)


def _show(call: Call, asked: Options) -> Code:
    source = asked.text("in")
    try:
        data = call.read_file(source) if source not in ("", "/dev/stdin") else (yield from call.read())
        cert = load(data, asked.text("inform"))
    except OSError as failed:
        return unreadable(call, "certificate", source, failed.strerror)
    except ValueError:
        return unreadable(call, "certificate", source or "<stdin>", "")
    code, out = 0, b""
    for flag in asked.flags:
        text, status = _shown(call, cert, flag, asked)
        out += text.encode()
        code = code or status
    if not asked.on("noout"):
        der = asked.text("outform").upper() == "DER"
        out += cert.public_bytes(serialization.Encoding.DER if der else serialization.Encoding.PEM)
    keys.give(call, asked.text("out"), out)
    return code


def _shown(call: Call, cert: pki.Certificate, what: str, asked: Options) -> tuple[str, int]:
    """What one option prints, and the status that it gives."""
    rfc = "RFC2253" in asked.text("nameopt")
    start, end = f"notBefore={time_text(cert.not_valid_before_utc)}\n", f"notAfter={time_text(cert.not_valid_after_utc)}\n"
    serial = f"{cert.serial_number:X}"
    digest = next((flag for flag in asked.flags if flag in FINGERPRINTS), "sha1")
    if what == "checkend":
        over = (
            int(cert.not_valid_after_utc.timestamp()) * SECOND
            < call.world.wall + call.host.skew + number("x509", asked.text("checkend")) * SECOND
        )
        return "Certificate will expire\n" if over else "Certificate will not expire\n", int(over)
    if what in ("checkhost", "checkip"):
        return _matches(cert, what, asked.text(what)), 0
    if what == "ext":
        if not list(cert.extensions):
            call.err("No extensions in certificate\n")
            return "", 0
        return "".join(extensions_text(cert.extensions, "", asked.text("ext").split(","))) or "No extensions matched\n", 0
    made: Callable[[], str] | None = {
        "subject": lambda: f"subject={name_text(cert.subject, rfc2253=rfc)}\n",
        "issuer": lambda: f"issuer={name_text(cert.issuer, rfc2253=rfc)}\n",
        "startdate": lambda: start,
        "enddate": lambda: end,
        "dates": lambda: start + end,
        "serial": lambda: f"serial={serial.zfill(len(serial) + len(serial) % 2)}\n",
        "fingerprint": lambda: f"{digest} Fingerprint={hexadecimal(cert.fingerprint(FINGERPRINTS[digest]()))}\n",
        "pubkey": lambda: cert.public_key().public_bytes(serialization.Encoding.PEM, keys.PUBLIC).decode(),
        "modulus": lambda: _modulus(cert),
        "hash": lambda: name_hash(cert.subject),
        "subject_hash": lambda: name_hash(cert.subject),
        "issuer_hash": lambda: name_hash(cert.issuer),
        "email": lambda: "",
        "text": lambda: certificate_text(cert),
    }.get(what)
    return (str(made()) if made is not None else ""), 0


def _modulus(cert: pki.Certificate) -> str:
    key = cert.public_key()
    if isinstance(key, rsa.RSAPublicKey):
        return f"Modulus={key.public_numbers().n:X}\n"
    return "Modulus=No modulus for this public key type\n"


def name_hash(name: pki.Name) -> str:
    """The hash that names files of trusted certificates: of the name in lower case, its text as UTF-8."""
    body = b""
    for part in name:
        oid = pki.Name([pki.NameAttribute(part.oid, "x", _validate=False)]).public_bytes()
        head = oid[6 : 8 + oid[7]]  # behind Name, set and sequence stands the object identifier
        value = " ".join(str(part.value).lower().split()).encode()
        text = b"\x0c" + _length(len(value)) + value
        inner = head + text
        sequence = b"\x30" + _length(len(inner)) + inner
        body += b"\x31" + _length(len(sequence)) + sequence
    return f"{int.from_bytes(hashlib.sha1(body, usedforsecurity=False).digest()[:4], 'little'):08x}\n"


def _length(size: int) -> bytes:
    return bytes([size]) if size < 128 else bytes([0x81, size]) if size < 256 else bytes([0x82, size >> 8, size & 255])


def _matches(cert: pki.Certificate, what: str, wanted: str) -> str:
    try:
        names = cert.extensions.get_extension_for_class(pki.SubjectAlternativeName).value
    except pki.ExtensionNotFound:
        names = pki.SubjectAlternativeName([])
    if what == "checkip":
        try:
            good = ipaddress.ip_address(wanted) in names.get_values_for_type(pki.IPAddress)
        except ValueError:
            good = False
        return f"IP {wanted} {'does' if good else 'does NOT'} match certificate\n"
    hosts = names.get_values_for_type(pki.DNSName)
    if not hosts:
        hosts = [str(part.value) for part in cert.subject.get_attributes_for_oid(pki.NameOID.COMMON_NAME)]
    lower = wanted.lower()
    good = any(host.lower() == lower or (host.startswith("*.") and lower.partition(".")[2] == host[2:].lower()) for host in hosts)
    return f"Hostname {wanted} {'does' if good else 'does NOT'} match certificate\n"


# -- signing --------------------------------------------------------------------------------------------------------------


def _sign(call: Call, asked: Options) -> Code:
    """`x509 -req`: a certificate from a request, signed by a CA or with the request's own key."""
    source = asked.text("in")
    try:
        data = call.read_file(source) if source not in ("", "/dev/stdin") else (yield from call.read())
        request = pki.load_pem_x509_csr(data)
    except OSError as failed:
        raise Wrong(cannot_open(call, source, failed.strerror) + "Unable to load certificate request input\n") from None
    except ValueError:
        return unreadable(call, "certificate request", source or "<stdin>", "", ending=False)
    own = asked.text("signkey") or asked.text("key")
    if not valid(request):
        call.err("Certificate request self-signature did not match the contents\n")
        return 1
    call.err(f"Certificate request self-signature ok\nsubject={name_text(request.subject)}\n")
    if not own and not asked.text("CA"):
        raise Wrong("We need a private key to sign with, use -key or -CAkey or -CA with private key\n")
    authority: pki.Certificate | None = None
    path = own or asked.text("CAkey") or asked.text("CA")
    try:
        if asked.text("CA"):
            authority = load(call.read_file(asked.text("CA")))
    except OSError as failed:
        return unreadable(call, "CA certificate", asked.text("CA"), failed.strerror)
    except ValueError:
        return unreadable(call, "CA certificate", asked.text("CA"), "")
    try:
        key = keys.load_private(call.read_file(path))
    except OSError as failed:
        return unreadable(call, "CA private key" if authority is not None else "private key", path, failed.strerror, ending=False)
    except ValueError:
        return unreadable(call, "CA private key" if authority is not None else "private key", path, "", ending=False)
    if authority is not None and _spki(authority.public_key()) != _spki(key.public_key()):
        call.err(f"CA certificate and CA private key do not match\n{thread(call)}:error:05800074:x509 certificate routines:X509_check_private_key:"
                 "key values mismatch:../crypto/x509/x509_cmp.c:403:\n")  # fmt: skip
        return 1
    cert = _certificate(call, asked, request, authority, key)
    out = b""
    for flag in asked.flags:
        if flag in PRINTED.split():
            out += _shown(call, cert, flag, asked)[0].encode()
    if not asked.on("noout"):
        out += cert.public_bytes(serialization.Encoding.PEM)
    keys.give(call, asked.text("out"), out)
    return 0


def _spki(key: Any) -> bytes:
    return bytes(key.public_bytes(serialization.Encoding.DER, keys.PUBLIC))


def _certificate(
    call: Call, asked: Options, request: pki.CertificateSigningRequest, authority: pki.Certificate | None, key: Any
) -> pki.Certificate:
    now = to_datetime(call.world.wall + call.host.skew).replace(microsecond=0)
    builder = pki.CertificateBuilder().subject_name(request.subject).public_key(request.public_key())
    builder = builder.issuer_name(authority.subject if authority is not None else request.subject)
    builder = builder.serial_number(_serial(call, asked)).not_valid_before(now)
    builder = builder.not_valid_after(now + dt.timedelta(days=number("x509", asked.text("days", "30"))))
    wanted: list[config.Extension] = []
    if asked.text("copy_extensions") in ("copy", "copyall"):
        wanted += [(item.value, item.critical) for item in request.extensions]
    if asked.text("extfile"):
        wanted += _configured(call, asked, request, authority)
    if wanted:
        kinds = {type(value) for value, _ in wanted}
        public: Any = request.public_key()
        if pki.SubjectKeyIdentifier not in kinds:
            wanted.append((pki.SubjectKeyIdentifier.from_public_key(public), False))
        if pki.AuthorityKeyIdentifier not in kinds:
            wanted.append((config.authority(public, authority), False))
    for value, critical in wanted:
        builder = builder.add_extension(value, critical)
    algorithm = algorithm_for(key, asked.flags)
    signed: pki.Certificate = sign(builder, key, algorithm)
    return signed if wanted else first_version(signed, key, algorithm)


def first_version(cert: pki.Certificate, key: Any, algorithm: Any) -> pki.Certificate:
    """The same certificate in the first version of X.509, which certificates without extensions have; signed anew."""
    old = cert.tbs_certificate_bytes
    whole = cert.public_bytes(serialization.Encoding.DER)
    body = old[_header(old) + 5 :]  # the version is a0 03 02 01 02
    tbs = b"\x30" + _length(len(body)) + body
    rest = whole[_header(whole) + len(old) :]
    identifier = rest[: 2 + rest[1]]
    if isinstance(key, rsa.RSAPrivateKey):
        signature = key.sign(tbs, padding.PKCS1v15(), algorithm)
    elif isinstance(key, ec.EllipticCurvePrivateKey):
        signature = key.sign(tbs, ec.ECDSA(algorithm, deterministic_signing=True))
    else:
        signature = key.sign(tbs)
    inner = tbs + identifier + b"\x03" + _length(len(signature) + 1) + b"\0" + signature
    return pki.load_der_x509_certificate(b"\x30" + _length(len(inner)) + inner)


def _header(data: bytes) -> int:
    """The size of tag and length."""
    return 2 if data[1] < 128 else 2 + (data[1] & 127)


def _configured(
    call: Call, asked: Options, request: pki.CertificateSigningRequest, authority: pki.Certificate | None
) -> list[config.Extension]:
    path = asked.text("extfile")
    try:
        sections = config.parse(call.read_file(path))
    except OSError as failed:
        raise Wrong(cannot_open(call, path, failed.strerror)) from None
    name = asked.text("extensions") or sections["default"].get("extensions", "default")
    if name not in sections:
        raise Wrong(
            f"Error checking extension section {name}\n{thread(call)}:error:07000068:configuration file routines:NCONF_get_section:no section\n"
        )
    chosen = {key: value for key, value in sections[name].items() if key != "extensions"}
    return config.extensions(chosen, sections, request.public_key(), authority)


def _serial(call: Call, asked: Options) -> int:
    """The serial number: given, the next of the serial file, or random; the file is written where it is kept."""
    if asked.text("set_serial"):
        return number("x509", asked.text("set_serial"))
    if not asked.text("CA"):
        return random_serial(call)
    path = asked.text("CAserial") or posixpath.splitext(asked.text("CA"))[0] + ".srl"
    kept = call.exists(path)
    if kept:
        try:
            serial = int(call.read_file(path).split()[0], 16) + 1
        except (OSError, ValueError, IndexError):
            raise Wrong(f"unable to load number from {path}\n") from None
    elif asked.text("CAserial") and not asked.on("CAcreateserial"):
        raise Wrong(cannot_open(call, path, "No such file or directory"))
    else:
        serial = random_serial(call)
    if kept or asked.on("CAcreateserial"):
        text = f"{serial:X}"
        call.write_file(path, (text.zfill(len(text) + len(text) % 2) + "\n").encode())
    return serial
