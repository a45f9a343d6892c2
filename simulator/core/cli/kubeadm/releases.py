"""Comparison of versions as kubeadm's upgrades need it (k8s.io/apimachinery/pkg/util/version)."""

from __future__ import annotations

import re

import msgspec

_SEMANTIC = re.compile(r"v?(\d+)\.(\d+)\.(\d+)(?:-([0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z.-]+)?")


class Release(msgspec.Struct, frozen=True):
    """A version's numbers and its pre-release, "" for a release."""

    major: int
    minor: int
    patch: int
    pre: str = ""

    @property
    def key(self) -> tuple[object, ...]:
        """What orders versions: a pre-release comes before its release."""
        parts = tuple((0, int(part), "") if part.isdigit() else (1, 0, part) for part in self.pre.split(".")) if self.pre else ()
        return (self.major, self.minor, self.patch, not self.pre, parts)

    def __lt__(self, other: Release) -> bool:
        return self.key < other.key

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}.{self.patch}" + (f"-{self.pre}" if self.pre else "")


def parse(text: str) -> Release:
    """A semantic version; raises ValueError with Go's words."""
    match = _SEMANTIC.fullmatch(text)
    if match is None:
        raise ValueError(f'could not parse "{text}" as version')
    return Release(int(match[1]), int(match[2]), int(match[3]), match[4] or "")
