"""Validation of volumes, claims and storage classes (`pkg/apis/{core,storage}/validation`), with the differences that updates are refused for.

What an update changed is shown as a unified difference of the server's internal objects: Go's field names, every field, one blank a level.
"""

from __future__ import annotations

from typing import Any

from ...api import quantity
from ...api.errors import FieldError, forbidden_field, invalid_value, not_supported, required
from ...api.internal import difference
from .core import claim

Obj = dict[str, Any]
#: Fields of the internal PersistentVolumeSource in order: (wire name, Go name).
SOURCES = (
    ("gcePersistentDisk", "GCEPersistentDisk"), ("awsElasticBlockStore", "AWSElasticBlockStore"), ("hostPath", "HostPath"),
    ("glusterfs", "Glusterfs"), ("nfs", "NFS"), ("rbd", "RBD"), ("quobyte", "Quobyte"), ("iscsi", "ISCSI"),
    ("flexVolume", "FlexVolume"), ("cinder", "Cinder"), ("cephfs", "CephFS"), ("fc", "FC"), ("flocker", "Flocker"),
    ("azureFile", "AzureFile"), ("vsphereVolume", "VsphereVolume"), ("azureDisk", "AzureDisk"),
    ("photonPersistentDisk", "PhotonPersistentDisk"), ("portworxVolume", "PortworxVolume"), ("scaleIO", "ScaleIO"),
    ("local", "Local"), ("storageos", "StorageOS"), ("csi", "CSI"),
)  # fmt: skip
#: Fields of the sources that people write: source → ((wire name, Go name, value when absent), …).
_MEMBERS: dict[str, tuple[tuple[str, str, Any], ...]] = {
    "hostPath": (("path", "Path", ""), ("type", "Type", None)),
    "nfs": (("server", "Server", ""), ("path", "Path", ""), ("readOnly", "ReadOnly", False)),
    "local": (("path", "Path", ""), ("fsType", "FSType", None)),
    "csi": (
        ("driver", "Driver", ""), ("volumeHandle", "VolumeHandle", ""), ("readOnly", "ReadOnly", False), ("fsType", "FSType", ""),
        ("volumeAttributes", "VolumeAttributes", None), ("controllerPublishSecretRef", "ControllerPublishSecretRef", None),
        ("nodeStageSecretRef", "NodeStageSecretRef", None), ("nodePublishSecretRef", "NodePublishSecretRef", None),
        ("controllerExpandSecretRef", "ControllerExpandSecretRef", None), ("nodeExpandSecretRef", "NodeExpandSecretRef", None),
    ),
}  # fmt: skip


def _go(item: Obj | None, members: tuple[tuple[str, str, Any], ...]) -> Obj | None:
    return None if item is None else {go: item.get(wire, absent) for wire, go, absent in members}


def source_of(spec: Obj) -> Obj:
    """The internal PersistentVolumeSource of a volume's spec."""
    out: Obj = {}
    for wire, go in SOURCES:
        held = spec.get(wire)
        members = _MEMBERS.get(wire)
        out[go] = _go(held, members) if members is not None else held
    return out


def claim_spec(spec: Obj) -> Obj:
    """The internal PersistentVolumeClaimSpec."""
    resources = spec.get("resources") or {}
    reference = (("apiGroup", "APIGroup", None), ("kind", "Kind", ""), ("name", "Name", ""))
    return {
        "AccessModes": spec.get("accessModes"),
        "Selector": spec.get("selector"),
        "Resources": {"Limits": resources.get("limits"), "Requests": resources.get("requests")},
        "VolumeName": spec.get("volumeName", ""),
        "StorageClassName": spec.get("storageClassName"),
        "VolumeMode": spec.get("volumeMode"),
        "DataSource": _go(spec.get("dataSource"), reference),
        "DataSourceRef": _go(spec.get("dataSourceRef"), (*reference, ("namespace", "Namespace", None))),
        "VolumeAttributesClassName": spec.get("volumeAttributesClassName"),
    }


