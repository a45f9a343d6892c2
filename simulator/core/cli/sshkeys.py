"""`ssh-keygen` and `ssh-copy-id`: keys in OpenSSH's formats from the world's random streams."""

from __future__ import annotations

import base64
import hashlib
import posixpath
import struct
from collections.abc import Generator
from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from ..host import files, rsakeys, users
from ..host.invocation import Call
from ..host.program import Wait
from ..kernel.errors import NotSimulated
from ..shell.coreutils.common import parse
from . import ssh

Code = Generator[Wait, Any, int]


def _text(data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + data


def _number(value: int) -> bytes:
    return _text(value.to_bytes(value.bit_length() // 8 + 1, "big"))


def _seed(call: Call, count: int) -> bytes:
    rng = call.world.rng("ssh-keygen")
    return b"".join(rng.bits64().to_bytes(8, "big") for _ in range(count // 8))


def _armour(public: bytes, private: bytes, check: bytes, comment: str) -> bytes:
    """The `openssh-key-v1` file without a passphrase (PROTOCOL.key)."""
    inner = check + check + private + _text(comment.encode())
    inner += bytes(range(1, 1 + -len(inner) % 8))
    body = (
        b"openssh-key-v1\0" + _text(b"none") + _text(b"none") + _text(b"") + struct.pack(">I", 1) + _text(public) + _text(inner)
    )
    encoded = base64.b64encode(body).decode()
    lines = "".join(encoded[n : n + 70] + "\n" for n in range(0, len(encoded), 70))
    return f"-----BEGIN OPENSSH PRIVATE KEY-----\n{lines}-----END OPENSSH PRIVATE KEY-----\n".encode()


def _ed25519(call: Call, comment: str) -> tuple[bytes, bytes]:
    seed = _seed(call, 32)
    point = Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    public = _text(b"ssh-ed25519") + _text(point)
    return public, _armour(public, public + _text(seed + point), _seed(call, 8)[:4], comment)


def _rsa(call: Call, bits: int, comment: str) -> tuple[bytes, bytes]:
    numbers: rsa.RSAPrivateNumbers = rsakeys.new_rsa(call.world.rng("ssh-keygen"), bits).private_numbers()
    n, e = numbers.public_numbers.n, numbers.public_numbers.e
    public = _text(b"ssh-rsa") + _number(e) + _number(n)
    private = _text(b"ssh-rsa") + b"".join(_number(v) for v in (n, e, numbers.d, numbers.iqmp, numbers.p, numbers.q))
    return public, _armour(public, private, _seed(call, 8)[:4], comment)


def fingerprint(public: bytes) -> str:
    """`SHA256:…` of a public key."""
    return "SHA256:" + base64.b64encode(hashlib.sha256(public).digest()).decode().rstrip("=")


def randomart(public: bytes, title: str) -> str:
    """The drunken bishop's walk over 17 by 9 fields (sshkey.c: fingerprint_randomart)."""
    marks = " .o+=*BOX@%&#/^SE"
    field = [[0] * 9 for _ in range(17)]
    x, y = 8, 4
    for byte in hashlib.sha256(public).digest():
        for _ in range(4):
            x = min(max(x + (1 if byte & 1 else -1), 0), 16)
            y = min(max(y + (1 if byte & 2 else -1), 0), 8)
            field[x][y] += field[x][y] < len(marks) - 3
            byte >>= 2
    field[8][4], field[x][y] = len(marks) - 2, len(marks) - 1
    rows = ["".join(marks[field[n][row]] for n in range(17)) for row in range(9)]
    head = f"[{title}]"
    return "+" + head.center(17, "-") + "+\n" + "".join(f"|{row}|\n" for row in rows) + "+" + "[SHA256]".center(17, "-") + "+\n"


def keygen(call: Call) -> Code:
    """`ssh-keygen [-t ed25519|rsa] [-b bits] [-f file] [-N phrase] [-C comment] [-q]`; `-l -f file`; `-y -f file`; `-R host`."""
    options, _ = parse(call, "t:b:f:N:C:qlyR:E:F:Ao:a:m:pP:H", "")
    home = users.home_of(call.tree, call.proc.user)
    kind = options.get("t", "ed25519")
    path = options.get("f") or f"{home}/.ssh/id_{kind}"
    if "l" in options or "y" in options:
        return _look(call, path if path.endswith(".pub") or not call.exists(path + ".pub") else path + ".pub", "y" in options)
    if "R" in options:
        known = f"{home}/.ssh/known_hosts"
        if not call.exists(known):
            call.err(f"Cannot stat {known}: No such file or directory\n")
            return 255
        call.err(f"Host {options['R']} not found in {known}\n")
        return 0
    for letter in "FApH":
        if letter in options:
            raise NotSimulated(f"ssh-keygen -{letter}")
    if kind not in ("ed25519", "rsa"):
        if kind in ("ecdsa", "dsa", "ecdsa-sk", "ed25519-sk"):
            raise NotSimulated(f"keys of type {kind}")
        call.err(f"unknown key type {kind}\n")
        return 255
    bits = int(options.get("b", "3072")) if options.get("b", "3072").isdigit() else 0
    if kind == "rsa" and not 1024 <= bits <= 16384:
        call.err(f"Invalid RSA key length: {'minimum is 1024' if bits < 1024 else 'maximum is 16384'} bits\n")
        return 255
    quiet = "q" in options
    if not quiet:
        call.out(f"Generating public/private {kind} key pair.\n")
    if "f" not in options:
        call.out(f"Enter file in which to save the key ({path}): ")
        path = (yield from call.read_line()).decode(errors="replace").strip() or path
    if call.exists(path):
        call.out(f"{path} already exists.\nOverwrite (y/n)? ")
        if (yield from call.read_line()).strip().lower() not in (b"y", b"yes"):
            return 1
    phrase = options.get("N")
    if phrase is None:
        for text in ("Enter passphrase (empty for no passphrase): ", "Enter same passphrase again: "):
            call.out(text)
            phrase = (yield from call.read_line()).decode(errors="replace").strip()
    if phrase:
        raise NotSimulated("a key with a passphrase")
    comment = options.get("C", f"{call.proc.user}@{call.host.name}")
    public, private = _ed25519(call, comment) if kind == "ed25519" else _rsa(call, bits, comment)
    where = call.path(path)
    folder = posixpath.dirname(where)
    if not call.tree.isdir(folder):
        if posixpath.basename(folder) != ".ssh":
            call.err(f'Saving key "{path}" failed: No such file or directory\n')
            return 1
        files.make_dir(call.world, call.host, folder, mnt=call.proc.mnt, mode=0o700, uid=call.uid, gid=call.gid)
        if not quiet:
            call.out(f"Created directory '{folder}'.\n")
    name = "ssh-ed25519" if kind == "ed25519" else "ssh-rsa"
    call.write_file(path, private, mode=0o600)
    call.write_file(path + ".pub", f"{name} {base64.b64encode(public).decode()} {comment}\n".encode(), mode=0o644)
    if not quiet:
        call.out(f"Your identification has been saved in {path}\nYour public key has been saved in {path}.pub\n")
        call.out(f"The key fingerprint is:\n{fingerprint(public)} {comment}\nThe key's randomart image is:\n")
        call.out(randomart(public, "ED25519 256" if kind == "ed25519" else f"RSA {bits}"))
    return 0


def _look(call: Call, path: str, whole: bool) -> int:
    if not call.exists(path):
        call.err(f"{path}: No such file or directory\n" if whole else f"ssh-keygen: {path}: No such file or directory\n")
        return 255
    words = call.read_file(path).decode(errors="replace").split()
    try:
        public = base64.b64decode(words[1], validate=True)
    except (IndexError, ValueError):
        call.err(f"{path} is not a public key file.\n")
        return 255
    if whole:
        call.out(" ".join(words[:3]) + "\n")
        return 0
    rsa_key = words[0] == "ssh-rsa"
    bits = (int.from_bytes(public[18 : 18 + 400], "big").bit_length() // 512 * 512 if rsa_key else 256) or 3072
    call.out(f"{bits} {fingerprint(public)} {' '.join(words[2:]) or 'no comment'} ({'RSA' if rsa_key else 'ED25519'})\n")
    return 0


def copy_id(call: Call) -> int:
    """`ssh-copy-id [-i file] [user@]host`: append the public key to the other side's authorized_keys."""
    options, names = parse(call, "i:p:o:fns", "")
    if not names:
        call.err(
            "Usage: /usr/bin/ssh-copy-id [-h|-?|-f|-n|-s] [-i [identity_file]] [-p port] [-F alternative ssh_config file] [[-o <ssh -o options>] ...] [user@]hostname\n"
        )
        return 1
    home = users.home_of(call.tree, call.proc.user)
    chosen = options.get("i", "")
    paths = (
        [chosen if chosen.endswith(".pub") else chosen + ".pub"]
        if chosen
        else [f"{home}/.ssh/id_{k}.pub" for k in ("ed25519", "rsa")]
    )
    there = [path for path in paths if call.exists(path)]
    if not there:
        call.err(
            f"\n/usr/bin/ssh-copy-id: ERROR: failed to open ID file '{paths[0]}': No such file\n"
            if chosen
            else "/usr/bin/ssh-copy-id: ERROR: No identities found\n"
        )
        return 1
    user, _, name = names[0].rpartition("@")
    machine = ssh.machine_of(call, name)
    if isinstance(machine, str):
        call.err(f"/usr/bin/ssh-copy-id: ERROR: ssh: {machine}\n")
        return 1
    user = user or call.proc.user
    tree = files.tree(machine)
    if user != "root" and users.passwd(tree, user) is None:
        call.err(f"{names[0]}: Permission denied (publickey).\n")
        return 1
    key = call.read_file(there[0])
    folder = f"{users.home_of(tree, user)}/.ssh"
    uid, gid = users.uid_of(tree, user), users.gid_of(tree, user)
    call.err(f'/usr/bin/ssh-copy-id: INFO: Source of key(s) to be installed: "{there[0]}"\n')
    held = tree.read(f"{folder}/authorized_keys") if tree.exists(f"{folder}/authorized_keys") else b""
    if key.strip() in held:
        call.err(
            "/usr/bin/ssh-copy-id: INFO: attempting to log in with the new key(s), to filter out any that are already installed\n\n"
            "/usr/bin/ssh-copy-id: WARNING: All keys were skipped because they already exist on the remote system.\n\t\t(if you think this is a mistake, you may want to use -f option)\n\n"
        )
        return 0
    if not tree.isdir(folder):
        files.make_dir(call.world, machine, folder, mode=0o700, uid=uid, gid=gid, parents=True)
    files.write_file(call.world, machine, f"{folder}/authorized_keys", held + key, mode=0o600, uid=uid, gid=gid)
    call.out(
        f"\nNumber of key(s) added: 1\n\nNow try logging into the machine, with:   \"ssh '{names[0]}'\"\nand check to make sure that only the key(s) you wanted were added.\n\n"
    )
    return 0
