"""Validation of the kinds of storage.k8s.io (`pkg/apis/storage/validation/validation.go`)."""

from __future__ import annotations

from typing import Any

from ...api import names, quantity
from ...api.errors import FieldError, duplicate, forbidden_field, invalid_value, not_supported, required, too_long
from . import affinity
from .common import NOT_NEGATIVE, immutable, not_negative

Obj = dict[str, Any]
RECLAIM = ("Delete", "Retain")
BINDING = ("Immediate", "WaitForFirstConsumer")
GROUP_POLICIES = ("File", "None", "ReadWriteOnceWithFSType")
MODES = ("Persistent", "Ephemeral")
#: Parameters of a class: how many, how many bytes; characters of a node's id in CSI; bytes of an error's message.
PARAMETERS, BYTES, NODE_ID, MESSAGE = 512, 256 * 1024, 256, 1024


def driver_name(name: str, at: str) -> list[FieldError]:
    """`ValidateCSIDriverName`."""
    if not name:
        return [required(at)]
    out = [too_long(at, 63)] if len(name) > 63 else []
    return out + [invalid_value(at, name, text) for text in names.dns_subdomain(name.lower())]


def _provisioner(name: str, at: str) -> list[FieldError]:
    if not name:
        return [required(at)]
    return [invalid_value(at, name.lower(), text) for text in names.qualified_name(name.lower())]


def _parameters(held: Obj | None, *, empty: bool) -> list[FieldError]:
    held = held or {}
    if len(held) > PARAMETERS:
        return [too_long("parameters", PARAMETERS)]
    out = [invalid_value("parameters", key, "field can not be empty.") for key in sorted(held) if not key]
    if sum(len(key.encode()) + len(value.encode()) for key, value in held.items()) > BYTES:
        out.append(too_long("parameters", BYTES))
    if not empty and not held:
        out.append(required("parameters", "must contain at least one key/value pair"))
    return out


def storage_class(obj: Obj) -> list[FieldError]:
    """`ValidateStorageClass`."""
    out = _provisioner(obj.get("provisioner") or "", "provisioner") + _parameters(obj.get("parameters"), empty=True)
    policy, mode = obj.get("reclaimPolicy"), obj.get("volumeBindingMode")
    if policy and policy not in RECLAIM:
        out.append(not_supported("reclaimPolicy", policy, RECLAIM))
    if mode not in BINDING:
        out.append(not_supported("volumeBindingMode", mode, BINDING))
    return out + _topologies(obj.get("allowedTopologies") or [])


def _topologies(terms: list[Obj]) -> list[FieldError]:
    """`validateAllowedTopologies`."""
    out: list[FieldError] = []
    before: list[dict[str, set[str]]] = []
    for i, term in enumerate(terms):
        found: dict[str, set[str]] = {}
        for j, item in enumerate(term.get("matchLabelExpressions") or ()):
            at, key, values = (
                f"allowedTopologies[{i}].matchLabelExpressions[{j}]",
                item.get("key") or "",
                item.get("values") or [],
            )
            if not values:
                out.append(required(f"{at}.values"))
            out += [duplicate(f"{at}.values[{n}]", value) for n, value in enumerate(values) if value in values[:n]]
            out += [invalid_value(f"{at}.key", key, text) for text in names.qualified_name(key)]
            if key in found:
                out.append(duplicate(f"{at}.key", key))
            found[key] = set(values)
        if found in before:
            out.append(duplicate(f"allowedTopologies[{i}].matchLabelExpressions", ""))
        before.append(found)
    return out


def storage_class_update(obj: Obj, old: Obj) -> list[FieldError]:
    """`ValidateStorageClassUpdate`."""
    out: list[FieldError] = []
    for member in ("parameters", "provisioner", "reclaimPolicy", "volumeBindingMode"):
        out += immutable(obj.get(member), old.get(member), member)
    return out


def attributes_class(obj: Obj) -> list[FieldError]:
    """`ValidateVolumeAttributesClass`."""
    return _provisioner(obj.get("driverName") or "", "driverName") + _parameters(obj.get("parameters"), empty=False)


def attributes_class_update(obj: Obj, old: Obj) -> list[FieldError]:
    """`ValidateVolumeAttributesClassUpdate`."""
    out = [
        forbidden_field(member, f"updates to {member} are forbidden.")
        for member in ("driverName", "parameters")
        if (obj.get(member) or None) != (old.get(member) or None)
    ]
    return out + attributes_class(obj)


def csi_driver(obj: Obj) -> list[FieldError]:
    """`validateCSIDriverSpec`."""
    spec, out = obj.get("spec") or {}, list[FieldError]()
    policy = spec.get("fsGroupPolicy")
    if policy is not None and policy not in GROUP_POLICIES:
        out.append(not_supported("spec.fsGroupPolicy", policy, GROUP_POLICIES))
    seen: set[str] = set()
    for i, item in enumerate(spec.get("tokenRequests") or ()):
        at, audience, seconds = f"spec.tokenRequests[{i}]", item.get("audience") or "", item.get("expirationSeconds")
        if audience in seen:
            out.append(duplicate(f"{at}.audience", audience))
            continue
        seen.add(audience)
        if seconds is not None and seconds < 600:
            out.append(invalid_value(f"{at}.expirationSeconds", seconds, "may not specify a duration less than 10 minutes"))
        if seconds is not None and seconds > 1 << 32:
            text = "may not specify a duration larger than 2^32 seconds"
            out.append(invalid_value(f"{at}.expirationSeconds", seconds, text))
    out += [
        not_supported("spec.volumeLifecycleModes", m, MODES) for m in spec.get("volumeLifecycleModes") or () if m not in MODES
    ]
    period = spec.get("nodeAllocatableUpdatePeriodSeconds")
    if period is not None and period < 10:
        text = "must be greater than or equal to 10 seconds"
        out.append(invalid_value("spec.nodeAllocatableUpdatePeriodSeconds", period, text))
    secrets = spec.get("serviceAccountTokenInSecrets")
    if secrets is not None and not spec.get("tokenRequests"):
        text = "serviceAccountTokenInSecrets is set but no tokenRequests are specified"
        out.append(invalid_value("spec.serviceAccountTokenInSecrets", secrets, text))
    return out


