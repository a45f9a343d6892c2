"""Making and forgetting containers of an engine: configuration, mounts, volumes, ports (moby `daemon/create.go`, nerdctl `pkg/cmd/container`)."""

from __future__ import annotations

import contextlib
import ipaddress
import posixpath
import re
from typing import Any

import msgspec

from ...host import files
from ...host.filesystem import FileSystem, Inode
from ...host.machine import hosts
from ...kernel import network as net
from ...kernel.world import World
from .. import containers, images
from ..build import Build
from ..cri import SIGNALS
from ..state import Container, Endpoint, Health, Image, Mount, Port, Volume
from . import core, life, networks
from .core import EngineError

_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]+\Z")
_VOLUME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]*\Z")


class BadSpec(Exception):
    """A command line that the client refuses before it asks the engine."""


class Spec(msgspec.Struct, kw_only=True):
    """What is asked for on `run` and `create` and in compose files.  `entrypoint` None keeps the image's; `options` are kept for `inspect`."""

    name: str = ""
    argv: list[str] = []
    entrypoint: list[str] | None = None
    env: dict[str, str] = {}
    cwd: str = ""
    user: str = ""
    hostname: str = ""
    labels: dict[str, str] = {}
    volumes: list[str] = []
    mounts: list[Mount] = []
    tmpfs: list[str] = []
    ports: list[Port] = []
    publish_all: bool = False
    expose: list[str] = []
    network: str = ""
    aliases: list[str] = []
    extra_networks: list[tuple[str, list[str]]] = []
    ip: str = ""
    links: list[str] = []
    tty: bool = False
    stdin: bool = False
    restart: str = "no"
    auto_remove: bool = False
    memory: int = 0
    stop_signal: str = ""
    health: Health | None = None
    no_healthcheck: bool = False
    volumes_from: list[str] = []
    options: dict[str, Any] = {}


def parse_ports(words: list[str]) -> list[Port]:
    """`[[ip:]host:]container[/protocol]`, with ranges (github.com/docker/go-connections `nat.ParsePortSpec`); host port 0 is any free one."""
    out: list[Port] = []
    for word in words:
        spec, slash, protocol = word.partition("/")
        protocol = (protocol or "tcp").lower()
        if protocol not in ("tcp", "udp", "sctp") or (slash and not protocol):
            raise BadSpec(f"invalid proto: {protocol}")
        ip, rest = "", spec
        if spec.startswith("["):
            ip, _, rest = spec[1:].partition("]")
            rest = rest.removeprefix(":")
        parts = rest.split(":")
        if len(parts) > 3:
            raise BadSpec(f"invalid publish opts format (should be name=value but got '{word}')")
        if len(parts) == 3:
            ip = parts[0]
        if ip:
            try:
                ipaddress.ip_address(ip)
            except ValueError:
                raise BadSpec(f"invalid IP address: {ip}") from None
        if not parts[-1]:
            raise BadSpec(f"no port specified: {word}<empty>")
        inner = _range(parts[-1], "containerPort")
        outer = _range(parts[-2], "hostPort") if len(parts) > 1 and parts[-2] else (0, 0)
        if outer != (0, 0) and outer[1] - outer[0] != inner[1] - inner[0]:
            raise BadSpec(f"invalid ranges specified for container and host Ports: {parts[-1]} and {parts[-2]}")
        for step in range(inner[1] - inner[0] + 1):
            out.append(Port(outer[0] + step if outer != (0, 0) else 0, inner[0] + step, protocol, ip or "0.0.0.0"))
    return out


def _range(text: str, what: str) -> tuple[int, int]:
    low, dash, high = text.partition("-")
    if not low.isdigit() or (dash and not high.isdigit()) or not 0 <= int(low) < 65536 or (dash and not 0 <= int(high) < 65536):
        raise BadSpec(f"invalid {what}: {text}")
    if dash and int(high) < int(low):
        raise BadSpec(f"invalid {what}: {text}")
    return int(low), int(high or low)


