"""`openssl x509`, `openssl verify` and `openssl version` (apps/x509.c, apps/verify.c, crypto/x509/t_x509.c of OpenSSL 3.0)."""

from __future__ import annotations

import ipaddress
from collections.abc import Generator, Iterator
from typing import Any

from cryptography import x509 as pki
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from ..host.invocation import Call
from ..host.program import Wait
from ..kernel.clock import SECOND, to_datetime
from ..kernel.errors import NotSimulated

Code = Generator[Wait, Any, int]
_SHORT = {
    NameOID.COMMON_NAME: "CN", NameOID.ORGANIZATION_NAME: "O", NameOID.ORGANIZATIONAL_UNIT_NAME: "OU", NameOID.COUNTRY_NAME: "C",
    NameOID.LOCALITY_NAME: "L", NameOID.STATE_OR_PROVINCE_NAME: "ST", NameOID.EMAIL_ADDRESS: "emailAddress",
}  # fmt: skip
_USAGES = {
    "digital_signature": "Digital Signature", "content_commitment": "Non Repudiation", "key_encipherment": "Key Encipherment",
    "data_encipherment": "Data Encipherment", "key_agreement": "Key Agreement", "key_cert_sign": "Certificate Sign", "crl_sign": "CRL Sign",
}  # fmt: skip
_EXTENDED = {
    ExtendedKeyUsageOID.SERVER_AUTH: "TLS Web Server Authentication", ExtendedKeyUsageOID.CLIENT_AUTH: "TLS Web Client Authentication",
    ExtendedKeyUsageOID.CODE_SIGNING: "Code Signing", ExtendedKeyUsageOID.EMAIL_PROTECTION: "E-mail Protection",
}  # fmt: skip
#: `-ext` names and the titles of t_x509.c.
_TITLES = {
    "keyUsage": "X509v3 Key Usage", "extendedKeyUsage": "X509v3 Extended Key Usage", "basicConstraints": "X509v3 Basic Constraints",
    "subjectKeyIdentifier": "X509v3 Subject Key Identifier", "authorityKeyIdentifier": "X509v3 Authority Key Identifier",
    "subjectAltName": "X509v3 Subject Alternative Name",
}  # fmt: skip
PRINTED = ("-subject", "-issuer", "-dates", "-startdate", "-enddate", "-serial", "-fingerprint", "-text", "-pubkey")


def openssl(call: Call) -> Code:
    """`openssl x509 | verify | version`."""
    command = call.argv[1] if len(call.argv) > 1 else ""
    if command == "version":
        call.out("OpenSSL 3.0.13 30 Jan 2024 (Library: OpenSSL 3.0.13 30 Jan 2024)\n")
        return 0
    if command == "x509":
        return (yield from _x509(call, call.argv[2:]))
    if command == "verify":
        return _verify(call, call.argv[2:])
    if command in (
        "req",
        "genrsa",
        "ecparam",
        "genpkey",
        "rsa",
        "ec",
        "pkey",
        "s_client",
        "dgst",
        "enc",
        "rand",
        "pkcs12",
        "ca",
        "asn1parse",
    ):
        raise NotSimulated(f"openssl {command}")
    call.err(f"Invalid command '{command}'; type \"help\" for a list.\n" if command else "")
    if not command:
        raise NotSimulated("interactive openssl")
    return 1


def _x509(call: Call, words: list[str]) -> Code:
    source, names, shown, checkend, digest = "", "", [], -1, "sha1"
    at, noout = 0, False
    while at < len(words):
        word = words[at].replace("--", "-", 1)
        at += 1
        if word in ("-in", "-ext", "-checkend", "-inform"):
            if at >= len(words):
                call.err(f"x509: Option {word} needs a value\nx509: Use -help for summary.\n")
                return 1
            value, at = words[at], at + 1
            if word == "-in":
                source = value
            elif word == "-ext":
                names = value
                shown.append(word)
            elif word == "-checkend" and value.isdigit():
                checkend = int(value)
            elif value.upper() != "PEM":
                raise NotSimulated(f"openssl x509 {word} {value}")
        elif word == "-noout":
            noout = True
        elif word in ("-sha1", "-sha256", "-md5", "-sha512"):
            digest = word[1:]
        elif word in PRINTED:
            shown.append(word)
        elif word in (
            "-req",
            "-days",
            "-CA",
            "-CAkey",
            "-nameopt",
            "-certopt",
            "-modulus",
            "-hash",
            "-purpose",
            "-outform",
            "-out",
            "-signkey",
        ):
            raise NotSimulated(f"openssl x509 {word}")
        else:
            call.err(f"x509: Unknown option or cipher: {word.lstrip('-')}\nx509: Use -help for summary.\n")
            return 1
    try:
        data = call.read_file(source) if source else (yield from call.read())
        cert = pki.load_pem_x509_certificate(data)
    except OSError as failed:
        return _unreadable(call, source, failed.strerror)
    except ValueError:
        return _unreadable(call, source or "<stdin>", "")
    for one in shown:
        call.out(_shown(cert, one, names, digest))
    if checkend >= 0:
        over = _seconds(cert.not_valid_after_utc) * SECOND < call.world.wall + checkend * SECOND
        call.out("Certificate will expire\n" if over else "Certificate will not expire\n")
        return int(over)
    if not noout:
        call.out(cert.public_bytes(serialization.Encoding.PEM))
    return 0


