"""Find the primes of `simulator/core/host/primes.py` again and print its table: `python scripts/find_primes.py`."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator

COUNT, BITS, WIDTH = 48, 1024, 118
SMALL = [p for p in range(3, 20_000, 2) if all(p % q for q in range(3, int(p**0.5) + 1, 2))]
WITNESSES = (2, 3, 5, 7, 11, 13, 17, 19, 23)


def digests(seed: str) -> Iterator[bytes]:
    """An endless stream of bytes that `seed` alone decides."""
    count = 0
    while True:
        yield hashlib.sha256(f"{seed}/{count}".encode()).digest()
        count += 1


def is_prime(number: int) -> bool:
    """Trial division, then Miller and Rabin's test."""
    if any(number % p == 0 for p in SMALL):
        return False
    odd, twos = number - 1, 0
    while odd % 2 == 0:
        odd, twos = odd // 2, twos + 1
    for witness in WITNESSES:
        power = pow(witness, odd, number)
        if power in (1, number - 1):
            continue
        for _ in range(twos - 1):
            power = power * power % number
            if power == number - 1:
                break
        else:
            return False
    return True


def prime(index: int) -> int:
    """The prime of that index: the first at or above a number that the stream gives, fit for RSA's exponent 65537."""
    stream = digests(f"slipway prime {BITS} {index}")
    number = int.from_bytes(b"".join(next(stream) for _ in range(BITS // 256)), "big") | (3 << (BITS - 2)) | 1
    while not (is_prime(number) and (number - 1) % 65537):
        number += 2
    return number


if __name__ == "__main__":
    table = base64.b85encode(b"".join(prime(index).to_bytes(BITS // 8, "big") for index in range(COUNT))).decode()
    for at in range(0, len(table), WIDTH):
        print(f'    "{table[at : at + WIDTH]}"')
