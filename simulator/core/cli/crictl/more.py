"""`crictl attach`, `port-forward`, `events`, `stats`, `statsp`, `metricdescs`, `metricsp`, `imagefsinfo`, `runtime-config`, `update`, `checkpoint`, `completion` (`cmd/crictl`)."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from ...host import processes
from ...host.program import Sleep, Wait, WaitTopic
from ...kernel import network
from ...kernel.clock import SECOND
from ...runtime import cri, events, usage
from ...runtime import images as stored
from ...runtime.state import Container, Sandbox, find_container, namespace
from .. import attached, human, tabwriter
from .messages import output
from .session import CrictlError, Session

Obj = dict[str, Any]


def _help() -> Exception:
    from .main import ShowHelp

    return ShowHelp()


def attach(session: Session) -> Generator[Wait, Any, int]:
    """`crictl attach`: the container's output from now on."""
    if not session.args:
        raise CrictlError("ID cannot be empty")
    if len(session.args) != 1:
        raise _help()
    session.runtime()
    ident = session.args[0]
    try:
        container = cri.find_container(session.world, session.host, ident)
        if container.state != "RUNNING":
            raise cri.CriError("Unknown", f"container is in {cri.container_state(container)} state")
    except cri.CriError as failed:
        session.rpc_failed("Attach container from runtime service", failed, containerID=ident)
        raise CrictlError(f"attaching running container failed: {failed}") from None
    return (yield from attached.follow(session.inv, container, interactive=False, fresh=True))


def forward(session: Session) -> Generator[Wait, Any, int]:
    """`crictl port-forward`: until Ctrl-C or until the pod is gone."""
    if len(session.args) < 2:
        raise _help()
    session.runtime()
    try:
        sandbox = cri.find_sandbox(session.world, session.host, session.args[0])
    except cri.CriError as failed:
        raise CrictlError(f"port forward: {failed}") from None
    held = []
    for word in session.args[1:]:
        local, colon, remote = word.partition(":")
        remote = remote if colon else local
        if not local.isdigit() or not remote.isdigit():
            raise CrictlError(
                f"port forward: new spdy executor: error parsing local port '{local}': strconv.ParseUint: parsing \"{local}\": invalid syntax"
            )
        shim = processes.find(session.world, session.host, sandbox.shim_pid)
        if shim is None:
            raise CrictlError("port forward: sandbox container is not running")
        try:
            network.listen(session.world, session.host, int(local), host=session.host, pid=shim.pid, address="127.0.0.1")
        except OSError:
            raise CrictlError(
                f"port forward: unable to listen on port {local}: Listeners failed to create with the following errors: [unable to create listener: Error listen tcp4 127.0.0.1:{local}: bind: address already in use]"
            ) from None
        from ...runtime.state import Port

        port = Port(int(local), int(remote), "tcp", "127.0.0.1")
        sandbox.ports.append(port)
        held.append((port, shim.pid))
        session.inv.out(f"Forwarding from 127.0.0.1:{local} -> {remote}\nForwarding from [::1]:{local} -> {remote}\n")
    try:
        while sandbox.state == "READY":
            yield WaitTopic((f"cri:{session.host}",))
        return 0
    finally:
        space = network.network(session.world).namespaces[session.host].listeners
        for port, pid in held:
            if port in sandbox.ports:
                sandbox.ports.remove(port)
            rows = [item for item in space.get(f"{port.host_port}/tcp", []) if item.pid != pid]
            if rows:
                space[f"{port.host_port}/tcp"] = rows
            else:
                space.pop(f"{port.host_port}/tcp", None)


_KINDS = {
    "/containers/create": "CONTAINER_CREATED_EVENT",
    "/tasks/start": "CONTAINER_STARTED_EVENT",
    "/tasks/exit": "CONTAINER_STOPPED_EVENT",
    "/containers/delete": "CONTAINER_DELETED_EVENT",
}


