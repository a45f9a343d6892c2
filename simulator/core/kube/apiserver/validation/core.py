"""Validation of the smaller kinds of the core group."""

from __future__ import annotations

import base64
import json
from typing import Any

from ...api import gojson, ips, names, quantity
from ...api.errors import FieldError, duplicate, forbidden_field, invalid_value, not_supported, required, too_long
from . import affinity
from .common import NOT_NEGATIVE

Obj = dict[str, Any]
MAX_DATA = 1024 * 1024
EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")
ACCESS_MODES = ("ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod")


def namespace(obj: Obj) -> list[FieldError]:
    """Nothing beyond the name, which the metadata's rules check."""
    return []


def node(obj: Obj) -> list[FieldError]:
    """`ValidateNode`."""
    ranges, at = list((obj.get("spec") or {}).get("podCIDRs") or ()), "spec.podCIDRs"
    out = _taints(obj) + _amounts(obj)
    for i, text in enumerate(ranges):
        out += ips.cidr(f"{at}[{i}]", text)
    if len(ranges) > 2 or (len(ranges) == 2 and ips.is_ipv6(ranges[0].split("/")[0]) == ips.is_ipv6(ranges[1].split("/")[0])):
        out.append(invalid_value(at, ranges, "may specify no more than one CIDR for each IP family"))
    return out


def node_update(obj: Obj, old: Obj) -> list[FieldError]:
    """`ValidateNodeUpdate`: its pod ranges and its provider's name are set once."""
    spec, held, out = obj.get("spec") or {}, old.get("spec") or {}, _amounts(obj)
    addresses = (obj.get("status") or {}).get("addresses") or []
    for i, item in enumerate(addresses):
        if item in addresses[:i]:
            shown = {"Type": item.get("type", ""), "Address": item.get("address", "")}
            out.append(duplicate(f"status.addresses[{i}]", shown))
    for name, go in (("podCIDRs", "podCIDR"), ("providerID", "providerID")):
        if held.get(name) and held[name] != spec.get(name):
            out.append(forbidden_field(f"spec.{name}", f'node updates may not change {go} except from "" to valid'))
    return out + _taints(obj)


def _amounts(obj: Obj) -> list[FieldError]:
    """`ValidateNodeResources`."""
    out: list[FieldError] = []
    for member in ("capacity", "allocatable"):
        for name, amount in sorted(((obj.get("status") or {}).get(member) or {}).items()):
            out += resource_value(name, amount, f"status.{member}.{name}")
    return out


#: Resources that are counted in whole numbers, beside extended ones (`pkg/apis/core/helper`).
WHOLE = ("pods", "resourcequotas", "services", "replicationcontrollers", "secrets", "configmaps", "persistentvolumeclaims",
         "services.nodeports", "services.loadbalancers")  # fmt: skip


def resource_value(name: str, amount: Any, at: str) -> list[FieldError]:
    """`ValidateResourceQuantityValue`."""
    found = quantity.nano(amount)
    out = [invalid_value(at, quantity.canonical(amount), NOT_NEGATIVE)] if found < 0 else []
    extended = "/" in name and "kubernetes.io/" not in name and not name.startswith("requests.")
    if (name in WHOLE or extended) and found % 10**9:
        out.append(invalid_value(at, quantity.canonical(amount), "must be an integer"))
    return out


def _taints(obj: Obj) -> list[FieldError]:
    """`validateNodeTaints`."""
    out: list[FieldError] = []
    seen: set[tuple[str, str]] = set()
    for i, taint in enumerate((obj.get("spec") or {}).get("taints") or ()):
        at = f"metadata.taints[{i}]"
        out += [invalid_value(f"{at}.key", taint.get("key", ""), text) for text in names.qualified_name(taint.get("key", ""))]
        wrong = names.label_value(taint.get("value", ""))
        out += [invalid_value(f"{at}.value", taint["value"], ";".join(wrong))] if wrong else []
        effect = taint.get("effect", "")
        if not effect:
            out.append(required(f"{at}.effect"))
        elif effect not in EFFECTS:
            out.append(not_supported(f"{at}.effect", effect, EFFECTS))
        pair = (taint.get("key", ""), effect)
        if pair in seen:
            shown = {"Key": pair[0], "Value": taint.get("value", ""), "Effect": effect, "TimeAdded": taint.get("timeAdded")}
            said = duplicate(at, shown)
            out.append(FieldError(said.type, said.field, f"{said.body}: taints must be unique by key and effect pair"))
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
    "kubernetes.io/dockerconfigjson": (".dockerconfigjson",),
    "kubernetes.io/dockercfg": (".dockercfg",),
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
    kind = obj.get("type", "")
    for key in _REQUIRED_KEYS.get(kind, ()):
        if key not in data:
            out.append(required(f"data[{key}]"))
        elif key.startswith(".docker"):
            out += _docker(data[key], f"data[{key}]")
    if kind == "kubernetes.io/basic-auth" and "username" not in data and "password" not in data:
        out += [required("data[username]"), required("data[password]")]
    if kind == "kubernetes.io/ssh-auth" and not data.get("ssh-privatekey"):
        out.append(required("data[ssh-privatekey]"))
    account = (obj["metadata"].get("annotations") or {}).get("kubernetes.io/service-account.name")
    if obj.get("type") == "kubernetes.io/service-account-token" and not account:
        out.append(required("metadata.annotations[kubernetes.io/service-account.name]"))
    return out


