"""Encrypted images: whose key a layer was encrypted for, and whether a host has it (containerd/imgcrypt, containers/ocicrypt).

A layer's content is not encrypted bit by bit here; the image carries the marks (digests) of the public keys of its recipients, and a
host can unpack it when one of the private keys under /etc/containerd/ocicrypt/keys belongs to them.
"""

from __future__ import annotations

import hashlib

from cryptography.hazmat.primitives import serialization

from ..host.machine import hosts
from ..kernel.world import World
from .build import Build

KEYS = "/etc/containerd/ocicrypt/keys"


def public_mark(pem: bytes) -> str:
    """The mark of a public key, "" for what is none."""
    try:
        key = serialization.load_pem_public_key(pem)
    except ValueError:
        return ""
    return hashlib.sha256(
        key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    ).hexdigest()


def private_mark(pem: bytes) -> str:
    """The mark of a private key's public part, "" for what is none."""
    try:
        key = serialization.load_pem_private_key(pem, None)
    except (ValueError, TypeError):
        return ""
    public = key.public_key()
    return hashlib.sha256(
        public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    ).hexdigest()


def locked(world: World, host: str, build: Build) -> str:
    """What unpacking an encrypted image on a host fails with, or ""."""
    if build.form != "encrypted":
        return ""
    fs = hosts(world)[host].fs
    digest = build.digest("layer/0")
    media = "application/vnd.oci.image.layer.v1.tar+gzip+encrypted"
    if not fs.exists("/usr/local/bin/ctd-decoder"):
        return f'failed to extract layer {build.digest("diff/0")}: failed to get stream processor for {media}: exec: "ctd-decoder": executable file not found in $PATH: not found'
    marks: set[str] = set()
    if fs.isdir(KEYS):
        marks = {private_mark(fs.read(f"{KEYS}/{name}")) for name in fs.listdir(KEYS)}
    if marks & set(build.secret.split(",")):
        return ""
    return (
        f"failed to extract layer {build.digest('diff/0')}: failed to get stream processor for {media} ({digest}): ctd-decoder failed: missing private key needed "
        "for decryption: no suitable key unwrapper found or none of the private keys could be used for decryption: exit status 1: unknown"
    )
