"""local-path-provisioner (rancher/local-path-provisioner, provisioner.go; sig-storage-lib-external-provisioner, controller.go).

It makes a volume for each claim that the controller manager has handed to its name (`rancher.io/local-path`): a helper pod on the
claim's node makes a directory below the node's configured path by the script `setup` of the ConfigMap, and a PersistentVolume says
where it is.  A volume that is released, and is not to be retained, is deleted by a helper pod with `teardown`.
"""

from __future__ import annotations

import json
import posixpath
from typing import Any

import msgspec
import yaml

from ...host import files
from ...host.process import Process
from ...host.program import Exited
from ...kernel import clock
from ...kernel.clock import MS, SECOND
from ...kernel.errors import ConnectError
from ...kernel.world import World
from ...kube.api import quantity
from ...kube.api.objects import Obj, annotations_of, is_deleting
from ...kube.client import ApiError, InformerState, KubeClient
from ...kube.component import explain
from ...kube.events import EventState, Recorder
from ...kube.feed import Feed
from .. import logs
from .account import client_of, stamp
from .basics import Quiet

NAME = "rancher.io/local-path"
ANYWHERE = "DEFAULT_PATH_FOR_NON_LISTED_NODES"
SELECTED, PROVISIONER = "volume.kubernetes.io/selected-node", "volume.kubernetes.io/storage-provisioner"
PROVISIONED_BY, OWN_NODE = "pv.kubernetes.io/provisioned-by", "local.path.provisioner/selected-node"
RESOURCES = ("persistentvolumeclaims", "persistentvolumes", "storageclasses")
#: How long a helper pod may take (`cmdTimeoutSeconds`), how often it is looked at, and the pauses between attempts of one volume.
HELPER_TIMEOUT, LOOK, FIRST_PAUSE, LONGEST_PAUSE = 120, SECOND, 15 * SECOND, 1000 * SECOND


class Work(msgspec.Struct, omit_defaults=True):
    """A volume under way; `action` is create or delete, times are virtual ns."""

    action: str
    volume: str
    node: str
    path: str
    size: int
    mode: str
    claim: list[str] = []
    until: int = 0
    attempts: int = 0
    #: After a failure: when it is tried again.
    again: int = 0


class Provisioner(msgspec.Struct, omit_defaults=True):
    """One process's state."""

    identity: str
    informers: dict[str, InformerState] = {}
    events: EventState = msgspec.field(default_factory=EventState)
    work: dict[str, Work] = {}


class Refused(Exception):
    """A volume cannot be made or deleted; the message is the event's."""


def section(world: World) -> dict[str, Provisioner]:
    """By process key."""
    return world.section("local-path", dict)


class LocalPath(Quiet):
    """The `Program`."""

    def start(self, world: World, proc: Process) -> None:
        """Read the configuration; begin to watch a moment later."""
        words = [word for word in proc.argv[1:] if not word.startswith("-")]
        if "--version" in proc.argv or "-v" in proc.argv:
            logs.emit(world, proc, f"local-path-provisioner version {_version(proc)}")
            raise Exited(0)
        if "start" not in words:
            logs.emit(world, proc, "NAME:\n   local-path-provisioner - Local Path Provisioner\n\nCOMMANDS:\n   start  ")
            raise Exited(0)
        try:
            found = _config(world, proc)
            _helper(world, proc)
        except Refused as why:
            _say(world, proc, "fatal", f"Error starting daemon: {why}")
            raise Exited(1) from None
        _say(world, proc, "debug", f"Applied config: {json.dumps(found, separators=(',', ':'))}")
        rng = world.rng("local-path")
        section(world)[proc.key] = Provisioner(f"{NAME}_{proc.env.get('HOSTNAME', proc.host)}_{rng.uuid()}")
        world.after(rng.between(200, 500) * MS, proc.target, ["begin"])

    def stop(self, world: World, proc: Process, signal: int) -> int:
        """What was under way is found again by the next process."""
        section(world).pop(proc.key, None)
        world.warm.get("local-path", {}).pop(proc.key, None)
        return 137 if signal == 9 else 0

    def timer(self, world: World, proc: Process, payload: Any) -> None:
        """`["begin"]`, `["wake", resource]` or `["work", volume]`."""
        run = Run(world, proc, section(world)[proc.key])
        if payload[0] == "begin":
            run.begin()
        elif payload[0] == "wake":
            run.pump(payload[1])
        elif payload[1] in run.state.work:
            run.step(run.state.work[payload[1]])


