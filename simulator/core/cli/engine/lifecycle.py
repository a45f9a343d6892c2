"""`run`, `create`, `start`, `stop`, `restart`, `kill`, `rm`, `wait`, `pause`, `unpause`, `rename`, `update`, `attach` (docker/cli `cli/command/container`)."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any, cast

from ...host.invocation import Call
from ...host.program import Sleep, Wait
from ...kernel.clock import MS, SECOND
from ...runtime import containers
from ...runtime.cri import SIGNALS
from ...runtime.engine import core, creation, life
from ...runtime.engine.core import EngineError
from ...runtime.engine.creation import BadSpec
from ...runtime.state import Container, find_container
from .. import attached, human
from . import pulling, spec
from .flagspec import memory_size
from .session import CliError, EngineSession, Steps


def make(session: EngineSession) -> Generator[Wait, Any, Container]:
    """The container of a `run` or `create`; the image is pulled when it is missing."""
    word = session.args[0]
    policy = session.flag("pull") or "missing"
    if policy not in ("always", "missing", "never"):
        raise BadSpec(f'invalid pull option: \'{policy}\': must be one of "always", "missing" or "never"')
    wanted = spec.read(session)
    name = pulling.reference(session, word)
    image = session.image(word)
    if image is None or policy == "always":
        if policy == "never":
            raise EngineError(
                f"No such image: {session.familiar(name)}" if session.docker else f'image not available: "{name}"', 404
            )
        image = yield from pulling.for_run(session, word, quiet=session.on("quiet"), missing=image is None)
    path = session.flag("cidfile")
    if path:
        try:
            session.inv.write_file(path, b"")
        except OSError as failed:
            raise BadSpec(f"failed to create the container ID file: open {path}: {(failed.strerror or '').lower()}") from None
    container = creation.create(session.world, session.host, session.space, image, word, wanted)
    pulling.mark(session, container)
    if path:
        session.inv.write_file(path, container.id.encode())
    return container


def create(session: EngineSession) -> Steps:
    """`create`."""
    session.connect()
    container = yield from make(session)
    session.inv.out(container.id + "\n")
    return 0


def begin(session: EngineSession, container: Container, *, interactive: bool = False) -> None:
    """Start a container; raises EngineError as the engine words runc's refusal."""
    fds = dict(cast(Call, session.inv).fds) if interactive else None
    try:
        life.start(session.world, session.host, container, fds=fds)
    except containers.StartError as failed:
        text = str(failed)
        if session.docker:
            text = "failed to create task for container: " + text.removeprefix("failed to create containerd task: ") + ": unknown"
        else:
            text = text.removeprefix("failed to create containerd task: ")
        container.exit_code = 127
        container.message = text
        raise EngineError(text) from None


def took(session: EngineSession) -> Generator[Wait, Any, None]:
    """The time that an engine takes to set up namespaces, network and shim."""
    yield Sleep(session.world.rng("engine").between(180, 420) * MS)


def run(session: EngineSession) -> Steps:
    """`run`."""
    detach = session.on("detach")
    if detach and session.items("attach"):
        raise CliError("conflicting options: cannot specify both --attach and --detach", 1)
    if detach and session.on("interactive") and not session.on("tty") and session.tool == "nerdctl":
        raise CliError("combination of flags -i and -d can only be specified together with -t")
    if session.on("tty") and not detach and not session.inv.stdin_tty:
        raise CliError("the input device is not a TTY" if session.docker else "provided file is not a console", 1)
    session.connect()
    container = yield from make(session)
    interactive = (session.on("interactive") or session.on("tty")) and not detach
    yield from took(session)
    try:
        begin(session, container, interactive=interactive)
    except EngineError:
        if session.on("rm"):
            containers.remove(session.world, session.host, container)
        raise
    if detach:
        session.inv.out(container.id + "\n")
        return 0
    code = yield from attached.follow(session.inv, container, interactive=interactive)
    return code


def each(
    session: EngineSession, work: Callable[[Container, str], Generator[Wait, Any, None]], words: list[str] | None = None
) -> Steps:
    """Apply `work` to each named container; failures are told together at the end."""
    failures: list[str] = []
    for word in session.args if words is None else words:
        try:
            yield from work(session.find(word), word)
        except EngineError as failed:
            failures.append(str(failed))
    return session.failed(failures)


