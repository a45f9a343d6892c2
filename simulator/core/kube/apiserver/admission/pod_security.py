"""PodSecurity (`pod-security-admission/admission/admission.go`): namespaces say by label which standard their pods must meet.

`enforce` refuses pods, `warn` answers with a Warning header for pods and for what makes pods, `audit` marks the audit event.  A namespace
whose enforce level is raised is told which of its pods would no longer be let in.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from ...api import errors
from ...api.errors import FieldError, invalid_value
from ..call import Call
from .pod_standards import evaluate

Obj = dict[str, Any]
PREFIX = "pod-security.kubernetes.io/"
LEVELS = ("privileged", "baseline", "restricted")
_VERSION = re.compile(r"v1\.(0|[1-9][0-9]*)\Z")
#: Pod subresources that do not change what the standards look at.
_IGNORED = ("exec", "attach", "binding", "eviction", "log", "portforward", "proxy", "status")
#: Kind → where its pod template is.
_TEMPLATES = {
    "PodTemplate": ("template",),
    "ReplicationController": ("spec", "template"),
    "ReplicaSet": ("spec", "template"),
    "Deployment": ("spec", "template"),
    "DaemonSet": ("spec", "template"),
    "StatefulSet": ("spec", "template"),
    "Job": ("spec", "template"),
    "CronJob": ("spec", "jobTemplate", "spec", "template"),
}
MAX_PODS = 3000


class Standard(msgspec.Struct, frozen=True):
    """A level and the policy version that it is meant at."""

    level: str = "privileged"
    version: str = "latest"

    def __str__(self) -> str:
        return f"{self.level}:{self.version}"


def policy(labels: Obj) -> tuple[dict[str, Standard], list[FieldError]]:
    """The standards (enforce, audit, warn) of a namespace's labels, and what is wrong with them (`PolicyToEvaluate`)."""
    out: dict[str, Standard] = {}
    problems: list[FieldError] = []
    for mode in ("enforce", "audit", "warn"):
        level, version = labels.get(PREFIX + mode), labels.get(f"{PREFIX}{mode}-version")
        chosen = "privileged" if level is None else level
        if chosen not in LEVELS:
            problems.append(_wrong(PREFIX + mode, chosen, f"must be one of {', '.join(LEVELS)}"))
            chosen = "restricted" if mode == "enforce" else "privileged"
        at = "latest" if version is None else version
        if at != "latest" and not _VERSION.match(at):
            problems.append(_wrong(f"{PREFIX}{mode}-version", at, 'must be "latest" or "v1.x"'))
            at = "latest"
        out[mode] = Standard(chosen, at)
    stated = labels.get(PREFIX + "enforce") in LEVELS
    if PREFIX + "warn" not in labels and stated and LEVELS.index(out["enforce"].level) > LEVELS.index(out["warn"].level):
        version = out["warn"].version if f"{PREFIX}warn-version" in labels else out["enforce"].version
        out["warn"] = Standard(out["enforce"].level, version)
    return out, problems


def _wrong(label: str, value: str, why: str) -> FieldError:
    return invalid_value(f"metadata.labels[{label}]", value, why)


def _detail(broken: list[tuple[str, str]]) -> str:
    return ", ".join(f"{reason} ({detail})" if detail else reason for reason, detail in broken)


class PodSecurity:
    """The plugin."""

    name = "PodSecurity"

    def mutate(self, call: Call, obj: Obj, old: Obj | None) -> None:
        """Nothing to change."""

    def validate(self, call: Call, obj: Obj | None, old: Obj | None) -> None:
        """Namespaces, pods, and what makes pods."""
        kind = call.kind
        if obj is None or kind.group not in ("", "apps", "batch"):
            return
        if kind.kind == "Namespace" and not kind.group:
            self._namespace(call, obj, old)
        elif kind.kind == "Pod":
            if call.info.subresource not in _IGNORED and (old is None or _significant(obj, old)):
                self._pod(call, obj["metadata"], obj["spec"], enforce=True)
        elif kind.kind in _TEMPLATES and not call.info.subresource:
            template: Any = obj
            for member in _TEMPLATES[kind.kind]:
                template = (template or {}).get(member)
            if template:
                self._pod(call, template.get("metadata") or {}, template.get("spec") or {}, enforce=False)

    def _pod(self, call: Call, meta: Obj, spec: Obj, *, enforce: bool) -> None:
        held = call.server.storage.get(b"/registry/namespaces/" + call.namespace.encode())
        labels = (held[0]["metadata"].get("labels") or {}) if held is not None else {}
        if not any(key.startswith(PREFIX) for key in labels):
            return
        standards, _ = policy(labels)
        if enforce:
            broken = evaluate(standards["enforce"].level, meta, spec)
            if broken:
                text = f'violates PodSecurity "{standards["enforce"]}": {_detail(broken)}'
                raise errors.forbidden(call.kind.group_resource, str(meta.get("name") or ""), text)
        broken = evaluate(standards["warn"].level, meta, spec)
        if broken:
            call.warnings.append(f'would violate PodSecurity "{standards["warn"]}": {_detail(broken)}')

    def _namespace(self, call: Call, obj: Obj, old: Obj | None) -> None:
        if call.info.subresource:
            return
        wanted, problems = policy(obj["metadata"].get("labels") or {})
        before, before_problems = policy((old or {"metadata": {}})["metadata"].get("labels") or {})
        if problems and (old is None or not before_problems or [p.text for p in problems] != [p.text for p in before_problems]):
            raise errors.invalid("Namespace", "", str(obj["metadata"].get("name", "")), problems)
        new, held = wanted["enforce"], before["enforce"]
        if old is None or new == held or new.level == "privileged":
            return
        if new.version == held.version and LEVELS.index(new.level) <= LEVELS.index(held.level):
            return
        call.warnings += existing(call, str(obj["metadata"]["name"]), new)


def existing(call: Call, namespace: str, standard: Standard) -> list[str]:
    """The warnings about pods that are there and break a new level (`EvaluatePodsInNamespace`)."""
    pods = call.server.storage.list(f"/registry/pods/{namespace}/".encode(), limit=MAX_PODS)[0]
    found: dict[str, list[str]] = {}
    for pod in pods:
        broken = evaluate(standard.level, pod["metadata"], pod["spec"])
        if broken:
            found.setdefault(", ".join(reason for reason, _ in broken), []).append(pod["metadata"]["name"])
    lines = []
    for reasons, names in found.items():
        more = "" if len(names) == 1 else f" (and {len(names) - 1} other pod{'' if len(names) == 2 else 's'})"
        lines.append(f"{min(names)}{more}: {reasons}")
    if not lines:
        return []
    head = f'existing pods in namespace "{namespace}" violate the new PodSecurity enforce level "{standard}"'
    return [head, *sorted(lines)]


def _significant(obj: Obj, old: Obj) -> bool:
    """Whether containers were added or change their image."""
    new, held = obj["spec"], old["spec"]
    for member in ("containers", "initContainers"):
        mine, theirs = new.get(member) or (), held.get(member) or ()
        if len(mine) != len(theirs) or any(a.get("image") != b.get("image") for a, b in zip(mine, theirs, strict=True)):
            return True
    images = {item["name"]: item.get("image") for item in held.get("ephemeralContainers") or ()}
    return any(images.get(item["name"], "") != item.get("image") for item in new.get("ephemeralContainers") or ())