def _seconds(when: Any) -> int:
    return int(when.timestamp())


def _unreadable(call: Call, source: str, why: str | None) -> int:
    thread = f"40{call.world.rng('openssl').bits64() >> 40:06X}7F0000"
    if why:
        call.err(
            f"Could not open file or uri for loading certificate from {source}\n"
            f"{thread}:error:16000069:STORE routines:ossl_store_get0_loader_int:unregistered scheme:"
            f"../crypto/store/store_register.c:237:scheme=file\n{thread}:error:80000002:system library:file_open:{why}:"
            f"../providers/implementations/storemgmt/file_store.c:266:calling stat({source})\n"
        )
    else:
        call.err(
            f"Could not read certificate from {source}\n{thread}:error:1608010C:STORE routines:ossl_store_handle_load_result:"
            "unsupported:../crypto/store/store_result.c:149:\n"
        )
    call.err("Unable to load certificate\n")
    return 1


def name_text(name: pki.Name) -> str:
    """`O = devs, CN = jane`."""
    return ", ".join(f"{_SHORT.get(part.oid, part.oid.dotted_string)} = {part.value!s}" for part in name)


def _time(when: Any) -> str:
    return f"{when:%b} {when.day:2d} {when:%H:%M:%S %Y} GMT"


def _hex(data: bytes, upper: bool = True) -> str:
    text = data.hex(":")
    return text.upper() if upper else text


def _block(data: bytes, indent: int, width: int) -> str:
    rows = [data[at : at + width] for at in range(0, len(data), width)]
    return "".join(" " * indent + _hex(row, False) + (":\n" if n < len(rows) - 1 else "\n") for n, row in enumerate(rows))


def _shown(cert: pki.Certificate, what: str, names: str, digest: str) -> str:
    start, end = f"notBefore={_time(cert.not_valid_before_utc)}\n", f"notAfter={_time(cert.not_valid_after_utc)}\n"
    serial = f"{cert.serial_number:X}"
    algorithm: Any = {"sha1": hashes.SHA1, "sha256": hashes.SHA256, "md5": hashes.MD5, "sha512": hashes.SHA512}[digest]
    return {
        "-subject": lambda: f"subject={name_text(cert.subject)}\n",
        "-issuer": lambda: f"issuer={name_text(cert.issuer)}\n",
        "-startdate": lambda: start,
        "-enddate": lambda: end,
        "-dates": lambda: start + end,
        "-serial": lambda: f"serial={serial.zfill(len(serial) + len(serial) % 2)}\n",
        "-fingerprint": lambda: f"{digest} Fingerprint={_hex(cert.fingerprint(algorithm()))}\n",
        "-pubkey": lambda: (
            cert.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()
        ),
        "-ext": lambda: "".join(_extensions(cert, "", names.split(","))) or "No extensions matched\n",
        "-text": lambda: certificate_text(cert),
    }[what]()


def _extensions(cert: pki.Certificate, indent: str, only: list[str]) -> Iterator[str]:
    for extension in cert.extensions:
        found = _extension(extension.value)
        if found is None or (only and found[0] not in only):
            continue
        yield f"{indent}{_TITLES[found[0]]}: {'critical' if extension.critical else ''}\n{indent}    {found[1]}\n"


def _extension(value: Any) -> tuple[str, str] | None:
    if isinstance(value, pki.KeyUsage):
        return "keyUsage", ", ".join(text for name, text in _USAGES.items() if getattr(value, name))
    if isinstance(value, pki.ExtendedKeyUsage):
        return "extendedKeyUsage", ", ".join(_EXTENDED.get(oid, oid.dotted_string) for oid in value)
    if isinstance(value, pki.BasicConstraints):
        length = f", pathlen:{value.path_length}" if value.path_length is not None else ""
        return "basicConstraints", f"CA:{'TRUE' if value.ca else 'FALSE'}{length}"
    if isinstance(value, pki.SubjectKeyIdentifier):
        return "subjectKeyIdentifier", _hex(value.digest)
    if isinstance(value, pki.AuthorityKeyIdentifier):
        return "authorityKeyIdentifier", _hex(value.key_identifier or b"")
    if isinstance(value, pki.SubjectAlternativeName):
        return "subjectAltName", ", ".join(_general(name) for name in value)
    return None


def _general(name: pki.GeneralName) -> str:
    if isinstance(name, pki.IPAddress):
        address = name.value
        if isinstance(address, ipaddress.IPv6Address):
            return "IP Address:" + ":".join(f"{int(part, 16):X}" for part in address.exploded.split(":"))
        return f"IP Address:{address}"
    return ("DNS:" if isinstance(name, pki.DNSName) else "URI:") + str(name.value)


