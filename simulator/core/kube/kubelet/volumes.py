"""Volumes of pods as files of the node (`pkg/volume/*`), and a container's mounts, /etc/hosts and resolv.conf (`kubelet_pods.go`).

Simulated: configMap, secret, projected (token, configMap, secret, downwardAPI), downwardAPI, emptyDir, hostPath, and claims whose
volume is a directory of the node.  Their files are written when the pod starts and follow their objects (see refresh.py).
"""

from __future__ import annotations

import base64
import posixpath
from typing import Any

from ...host import files
from ...kernel.errors import ConnectError
from ..client import ApiError
from . import envs
from .context import Kubelet
from .state import PodState

Obj = dict[str, Any]


_NOT_SOURCES = ("capacity", "claimRef", "nodeAffinity")


class MountError(Exception):
    """A volume cannot be set up now; the text is the event's."""


def root(pod: PodState) -> str:
    """The pod's directory on the node."""
    return f"/var/lib/kubelet/pods/{pod.uid}"


def path_of(pod: PodState, volume: Obj) -> str:
    """Where a volume's files are on the node."""
    if "hostPath" in volume:
        return str(volume["hostPath"]["path"])
    kinds = {
        "configMap": "configmap",
        "secret": "secret",
        "projected": "projected",
        "downwardAPI": "downward-api",
        "emptyDir": "empty-dir",
        "persistentVolumeClaim": "local-volume",
    }
    kind = next((name for key, name in kinds.items() if key in volume), "empty-dir")
    return f"{root(pod)}/volumes/kubernetes.io~{kind}/{volume['name']}"


def set_up(kubelet: Kubelet, pod: PodState) -> None:
    """Make every volume of a pod; raises MountError with the words of the FailedMount event."""
    for volume in pod.pod["spec"].get("volumes") or ():
        try:
            _set_up_one(kubelet, pod, volume)
        except MountError as failed:
            raise MountError(f'MountVolume.SetUp failed for volume "{volume["name"]}" : {failed}') from failed


def _set_up_one(kubelet: Kubelet, pod: PodState, volume: Obj) -> None:
    path = path_of(pod, volume)
    if "hostPath" in volume:
        _host_path(kubelet, path, str(volume["hostPath"].get("type") or ""))
    elif "emptyDir" in volume:
        files.tree(kubelet.host).mkdir(path, True, mode=0o777, now=kubelet.world.wall)
    elif any(kind in volume for kind in ("configMap", "secret", "downwardAPI", "projected")):
        data: dict[str, bytes] = {}
        for source in (volume.get("projected") or {}).get("sources") or ():
            if "serviceAccountToken" in source:
                data[source["serviceAccountToken"]["path"]] = _token(kubelet, pod, source["serviceAccountToken"])
        _write(kubelet, path, {**data, **content(kubelet, pod, volume)}, modes(volume))
    elif "persistentVolumeClaim" in volume:
        _claimed(kubelet, pod, path, str(volume["persistentVolumeClaim"]["claimName"]))
    else:
        kind = next((key for key in sorted(volume) if key != "name"), "")
        raise MountError(f"volumes of type {kind}: not simulated in Slipway yet")


def content(kubelet: Kubelet, pod: PodState, volume: Obj) -> dict[str, bytes]:
    """The files of a configMap, secret, downwardAPI or projected volume, without tokens; raises MountError."""
    if "configMap" in volume:
        return _config_map(kubelet, pod, volume["configMap"], str(volume["configMap"].get("name")))
    if "secret" in volume:
        return _secret(kubelet, pod, volume["secret"], str(volume["secret"].get("secretName")))
    if "downwardAPI" in volume:
        return _downward(kubelet, pod, volume["downwardAPI"])
    merged: dict[str, bytes] = {}
    for source in (volume.get("projected") or {}).get("sources") or ():
        if "configMap" in source:
            merged.update(_config_map(kubelet, pod, source["configMap"], str(source["configMap"].get("name"))))
        elif "secret" in source:
            merged.update(_secret(kubelet, pod, source["secret"], str(source["secret"].get("name"))))
        elif "downwardAPI" in source:
            merged.update(_downward(kubelet, pod, source["downwardAPI"]))
    return merged


