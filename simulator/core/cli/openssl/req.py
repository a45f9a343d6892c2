"""`openssl req`: certificate requests and self-signed certificates (apps/req.c)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Generator
from typing import Any

from cryptography import x509 as pki
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from ...host.invocation import Call
from ...host.program import Wait
from ...kernel.clock import to_datetime
from ...kernel.errors import NotSimulated
from . import config, keys
from .options import Options, Wrong, cannot_open, number, parse, unreadable
from .text import OIDS, name_text, request_text

Code = Generator[Wait, Any, int]
DIGESTS: dict[str, type[hashes.HashAlgorithm]] = {
    "sha256": hashes.SHA256,
    "sha384": hashes.SHA384,
    "sha512": hashes.SHA512,
    "sha224": hashes.SHA224,
}
#: What the stock configuration asks for a name: text, default, part.
PROMPTS = (
    ("Country Name (2 letter code)", "AU", "C"), ("State or Province Name (full name)", "Some-State", "ST"),
    ("Locality Name (eg, city)", "", "L"), ("Organization Name (eg, company)", "Internet Widgits Pty Ltd", "O"),
    ("Organizational Unit Name (eg, section)", "", "OU"), ("Common Name (e.g. server FQDN or YOUR name)", "", "CN"),
    ("Email Address", "", "emailAddress"),
)  # fmt: skip
INTRODUCTION = """You are about to be asked to enter information that will be incorporated
into your certificate request.
What you are about to enter is what is called a Distinguished Name or a DN.
There are quite a few fields but you can leave some blank
For some fields there will be a default value,
If you enter '.', the field will be left blank.
-----
"""
#: What the stock configuration gives a self-signed certificate.
V3_CA = {"subjectKeyIdentifier": "hash", "authorityKeyIdentifier": "keyid:always,issuer", "basicConstraints": "critical,CA:true"}


def algorithm_for(key: Any, flags: list[str]) -> Any:
    """The digest that a key signs with."""
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return None
    return next((DIGESTS[flag] for flag in flags if flag in DIGESTS), hashes.SHA256)()


def sign(builder: Any, key: Any, algorithm: Any) -> Any:
    """Sign so that replays agree: ECDSA with a nonce that follows from the message."""
    return builder.sign(key, algorithm, ecdsa_deterministic=True if isinstance(key, ec.EllipticCurvePrivateKey) else None)


def req(call: Call, words: list[str]) -> Code:
    """Make a request, make a self-signed certificate (`-x509`), or show a request (`-in`)."""
    try:
        asked = parse("req", words, "in out key keyout newkey subj days config addext extensions reqexts inform outform set_serial nameopt",
                      "new nodes noenc x509 text noout verify subject pubkey batch utf8 modulus verbose " + " ".join(DIGESTS),
                      not_yet="CA CAkey passin passout md5 sha1 multivalue-rdn keyform", other="option or message digest")  # fmt: skip
        return (yield from _req(call, asked))
    except Wrong as wrong:
        call.err(str(wrong))
        return 1


def _req(call: Call, asked: Options) -> Code:
    sections = _configuration(call, asked)
    if asked.text("newkey"):
        key: Any = yield from _new_key(call, asked)
    elif asked.text("key"):
        try:
            key = keys.load_private(call.read_file(asked.text("key")))
        except OSError as failed:
            return unreadable(call, "private key", asked.text("key"), failed.strerror, ending=False)
        except ValueError:
            return unreadable(call, "private key", asked.text("key"), "", ending=False)
    elif asked.on("new") or (asked.on("x509") and not asked.text("in")):
        if not (asked.on("nodes") or asked.on("noenc")):
            raise NotSimulated("openssl req -new without -key or -nodes (encrypted keys)")
        key = yield from _new_key(call, asked)
    else:
        key = None
    if key is None or asked.text("in"):
        return (yield from _existing(call, asked))
    name = yield from _name(call, asked, sections)
    made: Any = _certificate(call, asked, sections, key, name) if asked.on("x509") else _request(asked, sections, key, name)
    _show(call, asked, made)
    return 0


def _configuration(call: Call, asked: Options) -> config.Sections:
    path = asked.text("config")
    if not path:
        return {}
    try:
        return config.parse(call.read_file(path))
    except OSError as failed:
        raise Wrong(cannot_open(call, path, failed.strerror)) from None


def _new_key(call: Call, asked: Options) -> Generator[Wait, Any, Any]:
    if not (asked.on("nodes") or asked.on("noenc")):
        raise NotSimulated("openssl req -newkey without -nodes (encrypted keys)")
    kind, _, size = asked.text("newkey", "rsa:2048").partition(":")
    if kind == "rsa":
        rng = call.world.rng("openssl-dots")
        for _ in range(2):
            call.err("".join("..+"[rng.below(3)] for _ in range(rng.between(4, 60))) + "+" * 65 + "\n")
        call.err("-----\n")
        key: Any = yield from keys.make_rsa(call, number("req", size or "2048"))
    elif kind == "ed25519":
        raise NotSimulated("openssl req -newkey ed25519")
    elif kind == "ec":
        curve = dict(item.split(":", 1) for item in asked.values.get("pkeyopt", []) if ":" in item).get(
            "ec_paramgen_curve", "prime256v1"
        )
        key = keys.make_ec(call, curve)
        call.err("-----\n")
    else:
        raise NotSimulated(f"openssl req -newkey {asked.text('newkey')}")
    keys.give(call, asked.text("keyout", "privkey.pem"), keys.private_pem(key), 0o600)
    return key


def _name(call: Call, asked: Options, sections: config.Sections) -> Generator[Wait, Any, pki.Name]:
    if "subj" in asked.flags:
        name, warnings = config.subject(asked.text("subj"))
        call.err("".join(warnings))
        return name
    main = sections.get("req", {})
    wanted = sections.get(main.get("distinguished_name", ""), {})
    if sections and main.get("prompt") == "no":
        return config.distinguished(wanted)
    if asked.on("batch"):
        return pki.Name([pki.NameAttribute(OIDS[part], default, _validate=False) for _, default, part in PROMPTS if default])
    call.err(INTRODUCTION)
    parts: list[pki.NameAttribute[Any]] = []
    for text, default, part in _prompts(wanted) if wanted else PROMPTS:
        answer = yield from _ask(call, f"{text} [{default}]:")
        value = "" if answer == "." else answer or default
        if value:
            parts.append(pki.NameAttribute(OIDS[part], value, _validate=False))
    if not asked.on("x509") and not wanted:
        call.err("\nPlease enter the following 'extra' attributes\nto be sent with your certificate request\n")
        for text in ("A challenge password", "An optional company name"):
            yield from _ask(call, f"{text} []:")
    return pki.Name(parts)


def _prompts(section: dict[str, str]) -> list[tuple[str, str, str]]:
    """The prompts of a configuration's section: `commonName = Common Name`, `commonName_default = web`."""
    short = {oid: name for name, oid in OIDS.items()}
    return [(text, section.get(name + "_default", ""), short[OIDS[name]]) for name, text in section.items() if name in OIDS]


