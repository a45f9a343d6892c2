"""cosign: keys, signatures kept beside images in registries, and their verification (sigstore/cosign v3).

A signature is a record of the registry: the image's digest and the mark of the key that signed.
"""

from __future__ import annotations

import base64
import json
from typing import Any

from ..host import x509
from ..host.program import Invocation
from ..kernel.errors import BadInput
from ..runtime import crypt, references, registry

_ARMOUR = ("-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----\n", "-----END ENCRYPTED SIGSTORE PRIVATE KEY-----\n")


class Refused(Exception):
    """What cosign says after `Error: `."""


def main(inv: Invocation) -> int:
    """The command `cosign`."""
    words = list(inv.argv[1:])
    try:
        if words[:1] == ["version"]:
            inv.out(
                "cosign: A tool for Container Signing, Verification and Storage in an OCI registry.\n\nGitVersion:    v3.0.2\nPlatform:      linux/amd64\n"
            )
            return 0
        if words[:1] == ["generate-key-pair"]:
            return _generate(inv)
        if words[:1] in (["sign"], ["verify"]):
            flags, names = _split(words[1:])
            if not names:
                raise Refused("requires at least 1 arg(s), only received 0")
            return _sign(inv, flags, names[0]) if words[0] == "sign" else _verify(inv, flags, names[0])
        if not words or words[0] in ("--help", "help", "-h"):
            inv.out(
                "A tool for Container Signing, Verification and Storage in an OCI registry.\n\nUsage:\n  cosign [command]\n\nAvailable Commands:\n  generate-key-pair  Generates a key-pair.\n  sign               Sign the supplied container image.\n  verify             Verify a signature on the supplied container image\n  version            Prints the version\n"
            )
            return 0
        raise Refused(f'unknown command "{words[0]}" for "cosign"')
    except Refused as failed:
        inv.err(f"Error: {failed}\nerror during command execution: {failed}\n")
        return 1


def _split(words: list[str]) -> tuple[dict[str, str], list[str]]:
    flags: dict[str, str] = {}
    names: list[str] = []
    at = 0
    while at < len(words):
        word = words[at]
        if word.startswith("-"):
            key, equals, value = word.lstrip("-").partition("=")
            if (
                not equals
                and key in ("key", "certificate-identity", "certificate-oidc-issuer", "output", "o")
                and at + 1 < len(words)
            ):
                at += 1
                value = words[at]
            flags[key] = value
        else:
            names.append(word)
        at += 1
    return flags, names


def _generate(inv: Invocation) -> int:
    pem = x509.new_key(inv.world, "cosign")
    inv.write_file("cosign.key", (_ARMOUR[0] + base64.encodebytes(pem).decode() + _ARMOUR[1]).encode(), mode=0o600)
    inv.write_file("cosign.pub", x509.public_pem(pem))
    inv.err("Private key written to cosign.key\nPublic key written to cosign.pub\n")
    return 0


def _image(inv: Invocation, name: str) -> tuple[str, str]:
    """(repository, digest) of an image in a registry."""
    try:
        ref = references.normalise(name)
        build = registry.resolve(inv.world, inv.host.name, ref)
    except (BadInput, registry.ResolveError) as failed:
        raise Refused(f"signing [{name}]: accessing entity: {failed}") from None
    return ref.repository, build.digest("manifest" if build.made else "index")


def _key(inv: Invocation, path: str) -> bytes:
    try:
        return inv.read_file(path)
    except OSError as failed:
        raise Refused(
            f"loading key: open {path}: {(failed.strerror or '').lower()}"
            if path
            else "no key provided: keyless signing needs an identity provider, which is not simulated in Slipway yet"
        ) from None


def _sign(inv: Invocation, flags: dict[str, str], name: str) -> int:
    data = _key(inv, flags.get("key", ""))
    text = data.decode(errors="replace")
    if not text.startswith(_ARMOUR[0]):
        raise Refused("signing: getting signer: reading key: unsupported pem type")
    pem = base64.decodebytes(text.removeprefix(_ARMOUR[0]).partition(_ARMOUR[1])[0].encode())
    repository, digest = _image(inv, name)
    known: dict[str, str] = inv.world.section("hub", dict)
    key = f"{repository}:{digest.replace(':', '-')}.sig"
    marks = set(filter(None, known.get(key, "").split(","))) | {crypt.private_mark(pem)}
    known[key] = ",".join(sorted(marks))
    inv.err(f"Pushing signature to: {repository}\n")
    return 0


def _verify(inv: Invocation, flags: dict[str, str], name: str) -> int:
    mark = crypt.public_mark(_key(inv, flags.get("key", "")))
    if not mark:
        raise Refused("loading public key: unsupported pem type")
    repository, digest = _image(inv, name)
    known: dict[str, Any] = inv.world.sections.get("hub", {})
    marks = str(known.get(f"{repository}:{digest.replace(':', '-')}.sig", ""))
    if not marks:
        raise Refused("no signatures found")
    if mark not in marks.split(","):
        raise Refused("no matching signatures: invalid signature when validating ASN.1 encoded signature")
    inv.err(
        f"\nVerification for {name} --\nThe following checks were performed on each of these signatures:\n  - The cosign claims were validated\n  - Existence of the claims in the transparency log was verified offline\n  - The signatures were verified against the specified public key\n"
    )
    inv.out(
        json.dumps(
            [
                {
                    "critical": {
                        "identity": {"docker-reference": repository},
                        "image": {"docker-manifest-digest": digest},
                        "type": "https://sigstore.dev/cosign/sign/v1",
                    },
                    "optional": {},
                }
            ],
            separators=(",", ":"),
        )
        + "\n"
    )
    return 0
