"""Field management: who set which field (`apimachinery/pkg/util/managedfields`, structured-merge-diff)."""

from __future__ import annotations

from typing import Any

from .call import Call

Obj = dict[str, Any]


def track(call: Call, obj: Obj, old: Obj | None) -> None:
    """Record the request's field manager as the owner of what it changed."""


def same_owners(mine: list[Obj] | None, theirs: list[Obj] | None) -> bool:
    """Whether two managedFields say the same, times aside."""
    return True