def token_paths(volume: Obj) -> set[str]:
    """The files of a volume that hold tokens."""
    sources = (volume.get("projected") or {}).get("sources") or ()
    return {str(source["serviceAccountToken"]["path"]) for source in sources if "serviceAccountToken" in source}


def modes(volume: Obj) -> dict[str, int]:
    """File → mode, where the volume asks for another than 0644; "" is the default."""
    kinds = [volume.get(kind) or {} for kind in ("configMap", "secret", "downwardAPI", "projected")]
    out: dict[str, int] = {}
    for kind in kinds:
        if kind.get("defaultMode") is not None:
            out[""] = int(kind["defaultMode"])
        for source in (kind, *(next(iter(s.values())) for s in kind.get("sources") or () if s)):
            for item in source.get("items") or ():
                if item.get("mode") is not None:
                    out[str(item.get("path"))] = int(item["mode"])
    return out


def _claimed(kubelet: Kubelet, pod: PodState, path: str, name: str) -> None:
    """A claim's volume: a directory of this node (hostPath and local volumes), found through a link in the pod's directory."""
    try:
        claim = kubelet.client.get("persistentvolumeclaims", pod.namespace, name)
        if (claim.get("status") or {}).get("phase") != "Bound":
            raise MountError("PersistentVolumeClaim is not bound")
        spec = kubelet.client.get("persistentvolumes", None, claim["spec"]["volumeName"])["spec"]
    except (ConnectError, ApiError) as failed:
        raise MountError(f"failed to fetch PVC from API server: {failed}") from failed
    tree = files.tree(kubelet.host)
    if "hostPath" in spec:
        target = str(spec["hostPath"]["path"])
        _host_path(kubelet, target, str(spec["hostPath"].get("type") or ""))
    elif "local" in spec:
        target = str(spec["local"]["path"])
        if not tree.exists(target):
            raise MountError(f'path "{target}" does not exist')
    else:
        kind = next((key for key in sorted(spec) if isinstance(spec[key], dict) and key not in _NOT_SOURCES), "")
        raise MountError(f"persistent volumes of type {kind}: not simulated in Slipway yet")
    if not tree.exists(path):
        tree.mkdir(posixpath.dirname(path), True, now=kubelet.world.wall)
        tree.symlink(target, path)


def _host_path(kubelet: Kubelet, path: str, kind: str) -> None:
    tree = files.tree(kubelet.host)
    exists = tree.exists(path)
    if kind == "DirectoryOrCreate" and not exists:
        tree.mkdir(path, True, now=kubelet.world.wall)
    elif kind == "FileOrCreate" and not exists:
        tree.write(path, b"", parents=True, now=kubelet.world.wall)
    elif kind == "Directory" and not tree.isdir(path):
        raise MountError(f"hostPath type check failed: {path} is not a directory")
    elif kind == "File" and (not exists or tree.isdir(path)):
        raise MountError(f"hostPath type check failed: {path} is not a file")
    elif kind == "" and not exists:
        tree.mkdir(path, True, now=kubelet.world.wall)


def _fetch(kubelet: Kubelet, resource: str, kind: str, pod: PodState, name: str, optional: bool) -> Obj | None:
    try:
        return kubelet.client.get(resource, pod.namespace, name)
    except ApiError as failed:
        if failed.code == 404:
            if optional:
                return None
            raise MountError(f'{kind} "{name}" not found') from failed
        raise MountError(failed.message) from failed
    except ConnectError as failed:
        raise MountError(f"failed to sync {kind} cache: timed out waiting for the condition") from failed


def _select(data: dict[str, bytes], source: Obj, kind: str, name: str) -> dict[str, bytes]:
    items = source.get("items")
    if not items:
        return data
    chosen: dict[str, bytes] = {}
    for item in items:
        if item["key"] not in data:
            if source.get("optional"):
                continue
            raise MountError(f"references non-existent {kind} key: {item['key']}")
        chosen[item["path"]] = data[item["key"]]
    return chosen