def watch(session: Session) -> Generator[Wait, Any, int]:
    """`crictl events`."""
    if session.args:
        raise _help()
    session.runtime()
    form = str(session.flag("output") or "json")
    follower = events.follow(session.world, session.host)
    try:
        while True:
            yield WaitTopic((f"cri-events:{session.host}",))
            for at, space, topic, data in follower.found:
                if space != cri.SPACE or topic not in _KINDS:
                    continue
                ident = str(data.get("container_id") or data.get("id"))
                container = find_container(session.world, session.host, ident)
                sandbox = session.sandbox_of(container)
                event: Obj = {
                    "containerEventType": _KINDS[topic],
                    "containerId": ident,
                    "containersStatuses": [],
                    "createdAt": str(at),
                }
                if sandbox is not None:
                    event["podSandboxStatus"] = {
                        "id": sandbox.id,
                        "metadata": {
                            "attempt": sandbox.attempt,
                            "name": sandbox.name,
                            "namespace": sandbox.namespace,
                            "uid": sandbox.uid,
                        },
                        "state": f"SANDBOX_{sandbox.state}",
                    }
                output(session, event, form if form in ("json", "yaml") else "json")
            follower.found.clear()
    finally:
        events.leave(session.world, follower)


# -- statistics -------------------------------------------------------------------------------------------------------------
def _chosen(session: Session) -> list[Container]:
    wanted = session.args[0] if session.args else str(session.flag("id") or "")
    found = []
    for c in sorted(cri.list_containers(session.world, session.host), key=lambda c: c.id):
        if (c.state != "RUNNING" and not session.flag("all")) or not c.id.startswith(wanted):
            continue
        if session.flag("pod") and not c.sandbox.startswith(str(session.flag("pod"))):
            continue
        labels = [str(text).partition("=") for text in session.context.values.get("label") or ()]
        if any(c.labels.get(key) != value for key, _, value in labels):
            continue
        found.append(c)
    return found


def container_stats(session: Session, c: Container) -> Obj:
    """A CRI ContainerStats message."""
    use = usage.of_container(session.world, session.host, c)
    now = str(session.world.wall)
    return {
        "attributes": {"annotations": dict(sorted(c.annotations.items())), "id": c.id, "labels": dict(sorted(c.labels.items())), "metadata": {"attempt": c.attempt, "name": c.name}},
        "cpu": {"timestamp": now, "usageCoreNanoSeconds": {"value": str(use.cpu_ns)}, "usageNanoCores": {"value": str(int(use.cpu * 10_000_000))}},
        "memory": {"availableBytes": {"value": str(max(0, c.memory_limit - use.memory) if c.memory_limit else 0)}, "timestamp": now, "usageBytes": {"value": str(use.memory)}, "workingSetBytes": {"value": str(use.memory)}},
        "writableLayer": {"fsId": {"mountpoint": "/var/lib/containerd/io.containerd.snapshotter.v1.overlayfs"}, "inodesUsed": {"value": "14"}, "timestamp": now, "usedBytes": {"value": "45056"}},
    }  # fmt: skip


def stats(session: Session) -> Generator[Wait, Any, int]:
    """`crictl stats`."""
    session.runtime()
    form = str(session.flag("output") or "table")
    while True:
        found = _chosen(session)
        if form in ("json", "yaml"):
            output(session, {"stats": [container_stats(session, c) for c in found]}, form)
            return 0
        yield Sleep(max(1, int(session.flag("seconds") or 1)) * SECOND)
        rows = [["CONTAINER", "NAME", "CPU %", "MEM", "DISK", "INODES", "SWAP"]]
        for c in found:
            use = usage.of_container(session.world, session.host, c)
            rows.append([c.id[:13], c.name, f"{use.cpu:.2f}", human.size(use.memory), human.size(45056), "14", human.size(0)])
        if session.flag("watch") and session.inv.stdout_tty:
            session.inv.out("\x1b[2J\x1b[H")
        session.table(rows)
        if not session.flag("watch"):
            return 0