class Run:
    """The provisioner at work over its state."""

    def __init__(self, world: World, proc: Process, state: Provisioner) -> None:
        self.world, self.proc, self.state = world, proc, state
        self.client: KubeClient = client_of(world, proc, "local-path-provisioner")
        self.feed = Feed(world, proc, self.client, state.informers, RESOURCES)
        self.recorder = Recorder(world, self.client, state.events, state.identity, "")

    # -- what there is to do ---------------------------------------------------------------------------------------------
    def begin(self) -> None:
        """Watch, and look at everything."""
        line = f"Starting provisioner controller {self.state.identity}!"
        logs.emit(self.world, self.proc, f"{stamp(self.world, 'I')} controller.go:824] {line}")
        self.feed.subscribe()
        self.pump("", everything=True)

    def pump(self, rang: str, *, everything: bool = False) -> None:
        """Take in what is new, then begin what is to be done; again in a second while the server is away."""
        try:
            for _ in self.feed.changes(rang, everything=everything or not all(s.synced for s in self.state.informers.values())):
                pass
        except (ApiError, ConnectError) as error:
            text = f'{stamp(self.world, "E")} reflector.go:166] "Unhandled Error" err="failed to list: {self._why(error)}"'
            logs.emit(self.world, self.proc, text)
            self.world.after(2 * SECOND, self.proc.target, ["wake", ""])
            return
        for claim in self.feed.informers["persistentvolumeclaims"].list():
            self._claim(claim)
        for volume in self.feed.informers["persistentvolumes"].list():
            self._volume(volume)

    def _claim(self, claim: Obj) -> None:
        """shouldProvision: handed to this name, and its node chosen where the class waits for one."""
        notes = annotations_of(claim)
        if claim["spec"].get("volumeName") or notes.get(PROVISIONER) != NAME or is_deleting(claim):
            return
        found = self.feed.informers["storageclasses"].get(None, claim["spec"].get("storageClassName") or "")
        waits = found is not None and found.get("volumeBindingMode") == "WaitForFirstConsumer"
        if found is None or (waits and not notes.get(SELECTED)):
            return
        name = f"pvc-{claim['metadata']['uid']}"
        if name in self.state.work:
            return
        meta = claim["metadata"]
        work = Work("create", name, notes.get(SELECTED, ""), "", 0, "", [meta["namespace"], meta["name"]])
        self.state.work[name] = work
        self.step(work)

    def _volume(self, volume: Obj) -> None:
        """shouldDelete: made by this name, released, and not to be kept."""
        meta, spec = volume["metadata"], volume["spec"]
        released = (volume.get("status") or {}).get("phase") in ("Released", "Failed")
        if annotations_of(volume).get(PROVISIONED_BY) != NAME or not released or meta["name"] in self.state.work:
            return
        if spec.get("persistentVolumeReclaimPolicy") != "Delete" or is_deleting(volume):
            return
        source = spec.get("hostPath") or spec.get("local") or {}
        size = quantity.nano(spec["capacity"]["storage"]) // 10**9
        work = Work("delete", meta["name"], _node_of(volume), str(source.get("path", "")), size, spec.get("volumeMode", ""))
        self.state.work[work.volume] = work
        self._klog(f'delete "{work.volume}": started')
        self.step(work)

    # -- one volume ------------------------------------------------------------------------------------------------------
    def step(self, work: Work) -> None:
        """Do what is next for a volume; failures are told and tried again later."""
        try:
            if work.again:
                if self.world.now < work.again:
                    return
                work.again = 0
            if work.until:
                self._look(work)
            else:
                self._start(work)
        except Refused as why:
            self._failed(work, str(why))
        except (ApiError, ConnectError) as error:
            self._failed(work, self._why(error))

    def _start(self, work: Work) -> None:
        if work.action == "create":
            claim = self._claim_of(work)
            if claim is None or self._volume_of(work) is not None:  # nobody wants it any more, or it is there
                del self.state.work[work.volume]
                return
            spaced = "/".join(work.claim)
            self._klog(f'provision "{spaced}" class "{claim["spec"].get("storageClassName")}": started')
            text = f'External provisioner is provisioning volume for claim "{spaced}"'
            self.recorder.event(claim, "Normal", "Provisioning", text)
            self._place(work, claim)
            _say(self.world, self.proc, "info", f"Creating volume {work.volume} at {work.node}:{work.path}")
        else:
            if not work.path or not work.node:
                raise Refused(f"failed to delete volume {work.volume}: cannot find affinited node")
            _say(self.world, self.proc, "info", f"Deleting volume {work.volume} at {work.node}:{work.path}")
        body = _helper_pod(_helper(self.world, self.proc), work, self._namespace)
        _say(self.world, self.proc, "info", f"create the helper pod {body['metadata']['name']} into {self._namespace}")
        try:
            self.client.create("pods", self._namespace, body)
        except ApiError as error:
            if error.reason != "AlreadyExists":
                raise
        work.until = self.world.now + HELPER_TIMEOUT * SECOND
        self.world.after(LOOK, self.proc.target, ["work", work.volume])

    def _place(self, work: Work, claim: Obj) -> None:
        """Where the volume goes; raises Refused."""
        spec = claim["spec"]
        if spec.get("selector") is not None:
            raise Refused("claim.Spec.Selector is not supported")
        if any(mode not in ("ReadWriteOnce", "ReadWriteOncePod") for mode in spec.get("accessModes") or ()):
            raise Refused("NodePath only supports ReadWriteOnce and ReadWriteOncePod (1.22+) access modes")
        if not work.node:
            raise Refused("configuration error, no node was specified")
        listed = {item.get("node"): item.get("paths") or [] for item in _config(self.world, self.proc).get("nodePathMap") or ()}
        if work.node not in listed and ANYWHERE not in listed:
            raise Refused(f"config doesn't contain node {work.node}, and no {ANYWHERE} available")
        if work.node not in listed:
            _say(self.world, self.proc, "debug", f"config doesn't contain node {work.node}, use {ANYWHERE} instead")
        paths = sorted(listed.get(work.node, listed.get(ANYWHERE, [])))
        if not paths:
            raise Refused(f"no local path available on node {work.node}")
        base = paths[0] if len(paths) == 1 else self.world.rng("local-path").choice(paths)
        work.path = posixpath.join(base, "_".join((work.volume, *work.claim)))
        work.size = quantity.nano(((spec.get("resources") or {}).get("requests") or {}).get("storage", "0")) // 10**9
        work.mode = spec.get("volumeMode") or "Filesystem"

    def _look(self, work: Work) -> None:
        """Is the helper pod done?"""
        name = _pod_name(work)
        phase = (self.client.get("pods", self._namespace, name).get("status") or {}).get("phase")
        if phase != "Succeeded" and self.world.now < work.until:
            self.world.after(LOOK, self.proc.target, ["work", work.volume])
            return
        self.client.delete("pods", self._namespace, name)
        work.until = 0
        if phase != "Succeeded":
            text = f"create process timeout after {HELPER_TIMEOUT} seconds"
            raise Refused(f"failed to {work.action} volume {work.volume}: {text}")
        _say(self.world, self.proc, "info", f"Volume {work.volume} has been {work.action}d on {work.node}:{work.path}")
        if work.action == "delete":
            self._delete(work)
        else:
            self._create(work)

    def _create(self, work: Work) -> None:
        claim = self._claim_of(work)
        if claim is not None:
            self._klog(f'provision "{"/".join(work.claim)}": volume "{work.volume}" provisioned')
            self.client.create("persistentvolumes", None, self._volume_for(work, claim))
            self._klog(f'provision "{"/".join(work.claim)}": succeeded')
            self.recorder.event(claim, "Normal", "ProvisioningSucceeded", f"Successfully provisioned volume {work.volume}")
        self.state.work.pop(work.volume, None)

    def _delete(self, work: Work) -> None:
        try:
            self.client.delete("persistentvolumes", None, work.volume)
        except ApiError as error:
            if error.code != 404:
                raise
        self._klog(f'delete "{work.volume}": persistentvolume deleted succeeded')
        self.state.work.pop(work.volume, None)

    def _volume_for(self, work: Work, claim: Obj) -> Obj:
        meta, spec = claim["metadata"], claim["spec"]
        storage_class = self.client.get("storageclasses", None, spec["storageClassName"])
        kind = annotations_of(claim).get("volumeType") or annotations_of(storage_class).get("defaultVolumeType") or "hostPath"
        source: Obj = {"local": {"path": work.path}}
        if kind.lower() != "local":
            source = {"hostPath": {"path": work.path, "type": "DirectoryOrCreate"}}
        term = {"matchExpressions": [{"key": "kubernetes.io/hostname", "operator": "In", "values": [self._hostname(work.node)]}]}
        return {
            "apiVersion": "v1",
            "kind": "PersistentVolume",
            "metadata": {"name": work.volume, "annotations": {OWN_NODE: work.node, PROVISIONED_BY: NAME}},
            "spec": {
                "capacity": {"storage": ((spec.get("resources") or {}).get("requests") or {}).get("storage", "0")},
                **source,
                "accessModes": list(spec.get("accessModes") or ()),
                "claimRef": {
                    "kind": "PersistentVolumeClaim", "namespace": meta["namespace"], "name": meta["name"], "uid": meta["uid"],
                    "apiVersion": "v1", "resourceVersion": meta["resourceVersion"],
                },
                "persistentVolumeReclaimPolicy": storage_class.get("reclaimPolicy") or "Delete",
                "storageClassName": spec["storageClassName"],
                "mountOptions": storage_class.get("mountOptions"),
                "volumeMode": "Filesystem",
                "nodeAffinity": {"required": {"nodeSelectorTerms": [term]}},
            },
        }  # fmt: skip

    def _hostname(self, node: str) -> str:
        found = self.client.get("nodes", None, node)
        return str((found["metadata"].get("labels") or {}).get("kubernetes.io/hostname") or node)

    # -- failure -----------------------------------------------------------------------------------------------------------
    def _failed(self, work: Work, why: str) -> None:
        work.until = 0
        pause = min(FIRST_PAUSE << min(work.attempts, 10), LONGEST_PAUSE)
        work.attempts += 1
        work.again = self.world.now + pause
        self.world.after(pause, self.proc.target, ["work", work.volume])
        target = self._claim_of(work) if work.action == "create" else self._volume_of(work)
        if target is None:
            self.state.work.pop(work.volume, None)
        elif work.action == "create":
            text = f'failed to provision volume with StorageClass "{target["spec"].get("storageClassName")}": {why}'
            self.recorder.event(target, "Warning", "ProvisioningFailed", text)
        else:
            self.recorder.event(target, "Warning", "VolumeFailedDelete", why)
        logs.emit(
            self.world,
            self.proc,
            f"{stamp(self.world, 'E')} controller.go:974] error syncing {work.action} of {work.volume!r}: {why}",
        )

    def _claim_of(self, work: Work) -> Obj | None:
        """The claim as the server has it, while it still wants this volume."""
        claim = self._get("persistentvolumeclaims", *work.claim)
        return claim if claim is not None and f"pvc-{claim['metadata']['uid']}" == work.volume else None

    def _volume_of(self, work: Work) -> Obj | None:
        return self._get("persistentvolumes", "", work.volume)

    def _get(self, resource: str, namespace: str, name: str) -> Obj | None:
        try:
            return self.client.get(resource, namespace or None, name)
        except (ApiError, ConnectError):
            return None

    @property
    def _namespace(self) -> str:
        return self.proc.env.get("POD_NAMESPACE") or "local-path-storage"

    def _why(self, error: ApiError | ConnectError) -> str:
        return error.message if isinstance(error, ApiError) else explain(error, self.client)

    def _klog(self, text: str) -> None:
        logs.emit(self.world, self.proc, f"{stamp(self.world, 'I')} controller.go:1435] {text}")


