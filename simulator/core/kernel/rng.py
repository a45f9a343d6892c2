"""Named random streams: each consumer draws from its own, so that a new consumer disturbs no other.

A stream is SplitMix64 seeded from the world's seed and the stream's name; its whole state is one integer, which lives in
`World.rng_state` and so in every snapshot.
"""

from __future__ import annotations

import hashlib
from collections.abc import MutableMapping, Sequence
from typing import TypeVar

_MASK = (1 << 64) - 1
_GAMMA = 0x9E3779B97F4A7C15
T = TypeVar("T")

#: The alphabet of Kubernetes' generated name suffixes (k8s.io/apimachinery/pkg/util/rand).
SAFE_ALPHABET = "bcdfghjklmnpqrstvwxz2456789"


class Stream:
    """A view on one named stream; cheap to make, holds no state of its own."""

    __slots__ = ("_name", "_states")

    def __init__(self, states: MutableMapping[str, int], name: str, seed: int) -> None:
        self._states = states
        self._name = name
        if name not in states:
            digest = hashlib.blake2b(f"{seed}/{name}".encode(), digest_size=8).digest()
            states[name] = int.from_bytes(digest, "big")

    def bits64(self) -> int:
        """The next 64 random bits."""
        state = (self._states[self._name] + _GAMMA) & _MASK
        self._states[self._name] = state
        z = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
        return z ^ (z >> 31)

    def below(self, n: int) -> int:
        """An integer in [0, n); n > 0."""
        return self.bits64() % n

    def between(self, low: int, high: int) -> int:
        """An integer in [low, high]."""
        return low + self.below(high - low + 1)

    def unit(self) -> float:
        """A float in [0, 1)."""
        return (self.bits64() >> 11) / (1 << 53)

    def choice(self, items: Sequence[T]) -> T:
        """One of a non-empty sequence."""
        return items[self.below(len(items))]

    def token(self, length: int, alphabet: str = SAFE_ALPHABET) -> str:
        """A random text; by default in the alphabet of generated pod names."""
        return "".join(alphabet[self.below(len(alphabet))] for _ in range(length))

    def hex(self, length: int) -> str:
        """`length` lower-case hexadecimal digits."""
        return self.token(length, "0123456789abcdef")

    def uuid(self) -> str:
        """A version 4 UUID."""
        raw = (self.bits64() << 64) | self.bits64()
        raw = (raw & ~(0xF << 76)) | (0x4 << 76)
        raw = (raw & ~(0x3 << 62)) | (0x2 << 62)
        h = f"{raw:032x}"
        return f"{h[:8]}-{h[8:12]}-{h[12:16]}-{h[16:20]}-{h[20:]}"
