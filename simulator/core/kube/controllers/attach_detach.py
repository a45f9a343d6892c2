"""Attaches the volumes of pods to their nodes, and detaches them (pkg/controller/volume/attachdetach, pkg/volume/csi/csi_attacher.go).

Of the volume types that are left in the tree only those of CSI drivers are attached.  The controller writes a VolumeAttachment and
waits until the driver's attacher says that it is done; without a driver that never happens, and after two minutes the pod's Events
say so, as they do in a real cluster.
"""

from __future__ import annotations

import hashlib

from ...kernel import clock
from ..api.objects import Obj, is_condition_true
from ..api.volumes import claims_of
from ..client import ApiError
from . import common
from .base import Controller

TIMEOUT = 2 * clock.MINUTE
FIRST_RETRY, LAST_RETRY = 500 * clock.MS, 2 * clock.MINUTE + 2 * clock.SECOND
#: How long a node that does not answer may hold a volume back (maxWaitForUnmountDuration).
FORCE_AFTER = 6 * clock.MINUTE
OUT_OF_SERVICE = "node.kubernetes.io/out-of-service"


def attachment_name(handle: str, driver: str, node: str) -> str:
    """The name of the VolumeAttachment (getAttachmentName)."""
    return "csi-" + hashlib.sha256(f"{handle}{driver}{node}".encode()).hexdigest()


