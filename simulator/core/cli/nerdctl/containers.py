"""`nerdctl run`, `create`, `start`, `stop`, `kill`, `restart`, `rm`, `exec`, `logs`, `wait` (`pkg/cmd/container`)."""

from __future__ import annotations

import posixpath
from collections.abc import Generator
from typing import Any, cast

from ...host import executor, files
from ...host.invocation import Call
from ...host.program import Wait, WaitTopic
from ...kernel import network
from ...kernel.clock import SECOND
from ...kernel.errors import NotSimulated
from ...runtime import catalogue, cni, containers, execs, logs
from ...runtime.cri import SIGNALS
from ...runtime.state import Container, Mount, Port, find_container
from .. import attached, human
from ..flags import parse_duration
from . import images
from .session import DATA, NerdctlError, Session


def _ports(words: list[str]) -> list[Port]:
    out: list[Port] = []
    for word in words:
        spec, _, protocol = word.partition("/")
        parts = spec.split(":")
        try:
            if len(parts) == 1:
                raise NotSimulated("nerdctl run -p with a random host port")
            address = parts[0] if len(parts) == 3 else "0.0.0.0"
            out.append(Port(int(parts[-2]), int(parts[-1]), protocol or "tcp", address))
        except ValueError:
            raise NerdctlError(f"invalid containerPort: {parts[-1]}") from None
        if not 0 < out[-1].host_port < 65536:
            raise NerdctlError(f"invalid hostPort: {parts[-2]}")
    return out


def _mounts(session: Session, ident: str, build: catalogue.Build) -> list[Mount]:
    out: list[Mount] = []
    for text in session.values.items("volume"):
        parts = text.split(":")
        if len(parts) == 1:
            source, target, mode = f"/var/lib/nerdctl/1935db59/volumes/{session.space}/{ident}-{len(out)}/_data", parts[0], ""
        else:
            source, target, mode = parts[0], parts[1], parts[2] if len(parts) > 2 else ""
        if not source.startswith("/"):
            if source.startswith("."):
                source = posixpath.normpath(posixpath.join(session.inv.cwd, source))
            else:
                source = f"/var/lib/nerdctl/1935db59/volumes/{session.space}/{source}/_data"
        if not target.startswith("/"):
            raise NerdctlError(f'invalid volume mount "{text}": expected an absolute path, got "{target}"')
        if not session.inv.host.fs.exists(source):
            files.make_dir(session.world, session.host, source, parents=True)
        out.append(Mount(target, source, "ro" in mode.split(",")))
    return out


def _environment(session: Session, build: catalogue.Build) -> dict[str, str]:
    env = dict(build.env)
    for path in session.values.items("env-file"):
        for line in session.inv.read_file(path).decode(errors="replace").splitlines():
            if line.strip() and not line.startswith("#"):
                key, equals, value = line.partition("=")
                env[key] = value if equals else session.inv.env.get(key, "")
    for pair in session.values.items("env"):
        key, equals, value = pair.partition("=")
        if equals:
            env[key] = value
        elif key in session.inv.env:
            env[key] = session.inv.env[key]
    return env


def _create(session: Session) -> Generator[Wait, Any, Container]:
    values, world, host = session.values, session.world, session.host
    ref = images.reference(session.args[0])
    space = session.namespace(make=True)
    name = values.text("name")
    taken = next((c for c in space.containers.values() if c.name == name and name), None)
    if taken is not None:
        raise NerdctlError(f'name-store error\nname "{name}" is already used by ID "{taken.id}"')
    image = images.find(session, session.args[0])
    policy = values.text("pull")
    if image is None and policy == "never":
        raise NerdctlError(f'image not available: "{ref.name}"')
    if image is None or policy == "always":
        image = yield from images.fetch(session, ref.name, quiet=values.on("quiet"))
    build = catalogue.BUILDS[image.build]
    ports = _ports(values.items("publish"))
    held = network.network(world).namespaces[host].listeners
    for port in ports:
        if held.get(f"{port.host_port}/{port.protocol}"):
            raise NerdctlError(f"bind for {port.host_ip}:{port.host_port} failed: port is already allocated")
    ident = containers.new_id(world, host)
    entrypoint = [values.text("entrypoint")] if "entrypoint" in values.changed else list(build.entrypoint)
    entrypoint = [w for w in entrypoint if w]
    argv = entrypoint + (session.args[1:] or ([] if "entrypoint" in values.changed else list(build.cmd)))
    if not argv:
        raise NerdctlError("no command or entrypoint provided, and no CMD or ENTRYPOINT from image")
    net = values.text("network") or "bridge"
    if net not in ("bridge", "host", "none"):
        raise NotSimulated(f"nerdctl run --network {net}")
    netns = host if net == "host" else f"{host}/nerdctl-{ident[:12]}"
    env = _environment(session, build)
    env["HOSTNAME"] = values.text("hostname") or (host if net == "host" else ident[:12])
    container = Container(
        id=ident, namespace=session.space, image=image.name, image_id=image.image_id, build=build.name, argv=argv, env=env,
        cwd=values.text("workdir") or build.cwd, user=values.text("user") or build.user or "root", hostname=env["HOSTNAME"],
        labels=dict(pair.partition("=")[::2] for pair in values.items("label")), name=name or f"{build.repository.rpartition('/')[2]}-{ident[:5]}",
        netns=netns, shared_netns=net == "host", mounts=_mounts(session, ident, build), ports=ports,
        log_path=f"{DATA}/containers/{session.space}/{ident}/{ident}-json.log", tty=values.on("tty"), stdin=values.on("interactive"),
        stop_signal=SIGNALS.get(build.stop_signal or "SIGTERM", 15), auto_remove=values.on("rm"),
    )  # fmt: skip
    _network(session, container, net)
    hosts_file = f"127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n{_ip(session, container)}\t{container.hostname} {container.name}\n"
    containers.create(world, host, container, {"/etc/hosts": hosts_file.encode()})
    return container


