"""The ResourceQuota controller: counts what a namespace uses (pkg/controller/resourcequota, pkg/quota/v1/evaluator/core).

Admission adds to `status.used` when something is made; this controller fills in a new quota and takes away what has gone.
"""

from __future__ import annotations

from ...kernel import clock
from ..api import quotas
from ..api.objects import Obj, key_of, split_key
from ..api.quantity import NANO, Quantity
from ..component import duration
from . import common
from .base import Controller


class ResourceQuotaController(Controller):
    """Keys are ResourceQuotas."""

    name = "resourcequota-controller"
    source = "resourcequota-controller"
    resources = ("resourcequotas", "pods", *(name for name in quotas.COUNTED if name != "resourcequotas"))

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
        total = self._count(quota, namespace, hard)
        used = {item: str(total.get(item, Quantity(0))) for item in hard if item in total or _is_known(item)}
        status = {"hard": hard, "used": used}
        if status != (quota.get("status") or {}):
            self.client.update("resourcequotas", {**quota, "status": status}, subresource="status")

    def _count(self, quota: Obj, namespace: str, hard: Obj) -> dict[str, Quantity]:
        """What the namespace uses of everything that the quota names."""
        total: dict[str, Quantity] = {}
        wall = self.world.wall
        for pod in self.informer("pods").list(namespace):
            if quotas.matches(quota, pod):
                quotas.add(total, quotas.usage("", "pods", pod, wall))
        if quotas.is_scoped(quota):
            return total
        for plural in quotas.COUNTED:
            for obj in self.informer(plural).list(namespace):
                quotas.add(total, quotas.usage("", plural, obj, wall))
        for item in hard:
            name = item.removeprefix("count/")
            if name != item and item not in total and name != "pods" and name not in quotas.COUNTED:
                total[item] = Quantity(len(self.client.list(name, namespace).items) * NANO)
        return total


def _is_known(item: str) -> bool:
    """Whether a resource name is one that is counted, so that nothing of it is 0."""
    field, _, kind = item.rpartition(".")
    return (
        item.startswith(("count/", "requests.", "services."))
        or item == "pods"
        or item in quotas.COUNTED
        or quotas.CLASS in item
        or (kind in quotas.COMPUTE and field in ("", "limits"))
    )