def create(world: World, host: str, space: str, image: Image, shown: str, spec: Spec) -> Container:
    """Make a container; raises EngineError.  `shown` is the image's name as it was typed."""
    build = images.find(world, image.build)
    known = core.containers(world, host, space)
    name = spec.name.removeprefix("/")
    docker = core.is_docker(space)
    if name and not _NAME.match(name):
        text = f"Invalid container name ({spec.name}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed"
        raise EngineError(text if docker else f"identifier {spec.name} must match pattern {_NAME.pattern}: invalid argument", 400)
    taken = next((c for c in known.values() if c.name == name and name), None)
    if taken is not None:
        raise EngineError(
            f'Conflict. The container name "/{name}" is already in use by container "{taken.id}". You have to remove (or rename) that container to be able to reuse that name.'
            if docker
            else f'name-store error\nname "{name}" is already used by ID "{taken.id}"', 409,
        )  # fmt: skip
    entry = list(build.entrypoint) if spec.entrypoint is None else [word for word in spec.entrypoint if word]
    argv = entry + (spec.argv or (list(build.cmd) if spec.entrypoint is None else []))
    if not argv:
        raise EngineError(
            "no command specified" if docker else "no command or entrypoint provided, and no CMD or ENTRYPOINT from image", 400
        )
    ident = containers.new_id(world, host)
    if not name:
        name = (
            core.random_name(world, host, space)
            if docker
            else f"{build.repository.rpartition('/')[2] if not build.made else shown.rpartition('/')[2].partition(':')[0]}-{ident[:5]}"
        )
    container = Container(
        id=ident, namespace=space, image=image.name, image_id=image.image_id, build=build.name, argv=argv, env=dict(build.env), cwd=spec.cwd or build.cwd,
        user=spec.user or build.user or "root", labels={**dict(build.labels), **spec.labels}, name=name, ports=list(spec.ports), tty=spec.tty,
        stdin=spec.stdin, stop_signal=_signal(spec.stop_signal or build.stop_signal or "SIGTERM"), memory_limit=spec.memory, auto_remove=spec.auto_remove,
        restart="" if spec.restart == "no" else spec.restart,
        options={**spec.options, "engine": "docker" if docker else "nerdctl", "ref": shown, "entrypoint": spec.entrypoint if spec.entrypoint is not None else list(build.entrypoint),
                 "cmd": spec.argv or (list(build.cmd) if spec.entrypoint is None else []), "expose": sorted({*build.ports, *(_port(p) for p in spec.expose)})},
        log_path=f"{core.container_dir(space, ident)}/{ident}-json.log", health=_health(build, spec),
    )  # fmt: skip
    if not container.env.get("PATH"):
        container.env["PATH"] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    if spec.tty:
        container.env["TERM"] = "xterm"
    container.env.update(spec.env)
    if spec.publish_all:
        for one in container.options["expose"]:
            port, _, protocol = one.partition("/")
            if not any(p.container_port == int(port) and p.protocol == protocol for p in container.ports):
                container.ports.append(Port(0, int(port), protocol or "tcp"))
    _random_ports(container)
    _network(world, host, container, spec)
    container.mounts = _mounts(world, host, container, build, spec)
    containers.create(world, host, container, {})
    files.make_dir(world, host, core.container_dir(space, ident), parents=True)
    core.container_event(world, host, container, "create")
    return container


def _port(text: str) -> str:
    return text if "/" in text else f"{text}/tcp"


def _random_ports(container: Container) -> None:
    """Remember which published ports take a new free port at every start."""
    words = "".join(f"{p.container_port}/{p.protocol};" for p in container.ports if p.host_port == 0)
    if words:
        container.options["random_ports"] = words


def _signal(word: str) -> int:
    text = word.upper()
    if text.isdigit():
        return int(text)
    found = SIGNALS.get(text if text.startswith("SIG") else "SIG" + text)
    if found is None:
        raise EngineError(f"invalid signal: {word}", 400)
    return found


def _health(build: Build, spec: Spec) -> Health | None:
    own = spec.health
    image = build.healthcheck
    if spec.no_healthcheck:
        return None
    if own is None and image is None:
        return None
    test = list(own.test) if own is not None and own.test else list(image.test) if image is not None else []
    if not test or test[0] == "NONE":
        return None

    def number(key: str) -> int:
        return (
            (getattr(own, key, 0) if own is not None else 0)
            or (getattr(image, key, 0) if image is not None else 0)
            or life.HEALTH_DEFAULTS[key]
        )

    return Health(test, number("interval"), number("timeout"), number("start_period"), number("retries"))