def _network(session: Session, container: Container, net: str) -> None:
    if net == "bridge":
        cni.attach(session.world, session.host, container.netns, cni.bridge_cidr(session.world, session.host))
    elif net == "none":
        network.add_namespace(session.world, container.netns, session.host, [])


def _ip(session: Session, container: Container) -> str:
    found = network.network(session.world).namespaces.get(container.netns)
    return found.ips[0] if found is not None and found.ips else ""


def _begin(session: Session, container: Container, *, interactive: bool) -> None:
    if not container.shared_netns and container.netns not in network.network(session.world).namespaces:
        _network(session, container, "bridge")
    try:
        attached.begin(session.inv, container, interactive=interactive)
    except containers.StartError as failed:
        container.state = "CREATED"
        raise NerdctlError(str(failed).removeprefix("failed to create containerd task: ")) from None


def create(session: Session) -> Generator[Wait, Any, int]:
    """`nerdctl create`."""
    session.connect()
    container = yield from _create(session)
    session.inv.out(container.id + "\n")
    return 0


def run(session: Session) -> Generator[Wait, Any, int]:
    """`nerdctl run`."""
    values = session.values
    detach = values.on("detach")
    if detach and values.on("interactive") and not values.on("tty"):
        raise NerdctlError("combination of flags -i and -d can only be specified together with -t")
    if values.on("tty") and not detach and not session.inv.stdin_tty:
        raise NerdctlError("provided file is not a console")
    session.connect()
    container = yield from _create(session)
    interactive = (values.on("interactive") or values.on("tty")) and not detach
    try:
        _begin(session, container, interactive=interactive)
    except NerdctlError:
        if values.on("rm"):
            containers.remove(session.world, session.host, container)
        raise
    if detach:
        session.inv.out(container.id + "\n")
        return 0
    return (yield from attached.follow(session.inv, container, interactive=interactive))


def _each(session: Session, work: Any) -> Generator[Wait, Any, int]:
    """Apply `work` to each named container; failures are collected as nerdctl does."""
    failures: list[str] = []
    for word in session.args:
        try:
            yield from work(session.find(word), word)
        except NerdctlError as failed:
            failures.append(str(failed))
            if len(session.args) > 1:
                human.logrus(session.inv, "error", str(failed))
    if failures:
        raise NerdctlError(f"{len(failures)} errors:\n" + "\n".join(failures))
    return 0


def _wait(session: Session, container: Container) -> Generator[Wait, Any, None]:
    while container.state == "RUNNING" and find_container(session.world, session.host, container.id) is not None:
        yield WaitTopic((f"container:{session.host}:{container.id}",))


def start(session: Session) -> Generator[Wait, Any, int]:
    """`nerdctl start`."""
    session.connect()

    def work(container: Container, word: str) -> Generator[Wait, Any, None]:
        if container.state != "RUNNING":
            _begin(session, container, interactive=False)
        session.inv.out(word + "\n")
        yield from ()

    return (yield from _each(session, work))


def stop(session: Session) -> Generator[Wait, Any, int]:
    """`nerdctl stop`: the stop signal, KILL after 10 s."""
    session.connect()

    def work(container: Container, word: str) -> Generator[Wait, Any, None]:
        containers.stop(session.world, session.host, container, session.values.number("time") * SECOND)
        yield from _wait(session, container)
        session.inv.out(word + "\n")

    return (yield from _each(session, work))


