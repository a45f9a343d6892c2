"""Fills the rules of aggregated ClusterRoles from the roles that their selectors take (pkg/controller/clusterroleaggregation)."""

from __future__ import annotations

from ..api.objects import Obj
from . import common
from .base import Controller

RULE_MEMBERS = ("apiGroups", "nonResourceURLs", "resourceNames", "resources", "verbs")


class ClusterRoleAggregationController(Controller):
    """Keys are the names of ClusterRoles with an `aggregationRule`; any change of a role may concern every one of them."""

    name = "clusterrole-aggregation-controller"
    source = "clusterrole-aggregation-controller"
    resources = ("clusterroles",)

    def setup(self) -> None:
        """Which roles are aggregated."""
        self.aggregated: set[str] = {
            r["metadata"]["name"] for r in self.informer("clusterroles").list() if "aggregationRule" in r
        }

    def changed(self, resource: str, kind: str, obj: Obj) -> None:
        """A role came, changed or went."""
        name = obj["metadata"]["name"]
        (self.aggregated.discard if kind == "DELETED" or not obj.get("aggregationRule") else self.aggregated.add)(name)
        for held in sorted(self.aggregated):
            self.enqueue(held)

    def sync(self, key: str) -> None:
        """Apply the union of the rules, in the order of the roles' names, without repetition."""
        role = self.informer("clusterroles").get("", key)
        if role is None or not role.get("aggregationRule"):
            return
        everyone = self.informer("clusterroles").list()
        rules: list[Obj] = []
        for selector in role["aggregationRule"].get("clusterRoleSelectors") or ():
            for other in everyone:
                if other["metadata"]["name"] == key or not common.selects(selector, other["metadata"].get("labels") or {}):
                    continue
                rules += [rule for rule in other.get("rules") or () if rule not in rules]
        if rules == (role.get("rules") or []):
            return
        body: Obj = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": key}}
        if rules:
            body["rules"] = [{member: rule[member] for member in RULE_MEMBERS if rule.get(member)} for rule in rules]
        self.client.patch("clusterroles", None, key, body, kind="apply", field_manager=self.name, force=True)
