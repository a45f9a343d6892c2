"""Priority (plugin/pkg/admission/priority): a pod's priority class becomes its priority."""

from __future__ import annotations

from typing import Any

from ...api import errors
from ..call import Call

Obj = dict[str, Any]
PREFIX = b"/registry/priorityclasses/"


class Priority:
    """The plugin."""

    name = "Priority"

    def mutate(self, call: Call, obj: Obj, old: Obj | None) -> None:
        """Resolve `priorityClassName`, or the global default, on creation."""
        if call.kind.kind != "Pod" or call.operation != "CREATE" or call.info.subresource:
            return
        spec, name = obj["spec"], obj["spec"].get("priorityClassName") or ""
        who = str(obj["metadata"].get("name") or "")
        if name:
            found = call.server.storage.get(PREFIX + name.encode())
            if found is None:
                raise errors.forbidden("pods", who, f"no PriorityClass with name {name} was found")
            chosen: Obj | None = found[0]
        else:
            classes = [item for item in call.server.storage.list(PREFIX)[0] if item.get("globalDefault")]
            chosen = min(classes, key=lambda item: item["value"], default=None)
            if chosen is not None:
                spec["priorityClassName"] = chosen["metadata"]["name"]
        value = chosen["value"] if chosen is not None else 0
        if spec.get("priority") is not None and spec["priority"] != value:
            why = f"the integer value of priority ({spec['priority']}) must not be provided in pod spec; priority admission controller computed {value} from the given PriorityClass name"
            raise errors.forbidden("pods", who, why)
        spec["priority"] = value
        policy = (chosen or {}).get("preemptionPolicy", "PreemptLowerPriority")
        if spec.get("preemptionPolicy") not in (None, policy):
            why = (
                f"the string value of PreemptionPolicy ({spec['preemptionPolicy']}) must not be provided in pod spec; "
                f"priority admission controller computed {policy} from the given PriorityClass name"
            )
            raise errors.forbidden("pods", who, why)
        spec["preemptionPolicy"] = policy

    def validate(self, call: Call, obj: Obj | None, old: Obj | None) -> None:
        """Nothing to refuse here."""
