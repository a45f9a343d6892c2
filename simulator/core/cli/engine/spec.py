"""The flags of `run` and `create` as a `Spec` (docker/cli `cli/command/container/opts.go: parse`)."""

from __future__ import annotations

import posixpath
import shlex
from typing import Any

from ...kernel.clock import SECOND
from ...runtime.engine.core import EngineError
from ...runtime.engine.creation import BadSpec, Spec, parse_ports
from ...runtime.state import Health, Mount
from .flagspec import memory_size
from .session import EngineSession

#: Flags that `inspect` shows in HostConfig or Config and that change nothing else here: flag → (field, kind).
_KEPT = {
    "cap-add": "CapAdd", "cap-drop": "CapDrop", "security-opt": "SecurityOpt", "group-add": "GroupAdd", "dns-option": "DnsOptions", "storage-opt": "StorageOpt",
    "device": "Devices", "ulimit": "Ulimits", "log-opt": "LogOpts", "annotation": "Annotations",
}  # fmt: skip
_TEXT = {
    "log-driver": "LogDriver", "cgroup-parent": "CgroupParent", "ipc": "IpcMode", "pid": "PidMode", "uts": "UTSMode", "userns": "UsernsMode", "runtime": "Runtime",
    "cpuset-cpus": "CpusetCpus", "cpuset-mems": "CpusetMems", "domainname": "Domainname", "cgroupns": "CgroupnsMode",
}  # fmt: skip
_SIX_MEGABYTES = 6 * 1024 * 1024


def environment(session: EngineSession) -> dict[str, str]:
    """`--env-file` and `-e`; a name alone takes the caller's value."""
    env: dict[str, str] = {}
    for path in session.items("env-file"):
        try:
            text = session.inv.read_file(path).decode(errors="replace")
        except OSError as failed:
            raise BadSpec(f"open {path}: {(failed.strerror or '').lower()}") from None
        for line in text.splitlines():
            line = line.lstrip()
            if not line or line.startswith("#"):
                continue
            key, equals, value = line.partition("=")
            if any(ch.isspace() for ch in key.strip()) or not key:
                raise BadSpec(
                    f"invalid env file ({path}): variable '{key}' contains whitespaces"
                    if key
                    else f"invalid env file ({path}): no variable name on line '{line}'"
                )
            if equals:
                env[key] = value
            elif key in session.inv.env:
                env[key] = session.inv.env[key]
    for pair in session.items("env"):
        key, equals, value = pair.partition("=")
        if not key:
            raise BadSpec(f'invalid argument "{pair}" for "-e, --env" flag: invalid environment variable: {pair}')
        if equals:
            env[key] = value
        elif key in session.inv.env:
            env[key] = session.inv.env[key]
    return env


def labels(session: EngineSession) -> dict[str, str]:
    """`--label-file` and `-l`."""
    found: dict[str, str] = {}
    for path in session.items("label-file"):
        try:
            text = session.inv.read_file(path).decode(errors="replace")
        except OSError as failed:
            raise BadSpec(f"open {path}: {(failed.strerror or '').lower()}") from None
        for line in text.splitlines():
            if line.strip() and not line.startswith("#"):
                found[line.partition("=")[0]] = line.partition("=")[2]
    for pair in session.items("label"):
        found[pair.partition("=")[0]] = pair.partition("=")[2]
    return found


