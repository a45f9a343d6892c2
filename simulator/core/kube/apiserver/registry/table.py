"""Which strategy serves which kind: one visible row a kind with behaviour of its own; all others get the plain `Strategy`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...api import names
from ...api.kinds import KindInfo
from .strategy import Strategy

if TYPE_CHECKING:
    from ..call import Call

Obj = dict[str, Any]


class Rbac(Strategy):
    """Roles and bindings: names are path segments, a PUT creates (`pkg/registry/rbac`)."""

    create_on_update = True
    check_name = staticmethod(names.path_segment)

    def stored(self, call: Call, obj: Obj, old: Obj | None) -> None:
        """Verdicts that were cached no longer hold."""
        call.server.rbac_changed()

    def released(self, call: Call, obj: Obj) -> None:
        """Verdicts that were cached no longer hold."""
        call.server.rbac_changed()


class Generation(Strategy):
    """A kind whose spec changes are counted in metadata.generation."""

    generation = True


_TABLE: dict[tuple[str, str], type[Strategy]] = {
    ("rbac.authorization.k8s.io", "Role"): Rbac,
    ("rbac.authorization.k8s.io", "RoleBinding"): Rbac,
    ("rbac.authorization.k8s.io", "ClusterRole"): Rbac,
    ("rbac.authorization.k8s.io", "ClusterRoleBinding"): Rbac,
}

_MADE: dict[tuple[str, str], Strategy] = {}


def strategy_of(kind: KindInfo) -> Strategy:
    """The (shared, stateless) strategy of a kind."""
    key = (kind.group, kind.kind)
    found = _MADE.get(key)
    if found is None:
        found = _MADE[key] = _TABLE.get(key, Strategy)(kind.kind)
    return found
