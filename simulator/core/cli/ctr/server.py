"""`ctr plugins`, `events`, `info`, `oci`, `sandboxes`, `deprecations`, and `tasks pause|resume|metrics`, `label` (`cmd/ctr/commands/*`)."""

from __future__ import annotations

import json
from collections.abc import Generator
from typing import Any

from ...host.program import Wait, WaitTopic
from ...runtime import config, containerd, events, usage
from ...runtime import state as store
from ...runtime.engine import life
from .. import human, tabwriter
from ..runc import default_spec
from .session import CtrError, Session
from .tasks import _running

#: (type, id, platforms, status) of containerd 2.2's plugins on Linux.
PLUGINS: tuple[tuple[str, str, str, str], ...] = (
    ("io.containerd.content.v1", "content", "-", "ok"), ("io.containerd.image-verifier.v1", "bindir", "-", "ok"), ("io.containerd.internal.v1", "opt", "-", "ok"),
    ("io.containerd.warning.v1", "deprecations", "-", "ok"), ("io.containerd.snapshotter.v1", "blockfile", "linux/amd64", "skip"), ("io.containerd.snapshotter.v1", "btrfs", "linux/amd64", "skip"),
    ("io.containerd.snapshotter.v1", "devmapper", "linux/amd64", "skip"), ("io.containerd.snapshotter.v1", "erofs", "linux/amd64", "skip"), ("io.containerd.snapshotter.v1", "native", "linux/amd64", "ok"),
    ("io.containerd.snapshotter.v1", "overlayfs", "linux/amd64", "ok"), ("io.containerd.snapshotter.v1", "zfs", "linux/amd64", "skip"), ("io.containerd.event.v1", "exchange", "-", "ok"),
    ("io.containerd.monitor.task.v1", "cgroups", "linux/amd64", "ok"), ("io.containerd.metadata.v1", "bolt", "-", "ok"), ("io.containerd.gc.v1", "scheduler", "-", "ok"),
    ("io.containerd.differ.v1", "erofs", "linux/amd64", "skip"), ("io.containerd.differ.v1", "walking", "linux/amd64", "ok"), ("io.containerd.lease.v1", "manager", "-", "ok"),
    ("io.containerd.mount-manager.v1", "bolt", "-", "ok"), ("io.containerd.service.v1", "containers-service", "-", "ok"), ("io.containerd.service.v1", "content-service", "-", "ok"),
    ("io.containerd.service.v1", "diff-service", "-", "ok"), ("io.containerd.service.v1", "images-service", "-", "ok"), ("io.containerd.service.v1", "introspection-service", "-", "ok"),
    ("io.containerd.service.v1", "namespaces-service", "-", "ok"), ("io.containerd.service.v1", "snapshots-service", "-", "ok"), ("io.containerd.shim.v1", "manager", "-", "ok"),
    ("io.containerd.runtime.v2", "task", "linux/amd64", "ok"), ("io.containerd.service.v1", "tasks-service", "-", "ok"), ("io.containerd.transfer.v1", "local", "-", "ok"),
    ("io.containerd.cri.v1", "images", "-", "ok"), ("io.containerd.cri.v1", "runtime", "linux/amd64", "ok"), ("io.containerd.podsandbox.controller.v1", "podsandbox", "-", "ok"),
    ("io.containerd.sandbox.store.v1", "local", "-", "ok"), ("io.containerd.sandbox.controller.v1", "shim", "-", "ok"), ("io.containerd.streaming.v1", "manager", "-", "ok"),
    ("io.containerd.grpc.v1", "containers", "-", "ok"), ("io.containerd.grpc.v1", "content", "-", "ok"), ("io.containerd.grpc.v1", "cri", "-", "ok"), ("io.containerd.grpc.v1", "diff", "-", "ok"),
    ("io.containerd.grpc.v1", "events", "-", "ok"), ("io.containerd.grpc.v1", "healthcheck", "-", "ok"), ("io.containerd.grpc.v1", "images", "-", "ok"), ("io.containerd.grpc.v1", "introspection", "-", "ok"),
    ("io.containerd.grpc.v1", "leases", "-", "ok"), ("io.containerd.grpc.v1", "namespaces", "-", "ok"), ("io.containerd.grpc.v1", "sandbox-controllers", "-", "ok"), ("io.containerd.grpc.v1", "sandboxes", "-", "ok"),
    ("io.containerd.grpc.v1", "snapshots", "-", "ok"), ("io.containerd.grpc.v1", "streaming", "-", "ok"), ("io.containerd.grpc.v1", "tasks", "-", "ok"), ("io.containerd.grpc.v1", "transfer", "-", "ok"),
    ("io.containerd.grpc.v1", "version", "-", "ok"), ("io.containerd.internal.v1", "restart", "-", "ok"), ("io.containerd.tracing.processor.v1", "otlp", "-", "skip"), ("io.containerd.internal.v1", "tracing", "-", "skip"),
    ("io.containerd.ttrpc.v1", "otelttrpc", "-", "ok"), ("io.containerd.nri.v1", "nri", "-", "ok"), ("io.containerd.server.v1", "grpc", "-", "ok"), ("io.containerd.server.v1", "ttrpc", "-", "ok"),
)  # fmt: skip


def plugins(session: Session) -> int:
    """`ctr plugins ls`."""
    session.connect()
    named = config.proxy_plugins(session.world, session.host)
    proxies = [
        ("io.containerd.snapshotter.v1", name, "-", "ok") for name, row in sorted(named.items()) if row.get("type") == "snapshot"
    ]
    found = [row for row in (*PLUGINS, *proxies) if not session.args or any(_plugin_fits(row, text) for text in session.args)]
    cri_off = "cri" in containerd.disabled_plugins(session.world, session.host)
    found = [row for row in found if not (cri_off and (".cri." in row[0] or row[1] == "cri"))]
    if session.flag("quiet"):
        session.inv.out("".join(row[1] + "\n" for row in found))
        return 0
    session.table([["TYPE", "ID", "PLATFORMS", "STATUS"], *([*row] for row in found)])
    return 0


