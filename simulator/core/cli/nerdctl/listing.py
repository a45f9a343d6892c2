"""`nerdctl ps`, `inspect`, `port`, `info`, `version`, `network ls`, `volume`, `namespace ls` (`pkg/cmd/{container,system,network,volume}`)."""

from __future__ import annotations

import json
from typing import Any

from ...kernel import network
from ...runtime import catalogue, containerd, logs
from ...runtime import images as stored
from ...runtime import state as store
from ...runtime.engine import core, creation
from ...runtime.state import Container, runtime
from .. import human
from ..crictl.images import image_config
from ..flags import quote
from . import images
from .session import DATA, VERSION, NerdctlError, Session

Obj = dict[str, Any]


def status(session: Session, c: Container) -> str:
    """`Up`, `Exited (0) 3 minutes ago`, `Created`."""
    if c.state == "RUNNING":
        return "Paused" if c.paused else "Up" + (f" ({c.health.status})" if c.health is not None else "")
    if c.restarting:
        return f"Restarting ({c.exit_code}) {human.ago(session.world, c.finished_at)}"
    if c.state == "EXITED":
        return f"Exited ({c.exit_code}) {human.ago(session.world, c.finished_at)}"
    return "Created"


def ports(c: Container) -> str:
    """`0.0.0.0:80->80/tcp`."""
    return ", ".join(f"{p.host_ip}:{p.host_port}->{p.container_port}/{p.protocol}" for p in c.ports)


def _image(session: Session, c: Container) -> str:
    if not c.image.startswith("sha256:"):
        return c.image
    build = stored.find(session.world, c.build)
    return next((t for t in sorted(catalogue.TAGS) if catalogue.TAGS[t] is build and t.endswith(":" + build.version)), build.name)


def ps(session: Session) -> int:
    """`nerdctl ps`."""
    session.connect()
    values = session.values
    form = values.text("format")
    if form not in ("", "table", "wide", "json"):
        from ...kernel.errors import NotSimulated

        raise NotSimulated("nerdctl ps --format with a template")
    entries: list[tuple[int, str, list[str], str, str, str, str]] = []
    for c in session.namespace().containers.values():
        entries.append((c.created_at, c.id, c.argv, _image(session, c), status(session, c), ports(c), session.names(c)))
    if session.space == "k8s.io":
        for s in runtime(session.world, session.host).sandboxes.values():
            state = "Up" if s.pid else f"Exited (137) {human.ago(session.world, s.created_at)}"
            entries.append(
                (s.created_at, s.id, ["/pause"], "registry.k8s.io/pause:3.10.2", state, "", f"k8s://{s.namespace}/{s.name}")
            )
    entries.sort(key=lambda e: (-e[0], e[1]))
    last = 1 if values.on("latest") else values.number("last")
    if last > 0:
        entries = entries[:last]
    elif not values.on("all"):
        entries = [e for e in entries if e[4].startswith("Up")]
    for condition in values.items("filter"):
        key, _, wanted = condition.partition("=")
        if key == "name":
            entries = [e for e in entries if wanted in e[6]]
        elif key == "status":
            entries = [e for e in entries if e[4].split(" ")[0].lower().replace("up", "running") == wanted]
        else:
            from ...kernel.errors import NotSimulated

            raise NotSimulated(f"nerdctl ps --filter {key}")
    full = values.on("no-trunc")
    if values.on("quiet"):
        session.inv.out("".join((e[1] if full else e[1][:12]) + "\n" for e in entries))
        return 0
    rows = [["CONTAINER ID", "IMAGE", "COMMAND", "CREATED", "STATUS", "PORTS", "NAMES"]]
    for created, ident, argv, image, state, mapped, name in entries:
        command = " ".join(argv)
        if not full and len(command) > 20:
            command = command[:19] + "…"
        rows.append(
            [ident if full else ident[:12], image, quote(command), human.ago(session.world, created), state, mapped, name]
        )
    if form == "json":
        keys = ("ID", "Image", "Command", "CreatedAt", "Status", "Ports", "Names")
        session.inv.out(
            "".join(
                json.dumps(dict(zip(keys, row, strict=True)), separators=(",", ":"), ensure_ascii=False) + "\n"
                for row in rows[1:]
            )
        )
        return 0
    session.show(rows)
    return 0


