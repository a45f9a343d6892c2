"""`crictl create`, `start`, `run`, `stop`, `rm`, `exec` (`cmd/crictl/container.go`, `exec.go`)."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, cast

from ...host import executor
from ...host.invocation import Call
from ...host.program import Wait, WaitTopic
from ...kernel.clock import SECOND
from ...kernel.errors import NotSimulated
from ...runtime import cri, execs
from ...runtime.state import Container, find_container
from . import images, lists, pods
from .session import CrictlError, Session

Obj = dict[str, Any]


def _help() -> Exception:
    from .main import ShowHelp

    return ShowHelp()


def unsupported(session: Session) -> int:
    """A command of crictl that the simulator does not have."""
    raise NotSimulated(session.context.path)


def container_config(session: Session, path: str) -> Obj:
    """A ContainerConfig file as `cri.create_container` takes it."""
    config = pods.load(session, path, "containerConfig")
    if not (config.get("metadata") or {}).get("name"):
        raise CrictlError("load containerConfig: name is not in metadata")
    return {
        "metadata": config["metadata"],
        "image": str((config.get("image") or {}).get("image") or ""),
        "command": config.get("command"),
        "args": config.get("args"),
        "workingDir": config.get("working_dir"),
        "envs": [(e.get("key"), e.get("value")) for e in config.get("envs") or ()],
        "mounts": [
            {"containerPath": m.get("container_path"), "hostPath": m.get("host_path"), "readonly": m.get("readonly")}
            for m in config.get("mounts") or ()
        ],
        "labels": config.get("labels"),
        "annotations": config.get("annotations"),
        "logPath": config.get("log_path"),
        "tty": config.get("tty"),
        "stdin": config.get("stdin"),
    }


def _create(session: Session, pod: str, path: str) -> str:
    config = container_config(session, path)
    try:
        return cri.create_container(session.world, session.host, pod, config)
    except cri.CriError as failed:
        session.rpc_failed("CreateContainer in sandbox from runtime service", failed, podSandboxID=pod)
        raise CrictlError(f"creating container: create container: {failed}") from None


def create(session: Session) -> Generator[Wait, Any, int]:
    """`crictl create`."""
    if len(session.args) != 3:
        raise _help()
    session.runtime()
    if session.flag("with-pull"):
        yield from images.pull_image(session, container_config(session, session.args[1])["image"])
    pods.load(session, session.args[2], "podSandboxConfig")
    session.inv.out(_create(session, session.args[0], session.args[1]) + "\n")
    return 0


def run_both(session: Session) -> Generator[Wait, Any, int]:
    """`crictl run`: sandbox, image, container, start."""
    if len(session.args) != 2:
        raise _help()
    session.runtime()
    config = container_config(session, session.args[0])
    sandbox = pods.sandbox_config(session, session.args[1])
    yield from images.pull_image(session, config["image"])
    try:
        pod = cri.run_pod_sandbox(session.world, session.host, sandbox)
    except cri.CriError as failed:
        raise CrictlError(f"running container: run pod sandbox: {failed}") from None
    ident = _create(session, pod, session.args[0])
    try:
        cri.start_container(session.world, session.host, ident)
    except cri.CriError as failed:
        raise CrictlError(f'running container: starting the container "{ident}": {failed}') from None
    session.inv.out(ident + "\n")
    return 0


def start(session: Session) -> int:
    """`crictl start`."""
    if not session.args:
        raise CrictlError("ID cannot be empty")
    session.runtime()
    for ident in session.args:
        try:
            cri.start_container(session.world, session.host, ident)
        except cri.CriError as failed:
            session.rpc_failed("StartContainer from runtime service", failed, containerID=ident)
            raise CrictlError(f'starting the container "{ident}": {failed}') from None
        session.inv.out(ident + "\n")
    return 0


def _until_stopped(session: Session, container: Container) -> Generator[Wait, Any, None]:
    while True:
        current = find_container(session.world, session.host, container.id)
        if current is None or current.state != "RUNNING":
            return
        yield WaitTopic((f"container:{session.host}:{container.id}",))


def stop(session: Session) -> Generator[Wait, Any, int]:
    """`crictl stop`: waits until each container has ended."""
    session.runtime()
    ids = list(session.args)
    if session.flag("all"):
        ids = [c.id for c in cri.list_containers(session.world, session.host) if c.state == "RUNNING"]
    if not ids:
        if session.flag("all"):
            return 0
        raise CrictlError("ID cannot be empty")
    for ident in ids:
        try:
            container = cri.find_container(session.world, session.host, ident)
            cri.stop_container(session.world, session.host, ident, int(session.flag("timeout")) * SECOND)
        except cri.CriError as failed:
            session.rpc_failed("StopContainer from runtime service", failed, containerID=ident)
            raise CrictlError(f'stopping the container "{ident}": {failed}') from None
        yield from _until_stopped(session, container)
        session.inv.out(ident + "\n")
    return 0


def remove(session: Session) -> Generator[Wait, Any, int]:
    """`crictl rm`."""
    session.runtime()
    ids = list(session.args)
    if session.flag("all"):
        ids = [c.id for c in cri.list_containers(session.world, session.host)]
    if not ids:
        if session.flag("all"):
            return 0
        raise _help()
    for ident in ids:
        try:
            container = cri.find_container(session.world, session.host, ident)
        except cri.CriError as failed:
            raise CrictlError(f'getting container status "{ident}": {failed}') from None
        if container.state == "RUNNING":
            if not session.flag("force"):
                raise CrictlError(f'container "{ident}" is running, please stop it first')
            cri.stop_container(session.world, session.host, ident, 0)
            yield from _until_stopped(session, container)
        if find_container(session.world, session.host, container.id) is not None:
            cri.remove_container(session.world, session.host, container.id)
        session.inv.out(ident + "\n")
    return 0


def exec_command(session: Session) -> Generator[Wait, Any, int]:
    """`crictl exec`."""
    if not session.args:
        raise _help()
    session.runtime()
    session.runtime("image")
    filters = ("name", "pod", "image", "state", "label", "latest", "last")
    ids, argv = [session.args[0]], session.args[1:]
    several = any(name in session.context.given for name in filters)
    if several:
        ids, argv = [c.id for c in lists.select(session)], session.args
        if not ids:
            raise CrictlError("no containers found per filter")
    if not argv:
        raise CrictlError(
            "execing command in container: command not specified"
            if not session.flag("sync")
            else "execing command in container synchronously: command not specified"
        )
    code = 0
    for ident in ids:
        if several and not session.flag("quiet"):
            session.inv.out(f"{ident}\n")
        container = _target(session, ident)
        problem = execs.exec_error(session.world, session.host, container, argv)
        if problem:
            what = "execing command in container" + (" synchronously" if session.flag("sync") else "")
            where = f'failed to exec in container: failed to start exec "{session.world.rng("exec").hex(64)}": OCI runtime exec failed: exec failed: unable to start container process: {problem}'
            raise CrictlError(
                f"{what}: "
                + (
                    f"rpc error: code = Unknown desc = {where}"
                    if session.flag("sync")
                    else f"Internal error occurred: error executing command in container: {where}"
                )
            )
        code = yield from executor.exec_in(
            cast(Call, session.inv),
            session.host,
            argv,
            mnt=container.id,
            netns=container.netns or session.host,
            env=dict(container.env),
            user=execs.user_of(container),
            cwd=container.cwd,
            container=container.id,
            stdin=bool(session.flag("interactive")),
        )
        if code and not session.flag("ignore-errors"):
            raise CrictlError(f"execing command in container: command terminated with exit code {code}")
    return 0


def _target(session: Session, ident: str) -> Container:
    try:
        return cri.exec_target(session.world, session.host, ident)
    except cri.CriError as failed:
        session.rpc_failed("Exec cmd from runtime service", failed, containerID=ident)
        raise CrictlError(f"execing command in container: {failed}") from None
