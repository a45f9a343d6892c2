"""The pod printer (`printPod` of `pkg/printers/internalversion/printers.go`)."""

from __future__ import annotations

from typing import Any

from .base import NONE, Printer, Row, age, containers, name, since

Obj = dict[str, Any]
_DONE = {
    "Succeeded": [
        {"type": "Completed", "status": "True", "reason": "Succeeded", "message": "The pod has completed successfully."}
    ],
    "Failed": [{"type": "Completed", "status": "True", "reason": "Failed", "message": "The pod failed."}],
}


def _is_true(status: Obj, kind: str) -> bool:
    return any(c.get("type") == kind and c.get("status") == "True" for c in status.get("conditions") or ())


def _is_sidecar(spec: Obj, container: str) -> bool:
    return any(c.get("name") == container and c.get("restartPolicy") == "Always" for c in spec.get("initContainers") or ())


def _finished(status: Obj) -> str:
    return str(((status.get("lastState") or {}).get("terminated") or {}).get("finishedAt") or "")


class _Tally:
    """What the printer counts over a pod's container statuses."""

    def __init__(self, obj: Obj) -> None:
        self.spec: Obj = obj.get("spec") or {}
        self.status: Obj = obj.get("status") or {}
        self.reason = str(self.status.get("reason") or self.status.get("phase") or "")
        self.restarts = self.sidecar_restarts = self.ready = 0
        self.last = self.sidecar_last = ""
        sidecars = sum(1 for c in self.spec.get("initContainers") or () if c.get("restartPolicy") == "Always")
        self.total = len(self.spec.get("containers") or ()) + sidecars

    def initial(self) -> bool:
        """Go through init containers; True while the pod initialises."""
        held = self.status.get("initContainerStatuses") or ()
        for i, item in enumerate(held):
            sidecar = _is_sidecar(self.spec, item.get("name", ""))
            self.restarts += item.get("restartCount", 0)
            self.last = max(self.last, _finished(item))
            if sidecar:
                self.sidecar_restarts += item.get("restartCount", 0)
                self.sidecar_last = max(self.sidecar_last, _finished(item))
            state = item.get("state") or {}
            ended, waiting = state.get("terminated"), state.get("waiting")
            if ended is not None and ended.get("exitCode", 0) == 0:
                continue
            if sidecar and item.get("started"):
                self.ready += bool(item.get("ready"))
                continue
            if ended is not None:
                self.reason = "Init:" + _ending(ended)
            elif waiting is not None and waiting.get("reason") and waiting["reason"] != "PodInitializing":
                self.reason = "Init:" + waiting["reason"]
            else:
                self.reason = f"Init:{i}/{len(self.spec.get('initContainers') or ())}"
            return True
        return False

    def regular(self) -> None:
        """Go through the containers, last first."""
        self.restarts, self.last = self.sidecar_restarts, self.sidecar_last
        running, failure = False, ""
        for item in reversed(self.status.get("containerStatuses") or ()):
            self.restarts += item.get("restartCount", 0)
            self.last = max(self.last, _finished(item))
            state = item.get("state") or {}
            ended = state.get("terminated")
            if (state.get("waiting") or {}).get("reason"):
                self.reason = state["waiting"]["reason"]
            elif ended is not None:
                self.reason = _ending(ended)
                if ended.get("exitCode", 0) != 0:
                    failure = self.reason
            elif item.get("ready") and state.get("running") is not None:
                running = True
                self.ready += 1
        if self.reason == "Completed":
            if running and _is_true(self.status, "Ready"):
                self.reason = "Running"
            elif failure:
                self.reason = failure
            elif running:
                self.reason = "NotReady"


def _ending(ended: Obj) -> str:
    if ended.get("reason"):
        return str(ended["reason"])
    return f"Signal:{ended['signal']}" if ended.get("signal") else f"ExitCode:{ended.get('exitCode', 0)}"


def _pod(obj: Obj, wall: int) -> Row:
    tally = _Tally(obj)
    spec, status = tally.spec, tally.status
    phase = status.get("phase", "")
    for item in status.get("conditions") or ():
        if item.get("type") == "PodScheduled" and item.get("reason") == "SchedulingGated":
            tally.reason = "SchedulingGated"
    if not tally.initial() or _is_true(status, "Initialized"):
        tally.regular()
    if obj["metadata"].get("deletionTimestamp"):
        if status.get("reason") == "NodeLost":
            tally.reason = "Unknown"
        elif phase not in ("Succeeded", "Failed"):
            tally.reason = "Terminating"
    restarts = str(tally.restarts)
    if tally.restarts and tally.last:
        restarts = f"{tally.restarts} ({since(tally.last, wall)} ago)"
    gates = spec.get("readinessGates") or ()
    passed = sum(1 for gate in gates if _is_true(status, gate.get("conditionType", "")))
    ips = status.get("podIPs") or ()
    cells = [
        name(obj), f"{tally.ready}/{tally.total}", tally.reason, restarts, age(obj, wall),
        (ips[0].get("ip") if ips else "") or NONE, spec.get("nodeName") or NONE, status.get("nominatedNodeName") or NONE,
        f"{passed}/{len(gates)}" if gates else NONE,
    ]  # fmt: skip
    return Row(cells, _DONE.get(phase))


POD = Printer("Name|Ready|Status|Restarts|Age|IP:wide|Node:wide|Nominated Node:wide|Readiness Gates:wide", _pod)


def _template(obj: Obj, wall: int) -> list[Any]:
    template = obj.get("template") or {}
    names, images = containers(template.get("spec") or {})
    labels = (template.get("metadata") or {}).get("labels") or {}
    return [name(obj), names, images, ",".join(f"{k}={v}" for k, v in sorted(labels.items())) or NONE]


POD_TEMPLATE = Printer("Name|Containers|Images|Pod Labels", _template)
