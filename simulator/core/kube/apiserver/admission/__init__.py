"""The admission chain: a visible list of plugins, mutating ones first (`pkg/kubeapiserver/options/plugins.go`)."""

from __future__ import annotations

from typing import Any, Protocol

from ..call import Call
from .certificates import CertificateApproval, CertificateSigning, CertificateSubjectRestriction
from .limits import LimitRanger, ResourceQuota
from .namespace_lifecycle import NamespaceLifecycle
from .pods import DefaultStorageClass, DefaultTolerationSeconds, NodeRestriction, Priority, TaintNodesByCondition
from .service_account import ServiceAccount

Obj = dict[str, Any]


class Plugin(Protocol):
    """One admission plugin.  `obj` is fresh and may be changed by `mutate`; it is None for deletions."""

    name: str

    def mutate(self, call: Call, obj: Obj, old: Obj | None) -> None:
        """Change the object before it is validated."""

    def validate(self, call: Call, obj: Obj | None, old: Obj | None) -> None:
        """Refuse the request by raising ApiError."""


#: In the order of `AllOrderedPlugins`.
PLUGINS: tuple[Plugin, ...] = (
    NamespaceLifecycle(),
    LimitRanger(),
    ServiceAccount(),
    NodeRestriction(),
    TaintNodesByCondition(),
    DefaultTolerationSeconds(),
    DefaultStorageClass(),
    Priority(),
    CertificateApproval(),
    CertificateSigning(),
    CertificateSubjectRestriction(),
    ResourceQuota(),
)

#: On without a flag.
DEFAULT_ON = frozenset(plugin.name for plugin in PLUGINS) - {"NodeRestriction"}


def enabled(names: list[str]) -> tuple[Plugin, ...]:
    """The plugins that run: the defaults and those that `--enable-admission-plugins` adds."""
    return tuple(plugin for plugin in PLUGINS if plugin.name in DEFAULT_ON or plugin.name in names)


def mutate(call: Call, obj: Obj, old: Obj | None) -> None:
    """Run the mutating half of the enabled plugins."""
    for plugin in call.server.plugins:
        plugin.mutate(call, obj, old)


def validate(call: Call, obj: Obj | None, old: Obj | None) -> None:
    """Run the validating half of the enabled plugins."""
    for plugin in call.server.plugins:
        plugin.validate(call, obj, old)
