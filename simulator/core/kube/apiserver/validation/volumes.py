"""Validation of persistent volumes and claims on update (`ValidatePersistentVolumeUpdate`, `ValidatePersistentVolumeClaimUpdate`)."""

from __future__ import annotations

import difflib
import json
from typing import Any

from ...api import quantity
from ...api.errors import FieldError, forbidden_field, required
from .core import claim

Obj = dict[str, Any]
#: The members of the internal PersistentVolumeSource in order, with the API's names.
SOURCES = {
    "GCEPersistentDisk": "gcePersistentDisk", "AWSElasticBlockStore": "awsElasticBlockStore", "HostPath": "hostPath", "Glusterfs": "glusterfs",
    "NFS": "nfs", "RBD": "rbd", "Quobyte": "quobyte", "ISCSI": "iscsi", "FlexVolume": "flexVolume", "Cinder": "cinder", "CephFS": "cephfs",
    "FC": "fc", "Flocker": "flocker", "AzureFile": "azureFile", "VsphereVolume": "vsphereVolume", "AzureDisk": "azureDisk",
    "PhotonPersistentDisk": "photonPersistentDisk", "PortworxVolume": "portworxVolume", "ScaleIO": "scaleIO", "Local": "local",
    "StorageOS": "storageos", "CSI": "csi",
}  # fmt: skip
#: The members of the sources that are common, with their zero values; others are shown as they are written.
MEMBERS: dict[str, tuple[tuple[str, str, Any], ...]] = {
    "HostPath": (("Path", "path", ""), ("Type", "type", None)),
    "NFS": (("Server", "server", ""), ("Path", "path", ""), ("ReadOnly", "readOnly", False)),
    "Local": (("Path", "path", ""), ("FSType", "fsType", None)),
    "CSI": (("Driver", "driver", ""), ("VolumeHandle", "volumeHandle", ""), ("ReadOnly", "readOnly", False), ("FSType", "fsType", ""),
            ("VolumeAttributes", "volumeAttributes", None), ("ControllerPublishSecretRef", "controllerPublishSecretRef", None),
            ("NodeStageSecretRef", "nodeStageSecretRef", None), ("NodePublishSecretRef", "nodePublishSecretRef", None),
            ("ControllerExpandSecretRef", "controllerExpandSecretRef", None), ("NodeExpandSecretRef", "nodeExpandSecretRef", None)),
}  # fmt: skip


def go_diff(old: Obj, new: Obj) -> str:
    """What differs between two Go structs, as `util/diff` shows it: a unified diff of their JSON."""
    before, after = ([line + "\n" for line in json.dumps(item, indent=1, ensure_ascii=False).split("\n")] for item in (old, new))
    return "".join(list(difflib.unified_diff(before, after, n=3))[2:])


def _source(spec: Obj) -> Obj:
    out: Obj = {}
    for name, key in SOURCES.items():
        held = spec.get(key)
        if held is None:
            out[name] = None
        elif name in MEMBERS:
            out[name] = {member: held.get(field, zero) for member, field, zero in MEMBERS[name]}
        else:
            out[name] = {field[:1].upper() + field[1:]: value for field, value in held.items()}
    return out


def volume(obj: Obj) -> list[FieldError]:
    """What a PersistentVolume must have."""
    spec = obj.get("spec") or {}
    out = [] if spec.get("accessModes") else [required("spec.accessModes")]
    out += [] if spec.get("capacity") else [required("spec.capacity")]
    given = [key for key in SOURCES.values() if spec.get(key) is not None]
    if not given:
        out.append(required("spec", "must specify a volume type"))
    out += [forbidden_field(f"spec.{key}", "may not specify more than 1 volume type") for key in given[1:]]
    return out


def volume_update(obj: Obj, old: Obj) -> list[FieldError]:
    """The source of a volume and its mode never change."""
    out = volume(obj)
    before, after = _source(old["spec"]), _source(obj["spec"])
    if before != after:
        text = f"spec.persistentvolumesource is immutable after creation\n{go_diff(before, after)}"
        out.append(forbidden_field("spec.persistentvolumesource", text))
    return out


def _claim(spec: Obj) -> Obj:
    resources = spec.get("resources") or {}
    return {
        "AccessModes": spec.get("accessModes"), "Selector": spec.get("selector"),
        "Resources": {"Limits": resources.get("limits"), "Requests": resources.get("requests")}, "VolumeName": spec.get("volumeName", ""),
        "StorageClassName": spec.get("storageClassName"), "VolumeMode": spec.get("volumeMode"), "DataSource": spec.get("dataSource"),
        "DataSourceRef": spec.get("dataSourceRef"), "VolumeAttributesClassName": spec.get("volumeAttributesClassName"),
    }  # fmt: skip


def claim_update(obj: Obj, old: Obj) -> list[FieldError]:
    """Of a bound claim the request may grow; the volume's name and the class may be set once."""
    out = claim(obj)
    before, after = _claim(old["spec"]), _claim(obj["spec"])
    before["VolumeName"] = before["VolumeName"] or after["VolumeName"]
    if before["StorageClassName"] is None:
        before["StorageClassName"] = after["StorageClassName"]
    bound = (obj.get("status") or {}).get("phase") == "Bound"
    sizes = [((item["spec"].get("resources") or {}).get("requests") or {}).get("storage") for item in (obj, old)]
    if bound and after["Resources"]["Requests"]:
        after["Resources"] = {**after["Resources"], "Requests": {**after["Resources"]["Requests"], "storage": sizes[1]}}
        after["VolumeAttributesClassName"] = before["VolumeAttributesClassName"]
    if before != after:
        text = "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims"
        out.append(forbidden_field("spec", f"{text}\n{go_diff(before, after)}"))
    if None not in sizes and quantity.compare(str(sizes[0]), str(sizes[1])) < 0:
        held = ((old.get("status") or {}).get("capacity") or {}).get("storage", "0")
        if quantity.compare(str(sizes[0]), str(held)) <= 0:
            out.append(forbidden_field("spec.resources.requests.storage", "field can not be less than status.capacity"))
    return out