def mount(text: str) -> Mount:
    """One `--mount type=…,src=…,dst=…`."""
    fields: dict[str, str] = {}
    for part in text.split(","):
        key, equals, value = part.partition("=")
        key = key.lower()
        if not equals and key not in ("readonly", "ro", "volume-nocopy", "bind-nonrecursive"):
            raise BadSpec(f'invalid argument "{text}" for "--mount" flag: invalid field \'{part}\' must be a key=value pair')
        name = {"src": "source", "dst": "target", "destination": "target", "ro": "readonly"}.get(key, key)
        if name not in ("type", "source", "target", "readonly", "consistency", "tmpfs-size", "tmpfs-mode", "volume-driver", "volume-label", "volume-opt",
                        "volume-nocopy", "volume-subpath", "bind-propagation", "bind-nonrecursive", "bind-recursive", "bind-create-src"):  # fmt: skip
            raise BadSpec(f"invalid argument \"{text}\" for \"--mount\" flag: unexpected key '{key}' in '{part}'")
        fields[name] = value if equals else "true"
    kind = fields.get("type", "volume").lower()
    if not fields.get("target"):
        raise BadSpec(f'invalid argument "{text}" for "--mount" flag: target is required')
    if kind not in ("bind", "volume", "tmpfs"):
        raise EngineError(f'invalid mount config for type "{kind}": mount type unknown', 400)
    source = fields.get("source", "")
    if kind == "bind" and not source.startswith("/"):
        raise EngineError(
            f"invalid mount config for type \"bind\": invalid mount path: '{source}' mount path must be absolute", 400
        )
    readonly = fields.get("readonly", "") in ("true", "1")
    if kind == "volume":
        return Mount(posixpath.normpath(fields["target"]), "", readonly, "volume", source)
    return Mount(posixpath.normpath(fields["target"]), source if kind == "bind" else "", readonly, kind)


def health(session: EngineSession) -> Health | None:
    """The `--health-*` flags, None when there are none."""
    names = ("health-cmd", "health-interval", "health-timeout", "health-retries", "health-start-period")
    given = [name for name in names if session.values.has(name) and session.given(name)]
    if session.on("no-healthcheck") and given:
        raise BadSpec("--no-healthcheck conflicts with --health-* options")
    if not given:
        return None
    numbers = {name: session.values.number(name) for name in names[1:]}
    if numbers["health-retries"] < 0:
        raise BadSpec("--health-retries cannot be negative")
    for name in ("health-interval", "health-timeout", "health-start-period"):
        if numbers[name] < 0:
            raise BadSpec(f"--{name} cannot be negative")
    command = session.flag("health-cmd")
    return Health(
        ["CMD-SHELL", command] if command else [], numbers["health-interval"], numbers["health-timeout"], numbers["health-start-period"],
        numbers["health-retries"],
    )  # fmt: skip


def restart_policy(text: str, auto_remove: bool) -> str:
    """`--restart`, checked."""
    name, colon, count = text.partition(":")
    if name not in ("no", "always", "on-failure", "unless-stopped", ""):
        raise EngineError(
            f"invalid restart policy: unknown policy '{name}'; use one of 'no', 'always', 'on-failure', or 'unless-stopped'", 400
        )
    if colon and not count.isdigit():
        raise BadSpec("invalid restart policy format: maximum retry count must be an integer")
    if colon and name != "on-failure":
        raise EngineError("invalid restart policy: maximum retry count can only be used with 'on-failure'", 400)
    if auto_remove and name not in ("no", ""):
        raise BadSpec("conflicting options: cannot specify both --restart and --rm")
    return text or "no"


def _networks(session: EngineSession) -> tuple[str, list[str], str, list[tuple[str, list[str]]]]:
    """(mode, aliases, ip, further networks) of `--network`, in its short and its `name=…,alias=…` form."""
    found: list[tuple[str, list[str], str]] = []
    for text in [*session.items("network"), *session.items("net")]:
        name, aliases, ip = (
            text,
            list(session.items("network-alias")) if not found else [],
            session.flag("ip") if not found else "",
        )
        if "=" in text:
            name = ""
            for part in text.split(","):
                key, _, value = part.partition("=")
                if key == "name":
                    name = value
                elif key == "alias":
                    aliases.append(value)
                elif key == "ip":
                    ip = value
                else:
                    raise BadSpec(f'invalid argument "{text}" for "--network" flag: invalid field {key}')
        found.append((name, aliases, ip))
    if not found:
        return "", list(session.items("network-alias")), session.flag("ip"), []
    return found[0][0], found[0][1], found[0][2], [(name, aliases) for name, aliases, _ in found[1:]]


