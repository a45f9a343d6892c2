"""Printers of the smaller groups: networking, RBAC, policy, storage, scheduling, certificates, flow control, extensions."""

from __future__ import annotations

from typing import Any

from ....kernel import clock
from .base import NONE, Printer, age, human, name
from .workloads import selector_text

Obj = dict[str, Any]


def _spec(obj: Obj) -> Obj:
    return obj.get("spec") or {}


def _ingress(obj: Obj, wall: int) -> list[Any]:
    spec = _spec(obj)
    hosts = [rule.get("host") for rule in spec.get("rules") or () if rule.get("host")]
    shown = ",".join(hosts[:3]) + (f" + {len(hosts) - 3} more..." if len(hosts) > 3 else "") if hosts else "*"
    held = ((obj.get("status") or {}).get("loadBalancer") or {}).get("ingress") or ()
    address = ",".join(sorted({i.get("ip") or i.get("hostname", "") for i in held} - {""}))
    ports = "80, 443" if spec.get("tls") else "80"
    return [name(obj), spec.get("ingressClassName") or NONE, shown, address, ports, age(obj, wall)]


def _ingress_class(obj: Obj, wall: int) -> list[Any]:
    parameters = _spec(obj).get("parameters")
    shown = NONE
    if parameters:
        kind = parameters.get("kind", "") + (f".{parameters['apiGroup']}" if parameters.get("apiGroup") else "")
        shown = f"{kind}/{parameters.get('name', '')}"
    notes = obj["metadata"].get("annotations") or {}
    mark = " (default)" if notes.get("ingressclass.kubernetes.io/is-default-class") == "true" else ""
    return [name(obj) + mark, _spec(obj).get("controller", ""), shown, age(obj, wall)]


def _more(items: list[str]) -> str:
    if not items:
        return UNSET
    return ",".join(items[:3]) + (f" + {len(items) - 3} more..." if len(items) > 3 else "")


UNSET = "<unset>"


def _slice(obj: Obj, wall: int) -> list[Any]:
    ports = [str(p["port"]) if p.get("port") is not None else p.get("name") or "*" for p in obj.get("ports") or ()]
    addresses = [a for e in obj.get("endpoints") or () for a in e.get("addresses") or ()]
    return [name(obj), obj.get("addressType", ""), _more(ports), _more(addresses), age(obj, wall)]


def _policy(obj: Obj, wall: int) -> list[Any]:
    return [name(obj), selector_text(_spec(obj).get("podSelector") or {}), age(obj, wall)]


def _binding(obj: Obj, wall: int) -> list[Any]:
    ref, subjects = obj.get("roleRef") or {}, obj.get("subjects") or ()
    users = ", ".join(s["name"] for s in subjects if s.get("kind") == "User")
    groups = ", ".join(s["name"] for s in subjects if s.get("kind") == "Group")
    accounts = ", ".join(f"{s.get('namespace', '')}/{s['name']}" for s in subjects if s.get("kind") == "ServiceAccount")
    return [name(obj), f"{ref.get('kind', '')}/{ref.get('name', '')}", age(obj, wall), users, groups, accounts]


def _budget(obj: Obj, wall: int) -> list[Any]:
    spec = _spec(obj)
    low = str(spec["minAvailable"]) if spec.get("minAvailable") is not None else "N/A"
    high = str(spec["maxUnavailable"]) if spec.get("maxUnavailable") is not None else "N/A"
    return [name(obj), low, high, (obj.get("status") or {}).get("disruptionsAllowed", 0), age(obj, wall)]


def _lease(obj: Obj, wall: int) -> list[Any]:
    return [name(obj), _spec(obj).get("holderIdentity", ""), age(obj, wall)]


def _storage_class(obj: Obj, wall: int) -> list[Any]:
    notes = obj["metadata"].get("annotations") or {}
    default = (
        notes.get("storageclass.kubernetes.io/is-default-class") == "true"
        or notes.get("storageclass.beta.kubernetes.io/is-default-class") == "true"
    )
    shown = name(obj) + (" (default)" if default else "")
    return [
        shown, obj.get("provisioner", ""), obj.get("reclaimPolicy") or "Delete", obj.get("volumeBindingMode") or "Immediate",
        bool(obj.get("allowVolumeExpansion")), age(obj, wall),
    ]  # fmt: skip


