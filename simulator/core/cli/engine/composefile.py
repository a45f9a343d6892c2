"""Compose files: interpolation, merging, checks, and the project that they describe (compose-spec/compose-go `loader`)."""

from __future__ import annotations

import posixpath
import re
from typing import Any

import msgspec
import yaml

from ...host import files
from .. import human
from .session import CliError, EngineSession

Obj = dict[str, Any]
NAMES = ("compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml")
_TOP = ("version", "name", "services", "networks", "volumes", "secrets", "configs", "include", "models")
_SERVICE = frozenset(
    """annotations attach blkio_config build cap_add cap_drop cgroup cgroup_parent command configs container_name cpu_count cpu_percent cpu_period
    cpu_quota cpu_rt_period cpu_rt_runtime cpu_shares cpus cpuset credential_spec depends_on deploy develop device_cgroup_rules devices
    dns dns_opt dns_search domainname entrypoint env_file environment expose extends external_links extra_hosts gpus group_add healthcheck
    hostname image init ipc isolation label_file labels links logging mac_address mem_limit mem_reservation mem_swappiness memswap_limit models
    network_mode networks oom_kill_disable oom_score_adj pid pids_limit platform ports post_start pre_stop privileged profiles provider
    pull_policy read_only restart runtime scale secrets security_opt shm_size stdin_open stop_grace_period stop_signal storage_opt sysctls
    tmpfs tty ulimits use_api_socket user userns_mode uts volumes volumes_from working_dir""".split()
)
_VARIABLE = re.compile(r"\$\$|\$(\w+)|\$\{(\w+)(?:(:?[-?+])((?:[^{}]|\{[^}]*\})*))?\}")


class Service(msgspec.Struct):
    """One service, its lists and maps in one form."""

    name: str
    raw: Obj
    depends: dict[str, str] = {}
    replicas: int = 1


class Project(msgspec.Struct):
    """A project: its name, directory, files and what they hold."""

    name: str
    directory: str
    files: list[str]
    services: dict[str, Service]
    networks: dict[str, Obj]
    volumes: dict[str, Obj]
    raw: Obj


def find(session: EngineSession) -> list[str]:
    """The compose files: `-f`, COMPOSE_FILE, or one of the known names here or above."""
    given = session.items("file") or [f for f in session.inv.env.get("COMPOSE_FILE", "").split(":") if f]
    if given:
        paths = [posixpath.normpath(posixpath.join(session.inv.cwd, f)) for f in given]
        for path in paths:
            if not session.inv.host.fs.exists(path):
                raise CliError(f"open {path}: no such file or directory", 14)
        return paths
    folder = session.flag("project-directory") or session.inv.cwd
    while True:
        for name in NAMES:
            path = posixpath.join(folder, name)
            if session.inv.host.fs.exists(path):
                override = [
                    posixpath.join(folder, o)
                    for o in (
                        "compose.override.yaml",
                        "compose.override.yml",
                        "docker-compose.override.yaml",
                        "docker-compose.override.yml",
                    )
                ]
                return [path, *[o for o in override if session.inv.host.fs.exists(o)][:1]]
        if folder == "/":
            raise CliError("no configuration file provided: not found", 14)
        folder = posixpath.dirname(folder)


def interpolate(value: Any, env: dict[str, str], missing: list[str]) -> Any:
    """`${NAME:-default}` in every string."""
    if isinstance(value, dict):
        return {key: interpolate(item, env, missing) for key, item in value.items()}
    if isinstance(value, list):
        return [interpolate(item, env, missing) for item in value]
    if not isinstance(value, str):
        return value

    def one(match: re.Match[str]) -> str:
        if match[0] == "$$":
            return "$"
        name, operator, word = match[1] or match[2], match[3] or "", match[4] or ""
        known = env.get(name)
        there = known is not None and (not operator.startswith(":") or known != "")
        if operator.endswith("-"):
            return known if there and known is not None else str(interpolate(word, env, missing))
        if operator.endswith("+"):
            return str(interpolate(word, env, missing)) if there else ""
        if operator.endswith("?") and not there:
            raise CliError(f"error while interpolating: required variable {name} is missing a value: {word}", 15)
        if known is None and name not in missing:
            missing.append(name)
        return known or ""

    return _VARIABLE.sub(one, value)