def csi_driver_update(obj: Obj, old: Obj) -> list[FieldError]:
    """`ValidateCSIDriverUpdate`."""
    spec, held = obj.get("spec") or {}, old.get("spec") or {}
    out = csi_driver(obj) + immutable(spec.get("attachRequired"), held.get("attachRequired"), "spec.attachedRequired")
    modes = "volumeLifecycleModes"
    return out + immutable(spec.get(modes), held.get(modes), f"spec.{modes}")


def csi_node(obj: Obj) -> list[FieldError]:
    """`validateCSINodeSpec`."""
    out: list[FieldError] = []
    seen: set[str] = set()
    for i, item in enumerate((obj.get("spec") or {}).get("drivers") or ()):
        at, name, node = f"spec.drivers[{i}]", item.get("name") or "", item.get("nodeID") or ""
        out += driver_name(name, f"{at}.name")
        if not node:
            out.append(required(f"{at}.nodeID"))
        if len(node) > NODE_ID:
            out.append(invalid_value(f"{at}.nodeID", node, f"must be {NODE_ID} characters or less"))
        out += not_negative((item.get("allocatable") or {}).get("count"), f"{at}.allocatable.count")
        if name in seen:
            out.append(duplicate(f"{at}.name", name))
        seen.add(name)
        keys = item.get("topologyKeys") or []
        for n, key in enumerate(keys):
            if not key:
                out.append(required(at))
            if key in keys[:n]:
                out.append(duplicate(at, key))
            out += [invalid_value(at, key, text) for text in names.qualified_name(key)]
    return out


def csi_node_update(obj: Obj, old: Obj) -> list[FieldError]:
    """`ValidateCSINodeUpdate`: what a driver said of itself stays, but for how many volumes it takes."""
    out = csi_node(obj)
    for held in (old.get("spec") or {}).get("drivers") or ():
        for item in (obj.get("spec") or {}).get("drivers") or ():
            if item.get("name") == held.get("name"):
                out += immutable(_driver(item), _driver(held), "spec.drivers")
    return out


def _driver(item: Obj) -> Obj:
    """The internal CSINodeDriver without its allocatable."""
    return {
        "Name": item.get("name", ""), "NodeID": item.get("nodeID", ""), "TopologyKeys": item.get("topologyKeys"), "Allocatable": None,
    }  # fmt: skip


def storage_capacity(obj: Obj) -> list[FieldError]:
    """`ValidateCSIStorageCapacity`."""
    name, size = obj.get("storageClassName") or "", obj.get("capacity")
    out = affinity.label_selector(obj.get("nodeTopology"), "nodeTopology")
    out += [invalid_value("storageClassName", name, text) for text in names.dns_subdomain(name)]
    if size is not None and quantity.nano(size) < 0:
        out.append(invalid_value("capacity", size, NOT_NEGATIVE))
    return out


def storage_capacity_update(obj: Obj, old: Obj) -> list[FieldError]:
    """`ValidateCSIStorageCapacityUpdate`."""
    return [
        error for member in ("nodeTopology", "storageClassName") for error in immutable(obj.get(member), old.get(member), member)
    ]


def attachment(obj: Obj) -> list[FieldError]:
    """`ValidateVolumeAttachment`."""
    spec, status = obj.get("spec") or {}, obj.get("status") or {}
    source, node = spec.get("source") or {}, spec.get("nodeName") or ""
    inline, volume, at = source.get("inlineVolumeSpec"), source.get("persistentVolumeName"), "spec.source"
    one = "must specify exactly one of inlineVolumeSpec and persistentVolumeName"
    out = driver_name(spec.get("attacher") or "", "spec.attacher")
    if inline is None and volume is None:
        out.append(required(at, one))
    elif inline is not None and volume is not None:
        out.append(forbidden_field(at, one))
    elif volume == "":
        out.append(required(f"{at}.persistentVolumeName", "must specify non empty persistentVolumeName"))
    out += [invalid_value("spec.nodeName", node, text) for text in names.dns_subdomain(node)]
    for member in ("attachError", "detachError"):
        held = status.get(member) or {}
        if len((held.get("message") or "").encode()) > MESSAGE:
            out.append(too_long(f"status.{member}.message", BYTES))
        if (held.get("errorCode") or 0) < 0:
            text = "must be between 0 and 2147483647, inclusive"
            out.append(invalid_value(f"status.{member}.errorCode", held["errorCode"], text))
    if volume is not None:
        out += [invalid_value(f"{at}.persistentVolumeName", volume, text) for text in names.dns_subdomain(volume)]
    return out


def attachment_update(obj: Obj, old: Obj) -> list[FieldError]:
    """`ValidateVolumeAttachmentUpdate`."""
    return attachment(obj) + immutable(_attached(obj), _attached(old), "spec")


def _attached(obj: Obj) -> Obj:
    """The internal VolumeAttachmentSpec."""
    spec = obj.get("spec") or {}
    source = spec.get("source") or {}
    inner = {"PersistentVolumeName": source.get("persistentVolumeName"), "InlineVolumeSpec": source.get("inlineVolumeSpec")}
    return {"Attacher": spec.get("attacher", ""), "Source": inner, "NodeName": spec.get("nodeName", "")}