class AttachDetachController(Controller):
    """Keys are `node/volume`; `memory` holds what was asked for and since when."""

    name = "persistentvolume-attach-detach-controller"
    source = "attachdetach-controller"
    resources = ("pods", "nodes", "persistentvolumeclaims", "persistentvolumes", "volumeattachments", "csidrivers")

    def changed(self, resource: str, kind: str, obj: Obj) -> None:
        """A pod came to a node or went, or an attachment moved on."""
        if resource == "pods":
            node = obj["spec"].get("nodeName")
            for volume in self._volumes(obj) if node else ():
                self.enqueue(f"{node}/{volume['metadata']['name']}")
        elif resource == "volumeattachments":
            name = (obj["spec"].get("source") or {}).get("persistentVolumeName")
            if name:
                self.enqueue(f"{obj['spec']['nodeName']}/{name}")

    def _volumes(self, pod: Obj) -> list[Obj]:
        """The bound CSI volumes of a pod whose driver has to attach them."""
        out = []
        for name in claims_of(pod):
            claim = self.informer("persistentvolumeclaims").get(pod["metadata"]["namespace"], name)
            volume = self.informer("persistentvolumes").get("", ((claim or {}).get("spec") or {}).get("volumeName") or "")
            csi = ((volume or {}).get("spec") or {}).get("csi")
            if volume is None or csi is None:
                continue
            driver = self.informer("csidrivers").get("", csi["driver"])
            if ((driver or {}).get("spec") or {}).get("attachRequired", True):
                out.append(volume)
        return out

    def _users(self, node: str, volume: str) -> list[Obj]:
        """The pods of a node that need the volume."""
        pods = [p for p in self.informer("pods").list() if p["spec"].get("nodeName") == node and not common.is_terminal(p)]
        return [p for p in pods if any(v["metadata"]["name"] == volume for v in self._volumes(p))]

    def sync(self, key: str) -> None:
        """Attach or detach one volume."""
        node, _, name = key.partition("/")
        volume = self.informer("persistentvolumes").get("", name)
        users = self._users(node, name) if volume is not None else []
        held = [
            a
            for a in self.informer("volumeattachments").list()
            if a["spec"]["nodeName"] == node and (a["spec"].get("source") or {}).get("persistentVolumeName") == name
        ]
        if users and volume is not None:
            self._attach(key, node, volume, users, held)
        else:
            self._detach(key, node, name, held)

    # -- attach ----------------------------------------------------------------------------------------------------------
    def _attach(self, key: str, node: str, volume: Obj, users: list[Obj], held: list[Obj]) -> None:
        if held:
            self._wait(key, node, volume, users, held[0])
            return
        name, csi = volume["metadata"]["name"], volume["spec"]["csi"]
        if not set(volume["spec"].get("accessModes") or ()) & {"ReadWriteMany", "ReadOnlyMany"} and self._elsewhere(node, name):
            if not self.memory.get(key, {}).get("told"):
                self.memory[key] = {"told": True}
                text = f'Multi-Attach error for volume "{name}" Volume is already exclusively attached to one node and '
                text += "can't be attached to another"
                for pod in users:
                    self.event(pod, "Warning", "FailedAttachVolume", text)
            self.enqueue(key, clock.SECOND)
            return
        body = {
            "apiVersion": "storage.k8s.io/v1", "kind": "VolumeAttachment",
            "metadata": {"name": attachment_name(csi["volumeHandle"], csi["driver"], node)},
            "spec": {"attacher": csi["driver"], "nodeName": node, "source": {"persistentVolumeName": name}},
        }  # fmt: skip
        try:
            self.client.create("volumeattachments", None, body)
        except ApiError as error:
            if error.code != 409:
                raise
        self.memory[key] = {"since": self.world.now, "delay": FIRST_RETRY}
        self.enqueue(key, TIMEOUT)

    def _elsewhere(self, node: str, volume: str) -> bool:
        others = self.informer("volumeattachments").list()
        return any(
            a["spec"]["nodeName"] != node and (a["spec"].get("source") or {}).get("persistentVolumeName") == volume
            for a in others
        )

    def _wait(self, key: str, node: str, volume: Obj, users: list[Obj], attachment: Obj) -> None:
        name, csi = volume["metadata"]["name"], volume["spec"]["csi"]
        status = attachment.get("status") or {}
        if status.get("attached"):
            if not self.memory.get(key, {}).get("attached"):
                self.memory[key] = {"attached": True}
                self._report(node, name, csi, there=True)
                for pod in users:
                    self.event(pod, "Normal", "SuccessfulAttachVolume", f'AttachVolume.Attach succeeded for volume "{name}" ')
            return
        plan = self.memory.setdefault(key, {"since": self.world.now, "delay": FIRST_RETRY})
        problem = (status.get("attachError") or {}).get("message")
        late = self.world.now >= plan["since"] + TIMEOUT
        if not problem and not late:
            self.enqueue(key, plan["since"] + TIMEOUT - self.world.now)
            return
        text = problem or (
            f"timed out waiting for external-attacher of {csi['driver']} CSI driver to attach volume {csi['volumeHandle']}"
        )
        for pod in users:
            self.event(pod, "Warning", "FailedAttachVolume", f'AttachVolume.Attach failed for volume "{name}" : {text}')
        plan["delay"] = min(plan["delay"] * 2, LAST_RETRY)
        plan["since"] = self.world.now + plan["delay"]
        self.enqueue(key, plan["delay"] + TIMEOUT)

    # -- detach ----------------------------------------------------------------------------------------------------------
    def _detach(self, key: str, node: str, name: str, held: list[Obj]) -> None:
        plan = self.memory.get(key)
        if not held:
            if plan is not None:
                self.memory.pop(key)
                self._report(node, name, {}, there=False)
            return
        found = self.informer("nodes").get("", node)
        in_use = (found or {}).get("status", {}).get("volumesInUse") or ()
        mounted = any(str(item).endswith("^" + self._handle(name)) for item in in_use)
        gone = found is None or any(t["key"] == OUT_OF_SERVICE for t in found["spec"].get("taints") or ())
        if mounted and not gone:
            plan = self.memory.setdefault(key, {})
            since = plan.setdefault("leaving", self.world.now)
            healthy = is_condition_true(found or {}, "Ready")
            if healthy or self.world.now < since + FORCE_AFTER:
                self.enqueue(key, clock.SECOND if healthy else since + FORCE_AFTER - self.world.now)
                return
        self.memory.setdefault(key, {})
        for attachment in held:
            if attachment["metadata"].get("deletionTimestamp"):
                continue
            try:
                self.client.delete("volumeattachments", None, attachment["metadata"]["name"])
            except ApiError as error:
                if error.code != 404:
                    raise

    def _handle(self, name: str) -> str:
        volume = self.informer("persistentvolumes").get("", name)
        return str((((volume or {}).get("spec") or {}).get("csi") or {}).get("volumeHandle") or name)

    def _report(self, node: str, name: str, csi: Obj, *, there: bool) -> None:
        """Keep the node's list of attached volumes (statusupdater)."""
        found = self.informer("nodes").get("", node)
        if found is None:
            return
        mine = f"kubernetes.io/csi/{csi.get('driver', '')}^{self._handle(name)}"
        held = (found.get("status") or {}).get("volumesAttached") or []
        kept = [item for item in held if not item["name"].endswith("^" + self._handle(name))]
        wanted = [*kept, {"name": mine, "devicePath": ""}] if there else kept
        if wanted != held:
            patch = {"status": {"volumesAttached": wanted or None}}
            self.client.patch("nodes", None, node, patch, kind="merge", subresource="status")
