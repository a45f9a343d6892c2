"""Configuration files and X.509 v3 extensions (crypto/conf, doc/man5/config.pod, doc/man5/x509v3_config.pod)."""

from __future__ import annotations

import ipaddress
import re
from typing import Any

from cryptography import x509 as pki

from ...kernel.errors import NotSimulated
from .options import Wrong
from .text import EXTENDED, OIDS, USAGES

Sections = dict[str, dict[str, str]]
#: One extension and whether it is critical.
Extension = tuple[Any, bool]


def parse(data: bytes) -> Sections:
    """Sections of `name = value`; what stands before the first has the name "default".  `$name` and `${section::name}` are replaced."""
    out: Sections = {"default": {}}
    section = "default"
    text = re.sub(r"\\\n", "", data.decode("utf-8", "replace"))
    for raw in text.splitlines():
        line = re.sub(r"(?<!\\)#.*", "", raw).strip()
        head = re.fullmatch(r"\[\s*(.+?)\s*\]", line)
        if head:
            section = head[1]
            out.setdefault(section, {})
            continue
        name, equals, value = line.partition("=")
        if equals:
            out[section][name.strip()] = _expanded(value.strip().strip('"'), section, out)
    return out


def _expanded(value: str, section: str, out: Sections) -> str:
    def one(match: re.Match[str]) -> str:
        where, _, name = match[1].rpartition("::")
        return out.get(where or section, {}).get(name, out["default"].get(name, ""))

    return re.sub(r"\$\{?((?:\w+::)?\w+)\}?", one, value)


def subject(text: str) -> tuple[pki.Name, list[str]]:
    """The name that `-subj` gives, and warnings; raises Wrong."""
    if not text.startswith("/"):
        raise Wrong("req: subject name is expected to be in the format /type0=value0/type1=value1/type2=... where characters may be escaped by \\. "
                    f"This name is not in that format: '{text}'\n")  # fmt: skip
    parts: list[pki.NameAttribute[Any]] = []
    warnings = []
    for piece in re.split(r"(?<!\\)/", text)[1:]:
        name, equals, value = piece.partition("=")
        if not equals:
            if piece:
                raise Wrong(f"req: Missing '=' after RDN type string '{piece}' in subject name string\n")
            continue
        value = re.sub(r"\\(.)", r"\1", value)
        oid = OIDS.get(name)
        if oid is None:
            warnings.append(f'req warning: Skipping unknown subject name attribute "{name}"\n')
        elif not value:
            warnings.append(f'req warning: No value provided for subject name attribute "{name}", skipped\n')
        else:
            parts.append(pki.NameAttribute(oid, value, _validate=False))
    return pki.Name(parts), warnings


def distinguished(section: dict[str, str]) -> pki.Name:
    """The name of a section with `prompt = no`: `CN = web`, `0.OU = a`."""
    parts: list[pki.NameAttribute[Any]] = []
    for key, value in section.items():
        oid = OIDS.get(re.sub(r"^\d+\.", "", key))
        if oid is not None and value:
            parts.append(pki.NameAttribute(oid, value, _validate=False))
    return pki.Name(parts)


def extensions(section: dict[str, str], sections: Sections, public: Any, issuer: Any = None) -> list[Extension]:
    """The extensions of a section, for a key and the key (or certificate) that signs; raises Wrong for wrong values."""
    out: list[Extension] = []
    for name, text in section.items():
        value, critical = re.sub(r"^critical\s*,\s*", "", text), text.startswith("critical")
        made = _extension(name, value, sections, public, issuer)
        if made is not None:
            out.append((made, critical))
    return out


def _words(value: str) -> list[str]:
    return [word.strip() for word in value.split(",") if word.strip()]


def _extension(name: str, value: str, sections: Sections, public: Any, issuer: Any) -> Any:
    if name == "basicConstraints":
        pairs = dict(word.split(":", 1) for word in _words(value) if ":" in word)
        length = int(pairs["pathlen"]) if pairs.get("pathlen", "").isdigit() else None
        return pki.BasicConstraints(pairs.get("CA", "FALSE").upper() in ("TRUE", "YES", "Y"), length)
    if name == "keyUsage":
        wanted = {name for name, conf, text in USAGES for word in _words(value) if word in (conf, text)}
        bits = {attribute: attribute in wanted for attribute, _, _ in USAGES}
        return pki.KeyUsage(**bits, encipher_only=False, decipher_only=False)
    if name == "extendedKeyUsage":
        return pki.ExtendedKeyUsage([_usage(word) for word in _words(value)])
    if name == "subjectAltName":
        return pki.SubjectAlternativeName(_alternatives(value, sections))
    if name == "subjectKeyIdentifier":
        return pki.SubjectKeyIdentifier.from_public_key(public) if value == "hash" else None
    if name == "authorityKeyIdentifier":
        return authority(public, issuer) if value != "none" else None
    raise NotSimulated(f"openssl extension {name}")


def authority(public: Any, issuer: Any) -> pki.AuthorityKeyIdentifier:
    """The identifier of the key that signs: of the issuer's certificate, or of the key itself."""
    if isinstance(issuer, pki.Certificate):
        try:
            held = issuer.extensions.get_extension_for_class(pki.SubjectKeyIdentifier).value
            return pki.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(held)
        except pki.ExtensionNotFound:
            return pki.AuthorityKeyIdentifier.from_issuer_public_key(issuer.public_key())  # type: ignore[arg-type]
    return pki.AuthorityKeyIdentifier.from_issuer_public_key(public)


def _usage(word: str) -> pki.ObjectIdentifier:
    for oid, name, text in EXTENDED:
        if word in (name, text):
            return oid
    if re.fullmatch(r"[0-2](\.\d+)+", word):
        return pki.ObjectIdentifier(word)
    raise Wrong(f"Error checking extension section default\nunknown extended key usage {word}\n")


def _alternatives(value: str, sections: Sections) -> list[pki.GeneralName]:
    pairs: list[tuple[str, str]] = []
    for word in _words(value):
        if word.startswith("@"):
            pairs += [(re.sub(r"\.\d+$", "", key), text) for key, text in sections.get(word[1:], {}).items()]
        else:
            kind, _, text = word.partition(":")
            pairs.append((kind, text))
    out: list[pki.GeneralName] = []
    for kind, text in pairs:
        if kind == "DNS":
            out.append(pki.DNSName(text))
        elif kind == "IP":
            try:
                out.append(pki.IPAddress(ipaddress.ip_address(text)))
            except ValueError:
                raise Wrong(f"Error adding extensions from section v3_req\nbad ip address: value={text}\n") from None
        elif kind == "email":
            out.append(pki.RFC822Name(text))
        elif kind == "URI":
            out.append(pki.UniformResourceIdentifier(text))
        else:
            raise Wrong(f"Error adding extensions\nunsupported option: name={kind}\n")
    return out
