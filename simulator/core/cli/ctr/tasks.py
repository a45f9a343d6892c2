"""`ctr run`, `ctr containers`, `ctr tasks`, `ctr version` (`cmd/ctr/commands/{run,containers,tasks,version}`)."""

from __future__ import annotations

import json
from collections.abc import Generator
from typing import Any, cast

from ...host import executor
from ...host.invocation import Call
from ...host.program import Wait, WaitTopic
from ...kernel import network
from ...runtime import catalogue, containerd, containers, execs, logs
from ...runtime import images as stored
from ...runtime import spec as oci
from ...runtime.cri import SIGNALS
from ...runtime.state import Container, Mount, runtime
from .. import attached
from .session import CtrError, Session

RUNTIME = "io.containerd.runc.v2"


def _new(session: Session, ref: str, ident: str, argv: list[str]) -> Container:
    image = session.image(ref)
    space = session.namespace()
    if ident in space.snapshots:
        raise CtrError(f'snapshot "{ident}": already exists')
    build = stored.find(session.world, image.build)
    env = dict(build.env)
    for pair in session.flag("env"):
        key, _, value = str(pair).partition("=")
        env[key] = value
    mounts = []
    for text in session.flag("mount"):
        fields = dict(part.split("=", 1) for part in str(text).split(",") if "=" in part)
        mounts.append(
            Mount(fields.get("dst") or fields.get("destination") or "", fields.get("src") or fields.get("source") or "")
        )
    labels = {"io.containerd.image.config.stop-signal": build.stop_signal or "SIGTERM"}
    for pair in session.flag("label"):
        key, _, value = str(pair).partition("=")
        labels[key] = value
    host_net = bool(session.flag("net-host"))
    container = Container(
        id=ident,
        namespace=session.space,
        image=ref,
        image_id=image.image_id,
        build=build.name,
        argv=argv or [*build.entrypoint, *build.cmd],
        env=env,
        cwd=str(session.flag("cwd") or build.cwd),
        user=str(session.flag("user") or build.user or "root"),
        hostname=session.host,
        labels=labels,
        name=ident,
        netns=session.host if host_net else f"{session.host}/{session.space}-{ident}",
        shared_netns=host_net,
        mounts=mounts,
        tty=bool(session.flag("tty")),
        admin=bool(session.flag("privileged")) or any("SYS_ADMIN" in str(one) for one in session.flag("cap-add") or ()),
        log_path=""
        if session.flag("detach") or session.flag("null-io")
        else f"/run/containerd/fifo/{session.space}-{ident}/0.log",
        stop_signal=SIGNALS.get(build.stop_signal or "SIGTERM", 15),
    )
    if not container.shared_netns and container.netns not in network.network(session.world).namespaces:
        network.add_namespace(session.world, container.netns, session.host, [])
    return containers.create(session.world, session.host, container)


def run(session: Session) -> Generator[Wait, Any, int]:
    """`ctr run`."""
    args = session.args
    if not args or not args[0]:
        raise CtrError("image ref must be provided")
    if len(args) < 2 or not args[1]:
        raise CtrError("container id must be provided")
    if session.flag("rm") and session.flag("detach"):
        raise CtrError("flags --detach and --rm cannot be specified together")
    session.connect()
    container = _new(session, args[0], args[1], args[2:])
    interactive = bool(session.flag("tty")) and not session.flag("detach")
    try:
        attached.begin(session.inv, container, interactive=interactive)
    except containers.StartError as failed:
        container.state, container.has_task = "CREATED", False
        if session.flag("rm"):
            containers.remove(session.world, session.host, container)
        raise CtrError(str(failed).removeprefix("failed to create containerd task: ")) from None
    if session.flag("detach"):
        return 0
    try:
        code = yield from attached.follow(session.inv, container, interactive=interactive)
    finally:
        attached.forget_log(session.inv, container)
        if container.state != "RUNNING":
            container.has_task = False
            if session.flag("rm"):
                containers.remove(session.world, session.host, container)
    return code


# -- containers ---------------------------------------------------------------------------------------------------------
def _entries(session: Session) -> list[tuple[str, str, str, int, str]]:
    """(id, image, runtime, pid, task status or "") of everything in the namespace, pods' pause containers included."""
    found = [
        (c.id, c.image if not c.image.startswith("sha256:") else _name(session, c), RUNTIME, c.pid or c.ended_pid, _task(c))
        for c in session.namespace().containers.values()
    ]
    if session.space == "k8s.io" and not runtime(session.world, session.host).shim:
        for s in runtime(session.world, session.host).sandboxes.values():
            found.append((s.id, "registry.k8s.io/pause:3.10.2", RUNTIME, s.pid, "RUNNING" if s.pid else ""))
    return sorted(found)


