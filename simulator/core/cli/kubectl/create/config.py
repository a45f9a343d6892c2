"""`kubectl create configmap | secret …` (`create_configmap.go`, `create_secret*.go`)."""

from __future__ import annotations

import base64
import posixpath
import re
from collections.abc import Callable
from typing import Any

from ....kube.api import names
from ...cobra import Command, Flag
from ...flags import quote
from ..errors import CommandError
from ..groups import group_run
from ..hashing import suffix
from ..jsontext import compact
from ..session import Session
from .base import generator, metadata

Obj = dict[str, Any]
Put = Callable[[str, bytes], None]


def _sources(s: Session, put: Put, what: str) -> None:
    values = s.values
    if values.items("from-env-file") and (values.items("from-file") or values.items("from-literal")):
        raise CommandError("from-env-file cannot be combined with from-file or from-literal")
    for item in values.items("from-literal"):
        key, value = _literal(item)
        put(key, value.encode())
    for item in values.items("from-file"):
        _file(s, item, put)
    for item in values.items("from-env-file"):
        _env_file(s, item, put, what)


def _literal(item: str) -> tuple[str, str]:
    key, equals, value = item.partition("=")
    if not key:
        raise CommandError(f"invalid literal source {item}, expected key=value")
    if not equals:
        raise CommandError(f"invalid literal source {item}, expected key=value")
    if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'":
        value = value[1:-1]
    return key, value


def _read(s: Session, path: str) -> bytes:
    try:
        return bytes(s.inv.read_file(path))
    except OSError as error:
        raise CommandError(f"error reading {path}: {(error.strerror or '').lower()}") from None


def _file(s: Session, item: str, put: Put) -> None:
    count = item.count("=")
    if count > 1:
        raise CommandError("key names or file paths cannot contain '='")
    if item.startswith("="):
        raise CommandError(f"key name for file path {item.removeprefix('=')} missing")
    if item.endswith("="):
        raise CommandError(f"file path for key name {item.removesuffix('=')} missing")
    key, path = item.split("=") if count else (posixpath.basename(item.rstrip("/")), item)
    if not s.inv.exists(path):
        raise CommandError(f"error reading {path}: no such file or directory")
    if not s.inv.isdir(path):
        put(key, _read(s, path))
        return
    if count:
        raise CommandError("cannot give a key name for a directory path")
    for name in s.inv.tree.listdir(s.inv.path(path)):
        inner = posixpath.join(path, name)
        if not s.inv.isdir(inner):
            put(name, _read(s, inner))


def _env_file(s: Session, path: str, put: Put, what: str) -> None:
    if not s.inv.exists(path):
        raise CommandError(f"error reading {path}: no such file or directory")
    if s.inv.isdir(path):
        raise CommandError(f"env {what} file cannot be a directory")
    for line in _read(s, path).decode("utf-8-sig", "replace").split("\n"):
        text = line.lstrip()
        if not text or text.startswith("#"):
            continue
        key, equals, value = text.partition("=")
        wrong = names.env_name(key)
        if wrong:
            raise CommandError(f"{quote(key)} is not a valid key name: {';'.join(wrong)}")
        put(key, (value if equals else s.inv.env.get(key, "")).encode())


def configmap(s: Session, name: str) -> Obj:
    """A ConfigMap; what is not UTF-8 goes to binaryData."""
    data: dict[str, str] = {}
    binary: dict[str, str] = {}

    def put(key: str, value: bytes) -> None:
        wrong = names.config_key(key)
        if wrong:
            raise CommandError(f"{quote(key)} is not a valid key name for a ConfigMap: {','.join(wrong)}")
        for section, title in ((data, "Data"), (binary, "BinaryData")):
            if key in section:
                raise CommandError(
                    f"cannot add key {quote(key)}, another key by that name already exists in {title} for ConfigMap {quote(name)}"
                )
        try:
            data[key] = value.decode()
        except UnicodeDecodeError:
            binary[key] = base64.b64encode(value).decode()

    _sources(s, put, "config")
    out: Obj = {"kind": "ConfigMap", "apiVersion": "v1", "metadata": metadata(s, name)}
    if data:
        out["data"] = dict(sorted(data.items()))
    if binary:
        out["binaryData"] = dict(sorted(binary.items()))
    if s.values.on("append-hash"):
        out["metadata"]["name"] = f"{name}-{suffix(out)}"
    return out


def _secret(s: Session, name: str, kind: str, data: dict[str, bytes]) -> Obj:
    out: Obj = {"kind": "Secret", "apiVersion": "v1", "metadata": metadata(s, name)}
    if data:
        out["data"] = {key: base64.b64encode(value).decode() for key, value in sorted(data.items())}
    if kind:
        out["type"] = kind
    if s.values.on("append-hash"):
        out["metadata"]["name"] = f"{name}-{suffix(out)}"
    return out


def generic(s: Session, name: str) -> Obj:
    """An opaque Secret."""
    data: dict[str, bytes] = {}

    def put(key: str, value: bytes) -> None:
        wrong = names.config_key(key)
        if wrong:
            raise CommandError(f"{quote(key)} is not valid key name for a Secret {';'.join(wrong)}")
        if key in data:
            raise CommandError(f"cannot add key {key}, another key by that name already exists")
        data[key] = value

    _sources(s, put, "secret")
    return _secret(s, name, s.values.text("type"), data)


