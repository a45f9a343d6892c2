"""Validation of the smaller kinds of the core group."""

from __future__ import annotations

import base64
from typing import Any

from ...api import names, quantity
from ...api.errors import FieldError, duplicate, forbidden_field, invalid_value, not_supported, required, too_long
from . import affinity

Obj = dict[str, Any]
MAX_DATA = 1024 * 1024
EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")
ACCESS_MODES = ("ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod")


def namespace(obj: Obj) -> list[FieldError]:
    """Nothing beyond the name, which the metadata's rules check."""
    return []


def node(obj: Obj) -> list[FieldError]:
    """`ValidateNode`: taints."""
    out: list[FieldError] = []
    seen: set[tuple[str, str]] = set()
    for i, taint in enumerate((obj.get("spec") or {}).get("taints") or ()):
        at = f"metadata.taints[{i}]"
        out += [invalid_value(f"{at}.key", taint.get("key", ""), text) for text in names.qualified_name(taint.get("key", ""))]
        out += [invalid_value(f"{at}.value", taint.get("value", ""), text) for text in names.label_value(taint.get("value", ""))]
        effect = taint.get("effect", "")
        if not effect:
            out.append(required(f"{at}.effect"))
        elif effect not in EFFECTS:
            out.append(not_supported(f"{at}.effect", effect, EFFECTS))
        pair = (taint.get("key", ""), effect)
        if pair in seen:
            out.append(duplicate(at, taint))
        seen.add(pair)
    return out


def fold_string_data(obj: Obj) -> None:
    """`stringData` becomes base64 `data` and is not stored (`Convert_v1_Secret_To_core_Secret`)."""
    text = obj.pop("stringData", None)
    if text:
        data = dict(obj.get("data") or {})
        data.update({k: base64.b64encode(v.encode()).decode() for k, v in text.items()})
        obj["data"] = {k: data[k] for k in sorted(data)}


_REQUIRED_KEYS = {
    "kubernetes.io/basic-auth": (),
    "kubernetes.io/dockerconfigjson": (".dockerconfigjson",),
    "kubernetes.io/dockercfg": (".dockercfg",),
    "kubernetes.io/ssh-auth": ("ssh-privatekey",),
    "kubernetes.io/tls": ("tls.crt", "tls.key"),
}


def secret(obj: Obj) -> list[FieldError]:
    """`ValidateSecret`."""
    out: list[FieldError] = []
    data = obj.get("data") or {}
    total = 0
    for key, value in sorted(data.items()):
        out += [invalid_value(f"data[{key}]", key, text) for text in names.config_key(key)]
        total += len(value) * 3 // 4
    if total > MAX_DATA:
        out.append(too_long("data", MAX_DATA))
    for key in _REQUIRED_KEYS.get(obj.get("type", ""), ()):
        if key not in data:
            out.append(required(f"data[{key}]"))
    account = (obj["metadata"].get("annotations") or {}).get("kubernetes.io/service-account.name")
    if obj.get("type") == "kubernetes.io/service-account-token" and not account:
        out.append(required("metadata.annotations[kubernetes.io/service-account.name]"))
    return out


def config_map(obj: Obj) -> list[FieldError]:
    """`ValidateConfigMap`."""
    out: list[FieldError] = []
    data, binary = obj.get("data") or {}, obj.get("binaryData") or {}
    total = 0
    for key, value in sorted(data.items()):
        out += [invalid_value(f"data[{key}]", key, text) for text in names.config_key(key)]
        if key in binary:
            out.append(invalid_value(f"data[{key}]", key, "duplicate of key present in binaryData"))
        total += len(value)
    for key, value in sorted(binary.items()):
        out += [invalid_value(f"binaryData[{key}]", key, text) for text in names.config_key(key)]
        total += len(value) * 3 // 4
    if total > MAX_DATA:
        out.append(too_long("", MAX_DATA))
    return out


def immutable_data(obj: Obj, old: Obj, kind: str) -> list[FieldError]:
    """A Secret's type, and everything of an immutable Secret or ConfigMap."""
    out: list[FieldError] = []
    if kind == "secret" and obj.get("type") != old.get("type"):
        out.append(invalid_value("type", obj.get("type"), "field is immutable"))
    if not old.get("immutable"):
        return out
    if not obj.get("immutable"):
        out.append(forbidden_field("immutable", "field is immutable when `immutable` is set"))
    for name in ("data", "binaryData"):
        if obj.get(name) != old.get(name):
            out.append(forbidden_field(name, "field is immutable when `immutable` is set"))
    return out


def claim(obj: Obj) -> list[FieldError]:
    """`ValidatePersistentVolumeClaimSpec`."""
    spec = obj.get("spec") or {}
    out: list[FieldError] = []
    modes = spec.get("accessModes") or ()
    if not modes:
        out.append(required("spec.accessModes", "at least 1 access mode is required"))
    out += affinity.label_selector(spec.get("selector"), "spec.selector")
    out += [not_supported("spec.accessModes", mode, ACCESS_MODES) for mode in modes if mode not in ACCESS_MODES]
    if "ReadWriteOncePod" in modes and any(mode in ACCESS_MODES and mode != "ReadWriteOncePod" for mode in modes):
        out.append(forbidden_field("spec.accessModes", "may not use ReadWriteOncePod with other access modes"))
    storage = ((spec.get("resources") or {}).get("requests") or {}).get("storage")
    if storage is None:
        out.append(required("spec.resources[storage]"))
    elif quantity.nano(storage) <= 0:
        out.append(invalid_value("spec.resources[storage]", storage, "must be greater than zero"))
    if spec.get("storageClassName"):
        name = spec["storageClassName"]
        out += [invalid_value("spec.storageClassName", name, text) for text in names.dns_subdomain(name)]
    if spec.get("volumeMode") not in (None, "Block", "Filesystem"):
        out.append(not_supported("spec.volumeMode", spec["volumeMode"], ("Block", "Filesystem")))
    source = spec.get("dataSource")
    if source is not None:
        out += [required(f"spec.dataSource.{name}") for name in ("name", "kind") if not source.get(name)]
        group = source.get("apiGroup") or ""
        if not group and source.get("kind") != "PersistentVolumeClaim":
            text = "must be 'PersistentVolumeClaim' when referencing the default apiGroup"
            out.append(invalid_value("spec.dataSource", source.get("kind") or "", text))
    if spec.get("volumeAttributesClassName"):
        name = spec["volumeAttributesClassName"]
        out += [invalid_value("spec.volumeAttributesClassName", name, text) for text in names.dns_subdomain(name)]
    return out