def _key_text(key: Any) -> str:
    if isinstance(key, rsa.RSAPublicKey):
        numbers = key.public_numbers()
        size = (key.key_size + 7) // 8
        modulus = b"\0" + numbers.n.to_bytes(size, "big")
        return (
            "            Public Key Algorithm: rsaEncryption\n"
            f"                Public-Key: ({key.key_size} bit)\n                Modulus:\n{_block(modulus, 20, 15)}"
            f"                Exponent: {numbers.e} (0x{numbers.e:x})\n"
        )
    if isinstance(key, ec.EllipticCurvePublicKey):
        point = key.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
        curve = {"secp256r1": ("prime256v1", "P-256"), "secp384r1": ("secp384r1", "P-384")}.get(
            key.curve.name, (key.curve.name, "")
        )
        return (
            "            Public Key Algorithm: id-ecPublicKey\n"
            f"                Public-Key: ({key.key_size} bit)\n                pub:\n{_block(point, 20, 15)}"
            f"                ASN1 OID: {curve[0]}\n" + (f"                NIST CURVE: {curve[1]}\n" if curve[1] else "")
        )
    raise NotSimulated("openssl x509 -text of this kind of key")


def certificate_text(cert: pki.Certificate) -> str:
    """What `-text` prints."""
    number = cert.serial_number
    if number < 1 << 63:
        serial = f" {number} (0x{number:x})\n"
    else:
        serial = "\n            " + _hex(number.to_bytes((number.bit_length() + 7) // 8, "big"), False) + "\n"
    algorithm = cert.signature_algorithm_oid._name
    extensions = "".join(_extensions(cert, "            ", []))
    return (
        f"Certificate:\n    Data:\n        Version: {cert.version.value + 1} (0x{cert.version.value:x})\n        Serial Number:{serial}"
        f"        Signature Algorithm: {algorithm}\n        Issuer: {name_text(cert.issuer)}\n        Validity\n"
        f"            Not Before: {_time(cert.not_valid_before_utc)}\n            Not After : {_time(cert.not_valid_after_utc)}\n"
        f"        Subject: {name_text(cert.subject)}\n        Subject Public Key Info:\n{_key_text(cert.public_key())}"
        + (f"        X509v3 extensions:\n{extensions}" if extensions else "")
        + f"    Signature Algorithm: {algorithm}\n    Signature Value:\n{_block(cert.signature, 8, 18)}"
    )


# -- verify -------------------------------------------------------------------------------------------------------------


def _issued(cert: pki.Certificate, issuer: pki.Certificate) -> bool:
    try:
        cert.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _verify(call: Call, words: list[str]) -> int:
    trusted: list[pki.Certificate] = []
    between: list[pki.Certificate] = []
    names: list[str] = []
    at = 0
    while at < len(words):
        word, at = words[at], at + 1
        if word in ("-CAfile", "-untrusted"):
            path, at = words[at] if at < len(words) else "", at + 1
            try:
                (trusted if word == "-CAfile" else between).extend(pki.load_pem_x509_certificates(call.read_file(path)))
            except (OSError, ValueError):
                call.err(f"Error loading file {path}\n")
                return 1
        elif word.startswith("-"):
            raise NotSimulated(f"openssl verify {word}")
        else:
            names.append(word)
    code = 0
    for name in names:
        try:
            cert = pki.load_pem_x509_certificate(call.read_file(name))
        except OSError as failed:
            code = _unreadable(call, name, failed.strerror)
            continue
        except ValueError:
            code = _unreadable(call, name, "")
            continue
        failure = _chain(call, cert, trusted, between)
        if failure is None:
            call.out(f"{name}: OK\n")
            continue
        depth, number, why, subject = failure
        call.err(f"{name_text(subject)}\nerror {number} at {depth} depth lookup: {why}\nerror {name}: verification failed\n")
        code = 2
    return code


def _chain(
    call: Call, cert: pki.Certificate, trusted: list[pki.Certificate], between: list[pki.Certificate]
) -> tuple[int, int, str, pki.Name] | None:
    """None when a chain leads to a trusted certificate, else depth, number and text of the first error."""
    now, here = to_datetime(call.world.wall), cert
    for depth in range(10):
        above = next((one for one in trusted if one == here or _issued(here, one)), None)
        link = above or next((one for one in between if _issued(here, one)), None)
        if link is None:
            if _issued(here, here):
                return (
                    depth,
                    18 if depth == 0 else 19,
                    "self-signed certificate" + (" in certificate chain" if depth else ""),
                    here.subject,
                )
            return depth, 20, "unable to get local issuer certificate", here.subject
        for level, one in ((depth + 1, link), (depth, here)):
            if one.not_valid_before_utc > now:
                return level, 9, "certificate is not yet valid", one.subject
            if one.not_valid_after_utc < now:
                return level, 10, "certificate has expired", one.subject
        if above is not None:
            return None
        here = link
    return 9, 22, "certificate chain too long", here.subject
