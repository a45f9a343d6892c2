"""What the server warns of in pods and pod templates that it accepts (`pkg/api/pod/warnings.go`, `pkg/api/node/util.go`)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ...api import ips, names, quantity

Obj = dict[str, Any]
LABELS = {
    "beta.kubernetes.io/arch": 'deprecated since v1.14; use "kubernetes.io/arch" instead',
    "beta.kubernetes.io/os": 'deprecated since v1.14; use "kubernetes.io/os" instead',
    "failure-domain.beta.kubernetes.io/region": 'deprecated since v1.17; use "topology.kubernetes.io/region" instead',
    "failure-domain.beta.kubernetes.io/zone": 'deprecated since v1.17; use "topology.kubernetes.io/zone" instead',
    "beta.kubernetes.io/instance-type": 'deprecated since v1.17; use "node.kubernetes.io/instance-type" instead',
    "app.kubernetes.io/created-by": "deprecated since v1.9",
    "scheduler.alpha.kubernetes.io/preferAvoidPods": "deprecated since v1.22; use Taints and Tolerations instead",
    "node-role.kubernetes.io/master": 'use "node-role.kubernetes.io/control-plane" instead',
}
ANNOTATIONS = {
    "scheduler.alpha.kubernetes.io/critical-pod": 'non-functional in v1.16+; use the "priorityClassName" field instead',
    "security.alpha.kubernetes.io/sysctls": 'non-functional in v1.11+; use the "sysctls" field instead',
    "security.alpha.kubernetes.io/unsafe-sysctls": 'non-functional in v1.11+; use the "sysctls" field instead',
}
VOLUMES = {
    "photonPersistentDisk": "deprecated in v1.11, non-functional in v1.16+",
    "gitRepo": "deprecated in v1.11, and disabled by default in v1.33+",
    "scaleIO": "deprecated in v1.16, non-functional in v1.22+",
    "flocker": "deprecated in v1.22, non-functional in v1.25+",
    "storageos": "deprecated in v1.22, non-functional in v1.25+",
    "quobyte": "deprecated in v1.22, non-functional in v1.25+",
    "glusterfs": "deprecated in v1.25, non-functional in v1.26+",
    "cephfs": "deprecated in v1.28, non-functional in v1.31+",
    "rbd": "deprecated in v1.28, non-functional in v1.31+",
}
#: Where Go's field paths spell a volume plugin otherwise than the wire does.
_SPELT = {"storageos": "storageOS"}
SECCOMP = ("seccomp.security.alpha.kubernetes.io/pod", "container.seccomp.security.alpha.kubernetes.io/")
ARMOUR = "container.apparmor.security.beta.kubernetes.io/"
UNMATCHED = "a null labelSelector results in matching no pod"


def name(obj: Obj, where: str = "Pod names and hostnames") -> list[str]:
    """A name that pods carry on as a host name is better a label."""
    wrong = names.dns_label(obj["metadata"].get("name") or "x")
    if not wrong:
        return []
    text = "which can result in surprising behavior; a DNS label is recommended"
    return [f"metadata.name: this is used in {where}, {text}: [{' '.join(wrong)}]"]


def template(held: Obj | None, path: str) -> list[str]:
    """`GetWarningsForPodTemplate`; `path` ends in a dot."""
    return warnings(held or {}, path, template=True)


def warnings(held: Obj, path: str = "", *, template: bool = False) -> list[str]:
    """`warningsForPodSpecAndMeta` of a pod, or of a template at `path`."""
    spec, notes = held.get("spec") or {}, (held.get("metadata") or {}).get("annotations") or {}
    at = f"{path}spec"
    out = [f"{at}.nodeSelector[{key}]: {LABELS[key]}" for key in spec.get("nodeSelector") or () if key in LABELS]
    if spec.get("affinity"):
        out += _node_affinity(spec["affinity"].get("nodeAffinity") or {}, f"{at}.affinity.nodeAffinity")
    for i, item in enumerate(spec.get("topologySpreadConstraints") or ()):
        place, key = f"{at}.topologySpreadConstraints[{i}]", item.get("topologyKey")
        if key in LABELS:
            out.append(f"{place}.topologyKey: {key} is {LABELS[key]}")
        if item.get("labelSelector") is None:
            out.append(f"{place}.labelSelector: {UNMATCHED}")
    out += [f"{path}metadata.annotations[{key}]: {text}" for key, text in ANNOTATIONS.items() if key in notes]
    for i, volume in enumerate(spec.get("volumes") or ()):
        out += [
            f"{at}.volumes[{i}].{_SPELT.get(kind, kind)}: {VOLUMES[kind]}" for kind in VOLUMES if volume.get(kind) is not None
        ]
    out += _repeated(spec, at)
    for resource in ("memory", "ephemeral-storage"):
        out += _fraction((spec.get("overhead") or {}).get(resource), f"{at}.overhead[{resource}]")
    profile = (spec.get("securityContext") or {}).get("seccompProfile")
    if SECCOMP[0] in notes and profile is None:
        out.append(f'{path}metadata.annotations[{SECCOMP[0]}]: non-functional in v1.27+; use the "seccompProfile" field instead')
    for place, item in containers(spec, at):
        out += _container(item, place, notes, path, template=template)
    out += _ports(spec, at)
    if (spec.get("terminationGracePeriodSeconds") or 0) < 0:
        text = "must be >= 0; negative values are invalid and will be treated as 1"
        out.append(f"{at}.terminationGracePeriodSeconds: {text}")
    for kind in ("podAffinity", "podAntiAffinity"):
        out += _pod_affinity((spec.get("affinity") or {}).get(kind) or {}, f"{at}.affinity.{kind}")
    for i, text in enumerate((spec.get("dnsConfig") or {}).get("nameservers") or ()):
        out += ips.address_warnings(f"{at}.dnsConfig.nameservers[{i}]", text)
    for i, item in enumerate(spec.get("hostAliases") or ()):
        out += ips.address_warnings(f"{at}.hostAliases[{i}].ip", item.get("ip") or "")
    return out


def containers(spec: Obj, at: str) -> Iterator[tuple[str, Obj]]:
    """(path, container) of every container, in the order in which the server visits them."""
    for group in ("initContainers", "containers", "ephemeralContainers"):
        for i, item in enumerate(spec.get(group) or ()):
            yield f"{at}.{group}[{i}]", item


def _node_affinity(held: Obj, at: str) -> list[str]:
    member = "requiredDuringSchedulingIgnoredDuringExecution"
    terms = [
        (f"{at}.{member}.nodeSelectorTerms[{i}]", term)
        for i, term in enumerate((held.get(member) or {}).get("nodeSelectorTerms") or ())
    ]
    member = "preferredDuringSchedulingIgnoredDuringExecution"
    terms += [(f"{at}.{member}[{i}].preference", item.get("preference") or {}) for i, item in enumerate(held.get(member) or ())]
    return [
        f"{place}.matchExpressions[{j}].key: {item['key']} is {LABELS[item['key']]}"
        for place, term in terms
        for j, item in enumerate(term.get("matchExpressions") or ())
        if item.get("key") in LABELS
    ]


def _pod_affinity(held: Obj, at: str) -> list[str]:
    out: list[str] = []
    for i, term in enumerate(held.get("requiredDuringSchedulingIgnoredDuringExecution") or ()):
        if term.get("labelSelector") is None:
            out.append(f"{at}.requiredDuringSchedulingIgnoredDuringExecution[{i}].labelSelector: {UNMATCHED}")
    for i, item in enumerate(held.get("preferredDuringSchedulingIgnoredDuringExecution") or ()):
        if (item.get("podAffinityTerm") or {}).get("labelSelector") is None:
            out.append(f"{at}.preferredDuringSchedulingIgnoredDuringExecution[{i}].podAffinityTerm.labelSelector: {UNMATCHED}")
    return out


def _repeated(spec: Obj, at: str) -> list[str]:
    out: list[str] = []
    for member, key in (("hostAliases", "ip"), ("imagePullSecrets", "name")):
        values = [item.get(key) or "" for item in spec.get(member) or ()]
        out += [f'{at}.{member}[{i}].{key}: duplicate {key} "{value}"' for i, value in enumerate(values) if value in values[:i]]
        if member == "imagePullSecrets":
            out += [f'{at}.{member}[{i}].{key}: invalid empty name ""' for i, value in enumerate(values) if not value]
    return out


def _fraction(amount: Any, place: str) -> list[str]:
    if amount is None or quantity.nano(amount) % 10**9 == 0:
        return []
    return [f'{place}: fractional byte value "{quantity.canonical(amount)}" is invalid, must be an integer']


def _container(item: Obj, at: str, notes: Obj, path: str, *, template: bool) -> list[str]:
    out: list[str] = []
    context, label = item.get("securityContext") or {}, item.get("name", "")
    if notes:
        if SECCOMP[1] + label in notes and context.get("seccompProfile") is None:
            place = f"{path}metadata.annotations[{SECCOMP[1]}{label}]"
            out.append(f'{place}: non-functional in v1.27+; use the "seccompProfile" field instead')
        if template and ARMOUR + label in notes and context.get("appArmorProfile") is None:
            place = f"{path}metadata.annotations[{ARMOUR}{label}]"
            out.append(f'{place}: deprecated since v1.30; use the "appArmorProfile" field instead')
    resources = item.get("resources") or {}
    for resource in ("memory", "ephemeral-storage"):
        for member in ("limits", "requests"):
            out += _fraction((resources.get(member) or {}).get(resource), f"{at}.resources.{member}[{resource}]")
    seen: set[str] = set()
    for i, one in enumerate(item.get("env") or ()):
        key, value = one.get("name", ""), one.get("value") or ""
        reference = f"$({key})"
        if key in seen and (one.get("valueFrom") is not None or value == reference or reference not in value):
            out.append(f'{at}.env[{i}]: hides previous definition of "{key}", which may be dropped when using apply')
        seen.add(key)
    return out


def _ports(spec: Obj, at: str) -> list[str]:
    """Ports that are the same, or overlap, then names that are."""
    out: list[str] = []
    found: dict[tuple[Any, Any], list[tuple[str, Obj]]] = {}
    named: dict[str, str] = {}
    again: list[str] = []
    for place, item in containers(spec, at):
        for i, port in enumerate(item.get("ports") or ()):
            mine, host, address = f"{place}.ports[{i}]", port.get("hostPort") or 0, port.get("hostIP") or ""
            if address and not host:
                shown = f"Name:{port.get('name', '')} HostPort:0 ContainerPort:{port.get('containerPort')}"
                out.append(f"{mine}: hostIP set without hostPort: {{{shown} Protocol:{port.get('protocol')} HostIP:{address}}}")
            others = found.setdefault((port.get("containerPort"), port.get("protocol")), [])
            for where, other in others:
                theirs, there = other.get("hostPort") or 0, other.get("hostIP") or ""
                if (address, host) == (there, theirs):
                    out.append(f"{mine}: duplicate port definition with {where}")
                elif not host or not theirs:
                    out.append(f"{mine}: overlapping port definition with {where}")
                elif host == theirs and bool(address) != bool(there):
                    out.append(f"{mine}: dangerously ambiguous port definition with {where}")
            others.append((mine, port))
            label = port.get("name")
            if label and label in named:
                text = "services and probes that select ports by name will use"
                again.append(f'{mine}: duplicate port name "{label}" with {named[label]}, {text} {named[label]}')
            elif label:
                named[label] = mine
    return out + again