def _network(world: World, host: str, container: Container, spec: Spec) -> None:
    """The network mode and the networks that a container joins when it starts."""
    space, ident = container.namespace, container.id
    mode = spec.network or "bridge"
    if mode == "default":
        mode = "bridge"
    container.options["network_mode"] = mode
    container.hostname = spec.hostname or ident[:12]
    container.netns = f"{host}/{space}-{ident[:12]}"
    if mode == "host":
        container.netns, container.shared_netns = host, True
        container.hostname = spec.hostname or host
        container.ports = []
    elif mode.startswith("container:"):
        other = core.find(world, host, space, mode.partition(":")[2])
        if spec.ports:
            raise EngineError("conflicting options: port publishing and the container type network mode", 400)
        if spec.hostname and core.is_docker(space):
            raise EngineError("conflicting options: hostname and the network mode", 400)
        container.netns, container.shared_netns = other.netns, True
        container.hostname = other.hostname
        container.options["join"] = other.id
        container.options["network_mode"] = f"container:{other.id}"
    elif mode != "none":
        found = networks.find(world, host, space, mode)
        if spec.aliases and found.name == "bridge" and core.is_docker(space):
            raise EngineError("network-scoped aliases are only supported for user-defined networks", 400)
        if spec.ip:
            if found.name == "bridge" and core.is_docker(space):
                raise EngineError(
                    "user specified IP address is supported only when connecting to networks with user configured subnets", 400
                )
            container.options.setdefault("ips", {})[found.name] = spec.ip
        container.networks[found.name] = Endpoint("", list(spec.aliases))
        for name, aliases in spec.extra_networks:
            container.networks[networks.find(world, host, space, name).name] = Endpoint("", list(aliases))
        for link in spec.links:
            target, _, alias = link.partition(":")
            other = core.find(world, host, space, target)
            ip = next((one.ip for one in other.networks.values() if one.ip), "")
            container.options.setdefault("link_hosts", {})[alias or other.name] = ip
    elif container.ports and not core.is_docker(space):
        container.ports = []
    container.env["HOSTNAME"] = container.hostname


# -- mounts and volumes ---------------------------------------------------------------------------------------------------
def volume_name(world: World, host: str, space: str) -> str:
    """A name for an anonymous volume."""
    return world.rng(f"engine/{host}/{space}").hex(64)


def make_volume(world: World, host: str, space: str, name: str = "", labels: dict[str, str] | None = None) -> Volume:
    """A volume of that name (the one that exists, if it does); raises EngineError for a bad name."""
    engine = core.engine(world, host, space)
    anonymous = not name
    name = name or volume_name(world, host, space)
    found = engine.volumes.get(name)
    if found is not None:
        return found
    if not _VOLUME.match(name) or len(name) < 2:
        text = (
            f'create {name}: "{name}" includes invalid characters for a local volume name, only "[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed. '
            "If you intended to pass a host directory, use absolute path"
        )
        if _VOLUME.match(name):
            text = f"create {name}: volume name is too short, names should be at least two alphanumeric characters"
        raise EngineError(text, 400)
    found = engine.volumes[name] = Volume(name, world.wall, dict(labels or {}), anonymous)
    files.make_dir(world, host, core.volume_path(space, name), parents=True)
    core.event(world, host, space, "volume", "create", name, {"driver": "local"})
    return found


def users_of(world: World, host: str, space: str, name: str) -> list[Container]:
    """The containers that mount a volume."""
    return [
        c for c in core.containers(world, host, space).values() if any(m.kind == "volume" and m.name == name for m in c.mounts)
    ]


def remove_volume(world: World, host: str, space: str, name: str, *, force: bool = False) -> None:
    """Remove a volume; raises EngineError when it is unknown or used."""
    engine = core.engine(world, host, space)
    if name not in engine.volumes:
        if force:
            return
        raise EngineError(f"get {name}: no such volume", 404)
    used = users_of(world, host, space, name)
    if used:
        raise EngineError(f"remove {name}: volume is in use - [{', '.join(c.id for c in used)}]", 409)
    del engine.volumes[name]
    with contextlib.suppress(OSError):
        files.remove_file(world, host, posixpath.dirname(core.volume_path(space, name)), recursive=True)
    core.event(world, host, space, "volume", "destroy", name, {"driver": "local"})


