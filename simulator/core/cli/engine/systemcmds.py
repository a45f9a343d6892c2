"""`system df|prune|events|info` and `version` (docker/cli `cli/command/system`)."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from ...host.program import Wait, WaitTopic
from ...kernel import clock
from ...kernel.clock import SECOND
from ...runtime import containerd
from ...runtime.engine import core, creation, diff, dockerd
from ...runtime.state import Container, EngineEvent
from .. import human
from . import formats, imagecmds, interact, lifecycle, resources
from .session import CliError, EngineSession


def df(session: EngineSession) -> int:
    """`system df`."""
    session.connect()
    found = [c for c in core.containers(session.world, session.host, session.space).values() if not c.sandbox]
    images = {i.image_id: i for i in session.images.values()}
    used = {c.image_id for c in found}
    engine = core.engine(session.world, session.host, session.space)
    total = sum(session.build(i).unpacked for i in images.values())
    free = sum(session.build(i).unpacked for i in images.values() if i.image_id not in used)
    sizes = {c.id: diff.size(diff.of_container(session.world, session.host, c)) for c in found}
    stopped = sum(sizes[c.id] for c in found if c.state != "RUNNING")
    volumes = {v.name: resources.volume_size(session, v) for v in engine.volumes.values()}
    busy = [name for name in volumes if creation.users_of(session.world, session.host, session.space, name)]
    idle = sum(size for name, size in volumes.items() if name not in busy)
    steps = [key for key in engine.cache if not key.startswith("base/")]

    def share(part: int, whole: int) -> str:
        return f"{human.size(part)} ({100 * part // whole}%)" if whole else human.size(part)

    rows = [
        {
            "Type": "Images",
            "TotalCount": str(len(images)),
            "Active": str(len(used & set(images))),
            "Size": human.size(total),
            "Reclaimable": share(free, total),
        },
        {
            "Type": "Containers",
            "TotalCount": str(len(found)),
            "Active": str(sum(c.state == "RUNNING" for c in found)),
            "Size": human.size(sum(sizes.values())),
            "Reclaimable": share(stopped, sum(sizes.values())),
        },
        {
            "Type": "Local Volumes",
            "TotalCount": str(len(volumes)),
            "Active": str(len(busy)),
            "Size": human.size(sum(volumes.values())),
            "Reclaimable": share(idle, sum(volumes.values())),
        },
        {"Type": "Build Cache", "TotalCount": str(len(steps)), "Active": "0", "Size": "0B", "Reclaimable": "0B"},
    ]
    header = {"Type": "TYPE", "TotalCount": "TOTAL", "Active": "ACTIVE", "Size": "SIZE", "Reclaimable": "RECLAIMABLE"}
    if session.on("verbose"):
        _df_verbose(session, found, sizes, volumes)
        return 0
    session.inv.out(formats.listing(session.flag("format"), header, tuple(header), rows))
    return 0


def _df_verbose(session: EngineSession, found: list[Container], sizes: dict[str, int], volumes: dict[str, int]) -> None:
    """`system df -v`: each image, container and volume with its own size."""
    session.inv.out("Images space usage:\n\n")
    session.inv.out(
        formats.table(
            [
                ["REPOSITORY", "TAG", "IMAGE ID", "CREATED", "SIZE", "SHARED SIZE", "UNIQUE SIZE", "CONTAINERS"],
                *(
                    [
                        (r := imagecmds.row(session, i, full=False))["Repository"],
                        r["Tag"],
                        r["ID"],
                        r["CreatedSince"],
                        r["Size"],
                        "0B",
                        r["Size"],
                        "0" if r["Containers"] == "N/A" else r["Containers"],
                    ]
                    for i in session.images.values()
                ),
            ]
        )
    )
    session.inv.out("\nContainers space usage:\n\n")
    session.inv.out(
        formats.table(
            [
                ["CONTAINER ID", "IMAGE", "COMMAND", "LOCAL VOLUMES", "SIZE", "CREATED", "STATUS", "NAMES"],
                *(
                    [
                        c.id[:12],
                        str(c.options.get("ref", c.image)),
                        f'"{" ".join(c.argv)[:18]}…"',
                        str(sum(m.kind == "volume" for m in c.mounts)),
                        human.size(sizes[c.id], 3),
                        human.ago(session.world, c.created_at),
                        session.status(c),
                        c.name,
                    ]
                    for c in found
                ),
            ]
        )
    )
    session.inv.out("\nLocal Volumes space usage:\n\n")
    session.inv.out(
        formats.table(
            [
                ["VOLUME NAME", "LINKS", "SIZE"],
                *(
                    [name, str(len(creation.users_of(session.world, session.host, session.space, name))), human.size(size)]
                    for name, size in volumes.items()
                ),
            ]
        )
    )
    session.inv.out(
        "\nBuild cache usage: 0B\n\n"
        + formats.table([["CACHE ID", "CACHE TYPE", "SIZE", "CREATED", "LAST USED", "USAGE", "SHARED"]])
    )


def prune(session: EngineSession) -> Generator[Wait, Any, int]:
    """`system prune`."""
    session.connect()
    everything, volumes = session.on("all"), session.on("volumes")
    if not session.on("force"):
        lines = [
            "WARNING! This will remove:",
            "  - all stopped containers",
            "  - all networks not used by at least one container",
        ]
        lines += ["  - all anonymous volumes not used by at least one container"] if volumes else []
        lines += (
            ["  - all images without at least one container associated to them", "  - all build cache"]
            if everything
            else ["  - all dangling images", "  - unused build cache"]
        )
        session.inv.out("\n".join(lines) + "\n\n")
        if not (yield from lifecycle.confirmed(session)):
            return 0
    freed = 0
    gone = lifecycle.prune_containers(session)
    if gone:
        session.inv.out("Deleted Containers:\n" + "".join(ident + "\n" for ident in gone[0]) + "\n")
        freed += gone[1]
    networks = resources.prune_networks(session)
    if networks:
        session.inv.out("Deleted Networks:\n" + "".join(n.name + "\n" for n in networks) + "\n")
    if volumes:
        removed, size = resources.prune_volumes(session, everything=False)
        if removed:
            session.inv.out("Deleted Volumes:\n" + "".join(v.name + "\n" for v in removed) + "\n")
        freed += size
    lines, size = imagecmds.prune_images(session, everything)
    if lines:
        session.inv.out("Deleted Images:\n" + "".join(line + "\n" for line in lines) + "\n")
    freed += size
    engine = core.engine(session.world, session.host, session.space)
    steps = [key for key in engine.cache if not key.startswith("base/")]
    if steps:
        session.inv.out("Deleted build cache objects:\n" + "".join(f"{key[:25]}\n" for key in steps) + "\n")
        engine.cache = {}
    session.inv.out(f"Total reclaimed space: {human.size(freed)}\n")
    return 0


def _event_line(session: EngineSession, e: EngineEvent, form: str) -> str:
    attributes = dict(sorted(e.attributes.items()))
    if form in ("json", "{{json .}}"):
        return formats.go_json({
            **({"status": e.action, "id": e.id, "from": attributes.get("image", "")} if e.kind == "container" else {}), "Type": e.kind, "Action": e.action,
            "Actor": {"ID": e.id, "Attributes": attributes}, "scope": "local", "time": e.at // SECOND, "timeNano": e.at,
        }) + "\n"  # fmt: skip
    if form:
        return (
            formats.render(
                form,
                {
                    "Type": e.kind,
                    "Action": e.action,
                    "Status": e.action,
                    "ID": e.id,
                    "From": attributes.get("image", ""),
                    "Actor": {"ID": e.id, "Attributes": attributes},
                    "Time": e.at // SECOND,
                    "TimeNano": e.at,
                },
            )
            + "\n"
        )
    text = ", ".join(f"{k}={v}" for k, v in attributes.items())
    stamp = clock.rfc3339(e.at)[:-1] + f".{e.at % SECOND:09d}Z"
    return f"{stamp} {e.kind} {e.action} {e.id}" + (f" ({text})" if text else "") + "\n"


def _wanted(e: EngineEvent, conditions: list[str]) -> bool:
    groups: dict[str, list[str]] = {}
    for text in conditions:
        groups.setdefault(text.partition("=")[0], []).append(text.partition("=")[2])
    for key, values in groups.items():
        if key == "type" and e.kind not in values:
            return False
        if key in ("event", "action") and not any(e.action == v or e.action.startswith(v + ":") for v in values):
            return False
        if key == "container" and not (
            e.kind == "container" and any(v == e.attributes.get("name") or e.id.startswith(v) for v in values)
        ):
            return False
        if key == "image" and not any(
            v == e.attributes.get("image", e.attributes.get("name", "")).partition(":")[0]
            or v == e.attributes.get("image", e.attributes.get("name"))
            for v in values
        ):
            return False
        if key == "network" and not (e.kind == "network" and any(v in (e.attributes.get("name"), e.id) for v in values)):
            return False
        if key == "volume" and not (e.kind == "volume" and e.id in values):
            return False
        if key == "label" and not any(v.partition("=")[0] in e.attributes for v in values):
            return False
    return True


def events(session: EngineSession) -> Generator[Wait, Any, int]:
    """`events`: what happens from now on (or `--since`), until Ctrl-C (or `--until`)."""
    session.connect()
    form, conditions = session.flag("format"), session.items("filter")
    since = interact.moment(session, session.flag("since")) if session.flag("since") else session.world.wall
    until = interact.moment(session, session.flag("until")) if session.flag("until") else 0
    last = since - 1
    count_at_last = 0
    while True:
        found = [e for e in core.engine(session.world, session.host, session.space).events if e.at > last or e.at == last]
        fresh = (
            [e for e in found if e.at > last] if count_at_last == 0 else [e for n, e in enumerate(found) if n >= count_at_last]
        )
        for e in fresh:
            if (not until or e.at <= until) and _wanted(e, conditions):
                session.inv.out(_event_line(session, e, form))
        if found:
            last = found[-1].at
            count_at_last = sum(e.at == last for e in found)
            if count_at_last == len(found):
                pass
        if until and session.world.wall >= until:
            return 0
        deadline = session.world.now + (until - session.world.wall) if until else None
        yield WaitTopic((f"engine:{session.host}:{session.space}",), deadline)


def version(session: EngineSession) -> int:
    """`docker version`."""
    wall = "Wed Oct  8 12:17:26 2025"
    client: dict[str, Any] = {
        "Platform": {"Name": "Docker Engine - Community"}, "Version": dockerd.VERSION, "ApiVersion": dockerd.API_VERSION, "DefaultAPIVersion": dockerd.API_VERSION,
        "GitCommit": "e180ab8", "GoVersion": "go1.24.8", "Os": "linux", "Arch": "amd64", "BuildTime": wall, "Context": session.context_name(),
    }  # fmt: skip
    form = session.flag("format")
    try:
        session.connect()
        server: dict[str, Any] | None = {
            "Platform": {"Name": "Docker Engine - Community"}, "Version": dockerd.VERSION, "ApiVersion": dockerd.API_VERSION, "MinAPIVersion": dockerd.MIN_API, "Os": "linux", "Arch": "amd64",
            "Experimental": False, "BuildTime": wall, "GitCommit": dockerd.COMMIT, "GoVersion": "go1.24.8", "KernelVersion": session.inv.host.kernel,
            "Components": [{"Name": "Engine", "Version": dockerd.VERSION}, {"Name": "containerd", "Version": f"v{containerd.VERSION}"}, {"Name": "runc", "Version": "1.3.4"}, {"Name": "docker-init", "Version": "0.19.0"}],
        }  # fmt: skip
        problem: CliError | None = None
    except CliError as failed:
        server, problem = None, failed
    if form:
        session.inv.out(
            formats.inspect(form, [{"Client": client, "Server": server}])
            if form != "json"
            else formats.go_json({"Client": client, "Server": server}) + "\n"
        )
    else:
        session.inv.out(
            f"Client: Docker Engine - Community\n Version:           {dockerd.VERSION}\n API version:       {dockerd.API_VERSION}\n Go version:        go1.24.8\n"
            f" Git commit:        e180ab8\n Built:             {wall}\n OS/Arch:           linux/amd64\n Context:           {session.context_name()}\n"
        )
        if server is not None:
            session.inv.out(
                f"\nServer: Docker Engine - Community\n Engine:\n  Version:          {dockerd.VERSION}\n  API version:      {dockerd.API_VERSION} (minimum version {dockerd.MIN_API})\n"
                f"  Go version:       go1.24.8\n  Git commit:       {dockerd.COMMIT}\n  Built:            {wall}\n  OS/Arch:          linux/amd64\n  Experimental:     false\n"
                f" containerd:\n  Version:          v{containerd.VERSION}\n  GitCommit:        {containerd.REVISION}\n runc:\n  Version:          1.3.4\n  GitCommit:        v1.3.4-0-gd6d73eb8\n"
                " docker-init:\n  Version:          0.19.0\n  GitCommit:        de40ad0\n"
            )
    if problem is not None:
        raise problem
    return 0


def info(session: EngineSession) -> int:
    """`docker info`."""
    head = (
        f"Client: Docker Engine - Community\n Version:    {dockerd.VERSION}\n Context:    {session.context_name()}\n Debug Mode: false\n Plugins:\n  buildx: Docker Buildx (Docker Inc.)\n"
        f"    Version:  {dockerd.BUILDX}\n    Path:     /usr/libexec/docker/cli-plugins/docker-buildx\n  compose: Docker Compose (Docker Inc.)\n    Version:  {dockerd.COMPOSE}\n"
        "    Path:     /usr/libexec/docker/cli-plugins/docker-compose\n\n"
    )
    form = session.flag("format")
    if not form:
        session.inv.out(head)
    try:
        session.connect()
    except CliError as failed:
        if not form:
            session.inv.out("Server:\n")
        raise CliError(str(failed) + ("" if form else "\nerrors pretty printing info"), 1) from None
    host, engine = session.inv.host, core.engine(session.world, session.host, session.space)
    found = [c for c in core.containers(session.world, session.host, session.space).values() if not c.sandbox]
    running, paused = [c for c in found if c.state == "RUNNING" and not c.paused], [c for c in found if c.paused]
    config = engine.config
    driver = "systemd"
    for option in config.get("exec-opts") or []:
        if str(option).startswith("native.cgroupdriver="):
            driver = str(option).partition("=")[2]
    images = len({i.image_id for i in session.images.values()})
    insecure = ["::1/128", "127.0.0.0/8", *(config.get("insecure-registries") or [])]
    mirrors = [m if str(m).endswith("/") else f"{m}/" for m in config.get("registry-mirrors") or []]
    data: dict[str, Any] = {
        "ID": host.system_uuid, "Containers": len(found), "ContainersRunning": len(running), "ContainersPaused": len(paused), "ContainersStopped": len(found) - len(running) - len(paused),
        "Images": images, "Driver": "overlay2", "LoggingDriver": config.get("log-driver", "json-file"), "CgroupDriver": driver, "CgroupVersion": "2", "NCPU": host.cpus,
        "MemTotal": host.memory_kib * 1024, "Name": host.name, "ServerVersion": dockerd.VERSION, "OperatingSystem": host.os_image, "OSType": "linux", "Architecture": "x86_64",
        "KernelVersion": host.kernel, "DockerRootDir": config.get("data-root", "/var/lib/docker"), "DefaultRuntime": "runc", "LiveRestoreEnabled": bool(config.get("live-restore")),
        "RegistryConfig": {"InsecureRegistryCIDRs": insecure, "Mirrors": mirrors}, "Swarm": {"LocalNodeState": "inactive"},
    }  # fmt: skip
    if form:
        session.inv.out(formats.inspect(form, [data]) if form != "json" else formats.go_json(data) + "\n")
        return 0
    lines = [
        "Server:", f" Containers: {len(found)}", f"  Running: {len(running)}", f"  Paused: {len(paused)}", f"  Stopped: {data['ContainersStopped']}", f" Images: {images}",
        f" Server Version: {dockerd.VERSION}", " Storage Driver: overlay2", "  Backing Filesystem: extfs", "  Supports d_type: true", "  Using metacopy: false", "  Native Overlay Diff: true",
        "  userxattr: false", f" Logging Driver: {data['LoggingDriver']}", f" Cgroup Driver: {driver}", " Cgroup Version: 2", " Plugins:", "  Volume: local", "  Network: bridge host ipvlan macvlan null overlay",
        "  Log: awslogs fluentd gcplogs gelf journald json-file local splunk syslog", " CDI spec directories:", "  /etc/cdi", "  /var/run/cdi", " Swarm: inactive", " Runtimes: io.containerd.runc.v2 runc",
        " Default Runtime: runc", " Init Binary: docker-init", f" containerd version: {containerd.REVISION}", " runc version: v1.3.4-0-gd6d73eb8", " init version: de40ad0", " Security Options:", "  apparmor",
        "  seccomp", "   Profile: builtin", "  cgroupns", f" Kernel Version: {host.kernel}", f" Operating System: {host.os_image}", " OSType: linux", " Architecture: x86_64", f" CPUs: {host.cpus}",
        f" Total Memory: {host.memory_kib / 1024 / 1024:.4g}GiB", f" Name: {host.name}", f" ID: {host.system_uuid}", f" Docker Root Dir: {data['DockerRootDir']}", " Debug Mode: false",
        *([f" Username: {user}"] if (user := session.login("docker.io")) else []), " Experimental: false", " Insecure Registries:", *(f"  {one}" for one in sorted(insecure)),
        *([" Registry Mirrors:", *(f"  {one}" for one in mirrors)] if mirrors else []), f" Live Restore Enabled: {str(data['LiveRestoreEnabled']).lower()}",
    ]  # fmt: skip
    session.inv.out("\n".join(lines) + "\n\n")
    return 0


# -- registries -----------------------------------------------------------------------------------------------------------


# -- contexts -------------------------------------------------------------------------------------------------------------
