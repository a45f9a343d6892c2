"""Passwords as web servers keep them in files of users: Apache's MD5 (`$apr1$`), `{SHA}`, `{PLAIN}` and plain text."""

from __future__ import annotations

import base64
import hashlib
import hmac

ALPHABET = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def apr1(word: str, salt: str, magic: str = "$apr1$") -> str:
    """The stored form of a password (`apr_md5_encode`: a thousand rounds of MD5); `magic` `$1$` is crypt's own."""
    raw, mixed = word.encode(), salt[:8].encode()
    first = hashlib.md5(raw + mixed + raw, usedforsecurity=False).digest()
    data = raw + magic.encode() + mixed
    data += (first * (len(raw) // 16 + 1))[: len(raw)]
    count = len(raw)
    while count:
        data += b"\0" if count & 1 else raw[:1]
        count >>= 1
    found = hashlib.md5(data, usedforsecurity=False).digest()
    for turn in range(1000):
        part = raw if turn & 1 else found
        part += mixed if turn % 3 else b""
        part += raw if turn % 7 else b""
        found = hashlib.md5(part + (found if turn & 1 else raw), usedforsecurity=False).digest()
    out = ""
    for a, b, c in ((0, 6, 12), (1, 7, 13), (2, 8, 14), (3, 9, 15), (4, 10, 5)):
        out += _digits(found[a] << 16 | found[b] << 8 | found[c], 4)
    return f"{magic}{salt[:8]}${out}{_digits(found[11], 2)}"


def _digits(value: int, count: int) -> str:
    out = ""
    for _ in range(count):
        out += ALPHABET[value & 63]
        value >>= 6
    return out


def sha(word: str) -> str:
    """`{SHA}` and the base64 of SHA-1."""
    return "{SHA}" + base64.b64encode(hashlib.sha1(word.encode(), usedforsecurity=False).digest()).decode()


def fits(word: str, stored: str) -> bool:
    """Whether a password is the stored one."""
    if stored.startswith(("$apr1$", "$1$")):
        magic, salt = stored.split("$")[1:3]
        return hmac.compare_digest(apr1(word[:255], salt, f"${magic}$").encode(), stored.encode("utf-8", "replace"))
    if stored.startswith("{SHA}"):
        return hmac.compare_digest(sha(word).encode(), stored.encode("utf-8", "replace"))
    return hmac.compare_digest(stored.removeprefix("{PLAIN}").encode(), word.encode())
