"""Pods and pod templates (`describe.go`: `describePod`, `DescribePodTemplate`, `describeContainers`, `DescribeProbe`)."""

from __future__ import annotations

from typing import Any

from ....kube.api import quantity
from ...flags import quote
from ..jsonpath import go_value
from .doc import Doc, selector_text, time_text
from .volumes import volumes

Obj = dict[str, Any]
MIRROR = "kubernetes.io/config.mirror"


def pod(d: Doc, obj: Obj) -> None:
    """One pod."""
    meta, spec, status = obj["metadata"], obj.get("spec") or {}, obj.get("status") or {}
    d.head(obj)
    if spec.get("priority") is not None:
        d.line(0, f"Priority:\t{spec['priority']}")
    for key, title in (("priorityClassName", "Priority Class Name"), ("runtimeClassName", "Runtime Class Name"),
                       ("serviceAccountName", "Service Account")):  # fmt: skip
        if spec.get(key):
            d.line(0, f"{title}:\t{spec[key]}")
    d.line(0, f"Node:\t{spec['nodeName']}/{status.get('hostIP', '')}" if spec.get("nodeName") else "Node:\t<none>")
    if status.get("startTime"):
        d.line(0, f"Start Time:\t{time_text(status['startTime'])}")
    d.labels_and_annotations(obj)
    _status(d, meta, spec, status)
    d.controlled_by(obj)
    if status.get("nominatedNodeName"):
        d.line(0, f"NominatedNodeName:\t{status['nominatedNodeName']}")
    if spec.get("resources"):
        d.line(0, "Resources:")
        _resources(d, spec["resources"], 1)
    if spec.get("initContainers"):
        containers(d, "Init Containers", spec["initContainers"], status.get("initContainerStatuses"), obj)
    containers(d, "Containers", spec.get("containers") or [], status.get("containerStatuses"), obj)
    if spec.get("ephemeralContainers"):
        containers(d, "Ephemeral Containers", spec["ephemeralContainers"], status.get("ephemeralContainerStatuses"), obj)
    _conditions(d, spec, status)
    volumes(d, spec.get("volumes"))
    d.line(0, f"QoS Class:\t{status.get('qosClass') or qos(spec)}")
    d.labels("Node-Selectors", spec.get("nodeSelector"))
    d.tolerations(spec.get("tolerations"))
    _spread(d, spec.get("topologySpreadConstraints"))
    mirror = (meta.get("annotations") or {}).get(MIRROR)
    d.events(obj, [mirror] if mirror else None, kind="")


def _status(d: Doc, meta: Obj, spec: Obj, status: Obj) -> None:
    phase = status.get("phase", "")
    if meta.get("deletionTimestamp") and phase not in ("Failed", "Succeeded"):
        d.line(0, f"Status:\tTerminating (lasts {d.since(meta['deletionTimestamp'])})")
        d.line(0, f"Termination Grace Period:\t{meta.get('deletionGracePeriodSeconds', 0)}s")
    else:
        d.line(0, f"Status:\t{phase}")
    for key, title in (("reason", "Reason"), ("message", "Message")):
        if status.get(key):
            d.line(0, f"{title}:\t{status[key]}")
    seccomp = (spec.get("securityContext") or {}).get("seccompProfile")
    if seccomp:
        d.line(0, f"SeccompProfile:\t{seccomp['type']}")
        if seccomp["type"] == "Localhost":
            d.line(0, f"LocalhostProfile:\t{seccomp.get('localhostProfile', '')}")
    d.line(0, f"IP:\t{status.get('podIP', '')}")
    ips = status.get("podIPs") or []
    d.line(0, "IPs:" if ips else "IPs:\t<none>")
    for item in ips:
        d.line(1, f"IP:\t{item['ip']}")


def _conditions(d: Doc, spec: Obj, status: Obj) -> None:
    conditions = status.get("conditions") or []
    if spec.get("readinessGates"):
        d.line(0, "Readiness Gates:\n  Type\tStatus")
        for gate in spec["readinessGates"]:
            found = next((item["status"] for item in conditions if item["type"] == gate["conditionType"]), "<none>")
            d.line(1, f"{gate['conditionType']} \t{found} ")
    if conditions:
        d.line(0, "Conditions:\n  Type\tStatus")
        for item in conditions:
            d.line(1, f"{item['type']} \t{item['status']} ")