def _ask(call: Call, prompt: str) -> Generator[Wait, Any, str]:
    call.err(prompt)
    line = yield from call.read_line()
    if not line:
        raise Wrong("Error making certificate request\n")
    return str(line.decode("utf-8", "replace").strip())


def _extensions(asked: Options, sections: config.Sections, key: Any, section: str) -> list[config.Extension]:
    named = asked.text("extensions" if asked.on("x509") else "reqexts") or sections.get("req", {}).get(section, "")
    wanted = dict(sections.get(named, {}))
    if asked.on("x509") and not asked.text("config"):
        wanted = dict(V3_CA)
    for text in asked.values.get("addext", []):
        name, _, value = text.partition("=")
        wanted[name.strip()] = value.strip()
    return config.extensions(wanted, sections, key.public_key())


def _request(asked: Options, sections: config.Sections, key: Any, name: pki.Name) -> pki.CertificateSigningRequest:
    builder = pki.CertificateSigningRequestBuilder().subject_name(name)
    for value, critical in _extensions(asked, sections, key, "req_extensions"):
        builder = builder.add_extension(value, critical)
    signed: pki.CertificateSigningRequest = sign(builder, key, algorithm_for(key, asked.flags))
    return signed


def _certificate(call: Call, asked: Options, sections: config.Sections, key: Any, name: pki.Name) -> pki.Certificate:
    serial = number("req", asked.text("set_serial")) if asked.text("set_serial") else random_serial(call)
    now = to_datetime(call.world.wall + call.host.skew).replace(microsecond=0)
    builder = pki.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(serial)
    builder = builder.not_valid_before(now).not_valid_after(now + dt.timedelta(days=number("req", asked.text("days", "30"))))
    for value, critical in _extensions(asked, sections, key, "x509_extensions"):
        builder = builder.add_extension(value, critical)
    signed: pki.Certificate = sign(builder, key, algorithm_for(key, asked.flags))
    return signed


def random_serial(call: Call) -> int:
    """A serial number of 159 random bits."""
    rng = call.world.rng("openssl")
    return ((rng.bits64() << 128) | (rng.bits64() << 64) | rng.bits64()) >> 33 | 1 << 150


def _existing(call: Call, asked: Options) -> Code:
    source = asked.text("in")
    try:
        data = call.read_file(source) if source not in ("", "/dev/stdin") else (yield from call.read())
        request = pki.load_pem_x509_csr(data) if b"-----BEGIN" in data else pki.load_der_x509_csr(data)
    except OSError as failed:
        raise Wrong(cannot_open(call, source, failed.strerror) + "Unable to load X509 request\n") from None
    except ValueError:
        return unreadable(call, "certificate request", source or "<stdin>", "", ending=False)
    if asked.on("verify"):
        good = valid(request)
        call.err(f"Certificate request self-signature verify {'OK' if good else 'failure'}\n")
        if not good:
            return 1
    _show(call, asked, request)
    return 0


def valid(request: pki.CertificateSigningRequest) -> bool:
    """Whether a request is signed with its own key."""
    try:
        return request.is_signature_valid
    except InvalidSignature:
        return False


def _show(call: Call, asked: Options, made: Any) -> None:
    """Print what was asked of a request or certificate, and itself unless `-noout`."""
    from .text import certificate_text

    parts = b""
    for flag in asked.flags:
        if flag == "subject":
            parts += f"subject={name_text(made.subject)}\n".encode()
        elif flag == "text":
            parts += (certificate_text(made) if isinstance(made, pki.Certificate) else request_text(made)).encode()
        elif flag == "pubkey":
            parts += made.public_key().public_bytes(serialization.Encoding.PEM, keys.PUBLIC)
    if not asked.on("noout"):
        der = asked.text("outform").upper() == "DER"
        parts += made.public_bytes(serialization.Encoding.DER if der else serialization.Encoding.PEM)
    keys.give(call, asked.text("out"), parts)