def _name(session: Session, container: Container) -> str:
    build = stored.find(session.world, container.build)
    return next((t for t in sorted(catalogue.TAGS) if catalogue.TAGS[t] is build and t.endswith(":" + build.version)), build.name)


def _task(container: Container) -> str:
    if container.state == "RUNNING":
        return "PAUSED" if container.paused else "RUNNING"
    return "STOPPED" if container.state == "EXITED" and container.has_task and container.namespace != "k8s.io" else ""


def container_list(session: Session) -> int:
    """`ctr containers ls`."""
    session.connect()
    entries = _entries(session)
    if session.flag("quiet"):
        session.inv.out("".join(e[0] + "\n" for e in entries))
        return 0
    session.table([["CONTAINER", "IMAGE", "RUNTIME"], *([e[0], e[1], e[2]] for e in entries)])
    return 0


def container_info(session: Session) -> int:
    """`ctr containers info`."""
    if not session.args:
        raise CtrError("container id must be provided: invalid argument")
    session.connect()
    c = session.container(session.args[0])
    spec = oci.of_container(session.world, session.host, c)
    if session.flag("spec"):
        session.inv.out(json.dumps(spec, indent=4) + "\n")
        return 0
    stamp = logs.stamp(c.created_at)
    record = {
        "ID": c.id, "Labels": dict(sorted(c.labels.items())), "Image": c.image, "Runtime": {"Name": RUNTIME, "Options": {"type_url": "containerd.runc.v1.Options"}},
        "SnapshotKey": c.id, "Snapshotter": "overlayfs", "CreatedAt": stamp, "UpdatedAt": stamp, "Extensions": {}, "SandboxID": "", "Spec": spec,
    }  # fmt: skip
    session.inv.out(json.dumps(record, indent=4) + "\n")
    return 0


def container_create(session: Session) -> int:
    """`ctr containers create`."""
    args = session.args
    if not args:
        raise CtrError("image ref must be provided: invalid argument")
    if len(args) < 2:
        raise CtrError("container id must be provided: invalid argument")
    session.connect()
    session.context.values.setdefault("detach", True)
    for name in ("rm", "null-io"):
        session.context.values.setdefault(name, False)
    _new(session, args[0], args[1], args[2:])
    return 0


def container_remove(session: Session) -> int:
    """`ctr containers rm`."""
    session.connect()
    if not session.args:
        raise CtrError("must specify at least one container to delete: invalid argument")
    first = ""
    for ident in session.args:
        try:
            c = session.container(ident)
            if c.state == "RUNNING":
                raise CtrError("cannot delete a non stopped container: {running 0 0001-01-01 00:00:00 +0000 UTC}")
            containers.remove(session.world, session.host, c)
        except CtrError as failed:
            session.log("error", f'failed to delete container "{ident}"', str(failed))
            first = first or str(failed)
    if first:
        raise CtrError(first)
    return 0


# -- tasks --------------------------------------------------------------------------------------------------------------
def task_list(session: Session) -> int:
    """`ctr tasks ls`."""
    session.connect()
    entries = [e for e in _entries(session) if e[4]]
    if session.flag("quiet"):
        session.inv.out("".join(e[0] + "\n" for e in entries))
        return 0
    from .. import tabwriter

    text = "TASK\tPID\tSTATUS\t\n" + "".join(f"{e[0]}\t{e[3]}\t{e[4]}\n" for e in entries)
    session.inv.out(tabwriter.align(text, minwidth=4, tabwidth=8, padding=4))
    return 0


def _running(session: Session, ident: str) -> Container:
    c = session.container(ident)
    if not _task(c):
        raise CtrError(f"no running task found: task {ident} not found: not found")
    return c


def task_start(session: Session) -> Generator[Wait, Any, int]:
    """`ctr tasks start`."""
    if not session.args:
        raise CtrError("container id must be provided")
    session.connect()
    c = session.container(session.args[0])
    if c.has_task:
        raise CtrError(f"task {c.id}: already exists")
    c.state = "CREATED"
    c.log_path = "" if session.flag("detach") else f"/run/containerd/fifo/{session.space}-{c.id}/0.log"
    attached.begin(session.inv, c, interactive=False)
    if session.flag("detach"):
        return 0
    code = yield from attached.follow(session.inv, c, interactive=False)
    attached.forget_log(session.inv, c)
    c.has_task = False
    return code


