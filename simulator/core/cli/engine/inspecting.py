"""`inspect` of containers, images, networks and volumes, as dockerd's API answers (moby `daemon/inspect.go`)."""

from __future__ import annotations

import ipaddress
from typing import Any

from ...kernel import clock
from ...runtime import images as stored
from ...runtime import logs
from ...runtime.engine import core, networks
from ...runtime.engine.core import EngineError
from ...runtime.engine.creation import BadSpec
from ...runtime.state import Container, Image, Network, Volume
from . import formats, listing, pulling
from .session import CliError, EngineSession

Obj = dict[str, Any]
_NEVER = "0001-01-01T00:00:00Z"


def stamp(wall: int) -> str:
    """A Go time in JSON: nanoseconds without trailing zeros."""
    if not wall:
        return _NEVER
    text = logs.stamp(wall)[:-1].rstrip("0").rstrip(".")
    return text + "Z"


def image_config(build: stored.Build) -> Obj:
    """The `Config` of an image (github.com/moby/docker-image-spec)."""
    config: Obj = {}
    if build.user:
        config["User"] = build.user
    if build.ports:
        config["ExposedPorts"] = {port: {} for port in build.ports}
    config["Env"] = [f"{k}={v}" for k, v in build.env]
    config["Cmd"] = list(build.cmd) or None
    if build.healthcheck is not None:
        config["Healthcheck"] = _healthcheck(build.healthcheck)
    if build.volumes:
        config["Volumes"] = {path: {} for path in build.volumes}
    config["WorkingDir"] = build.cwd if build.cwd != "/" or build.made else ""
    config["Entrypoint"] = list(build.entrypoint) or None
    config["OnBuild"] = list(build.onbuild) or None
    config["Labels"] = dict(sorted(build.labels)) or None
    if build.stop_signal:
        config["StopSignal"] = build.stop_signal
    if build.shell:
        config["Shell"] = list(build.shell)
    return config


def _healthcheck(check: Any) -> Obj:
    out: Obj = {"Test": list(check.test)}
    for key, value in (
        ("Interval", check.interval),
        ("Timeout", check.timeout),
        ("StartPeriod", check.start_period),
        ("Retries", check.retries),
    ):
        if value:
            out[key] = value
    return out


def image(session: EngineSession, found: Image) -> Obj:
    """`docker image inspect`."""
    build = session.build(found)
    names = sorted(i.name for i in session.images.values() if i.image_id == found.image_id)
    tags = [
        session.familiar(name) for name in names if not name.startswith("sha256:") and "@" not in name and "<none>" not in name
    ]
    repositories = sorted({name.rpartition(":")[0] for name in names if "@" not in name and not name.startswith("sha256:")})
    digests = (
        []
        if build.made and not found.labels.get("pushed")
        else [f"{session.familiar(repo)}@{found.target}" for repo in repositories]
    )
    layers = [build.digest(f"diff/{n}") for n in range(len(build.layers))]
    top = build.digest(f"chain/{len(build.layers) - 1}")[7:]
    data: Obj = {
        "Id": found.image_id, "RepoTags": tags, "RepoDigests": digests, "Parent": "", "Comment": "buildkit.dockerfile.v0" if not build.author else "",
        "Created": stamp(pulling.created(session, build)), "DockerVersion": "", "Author": build.author, "Architecture": "amd64", "Os": "linux", "Size": build.unpacked,
        "GraphDriver": {"Data": {"MergedDir": f"/var/lib/docker/overlay2/{top}/merged", "UpperDir": f"/var/lib/docker/overlay2/{top}/diff", "WorkDir": f"/var/lib/docker/overlay2/{top}/work"}, "Name": "overlay2"},
        "RootFS": {"Type": "layers", "Layers": layers}, "Metadata": {"LastTagTime": stamp(found.created_at if build.made else 0)}, "Config": image_config(build),
    }  # fmt: skip
    return data


def _bindings(container: Container) -> Obj:
    out: Obj = {}
    for p in container.ports:
        out.setdefault(f"{p.container_port}/{p.protocol}", []).append(
            {
                "HostIp": "" if p.host_ip == "0.0.0.0" else p.host_ip,
                "HostPort": ""
                if f"{p.container_port}/{p.protocol};" in str(container.options.get("random_ports", ""))
                else str(p.host_port),
            }
        )
    return out


def _mapped(container: Container) -> Obj:
    out: Obj = {}
    if container.state != "RUNNING" or container.shared_netns:
        return out
    for one in container.options.get("expose") or []:
        out[str(one)] = None
    for p in container.ports:
        key = f"{p.container_port}/{p.protocol}"
        rows = [{"HostIp": p.host_ip, "HostPort": str(p.host_port)}]
        if p.host_ip == "0.0.0.0":
            rows.append({"HostIp": "::", "HostPort": str(p.host_port)})
        out[key] = (out.get(key) or []) + rows
    return dict(sorted(out.items()))