def pod_stats(session: Session) -> Generator[Wait, Any, int]:
    """`crictl statsp`."""
    session.runtime()
    session.context.values.setdefault("state", "")
    wanted = session.args[0] if session.args else str(session.context.values.get("id") or "")
    found = sorted(
        (s for s in cri.list_pod_sandboxes(session.world, session.host) if s.state == "READY" and s.id.startswith(wanted)),
        key=lambda s: s.id,
    )
    form = str(session.flag("output") or "table")
    if form in ("json", "yaml"):
        output(session, {"stats": [_pod(session, s) for s in found]}, form)
        return 0
    yield Sleep(SECOND)
    rows = [["POD", "POD ID", "CPU %", "MEM"]]
    for s in found:
        uses = [usage.of_container(session.world, session.host, c) for c in _members(session, s)]
        rows.append([s.name, s.id[:13], f"{sum(u.cpu for u in uses):.2f}", human.size(sum(u.memory for u in uses) + 500_000)])
    session.table(rows)
    return 0


def _members(session: Session, s: Sandbox) -> list[Container]:
    return [
        c
        for c in namespace(session.world, session.host, cri.SPACE).containers.values()
        if c.sandbox == s.id and c.state == "RUNNING"
    ]


def _pod(session: Session, s: Sandbox) -> Obj:
    uses = [usage.of_container(session.world, session.host, c) for c in _members(session, s)]
    now = str(session.world.wall)
    return {
        "attributes": {"annotations": dict(sorted(s.annotations.items())), "id": s.id, "labels": dict(sorted(s.labels.items())), "metadata": {"attempt": s.attempt, "name": s.name, "namespace": s.namespace, "uid": s.uid}},
        "linux": {
            "containers": [container_stats(session, c) for c in _members(session, s)], "cpu": {"timestamp": now, "usageCoreNanoSeconds": {"value": str(sum(u.cpu_ns for u in uses))}},
            "memory": {"timestamp": now, "workingSetBytes": {"value": str(sum(u.memory for u in uses) + 500_000)}},
            "network": {"defaultInterface": {"name": "eth0", "rxBytes": {"value": str(sum(u.received for u in uses))}, "txBytes": {"value": str(sum(u.sent for u in uses))}}, "timestamp": now},
            "process": {"processCount": {"value": str(sum(u.pids for u in uses) + 1)}, "timestamp": now},
        },
    }  # fmt: skip


def image_fs_info(session: Session) -> int:
    """`crictl imagefsinfo`."""
    if session.args:
        raise _help()
    session.runtime("image")
    builds = {i.build for i in namespace(session.world, session.host, cri.SPACE).images.values()}
    used = sum(stored.find(session.world, name).unpacked for name in builds)
    row = {
        "fsId": {"mountpoint": "/var/lib/containerd/io.containerd.snapshotter.v1.overlayfs"},
        "inodesUsed": {"value": str(len(builds) * 2311)},
        "timestamp": str(session.world.wall),
        "usedBytes": {"value": str(used)},
    }
    form = str(session.flag("output") or "json")
    if form == "table":
        session.inv.out(
            f"TimeStamp[0]: {row['timestamp']}\nDisk[0]: {human.size(used)}\nInodes[0]: {len(builds) * 2311}\nMountpoint[0]: /var/lib/containerd/io.containerd.snapshotter.v1.overlayfs\n\n"
        )
        return 0
    output(session, {"status": {"containerFilesystems": [row], "imageFilesystems": [row]}}, form)
    return 0


#: What containerd describes of its metrics: name, help, further labels.
_METRICS = (
    ("container_cpu_usage_seconds_total", "Cumulative cpu time consumed in seconds", ("cpu",)),
    ("container_memory_working_set_bytes", "Current working set in bytes", ()),
    (
        "container_memory_usage_bytes",
        "Current memory usage in bytes, including all memory regardless of when it was accessed",
        (),
    ),
    ("container_processes", "Number of processes running inside the container", ()),
    ("container_network_receive_bytes_total", "Cumulative count of bytes received", ("interface",)),
    ("container_network_transmit_bytes_total", "Cumulative count of bytes transmitted", ("interface",)),
)