def _ip(session: Session, c: Container) -> str:
    found = network.network(session.world).namespaces.get(c.netns)
    return found.ips[0] if found is not None and found.ips and not c.shared_netns else ""


def inspect_container(session: Session, c: Container) -> Obj:
    ip = _ip(session, c)
    mapped: Obj = {}
    for p in c.ports:
        mapped.setdefault(f"{p.container_port}/{p.protocol}", []).append({"HostIp": p.host_ip, "HostPort": str(p.host_port)})
    running = c.state == "RUNNING"
    state = {"RUNNING": "running", "EXITED": "exited", "CREATED": "created"}[c.state]
    subnet = ip.rpartition(".")[0] + ".1" if ip else ""
    return {
        "Id": c.id,
        "Created": logs.stamp(c.created_at),
        "Path": c.argv[0],
        "Args": c.argv[1:],
        "State": {
            "Status": state, "Running": running, "Paused": False, "Restarting": False, "Pid": c.pid, "ExitCode": c.exit_code, "Error": c.message,
            "StartedAt": logs.stamp(c.started_at) if c.started_at else "", "FinishedAt": logs.stamp(c.finished_at) if c.finished_at else "0001-01-01T00:00:00Z",
        },
        "Image": _image(session, c),
        "ResolvConfPath": f"{DATA}/containers/{session.space}/{c.id}/resolv.conf",
        "HostnamePath": f"{DATA}/containers/{session.space}/{c.id}/hostname",
        "LogPath": c.log_path,
        "Name": c.name,
        "RestartCount": 0,
        "Driver": "overlayfs",
        "Platform": "linux",
        "Mounts": [{"Type": "bind", "Source": m.source, "Destination": m.target, "Mode": "ro" if m.readonly else "", "RW": not m.readonly, "Propagation": "rprivate"} for m in c.mounts],
        "Config": {**image_config(stored.find(session.world, c.build)), "Hostname": c.hostname, "User": c.user if c.user != "root" else "", "Env": [f"{k}={v}" for k, v in c.env.items()], "Labels": dict(sorted(c.labels.items()))},
        "NetworkSettings": {
            "Ports": mapped, "GlobalIPv6Address": "", "GlobalIPv6PrefixLen": 0, "IPAddress": ip, "IPPrefixLen": 24 if ip else 0, "MacAddress": "",
            "Networks": {"unknown-eth0": {"IPAddress": ip, "IPPrefixLen": 24, "Gateway": subnet, "MacAddress": ""}} if ip else {},
        },
    }  # fmt: skip


def inspect(session: Session) -> int:
    """`nerdctl inspect`: containers first, then images."""
    session.connect()
    found = []
    for word in session.args:
        try:
            found.append(inspect_container(session, session.find(word)))
        except NerdctlError as failed:
            image = images.find(session, word)
            if image is None:
                raise NerdctlError(f"1 errors:\nno such object: {word}") from failed
            found.append(images.inspect_one(session, image))
    session.inv.out(json.dumps(found, indent=4, ensure_ascii=False) + "\n")
    return 0


def port(session: Session) -> int:
    """`nerdctl port`."""
    session.connect()
    c = session.find(session.args[0])
    session.inv.out("".join(f"{p.container_port}/{p.protocol} -> {p.host_ip}:{p.host_port}\n" for p in c.ports))
    return 0


def version(session: Session) -> int:
    """`nerdctl version`."""
    out = session.inv.out
    out(
        f"Client:\n Version:\tv{VERSION}\n OS/Arch:\tlinux/amd64\n Git commit:\t1af9d5ab49a2bb9f2d5d6c2e2ef4bcd35a6b7a0f\n buildctl:\n  Version:\t\n\n"
    )
    session.connect()
    out(
        f"Server:\n containerd:\n  Version:\tv{containerd.VERSION}\n  GitCommit:\t{containerd.REVISION}\n runc:\n  Version:\t1.3.4\n  GitCommit:\tv1.3.4-0-gd6d73eb8\n"
    )
    return 0