def read(session: EngineSession) -> Spec:
    """The whole command line; raises BadSpec (the client's refusal) or EngineError (the engine's)."""
    values = session.values
    session.check_run()
    memory = memory_size(session.flag("memory")) if session.flag("memory") not in ("", "0") else 0
    if 0 < memory < _SIX_MEGABYTES and session.docker:
        raise EngineError("Minimum memory limit allowed is 6MB", 400)
    mode, aliases, ip, others = _networks(session)
    options: dict[str, Any] = {
        "extra_hosts": session.items("add-host"),
        "dns": session.items("dns"),
        "dns_search": session.items("dns-search"),
    }
    for entry in options["extra_hosts"]:
        if not str(entry).replace("=", ":", 1).partition(":")[2]:
            raise BadSpec(f'invalid argument "{entry}" for "--add-host" flag: bad format for add-host: "{entry}"')
    kept: dict[str, Any] = {field: session.items(name) for name, field in _KEPT.items() if session.items(name)}
    kept |= {field: session.flag(name) for name, field in _TEXT.items() if session.flag(name)}
    for name, field in (
        ("privileged", "Privileged"),
        ("read-only", "ReadonlyRootfs"),
        ("init", "Init"),
        ("oom-kill-disable", "OomKillDisable"),
    ):
        if session.on(name):
            kept[field] = True
    if session.flag("cpus") not in ("", "0", "0.0"):
        cpus = float(session.flag("cpus")) if session.flag("cpus") else values.real("cpus")
        if session.docker and cpus > session.inv.host.cpus:
            raise EngineError(
                f"range of CPUs is from 0.01 to {session.inv.host.cpus}.00, as there are only {session.inv.host.cpus} CPUs available",
                400,
            )
        kept["NanoCpus"] = int(cpus * SECOND)
    for name, field in (
        ("cpu-shares", "CpuShares"),
        ("cpu-period", "CpuPeriod"),
        ("cpu-quota", "CpuQuota"),
        ("pids-limit", "PidsLimit"),
        ("oom-score-adj", "OomScoreAdj"),
    ):
        if values.has(name) and session.given(name):
            kept[field] = values.number(name)
    for name, field in (("memory-reservation", "MemoryReservation"), ("memory-swap", "MemorySwap"), ("shm-size", "ShmSize")):
        if session.flag(name) not in ("", "0"):
            kept[field] = -1 if session.flag(name) == "-1" else memory_size(session.flag(name))
    options["host"] = kept
    if session.given("stop-timeout") and values.has("stop-timeout"):
        options["stop_timeout"] = values.number("stop-timeout")
    command: list[str] | None = None
    if session.given("entrypoint"):
        given = (
            session.values.items("entrypoint") if values.declared("entrypoint").kind == "array" else [session.flag("entrypoint")]
        )
        command = list(given)
    volumes = [_absolute(session, text) for text in session.items("volume")]
    return Spec(
        name=session.flag("name"), argv=session.args[1:], entrypoint=command, env=environment(session), cwd=_workdir(session.flag("workdir")), user=session.flag("user"),
        hostname=session.flag("hostname"), labels=labels(session), volumes=volumes, mounts=[mount(text) for text in session.items("mount")],
        tmpfs=session.items("tmpfs"), ports=parse_ports(session.items("publish")), publish_all=session.on("publish-all"), expose=session.items("expose"),
        network=mode, aliases=aliases, ip=ip, extra_networks=others, links=session.items("link"), tty=session.on("tty"), stdin=session.on("interactive"),
        restart=restart_policy(session.flag("restart"), session.on("rm")), auto_remove=session.on("rm"), memory=memory, stop_signal=_changed(session, "stop-signal"),
        health=health(session), no_healthcheck=session.on("no-healthcheck"), volumes_from=session.items("volumes-from"), options=options,
    )  # fmt: skip


def _changed(session: EngineSession, name: str) -> str:
    return session.flag(name) if session.given(name) else ""


def _workdir(text: str) -> str:
    if text and not text.startswith("/"):
        raise EngineError(f"the working directory '{text}' is invalid, it needs to be an absolute path", 400)
    return text


def _absolute(session: EngineSession, text: str) -> str:
    """A relative source (`./x`) is made absolute by the client."""
    source, colon, rest = text.partition(":")
    if colon and (source.startswith(("./", "../")) or source in (".", "..")):
        return posixpath.normpath(posixpath.join(session.inv.cwd, source)) + ":" + rest
    if colon and source.startswith("~"):
        return posixpath.normpath(source.replace("~", session.inv.env.get("HOME", "/root"), 1)) + ":" + rest
    return text


def words(text: str) -> list[str]:
    """A command as one string, split as a shell would."""
    try:
        return shlex.split(text)
    except ValueError:
        return text.split()
