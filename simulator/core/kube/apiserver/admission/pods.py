"""Plugins on pods: default tolerations, priorities, extra tolerations for memory pressure.

`plugin/pkg/admission/{defaulttolerationseconds,priority,podtolerationrestriction,nodetaint}`.
"""

from __future__ import annotations

from typing import Any

from ...api import errors
from ...api.volumes import default_class
from ..call import Call

Obj = dict[str, Any]
NOT_READY, UNREACHABLE = "node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"


def _is_new_pod(call: Call, old: Obj | None) -> bool:
    return call.kind.kind == "Pod" and old is None and not call.info.subresource


class DefaultTolerationSeconds:
    """How long pods stay on a node that is not ready or cannot be reached: 300 s, or as the server's flags say."""

    name = "DefaultTolerationSeconds"

    def mutate(self, call: Call, obj: Obj, old: Obj | None) -> None:
        """Add the two tolerations unless the pod has them, on updates too."""
        if call.kind.kind != "Pod" or call.info.subresource:
            return
        held = list(obj["spec"].get("tolerations") or ())
        config = call.server.config
        for key, seconds in ((NOT_READY, config.not_ready_seconds), (UNREACHABLE, config.unreachable_seconds)):
            if not any(_covers(item, key) for item in held):
                held.append({"key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": seconds})
        obj["spec"]["tolerations"] = held

    def validate(self, call: Call, obj: Obj | None, old: Obj | None) -> None:
        """Nothing to refuse."""


def _covers(item: Obj, key: str) -> bool:
    return (item.get("key") == key or not item.get("key")) and item.get("effect") in (None, "", "NoExecute")


class Priority:
    """Resolve the priority class of a pod; one class at most is the default; system classes stay."""

    name = "Priority"

    def mutate(self, call: Call, obj: Obj, old: Obj | None) -> None:
        """Write the priority that the class gives; an update that leaves it out keeps it."""
        if old is not None and call.kind.kind == "Pod" and not call.info.subresource:
            for member in ("priority", "preemptionPolicy"):
                if member not in obj["spec"] and member in old["spec"]:
                    obj["spec"][member] = old["spec"][member]
        if not _is_new_pod(call, old):
            return
        spec = obj["spec"]
        name = spec.get("priorityClassName")
        value, policy = 0, "PreemptLowerPriority"
        if name:
            found = call.server.storage.get(f"/registry/priorityclasses/{name}".encode())
            if found is None:
                text = f"no PriorityClass with name {name} was found"
                raise errors.forbidden("pods", str(obj["metadata"].get("name") or ""), text)
            value, policy = found[0].get("value", 0), found[0].get("preemptionPolicy", policy)
        else:
            for held in call.server.storage.list(b"/registry/priorityclasses/")[0]:
                if held.get("globalDefault"):
                    spec["priorityClassName"] = held["metadata"]["name"]
                    value, policy = held.get("value", 0), held.get("preemptionPolicy", policy)
        given = spec.get("priority")
        if given is not None and given != value:
            text = (
                f"the integer value of priority ({given}) must not be provided in pod spec; "
                f"priority admission controller computed {value} from the given PriorityClass name"
            )
            raise errors.forbidden("pods", str(obj["metadata"].get("name") or ""), text)
        spec["priority"] = value
        if spec.get("preemptionPolicy") not in (None, policy):
            text = (
                f"the string value of PreemptionPolicy ({spec['preemptionPolicy']}) must not be provided in pod spec; "
                f"priority admission controller computed {policy} from the given PriorityClass name"
            )
            raise errors.forbidden("pods", str(obj["metadata"].get("name") or ""), text)
        spec["preemptionPolicy"] = policy

    def validate(self, call: Call, obj: Obj | None, old: Obj | None) -> None:
        """Classes: a second default, and deleting a system class, are refused."""
        if call.kind.kind != "PriorityClass":
            return
        if call.operation == "DELETE" and old is not None and old["metadata"]["name"].startswith("system-"):
            raise errors.forbidden(
                call.kind.group_resource, old["metadata"]["name"], "this is a system priority class and cannot be deleted"
            )
        if obj is not None and obj.get("globalDefault"):
            for held in call.server.storage.list(b"/registry/priorityclasses/")[0]:
                other = held["metadata"]["name"]
                if held.get("globalDefault") and other != obj["metadata"]["name"]:
                    text = f"PriorityClass {other} is already marked as default. Only one default can exist"
                    raise errors.forbidden(call.kind.group_resource, str(obj["metadata"]["name"]), text)


class TaintNodesByCondition:
    """A node that registers is not ready until its controller has seen it."""

    name = "TaintNodesByCondition"

    def mutate(self, call: Call, obj: Obj, old: Obj | None) -> None:
        """Add the not-ready taint."""
        if call.kind.kind != "Node" or old is not None:
            return
        spec = obj.setdefault("spec", {})
        held = list(spec.get("taints") or ())
        if not any(t.get("key") == NOT_READY and t.get("effect") == "NoSchedule" for t in held):
            spec["taints"] = [*held, {"key": NOT_READY, "effect": "NoSchedule"}]

    def validate(self, call: Call, obj: Obj | None, old: Obj | None) -> None:
        """Nothing to refuse."""


class DefaultStorageClass:
    """Claims that name no class get the default one."""

    name = "DefaultStorageClass"

    def mutate(self, call: Call, obj: Obj, old: Obj | None) -> None:
        """Write the newest default class's name."""
        if call.kind.kind != "PersistentVolumeClaim" or old is not None or "storageClassName" in obj.get("spec", {}):
            return
        chosen = default_class(call.server.storage.list(b"/registry/storageclasses/")[0])
        if chosen:
            obj["spec"]["storageClassName"] = chosen

    def validate(self, call: Call, obj: Obj | None, old: Obj | None) -> None:
        """Nothing to refuse."""


class NodeRestriction:
    """A kubelet touches its own node, its lease and the pods bound to it, nothing else."""

    name = "NodeRestriction"

    def mutate(self, call: Call, obj: Obj, old: Obj | None) -> None:
        """Nothing to change."""

    def validate(self, call: Call, obj: Obj | None, old: Obj | None) -> None:
        """Refuse what belongs to another node."""
        if "system:nodes" not in call.user.groups or not call.user.name.startswith("system:node:"):
            return
        node = call.user.name.removeprefix("system:node:")
        held = obj if obj is not None else old
        if held is None:
            return
        name = str(held["metadata"].get("name") or "")
        if call.kind.kind == "Node" and name != node:
            text = f'node "{node}" is not allowed to modify node "{name}"'
            raise errors.forbidden("nodes", name, text)
        mirror = "kubernetes.io/config.mirror" in (held["metadata"].get("annotations") or {})
        if call.kind.kind == "Pod" and call.operation != "DELETE" and old is None and not mirror:
            text = f'pod does not have "kubernetes.io/config.mirror" annotation, node "{node}" can only create mirror pods'
            raise errors.forbidden("pods", name, text)
        if call.kind.kind == "Pod" and held.get("spec", {}).get("nodeName") != node:
            text = f'node "{node}" can only update pod status for pods with spec.nodeName set to itself'  # noqa: S608
            raise errors.forbidden("pods", name, text)