def _mounts(world: World, host: str, container: Container, build: Build, spec: Spec) -> list[Mount]:
    space = container.namespace
    found: dict[str, Mount] = {}
    for word in spec.volumes_from:
        other = core.find(world, host, space, word.partition(":")[0])
        for mount in other.mounts:
            found[mount.target] = mount
    for text in spec.volumes:
        mount = _volume_word(world, host, container, text)
        found[mount.target] = mount
    for mount in spec.mounts:
        if mount.kind == "volume":
            volume = make_volume(world, host, space, mount.name)
            mount = Mount(mount.target, core.volume_path(space, volume.name), mount.readonly, "volume", volume.name)
        elif mount.kind == "bind" and not hosts(world)[host].fs.exists(mount.source):
            raise EngineError(f'invalid mount config for type "bind": bind source path does not exist: {mount.source}', 400)
        found[mount.target] = mount
    for text in spec.tmpfs:
        target = text.partition(":")[0]
        found[target] = Mount(target, _scratch(world, host, container, len(found)), False, "tmpfs")
    for target in build.volumes:
        if target not in found:
            volume = make_volume(world, host, space)
            found[target] = Mount(target, core.volume_path(space, volume.name), False, "volume", volume.name)
    for mount in found.values():
        if mount.kind == "volume":
            _copy_up(world, host, build, mount)
        elif mount.kind == "tmpfs" and not mount.source:
            mount.source = _scratch(world, host, container, len(found))
    return [found[target] for target in sorted(found)]


def _scratch(world: World, host: str, container: Container, number: int) -> str:
    """Where the files of a tmpfs are kept while the container exists."""
    path = f"{core.container_dir(container.namespace, container.id)}/mounts/tmpfs-{number}"
    files.make_dir(world, host, path, parents=True)
    return path


def _volume_word(world: World, host: str, container: Container, text: str) -> Mount:
    """`[source:]target[:options]` of `-v`."""
    docker = core.is_docker(container.namespace)
    parts = text.split(":")
    if len(parts) > 3 or not all(parts):
        raise EngineError(f"invalid volume specification: '{text}'" if docker else f"invalid volume specification: {text}", 400)
    mode = ""
    if len(parts) == 1:
        source, target = "", parts[0]
    elif len(parts) == 2:
        source, target = parts
    else:
        source, target, mode = parts
    if not target.startswith("/"):
        raise EngineError(
            f"invalid volume specification: '{text}': invalid mount config for type \"{'bind' if source.startswith('/') else 'volume'}\": invalid mount path: '{target}' mount path must be absolute",
            400,
        )
    unknown = [
        word
        for word in mode.split(",")
        if word
        and word
        not in (
            "ro",
            "rw",
            "z",
            "Z",
            "nocopy",
            "cached",
            "delegated",
            "consistent",
            "rprivate",
            "rshared",
            "rslave",
            "shared",
            "slave",
            "private",
            "rro",
        )
    ]
    if unknown:
        raise EngineError(f"invalid mode: {mode}", 400)
    target = posixpath.normpath(target)
    if target == "/":
        raise EngineError(f"invalid volume specification: '{text}': invalid specification: destination can't be '/'", 400)
    readonly = "ro" in mode.split(",")
    if source.startswith("/"):
        if not hosts(world)[host].fs.exists(source):
            files.make_dir(world, host, source, parents=True)
        return Mount(target, posixpath.normpath(source), readonly)
    volume = make_volume(world, host, container.namespace, source)
    return Mount(target, core.volume_path(container.namespace, volume.name), readonly, "volume", volume.name)


def _copy_up(world: World, host: str, build: Build, mount: Mount) -> None:
    """An empty volume takes what the image has at its mount point."""
    fs = hosts(world)[host].fs
    if fs.listdir(mount.source):
        return
    image = FileSystem(images.root(world, build.name))
    try:
        node = image.tree().locate(mount.target).node
    except OSError:
        return
    if node is None:
        return
    from ...host.filesystem import thaw

    real = thaw(node)
    for name, child in (real.children or {}).items():
        copied: Inode = images.copy_tree(child)
        fs.tree().put(posixpath.join(mount.source, name), copied, world.wall)
    top = fs.tree().edit(mount.source)
    top.mode, top.uid, top.gid = real.mode, real.uid, real.gid


def forgotten(world: World, host: str, container: Container) -> None:
    """A container has been removed: its log, its directory and (with `--rm` or `-v`) its anonymous volumes go."""
    folder = core.container_dir(container.namespace, container.id)
    if hosts(world)[host].fs.exists(folder):
        files.remove_file(world, host, folder, recursive=True)
    core.container_event(world, host, container, "destroy")
    if container.auto_remove or container.options.get("remove_volumes"):
        engine = core.engine(world, host, container.namespace)
        for mount in container.mounts:
            volume = engine.volumes.get(mount.name) if mount.kind == "volume" else None
            if volume is not None and volume.anonymous:
                with contextlib.suppress(EngineError):
                    remove_volume(world, host, container.namespace, volume.name)


def addresses(world: World, container: Container) -> list[str]:
    """The addresses of a running container."""
    found = net.network(world).namespaces.get(container.netns)
    return list(found.ips) if found is not None and not container.shared_netns else []
