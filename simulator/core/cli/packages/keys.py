"""gpg as far as apt's keys need it, and the keys that the archives publish."""

from __future__ import annotations

import base64
import re

from ...host.executor import Ended
from ...host.invocation import Call
from ...kernel.errors import NotSimulated
from ...shell.coreutils.common import Code, inputs

BEGIN, END = "-----BEGIN PGP PUBLIC KEY BLOCK-----", "-----END PGP PUBLIC KEY BLOCK-----"


def dearmor(data: bytes) -> bytes | None:
    """The bytes of an armoured block; None when there is none."""
    match = re.search(rf"{BEGIN}(.*?){END}".encode(), data, re.DOTALL)
    if match is None:
        return None
    body = b"".join(line for line in match.group(1).splitlines() if line and b":" not in line and not line.startswith(b"="))
    try:
        return base64.b64decode(body)
    except ValueError:
        return None


def gpg(call: Call) -> Code:
    """`gpg --dearmor [-o file] [file]`, `gpg --show-keys file`, `gpg --version`."""
    args = list(call.argv[1:])
    out, force, action, names = "", False, "", []
    while args:
        word = args.pop(0)
        if word in ("-o", "--output") and args:
            out = args.pop(0)
        elif word.startswith("--output="):
            out = word[9:]
        elif word in ("--dearmor", "--show-keys", "--version", "--import", "--list-keys", "-k"):
            action = word
        elif word in ("--yes", "--batch", "--no-tty", "-q", "--quiet"):
            force = force or word in ("--yes", "--batch")
        elif word in ("--no-default-keyring",):
            continue
        elif word in ("--keyring", "--homedir") and args:
            names.append(args.pop(0))
        elif word.startswith("-") and word != "-":
            raise NotSimulated(f"option '{word}'")
        else:
            names.append(word)
    if action == "--version":
        call.out("gpg (GnuPG) 2.4.4\nlibgcrypt 1.10.3\n")
        return 0
    if action not in ("--dearmor", "--show-keys", "--list-keys", "-k"):
        raise NotSimulated(action or "gpg without --dearmor")
    found, code = yield from inputs(call, names)
    if code:
        raise Ended(2)
    data = found[0][1]
    plain = dearmor(data)
    if action == "--dearmor":
        if plain is None:
            call.err(
                "gpg: no valid OpenPGP data found.\ngpg: dearmoring failed: General error\n"
                if not data.strip() or b"PGP" not in data
                else "gpg: dearmoring failed: Invalid armor\n"
            )
            return 2
        if not out:
            call.out(plain)
            return 0
        if call.exists(out) and not force:
            if not call.stdin_tty:
                call.err(f"File '{out}' exists.\ngpg: cannot open '/dev/tty': No such device or address\n")
                return 2
            call.out(f"File '{out}' exists. Overwrite? (y/N) ")
            if (yield from call.read_line()).strip().lower() not in (b"y", b"yes"):
                return 2
        call.write_file(out, plain, mode=0o644)
        return 0
    match = re.search(rb"\x04([0-9A-F]{16})\0([^\0]+)\0", plain or data)
    if match is None:
        call.err("gpg: no valid OpenPGP data found.\n")
        return 2
    key, owner = match.group(1).decode(), match.group(2).decode()
    call.out(
        f"pub   rsa2048 2022-08-25 [SC] [expires: 2026-12-29]\n      DE15B14486CD377B9E876E1A{key}\nuid                      {owner}\n\n"
    )
    return 0