def docker(s: Session, name: str) -> Obj:
    """A Secret for a registry."""
    values = s.values
    data: dict[str, bytes] = {}
    if values.items("from-file"):
        for item in values.items("from-file"):
            _file(s, item if "=" in item else f".dockerconfigjson={item}", data.__setitem__)
        return _secret(s, name, "kubernetes.io/dockerconfigjson", data)
    user, word, server = values.text("docker-username"), values.text("docker-password"), values.text("docker-server")
    if not user or not word or not server:
        raise CommandError(
            "either --from-file or the combination of --docker-username, --docker-password and --docker-server is required"
        )
    entry = {"username": user, "password": word}
    if values.text("docker-email"):
        entry["email"] = values.text("docker-email")
    entry["auth"] = base64.b64encode(f"{user}:{word}".encode()).decode()
    data[".dockerconfigjson"] = compact({"auths": {server: entry}}, sort=False).encode()
    return _secret(s, name, "kubernetes.io/dockerconfigjson", data)


def tls(s: Session, name: str) -> Obj:
    """A Secret with a certificate and its key."""
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

    values = s.values
    if not values.text("cert") or not values.text("key"):
        raise CommandError("key and cert must be specified")
    found = {}
    for flag in ("cert", "key"):
        try:
            found[flag] = bytes(s.inv.read_file(values.text(flag)))
        except OSError as error:
            raise CommandError(
                f"Cannot read file {values.text(flag)}, open {values.text(flag)}: {(error.strerror or '').lower()}"
            ) from None
    if not re.search(rb"-----BEGIN ", found["cert"]):
        raise CommandError("tls: failed to find any PEM data in certificate input")
    if not re.search(rb"-----BEGIN ", found["key"]):
        raise CommandError("tls: failed to find any PEM data in key input")
    try:
        public = x509.load_pem_x509_certificate(found["cert"]).public_key()
        key = load_pem_private_key(found["key"], None).public_key()
    except ValueError as error:
        raise CommandError(f"tls: {error}") from None
    form = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    if public.public_bytes(*form) != key.public_bytes(*form):
        raise CommandError("tls: private key does not match public key")
    return _secret(s, name, "kubernetes.io/tls", {"tls.crt": found["cert"], "tls.key": found["key"]})


SOURCES = (
    Flag(name="from-file", kind="strings", usage="A file or directory, or key=file; may be repeated."),
    Flag(name="from-literal", kind="array", usage="A key and its value, as key=value; may be repeated."),
    Flag(name="from-env-file", kind="strings", usage="A file with lines of key=value."),
    Flag(name="append-hash", kind="bool", usage="Append a hash of the content to the name."),
)

CONFIGMAP = generator(
    "configmap NAME [--from-file=[key=]source] [--from-literal=key1=value1] [--dry-run=server|client|none]",
    "Create a config map from a local file, directory or literal value",
    "configmaps",
    configmap,
    wrap="failed to create configmap: ",
    aliases=("cm",),
    flags=SOURCES,
)

SECRET = Command(
    "secret (docker-registry | generic | tls)",
    short="Create a secret using a specified subcommand",
    long="""Create a secret with specified type.

 docker-registry is for access to a container registry, generic is an Opaque secret, tls holds a certificate and its key.""",
    run=group_run("stderr", 1),
    commands=(
        generator(
            "docker-registry NAME --docker-username=user --docker-password=password --docker-email=email [--docker-server=string] "
            "[--from-file=[key=]source] [--dry-run=server|client|none]",
            "Create a secret for use with a Docker registry",
            "secrets",
            docker,
            wrap="failed to create secret ",
            flags=(
                Flag(name="docker-username", usage="User name at the registry"),
                Flag(name="docker-password", usage="Password at the registry"),
                Flag(name="docker-email", usage="Email at the registry"),
                Flag(name="docker-server", default="https://index.docker.io/v1/", usage="The registry"),
                Flag(name="append-hash", kind="bool", usage="Append a hash of the content to the name."),
                Flag(name="from-file", kind="strings", usage="A Docker configuration file, or key=file."),
            ),
        ),
        generator(
            "generic NAME [--type=string] [--from-file=[key=]source] [--from-literal=key1=value1] [--dry-run=server|client|none]",
            "Create a secret from a local file, directory, or literal value",
            "secrets",
            generic,
            wrap="failed to create secret ",
            flags=(*SOURCES, Flag(name="type", usage="The type of secret")),
        ),
        generator(
            "tls NAME --cert=path/to/cert/file --key=path/to/key/file [--dry-run=server|client|none]",
            "Create a TLS secret",
            "secrets",
            tls,
            wrap="failed to create secret ",
            flags=(
                Flag(name="cert", usage="File with the certificate in PEM form."),
                Flag(name="key", usage="File with the private key."),
                Flag(name="append-hash", kind="bool", usage="Append a hash of the content to the name."),
            ),
        ),
    ),
)