def _docker(value: str, at: str) -> list[FieldError]:
    """The credentials of a registry are a JSON object."""
    try:
        found = json.loads(base64.b64decode(value))
    except json.JSONDecodeError as error:
        why = gojson.problem(error)[0]
    except ValueError:
        why = "invalid character '\\ufffd' looking for beginning of value"
    else:
        if found is None or isinstance(found, dict):
            return []
        kind = {str: "string", bool: "bool", list: "array"}.get(type(found), "number")
        why = f"json: cannot unmarshal {kind} into Go value of type map[string]interface {{}}"
    return [invalid_value(at, "<secret contents redacted>", why)]


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
    """`ValidatePersistentVolumeClaim`."""
    return claim_spec(obj.get("spec") or {}, "spec")


def claim_spec(spec: Obj, at: str) -> list[FieldError]:
    """`ValidatePersistentVolumeClaimSpec`."""
    out: list[FieldError] = []
    modes = spec.get("accessModes") or ()
    if not modes:
        out.append(required(f"{at}.accessModes", "at least 1 access mode is required"))
    out += affinity.label_selector(spec.get("selector"), f"{at}.selector")
    out += [not_supported(f"{at}.accessModes", mode, ACCESS_MODES) for mode in modes if mode not in ACCESS_MODES]
    if "ReadWriteOncePod" in modes and any(mode in ACCESS_MODES and mode != "ReadWriteOncePod" for mode in modes):
        out.append(forbidden_field(f"{at}.accessModes", "may not use ReadWriteOncePod with other access modes"))
    storage = ((spec.get("resources") or {}).get("requests") or {}).get("storage")
    if storage is None:
        out.append(required(f"{at}.resources[storage]"))
    elif quantity.nano(storage) <= 0:
        out.append(invalid_value(f"{at}.resources[storage]", storage, "must be greater than zero"))
    if spec.get("storageClassName"):
        name = spec["storageClassName"]
        out += [invalid_value(f"{at}.storageClassName", name, text) for text in names.dns_subdomain(name)]
    if spec.get("volumeMode") not in (None, "Block", "Filesystem"):
        out.append(not_supported(f"{at}.volumeMode", spec["volumeMode"], ("Block", "Filesystem")))
    source, ref = spec.get("dataSource"), spec.get("dataSourceRef")
    for name, held in (("dataSource", source), ("dataSourceRef", ref)):
        out += _source(held, f"{at}.{name}") if held is not None else []
    if ref is not None and ref.get("namespace"):
        text = "may not be specified when dataSourceRef.namespace is specified"
        out += [invalid_value(at, f"{at}.dataSource", text)] if source is not None else []
    elif source is not None and ref is not None and any(source.get(m) != ref.get(m) for m in ("apiGroup", "kind", "name")):
        out.append(invalid_value(at, f"{at}.dataSource", "must match dataSourceRef"))
    if spec.get("volumeAttributesClassName"):
        name = spec["volumeAttributesClassName"]
        out += [invalid_value(f"{at}.volumeAttributesClassName", name, text) for text in names.dns_subdomain(name)]
    return out


def _source(source: Obj, at: str) -> list[FieldError]:
    """`validateDataSource`."""
    out = [required(f"{at}.{name}") for name in ("name", "kind") if not source.get(name)]
    group = source.get("apiGroup") or ""
    if not group and source.get("kind") != "PersistentVolumeClaim":
        text = "must be 'PersistentVolumeClaim' when referencing the default apiGroup"
        out.append(invalid_value(at, source.get("kind") or "", text))
    if group:
        out += [invalid_value(f"{at}.apiGroup", group, text) for text in names.dns_subdomain(group)]
    return out
