"""CRI messages as JSON, as `crictl -o json` prints them, and their output."""

from __future__ import annotations

import json
from typing import Any

import yaml

from ...kernel.clock import SECOND, rfc3339
from ...runtime.state import Container, Sandbox
from .session import CrictlError, Session

Obj = dict[str, Any]


def stamp(wall: int) -> str:
    """A timestamp of a status: RFC 3339 with nanoseconds."""
    if not wall:
        return "0001-01-01T00:00:00Z"
    fraction = f"{wall % SECOND:09d}".rstrip("0")
    return rfc3339(wall)[:-1] + (f".{fraction}" if fraction else "") + "Z"


def container_message(session: Session, c: Container) -> Obj:
    """A Container of ListContainers."""
    return {
        "id": c.id,
        "podSandboxId": c.sandbox,
        "metadata": {"name": c.name, "attempt": c.attempt},
        "image": {"image": c.image, "annotations": {}, "userSpecifiedImage": "", "runtimeHandler": ""},
        "imageRef": c.image_id,
        "state": f"CONTAINER_{c.state}",
        "createdAt": str(c.created_at),
        "labels": dict(sorted(c.labels.items())),
        "annotations": dict(sorted(c.annotations.items())),
        "imageId": c.image_id,
    }


def sandbox_message(s: Sandbox) -> Obj:
    """A PodSandbox of ListPodSandbox."""
    return {
        "id": s.id,
        "metadata": {"name": s.name, "uid": s.uid, "namespace": s.namespace, "attempt": s.attempt},
        "state": f"SANDBOX_{s.state}",
        "createdAt": str(s.created_at),
        "labels": dict(sorted(s.labels.items())),
        "annotations": dict(sorted(s.annotations.items())),
        "runtimeHandler": "",
    }


def container_status(session: Session, c: Container) -> Obj:
    """A ContainerStatus."""
    status: Obj = {
        "annotations": dict(sorted(c.annotations.items())),
        "createdAt": stamp(c.created_at),
        "exitCode": c.exit_code,
        "finishedAt": stamp(c.finished_at),
        "id": c.id,
        "image": {"annotations": {}, "image": c.image, "runtimeHandler": "", "userSpecifiedImage": ""},
        "imageId": c.image_id,
        "imageRef": c.image_id,
        "labels": dict(sorted(c.labels.items())),
        "logPath": c.log_path,
        "message": c.message,
        "metadata": {"attempt": c.attempt, "name": c.name},
        "mounts": [
            {
                "containerPath": m.target,
                "gidMappings": [],
                "hostPath": m.source,
                "image": None,
                "propagation": "PROPAGATION_PRIVATE",
                "readonly": m.readonly,
                "recursiveReadOnly": False,
                "selinuxRelabel": False,
                "uidMappings": [],
            }
            for m in c.mounts
        ],
        "reason": c.reason,
        "resources": {"linux": None, "windows": None},
        "startedAt": stamp(c.started_at),
        "state": f"CONTAINER_{c.state}",
        "user": {
            "linux": {"gid": "0", "supplementalGroups": ["0"], "uid": c.user.partition(":")[0] if c.user[:1].isdigit() else "0"}
        },
    }
    return status


def container_info(c: Container) -> Obj:
    """The verbose part: pid, sandbox, the process of the runtime spec."""
    return {
        "config": {"metadata": {"name": c.name}, "image": {"image": c.image}, "labels": dict(sorted(c.labels.items()))},
        "pid": c.pid,
        "removing": False,
        "runtimeOptions": {"systemd_cgroup": True},
        "runtimeSpec": {
            "hostname": c.hostname,
            "linux": {"namespaces": [{"type": kind} for kind in ("pid", "ipc", "uts", "mount", "network")]},
            "ociVersion": "1.2.1",
            "process": {
                "args": c.argv,
                "cwd": c.cwd,
                "env": [f"{k}={v}" for k, v in c.env.items()],
                "user": {"gid": 0, "uid": 0},
            },
            "root": {"path": "rootfs"},
        },
        "runtimeType": "io.containerd.runc.v2",
        "sandboxID": c.sandbox,
        "snapshotKey": c.id,
        "snapshotter": "overlayfs",
    }


def output(session: Session, message: Obj, form: str) -> None:
    """Print a message as JSON or YAML."""
    if form == "yaml":
        session.inv.out(yaml.safe_dump(message, default_flow_style=False, sort_keys=True))
        return
    session.inv.out(json.dumps(message, indent=2, ensure_ascii=False) + "\n")


def statuses(session: Session, found: list[Obj], form: str) -> None:
    """`outputStatusData`: one object, or a list of several; keys sorted."""
    form = form or "json"
    data: Any = found[0] if len(found) == 1 else found
    if form == "json":
        session.inv.out(json.dumps(data, indent=2, ensure_ascii=False, sort_keys=True) + "\n")
    elif form == "yaml":
        session.inv.out(yaml.safe_dump(data, default_flow_style=False, sort_keys=True))
    elif form == "go-template":
        raise CrictlError("-o go-template: not simulated in Slipway yet")
    else:
        raise CrictlError(f"unsupported format: {form}")
