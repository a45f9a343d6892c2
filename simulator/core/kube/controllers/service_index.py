"""Which Services select which pods: the warm index that both endpoint controllers use (serviceutil, ServiceSelectorCache)."""

from __future__ import annotations

from typing import Any

from ..api.objects import Obj, key_of, labels_of
from . import common
from .base import Controller


class ServiceIndex(Controller):
    """A controller whose keys are Services with a selector; it knows the pods of each."""

    def setup(self) -> None:
        """Build the index from what the informers hold already."""
        self.selectors: dict[str, dict[str, dict[str, str]]] = {}
        self.pods_of: dict[str, set[str]] = {}
        self.services_of: dict[str, set[str]] = {}
        for service in self.informer("services").list():
            self._service(service, gone=False)

    def _service(self, service: Obj, *, gone: bool) -> None:
        key, namespace = key_of(service), service["metadata"]["namespace"]
        selector = (service.get("spec") or {}).get("selector")
        known = self.selectors.setdefault(namespace, {})
        if gone or not selector:
            known.pop(key, None)
            for pod in self.pods_of.pop(key, set()):
                self.services_of.get(pod, set()).discard(key)
            return
        if known.get(key) == selector:
            return
        known[key] = selector
        for pod in self.pods_of.pop(key, set()):
            self.services_of.get(pod, set()).discard(key)
        prefix = namespace + "/"
        objects = self.informer("pods").objects()
        for name, item in objects.items():
            if name.startswith(prefix) and common.selects_map(selector, labels_of(item)):
                self.pods_of.setdefault(key, set()).add(name)
                self.services_of.setdefault(name, set()).add(key)

    def _pod(self, pod: Obj, *, gone: bool) -> set[str]:
        """Update the membership of a pod; returns the Services that it is or was in."""
        key, labels = key_of(pod), labels_of(pod)
        before = self.services_of.get(key, set())
        now: set[str] = set()
        if not gone:
            known = self.selectors.get(pod["metadata"]["namespace"], {})
            now = {name for name, selector in known.items() if common.selects_map(selector, labels)}
        for name in before - now:
            self.pods_of.get(name, set()).discard(key)
        for name in now - before:
            self.pods_of.setdefault(name, set()).add(key)
        if now:
            self.services_of[key] = now
        else:
            self.services_of.pop(key, None)
        return before | now

    def track(self, resource: str, kind: str, obj: Obj) -> None:
        """Mark the Services that a change of a Service or a pod touches."""
        if resource == "services":
            self._service(obj, gone=kind == "DELETED")
            self.enqueue(key_of(obj))
        elif resource == "pods":
            for key in sorted(self._pod(obj, gone=kind == "DELETED")):
                self.enqueue(key)

    def pods(self, key: str) -> list[Obj]:
        """The pods that a Service selects, by name."""
        objects = self.informer("pods").objects()
        return [objects[name] for name in sorted(self.pods_of.get(key, ())) if name in objects]


def pod_ip(pod: Obj) -> str:
    """The pod's IPv4 address, or ""."""
    return str((pod.get("status") or {}).get("podIP") or "")


def target_port(service_port: Obj, pod: Obj) -> int | None:
    """The pod's port behind a Service port; a name is looked up among its containers (FindPort)."""
    target = service_port.get("targetPort") or service_port["port"]
    if isinstance(target, int):
        return target or int(service_port["port"])
    spec = pod["spec"]
    protocol = service_port.get("protocol", "TCP")
    sidecars = [c for c in spec.get("initContainers") or () if c.get("restartPolicy") == "Always"]
    for container in [*(spec.get("containers") or ()), *sidecars]:
        for port in container.get("ports") or ():
            if port.get("name") == target and port.get("protocol", "TCP") == protocol:
                return int(port["containerPort"])
    return int(target) if str(target).isdigit() else None


def is_headless(service: Obj) -> bool:
    """`clusterIP: None`."""
    return (service["spec"].get("clusterIP") or "") == "None"


def trigger_time(memory: dict[str, Any], key: str, service: Obj, pods: list[Obj]) -> str:
    """When the earliest of the changes behind this sync happened, or "" (endpointslice/trigger_time_tracker.go)."""
    state = memory.setdefault(key, {"service": "", "pods": {}})
    times: list[str] = []
    known, now = state["pods"], {}
    for pod in pods:
        ready = next((c for c in (pod.get("status") or {}).get("conditions") or () if c["type"] == "Ready"), None)
        stamp = (ready or {}).get("lastTransitionTime") or pod["metadata"].get("creationTimestamp") or ""
        name = pod["metadata"]["name"]
        now[name] = stamp
        if stamp > known.get(name, ""):
            times.append(stamp)
    created = service["metadata"].get("creationTimestamp") or ""
    if created > state["service"]:
        times.append(created)
    state["pods"], state["service"] = now, created
    return min(times) if times else ""