def start(session: EngineSession) -> Steps:
    """`start`; with `-a` or `-i` the output of the one container follows."""
    session.connect()
    follow = session.on("attach") or session.on("interactive")
    if follow and len(session.args) > 1:
        raise CliError("you cannot start and attach multiple containers at once")
    if follow:
        container = session.find(session.args[0])
        interactive = session.on("interactive") and container.stdin
        if container.state != "RUNNING":
            begin(session, container, interactive=interactive)
        return (yield from attached.follow(session.inv, container, interactive=interactive, fresh=True))

    def work(container: Container, word: str) -> Generator[Wait, Any, None]:
        if container.state != "RUNNING":
            yield from took(session)
            begin(session, container)
        session.inv.out(word + "\n")

    if not session.docker:
        return (yield from each(session, work))
    failed: list[str] = []
    for word in session.args:
        try:
            yield from work(session.find(word), word)
        except EngineError as refused:
            session.print_error(str(refused))
            failed.append(word)
    if failed:
        raise CliError(f"failed to start containers: {', '.join(failed)}")
    return 0


def grace(session: EngineSession, container: Container) -> int:
    """How long a container may take to end, in ns: `-t`, its own stop timeout, ten seconds."""
    for name in ("timeout", "time"):
        if session.values.has(name) and session.given(name):
            seconds = session.values.number(name)
            return seconds * SECOND if seconds >= 0 else 365 * 24 * 3600 * SECOND
    return int(container.options.get("stop_timeout", 10)) * SECOND


def stop(session: EngineSession) -> Steps:
    """`stop`."""
    session.connect()

    def work(container: Container, word: str) -> Generator[Wait, Any, None]:
        own = session.flag("signal")
        before = container.stop_signal
        if own:
            container.stop_signal = signal_number(own)
        life.stop(session.world, session.host, container, grace(session, container))
        container.stop_signal = before
        yield from session.ended(container)
        session.inv.out(word + "\n")

    return (yield from each(session, work))


def restart(session: EngineSession) -> Steps:
    """`restart`."""
    session.connect()

    def work(container: Container, word: str) -> Generator[Wait, Any, None]:
        life.stop(session.world, session.host, container, grace(session, container))
        yield from session.ended(container)
        yield from took(session)
        begin(session, container)
        core.container_event(session.world, session.host, container, "restart")
        session.inv.out(word + "\n")

    return (yield from each(session, work))


def signal_number(word: str) -> int:
    """A signal by number or name; raises EngineError."""
    text = word.upper()
    number = int(text) if text.isdigit() else SIGNALS.get(text if text.startswith("SIG") else "SIG" + text, 0)
    if not 0 < number < 65:
        raise EngineError(f"invalid signal: {word}", 400)
    return number


def kill(session: EngineSession) -> Steps:
    """`kill`."""
    session.connect()
    number = signal_number(session.flag("signal") or "KILL")

    def work(container: Container, word: str) -> Generator[Wait, Any, None]:
        if container.state != "RUNNING":
            text = f"cannot kill container: {word}: container {container.id} is not running"
            raise EngineError(text if session.docker else f"cannot kill container {container.id}: container is not running", 409)
        life.kill(session.world, session.host, container, number)
        if number == 9:
            yield from session.ended(container)
        session.inv.out(word + "\n")

    return (yield from each(session, work))


def remove_one(
    session: EngineSession, container: Container, word: str, *, force: bool, volumes: bool
) -> Generator[Wait, Any, None]:
    """Remove a container; raises EngineError for one that runs."""
    if container.state == "RUNNING":
        if not force:
            if session.docker:
                state = "paused" if container.paused else "running"
                tip = (
                    "unpause and then stop the container before removal or force remove"
                    if container.paused
                    else "stop the container before removal or force remove"
                )
                raise EngineError(f'cannot remove container "{container.name}": container is {state}: {tip}', 409)
            raise EngineError(
                f"container {container.id} is in {'paused' if container.paused else 'running'} status. unpause/stop container first or force removal",
                409,
            )
        life.kill(session.world, session.host, container, 9)
        yield from session.ended(container)
    if find_container(session.world, session.host, container.id) is not None:
        container.restarting = False
        if volumes:
            container.options["remove_volumes"] = True
        containers.remove(session.world, session.host, container)


def remove(session: EngineSession) -> Steps:
    """`rm`."""
    session.connect()
    force = session.on("force")

    def work(container: Container, word: str) -> Generator[Wait, Any, None]:
        yield from remove_one(session, container, word, force=force, volumes=session.on("volumes"))
        session.inv.out(word + "\n")

    if force and session.docker:
        known = []
        for word in session.args:
            try:
                session.find(word)
                known.append(word)
            except EngineError as missing:
                session.print_error(str(missing))
        return (yield from each(session, work, known))
    return (yield from each(session, work))


def wait(session: EngineSession) -> Steps:
    """`wait`."""
    session.connect()

    def work(container: Container, word: str) -> Generator[Wait, Any, None]:
        yield from session.ended(container)
        session.inv.out(f"{container.exit_code}\n")

    return (yield from each(session, work))


