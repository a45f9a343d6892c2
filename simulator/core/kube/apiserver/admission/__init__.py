"""The admission chain: a visible list of plugins, mutating ones first (`pkg/kubeapiserver/options/plugins.go`)."""

from __future__ import annotations

import functools
from typing import Any, Protocol

import msgspec

from ...api.errors import ApiError
from ..call import Call
from .certificates import CertificateApproval, CertificateSigning, CertificateSubjectRestriction
from .limits import LimitRanger, ResourceQuota
from .more import (
    AlwaysDeny,
    AlwaysPullImages,
    AntiAffinity,
    DefaultIngressClass,
    DenyServiceExternalIPs,
    ExtendedResourceToleration,
    NamespaceExists,
    PersistentVolumeClaimResize,
    PodResizeValidator,
    PodTopologyLabels,
    Quiet,
    RuntimeClass,
    StorageObjectInUseProtection,
)
from .namespace_lifecycle import NamespaceLifecycle
from .pod_security import PodSecurity
from .pods import DefaultStorageClass, DefaultTolerationSeconds, NodeRestriction, Priority, TaintNodesByCondition
from .policies import MutatingAdmissionPolicy, ValidatingAdmissionPolicy
from .service_account import ServiceAccount
from .webhooks import MutatingAdmissionWebhook, ValidatingAdmissionWebhook

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
    Quiet(),
    NamespaceLifecycle(),
    NamespaceExists(),
    AntiAffinity(),
    LimitRanger(),
    ServiceAccount(),
    NodeRestriction(),
    TaintNodesByCondition(),
    AlwaysPullImages(),
    PodSecurity(),
    Priority(),
    DefaultTolerationSeconds(),
    ExtendedResourceToleration(),
    DefaultStorageClass(),
    StorageObjectInUseProtection(),
    PersistentVolumeClaimResize(),
    RuntimeClass(),
    CertificateApproval(),
    CertificateSigning(),
    CertificateSubjectRestriction(),
    DefaultIngressClass(),
    DenyServiceExternalIPs(),
    PodTopologyLabels(),
    PodResizeValidator(),
    MutatingAdmissionPolicy(),
    MutatingAdmissionWebhook(),
    ValidatingAdmissionPolicy(),
    ValidatingAdmissionWebhook(),
    ResourceQuota(),
    AlwaysDeny(),
)

#: Off unless `--enable-admission-plugins` names them (`DefaultOffAdmissionPlugins`).
DEFAULT_OFF = frozenset(
    "AlwaysAdmit AlwaysDeny AlwaysPullImages DenyServiceExternalIPs ExtendedResourceToleration NamespaceExists NodeRestriction "
    "LimitPodHardAntiAffinityTopology".split()
)
#: Plugins of the real server whose work is not simulated: those that act by default do nothing here that a cluster could notice.
NOT_SIMULATED_OFF = frozenset(
    "NamespaceAutoProvision ImagePolicyWebhook PodNodeSelector PodTolerationRestriction EventRateLimit "
    "OwnerReferencesPermissionEnforcement".split()
)
KNOWN = (
    frozenset(plugin.name for plugin in PLUGINS)
    | NOT_SIMULATED_OFF
    | frozenset(
        "PodGroupProtection ClusterTrustBundleAttest PodGroupWorkloadExists NodeDeclaredFeatureValidator JobValidation".split()
    )
)


@functools.cache
def enabled(names: tuple[str, ...], disabled: tuple[str, ...]) -> tuple[Plugin, ...]:
    """The plugins that run: the defaults, those that `--enable-admission-plugins` adds, less `--disable-admission-plugins`."""
    on = {plugin.name for plugin in PLUGINS if plugin.name not in DEFAULT_OFF} - set(disabled) | set(names)
    return tuple(plugin for plugin in PLUGINS if plugin.name in on)


@functools.lru_cache(maxsize=16)
def acting(plugins: tuple[Plugin, ...], half: str) -> tuple[Plugin, ...]:
    """The plugins whose half (`mutate` or `validate`) does something: most have one of the two."""
    nothing = getattr(Plugin, half).__code__.co_code
    return tuple(p for p in plugins if getattr(type(p), half).__code__.co_code != nothing)


_OF_PODS = (
    "LimitRanger ServiceAccount AlwaysPullImages Priority DefaultTolerationSeconds ExtendedResourceToleration RuntimeClass "
)
_OF_PODS += "PodTopologyLabels"
#: Plugins that may change an object, by its kind; and those that may change any.
CHANGING: dict[str, frozenset[str]] = {
    "Pod": frozenset(_OF_PODS.split()),
    "PriorityClass": frozenset(("Priority",)),
    "Node": frozenset(("TaintNodesByCondition",)),
    "Ingress": frozenset(("DefaultIngressClass",)),
    "PersistentVolume": frozenset(("StorageObjectInUseProtection",)),
    "PersistentVolumeClaim": frozenset(("DefaultStorageClass", "StorageObjectInUseProtection")),
}
CHANGING_ANY = frozenset(("MutatingAdmissionPolicy", "MutatingAdmissionWebhook"))


def mutate(call: Call, obj: Obj, old: Obj | None) -> None:
    """Run the mutating half of the enabled plugins, noting which of them changed something where somebody wants to know."""
    changed, shape = call.changed, _shape(obj) if call.changed is not None else b""
    looked_at = CHANGING_ANY | CHANGING.get(call.kind.kind, frozenset())
    for plugin in acting(call.server.plugins, "mutate"):
        try:
            plugin.mutate(call, obj, old)
        except ApiError:
            call.refused = plugin.name
            raise
        if changed is not None and plugin.name in looked_at and (now := _shape(obj)) != shape:
            shape = now
            changed.append(plugin.name)


def _shape(obj: Obj) -> bytes:
    """What an object is, to see whether it changes; one with large data is not looked at (no plugin changes data)."""
    return msgspec.msgpack.encode({name: part for name, part in obj.items() if name not in ("data", "binaryData", "stringData")})


def validate(call: Call, obj: Obj | None, old: Obj | None) -> None:
    """Run the validating half of the enabled plugins."""
    for plugin in acting(call.server.plugins, "validate"):
        try:
            plugin.validate(call, obj, old)
        except ApiError:
            call.refused = plugin.name
            raise
