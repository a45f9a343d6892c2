"""What each release serves: kinds, groups and types (`kernel/versions.py: PACKS`).

Kinds say themselves since when they are served (`KindInfo.since`); types and their descriptions are the release's own, from its
definitions in the pinned `kubernetes-validate`, one pair of caches a release (`schema.py`).
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from ...kernel.versions import MINOR, PACKS, minor_of
from . import schema
from .kinds import GROUPS, KINDS, LATER, LATER_GROUPS, KindInfo

Obj = dict[str, Any]


def serves(release: str, kind: KindInfo) -> bool:
    """Whether the API server of a release (`v1.35.5`) has a built-in kind."""
    return not kind.since or _order(minor_of(release)) >= _order(kind.since)


def kinds_of(release: str) -> tuple[KindInfo, ...]:
    """The built-in kinds of a release."""
    return KINDS if minor_of(release) == MINOR else _kinds_of(minor_of(release))


@lru_cache(maxsize=8)
def _kinds_of(minor: str) -> tuple[KindInfo, ...]:
    return tuple(kind for kind in KINDS + LATER if serves(minor, kind))


def groups_of(release: str) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """The built-in groups of a release with their versions, in the order of discovery."""
    if minor_of(release) == MINOR:
        return GROUPS
    held = {kind.group for kind in kinds_of(release)}
    return tuple(item for item in GROUPS + LATER_GROUPS if item[0] in held)


def _order(minor: str) -> tuple[int, ...]:
    return tuple(int(part) for part in minor.split("."))


def pack_of(release: str) -> str:
    """The pack with the types of a release: its own, or the default one where it has none."""
    minor = minor_of(release)
    return minor if minor in PACKS else MINOR


def definitions(release: str) -> Obj:
    """The component schemas of a release, for OpenAPI."""
    return schema.openapi_definitions(pack_of(release))
