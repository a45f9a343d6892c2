"""Volumes that follow their objects: configMap, secret, projected and downwardAPI volumes of running pods (`pkg/volume/configmap`,
`pkg/kubelet/util/manager`).

The kubelet watches the objects; the files change with the pod's next sync, up to a minute and a half later.  A `subPath` mount is a copy
of the moment when its container started and never changes.  Tokens are left as they are.
"""

from __future__ import annotations

import posixpath
from typing import Any

from ...host import files
from ...kernel.clock import SECOND
from . import volumes
from .context import Kubelet
from .state import PodState

Obj = dict[str, Any]
TOPICS = {"registry:configmaps": "configMap", "registry:secrets": "secret"}
#: The next sync of a pod is this far away: syncFrequency and up to half of it more.
SOONEST, LATEST = 5, 90


def attend(kubelet: Kubelet) -> None:
    """Hear of objects that have changed."""
    for topic, kind in TOPICS.items():
        kubelet.world.subscribe(topic, kubelet.proc.target, ["content", kind], low=SECOND, high=SECOND)


def _kinds(volume: Obj) -> set[str]:
    if "projected" in volume:
        return {key for source in volume["projected"].get("sources") or () for key in source}
    return {key for key in volume if key != "name"}


def changed(kubelet: Kubelet, kind: str, only: PodState | None = None) -> None:
    """Objects of a kind have changed: each pod with such a volume is looked at again with its next sync."""
    for pod in [only] if only is not None else list(kubelet.state.pods.values()):
        if pod.work != "sync" or pod.terminal or not pod.volumes_ready or pod.refresh in kubelet.world.timers:
            continue
        if any(kind in _kinds(volume) for volume in pod.pod["spec"].get("volumes") or ()):
            delay = kubelet.world.rng("kubelet-sync").between(SOONEST * SECOND, LATEST * SECOND)
            pod.refresh = kubelet.world.after(delay, kubelet.proc.target, ["refresh", pod.uid])


def refresh(kubelet: Kubelet, pod: PodState) -> None:
    """Bring the files of a pod's volumes level with their objects."""
    pod.refresh = 0
    for volume in pod.pod["spec"].get("volumes") or ():
        if not _kinds(volume) & {"configMap", "secret", "downwardAPI"}:
            continue
        try:
            wanted = volumes.content(kubelet, pod, volume)
        except volumes.MountError as failed:
            text = f'MountVolume.SetUp failed for volume "{volume["name"]}" : {failed}'
            kubelet.pod_event(pod, "Warning", "FailedMount", text)
            continue
        _level(kubelet, volumes.path_of(pod, volume), wanted, volume)


def _level(kubelet: Kubelet, path: str, wanted: dict[str, bytes], volume: Obj) -> None:
    given, kept = volumes.modes(volume), volumes.token_paths(volume)
    tree = files.tree(kubelet.host)
    world, host = kubelet.world, kubelet.host
    for name, data in wanted.items():
        where = posixpath.normpath(f"{path}/{name}")
        if not where.startswith(path + "/") or (tree.exists(where) and tree.read(where) == data):
            continue
        mode = tree.lookup(where).mode if tree.exists(where) else given.get(name, given.get("", 0o644))
        files.write_file(world, host, where, data, mode=mode, parents=True)
    present = tree.listdir(path) if tree.isdir(path) else []
    tops = {name.split("/")[0] for name in (*wanted, *kept)}
    for name in present:
        if name not in tops:
            files.remove_file(world, host, f"{path}/{name}")
