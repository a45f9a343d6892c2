"""`crictl version`, `info`, `inspect`, `inspectp`, `stats` (`cmd/crictl/{version,info,container,sandbox,container_stats}.go`)."""

from __future__ import annotations

from typing import Any

from ...runtime import cri, sandboxes
from .. import human
from .lists import select, select_pods
from .messages import container_info, container_status, stamp, statuses
from .session import CrictlError, Session

Obj = dict[str, Any]


def _help() -> Exception:
    from .main import ShowHelp

    return ShowHelp()


def version(session: Session) -> int:
    """`crictl version`."""
    if session.args:
        raise _help()
    session.runtime()
    found = cri.version(session.world, session.host)
    session.inv.out(
        f"Version:  {found['version']}\nRuntimeName:  {found['runtimeName']}\nRuntimeVersion:  {found['runtimeVersion']}\nRuntimeApiVersion:  {found['runtimeApiVersion']}\n"
    )
    return 0


def info(session: Session) -> int:
    """`crictl info`."""
    if session.args:
        raise _help()
    session.runtime()
    conditions = [
        {"message": m, "reason": r, "status": good, "type": kind} for kind, good, r, m in cri.status(session.world, session.host)
    ]
    conditions.append({"message": "", "reason": "", "status": True, "type": "ContainerdHasNoDeprecationWarnings"})
    features = {"recursive_read_only_mounts": True, "user_namespaces": True}
    data: Obj = {
        "features": {"supplemental_groups_policy": True},
        "runtimeHandlers": [{"features": features}, {"features": features, "name": "runc"}],
        "status": {"conditions": conditions},
    }
    if not session.flag("quiet"):
        data["golang"] = "go1.25.5"
        data["config"] = {
            "cni": {"binDirs": ["/opt/cni/bin"], "confDir": "/etc/cni/net.d"},
            "containerd": {
                "defaultRuntimeName": "runc",
                "runtimes": {"runc": {"options": {"SystemdCgroup": True}, "runtimeType": "io.containerd.runc.v2"}},
            },
            "containerdEndpoint": "/run/containerd/containerd.sock",
            "containerdRootDir": "/var/lib/containerd",
            "rootDir": "/var/lib/containerd/io.containerd.grpc.v1.cri",
            "stateDir": "/run/containerd/io.containerd.grpc.v1.cri",
        }
    statuses(session, [data], str(session.flag("output")))
    return 0


def inspect(session: Session) -> int:
    """`crictl inspect`."""
    session.runtime()
    found = []
    ids = session.args
    if not ids:
        ids = [c.id for c in select(session, everything=bool(session.flag("all")))]
    if not ids:
        human.logrus(session.inv, "error", "No IDs provided or nothing found per filter")
        raise _help()
    for ident in ids:
        try:
            container = cri.find_container(session.world, session.host, ident)
        except cri.CriError as failed:
            session.rpc_failed("ContainerStatus from runtime service", failed, containerID=ident)
            raise CrictlError(f'getting the status of the container "{ident}": {failed}') from None
        if session.flag("output") == "table":
            session.inv.out(
                f"ID: {container.id}\nName: {container.name}\nAttempt: {container.attempt}\nState: CONTAINER_{container.state}\nCreated: {human.ago(session.world, container.created_at)}\n"
            )
            continue
        entry: Obj = {"status": container_status(session, container)}
        if not session.flag("quiet"):
            entry["info"] = container_info(container)
        found.append(entry)
    if found:
        statuses(session, found, str(session.flag("output")))
    return 0


def inspect_pod(session: Session) -> int:
    """`crictl inspectp`."""
    session.runtime()
    ids = session.args or [s.id for s in select_pods(session)]
    if not ids:
        human.logrus(session.inv, "error", "No IDs provided or nothing found per filter")
        raise _help()
    found = []
    for ident in ids:
        try:
            sandbox = cri.find_sandbox(session.world, session.host, ident)
        except cri.CriError as failed:
            raise CrictlError(f'getting the pod sandbox status for "{ident}": {failed}') from None
        mode = "NODE" if sandbox.host_network else "POD"
        status: Obj = {
            "annotations": dict(sorted(sandbox.annotations.items())),
            "createdAt": stamp(sandbox.created_at),
            "id": sandbox.id,
            "labels": dict(sorted(sandbox.labels.items())),
            "linux": {
                "namespaces": {
                    "options": {"ipc": "POD", "network": mode, "pid": "CONTAINER", "targetId": "", "usernsOptions": None}
                }
            },
            "metadata": {"attempt": sandbox.attempt, "name": sandbox.name, "namespace": sandbox.namespace, "uid": sandbox.uid},
            "network": {"additionalIps": [], "ip": "" if sandbox.host_network else sandbox.ip},
            "runtimeHandler": "",
            "state": f"SANDBOX_{sandbox.state}",
        }
        entry: Obj = {"status": status}
        if not session.flag("quiet"):
            entry["info"] = {
                "image": sandboxes.PAUSE_IMAGE,
                "pid": sandbox.pid,
                "processStatus": "running" if sandbox.pid else "deleted",
                "runtimeType": "io.containerd.runc.v2",
                "snapshotter": "overlayfs",
            }
        found.append(entry)
    statuses(session, found, str(session.flag("output")))
    return 0
