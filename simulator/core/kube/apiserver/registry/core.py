"""Namespaces, nodes, secrets, config maps, events and the other kinds of the core group with behaviour of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...api import names
from ...api.errors import FieldError
from ..defaults import others, pods
from ..validation import core as rules
from ..validation import endpoints, events, limits, pod, podwarnings, quotas, volumes
from .strategy import Strategy

if TYPE_CHECKING:
    from ..call import Call

Obj = dict[str, Any]


class Namespace(Strategy):
    """Namespaces: the finalizer `kubernetes` holds one until the namespace controller has emptied it."""

    return_deleted = True
    check_name = staticmethod(names.dns_label)
    fields = {"status.phase": ("status", "phase"), "name": ("metadata", "name")}

    def default(self, obj: Obj) -> None:
        """The name label."""
        others.namespace(obj)

    def prepare_create(self, call: Call, obj: Obj) -> None:
        """Active, held by its finalizer."""
        spec = obj.get("spec") or {}
        held = list(spec.get("finalizers") or ())
        obj["spec"] = {**spec, "finalizers": held if "kubernetes" in held else [*held, "kubernetes"]}
        obj["status"] = {"phase": "Active"}

    def prepare_update(self, call: Call, obj: Obj, old: Obj) -> None:
        """Only `finalize` changes the finalizers; a deletion makes the phase Terminating."""
        if call.info.subresource != "finalize":
            obj["spec"] = old.get("spec") or {}
        if obj["metadata"].get("deletionTimestamp") and call.info.subresource != "status":
            obj["status"] = {**(obj.get("status") or {}), "phase": "Terminating"}

    def validate(self, obj: Obj) -> list[FieldError]:
        """Names are also labels."""
        return rules.namespace(obj)


class Node(Strategy):
    """Nodes."""

    fields = {"spec.unschedulable": ("spec", "unschedulable")}
    field_defaults = {"spec.unschedulable": "false"}

    def prepare_update(self, call: Call, obj: Obj, old: Obj) -> None:
        """The pod range is set once."""
        if old.get("spec", {}).get("podCIDR") and "podCIDR" not in obj.get("spec", {}):
            obj["spec"] = {**obj.get("spec", {}), "podCIDR": old["spec"]["podCIDR"], "podCIDRs": old["spec"].get("podCIDRs", [])}

    def prepare_create(self, call: Call, obj: Obj) -> None:
        """A node is registered with its status, unlike other kinds."""

    def validate(self, obj: Obj) -> list[FieldError]:
        """Taints, pod ranges, amounts."""
        return rules.node(obj)

    def validate_update(self, obj: Obj, old: Obj) -> list[FieldError]:
        """What is set once stays."""
        return rules.node_update(obj, old)

    def validate_subresource(self, sub: str, obj: Obj, old: Obj) -> list[FieldError]:
        """Addresses and amounts, when somebody changed them."""
        mine, held = obj.get("status") or {}, old.get("status") or {}
        same = all(mine.get(name) == held.get(name) for name in ("addresses", "capacity", "allocatable"))
        return [] if same else rules.node_update(obj, old)

    status_fields = ("status",)


class Secret(Strategy):
    """Secrets: stringData is folded into data."""

    fields = {"type": ("type",)}

    def default(self, obj: Obj) -> None:
        """Opaque unless said otherwise."""
        others.secret(obj)
        rules.fold_string_data(obj)

    def validate(self, obj: Obj) -> list[FieldError]:
        """`ValidateSecret`."""
        return rules.secret(obj)

    def validate_update(self, obj: Obj, old: Obj) -> list[FieldError]:
        """The type is immutable, and so is an immutable secret."""
        return rules.immutable_data(obj, old, "secret") + rules.secret(obj)


class ConfigMap(Strategy):
    """ConfigMaps."""

    def validate(self, obj: Obj) -> list[FieldError]:
        """`ValidateConfigMap`."""
        return rules.config_map(obj)

    def validate_update(self, obj: Obj, old: Obj) -> list[FieldError]:
        """An immutable one stays as it is."""
        return rules.immutable_data(obj, old, "configmap") + rules.config_map(obj)


class Event(Strategy):
    """Events live an hour."""

    expires = True
    create_on_update = True
    quiet = True
    status_fields = ()
    fields = {
        "involvedObject.kind": ("involvedObject", "kind"),
        "involvedObject.namespace": ("involvedObject", "namespace"),
        "involvedObject.name": ("involvedObject", "name"),
        "involvedObject.uid": ("involvedObject", "uid"),
        "involvedObject.apiVersion": ("involvedObject", "apiVersion"),
        "involvedObject.resourceVersion": ("involvedObject", "resourceVersion"),
        "involvedObject.fieldPath": ("involvedObject", "fieldPath"),
        "regarding.kind": ("involvedObject", "kind"),
        "regarding.namespace": ("involvedObject", "namespace"),
        "regarding.name": ("involvedObject", "name"),
        "regarding.uid": ("involvedObject", "uid"),
        "reason": ("reason",),
        "reportingComponent": ("reportingComponent",),
        "source": ("source", "component"),
        "type": ("type",),
    }


class LegacyEvent(Event):
    """Events of the core group."""

    def validate(self, obj: Obj) -> list[FieldError]:
        """`legacyValidateEvent`."""
        return events.legacy(obj, "reportingComponent")


class NewEvent(Event):
    """Events of events.k8s.io."""

    def validate(self, obj: Obj) -> list[FieldError]:
        """`ValidateEventCreate`."""
        return events.create(obj)

    def validate_update(self, obj: Obj, old: Obj) -> list[FieldError]:
        """`ValidateEventUpdate`: little but the series changes."""
        return events.update(obj, old)


class PodTemplate(Strategy):
    """PodTemplates."""

    generation = True
    return_deleted = True

    def default(self, obj: Obj) -> None:
        """Those of its pods."""
        pods.template(obj.setdefault("template", {}))

    def validate(self, obj: Obj) -> list[FieldError]:
        """`ValidatePodTemplate`."""
        return pod.template(obj.get("template") or {}, "template")

    def warnings(self, obj: Obj, old: Obj | None) -> list[str]:
        """Of the template."""
        return (
            [] if old is not None and obj["template"] == old["template"] else podwarnings.template(obj["template"], "template.")
        )


class ServiceAccount(Strategy):
    """ServiceAccounts."""

    return_deleted = True


class Endpoints(Strategy):
    """Endpoints: deprecated, and said so."""

    create_on_update = True
    status_fields = ()

    def default(self, obj: Obj) -> None:
        """TCP."""
        others.endpoints(obj)

    def validate(self, obj: Obj) -> list[FieldError]:
        """`ValidateEndpoints`."""
        return endpoints.endpoints(obj)

    def validate_update(self, obj: Obj, old: Obj) -> list[FieldError]:
        """What was there before is not looked at again."""
        return [] if obj.get("subsets") == old.get("subsets") else endpoints.endpoints(obj)

    def warnings(self, obj: Obj, old: Obj | None) -> list[str]:
        """Every write warns."""
        return ["v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice"]


class PersistentVolume(Strategy):
    """PersistentVolumes."""

    return_deleted = True
    fields = {"name": ("metadata", "name")}

    def default(self, obj: Obj) -> None:
        """Retain, Filesystem."""
        others.persistent_volume(obj)

    def validate(self, obj: Obj) -> list[FieldError]:
        """`ValidatePersistentVolume`."""
        return volumes.volume(obj)

    def validate_update(self, obj: Obj, old: Obj) -> list[FieldError]:
        """The source is immutable."""
        return volumes.volume_update(obj, old)

    def prepare_create(self, call: Call, obj: Obj) -> None:
        """Pending until the controller has seen it."""
        obj["status"] = {"phase": "Pending"}


class Claim(PersistentVolume):
    """PersistentVolumeClaims."""

    def default(self, obj: Obj) -> None:
        """Filesystem."""
        others.claim(obj)

    def prepare_create(self, call: Call, obj: Obj) -> None:
        """Pending until bound."""
        obj["status"] = {"phase": "Pending"}

    def validate(self, obj: Obj) -> list[FieldError]:
        """`ValidatePersistentVolumeClaim`."""
        return rules.claim(obj)

    def validate_update(self, obj: Obj, old: Obj) -> list[FieldError]:
        """The spec is immutable but for growing requests."""
        return volumes.claim_update(obj, old)


class LimitRange(Strategy):
    """LimitRanges."""

    create_on_update = True

    def default(self, obj: Obj) -> None:
        """Container limits give defaults."""
        others.limit_range(obj)

    def validate(self, obj: Obj) -> list[FieldError]:
        """`ValidateLimitRange`."""
        return limits.limit_range(obj)


class ResourceQuota(Strategy):
    """ResourceQuotas."""

    return_deleted = True

    def validate(self, obj: Obj) -> list[FieldError]:
        """`ValidateResourceQuotaSpec`."""
        return quotas.quota(obj)

    def validate_update(self, obj: Obj, old: Obj) -> list[FieldError]:
        """The scopes stay."""
        return quotas.quota_update(obj, old)

    def validate_subresource(self, sub: str, obj: Obj, old: Obj) -> list[FieldError]:
        """Amounts."""
        return quotas.quota_status(obj)

    def warnings(self, obj: Obj, old: Obj | None) -> list[str]:
        """Requests beyond limits."""
        return quotas.warnings(obj)
