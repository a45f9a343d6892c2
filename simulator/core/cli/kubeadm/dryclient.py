"""The API of a dry run: every call is told instead of made (kubeadm `util/apiclient/dryrun.go`)."""

from __future__ import annotations

import copy
from typing import Any

from ...kube.api.errors import not_found
from ...kube.client import Credentials, KubeClient
from .. import goyaml
from .run import Run

Json = dict[str, Any]
#: The group and version of what is asked for by name alone.
_GROUPS = {"deployments": "apps/v1"}
_ABSENT = "[dryrun] Real object does not exist. Attempting to {verb} from followup reactors or from the fake client tracker"
_NODE_STATUS: Json = {
    "daemonEndpoints": {"kubeletEndpoint": {"Port": 0}},
    "nodeInfo": dict.fromkeys(
        (
            "architecture", "bootID", "containerRuntimeVersion", "kernelVersion", "kubeProxyVersion", "kubeletVersion", "machineID",
            "operatingSystem", "osImage", "systemUUID",
        ),
        "",
    ),
}  # fmt: skip


class DryClient(KubeClient):
    """A client whose calls are written on standard output; there is no cluster behind it, but one node of this machine's name."""

    def __init__(self, run: Run, server: str) -> None:
        super().__init__(run.world, run.inv.proc.netns, server, Credentials(), "kubeadm")
        self.run = run

    def _tell(self, verb: str, resource: str, version: str) -> None:
        group = version if "/" in version else f"core/{version}"
        self.run.say(f'[dryrun] Would perform action {verb} on resource "{resource}" in API group "{group}"')

    def _name(self, name: str, namespace: str | None) -> None:
        self.run.say(f'[dryrun] Resource name "{name}", namespace "{namespace or ""}"')

    def _attach(self, obj: Json) -> None:
        self.run.say("[dryrun] Attached object:")
        self.run.say(goyaml.dump(_typed(obj)))

    def absent(self, verb: str) -> None:
        """Say that a real object was looked for in vain."""
        self.run.say(_ABSENT.format(verb=verb))

    def create(self, resource: str, namespace: str | None, obj: Json, **_: Any) -> Json:
        """Tell a CREATE."""
        self._tell("CREATE", resource, str(obj["apiVersion"]))
        self._attach(obj)
        return obj

    def get(self, resource: str, namespace: str | None, name: str, *, subresource: str = "") -> Json:
        """Tell a GET; only the node is there."""
        self._tell("GET", resource, _GROUPS.get(resource, "v1"))
        self._name(name, namespace)
        if resource == "nodes":
            node = self._node(name)
            self._attach(node)
            return node
        self.absent("GET")
        raise not_found(resource, name)

    def list(self, resource: str, namespace: str | None = None, **_: Any) -> Any:
        """Tell a LIST; nothing is there."""
        self._tell("LIST", resource, _GROUPS.get(resource, "v1"))
        self.absent("LIST")
        return []

    def patch(self, resource: str, namespace: str | None, name: str, patch: Any, **_: Any) -> Json:
        """Tell a PATCH."""
        self._tell("PATCH", resource, "v1")
        self._name(name, namespace)
        node = self._node(name)
        self._attach(node)
        return node

    def delete(self, resource: str, namespace: str | None, name: str, **_: Any) -> Json:
        """Tell a DELETE."""
        self._tell("DELETE", resource, "v1")
        self._name(name, namespace)
        return {}

    def _node(self, name: str) -> Json:
        return {
            "apiVersion": "v1", "kind": "Node", "metadata": {"labels": {"kubernetes.io/hostname": name}, "name": name}, "spec": {},
            "status": copy.deepcopy(_NODE_STATUS),
        }  # fmt: skip


def _typed(obj: Json) -> Json:
    """An object as Go's types print it: subjects without the group that the server fills in, empty structs shown."""
    obj = copy.deepcopy(obj)
    for subject in obj.get("subjects") or ():
        subject.pop("apiGroup", None)
    if obj["kind"] in ("Deployment", "DaemonSet", "Service"):
        obj.setdefault("status", {})
    if obj["kind"] in ("Deployment", "DaemonSet"):
        for container in obj["spec"]["template"]["spec"]["containers"]:
            container.setdefault("resources", {})
        if obj["kind"] == "Deployment":
            obj["spec"].setdefault("strategy", {})
        else:
            obj["spec"].setdefault("updateStrategy", {})
        for volume in obj["spec"]["template"]["spec"].get("volumes") or ():
            if volume.get("hostPath", {}).get("type") == "":
                del volume["hostPath"]["type"]
    if obj["kind"] == "DaemonSet":
        obj["status"] = dict.fromkeys(
            ("currentNumberScheduled", "desiredNumberScheduled", "numberMisscheduled", "numberReady"), 0
        )
    if obj["kind"] == "Service":
        obj["metadata"]["resourceVersion"] = "0"
        obj["status"] = {"loadBalancer": {}}
    return obj
