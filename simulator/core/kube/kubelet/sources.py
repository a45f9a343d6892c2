"""Where pods come from: files below staticPodPath (`pkg/kubelet/config/file.go`) and the API (`config/apiserver.go`), and mirror pods."""

from __future__ import annotations

import hashlib
import json
import posixpath
from typing import Any

import yaml

from ...host import files
from ...kernel import clock
from ...kernel.errors import ConnectError
from ..api import goyaml
from ..api.objects import clone
from ..client import ApiError, Informer
from .context import Kubelet
from .state import PodState

Obj = dict[str, Any]

HASH = "kubernetes.io/config.hash"
SOURCE = "kubernetes.io/config.source"
SEEN = "kubernetes.io/config.seen"
MIRROR = "kubernetes.io/config.mirror"


def static_directory(kubelet: Kubelet) -> str:
    """The directory of static pods, or ""."""
    return str(kubelet.state.config.get("staticPodPath") or "")


class ManifestError(Exception):
    """A manifest that is no pod; the text is the journal's."""


def read_static(kubelet: Kubelet, *, listing: bool = True) -> bool:
    """Read the manifests again; starts, changes and ends static pods.  True when something changed.

    As `file.go` and `file_linux.go` have it, a file that was made or changed (`listing` is False) and is no pod leaves the pod that it
    was alone; the next listing (`fileCheckFrequency`), which then comes again as long as something is wrong, is without it.
    """
    directory, state = static_directory(kubelet), kubelet.state
    if not directory:
        return False
    found: dict[str, tuple[str, Obj]] = {}
    broken: dict[str, str] = {}
    tree = files.tree(kubelet.host, kubelet.proc.mnt)
    names: list[str] = []
    try:
        names = [n for n in tree.listdir(directory) if not n.startswith(".")]
    except OSError:
        broken[directory] = ""
        kubelet.log("E", "file.go:104", "Unable to read config path", err="path does not exist, ignoring", path=directory)
    for name in names:
        path = posixpath.join(directory, name)
        data = b""
        try:
            if tree.isdir(path):
                continue
            data = tree.read(path)
            pod = _decode(kubelet, path, data)
        except OSError:
            continue
        except ManifestError as failed:
            broken[path] = hashlib.sha256(data).hexdigest()[:16]
            if listing:
                kubelet.log("E", "file.go:187", "Could not process manifest file", err=str(failed), path=path)
                continue
            if state.broken.get(path) != broken[path]:
                text = f"can't process config file {json.dumps(path)}: {failed}"
                kubelet.log("E", "file.go:108", "Unable to process watch event", err=text)
            was = next((uid for uid, known in state.static.items() if known == path), "")
            if was in state.pods:
                found[was] = (path, state.pods[was].pod)
            continue
        found[pod["metadata"]["uid"]] = (path, pod)
    state.broken = broken
    if broken and state.broken_timer not in kubelet.world.timers:
        period = int(state.config["fileCheckFrequencyNs"])
        since = (kubelet.world.now - state.started_at) // period
        state.broken_timer = kubelet.world.at(state.started_at + (since + 1) * period, kubelet.proc.target, ["files", "list"])
    gone = [uid for uid in state.static if uid not in found]
    fresh = [uid for uid in found if uid not in state.static]
    state.static = {uid: path for uid, (path, _) in found.items()}
    from . import worker

    for uid in gone:
        pod_state = state.pods.get(uid)
        if pod_state is not None:
            worker.terminate(kubelet, pod_state)
    for uid in fresh:
        if uid not in state.pods:
            worker.add(kubelet, PodState(uid=uid, pod=found[uid][1], source="file"))
    return bool(gone or fresh)


def _no_pod(path: str, why: str) -> ManifestError:
    return ManifestError(f"{path}: couldn't parse as pod({why}), please check config file")


def _shown(pod: Obj) -> str:
    return json.dumps(pod, separators=(",", ":"), default=str, sort_keys=True)