def pause(session: EngineSession) -> Steps:
    """`pause`."""
    session.connect()

    def work(container: Container, word: str) -> Generator[Wait, Any, None]:
        if container.state != "RUNNING":
            raise EngineError(f"container {container.id} is not running", 409)
        if container.paused:
            raise EngineError(f"container {container.id} is already paused", 409)
        life.pause(session.world, session.host, container)
        session.inv.out(word + "\n")
        yield from ()

    return (yield from each(session, work))


def unpause(session: EngineSession) -> Steps:
    """`unpause`."""
    session.connect()

    def work(container: Container, word: str) -> Generator[Wait, Any, None]:
        if not container.paused:
            raise EngineError(f"container {container.id} is not paused", 409)
        life.unpause(session.world, session.host, container)
        session.inv.out(word + "\n")
        yield from ()

    return (yield from each(session, work))


def rename(session: EngineSession) -> int:
    """`rename`."""
    session.connect()
    container = session.find(session.args[0])
    new = session.args[1].removeprefix("/")
    if not creation._NAME.match(new):
        raise EngineError(f"Invalid container name ({session.args[1]}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed", 400)
    other = next((c for c in core.containers(session.world, session.host, session.space).values() if c.name == new), None)
    if other is container:
        raise EngineError("Renaming a container with the same name as its current name", 400)
    if other is not None:
        raise EngineError(
            f'Conflict. The container name "/{new}" is already in use by container "{other.id}". You have to remove (or rename) that container to be able to reuse that name.',
            409,
        )
    before, container.name = container.name, new
    core.container_event(session.world, session.host, container, "rename", oldName=f"/{before}")
    return 0


def update(session: EngineSession) -> Steps:
    """`update`: limits and restart policy."""
    if not session.values.changed:
        raise CliError("you must provide one or more flags when using this command")
    session.connect()

    def work(container: Container, word: str) -> Generator[Wait, Any, None]:
        host = container.options.setdefault("host", {})
        if session.given("restart"):
            policy = spec.restart_policy(session.flag("restart"), container.auto_remove)
            container.restart = "" if policy == "no" else policy
        if session.flag("memory") not in ("", "0"):
            wanted = memory_size(session.flag("memory"))
            if session.docker and container.memory_limit and host.get("MemorySwap", 0) > 0 and wanted > host["MemorySwap"]:
                text = f"Cannot {session.inv.argv[1]} container {container.id}: "
                raise EngineError(
                    text
                    + "Memory limit should be smaller than already set memoryswap limit, update the memoryswap at the same time",
                    409,
                )
            container.memory_limit = wanted
        if session.given("cpus"):
            host["NanoCpus"] = int(float(session.flag("cpus")) * SECOND)
        for name, field in (("cpu-shares", "CpuShares"), ("pids-limit", "PidsLimit")):
            if session.values.has(name) and session.given(name):
                host[field] = session.values.number(name)
        session.inv.out(word + "\n")
        yield from ()

    return (yield from each(session, work))


def attach(session: EngineSession) -> Steps:
    """`attach`: the output from now on; Ctrl-C goes to the container."""
    session.connect()
    container = session.find(session.args[0])
    if container.state != "RUNNING":
        raise (
            CliError("cannot attach to a stopped container, start it first")
            if session.docker
            else EngineError(f"container {container.id} is not running")
        )
    if container.paused:
        raise CliError("cannot attach to a paused container, unpause it first")
    return (yield from attached.follow(session.inv, container, interactive=False, fresh=True))


def prune(session: EngineSession) -> Steps:
    """`container prune`."""
    session.connect()
    if not session.on("force"):
        session.inv.out("WARNING! This will remove all stopped containers.\n")
        if not (yield from confirmed(session)):
            return 0
    gone = prune_containers(session)
    if gone:
        session.inv.out("Deleted Containers:\n" + "".join(ident + "\n" for ident in gone[0]) + "\n")
    session.inv.out(f"Total reclaimed space: {human.size(gone[1] if gone else 0)}\n")
    return 0


def prune_containers(session: EngineSession) -> tuple[list[str], int] | None:
    """Remove the containers that do not run: (ids, bytes), None when there are none."""
    from ...runtime.engine import diff

    found = [
        c
        for c in core.containers(session.world, session.host, session.space).values()
        if c.state != "RUNNING" and not c.sandbox and not c.restarting
    ]
    if not found:
        return None
    size = sum(diff.size(diff.of_container(session.world, session.host, c)) for c in found)
    for container in found:
        containers.remove(session.world, session.host, container)
    return [c.id for c in found], size


def confirmed(session: EngineSession) -> Generator[Wait, Any, bool]:
    """`Are you sure you want to continue? [y/N]`."""
    session.inv.out("Are you sure you want to continue? [y/N] ")
    answer = (yield from session.inv.read_line()).decode(errors="replace").strip()
    return answer.lower() in ("y", "yes")
