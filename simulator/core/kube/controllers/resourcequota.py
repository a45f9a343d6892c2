"""The ResourceQuota controller: counts what a namespace uses (pkg/controller/resourcequota, pkg/quota/v1/evaluator/core).

Admission adds to `status.used` when something is made; this controller fills in a new quota and takes away what has gone.
"""

from __future__ import annotations

from collections.abc import Callable

from ...kernel import clock
from ..api import quantity
from ..api.objects import Obj, key_of, split_key
from ..component import duration
from . import common
from .base import Controller

#: Objects counted under their plain plural name.
COUNTED = ("configmaps", "persistentvolumeclaims", "replicationcontrollers", "resourcequotas", "secrets", "services")
_COMPUTE = ("cpu", "memory", "ephemeral-storage")


def _sum(pods: list[Obj], field: str, name: str) -> str:
    """The requests or limits of pods; an init container counts where it needs more than all the others."""
    total, form = 0, "DecimalSI"
    for pod in pods:
        spec = pod["spec"]

        def of(container: Obj) -> int:
            return quantity.nano(((container.get("resources") or {}).get(field) or {}).get(name))

        texts = [((c.get("resources") or {}).get(field) or {}).get(name) for c in spec.get("containers") or ()]
        form = next((quantity.parse(t).format for t in texts if t), form)
        peak = max((of(c) for c in spec.get("initContainers") or ()), default=0)
        total += max(peak, sum(of(c) for c in spec.get("containers") or ()))
    return str(quantity.Quantity(total, form))


def _best_effort(pod: Obj) -> bool:
    return not any((c.get("resources") or {}).get(f) for c in pod["spec"]["containers"] for f in ("requests", "limits"))


_SCOPES: dict[str, Callable[[Obj], bool]] = {
    "BestEffort": _best_effort,
    "NotBestEffort": lambda pod: not _best_effort(pod),
    "Terminating": lambda pod: pod["spec"].get("activeDeadlineSeconds") is not None,
    "NotTerminating": lambda pod: pod["spec"].get("activeDeadlineSeconds") is None,
}


class ResourceQuotaController(Controller):
    """Keys are ResourceQuotas."""

    name = "resourcequota-controller"
    source = "resourcequota-controller"
    resources = ("resourcequotas", "pods", *(name for name in COUNTED if name != "resourcequotas"))

    def setup(self) -> None:
        """Every quota is counted anew every `--resource-quota-sync-period` (5 min), whatever was missed."""
        self.period = duration(self.flags, "resource-quota-sync-period", 5 * clock.MINUTE)

    def tick(self) -> None:
        """The full count."""
        for quota in self.informer("resourcequotas").list():
            self.enqueue(key_of(quota))

    def changed(self, resource: str, kind: str, obj: Obj) -> None:
        """A quota's limits changed, or something of its namespace has gone."""
        if resource == "resourcequotas":
            status = obj.get("status") or {}
            if kind != "DELETED" and (status.get("hard") != obj["spec"].get("hard") or "used" not in status):
                self.enqueue(key_of(obj))
        elif kind == "DELETED" or (resource == "pods" and common.is_terminal(obj)):
            for quota in self.informer("resourcequotas").list(obj["metadata"]["namespace"]):
                self.enqueue(key_of(quota))

    def sync(self, key: str) -> None:
        """Count anew and write one quota's status."""
        namespace, name = split_key(key)
        quota = self.informer("resourcequotas").get(namespace, name)
        if quota is None or quota["metadata"].get("deletionTimestamp"):
            return
        for resource in self.resources:
            self.runtime.feed(resource)
        hard = quota["spec"].get("hard") or {}
        pods = [p for p in self.informer("pods").list(namespace) if not common.is_terminal(p)]
        for scope in quota["spec"].get("scopes") or ():
            pods = [p for p in pods if scope not in _SCOPES or _SCOPES[scope](p)]
        used = {item: found for item in hard if (found := self._used(item, namespace, pods)) is not None}
        status = {"hard": hard, "used": used}
        if status != (quota.get("status") or {}):
            self.client.update("resourcequotas", {**quota, "status": status}, subresource="status")

    def _used(self, item: str, namespace: str, pods: list[Obj]) -> str | None:
        """The use of one resource name, or None for one that is not counted."""
        name = item.removeprefix("count/")
        if name == "pods":
            return str(len(pods))
        if name in COUNTED:
            return str(len(self.informer(name).list(namespace)))
        if item.startswith("count/"):
            return str(len(self.client.list(name, namespace).items))
        if item in ("services.nodeports", "services.loadbalancers"):
            services = self.informer("services").list(namespace)
            if item == "services.loadbalancers":
                return str(sum(1 for s in services if s["spec"].get("type") == "LoadBalancer"))
            return str(sum(1 for s in services for p in s["spec"].get("ports") or () if p.get("nodePort")))
        field, _, kind = item.rpartition(".")
        if kind in _COMPUTE and field in ("", "requests", "limits"):
            return _sum(pods, field or "requests", kind)
        if item == "requests.storage":
            claims = self.informer("persistentvolumeclaims").list(namespace)
            total = sum(quantity.nano((c["spec"].get("resources") or {}).get("requests", {}).get("storage")) for c in claims)
            return str(quantity.Quantity(total, "BinarySI"))
        return None
