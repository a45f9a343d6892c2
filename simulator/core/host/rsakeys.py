"""RSA keys of any size from the world's random streams, for those that a learner makes: the same world makes the same key.

A cluster's own certificates draw from the primes that are kept in `primes.py`; these are looked for.

Candidates are odd numbers above a random start with their two highest bits set; a sieve of small primes leaves a few dozen for the test to the
base 2, and two rounds of Miller and Rabin confirm.  A 2048-bit key takes about a fifth of a second, a 4096-bit one some seconds.
"""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric import rsa

from ..kernel.rng import Stream

EXPONENT = 65537
WINDOW = 1 << 13
MAX_BITS, MIN_BITS = 4096, 512


def _small(limit: int) -> list[int]:
    marks = bytearray([1]) * limit
    for n in range(2, int(limit**0.5) + 1):
        if marks[n]:
            marks[n * n :: n] = bytes(len(range(n * n, limit, n)))
    return [n for n in range(3, limit) if marks[n]]


_SMALL = _small(1 << 16)


def _random(rng: Stream, bits: int) -> int:
    value = 0
    for _ in range((bits + 63) // 64):
        value = (value << 64) | rng.bits64()
    return value >> (-bits % 64)


def _probable(n: int, base: int) -> bool:
    """Miller and Rabin's test to one base."""
    odd, twos = n - 1, 0
    while odd % 2 == 0:
        odd, twos = odd // 2, twos + 1
    x = pow(base, odd, n)
    if x in (1, n - 1):
        return True
    for _ in range(twos - 1):
        x = x * x % n
        if x == n - 1:
            return True
    return False


def prime(rng: Stream, bits: int) -> int:
    """A prime p of so many bits, its two highest set, with p - 1 prime to the exponent."""
    while True:
        start = _random(rng, bits) | (3 << (bits - 2)) | 1
        marks = bytearray([1]) * WINDOW
        for small in _SMALL:
            # start + 2k is divisible by `small` for k = -start / 2 modulo it
            first = (-start * ((small + 1) // 2)) % small
            marks[first::small] = bytes(len(range(first, WINDOW, small)))
        for at in range(WINDOW):
            n = start + 2 * at
            if marks[at] and n.bit_length() == bits and _probable(n, 2) and _probable(n, 3) and n % EXPONENT != 1:
                return n


def new_rsa(rng: Stream, bits: int) -> rsa.RSAPrivateKey:
    """A private key of `bits` bits (512 to 4096)."""
    half = (bits + 1) // 2
    while True:
        p, q = prime(rng, half), prime(rng, bits - half)
        if p != q and (p * q).bit_length() == bits:
            break
    if p < q:
        p, q = q, p
    d = pow(EXPONENT, -1, (p - 1) * (q - 1))
    numbers = rsa.RSAPrivateNumbers(p, q, d, d % (p - 1), d % (q - 1), pow(q, -1, p), rsa.RSAPublicNumbers(EXPONENT, p * q))
    return numbers.private_key(unsafe_skip_rsa_key_validation=True)