def load(session: EngineSession, *, quiet: bool = False) -> Project:
    """The project of the command line; raises CliError in compose's words."""
    paths = find(session)
    directory = session.flag("project-directory") or posixpath.dirname(paths[0])
    directory = posixpath.normpath(posixpath.join(session.inv.cwd, directory))
    env: dict[str, str] = {}
    named = session.items("env-file")
    for path in named or [posixpath.join(directory, ".env")]:
        full = posixpath.normpath(posixpath.join(session.inv.cwd, path))
        if session.inv.host.fs.exists(full):
            env.update(env_file(session.inv.host.fs.read(full).decode(errors="replace")))
        elif named:
            raise CliError(f"couldn't find env file: {full}")
    env.update(session.inv.env)
    missing: list[str] = []
    merged: Obj = {}
    for path in paths:
        text = files.read_file(session.world, session.inv.host, path).decode(errors="replace")
        try:
            found = yaml.safe_load(text)
        except yaml.YAMLError as bad:
            mark = getattr(bad, "problem_mark", None)
            what = getattr(bad, "problem", None) or str(bad)
            raise CliError(f"yaml: line {mark.line + 1}: {what}" if mark is not None else f"yaml: {what}", 1) from None
        if found is None:
            raise CliError("empty compose file", 15)
        if not isinstance(found, dict):
            raise CliError("top-level object must be a mapping", 15)
        if "version" in found and not quiet:
            human.logrus(
                session.inv,
                "warning",
                f"{path}: the attribute `version` is obsolete, it will be ignored, please remove it to avoid potential confusion",
            )
        merged = _merge(merged, interpolate(found, env, missing))
        _validate(path, merged)
    for name in missing:
        if not quiet:
            human.logrus(session.inv, "warning", f'The "{name}" variable is not set. Defaulting to a blank string.')
    name = (
        session.flag("project-name")
        or session.inv.env.get("COMPOSE_PROJECT_NAME", "")
        or env.get("COMPOSE_PROJECT_NAME", "")
        or str(merged.get("name") or "")
        or posixpath.basename(directory)
    )
    clean = re.sub(r"[^-_a-z0-9]", "", name.lower()).lstrip("-_")
    if session.flag("project-name") and clean != name:
        raise CliError(
            f"invalid project name {name!r}: must consist only of lowercase alphanumeric characters, hyphens, and underscores as well as start with a letter or number".replace(
                "'", '"'
            )
        )
    if not clean:
        raise CliError("project name must not be empty")
    return _project(session, merged, clean, directory, paths)


def env_file(text: str) -> dict[str, str]:
    """`NAME=value` lines, quotes and `export` understood."""
    out: dict[str, str] = {}
    for line in text.splitlines():
        line = line.strip().removeprefix("export ")
        if not line or line.startswith("#") or "=" not in line:
            continue
        key, _, value = line.partition("=")
        value = value.strip()
        if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'":
            value = value[1:-1]
        else:
            value = re.sub(r"\s+#.*$", "", value)
        out[key.strip()] = value
    return out


def _merge(base: Obj, over: Obj) -> Obj:
    out = dict(base)
    for key, value in over.items():
        before = out.get(key)
        if isinstance(before, dict) and isinstance(value, dict):
            out[key] = _merge(before, value)
        elif isinstance(before, list) and isinstance(value, list) and key not in ("command", "entrypoint"):
            out[key] = before + [item for item in value if item not in before]
        else:
            out[key] = value
    return out


