"""A container's environment: literal values, references, the downward API and services (`makeEnvironmentVariables`, `pkg/kubelet/envvars`)."""

from __future__ import annotations

import base64
import re
from typing import Any

from ...kernel.errors import ConnectError
from ..api import quantity
from ..client import ApiError
from .context import Kubelet
from .state import PodState

Obj = dict[str, Any]

_EXPANSION = re.compile(r"\$(\$|\([-._a-zA-Z][-._a-zA-Z0-9]*\))")


class EnvError(Exception):
    """A variable cannot be made: the container waits with CreateContainerConfigError."""


def expand(text: str, values: dict[str, str]) -> str:
    """`$(NAME)` in commands, arguments and values; `$$` is a dollar (`third_party/forked/golang/expansion`)."""

    def one(match: re.Match[str]) -> str:
        word = match.group(1)
        if word == "$":
            return "$"
        return values.get(word[1:-1], match.group(0))

    return _EXPANSION.sub(one, text)


def build(kubelet: Kubelet, pod: PodState, container: Obj) -> list[tuple[str, str]]:
    """All variables in order: services, envFrom, env; raises EnvError."""
    result: dict[str, str] = {}
    services = _services(kubelet, pod)
    for source in container.get("envFrom") or ():
        prefix = source.get("prefix") or ""
        if "configMapRef" in source:
            ref = source["configMapRef"]
            obj = _get(kubelet, "configmaps", "configmap", pod, ref["name"], bool(ref.get("optional")))
            pairs = {k: str(v) for k, v in ((obj or {}).get("data") or {}).items()}
        else:
            ref = source["secretRef"]
            obj = _get(kubelet, "secrets", "secret", pod, ref["name"], bool(ref.get("optional")))
            pairs = {k: _text(v) for k, v in ((obj or {}).get("data") or {}).items()}
        for key in sorted(pairs):
            result[prefix + key] = pairs[key]
    known = {**services, **result}
    for variable in container.get("env") or ():
        value: str | None
        if "valueFrom" in variable:
            value = _value_from(kubelet, pod, container, variable["valueFrom"])
            if value is None:
                continue
        else:
            value = expand(str(variable.get("value") or ""), known)
        result[variable["name"]] = known[variable["name"]] = value
    merged = {**result}
    for name, text in services.items():
        merged.setdefault(name, text)
    return list(merged.items())


def _text(encoded: Any) -> str:
    return base64.b64decode(str(encoded)).decode("utf-8", "replace")


def _get(kubelet: Kubelet, resource: str, kind: str, pod: PodState, name: str, optional: bool) -> Obj | None:
    try:
        return kubelet.client.get(resource, pod.namespace, name)
    except ApiError as failed:
        if failed.code == 404:
            if optional:
                return None
            raise EnvError(f'{kind} "{name}" not found') from failed
        raise EnvError(failed.message) from failed
    except ConnectError as failed:
        raise EnvError(f"failed to sync {kind} cache: timed out waiting for the condition") from failed


def _value_from(kubelet: Kubelet, pod: PodState, container: Obj, source: Obj) -> str | None:
    if "fieldRef" in source:
        return field(kubelet, pod, source["fieldRef"]["fieldPath"])
    if "resourceFieldRef" in source:
        return resource_field(kubelet, pod, source["resourceFieldRef"], container["name"])
    for key, resource, kind in (("configMapKeyRef", "configmaps", "configmap"), ("secretKeyRef", "secrets", "secret")):
        if key in source:
            ref = source[key]
            obj = _get(kubelet, resource, kind, pod, ref["name"], bool(ref.get("optional")))
            if obj is None:
                return None
            data = obj.get("data") or {}
            if ref["key"] not in data:
                if ref.get("optional"):
                    return None
                where = "ConfigMap" if kind == "configmap" else "Secret"
                raise EnvError(f"couldn't find key {ref['key']} in {where} {pod.namespace}/{ref['name']}")
            return str(data[ref["key"]]) if kind == "configmap" else _text(data[ref["key"]])
    return None


def field(kubelet: Kubelet, pod: PodState, path: str) -> str:
    """A field of the pod for the downward API (`pkg/fieldpath`)."""
    meta, spec = pod.pod["metadata"], pod.pod["spec"]
    match = re.fullmatch(r"metadata\.(labels|annotations)\['(.*)'\]", path)
    if match:
        return str((meta.get(match.group(1)) or {}).get(match.group(2), ""))
    if path in ("metadata.labels", "metadata.annotations"):
        return "\n".join(f'{k}="{v}"' for k, v in sorted((meta.get(path.partition(".")[2]) or {}).items()))
    values = {
        "metadata.name": pod.name,
        "metadata.namespace": pod.namespace,
        "metadata.uid": pod.uid,
        "spec.nodeName": kubelet.state.node,
        "spec.serviceAccountName": str(spec.get("serviceAccountName") or ""),
        "status.hostIP": kubelet.host.ip,
        "status.hostIPs": kubelet.host.ip,
        "status.podIP": pod.ip,
        "status.podIPs": pod.ip,
    }
    return values.get(path, "")


def resource_field(kubelet: Kubelet, pod: PodState, ref: Obj, default: str) -> str:
    """A resource of a container, divided and rounded up (`pkg/api/v1/resource/helpers.go`)."""
    name = ref.get("containerName") or default
    container: Obj = next((c for c in pod.pod["spec"]["containers"] if c["name"] == name), {})
    kind, _, resource = str(ref["resource"]).partition(".")
    amounts = (container.get("resources") or {}).get(kind) or {}
    amount = amounts.get(resource)
    if amount is None:
        if kind == "requests":
            amount = "0"
        else:
            amount = str(kubelet.host.cpus) if resource == "cpu" else f"{kubelet.host.memory_kib - 100 * 1024}Ki"
    divisor = quantity.nano(ref.get("divisor") or "1") or quantity.nano("1")
    return str(-(-quantity.nano(amount) // divisor))


def _services(kubelet: Kubelet, pod: PodState) -> dict[str, str]:
    """`KUBERNETES_SERVICE_HOST` and friends (`envvars.FromServices`)."""
    links = pod.pod["spec"].get("enableServiceLinks", True) is not False
    try:
        services = [kubelet.client.get("services", "default", "kubernetes")]
        if links:
            services += [
                s
                for s in kubelet.client.list("services", pod.namespace).items
                if not (s["metadata"]["name"] == "kubernetes" and pod.namespace == "default")
            ]
    except (ConnectError, ApiError):
        return {}
    out: dict[str, str] = {}
    for service in services:
        ip = service["spec"].get("clusterIP")
        ports = service["spec"].get("ports") or ()
        if not ip or ip == "None" or not ports:
            continue
        prefix = service["metadata"]["name"].upper().replace("-", "_")
        out[f"{prefix}_SERVICE_HOST"] = ip
        out[f"{prefix}_SERVICE_PORT"] = str(ports[0]["port"])
        for port in ports:
            if port.get("name"):
                out[f"{prefix}_SERVICE_PORT_{port['name'].upper().replace('-', '_')}"] = str(port["port"])
        for index, port in enumerate(ports):
            protocol = str(port.get("protocol") or "TCP")
            url = f"{protocol.lower()}://{ip}:{port['port']}"
            if index == 0:
                out[f"{prefix}_PORT"] = url
            base = f"{prefix}_PORT_{port['port']}_{protocol}"
            out |= {base: url, f"{base}_PROTO": protocol.lower(), f"{base}_PORT": str(port["port"]), f"{base}_ADDR": ip}
    return out
