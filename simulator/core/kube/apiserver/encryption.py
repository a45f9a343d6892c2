"""Encryption at rest: `--encryption-provider-config` (`apiserver/pkg/storage/value/encrypt`).

What is stored begins with the provider's and the key's name (`k8s:enc:aescbc:v1:key1:`), so that `etcdctl get` shows by what it was
encrypted.  The first provider of a resource writes; all are tried for reading; `identity` is plain text.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from typing import Any

import yaml
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ..api import kinds

Obj = dict[str, Any]
Draw = Callable[[int], bytes]
MARK = b"k8s:enc:"
#: One key: provider, its name, the secret in base64; identity has no name.
Key = list[str]


class BadConfig(Exception):
    """The configuration cannot be used; the message is what the server prints."""


def parse(text: bytes) -> list[list[Any]]:
    """[[etcd prefix, [keys in order]], …] of an EncryptionConfiguration; raises BadConfig."""
    try:
        body = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise BadConfig(f"error decoding encryption provider configuration file: {str(error).splitlines()[0]}") from None
    if not isinstance(body, dict) or body.get("kind") != "EncryptionConfiguration":
        raise BadConfig('error decoding encryption provider configuration file: no kind "EncryptionConfiguration"')
    out: list[list[Any]] = []
    if not body.get("resources"):
        raise BadConfig("resources: Required value: at least one resource must be specified")
    for i, entry in enumerate(body["resources"]):
        keys = [
            key
            for j, item in enumerate(entry.get("providers") or ())
            for key in _provider(item, f"resources[{i}].providers[{j}]")
        ]
        if not keys:
            raise BadConfig(f"resources[{i}].providers: Required value: at least one provider must be specified")
        for name in entry.get("resources") or ():
            out.append([_prefix(str(name)), keys])
    return out


def _prefix(resource: str) -> str:
    if resource.startswith("*."):
        return "/registry/"
    try:
        return kinds.by_resource(resource).prefix + "/"
    except KeyError:
        plural, _, group = resource.partition(".")
        return f"/registry/{group}/{plural}/" if group else f"/registry/{plural}/"


def _provider(item: Obj, at: str) -> list[Key]:
    name = next(iter(item), "")
    if name == "identity":
        return [["identity", "", ""]]
    if name not in ("aescbc", "aesgcm"):
        raise BadConfig(f"{at}: provider {name}: not simulated in Slipway yet")
    out: list[Key] = []
    for k, key in enumerate((item[name] or {}).get("keys") or ()):
        try:
            secret = base64.b64decode(str(key.get("secret", "")), validate=True)
        except (binascii.Error, ValueError):
            raise BadConfig(f'{at}.{name}.keys[{k}].secret: Invalid value: "REDACTED": secret must be base64 encoded') from None
        if len(secret) not in (16, 24, 32):
            why = f"secret is not of the expected length, got {len(secret)}, expected one of [16 24 32]"
            raise BadConfig(f'{at}.{name}.keys[{k}].secret: Invalid value: "REDACTED": {why}')
        out.append([name, str(key.get("name", "")), base64.b64encode(secret).decode()])
    if not out:
        raise BadConfig(f"{at}.{name}.keys: Required value: at least one key is required")
    return out


def keys_for(table: list[list[Any]], key: bytes) -> list[Key]:
    """The keys of an etcd key, the first of which writes; [] where nothing is configured."""
    path = key.decode("utf-8", "replace")
    for prefix, keys in table:
        if path.startswith(prefix):
            return list(keys)
    return []


def seal(keys: list[Key], path: bytes, plain: bytes, draw: Draw) -> bytes:
    """What is stored; `draw(n)` gives n random bytes."""
    provider, name, secret = keys[0]
    if provider == "identity":
        return plain
    head, raw = f"k8s:enc:{provider}:v1:{name}:".encode(), base64.b64decode(secret)
    if provider == "aesgcm":
        nonce = draw(12)
        return head + nonce + AESGCM(raw).encrypt(nonce, plain, path)
    start, pad = draw(16), padding.PKCS7(128).padder()
    made = Cipher(algorithms.AES(raw), modes.CBC(start)).encryptor()
    return head + start + made.update(pad.update(plain) + pad.finalize()) + made.finalize()


def unseal(keys: list[Key], path: bytes, stored: bytes) -> bytes:
    """What was written; raises ValueError with the transformer's message."""
    if not stored.startswith(MARK):
        if keys and not any(provider == "identity" for provider, _, _ in keys):
            raise ValueError("no matching prefix found")
        return stored
    for provider, name, secret in keys:
        head = f"k8s:enc:{provider}:v1:{name}:".encode()
        if provider == "identity" or not stored.startswith(head):
            continue
        raw, data = base64.b64decode(secret), stored[len(head) :]
        try:
            if provider == "aesgcm":
                return AESGCM(raw).decrypt(data[:12], data[12:], path)
            reader = Cipher(algorithms.AES(raw), modes.CBC(data[:16])).decryptor()
            pad = padding.PKCS7(128).unpadder()
            return pad.update(reader.update(data[16:]) + reader.finalize()) + pad.finalize()
        except (InvalidTag, ValueError):
            continue
    if keys:
        raise ValueError("no matching prefix found")
    raise ValueError("identity transformer tried to read encrypted data")