def restart(session: Session) -> Generator[Wait, Any, int]:
    """`nerdctl restart`."""
    session.connect()

    def work(container: Container, word: str) -> Generator[Wait, Any, None]:
        containers.stop(session.world, session.host, container, session.values.number("time") * SECOND)
        yield from _wait(session, container)
        _begin(session, container, interactive=False)
        session.inv.out(word + "\n")

    return (yield from _each(session, work))


def kill(session: Session) -> Generator[Wait, Any, int]:
    """`nerdctl kill`."""
    session.connect()
    word_ = session.values.text("signal").upper()
    number = int(word_) if word_.isdigit() else SIGNALS.get(word_ if word_.startswith("SIG") else "SIG" + word_, 0)
    if not number:
        raise NerdctlError(f'unknown signal "{session.values.text("signal")}"')

    def work(container: Container, word: str) -> Generator[Wait, Any, None]:
        if container.state != "RUNNING":
            raise NerdctlError(f"cannot kill container {container.id}: container is not running")
        containers.signal(session.world, session.host, container, number)
        session.inv.out(word + "\n")
        yield from ()

    return (yield from _each(session, work))


def remove(session: Session) -> Generator[Wait, Any, int]:
    """`nerdctl rm`."""
    session.connect()

    def work(container: Container, word: str) -> Generator[Wait, Any, None]:
        if container.state == "RUNNING":
            if not session.values.on("force"):
                raise NerdctlError(
                    f"container {container.id} is in running status. unpause/stop container first or force removal"
                )
            containers.signal(session.world, session.host, container, 9)
            yield from _wait(session, container)
        path = posixpath.dirname(container.log_path)
        if session.inv.host.fs.exists(path):
            files.remove_file(session.world, session.host, path, recursive=True)
        if find_container(session.world, session.host, container.id) is not None:
            containers.remove(session.world, session.host, container)
        session.inv.out(word + "\n")

    return (yield from _each(session, work))


def wait(session: Session) -> Generator[Wait, Any, int]:
    """`nerdctl wait`."""
    session.connect()

    def work(container: Container, word: str) -> Generator[Wait, Any, None]:
        yield from _wait(session, container)
        session.inv.out(f"{container.exit_code}\n")

    return (yield from _each(session, work))


def exec_command(session: Session) -> Generator[Wait, Any, int]:
    """`nerdctl exec`."""
    session.connect()
    values = session.values
    try:
        container = session.find(session.args[0])
    except NerdctlError:
        raise NerdctlError(f"no such container {session.args[0]}") from None
    argv = session.args[1:]
    if container.state != "RUNNING":
        raise NerdctlError(
            f"cannot exec in a stopped container {container.id}"
            if container.state == "EXITED"
            else f"no running task found: task {container.id} not found: not found"
        )
    if values.on("tty") and not session.inv.stdin_tty:
        raise NerdctlError("provided file is not a console")
    problem = execs.exec_error(session.world, session.host, container, argv)
    if problem:
        raise NerdctlError(f"OCI runtime exec failed: exec failed: unable to start container process: {problem}")
    env = dict(container.env)
    env.update(dict(pair.partition("=")[::2] for pair in values.items("env")))
    code = yield from executor.exec_in(
        cast(Call, session.inv), session.host, argv, mnt=container.id, netns=container.netns, env=env,
        user=(values.text("user") or container.user).partition(":")[0] or "root", cwd=values.text("workdir") or container.cwd,
        container=container.id, stdin=values.on("interactive"),
    )  # fmt: skip
    if code:
        raise NerdctlError(f"exec failed with exit code {code}", code)
    return 0


def show_logs(session: Session) -> Generator[Wait, Any, int]:
    """`nerdctl logs`."""
    session.connect()
    values = session.values
    try:
        container = session.find(session.args[0])
    except NerdctlError:
        raise NerdctlError(f"no such container {session.args[0]}") from None
    since = 0
    if values.text("since"):
        try:
            since = session.world.wall - parse_duration(values.text("since"))
        except ValueError as failed:
            raise NerdctlError(str(failed)) from None
    tail = values.text("tail")
    count = int(tail) if tail.isdigit() and int(tail) else -1
    seen = 0
    first = True
    while True:
        lines = logs.read(session.world, session.host, container.log_path)
        fresh = lines[seen:]
        seen = len(lines)
        for line in logs.select(fresh, tail=count if first else -1, since=since):
            (session.inv.err if line.stream == "stderr" else session.inv.out)(logs.render(line, values.on("timestamps")))
        first = False
        if (
            not values.on("follow")
            or container.state != "RUNNING"
            or find_container(session.world, session.host, container.id) is None
        ):
            return 0
        yield WaitTopic(
            (f"file:{session.host}:{posixpath.dirname(container.log_path)}", f"container:{session.host}:{container.id}")
        )
