"""Names, keys and extensions as OpenSSL prints them (crypto/x509/t_x509.c, crypto/asn1/a_strex.c, crypto/x509/v3_*.c)."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator
from typing import Any

from cryptography import x509 as pki
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from ...kernel.errors import NotSimulated

#: Short names of the parts of a distinguished name, as `-subj` takes them and `-subject` prints them.
SHORT = {
    NameOID.COMMON_NAME: "CN", NameOID.ORGANIZATION_NAME: "O", NameOID.ORGANIZATIONAL_UNIT_NAME: "OU", NameOID.COUNTRY_NAME: "C",
    NameOID.LOCALITY_NAME: "L", NameOID.STATE_OR_PROVINCE_NAME: "ST", NameOID.EMAIL_ADDRESS: "emailAddress", NameOID.USER_ID: "UID",
    NameOID.DOMAIN_COMPONENT: "DC", NameOID.SERIAL_NUMBER: "serialNumber", NameOID.SURNAME: "SN", NameOID.GIVEN_NAME: "GN",
}  # fmt: skip
LONG = {
    "commonName": NameOID.COMMON_NAME, "organizationName": NameOID.ORGANIZATION_NAME, "organizationalUnitName": NameOID.ORGANIZATIONAL_UNIT_NAME,
    "countryName": NameOID.COUNTRY_NAME, "localityName": NameOID.LOCALITY_NAME, "stateOrProvinceName": NameOID.STATE_OR_PROVINCE_NAME,
}  # fmt: skip
OIDS: dict[str, pki.ObjectIdentifier] = {**{short: oid for oid, short in SHORT.items()}, **LONG}
#: Key usages in the order of their bits: attribute, name in configurations, text.
USAGES = (
    ("digital_signature", "digitalSignature", "Digital Signature"), ("content_commitment", "nonRepudiation", "Non Repudiation"),
    ("key_encipherment", "keyEncipherment", "Key Encipherment"), ("data_encipherment", "dataEncipherment", "Data Encipherment"),
    ("key_agreement", "keyAgreement", "Key Agreement"), ("key_cert_sign", "keyCertSign", "Certificate Sign"), ("crl_sign", "cRLSign", "CRL Sign"),
)  # fmt: skip
#: Extended usages: OID, name in configurations, text.
EXTENDED = (
    (ExtendedKeyUsageOID.SERVER_AUTH, "serverAuth", "TLS Web Server Authentication"),
    (ExtendedKeyUsageOID.CLIENT_AUTH, "clientAuth", "TLS Web Client Authentication"),
    (ExtendedKeyUsageOID.CODE_SIGNING, "codeSigning", "Code Signing"),
    (ExtendedKeyUsageOID.EMAIL_PROTECTION, "emailProtection", "E-mail Protection"),
    (ExtendedKeyUsageOID.TIME_STAMPING, "timeStamping", "Time Stamping"), (ExtendedKeyUsageOID.OCSP_SIGNING, "OCSPSigning", "OCSP Signing"),
    (ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE, "anyExtendedKeyUsage", "Any Extended Key Usage"),
)  # fmt: skip
#: `-ext` names and the titles of extensions.
TITLES = {
    "keyUsage": "X509v3 Key Usage", "extendedKeyUsage": "X509v3 Extended Key Usage", "basicConstraints": "X509v3 Basic Constraints",
    "subjectKeyIdentifier": "X509v3 Subject Key Identifier", "authorityKeyIdentifier": "X509v3 Authority Key Identifier",
    "subjectAltName": "X509v3 Subject Alternative Name",
}  # fmt: skip
CURVES = {"secp256r1": ("prime256v1", "P-256"), "secp384r1": ("secp384r1", "P-384"), "secp521r1": ("secp521r1", "P-521")}


def name_text(name: pki.Name, *, rfc2253: bool = False) -> str:
    """`O = devs, CN = jane`; with `rfc2253` `CN=jane,O=devs`."""
    parts = [(SHORT.get(part.oid, part.oid.dotted_string), str(part.value)) for part in name]
    if rfc2253:
        return ",".join(f"{short}={value}" for short, value in reversed(parts))
    return ", ".join(f"{short} = {value}" for short, value in parts)


def time_text(when: Any) -> str:
    """`Nov  2 09:00:00 2026 GMT`."""
    return f"{when:%b} {when.day:2d} {when:%H:%M:%S %Y} GMT"


def hexadecimal(data: bytes, upper: bool = True) -> str:
    """`C5:BB:52`."""
    text = data.hex(":")
    return text.upper() if upper else text


def block(data: bytes, indent: int, width: int) -> str:
    """Rows of `width` bytes, a colon at the end of all but the last."""
    rows = [data[at : at + width] for at in range(0, len(data), width)]
    return "".join(" " * indent + hexadecimal(row, False) + (":\n" if n < len(rows) - 1 else "\n") for n, row in enumerate(rows))


def extensions_text(extensions: Iterable[pki.Extension[Any]], indent: str, only: list[str]) -> Iterator[str]:
    """The extensions that are known here, each with its title; `only` names the wanted ones."""
    for extension in extensions:
        found = _extension(extension.value)
        if found is None or (only and found[0] not in only):
            continue
        yield f"{indent}{TITLES[found[0]]}: {'critical' if extension.critical else ''}\n{indent}    {found[1]}\n"


def _extension(value: Any) -> tuple[str, str] | None:
    if isinstance(value, pki.KeyUsage):
        return "keyUsage", ", ".join(text for name, _, text in USAGES if getattr(value, name))
    if isinstance(value, pki.ExtendedKeyUsage):
        texts = {oid: text for oid, _, text in EXTENDED}
        return "extendedKeyUsage", ", ".join(texts.get(oid, oid.dotted_string) for oid in value)
    if isinstance(value, pki.BasicConstraints):
        length = f", pathlen:{value.path_length}" if value.path_length is not None else ""
        return "basicConstraints", f"CA:{'TRUE' if value.ca else 'FALSE'}{length}"
    if isinstance(value, pki.SubjectKeyIdentifier):
        return "subjectKeyIdentifier", hexadecimal(value.digest)
    if isinstance(value, pki.AuthorityKeyIdentifier):
        return "authorityKeyIdentifier", hexadecimal(value.key_identifier or b"")
    if isinstance(value, pki.SubjectAlternativeName):
        return "subjectAltName", ", ".join(_general(name) for name in value)
    return None


def _general(name: pki.GeneralName) -> str:
    if isinstance(name, pki.IPAddress):
        address = name.value
        if isinstance(address, ipaddress.IPv6Address):
            return "IP Address:" + ":".join(f"{int(part, 16):X}" for part in address.exploded.split(":"))
        return f"IP Address:{address}"
    word = "DNS" if isinstance(name, pki.DNSName) else "email" if isinstance(name, pki.RFC822Name) else "URI"
    return f"{word}:{name.value}"


def public_key_text(key: Any) -> str:
    """`Public Key Algorithm: …` as certificates and requests show it."""
    if isinstance(key, rsa.RSAPublicKey):
        numbers = key.public_numbers()
        modulus = b"\0" + numbers.n.to_bytes((key.key_size + 7) // 8, "big")
        return (
            "            Public Key Algorithm: rsaEncryption\n"
            f"                Public-Key: ({key.key_size} bit)\n                Modulus:\n{block(modulus, 20, 15)}"
            f"                Exponent: {numbers.e} (0x{numbers.e:x})\n"
        )
    if isinstance(key, ec.EllipticCurvePublicKey):
        return (
            "            Public Key Algorithm: id-ecPublicKey\n"
            f"                Public-Key: ({key.key_size} bit)\n                pub:\n{block(point(key), 20, 15)}{curve_text(key, 16)}"
        )
    if isinstance(key, ed25519.Ed25519PublicKey):
        raw = key.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        return f"            Public Key Algorithm: ED25519\n                ED25519 Public-Key:\n                pub:\n{block(raw, 20, 15)}"
    raise NotSimulated("openssl with this kind of key")


def point(key: ec.EllipticCurvePublicKey) -> bytes:
    """The point of an EC key, uncompressed."""
    return key.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)


def curve_text(key: Any, indent: int) -> str:
    """The two lines that name a curve."""
    name, nist = CURVES.get(key.curve.name, (key.curve.name, ""))
    pad = " " * indent
    return f"{pad}ASN1 OID: {name}\n" + (f"{pad}NIST CURVE: {nist}\n" if nist else "")


def certificate_text(cert: pki.Certificate) -> str:
    """What `x509 -text` prints."""
    number = cert.serial_number
    if number < 1 << 63:
        serial = f" {number} (0x{number:x})\n"
    else:
        serial = "\n            " + hexadecimal(number.to_bytes((number.bit_length() + 7) // 8, "big"), False) + "\n"
    algorithm = cert.signature_algorithm_oid._name
    extensions = "".join(extensions_text(cert.extensions, "            ", []))
    return (
        f"Certificate:\n    Data:\n        Version: {cert.version.value + 1} (0x{cert.version.value:x})\n        Serial Number:{serial}"
        f"        Signature Algorithm: {algorithm}\n        Issuer: {name_text(cert.issuer)}\n        Validity\n"
        f"            Not Before: {time_text(cert.not_valid_before_utc)}\n            Not After : {time_text(cert.not_valid_after_utc)}\n"
        f"        Subject: {name_text(cert.subject)}\n        Subject Public Key Info:\n{public_key_text(cert.public_key())}"
        + (f"        X509v3 extensions:\n{extensions}" if extensions else "")
        + f"    Signature Algorithm: {algorithm}\n    Signature Value:\n{block(cert.signature, 8, 18)}"
    )


def request_text(request: pki.CertificateSigningRequest) -> str:
    """What `req -text` prints."""
    extensions = "".join(extensions_text(request.extensions, "                ", []))
    attributes = "" if extensions else "            (none)\n"
    return (
        f"Certificate Request:\n    Data:\n        Version: 1 (0x0)\n        Subject: {name_text(request.subject)}\n"
        f"        Subject Public Key Info:\n{public_key_text(request.public_key())}        Attributes:\n{attributes}"
        f"            Requested Extensions:\n{extensions}"
        f"    Signature Algorithm: {request.signature_algorithm_oid._name}\n    Signature Value:\n{block(request.signature, 8, 18)}"
    )
