"""What each debugging profile changes of a pod (`kubectl/pkg/cmd/debug/profiles.go`): one row a profile."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

Obj = dict[str, Any]
Style = Literal["ephemeral", "copy", "node"]
Step = Callable[[Obj, Obj, Style], None]
#: `--keep-…` flags and the fields of containers that they keep in a copy.
PROBES = {"keep-liveness": "livenessProbe", "keep-readiness": "readinessProbe", "keep-startup": "startupProbe"}


def _context(container: Obj) -> Obj:
    held: Obj = container.setdefault("securityContext", {})
    return held


def _add(container: Obj, *names: str) -> None:
    held = _context(container).setdefault("capabilities", {})
    held["add"] = [*(held.get("add") or ()), *names]


def _root_partition(pod: Obj, container: Obj) -> None:
    pod["spec"].setdefault("volumes", []).append({"name": "host-root", "hostPath": {"path": "/"}})
    container.setdefault("volumeMounts", []).append({"mountPath": "/host", "name": "host-root"})


def _host_namespaces(pod: Obj) -> None:
    pod["spec"].update({"hostNetwork": True, "hostPID": True, "hostIPC": True})


def _legacy(pod: Obj, container: Obj, style: Style) -> None:
    if style == "node":
        _root_partition(pod, container)
        _host_namespaces(pod)
    elif style == "copy":
        pod["metadata"].pop("labels", None)


def _general(pod: Obj, container: Obj, style: Style) -> None:
    if style == "node":
        _root_partition(pod, container)
        container.pop("securityContext", None)
        _host_namespaces(pod)
    else:
        _add(container, "SYS_PTRACE")


def _baseline(pod: Obj, container: Obj, style: Style) -> None:
    container.pop("securityContext", None)


def _restricted(pod: Obj, container: Obj, style: Style) -> None:
    container["securityContext"] = {
        "runAsNonRoot": True, "capabilities": {"drop": ["ALL"]}, "allowPrivilegeEscalation": False, "seccompProfile": {"type": "RuntimeDefault"},
    }  # fmt: skip


def _netadmin(pod: Obj, container: Obj, style: Style) -> None:
    _add(container, "NET_ADMIN", "NET_RAW")
    if style == "node":
        _host_namespaces(pod)


def _sysadmin(pod: Obj, container: Obj, style: Style) -> None:
    _context(container)["privileged"] = True
    if style == "node":
        _host_namespaces(pod)
        _root_partition(pod, container)


PROFILES: dict[str, Step] = {
    "legacy": _legacy, "general": _general, "baseline": _baseline, "restricted": _restricted, "netadmin": _netadmin, "sysadmin": _sysadmin,
}  # fmt: skip


def apply(profile: str, pod: Obj, name: str, style: Style, kept: set[str]) -> None:
    """Change `pod` in place for its container `name`; `kept` are the `--keep-…` flags that are on."""
    spec = pod["spec"]
    listed = [item for key in ("containers", "initContainers", "ephemeralContainers") for item in spec.get(key) or ()]
    container: Obj = next((item for item in listed if item["name"] == name), {})
    if style == "copy" and profile != "legacy":
        for flag, field in (("keep-labels", "labels"), ("keep-annotations", "annotations")):
            if flag not in kept:
                pod["metadata"].pop(field, None)
        for item in spec["containers"]:
            for flag, field in PROBES.items():
                if flag not in kept:
                    item.pop(field, None)
        if "keep-init-containers" not in kept:
            spec.pop("initContainers", None)
    PROFILES[profile](pod, container, style)
    if style == "copy" and profile != "legacy":
        spec.setdefault("shareProcessNamespace", True)