def _plugin_fits(row: tuple[str, str, str, str], text: str) -> bool:
    key, _, value = text.replace("==", "=").replace("~=", "=").partition("=")
    return value in {"id": row[1], "type": row[0]}.get(key, "")


def watch(session: Session) -> Generator[Wait, Any, int]:
    """`ctr events`: until Ctrl-C."""
    session.connect()
    follower = events.follow(session.world, session.host)
    try:
        while True:
            yield WaitTopic((f"cri-events:{session.host}",))
            for at, space, topic, data in follower.found:
                text = json.dumps(data, separators=(",", ":"))
                session.inv.out(f"{human.clock_time(at)} {space} {topic} {text}\n")
            follower.found.clear()
    finally:
        events.leave(session.world, follower)


def info(session: Session) -> int:
    """`ctr info`."""
    session.connect()
    seed = session.inv.host.machine_id.ljust(32, "0")
    uuid = f"{seed[:8]}-{seed[8:12]}-4{seed[13:16]}-a{seed[17:20]}-{seed[20:32]}"
    session.inv.out(
        json.dumps(
            {"server": {"uuid": uuid, "pid": store.runtime(session.world, session.host).pid, "pidns": 4026531836}}, indent=4
        )
        + "\n"
    )
    return 0


def deprecations(session: Session) -> int:
    """`ctr deprecations list`."""
    session.connect()
    session.inv.out(tabwriter.align("ID\tLAST OCCURRENCE\tMESSAGE\t\n", minwidth=1, tabwidth=8, padding=1))
    return 0


def oci_spec(session: Session) -> int:
    """`ctr oci spec`."""
    data = default_spec()
    data["linux"]["cgroupsPath"] = f"/{session.space}"
    data["process"].pop("terminal", None)
    data.pop("hostname", None)
    data["process"]["args"] = None
    session.inv.out(json.dumps(data, indent=4) + "\n")
    return 0


def sandboxes(session: Session) -> int:
    """`ctr sandboxes ls`."""
    session.connect()
    found = store.runtime(session.world, session.host).sandboxes if session.space == "k8s.io" else {}
    rows = [["ID", "CREATED", "SANDBOXER", "RUNTIME"]]
    rows += [[s.id, human.clock_time(s.created_at), "podsandbox", "io.containerd.runc.v2"] for _, s in sorted(found.items())]
    session.table(rows)
    return 0


def pause(session: Session) -> int:
    """`ctr tasks pause`."""
    session.connect()
    c = _running(session, session.args[0] if session.args else "")
    if c.paused:
        raise CtrError("cannot pause a task that is already paused: failed precondition")
    life.pause(session.world, session.host, c)
    return 0


def resume(session: Session) -> int:
    """`ctr tasks resume`."""
    session.connect()
    c = _running(session, session.args[0] if session.args else "")
    life.unpause(session.world, session.host, c)
    return 0


def metrics(session: Session) -> int:
    """`ctr tasks metrics`: cgroup v2 counters."""
    session.connect()
    c = _running(session, session.args[0] if session.args else "")
    use = usage.of_container(session.world, session.host, c)
    rows = f"ID\tTIMESTAMP\t\n{c.id}\t{human.clock_time(session.world.wall)}\t\n\n"
    pairs = [
        ("pids.current", use.pids), ("pids.limit", 0), ("cpu.usage_usec", use.cpu_ns // 1000), ("cpu.user_usec", use.cpu_ns // 2000), ("cpu.system_usec", use.cpu_ns // 2000), ("cpu.nr_periods", 0),
        ("cpu.nr_throttled", 0), ("cpu.throttled_usec", 0), ("memory.usage", use.memory), ("memory.usage_limit", c.memory_limit or 18446744073709551615), ("memory.swap_usage", 0), ("memory.swap_limit", 18446744073709551615),
    ]  # fmt: skip
    if session.flag("format") == "json":
        session.inv.out(
            json.dumps(
                {"pids": {"current": use.pids}, "cpu": {"usage_usec": use.cpu_ns // 1000}, "memory": {"usage": use.memory}}
            )
            + "\n"
        )
        return 0
    rows += "METRIC\tVALUE\t\n" + "".join(f"{k}\t{v}\t\n" for k, v in pairs)
    session.inv.out(tabwriter.align(rows, minwidth=1, tabwidth=8, padding=4))
    return 0


def container_label(session: Session) -> int:
    """`ctr containers label`."""
    if not session.args:
        raise CtrError("container id must be provided: invalid argument")
    session.connect()
    c = session.container(session.args[0])
    for word in session.args[1:]:
        key, _, value = word.partition("=")
        if value:
            c.labels[key] = value
        else:
            c.labels.pop(key, None)
    session.inv.out(",".join(f"{k}={v}" for k, v in sorted(c.labels.items())) + "\n")
    return 0


def namespace_label(session: Session) -> int:
    """`ctr namespaces label`."""
    if not session.args:
        raise CtrError("please specify a namespace")
    session.connect()
    space = store.spaces(session.world, session.host).get(session.args[0])
    if space is None:
        raise CtrError(f'namespace "{session.args[0]}": not found')
    for word in session.args[1:]:
        key, _, value = word.partition("=")
        if value:
            space.labels[key] = value
        else:
            space.labels.pop(key, None)
    return 0
