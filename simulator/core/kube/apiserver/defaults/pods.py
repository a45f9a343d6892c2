"""Defaults of pods and pod templates (`pkg/apis/core/v1/defaults.go`)."""

from __future__ import annotations

import re
from typing import Any

Obj = dict[str, Any]

#: Members of a volume that are sources; a volume with none is an emptyDir.
_MODES = (("secret", 420), ("configMap", 420), ("downwardAPI", 420), ("projected", 420))
_TAG = re.compile(r"(?P<name>[^@]*?)(:(?P<tag>[^:/@]+))?(@(?P<digest>.+))?\Z")


def image_tag(image: str) -> str:
    """The tag of an image reference; `latest` when it has neither tag nor digest (`parsers.ParseImageName`)."""
    match = _TAG.match(image)
    if match is None:
        return ""
    if match.group("tag"):
        return match.group("tag")
    return "" if match.group("digest") else "latest"


def pod(obj: Obj) -> None:
    """Defaults of a Pod."""
    spec = obj["spec"] = obj.get("spec") or {}
    for container in [*(spec.get("containers") or ()), *(spec.get("initContainers") or ())]:
        resources = container.get("resources") or {}
        if resources.get("limits"):
            requests = dict(resources.get("requests") or {})
            for name, amount in resources["limits"].items():
                requests.setdefault(name, amount)
            resources["requests"] = {k: requests[k] for k in sorted(requests)}
            container["resources"] = resources
    spec.setdefault("enableServiceLinks", True)
    pod_spec(spec)


def template(obj: Obj) -> None:
    """Defaults of a PodTemplateSpec."""
    spec = obj.get("spec")
    if spec is not None:
        pod_spec(spec)


def pod_spec(spec: Obj) -> None:
    """Defaults of a PodSpec, wherever it stands."""
    _fill(spec, "dnsPolicy", "ClusterFirst")
    _fill(spec, "restartPolicy", "Always")
    spec.setdefault("securityContext", {})
    spec.setdefault("terminationGracePeriodSeconds", 30)
    _fill(spec, "schedulerName", "default-scheduler")
    if spec.get("serviceAccountName"):
        spec["serviceAccount"] = spec["serviceAccountName"]
    elif spec.get("serviceAccount"):
        spec["serviceAccountName"] = spec["serviceAccount"]
    if spec.get("hostNetwork"):
        for container in [*(spec.get("containers") or ()), *(spec.get("initContainers") or ())]:
            for port in container.get("ports") or ():
                if not port.get("hostPort"):
                    port["hostPort"] = port.get("containerPort", 0)
    for kind in ("containers", "initContainers", "ephemeralContainers"):
        for item in spec.get(kind) or ():
            container_defaults(item)
    for item in spec.get("volumes") or ():
        volume(item)
    for item in spec.get("topologySpreadConstraints") or ():
        _fill(item, "whenUnsatisfiable", item.get("whenUnsatisfiable", "DoNotSchedule"))


def _fill(obj: Obj, name: str, value: Any) -> None:
    if not obj.get(name):
        obj[name] = value


def container_defaults(item: Obj) -> None:
    """Defaults of a container."""
    if not item.get("imagePullPolicy"):
        item["imagePullPolicy"] = "Always" if image_tag(item.get("image", "")) == "latest" else "IfNotPresent"
    _fill(item, "terminationMessagePath", "/dev/termination-log")
    _fill(item, "terminationMessagePolicy", "File")
    for port in item.get("ports") or ():
        _fill(port, "protocol", "TCP")
    for name in ("livenessProbe", "readinessProbe", "startupProbe"):
        if item.get(name) is not None:
            probe(item[name])
    for hook in (item.get("lifecycle") or {}).values():
        if isinstance(hook, dict) and hook.get("httpGet") is not None:
            _http_get(hook["httpGet"])
    for env in item.get("env") or ():
        found = (env.get("valueFrom") or {}).get("fieldRef")
        if found is not None:
            _fill(found, "apiVersion", "v1")


def probe(item: Obj) -> None:
    """Defaults of a probe."""
    for name, value in (("timeoutSeconds", 1), ("periodSeconds", 10), ("successThreshold", 1), ("failureThreshold", 3)):
        _fill(item, name, value)
    if item.get("httpGet") is not None:
        _http_get(item["httpGet"])
    if item.get("grpc") is not None:
        item["grpc"].setdefault("service", "")


def _http_get(item: Obj) -> None:
    _fill(item, "path", "/")
    _fill(item, "scheme", "HTTP")


def volume(item: Obj) -> None:
    """Defaults of a volume."""
    if not [name for name in item if name != "name"]:
        item["emptyDir"] = {}
    for name, mode in _MODES:
        if item.get(name) is not None:
            item[name].setdefault("defaultMode", mode)
    if item.get("hostPath") is not None:
        item["hostPath"].setdefault("type", "")
    for found in (item.get("downwardAPI") or {}).get("items") or ():
        _field_ref(found)
    for source in (item.get("projected") or {}).get("sources") or ():
        if source.get("serviceAccountToken") is not None:
            source["serviceAccountToken"].setdefault("expirationSeconds", 3600)
        for found in (source.get("downwardAPI") or {}).get("items") or ():
            _field_ref(found)
    network_volume(item)
    claim = (item.get("ephemeral") or {}).get("volumeClaimTemplate")
    if claim is not None:
        claim.setdefault("spec", {}).setdefault("volumeMode", "Filesystem")


def network_volume(item: Obj) -> None:
    """Defaults of what volumes of pods and persistent volumes have in common."""
    for name, fields in _NETWORK_VOLUMES.items():
        if item.get(name) is not None:
            for field, value in fields.items():
                item[name].setdefault(field, value)


_NETWORK_VOLUMES: dict[str, Obj] = {
    "iscsi": {"iscsiInterface": "default"},
    "rbd": {"pool": "rbd", "user": "admin", "keyring": "/etc/ceph/keyring"},
    "azureDisk": {"cachingMode": "ReadWrite", "kind": "Shared", "fsType": "ext4", "readOnly": False},
    "scaleIO": {"storageMode": "ThinProvisioned", "fsType": "xfs"},
}


def _field_ref(item: Obj) -> None:
    if item.get("fieldRef") is not None:
        _fill(item["fieldRef"], "apiVersion", "v1")