def _config_map(kubelet: Kubelet, pod: PodState, source: Obj, name: str) -> dict[str, bytes]:
    obj = _fetch(kubelet, "configmaps", "configmap", pod, name, bool(source.get("optional")))
    if obj is None:
        return {}
    data = {k: str(v).encode() for k, v in (obj.get("data") or {}).items()}
    data |= {k: base64.b64decode(v) for k, v in (obj.get("binaryData") or {}).items()}
    return _select(data, source, "config", name)


def _secret(kubelet: Kubelet, pod: PodState, source: Obj, name: str) -> dict[str, bytes]:
    obj = _fetch(kubelet, "secrets", "secret", pod, name, bool(source.get("optional")))
    if obj is None:
        return {}
    return _select({k: base64.b64decode(v) for k, v in (obj.get("data") or {}).items()}, source, "secret", name)


def _downward(kubelet: Kubelet, pod: PodState, source: Obj) -> dict[str, bytes]:
    out: dict[str, bytes] = {}
    for item in source.get("items") or ():
        if "fieldRef" in item:
            out[item["path"]] = envs.field(kubelet, pod, item["fieldRef"]["fieldPath"]).encode()
        else:
            out[item["path"]] = envs.resource_field(kubelet, pod, item["resourceFieldRef"], "").encode()
    return out


def _token(kubelet: Kubelet, pod: PodState, source: Obj) -> bytes:
    account = pod.pod["spec"].get("serviceAccountName") or "default"
    request: Obj = {
        "apiVersion": "authentication.k8s.io/v1",
        "kind": "TokenRequest",
        "metadata": {},
        "spec": {
            "audiences": [source["audience"]] if source.get("audience") else [],
            "expirationSeconds": int(source.get("expirationSeconds") or 3607),
            "boundObjectRef": {"apiVersion": "v1", "kind": "Pod", "name": pod.name, "uid": pod.uid},
        },
    }
    try:
        answer = kubelet.client.create("serviceaccounts", pod.namespace, request, subresource="token", name=account)
    except ApiError as failed:
        raise MountError(f"failed to fetch token: {failed.message}") from failed
    except ConnectError as failed:
        raise MountError(
            f'failed to fetch token: Post "{kubelet.client.server}/api/v1/namespaces/{pod.namespace}/serviceaccounts/{account}/token": {failed}'
        ) from failed
    return str((answer.get("status") or {}).get("token") or "").encode()


def _write(kubelet: Kubelet, path: str, data: dict[str, bytes], given: dict[str, int]) -> None:
    tree = files.tree(kubelet.host)
    now = kubelet.world.wall
    tree.mkdir(path, True, now=now)
    for name in sorted(data):
        target = posixpath.normpath(f"{path}/{name}")
        if target.startswith(path + "/"):
            mode = given.get(name, given.get("", 0o644))
            tree.write(target, data[name], now=now, parents=True, mode=mode)


def tear_down(kubelet: Kubelet, pod: PodState) -> None:
    """Remove the pod's directory."""
    tree = files.tree(kubelet.host)
    if tree.exists(root(pod)):
        tree.remove(root(pod), True, now=kubelet.world.wall)


# -- a container's view -------------------------------------------------------------------------------------------------
def mounts(kubelet: Kubelet, pod: PodState, container: Obj, known: dict[str, str] | None = None) -> list[Obj]:
    """The CRI mounts of a container; `known` are the variables that a subPathExpr may name."""
    volumes = {v["name"]: v for v in pod.pod["spec"].get("volumes") or ()}
    out: list[Obj] = []
    for mount in container.get("volumeMounts") or ():
        volume = volumes.get(mount["name"])
        if volume is None:
            continue
        source = path_of(pod, volume)
        sub = mount.get("subPath")
        if mount.get("subPathExpr"):
            sub = envs.expand(str(mount["subPathExpr"]), dict(known or ()))
        if sub:
            source = _sub_path(kubelet, pod, volume, source, str(sub))
        out.append({"containerPath": mount["mountPath"], "hostPath": source, "readonly": bool(mount.get("readOnly"))})
    return out


