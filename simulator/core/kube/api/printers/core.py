"""Printers of the core group: nodes, services, endpoints, events, volumes, secrets, quotas."""

from __future__ import annotations

from typing import Any

from .base import NONE, UNKNOWN, Printer, age, name, since
from .workloads import map_text

Obj = dict[str, Any]
UNSET = "<unset>"


def _node_roles(obj: Obj) -> str:
    roles = set()
    for key, value in (obj["metadata"].get("labels") or {}).items():
        if key.startswith("node-role.kubernetes.io/"):
            role = key.removeprefix("node-role.kubernetes.io/")
            if role:
                roles.add(role)
        elif key == "kubernetes.io/role" and value:
            roles.add(value)
    return ",".join(sorted(roles)) or NONE


def _node(obj: Obj, wall: int) -> list[Any]:
    status = obj.get("status") or {}
    info = status.get("nodeInfo") or {}
    ready = next((c.get("status") for c in status.get("conditions") or () if c.get("type") == "Ready"), None)
    state = "Unknown" if ready is None else "Ready" if ready == "True" else "NotReady"
    if (obj.get("spec") or {}).get("unschedulable"):
        state += ",SchedulingDisabled"
    addresses = {a.get("type"): a.get("address") for a in reversed(status.get("addresses") or ())}
    kernel = info.get("kernelVersion") or UNKNOWN
    if info.get("architecture"):
        kernel += f" ({info['architecture']})"
    return [
        name(obj), state, _node_roles(obj), age(obj, wall), info.get("kubeletVersion", ""),
        addresses.get("InternalIP") or NONE, addresses.get("ExternalIP") or NONE, info.get("osImage") or UNKNOWN, kernel,
        info.get("containerRuntimeVersion") or UNKNOWN,
    ]  # fmt: skip


def _external_ip(spec: Obj, status: Obj) -> str:
    kind, extra = spec.get("type"), spec.get("externalIPs") or []
    if kind in ("ClusterIP", "NodePort"):
        return ",".join(extra) or NONE
    if kind == "LoadBalancer":
        held = [i.get("ip") or i.get("hostname", "") for i in (status.get("loadBalancer") or {}).get("ingress") or ()]
        return ",".join([*sorted(set(filter(None, held))), *extra]) or "<pending>"
    return str(spec.get("externalName", "")) if kind == "ExternalName" else UNKNOWN


def _port(port: Obj) -> str:
    number = f"{port.get('port')}:{port['nodePort']}" if port.get("nodePort") else str(port.get("port"))
    return f"{number}/{port.get('protocol')}"


def _service(obj: Obj, wall: int) -> list[Any]:
    spec, status = obj.get("spec") or {}, obj.get("status") or {}
    ips = spec.get("clusterIPs") or ()
    ports = ",".join(_port(p) for p in spec.get("ports") or ()) or NONE
    internal = ips[0] if ips else NONE
    return [
        name(obj),
        spec.get("type", ""),
        internal,
        _external_ip(spec, status),
        ports,
        age(obj, wall),
        map_text(spec.get("selector")),
    ]


def _endpoints(obj: Obj, wall: int) -> list[Any]:
    found: list[str] = []
    for subset in obj.get("subsets") or ():
        addresses = [a["ip"] for a in subset.get("addresses") or ()]
        ports = subset.get("ports") or ()
        if not ports:
            found += addresses
        for port in ports:
            found += [f"[{ip}]:{port['port']}" if ":" in ip else f"{ip}:{port['port']}" for ip in addresses]
    shown = ",".join(found[:3]) + (f" + {len(found) - 3} more..." if len(found) > 3 else "")
    return [name(obj), shown if obj.get("subsets") else NONE, age(obj, wall)]


def _event_source(obj: Obj) -> str:
    source = obj.get("source") or {}
    if not source.get("component") and not source.get("host"):
        parts = [obj.get("reportingComponent", ""), obj.get("reportingInstance", "")]
    else:
        parts = [source.get("component", ""), source.get("host", "")]
    return ", ".join(part for part in parts if part)


def _event(obj: Obj, wall: int) -> list[Any]:
    first = since(obj.get("firstTimestamp") or obj.get("eventTime"), wall)
    last = since(obj["lastTimestamp"], wall) if obj.get("lastTimestamp") else first
    count = obj.get("count", 0) or 1
    series = obj.get("series")
    if series:
        last, count = since(series.get("lastObservedTime"), wall), series.get("count", 0)
    target = obj.get("involvedObject") or {}
    shown = target.get("kind", "").lower() + (f"/{target['name']}" if target.get("name") else "")
    message = obj.get("message", "").strip()
    return [
        last, obj.get("type", ""), obj.get("reason", ""), shown, target.get("fieldPath", ""), _event_source(obj), message, first,
        count, name(obj),
    ]  # fmt: skip