def _decode(kubelet: Kubelet, path: str, data: bytes) -> Obj:
    """The pod of a manifest (`tryDecodeSinglePod`); raises ManifestError."""
    try:
        pod = yaml.load(data[:3_000_000], Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except yaml.YAMLError as failed:
        raise _no_pod(path, goyaml.message(failed)) from None
    except (ValueError, RecursionError) as failed:
        raise _no_pod(path, str(failed)) from None
    if not isinstance(pod, dict):
        text = "couldn't get version/kind; json parse error: json: cannot unmarshal string into Go value of type struct"
        raise _no_pod(
            path, text + ' { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }'
        )
    kind, version = str(pod.get("kind") or ""), str(pod.get("apiVersion") or "")
    if not kind:
        raise _no_pod(path, f"Object 'Kind' is missing in '{_shown(pod)}'")
    if not version:
        raise _no_pod(path, f"Object 'apiVersion' is missing in '{_shown(pod)}'")
    if version != "v1" or kind != "Pod":
        scheme = '"k8s.io/kubernetes/pkg/api/legacyscheme/scheme.go:30"'
        raise _no_pod(path, f'no kind "{kind}" is registered for version "{version}" in scheme {scheme}')
    spec = pod.get("spec")
    try:
        meta = dict(pod.get("metadata") or {})
        if not meta.get("name"):
            raise ManifestError("invalid pod: name is needed for the pod")
        problems = _problems(meta, spec if isinstance(spec, dict) else {})
    except (TypeError, ValueError, AttributeError) as failed:
        raise _no_pod(path, f"json: cannot unmarshal {failed} into Go struct field of type v1.Pod") from None
    pod["metadata"] = meta
    if problems or not isinstance(spec, dict):
        shown = problems[0] if len(problems) == 1 else f"[{', '.join(problems)}]"
        raise ManifestError(f"invalid pod: {shown}")
    asks = _api_reference(spec)
    if asks:
        raise ManifestError(f"static pods may not reference {asks}")
    node = kubelet.state.node
    digest = hashlib.md5(node.encode() + path.encode() + data, usedforsecurity=False).hexdigest()
    meta["name"] = f"{meta['name']}-{node}".lower()
    meta.setdefault("namespace", "default")
    meta["uid"] = digest
    annotations = {str(k): str(v) for k, v in (meta.get("annotations") or {}).items()}
    annotations[HASH] = digest
    annotations[SEEN] = _nano(kubelet)
    annotations[SOURCE] = "file"
    meta["annotations"] = annotations
    spec["nodeName"] = node
    spec.setdefault("restartPolicy", "Always")
    spec.setdefault("dnsPolicy", "ClusterFirst")
    spec.setdefault("terminationGracePeriodSeconds", 30)
    spec.setdefault("schedulerName", "default-scheduler")
    spec.setdefault("enableServiceLinks", True)
    spec.setdefault("securityContext", {})
    spec["tolerations"] = [*(spec.get("tolerations") or ()), {"effect": "NoExecute", "operator": "Exists"}]
    pod["status"] = {"phase": "Pending"}
    return pod


def _api_reference(spec: Obj) -> str:
    """What of the API a pod refers to, or "": a static pod may not (v1.34, `pkg/api/pod/util.go`: HasAPIObjectReference)."""
    if spec.get("serviceAccountName"):
        return "serviceaccounts"
    containers = [c for field in ("initContainers", "containers") for c in spec.get(field) or ()]
    env = [(entry.get("valueFrom") or {}) for c in containers for entry in c.get("env") or ()]
    env += [source for c in containers for source in c.get("envFrom") or ()]
    volumes = [v for v in spec.get("volumes") or () if isinstance(v, dict)]
    projected = [s for v in volumes for s in (v.get("projected") or {}).get("sources") or ()]
    if spec.get("imagePullSecrets") or any(
        _has([*env, *volumes, *projected], "secretKeyRef", "secretRef", "secret", "azureFile")
    ):
        return "secrets"
    if any(_has([*env, *volumes, *projected], "configMapKeyRef", "configMapRef", "configMap")):
        return "configmaps"
    if spec.get("resourceClaims"):
        return "resourceclaims"
    kinds = {
        "csi": "csidrivers (via CSI volumes)",
        "glusterfs": "endpoints (via glusterFS volumes)",
        "persistentVolumeClaim": "persistentvolumeclaims",
        "ephemeral": "persistentvolumeclaims (via ephemeral volumes)",
        "serviceAccountToken": "serviceaccounts (via projected volumes)",
        "clusterTrustBundle": "clustertrustbundles",
        "podCertificate": "podcertificates",
    }
    return next((text for source in [*volumes, *projected] for kind, text in kinds.items() if source.get(kind)), "")


def _has(places: list[Obj], *fields: str) -> list[bool]:
    return [bool(place.get(field)) for place in places for field in fields]


def _problems(meta: Obj, spec: Obj) -> list[str]:
    """What validation says of a static pod (the most usual mistakes; the rest shows when it is to run)."""
    out = [] if meta.get("name") else ["metadata.name: Required value: name or generateName is required"]
    containers = spec.get("containers")
    if not isinstance(containers, list) or not containers:
        return [*out, "spec.containers: Required value"]
    volumes = {v.get("name") for v in spec.get("volumes") or () if isinstance(v, dict)}
    for index, container in enumerate(containers):
        where = f"spec.containers[{index}]"
        if not isinstance(container, dict):
            return [*out, f"{where}: Required value"]
        out += [f"{where}.{field}: Required value" for field in ("name", "image") if not container.get(field)]
        for number, mount in enumerate(container.get("volumeMounts") or ()):
            if mount.get("name") not in volumes:
                out.append(f'{where}.volumeMounts[{number}].name: Not found: "{mount.get("name")}"')
            if not mount.get("mountPath"):
                out.append(f"{where}.volumeMounts[{number}].mountPath: Required value")
    return out


def _nano(kubelet: Kubelet) -> str:
    wall = kubelet.world.wall
    fraction = f"{wall % clock.SECOND:09d}".rstrip("0")
    return clock.rfc3339(wall)[:-1] + (f".{fraction}" if fraction else "") + "Z"


# -- mirror pods --------------------------------------------------------------------------------------------------------
def ensure_mirror(kubelet: Kubelet, pod: PodState) -> bool:
    """Create (or replace) the mirror pod of a static pod; False when the API server is away."""
    meta = pod.pod["metadata"]
    try:
        try:
            found = kubelet.client.get("pods", pod.namespace, pod.name)
            if (found["metadata"].get("annotations") or {}).get(MIRROR) == meta["annotations"][HASH] and not found[
                "metadata"
            ].get("deletionTimestamp"):
                return True
            kubelet.client.delete("pods", pod.namespace, pod.name, grace=0)
        except ApiError as failed:
            if failed.code != 404:
                raise
        mirror = clone(pod.pod)
        mirror["metadata"].pop("uid", None)
        mirror["metadata"]["annotations"][MIRROR] = meta["annotations"][HASH]
        mirror.pop("status", None)
        if kubelet.state.registered:
            node = kubelet.client.get("nodes", None, kubelet.state.node)
            owner = {
                "apiVersion": "v1",
                "controller": True,
                "kind": "Node",
                "name": kubelet.state.node,
                "uid": node["metadata"]["uid"],
            }
            mirror["metadata"]["ownerReferences"] = [owner]
        kubelet.client.create("pods", pod.namespace, mirror)
        pod.sent = ""
        return True
    except (ConnectError, ApiError) as failed:
        _say_no_mirror(kubelet, pod, failed)
        return False


def _say_no_mirror(kubelet: Kubelet, pod: PodState, failed: ConnectError | ApiError) -> None:
    """What fails for want of a server depends on what the kubelet last saw of the mirror pod (`tryReconcileMirrorPods`)."""
    text = failed.message if isinstance(failed, ApiError) else kubelet.explain(failed)
    mirror = informer(kubelet).get(pod.namespace, pod.name) if kubelet.state.api_synced else None
    named = {"pod": f"{pod.namespace}/{pod.name}"}
    if mirror is not None and (mirror["metadata"].get("annotations") or {}).get(MIRROR) == pod.uid:
        kubelet.log("E", "status_manager.go:1164", "Failed to get status for pod", err=text, podUID=pod.uid, **named)
    elif mirror is not None:
        kubelet.log("E", "mirror_client.go:139", "Failed deleting a mirror pod", err=text.replace("Get ", "Delete ", 1), **named)
    else:
        text = text.replace("Get ", "Post ", 1).replace(f"/pods/{pod.name}", "/pods", 1)
        kubelet.log("E", "kubelet.go:3516", "Failed creating a mirror pod", err=text, **named)


def delete_mirror(kubelet: Kubelet, pod: PodState) -> None:
    """Delete the mirror pod of a static pod that has ended."""
    try:
        found = kubelet.client.get("pods", pod.namespace, pod.name)
        if (found["metadata"].get("annotations") or {}).get(MIRROR) == pod.uid:
            kubelet.client.delete("pods", pod.namespace, pod.name, grace=0)
    except (ConnectError, ApiError):
        return


# -- the API ------------------------------------------------------------------------------------------------------------
def informer(kubelet: Kubelet) -> Informer:
    """The watch on this node's pods."""
    state = kubelet.state
    state.informer.field_selector = f"spec.nodeName={state.node}"
    return Informer(kubelet.client, state.informer, f"kubelet/{kubelet.proc.key}/pods")


def sync_api(kubelet: Kubelet) -> bool:
    """Take in what the API says of this node's pods; False when the server is away (asked again later)."""
    state = kubelet.state
    try:
        watcher = informer(kubelet)
        changes = watcher.sync()
        if changes or not state.api_synced:
            _apply(kubelet, watcher)
    except (ConnectError, ApiError):
        return False
    state.api_synced = True
    return True


def _apply(kubelet: Kubelet, watcher: Informer) -> None:
    """Level-triggered: compare every pod of the API with what runs."""
    from . import pleg, worker

    state = kubelet.state
    wanted: dict[str, Obj] = {}
    mirrors: dict[str, Obj] = {}
    for obj in watcher.list():
        annotations = obj["metadata"].get("annotations") or {}
        if MIRROR in annotations:
            mirrors[f"{obj['metadata']['namespace']}/{obj['metadata']['name']}"] = obj
        else:
            wanted[obj["metadata"]["uid"]] = obj
    for uid, obj in wanted.items():
        known = state.pods.get(uid)
        if known is None:
            if not obj["metadata"].get("deletionTimestamp") or _exists(kubelet, uid):
                worker.add(kubelet, PodState(uid=uid, pod=obj, source="api"))
            else:
                worker.add(kubelet, PodState(uid=uid, pod=obj, source="api", work="terminating", grace=0))
            continue
        if known.pod["metadata"].get("resourceVersion") != obj["metadata"].get("resourceVersion"):
            worker.update(kubelet, known, obj)
    for uid in [u for u, p in state.pods.items() if p.source == "api" and u not in wanted]:
        worker.removed(kubelet, state.pods[uid])
    for pod in [p for p in state.pods.values() if p.source == "file" and p.work == "sync"]:
        mirror = mirrors.get(f"{pod.namespace}/{pod.name}")
        if mirror is None or mirror["metadata"].get("deletionTimestamp") or mirror["metadata"]["annotations"][MIRROR] != pod.uid:
            pod.sent = ""
            pleg.changed(kubelet, pod)
    for key, mirror in mirrors.items():
        if not any(f"{p.namespace}/{p.name}" == key for p in state.pods.values() if p.source == "file"):
            try:
                kubelet.client.delete("pods", mirror["metadata"]["namespace"], mirror["metadata"]["name"], grace=0)
            except (ConnectError, ApiError):
                continue


def _exists(kubelet: Kubelet, uid: str) -> bool:
    from ...runtime.state import runtime

    return any(s.uid == uid for s in runtime(kubelet.world, kubelet.proc.host).sandboxes.values())