def _spread(d: Doc, constraints: list[Obj] | None, indent: str = "") -> None:
    lines = []
    for item in sorted(constraints or (), key=lambda item: str(item["topologyKey"])):
        text = f"{item['topologyKey']}:{item['whenUnsatisfiable']} when max skew {item['maxSkew']} is exceeded"
        lines.append(
            text + (f" for selector {selector_text(item['labelSelector'])}" if item.get("labelSelector") is not None else "")
        )
    if lines:
        d.add(f"{indent}Topology Spread Constraints:\t" + f"\n{indent}\t".join(lines) + "\n")


def template(d: Doc, obj: Obj | None) -> None:
    """A pod template below `Pod Template:`."""
    d.line(0, "Pod Template:")
    if obj is None:
        d.add("  <unset>")
        return
    meta, spec = obj.get("metadata") or {}, obj.get("spec") or {}
    d.labels("  Labels", meta.get("labels"))
    if meta.get("annotations"):
        d.annotations("  Annotations", meta["annotations"])
    if spec.get("serviceAccountName"):
        d.line(1, f"Service Account:\t{spec['serviceAccountName']}")
    if spec.get("initContainers"):
        containers(d, "Init Containers", spec["initContainers"], None, None, "  ")
    containers(d, "Containers", spec.get("containers") or [], None, None, "  ")
    volumes(d, spec.get("volumes"), "  ")
    _spread(d, spec.get("topologySpreadConstraints"), "  ")
    if spec.get("priorityClassName"):
        d.line(1, f"Priority Class Name:\t{spec['priorityClassName']}")
    d.labels("  Node-Selectors", spec.get("nodeSelector"))
    d.tolerations(spec.get("tolerations"), "  Tolerations")


# -- containers -----------------------------------------------------------------------------------------------------------------


def containers(d: Doc, title: str, items: list[Obj], statuses: list[Obj] | None, owner: Obj | None, indent: str = "") -> None:
    """Containers of a pod (with statuses) or of a template."""
    by_name = {item["name"]: item for item in statuses or ()}
    d.add(f"{indent}{title}:{'' if items else ' <none>'}\n")
    for item in items:
        status = by_name.get(item["name"])
        d.line(1, f"{' ' if indent else ''}{item['name']}:")
        _basics(d, item, status)
        for key, heading in (("command", "Command"), ("args", "Args")):
            if item.get(key):
                d.line(2, f"{heading}:")
                for word in item[key]:
                    for part in str(word).split("\n"):
                        d.line(3, part)
        if status is not None:
            _state(d, "State", status.get("state") or {})
            if (status.get("lastState") or {}).get("terminated"):
                _state(d, "Last State", status["lastState"])
            d.line(2, f"Ready:\t{status.get('ready', False)}")
            d.line(2, f"Restart Count:\t{status.get('restartCount', 0)}")
        _resources(d, item.get("resources") or {}, 2)
        for key, heading in (("livenessProbe", "Liveness"), ("readinessProbe", "Readiness"), ("startupProbe", "Startup")):
            if item.get(key):
                d.line(2, f"{heading}:\t{probe_text(item[key])}")
        _env_from(d, item.get("envFrom") or [])
        _env(d, item, owner)
        _mounts(d, item)


def _ports(ports: list[Obj], key: str) -> str:
    texts = []
    for port in ports:
        text = f"{port.get(key, 0)}/{port.get('protocol', 'TCP')}"
        texts.append(f"{text} ({port['name']})" if port.get("name") else text)
    return ", ".join(texts)


