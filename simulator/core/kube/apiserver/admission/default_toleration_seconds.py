"""DefaultTolerationSeconds (plugin/pkg/admission/defaulttolerationseconds): five minutes on a node that went silent."""

from __future__ import annotations

from typing import Any

from ..call import Call

Obj = dict[str, Any]
SECONDS = 300
KEYS = ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable")


def _tolerates(toleration: Obj, key: str) -> bool:
    return toleration.get("key", "") in ("", key) and toleration.get("effect", "") in ("", "NoExecute")


class DefaultTolerationSeconds:
    """The plugin."""

    name = "DefaultTolerationSeconds"

    def mutate(self, call: Call, obj: Obj, old: Obj | None) -> None:
        """Add what the pod does not say itself."""
        if call.kind.kind != "Pod" or call.info.subresource:
            return
        held = obj["spec"].get("tolerations") or []
        added = [
            {"effect": "NoExecute", "key": key, "operator": "Exists", "tolerationSeconds": SECONDS}
            for key in KEYS
            if not any(_tolerates(t, key) for t in held)
        ]
        if added:
            obj["spec"]["tolerations"] = [*held, *added]

    def validate(self, call: Call, obj: Obj | None, old: Obj | None) -> None:
        """Nothing to refuse."""