# -- configuration and helper pods -----------------------------------------------------------------------------------------
def _folder(proc: Process) -> str:
    argv = proc.argv
    for at, word in enumerate(argv):
        if word == "--config" and at + 1 < len(argv):
            return argv[at + 1]
        if word.startswith("--config="):
            return word.partition("=")[2]
    return "/etc/config/config.json"


def _read(world: World, proc: Process, path: str) -> str:
    try:
        return files.read_file(world, proc.host, path, mnt=proc.mnt).decode("utf-8", "replace")
    except OSError:
        raise Refused(f"fail to load config file {path}: open {path}: no such file or directory") from None


def _config(world: World, proc: Process) -> Obj:
    """config.json; raises Refused."""
    path = _folder(proc)
    try:
        found = json.loads(_read(world, proc, path))
    except ValueError as error:
        raise Refused(f"invalid config file: {error}") from None
    if not isinstance(found, dict):
        raise Refused("invalid config file")
    seen: set[str] = set()
    for item in found.get("nodePathMap") or ():
        node = str(item.get("node"))
        if node in seen:
            raise Refused(f"config canonicalization failed: duplicate node {node}")
        seen.add(node)
        for one in item.get("paths") or ():
            if not one.startswith("/"):
                raise Refused(f"config canonicalization failed: path must start with / for path {one} on node {node}")
            if posixpath.normpath(one) == "/":
                raise Refused(f"config canonicalization failed: cannot use root ('/') as path on node {node}")
    return found