def _basics(d: Doc, item: Obj, status: Obj | None) -> None:
    if status is not None:
        d.line(2, f"Container ID:\t{status.get('containerID', '')}")
    d.line(2, f"Image:\t{item.get('image', '')}")
    if status is not None:
        d.line(2, f"Image ID:\t{status.get('imageID', '')}")
    for key, heading in (("containerPort", "Port"), ("hostPort", "Host Port")):
        text = _ports(item.get("ports") or [], key)
        d.line(2, f"{heading}s:\t{text}" if "," in text else f"{heading}:\t{text or '<none>'}")
    seccomp = (item.get("securityContext") or {}).get("seccompProfile")
    if seccomp:
        d.line(2, f"SeccompProfile:\t{seccomp['type']}")
        if seccomp["type"] == "Localhost":
            d.line(3, f"LocalhostProfile:\t{seccomp.get('localhostProfile', '')}")


def _state(d: Doc, title: str, state: Obj) -> None:
    if "running" in state:
        d.line(2, f"{title}:\tRunning")
        d.line(3, f"Started:\t{time_text((state['running'] or {}).get('startedAt'))}")
    elif "terminated" in state:
        ended = state["terminated"]
        d.line(2, f"{title}:\tTerminated")
        for key, heading in (("reason", "Reason"), ("message", "Message")):
            if ended.get(key):
                d.line(3, f"{heading}:\t{ended[key]}")
        d.line(3, f"Exit Code:\t{ended.get('exitCode', 0)}")
        if ended.get("signal"):
            d.line(3, f"Signal:\t{ended['signal']}")
        d.line(3, f"Started:\t{time_text(ended.get('startedAt'))}")
        d.line(3, f"Finished:\t{time_text(ended.get('finishedAt'))}")
    else:
        d.line(2, f"{title}:\tWaiting")
        if (state.get("waiting") or {}).get("reason"):
            d.line(3, f"Reason:\t{state['waiting']['reason']}")


def _resources(d: Doc, resources: Obj, level: int) -> None:
    for key, heading in (("limits", "Limits"), ("requests", "Requests")):
        if resources.get(key):
            d.line(level, f"{heading}:")
            for name, value in sorted(resources[key].items()):
                d.line(level + 1, f"{name}:\t{quantity.canonical(value)}")


def probe_text(probe: Obj) -> str:
    """A probe on one line."""
    attributes = (f"delay={probe.get('initialDelaySeconds', 0)}s timeout={probe.get('timeoutSeconds', 0)}s period={probe.get('periodSeconds', 0)}s "
                  f"#success={probe.get('successThreshold', 0)} #failure={probe.get('failureThreshold', 0)}")  # fmt: skip
    if "exec" in probe:
        return f"exec {go_value(probe['exec'].get('command') or [])} {attributes}"
    if "httpGet" in probe:
        get = probe["httpGet"]
        path = str(get.get("path", ""))
        path = path if path.startswith("/") or not path else "/" + path
        return f"http-get {str(get.get('scheme', 'HTTP')).lower()}://{get.get('host', '')}:{get['port']}{path} {attributes}"
    if "tcpSocket" in probe:
        return f"tcp-socket {probe['tcpSocket'].get('host', '')}:{probe['tcpSocket']['port']} {attributes}"
    if "grpc" in probe:
        return f"grpc <pod>:{probe['grpc']['port']} {probe['grpc'].get('service') or ''} {attributes}"
    return f"unknown {attributes}"


def _env_from(d: Doc, sources: list[Obj]) -> None:
    if not sources:
        return
    d.line(2, "Environment Variables from:")
    for item in sources:
        kind, ref = ("ConfigMap", item["configMapRef"]) if "configMapRef" in item else ("Secret", item.get("secretRef") or {})
        prefix = f" with prefix '{item['prefix']}'" if item.get("prefix") else ""
        d.line(3, f"{ref.get('name', '')}\t{kind}{prefix}\tOptional: {_bool(ref.get('optional'))}")


def _bool(value: Any) -> str:
    return "true" if value else "false"