def _namespace(obj: Obj, wall: int) -> list[Any]:
    return [name(obj), (obj.get("status") or {}).get("phase", ""), age(obj, wall)]


def _secret(obj: Obj, wall: int) -> list[Any]:
    return [name(obj), obj.get("type", ""), len(obj.get("data") or ()), age(obj, wall)]


def _config_map(obj: Obj, wall: int) -> list[Any]:
    return [name(obj), len(obj.get("data") or ()) + len(obj.get("binaryData") or ()), age(obj, wall)]


_MODES = {"ReadWriteOnce": "RWO", "ReadOnlyMany": "ROX", "ReadWriteMany": "RWX", "ReadWriteOncePod": "RWOP"}


def _modes(held: Any) -> str:
    return ",".join(short for mode, short in _MODES.items() if mode in (held or ()))


def _phase(obj: Obj) -> str:
    return "Terminating" if obj["metadata"].get("deletionTimestamp") else str((obj.get("status") or {}).get("phase", ""))


def _volume(obj: Obj, wall: int) -> list[Any]:
    spec, status = obj.get("spec") or {}, obj.get("status") or {}
    ref = spec.get("claimRef")
    claim = f"{ref.get('namespace', '')}/{ref.get('name', '')}" if ref else ""
    size = (spec.get("capacity") or {}).get("storage", "0")
    return [
        name(obj), size, _modes(spec.get("accessModes")), spec.get("persistentVolumeReclaimPolicy", ""), _phase(obj), claim,
        _class_of(obj), spec.get("volumeAttributesClassName") or UNSET, status.get("reason", ""), age(obj, wall),
        spec.get("volumeMode") or UNSET,
    ]  # fmt: skip


def _class_of(obj: Obj) -> str:
    noted = (obj["metadata"].get("annotations") or {}).get("volume.beta.kubernetes.io/storage-class")
    return str(noted if noted is not None else (obj.get("spec") or {}).get("storageClassName") or "")


def _claim(obj: Obj, wall: int) -> list[Any]:
    spec, status = obj.get("spec") or {}, obj.get("status") or {}
    bound = bool(spec.get("volumeName"))
    capacity = (status.get("capacity") or {}).get("storage", "0") if bound else ""
    modes = _modes(status.get("accessModes")) if bound else ""
    return [
        name(obj), _phase(obj), spec.get("volumeName", ""), capacity, modes, _class_of(obj),
        spec.get("volumeAttributesClassName") or UNSET, age(obj, wall), spec.get("volumeMode") or UNSET,
    ]  # fmt: skip


def _quota(obj: Obj, wall: int) -> list[Any]:
    status = obj.get("status") or {}
    hard, used = status.get("hard") or {}, status.get("used") or {}
    request = [f"{k}: {used.get(k, '0')}/{hard[k]}" for k in sorted(hard) if not k.startswith("limits.")]
    limit = [f"{k}: {used.get(k, '0')}/{hard[k]}" for k in sorted(hard) if k.startswith("limits.")]
    return [name(obj), ", ".join(request), ", ".join(limit), age(obj, wall)]


def _component(obj: Obj, wall: int) -> list[Any]:
    status, message, error = "Unknown", "", ""
    for item in obj.get("conditions") or ():
        if item.get("type") == "Healthy":
            status = "Healthy" if item.get("status") == "True" else "Unhealthy"
            message, error = item.get("message", ""), item.get("error", "")
            break
    return [name(obj), status, message, error]


NODE = Printer(
    "Name|Status|Roles|Age|Version|Internal-IP:wide|External-IP:wide|OS-Image:wide|Kernel-Version:wide|Container-Runtime:wide",
    _node,
)
SERVICE = Printer("Name|Type|Cluster-IP|External-IP|Port(s)|Age|Selector:wide", _service)
ENDPOINTS = Printer("Name|Endpoints|Age", _endpoints)
EVENT = Printer(
    "Last Seen|Type|Reason|Object|Subobject:wide|Source:wide|Message|First Seen:wide|Count:wide|Name:wide:name", _event
)
NAMESPACE = Printer("Name|Status|Age", _namespace)
SECRET = Printer("Name|Type|Data|Age", _secret)
CONFIG_MAP = Printer("Name|Data|Age", _config_map)
VOLUME = Printer(
    "Name|Capacity|Access Modes|Reclaim Policy|Status|Claim|StorageClass|VolumeAttributesClass|Reason|Age|VolumeMode:wide",
    _volume,
)
CLAIM = Printer("Name|Status|Volume|Capacity|Access Modes|StorageClass|VolumeAttributesClass|Age|VolumeMode:wide", _claim)
QUOTA = Printer("Name|Request|Limit|Age", _quota)
COMPONENT = Printer("Name|Status|Message|Error", _component)