def _helper(world: World, proc: Process) -> Obj:
    """The template of helper pods; raises Refused."""
    text = _read(world, proc, posixpath.join(posixpath.dirname(_folder(proc)), "helperPod.yaml"))
    try:
        found = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise Refused(f"invalid unmarshal the helper pod with helperPodYaml: {error}") from None
    if not isinstance(found, dict) or not (found.get("spec") or {}).get("containers"):
        raise Refused("helper pod template does not specify any container")
    return found


def _pod_name(work: Work) -> str:
    return f"helper-pod-{work.action}-{work.volume}"[:128]


def _helper_pod(template: Obj, work: Work, namespace: str) -> Obj:
    """The pod that makes or removes a directory on the node."""
    parent = posixpath.dirname(work.path)
    spec = {**template["spec"]}
    first = dict(spec["containers"][0])
    first["command"] = ["/bin/sh", "/script/setup" if work.action == "create" else "/script/teardown"]
    first["args"] = ["-p", work.path, "-s", str(work.size), "-m", work.mode or "Filesystem"]
    variables = {"VOL_DIR": work.path, "VOL_MODE": work.mode or "Filesystem", "VOL_SIZE_BYTES": str(work.size)}
    first["env"] = [*(first.get("env") or ()), *({"name": name, "value": value} for name, value in variables.items())]
    first["securityContext"] = {"privileged": True}
    mounts = [{"name": "data", "mountPath": parent}, {"name": "script", "mountPath": "/script"}]
    first["volumeMounts"] = [*(first.get("volumeMounts") or ()), *mounts]
    items = [{"key": name, "path": name} for name in ("setup", "teardown")]
    spec |= {
        "containers": [first, *spec["containers"][1:]],
        "nodeName": work.node,
        "restartPolicy": "Never",
        "serviceAccountName": "local-path-provisioner-service-account",
        "tolerations": [*(spec.get("tolerations") or ()), {"operator": "Exists"}],
        "volumes": [
            *(spec.get("volumes") or ()),
            {"name": "data", "hostPath": {"path": parent, "type": "DirectoryOrCreate"}},
            {"name": "script", "configMap": {"name": "local-path-config", "items": items}},
        ],
    }
    meta = {**(template.get("metadata") or {}), "name": _pod_name(work), "namespace": namespace}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec}


def _node_of(volume: Obj) -> str:
    """The node that the volume's affinity names."""
    required = (volume["spec"].get("nodeAffinity") or {}).get("required") or {}
    for term in required.get("nodeSelectorTerms") or ():
        for item in term.get("matchExpressions") or ():
            if item["key"] == "kubernetes.io/hostname" and item["operator"] == "In" and len(item.get("values") or ()) == 1:
                return str(item["values"][0])
    return ""


def _version(proc: Process) -> str:
    return proc.program.partition(":")[2] or "v0.0.31"


def _say(world: World, proc: Process, level: str, text: str) -> None:
    """A line of logrus."""
    if level == "debug" and "--debug" not in proc.argv:
        return
    logs.emit(world, proc, f'time="{clock.rfc3339(world.wall)}" level={level} msg={json.dumps(text)}')