def _env(d: Doc, container: Obj, owner: Obj | None) -> None:
    env = container.get("env") or []
    d.line(2, "Environment:" if env else "Environment:\t<none>")
    for item in env:
        source = item.get("valueFrom")
        if not source:
            first, *rest = str(item.get("value", "")).split("\n")
            d.line(3, f"{item['name']}:\t{first}")
            for part in rest:
                d.line(3, f"\t{part}")
        elif "fieldRef" in source:
            ref = source["fieldRef"]
            value = field_value(owner, ref["fieldPath"]) if owner else ""
            d.line(3, f"{item['name']}:\t{value} ({ref.get('apiVersion', 'v1')}:{ref['fieldPath']})")
        elif "resourceFieldRef" in source:
            name = source["resourceFieldRef"]["resource"]
            value = _resource_value(container, name)
            if value == "0" and name in ("limits.cpu", "limits.memory"):
                value = "node allocatable"
            d.line(3, f"{item['name']}:\t{value} ({name})")
        elif "secretKeyRef" in source:
            ref = source["secretKeyRef"]
            d.line(
                3,
                f"{item['name']}:\t<set to the key '{ref['key']}' in secret '{ref.get('name', '')}'>\tOptional: {_bool(ref.get('optional'))}",
            )
        elif "configMapKeyRef" in source:
            ref = source["configMapKeyRef"]
            d.line(
                3,
                f"{item['name']}:\t<set to the key '{ref['key']}' of config map '{ref.get('name', '')}'>\tOptional: {_bool(ref.get('optional'))}",
            )


def _resource_value(container: Obj, name: str) -> str:
    section, _, resource = name.partition(".")
    value = ((container.get("resources") or {}).get(section) or {}).get(resource)
    if value is None:
        return "0"
    return str(-(-quantity.milli(value) // 1000)) if resource == "cpu" else str(quantity.value(value))


def field_value(owner: Obj, path: str) -> str:
    """A downward-API field of a pod."""
    meta, spec, status = owner["metadata"], owner.get("spec") or {}, owner.get("status") or {}
    simple = {"metadata.name": meta.get("name"), "metadata.namespace": meta.get("namespace"), "metadata.uid": meta.get("uid"),
              "spec.nodeName": spec.get("nodeName"), "spec.serviceAccountName": spec.get("serviceAccountName"), "status.podIP": status.get("podIP"),
              "status.hostIP": status.get("hostIP"), "status.phase": status.get("phase"),
              "status.podIPs": ",".join(item["ip"] for item in status.get("podIPs") or ())}  # fmt: skip
    if path in simple:
        # The client knows no way to read fields of spec and status but these two.
        return "" if path.startswith(("spec.", "status.")) else str(simple[path] or "")
    for section in ("labels", "annotations"):
        values = meta.get(section) or {}
        if path == f"metadata.{section}":
            return "\n".join(f"{key}={quote(value)}" for key, value in sorted(values.items()))
        if path.startswith(f"metadata.{section}['"):
            return str(values.get(path[len(section) + 11 : -2], ""))
    return ""


def _mounts(d: Doc, item: Obj) -> None:
    mounts = item.get("volumeMounts") or []
    d.line(2, "Mounts:" if mounts else "Mounts:\t<none>")
    for mount in sorted(mounts, key=lambda mount: str(mount["mountPath"])):
        flags = ["ro" if mount.get("readOnly") else "rw"] + ([f"path={quote(mount['subPath'])}"] if mount.get("subPath") else [])
        d.line(3, f"{mount['mountPath']} from {mount['name']} ({','.join(flags)})")
    devices = item.get("volumeDevices") or []
    if devices:
        d.line(2, "Devices:" if mounts else "Devices:\t<none>")
        for device in sorted(devices, key=lambda device: str(device["devicePath"])):
            d.line(3, f"{device['devicePath']} from {device['name']}")


def qos(spec: Obj) -> str:
    """The quality-of-service class that the spec gives (`util/qos/qos.go`)."""
    requests: dict[str, Any] = {}
    guaranteed = True
    seen = False
    for item in [*(spec.get("initContainers") or ()), *(spec.get("containers") or ())]:
        resources = item.get("resources") or {}
        limits, asked = resources.get("limits") or {}, resources.get("requests") or {}
        for name in ("cpu", "memory"):
            seen = seen or name in limits or name in asked
            wanted = asked.get(name, limits.get(name))
            requests[name] = wanted
            if name not in limits or wanted is None or quantity.compare(limits[name], wanted) != 0:
                guaranteed = False
    return "BestEffort" if not seen else "Guaranteed" if guaranteed else "Burstable"