def _endpoint(session: EngineSession, container: Container, name: str) -> Obj:
    found = core.engine(session.world, session.host, session.space).networks.get(name)
    one = container.networks[name]
    live = bool(one.ip)
    own = name != "bridge"
    return {
        "IPAMConfig": {} if own else None, "Links": None, "Aliases": (list(one.aliases) or None) if own else None, "MacAddress": one.mac if live else "", "DriverOpts": None,
        "GwPriority": 0, "NetworkID": found.id if found is not None and (live or own) else "", "EndpointID": one.id, "Gateway": networks.gateway(found) if found is not None and live else "",
        "IPAddress": one.ip, "IPPrefixLen": _prefix(found) if live else 0, "IPv6Gateway": "", "GlobalIPv6Address": "", "GlobalIPv6PrefixLen": 0,
        "DNSNames": networks.names(container, name)[:1] + one.aliases + [container.id[:12]] if own else None,
    }  # fmt: skip


def _prefix(found: Network | None) -> int:
    return ipaddress.ip_network(found.subnet).prefixlen if found is not None and found.subnet else 0


def _mount(m: Any) -> Obj:
    if m.kind == "volume":
        return {
            "Type": "volume",
            "Name": m.name,
            "Source": m.source,
            "Destination": m.target,
            "Driver": "local",
            "Mode": "ro" if m.readonly else "z",
            "RW": not m.readonly,
            "Propagation": "",
        }
    if m.kind == "tmpfs":
        return {"Type": "tmpfs", "Source": "", "Destination": m.target, "Mode": "", "RW": True, "Propagation": ""}
    return {
        "Type": "bind",
        "Source": m.source,
        "Destination": m.target,
        "Mode": "ro" if m.readonly else "",
        "RW": not m.readonly,
        "Propagation": "rprivate",
    }