def metric_descriptors(session: Session) -> int:
    """`crictl metricdescs`."""
    session.runtime()
    rows = [{"help": text, "labelKeys": ["id", "name", *extra], "name": name} for name, text, extra in _METRICS]
    output(session, {"descriptors": rows}, "json")
    return 0


def pod_metrics(session: Session) -> int:
    """`crictl metricsp`."""
    session.runtime()
    found = []
    for s in cri.list_pod_sandboxes(session.world, session.host):
        if s.state != "READY":
            continue
        members = []
        for c in _members(session, s):
            use = usage.of_container(session.world, session.host, c)
            values = {
                "container_cpu_usage_seconds_total": use.cpu_ns // SECOND,
                "container_memory_working_set_bytes": use.memory,
                "container_memory_usage_bytes": use.memory,
                "container_processes": use.pids,
            }
            members.append(
                {
                    "containerId": c.id,
                    "metrics": [
                        {
                            "labelValues": [c.id, c.name],
                            "metricType": "GAUGE",
                            "name": key,
                            "timestamp": str(session.world.wall),
                            "value": {"value": str(value)},
                        }
                        for key, value in values.items()
                    ],
                }
            )
        found.append({"containerMetrics": members, "metrics": [], "podSandboxId": s.id})
    output(session, {"podMetrics": found}, "json")
    return 0


def runtime_config(session: Session) -> int:
    """`crictl runtime-config`."""
    session.runtime()
    from ...runtime import config

    driver = "SYSTEMD" if config.systemd_cgroup(session.world, session.host) else "CGROUPFS"
    session.inv.out(tabwriter.align(f"cgroup driver:\t{driver}\n", minwidth=10, tabwidth=1, padding=3))
    return 0


def update_runtime_config(session: Session) -> int:
    """`crictl update-runtime-config`."""
    session.runtime()
    return 0


def update(session: Session) -> int:
    """`crictl update`: limits of running containers."""
    if not session.args:
        raise CrictlError("ID cannot be empty")
    session.runtime()
    for ident in session.args:
        try:
            container = cri.find_container(session.world, session.host, ident)
        except cri.CriError as failed:
            session.rpc_failed("UpdateContainerResources from runtime service", failed, containerID=ident)
            raise CrictlError(f"updating container resources for {ident!r}: {failed}".replace("'", '"')) from None
        memory = int(session.context.values.get("memory") or 0)
        if memory:
            container.memory_limit = memory
        session.inv.out(f"{ident}\n")
    return 0


def checkpoint(session: Session) -> int:
    """`crictl checkpoint`: containerd wants CRIU, which these hosts do not have."""
    if not session.args:
        raise CrictlError("ID cannot be empty")
    session.runtime()
    for ident in session.args:
        container = cri.find_container(session.world, session.host, ident)
        text = f'rpc error: code = Unknown desc = failed to checkpoint container "{container.id}": CRIU binary not found or too old (<31600). Failed to checkpoint container "{container.id}": failed to get CRIU version: exec: "criu": executable file not found in $PATH'
        session.rpc_failed("CheckpointContainer from runtime service", text, containerID=ident)
        raise CrictlError(f"checkpointing containers: {text}")
    return 0


def completion(session: Session) -> int:
    """`crictl completion`."""
    shell = session.args[0] if session.args else "bash"
    if shell not in ("bash", "zsh", "fish"):
        raise CrictlError("only bash, zsh and fish are supported")
    from .tree import APP

    names = " ".join(c.name for c in APP.commands)
    if shell == "bash":
        session.inv.out(
            f'_crictl() {{\n    local cur opts\n    cur="${{COMP_WORDS[COMP_CWORD]}}"\n    opts="{names}"\n    COMPREPLY=( $(compgen -W "${{opts}}" -- ${{cur}}) )\n    return 0\n}}\ncomplete -F _crictl crictl\n'
        )
    else:
        session.inv.out(f"crictl completion {shell}: not simulated in Slipway yet\n")
        return 1
    return 0
