"""`openssl verify` (apps/verify.c)."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from cryptography import x509 as pki
from cryptography.exceptions import InvalidSignature

from ...host.invocation import Call
from ...host.program import Wait
from ...kernel.clock import to_datetime
from .options import Wrong, parse, thread, unreadable
from .text import name_text

Code = Generator[Wait, Any, int]


def issued(cert: pki.Certificate, issuer: pki.Certificate) -> bool:
    """Whether one certificate signed another."""
    try:
        cert.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def verify(call: Call, words: list[str]) -> Code:
    """Look for a chain from each certificate to a trusted one; 0 when all have one, else 2."""
    try:
        asked = parse("verify", words, "CAfile untrusted trusted", "verbose no-CAfile no-CApath", not_yet="CApath purpose verify_hostname verify_ip "
                      "partial_chain show_chain crl_check attime CRLfile")  # fmt: skip
    except Wrong as wrong:
        call.err(str(wrong))
        return 1
    loaded: dict[str, list[pki.Certificate]] = {"CAfile": [], "untrusted": [], "trusted": []}
    for option, kept in loaded.items():
        for path in asked.values.get(option, []):
            try:
                kept += pki.load_pem_x509_certificates(call.read_file(path))
            except OSError as failed:
                mark, why = thread(call), failed.strerror
                call.err(f"Error loading file {path}\n{mark}:error:80000002:system library:BIO_new_file:{why}:../crypto/bio/bss_file.c:67:"
                         f"calling fopen({path}, r)\n{mark}:error:10000080:BIO routines:BIO_new_file:no such file:../crypto/bio/bss_file.c:75:\n"
                         f"{mark}:error:05880002:x509 certificate routines:X509_load_cert_crl_file_ex:system lib:../crypto/x509/by_file.c:229:\n"
                         )  # fmt: skip
                return 1
            except ValueError:
                call.err(f"Error loading file {path}\n")
                return 1
    code = 0
    for name in asked.rest or [""]:
        try:
            cert = pki.load_pem_x509_certificate(call.read_file(name) if name else (yield from call.read()))
        except OSError as failed:
            unreadable(call, "certificate file", name, failed.strerror)
            code = 2
            continue
        except ValueError:
            unreadable(call, "certificate file", name or "<stdin>", "")
            code = 2
            continue
        failure = _chain(call, cert, loaded["CAfile"] + loaded["trusted"], loaded["untrusted"])
        if failure is None:
            call.out(f"{name or 'stdin'}: OK\n")
            continue
        depth, number, why, subject = failure
        call.err(
            f"{name_text(subject)}\nerror {number} at {depth} depth lookup: {why}\nerror {name or 'stdin'}: verification failed\n"
        )
        code = 2
    return code


def _chain(
    call: Call, cert: pki.Certificate, trusted: list[pki.Certificate], between: list[pki.Certificate]
) -> tuple[int, int, str, pki.Name] | None:
    """None when a chain leads to a trusted certificate, else depth, number and text of the first error."""
    now, here = to_datetime(call.world.wall + call.host.skew), cert
    for depth in range(10):
        above = next((one for one in trusted if one == here or issued(here, one)), None)
        link = above or next((one for one in between if issued(here, one)), None)
        if link is None:
            if issued(here, here):
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