def host_config(session: EngineSession, c: Container) -> Obj:
    """`HostConfig`."""
    kept = dict(c.options.get("host") or {})
    policy, _, count = c.restart.partition(":")
    mode = str(c.options.get("network_mode", "bridge"))
    logging = kept.pop("LogDriver", "json-file")
    options = dict(str(text).partition("=")[::2] for text in kept.pop("LogOpts", []))
    out: Obj = {
        "Binds": [f"{m.name or m.source}:{m.target}" + (":ro" if m.readonly else "") for m in c.mounts if m.kind in ("bind", "volume") and (m.kind == "bind" or not _anonymous(session, m.name))] or None,
        "ContainerIDFile": "", "LogConfig": {"Type": logging, "Config": options}, "NetworkMode": mode, "PortBindings": _bindings(c),
        "RestartPolicy": {"Name": policy or "no", "MaximumRetryCount": int(count or 0)}, "AutoRemove": c.auto_remove, "VolumeDriver": "", "VolumesFrom": None,
        "ConsoleSize": [0, 0], "CapAdd": None, "CapDrop": None, "CgroupnsMode": "private", "Dns": c.options.get("dns") or [], "DnsOptions": [], "DnsSearch": c.options.get("dns_search") or [],
        "ExtraHosts": c.options.get("extra_hosts") or None, "GroupAdd": None, "IpcMode": "private", "Cgroup": "", "Links": None, "OomScoreAdj": 0, "PidMode": "", "Privileged": False,
        "PublishAllPorts": False, "ReadonlyRootfs": False, "SecurityOpt": None, "UTSMode": "", "UsernsMode": "", "ShmSize": 67108864, "Runtime": "runc", "Isolation": "", "CpuShares": 0,
        "Memory": c.memory_limit, "NanoCpus": 0, "CgroupParent": "", "BlkioWeight": 0, "CpuPeriod": 0, "CpuQuota": 0, "CpusetCpus": "", "CpusetMems": "", "Devices": [],
        "MemoryReservation": 0, "MemorySwap": c.memory_limit * 2, "MemorySwappiness": None, "OomKillDisable": None, "PidsLimit": None, "Ulimits": [],
        "MaskedPaths": ["/proc/asound", "/proc/acpi", "/proc/interrupts", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug", "/proc/scsi", "/sys/firmware", "/sys/devices/virtual/powercap"],
        "ReadonlyPaths": ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"],
    }  # fmt: skip
    if c.options.get("host", {}).get("Privileged"):
        out["MaskedPaths"] = out["ReadonlyPaths"] = None
        out["SecurityOpt"] = ["label=disable"]
    out.update(kept)
    out.pop("Domainname", None)
    return out


def _anonymous(session: EngineSession, name: str) -> bool:
    found = core.engine(session.world, session.host, session.space).volumes.get(name)
    return found is not None and found.anonymous


def container(session: EngineSession, c: Container) -> Obj:
    """`docker inspect` of a container."""
    build = session.build(c)
    running = c.state == "RUNNING"
    folder = core.container_dir(c.namespace, c.id)
    status: Obj = {
        "Status": listing.state(c), "Running": running or c.restarting, "Paused": c.paused, "Restarting": c.restarting, "OOMKilled": c.reason == "OOMKilled", "Dead": False, "Pid": c.pid if running else 0,
        "ExitCode": c.exit_code, "Error": c.message if not running else "", "StartedAt": stamp(c.started_at), "FinishedAt": stamp(c.finished_at),
    }  # fmt: skip
    if c.health is not None:
        status["Health"] = {
            "Status": c.health.status, "FailingStreak": c.health.streak,
            "Log": [{"Start": stamp(a), "End": stamp(b), "ExitCode": code, "Output": text} for a, b, code, text in c.health.log],
        }  # fmt: skip
    config: Obj = {
        "Hostname": c.hostname, "Domainname": str((c.options.get("host") or {}).get("Domainname", "")), "User": "" if c.user == "root" and not build.user else c.user, "AttachStdin": c.stdin, "AttachStdout": True,
        "AttachStderr": True, "ExposedPorts": {str(one): {} for one in c.options.get("expose") or []}, "Tty": c.tty, "OpenStdin": c.stdin, "StdinOnce": c.stdin,
        "Env": [f"{k}={v}" for k, v in c.env.items() if k not in ("HOSTNAME", "TERM")], "Cmd": c.options.get("cmd") or None, "Image": c.options.get("ref", c.image),
        "Volumes": {path: {} for path in build.volumes} or None, "WorkingDir": c.cwd if c.cwd != "/" else "", "Entrypoint": c.options.get("entrypoint") or None, "OnBuild": None, "Labels": dict(sorted(c.labels.items())),
    }  # fmt: skip
    if not config["ExposedPorts"]:
        del config["ExposedPorts"]
    if c.health is not None:
        config["Healthcheck"] = {
            "Test": c.health.test,
            "Interval": c.health.interval,
            "Timeout": c.health.timeout,
            "Retries": c.health.retries,
        }
    if build.stop_signal:
        config["StopSignal"] = build.stop_signal
    first = "bridge" if "bridge" in c.networks else ""
    main = _endpoint(session, c, first) if first else {}
    settings: Obj = {
        "Bridge": "", "SandboxID": _digits(c, "sandbox") if running else "", "SandboxKey": f"/var/run/docker/netns/{_digits(c, 'sandbox')[:12]}" if running and not c.shared_netns else "", "Ports": _mapped(c),
        "HairpinMode": False, "LinkLocalIPv6Address": "", "LinkLocalIPv6PrefixLen": 0, "SecondaryIPAddresses": None, "SecondaryIPv6Addresses": None,
        "EndpointID": main.get("EndpointID", ""), "Gateway": main.get("Gateway", ""), "GlobalIPv6Address": "", "GlobalIPv6PrefixLen": 0, "IPAddress": main.get("IPAddress", ""),
        "IPPrefixLen": main.get("IPPrefixLen", 0), "IPv6Gateway": "", "MacAddress": main.get("MacAddress", ""), "Networks": {name: _endpoint(session, c, name) for name in sorted(c.networks)},
    }  # fmt: skip
    if c.shared_netns and c.options.get("network_mode") == "host":
        settings["Networks"] = {
            "host": {
                "IPAMConfig": None,
                "NetworkID": core.engine(session.world, session.host, session.space).networks["host"].id,
                "Gateway": "",
                "IPAddress": "",
            }
        }
    layer = f"/var/lib/docker/overlay2/{_digits(c, 'layer')}"
    return {
        "Id": c.id, "Created": stamp(c.created_at), "Path": c.argv[0], "Args": c.argv[1:], "State": status, "Image": c.image_id, "ResolvConfPath": f"{folder}/resolv.conf",
        "HostnamePath": f"{folder}/hostname", "HostsPath": f"{folder}/hosts", "LogPath": c.log_path, "Name": f"/{c.name}", "RestartCount": c.restarts, "Driver": "overlay2", "Platform": "linux",
        "MountLabel": "", "ProcessLabel": "", "AppArmorProfile": "docker-default", "ExecIDs": None, "HostConfig": host_config(session, c),
        "GraphDriver": {"Data": {"ID": c.id, "LowerDir": f"{layer}-init/diff", "MergedDir": f"{layer}/merged", "UpperDir": f"{layer}/diff", "WorkDir": f"{layer}/work"}, "Name": "overlay2"},
        "Mounts": [_mount(m) for m in c.mounts], "Config": config, "NetworkSettings": settings,
    }  # fmt: skip


def _digits(c: Container, part: str) -> str:
    return stored.name_of(f"{c.id}/{part}".encode())[7:]


def network(session: EngineSession, found: Network) -> Obj:
    """`docker network inspect`."""
    size = _prefix(found)
    members = {
        c.id: {
            "Name": c.name,
            "EndpointID": c.networks[found.name].id,
            "MacAddress": c.networks[found.name].mac,
            "IPv4Address": f"{c.networks[found.name].ip}/{size}",
            "IPv6Address": "",
        }
        for c in networks.members(session.world, session.host, session.space, found.name)
    }
    options: Obj = dict(found.options)
    ipam: Obj = {"Driver": "default", "Options": {} if found.name not in networks.PREDEFINED else None, "Config": None}
    if found.subnet:
        ipam["Config"] = [{"Subnet": found.subnet, "Gateway": networks.gateway(found)}]
    if found.name == "bridge":
        options = {
            "com.docker.network.bridge.default_bridge": "true", "com.docker.network.bridge.enable_icc": "true", "com.docker.network.bridge.enable_ip_masquerade": "true",
            "com.docker.network.bridge.host_binding_ipv4": "0.0.0.0", "com.docker.network.bridge.name": "docker0", "com.docker.network.driver.mtu": "1500",
        }  # fmt: skip
    return {
        "Name": found.name, "Id": found.id, "Created": stamp(found.created_at), "Scope": "local", "Driver": found.driver, "EnableIPv4": True, "EnableIPv6": False, "IPAM": ipam,
        "Internal": found.internal, "Attachable": False, "Ingress": False, "ConfigFrom": {"Network": ""}, "ConfigOnly": False, "Containers": members, "Options": options, "Labels": found.labels,
    }  # fmt: skip


def volume(session: EngineSession, found: Volume) -> Obj:
    """`docker volume inspect`."""
    labels: Obj | None = dict(found.labels) or None
    if found.anonymous:
        labels = {"com.docker.volume.anonymous": ""}
    return {
        "CreatedAt": clock.rfc3339(found.created_at), "Driver": "local", "Labels": labels, "Mountpoint": core.volume_path(session.space, found.name), "Name": found.name,
        "Options": None, "Scope": "local",
    }  # fmt: skip


def find_any(session: EngineSession, word: str, kind: str = "") -> Obj | None:
    """An object of any kind by name or id."""
    engine = core.engine(session.world, session.host, session.space)
    if kind in ("", "container"):
        try:
            return session.inspect_container(session.find(word))
        except EngineError:
            pass
    if kind in ("", "image"):
        one = session.image(word)
        if one is not None:
            return session.inspect_image(one)
    if kind in ("", "network"):
        try:
            return network(session, networks.find(session.world, session.host, session.space, word))
        except EngineError:
            pass
    if kind in ("", "volume") and word in engine.volumes:
        return volume(session, engine.volumes[word])
    return None


def run(session: EngineSession, kind: str = "") -> int:
    """`inspect`, of any kind or of one."""
    session.connect()
    kind = session.flag("type") or kind
    if kind not in ("", "container", "image", "network", "volume", "node", "plugin", "secret", "service", "task", "config"):
        raise CliError(
            f'unknown type: "{kind}": must be one of "config", "container", "image", "network", "node", "plugin", "secret", "service", "task", "volume"'
        )
    found, failures = [], []
    for word in session.args:
        one = find_any(session, word, kind)
        if one is None:
            failures.append(_missing(session, word, kind))
        else:
            found.append(one)
    form = session.flag("format")
    try:
        text = formats.inspect(form, found, strict=session.docker) if found or not form else "\n" if session.docker else ""
    except BadSpec as bad:
        if session.docker and "executing" in str(bad):
            session.inv.out("\n")  # what the client writes when nothing came of the template
        elif session.docker:
            raise CliError(str(bad), 64) from None
        raise
    session.inv.out(text)
    for text in failures:
        session.inv.err(text + "\n")
    return 1 if failures else 0


def _missing(session: EngineSession, word: str, kind: str) -> str:
    if kind == "network":
        return f"Error response from daemon: network {word} not found"
    if kind == "volume":
        return f"Error response from daemon: get {word}: no such volume"
    if kind == "image":
        return f"Error response from daemon: No such image: {word if ':' in word else word + ':latest'}"
    return (
        f"Error: No such {kind or 'object'}: {word}"
        if kind in ("", "container") and not kind
        else f"Error response from daemon: No such container: {word}"
    )