def claim_update(obj: Obj, old: Obj) -> list[FieldError]:
    """`ValidatePersistentVolumeClaimUpdate`."""
    out = claim(obj)
    new, held = claim_spec(obj["spec"]), claim_spec(old["spec"])
    if not held["VolumeName"]:
        held["VolumeName"] = new["VolumeName"]
    if held["StorageClassName"] is None:
        held["StorageClassName"] = new["StorageClassName"]
    sizes = [(item["Resources"]["Requests"] or {}).get("storage", "0") for item in (new, held)]
    if (old.get("status") or {}).get("phase") == "Bound":
        if new["Resources"]["Requests"] is not None:
            new["Resources"]["Requests"] = {**new["Resources"]["Requests"], "storage": sizes[1]}
        new["VolumeAttributesClassName"] = held["VolumeAttributesClassName"]
    if new != held:
        text = "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims"
        out.append(forbidden_field("spec", f"{text}\n{difference(held, new)}"))
    capacity = ((old.get("status") or {}).get("capacity") or {}).get("storage", "0")
    if quantity.compare(sizes[0], sizes[1]) < 0 and quantity.compare(sizes[0], capacity) <= 0:
        out.append(forbidden_field("spec.resources.requests.storage", "field can not be less than status.capacity"))
    if obj["spec"].get("volumeMode") != old["spec"].get("volumeMode"):
        out.append(invalid_value("volumeMode", obj["spec"].get("volumeMode"), "field is immutable"))
    return out


def volume(obj: Obj) -> list[FieldError]:
    """`ValidatePersistentVolumeSpec`."""
    spec = obj.get("spec") or {}
    out: list[FieldError] = []
    if not spec.get("accessModes"):
        out.append(required("spec.accessModes"))
    modes = ("ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod")
    out += [not_supported("spec.accessModes", mode, modes) for mode in spec.get("accessModes") or () if mode not in modes]
    capacity = spec.get("capacity") or {}
    if not capacity:
        out.append(required("spec.capacity"))
    elif "storage" not in capacity or len(capacity) > 1:
        out.append(not_supported("spec.capacity", capacity, ("storage",)))
    for name, amount in sorted(capacity.items()):
        if quantity.nano(amount) <= 0:
            out.append(invalid_value(f"spec.capacity[{name}]", amount, "must be greater than zero"))
    policy = spec.get("persistentVolumeReclaimPolicy")
    if policy not in ("Delete", "Recycle", "Retain"):
        out.append(not_supported("spec.persistentVolumeReclaimPolicy", policy, ("Delete", "Recycle", "Retain")))
    used = [wire for wire, _ in SOURCES if spec.get(wire) is not None]
    out += [forbidden_field(f"spec.{wire}", "may not specify more than 1 volume type") for wire in used[1:]]
    if not used:
        out.append(required("spec", "must specify a volume type"))
    if spec.get("hostPath") is not None:
        out += _host_path(spec["hostPath"], "spec.hostPath")
    if spec.get("local") is not None:
        if not spec["local"].get("path"):
            out.append(required("spec.local.path"))
        if not (spec.get("nodeAffinity") or {}).get("required"):
            out.append(required("spec.nodeAffinity", "Local volume requires node affinity"))
    if spec.get("nfs") is not None:
        out += [required(f"spec.nfs.{member}") for member in ("server", "path") if not spec["nfs"].get(member)]
    return out


def _host_path(held: Obj, at: str) -> list[FieldError]:
    path = held.get("path", "")
    if not path:
        return [required(f"{at}.path")]
    return [invalid_value(f"{at}.path", path, "must not contain '..'")] if ".." in path.split("/") else []


def volume_update(obj: Obj, old: Obj) -> list[FieldError]:
    """`ValidatePersistentVolumeUpdate`."""
    out = volume(obj)
    new, held = source_of(obj["spec"]), source_of(old["spec"])
    if new != held:
        text = f"spec.persistentvolumesource is immutable after creation\n{difference(held, new)}"
        out.append(forbidden_field("spec.persistentvolumesource", text))
    if obj["spec"].get("volumeMode") != old["spec"].get("volumeMode"):
        out.append(invalid_value("volumeMode", obj["spec"].get("volumeMode"), "field is immutable"))
    return out
