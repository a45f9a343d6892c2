"""What an older release serves, as differences to the schema that is extracted for the newest one (`kernel/versions.py: PACKS`).

Kinds say themselves since when they are served (`KindInfo.since`); `packs.txt` lists the types and fields that a release has not got.
`tests/core/kube/api/test_packs.py` compares both with the definitions of the pinned `kubernetes-validate`.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from ...kernel.versions import MINOR, minor_of
from . import schema
from .kinds import KINDS, KindInfo

Obj = dict[str, Any]


def serves(release: str, kind: KindInfo) -> bool:
    """Whether the API server of a release (`v1.35.5`) has a built-in kind."""
    return not kind.since or _order(minor_of(release)) >= _order(kind.since)


def kinds_of(release: str) -> tuple[KindInfo, ...]:
    """The built-in kinds of a release."""
    return KINDS if minor_of(release) == MINOR else _kinds_of(minor_of(release))


@lru_cache(maxsize=8)
def _kinds_of(minor: str) -> tuple[KindInfo, ...]:
    return tuple(kind for kind in KINDS if serves(minor, kind))


def _order(minor: str) -> tuple[int, ...]:
    return tuple(int(part) for part in minor.split("."))


@lru_cache(maxsize=8)
def absent(minor: str) -> frozenset[str]:
    """Types, and fields as `Type.field`, that a minor release has not got; empty for one without a list."""
    found: set[str] = set()
    for line in schema.package_text("packs.txt").splitlines():
        head, _, rest = line.partition(": ")
        if head == minor:
            found.update(rest.split())
    return frozenset(found)


def definitions(release: str) -> Obj:
    """The component schemas of a release, for OpenAPI."""
    minor = minor_of(release)
    return schema.openapi_definitions() if minor == MINOR else _definitions(minor)


@lru_cache(maxsize=4)
def _definitions(minor: str) -> Obj:
    lost, out = absent(minor), {}
    for name, body in schema.openapi_definitions().items():
        if name in lost:
            continue
        fields = body.get("properties") or {}
        if any(f"{name}.{field}" in lost for field in fields):
            body = {**body, "properties": {field: spec for field, spec in fields.items() if f"{name}.{field}" not in lost}}
        out[name] = body
    return out
