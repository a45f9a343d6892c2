"""`openssl`: certificates, requests, keys and digests as OpenSSL 3.0 makes and prints them (apps/*.c)."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any

from ...host.invocation import Call
from ...host.program import Wait
from ...kernel.errors import NotSimulated
from . import digest, keys, req, verify, x509cmd

Code = Generator[Wait, Any, int]
VERSION = "OpenSSL 3.0.13 30 Jan 2024 (Library: OpenSSL 3.0.13 30 Jan 2024)"
#: One row a command.
COMMANDS: dict[str, Callable[[Call, list[str]], Code]] = {
    "base64": digest.base64_command, "dgst": digest.dgst, "ec": keys.ec_command, "ecparam": keys.ecparam, "enc": digest.enc,
    "genpkey": keys.genpkey, "genrsa": keys.genrsa, "md5": digest.named("md5"), "pkey": keys.pkey, "rand": digest.rand, "req": req.req,
    "rsa": keys.rsa_command, "sha1": digest.named("sha1"), "sha256": digest.named("sha256"), "sha512": digest.named("sha512"),
    "verify": verify.verify, "x509": x509cmd.x509,
}  # fmt: skip
NOT_YET = ("asn1parse", "ca", "ciphers", "cms", "crl", "crl2pkcs7", "dhparam", "dsa", "gendsa", "list", "ocsp", "passwd", "pkcs12", "pkcs7",
           "pkcs8", "pkeyutl", "prime", "rehash", "s_client", "s_server", "speed")  # fmt: skip


def openssl(call: Call) -> Code:
    """`openssl COMMAND [options]`."""
    command = call.argv[1] if len(call.argv) > 1 else ""
    if command == "version":
        call.out(VERSION + "\n")
        return 0
    if command in COMMANDS:
        return (yield from COMMANDS[command](call, call.argv[2:]))
    if command in NOT_YET or not command:
        raise NotSimulated(f"openssl {command}" if command else "interactive openssl")
    call.err(f"Invalid command '{command}'; type \"help\" for a list.\n")
    return 1