def _validate(path: str, found: Obj) -> None:
    def fail(text: str) -> None:
        raise CliError(f"validating {path}: {text}", 15)

    for key in found:
        if key not in _TOP and not str(key).startswith("x-"):
            fail(f"additional properties '{key}' not allowed")
    services = found.get("services")
    if services is not None and not isinstance(services, dict):
        fail("services must be a mapping")
    for name, service in (services or {}).items():
        if service is None:
            continue
        if not isinstance(service, dict):
            fail(f"services.{name} must be a mapping")
        for key in service:
            if key not in _SERVICE and not str(key).startswith("x-"):
                fail(f"services.{name} additional properties '{key}' not allowed")
        for key in ("ports", "volumes", "expose"):
            if service.get(key) is not None and not isinstance(service[key], list):
                fail(f"services.{name}.{key} must be a array")
        if "image" in service and not isinstance(service["image"], str):
            fail(f"services.{name}.image must be a string")


def _names(value: Any) -> list[str]:
    return [str(item) for item in value] if isinstance(value, (list, dict)) else []


def _project(session: EngineSession, raw: Obj, name: str, directory: str, paths: list[str]) -> Project:
    services: dict[str, Service] = {}
    networks, volumes = dict(raw.get("networks") or {}), dict(raw.get("volumes") or {})
    profiles = [*session.items("profile"), *session.inv.env.get("COMPOSE_PROFILES", "").split(",")]
    for key, value in (raw.get("services") or {}).items():
        one = dict(value or {})
        if not one.get("image") and not one.get("build"):
            raise CliError(f'service "{key}" has neither an image nor a build context specified: invalid compose project', 15)
        for other in _names(one.get("networks")):
            if other != "default" and other not in networks:
                raise CliError(f'service "{key}" refers to undefined network {other}: invalid compose project', 15)
        for text in one.get("volumes") or []:
            source = (
                str(text.get("source") or "") if isinstance(text, dict) else str(text).split(":")[0] if ":" in str(text) else ""
            )
            kind = text.get("type", "volume") if isinstance(text, dict) else "volume"
            if source and kind == "volume" and not source.startswith((".", "/", "~")) and source not in volumes:
                raise CliError(f'service "{key}" refers to undefined volume {source}: invalid compose project', 15)
        wanted = one.get("depends_on") or {}
        depends = (
            {str(d): "service_started" for d in wanted}
            if isinstance(wanted, list)
            else {str(d): str((c or {}).get("condition", "service_started")) for d, c in wanted.items()}
        )
        for other in depends:
            if other not in (raw.get("services") or {}):
                raise CliError(f'service "{key}" depends on undefined service "{other}": invalid compose project', 15)
        own = one.get("profiles") or []
        if own and not set(own) & set(profiles) and key not in session.args:
            continue
        replicas = one.get("scale") or (
            (one.get("deploy") or {}).get("replicas") if isinstance(one.get("deploy"), dict) else None
        )
        services[str(key)] = Service(str(key), one, depends, int(replicas) if replicas is not None else 1)
    if not services and not raw.get("services"):
        raise CliError("no service selected" if raw else "empty compose file", 1)
    project = Project(name, directory, paths, services, networks, volumes, raw)
    order(project)
    return project


def order(project: Project, wanted: list[str] | None = None) -> list[Service]:
    """Services with those they depend on first; raises CliError for a cycle or an unknown name."""
    out: list[Service] = []
    path: list[str] = []

    def visit(name: str) -> None:
        if any(s.name == name for s in out) or name not in project.services:
            return
        if name in path:
            raise CliError(f"dependency cycle detected: {' -> '.join([*path[path.index(name) :], name])}", 15)
        path.append(name)
        for other in sorted(project.services[name].depends):
            visit(other)
        path.pop()
        out.append(project.services[name])

    for name in wanted or sorted(project.services):
        if name not in project.services:
            raise CliError(f"no such service: {name}", 1)
        visit(name)
    return out