def task_kill(session: Session) -> int:
    """`ctr tasks kill`."""
    if not session.args:
        raise CtrError("container id must be provided")
    session.connect()
    c = _running(session, session.args[0])
    word = str(session.flag("signal") or "")
    number = c.stop_signal
    if word:
        if word.isdigit():
            number = int(word)
        else:
            name = word.upper() if word.upper().startswith("SIG") else "SIG" + word.upper()
            if name not in SIGNALS:
                raise CtrError(f'unknown signal "{word}"')
            number = SIGNALS[name]
    if c.state != "RUNNING":
        raise CtrError("process already finished: not found")
    containers.signal(session.world, session.host, c, number)
    return 0


def task_remove(session: Session) -> int:
    """`ctr tasks rm`."""
    session.connect()
    first = ""
    for ident in session.args:
        try:
            c = _running(session, ident)
        except CtrError as failed:
            session.log("error", f"failed to load task from {ident}", str(failed))
            first = first or str(failed)
            continue
        if c.state == "RUNNING":
            if not session.flag("force"):
                text = "task must be stopped before deletion: running: failed precondition"
                session.log("error", f"unable to delete {ident}", text)
                first = first or text
                continue
            containers.signal(session.world, session.host, c, 9)
            containers.ended(session.world, session.host, c.id, 137)
        c.has_task = False
        if c.exit_code:
            session.log("warning", f"task {ident} exit with non-zero exit code {c.exit_code}")
    if first:
        raise CtrError(first)
    return 0


def task_exec(session: Session) -> Generator[Wait, Any, int]:
    """`ctr tasks exec`."""
    if not session.args:
        raise CtrError("container id must be provided")
    session.connect()
    c = _running(session, session.args[0])
    argv = session.args[1:]
    if not argv:
        raise CtrError("args must not be empty")
    problem = execs.exec_error(session.world, session.host, c, argv)
    if problem:
        raise CtrError(f"OCI runtime exec failed: exec failed: unable to start container process: {problem}")
    if session.flag("detach"):
        executor.run_in(
            session.world, session.host, argv, mnt=c.id, netns=c.netns, user="root", env=dict(c.env), cwd=c.cwd, container=c.id
        )
        return 0
    return (
        yield from executor.exec_in(
            cast(Call, session.inv), session.host, argv, mnt=c.id, netns=c.netns, env=dict(c.env),
            user=str(session.flag("user") or c.user).partition(":")[0], cwd=str(session.flag("cwd") or c.cwd), container=c.id, stdin=True,
        )
    )  # fmt: skip


def task_ps(session: Session) -> int:
    """`ctr tasks ps`."""
    if not session.args:
        raise CtrError("container id must be provided")
    session.connect()
    c = _running(session, session.args[0])
    rows = "PID\tINFO\n" + "".join(
        f"{p.pid}\t-\n" for p in sorted(session.inv.host.processes.values(), key=lambda p: p.pid) if p.container == c.id
    )
    from .. import tabwriter

    session.inv.out(tabwriter.align(rows, minwidth=1, tabwidth=8, padding=4))
    return 0


def task_attach(session: Session) -> Generator[Wait, Any, int]:
    """`ctr tasks attach`: waits for the task (its output is not kept)."""
    if not session.args:
        raise CtrError("container id must be provided")
    session.connect()
    c = _running(session, session.args[0])
    while c.state == "RUNNING":
        yield WaitTopic((f"container:{session.host}:{c.id}",))
    return c.exit_code


def version(session: Session) -> int:
    """`ctr version`."""
    out = session.inv.out
    if session.args:
        raise CtrError(f"extra arguments: {session.args}")
    out(f"Client:\n  Version:  v{containerd.VERSION}\n  Revision: {containerd.REVISION}\n  Go version: go1.25.5\n\n")
    session.connect()
    seed = session.inv.host.machine_id.ljust(32, "0")
    uuid = f"{seed[:8]}-{seed[8:12]}-4{seed[13:16]}-a{seed[17:20]}-{seed[20:32]}"
    out(f"Server:\n  Version:  v{containerd.VERSION}\n  Revision: {containerd.REVISION}\n  UUID: {uuid}\n")
    return 0