def _csr(obj: Obj, wall: int) -> list[Any]:
    spec, status = _spec(obj), obj.get("status") or {}
    kinds = [c.get("type") for c in status.get("conditions") or ()]
    state = "Denied" if "Denied" in kinds else "Approved" if "Approved" in kinds else "Pending"
    if "Failed" in kinds:
        state += ",Failed"
    if status.get("certificate"):
        state += ",Issued"
    seconds = spec.get("expirationSeconds")
    asked = human(seconds * clock.SECOND) if seconds is not None else NONE
    return [name(obj), age(obj, wall), spec.get("signerName") or NONE, spec.get("username", ""), asked, state]


def _priority(obj: Obj, wall: int) -> list[Any]:
    return [name(obj), obj.get("value", 0), bool(obj.get("globalDefault")), age(obj, wall), obj.get("preemptionPolicy", "")]


def _flow_schema(obj: Obj, wall: int) -> list[Any]:
    spec = _spec(obj)
    method = (spec.get("distinguisherMethod") or {}).get("type") or NONE
    dangling = next(
        (c.get("status", "?") for c in (obj.get("status") or {}).get("conditions") or () if c.get("type") == "Dangling"), "?"
    )
    level = (spec.get("priorityLevelConfiguration") or {}).get("name", "")
    return [name(obj), level, spec.get("matchingPrecedence", 0), method, age(obj, wall), dangling]


def _level(obj: Obj, wall: int) -> list[Any]:
    limited = _spec(obj).get("limited")
    queuing = ((limited or {}).get("limitResponse") or {}).get("queuing")
    cells: list[Any] = [limited.get("nominalConcurrencyShares", 0) if limited else NONE]
    cells += [queuing[k] for k in ("queues", "handSize", "queueLengthLimit")] if queuing else [NONE] * 3
    return [name(obj), _spec(obj).get("type", ""), *cells, age(obj, wall)]


def _cidr(obj: Obj, wall: int) -> list[Any]:
    return [name(obj), ",".join(_spec(obj).get("cidrs") or ()), age(obj, wall)]


def _ip(obj: Obj, wall: int) -> list[Any]:
    ref = _spec(obj).get("parentRef")
    shown = NONE
    if ref:
        resource = ref.get("resource", "") + (f".{ref['group']}" if ref.get("group") else "")
        shown = "/".join(part for part in (resource.lower(), ref.get("namespace", ""), ref.get("name", "")) if part)
    return [name(obj), shown, age(obj, wall)]


def _webhooks(obj: Obj, wall: int) -> list[Any]:
    return [name(obj), len(obj.get("webhooks") or ()), age(obj, wall)]


def _admission_policy(obj: Obj, wall: int) -> list[Any]:
    spec = _spec(obj)
    kind = spec.get("paramKind")
    shown = f"{kind.get('apiVersion', '')}/{kind.get('kind', '')}" if kind else UNSET
    return [name(obj), len(spec.get("validations") or spec.get("mutations") or ()), shown, age(obj, wall)]


def _admission_binding(obj: Obj, wall: int) -> list[Any]:
    ref = _spec(obj).get("paramRef")
    shown = UNSET
    if ref:
        shown = f"{ref['namespace']}/{ref.get('name', '')}" if ref.get("namespace") else ref.get("name", "") or "*"
    return [name(obj), _spec(obj).get("policyName", ""), shown, age(obj, wall)]


def _crd(obj: Obj, wall: int) -> list[Any]:
    return [name(obj), obj["metadata"].get("creationTimestamp", "")]


def _api_service(obj: Obj, wall: int) -> list[Any]:
    service = _spec(obj).get("service")
    where = f"{service.get('namespace', '')}/{service.get('name', '')}" if service else "Local"
    state = "Unknown"
    for item in (obj.get("status") or {}).get("conditions") or ():
        if item.get("type") == "Available":
            state = item.get("status", "Unknown")
            if state != "True":
                state = f"{state} ({item.get('reason', '')})"
    return [name(obj), where, state, age(obj, wall)]


def _runtime(obj: Obj, wall: int) -> list[Any]:
    return [name(obj), obj.get("handler", ""), age(obj, wall)]


def _attachment(obj: Obj, wall: int) -> list[Any]:
    spec = _spec(obj)
    volume = (spec.get("source") or {}).get("persistentVolumeName") or ""
    return [
        name(obj),
        spec.get("attacher", ""),
        volume,
        spec.get("nodeName", ""),
        bool((obj.get("status") or {}).get("attached")),
        age(obj, wall),
    ]


def _csi_node(obj: Obj, wall: int) -> list[Any]:
    return [name(obj), len(_spec(obj).get("drivers") or ()), age(obj, wall)]