def info(session: Session) -> int:
    """`nerdctl info`."""
    session.connect()
    host = session.inv.host
    memory = host.memory_kib / 1024 / 1024
    lines = [
        "Client:", f" Namespace:\t{session.space}", " Debug Mode:\tfalse", "", "Server:", f" Server Version: v{containerd.VERSION}", " Storage Driver: overlayfs",
        " Logging Driver: json-file", " Cgroup Driver: systemd", " Cgroup Version: 2", " Plugins:", "  Log:     fluentd journald json-file none syslog", "  Storage: native overlayfs",
        " Security Options:", "  apparmor", "  seccomp", "   Profile: builtin", "  cgroupns", f" Kernel Version:   {host.kernel}", f" Operating System: {host.os_image}", " OSType:           linux",
        " Architecture:     x86_64", f" CPUs:             {host.cpus}", f" Total Memory:     {memory:.3f}GiB", f" Name:             {host.name}", f" ID:               {host.system_uuid}",
    ]  # fmt: skip
    session.inv.out("\n".join(lines) + "\n\n")
    return 0


def networks(session: Session) -> int:
    """`nerdctl network ls`."""
    session.connect()
    found = core.engine(session.world, session.host, session.space).networks
    if session.on("quiet"):
        session.inv.out("".join(f"{found[name].id[:12]}\n" for name in sorted(found) if found[name].driver == "bridge"))
        return 0
    rows = [["NETWORK ID", "NAME", "FILE"]]
    for name in [n for n in sorted(found) if n not in ("host", "none")]:
        ident = "17f29b073143" if name == "bridge" else found[name].id[:12]
        rows.append([ident, name, f"/etc/cni/net.d/nerdctl-{name}.conflist"])
    session.show([*rows, ["", "host", ""], ["", "none", ""]])
    return 0


def namespaces(session: Session) -> int:
    """`nerdctl namespace ls`."""
    session.connect()
    rows = [["NAME", "CONTAINERS", "IMAGES", "VOLUMES", "LABELS"]]
    spaces = store.spaces(session.world, session.host)
    for name in sorted(spaces):
        space = spaces[name]
        extra = len(runtime(session.world, session.host).sandboxes) if name == "k8s.io" else 0
        rows.append(
            [
                name,
                str(len(space.containers) + extra),
                str(len(space.images)),
                str(len(_volumes(session, name))),
                ",".join(f"{k}={v}" for k, v in sorted(space.labels.items())),
            ]
        )
    session.show(rows)
    return 0


def _volumes(session: Session, space: str) -> list[str]:
    return (
        sorted(core.engine(session.world, session.host, space).volumes)
        if space in runtime(session.world, session.host).engines
        else []
    )


def volume_list(session: Session) -> int:
    """`nerdctl volume ls`."""
    session.connect()
    names = _volumes(session, session.space)
    if session.on("quiet"):
        session.inv.out("".join(name + "\n" for name in names))
        return 0
    rows = [["VOLUME NAME", "DIRECTORY"]]
    rows += [[name, core.volume_path(session.space, name)] for name in names]
    session.show(rows)
    return 0


def volume_create(session: Session) -> int:
    """`nerdctl volume create`."""
    session.connect()
    name = session.args[0] if session.args else ""
    if name in _volumes(session, session.space):
        human.logrus(session.inv, "warning", f'volume "{name}" already exists and will be returned as-is')
    labels = {word.partition("=")[0]: word.partition("=")[2] for word in session.items("label")}
    session.inv.out(creation.make_volume(session.world, session.host, session.space, name, labels).name + "\n")
    return 0


def volume_remove(session: Session) -> int:
    """`nerdctl volume rm`."""
    session.connect()
    for name in session.args:
        if name not in _volumes(session, session.space):
            raise NerdctlError(f"1 errors:\nvolume not found: {name}")
        if creation.users_of(session.world, session.host, session.space, name):
            raise NerdctlError(f'1 errors:\nvolume "{name}" is in use (failed precondition)')
        creation.remove_volume(session.world, session.host, session.space, name)
        session.inv.out(name + "\n")
    return 0