def _sub_path(kubelet: Kubelet, pod: PodState, volume: Obj, source: str, sub: str) -> str:
    """What a `subPath` mount shows; of a volume that follows its object it is a copy, as a bind mount of the old file would be."""
    tree = files.tree(kubelet.host)
    where = posixpath.normpath(f"{source}/{sub}")
    if any(kind in volume for kind in ("configMap", "secret", "downwardAPI", "projected")) and tree.exists(where):
        copy = f"{root(pod)}/volume-subpaths/{volume['name']}/{sub.replace('/', '_')}"
        if not tree.isdir(where):
            tree.write(copy, tree.read(where), now=kubelet.world.wall, parents=True)
            return copy
    if not tree.exists(where):
        tree.mkdir(where, True, now=kubelet.world.wall)
    return where


def hosts_file(kubelet: Kubelet, pod: PodState, ip: str) -> bytes:
    """The /etc/hosts that the kubelet manages."""
    spec = pod.pod["spec"]
    if spec.get("hostNetwork"):
        head = b"# Kubernetes-managed hosts file (host network).\n"
        try:
            return head + files.tree(kubelet.host).read("/etc/hosts")
        except OSError:
            return head
    name = spec.get("hostname") or pod.name
    lines = [
        "# Kubernetes-managed hosts file.",
        "127.0.0.1\tlocalhost",
        "::1\tlocalhost ip6-localhost ip6-loopback",
        "fe00::0\tip6-localnet",
        "fe00::0\tip6-mcastprefix",
        "fe00::1\tip6-allnodes",
        "fe00::2\tip6-allrouters",
    ]
    if spec.get("subdomain") and spec.get("hostname"):
        lines.append(f"{ip}\t{name}.{spec['subdomain']}.{pod.namespace}.svc.{kubelet.state.config['clusterDomain']}\t{name}")
    else:
        lines.append(f"{ip}\t{name}")
    aliases = spec.get("hostAliases") or ()
    if aliases:
        lines += ["", "# Entries added by HostAliases."]
        lines += [f"{a['ip']}\t" + "\t".join(a.get("hostnames") or ()) for a in aliases]
    return ("\n".join(lines) + "\n").encode()


def resolv_conf(kubelet: Kubelet, pod: PodState) -> bytes:
    """The /etc/resolv.conf of a pod by its dnsPolicy (`pkg/kubelet/network/dns/dns.go`)."""
    spec, config = pod.pod["spec"], kubelet.state.config
    policy = spec.get("dnsPolicy") or "ClusterFirst"
    try:
        own = files.tree(kubelet.host).read(str(config.get("resolvConf") or "/etc/resolv.conf"))
    except OSError:
        own = b"nameserver 127.0.0.53\n"
    servers: list[str] = []
    search: list[str] = []
    options: list[str] = []
    cluster = list(config.get("clusterDNS") or ())
    if policy == "None":
        pass
    elif policy == "Default" or (policy == "ClusterFirst" and spec.get("hostNetwork")) or not cluster:
        if not spec.get("dnsConfig"):
            return own
    else:
        domain = config["clusterDomain"]
        servers = [str(s) for s in cluster]
        search = [f"{pod.namespace}.svc.{domain}", f"svc.{domain}", domain]
        options = ["ndots:5"]
    extra = spec.get("dnsConfig") or {}
    servers += [str(s) for s in extra.get("nameservers") or ()]
    search += [str(s) for s in extra.get("searches") or ()]
    options += [o["name"] + (f":{o['value']}" if o.get("value") is not None else "") for o in extra.get("options") or ()]
    text = f"search {' '.join(search)}\n" if search else ""
    text += "".join(f"nameserver {s}\n" for s in servers)
    text += f"options {' '.join(options)}\n" if options else ""
    return text.encode()