def _csi_driver(obj: Obj, wall: int) -> list[Any]:
    spec = _spec(obj)
    tokens = ",".join(item.get("audience", "") for item in spec.get("tokenRequests") or ()) or UNSET
    modes = ",".join(spec.get("volumeLifecycleModes") or ()) or NONE
    flags = [bool(spec.get(k)) for k in ("attachRequired", "podInfoOnMount", "storageCapacity")]
    return [name(obj), *flags, tokens, bool(spec.get("requiresRepublish")), modes, age(obj, wall)]


def _capacity(obj: Obj, wall: int) -> list[Any]:
    return [name(obj), obj.get("storageClassName", ""), obj.get("capacity") or UNSET]


def _attributes(obj: Obj, wall: int) -> list[Any]:
    return [name(obj), obj.get("driverName", ""), age(obj, wall)]


def _claim_state(obj: Obj, wall: int) -> list[Any]:
    status = obj.get("status") or {}
    states = ["deleted"] if obj["metadata"].get("deletionTimestamp") else []
    if status.get("allocation"):
        states.append("allocated")
        if status.get("reservedFor"):
            states.append("reserved")
    else:
        states.append("pending")
    return [name(obj), ",".join(states), age(obj, wall)]


def _resource_slice(obj: Obj, wall: int) -> list[Any]:
    spec = _spec(obj)
    return [
        name(obj),
        spec.get("nodeName") or UNSET,
        spec.get("driver", ""),
        (spec.get("pool") or {}).get("name", ""),
        age(obj, wall),
    ]


ROLE_BINDING = Printer("Name|Role|Age|Users:wide|Groups:wide|ServiceAccounts:wide", _binding)
INGRESS = Printer("Name|Class|Hosts|Address|Ports|Age", _ingress)
INGRESS_CLASS = Printer("Name|Controller|Parameters|Age", _ingress_class)
SLICE = Printer("Name|AddressType|Ports|Endpoints|Age", _slice)
NETWORK_POLICY = Printer("Name|Pod-Selector|Age", _policy)
BUDGET = Printer("Name|Min Available|Max Unavailable|Allowed Disruptions:integer|Age", _budget)
LEASE = Printer("Name|Holder|Age", _lease)
STORAGE_CLASS = Printer("Name|Provisioner|ReclaimPolicy|VolumeBindingMode|AllowVolumeExpansion|Age", _storage_class)
CSR = Printer("Name|Age|SignerName|Requestor|RequestedDuration|Condition", _csr)
PRIORITY = Printer("Name|Value:integer|Global-Default:boolean|Age|PreemptionPolicy", _priority)
FLOW_SCHEMA = Printer("Name|PriorityLevel|MatchingPrecedence|DistinguisherMethod|Age|MissingPL", _flow_schema)
LEVEL = Printer("Name|Type|NominalConcurrencyShares|Queues|HandSize|QueueLengthLimit|Age", _level)
CIDR = Printer("Name|CIDRs|Age", _cidr)
IP = Printer("Name|ParentRef|Age", _ip)
WEBHOOKS = Printer("Name|Webhooks:integer|Age", _webhooks)
VALIDATING_POLICY = Printer("Name|Validations:integer|ParamKind|Age", _admission_policy)
MUTATING_POLICY = Printer("Name|Mutations:integer|ParamKind|Age", _admission_policy)
POLICY_BINDING = Printer("Name|PolicyName|ParamRef|Age", _admission_binding)
CRD = Printer("Name|Created At:date", _crd)
API_SERVICE = Printer("Name|Service|Available|Age", _api_service)
RUNTIME = Printer("Name|Handler|Age", _runtime)
ATTACHMENT = Printer("Name|Attacher:name|PV|Node|Attached:boolean|Age", _attachment)
CSI_NODE = Printer("Name|Drivers:integer|Age", _csi_node)
CSI_DRIVER = Printer(
    "Name|AttachRequired:boolean|PodInfoOnMount:boolean|StorageCapacity:boolean|TokenRequests|RequiresRepublish:boolean|Modes|Age",
    _csi_driver,
)
CAPACITY = Printer("Name|StorageClassName|Capacity", _capacity)
ATTRIBUTES = Printer("Name|DriverName|Age", _attributes)
RESOURCE_CLAIM = Printer("Name|State|Age", _claim_state)
RESOURCE_SLICE = Printer("Name|Node|Driver|Pool|Age", _resource_slice)
