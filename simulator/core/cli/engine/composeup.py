"""Creating and starting the containers of a compose project (docker/compose `pkg/compose/{create,convergence,start}.go`)."""

from __future__ import annotations

import hashlib
import json
import posixpath
import shlex
from collections.abc import Generator
from typing import Any

from ...host.program import Sleep, Wait, WaitTopic
from ...kernel.clock import MS, SECOND
from ...runtime import containers
from ...runtime.engine import core, creation, life, networks
from ...runtime.engine.core import EngineError
from ...runtime.engine.creation import BadSpec, Spec
from ...runtime.state import Container, Health, Mount
from .. import human
from ..flags import Values, parse_duration
from . import builds, composefile, lifecycle, pulling, spec
from .composefile import Obj, Project, Service
from .flagspec import memory_size
from .session import CliError, EngineSession

LABEL = "com.docker.compose."


class Report:
    """What is said while things are made: a line each, or a picture on a terminal; nerdctl logs instead."""

    def __init__(self, session: EngineSession, verb: str = "Running") -> None:
        self.session, self.verb = session, verb
        self.live = session.inv.stdout_tty and session.docker
        self.rows: dict[str, tuple[str, bool, int]] = {}
        self.began: dict[str, int] = {}
        self.drawn = 0

    def say(self, what: str, word: str, *, done: bool = False) -> None:
        """`what` (`Container app-web-1`) is now `word` (`Created`)."""
        world = self.session.world
        if not self.session.docker:
            if not done:
                human.logrus(self.session.inv, "info", f"{word} {what[:1].lower()}{what[1:]}")
            return
        self.began.setdefault(what, world.now)
        self.rows[what] = (word, done, world.now)
        if not self.live:
            self.session.inv.err(f" {what}  {word} \n")
            return
        total, over = len(self.rows), sum(end for _, end, _ in self.rows.values())
        width = max(len(name) + len(word) + 2 for name, (word, _, _) in self.rows.items())
        text = f"[+] {self.verb} {over}/{total}\n"
        for name, (state, end, at) in self.rows.items():
            took = f"{((at if end else world.now) - self.began[name]) / SECOND:.1f}s"
            body = f"{name}  {state}"
            gap = max(1, min(self.session.inv.columns, 80) - 4 - max(width, len(body)) - len(took))
            text += f" {'✔' if end else '⠋'} {body:<{width}}{' ' * gap}{took} \n"
        self.session.inv.err("\x1b[1A\x1b[2K\r" * self.drawn + text)
        self.drawn = text.count("\n")


def members(session: EngineSession, project: str, service: str = "") -> list[Container]:
    """The containers of a project, by service and number."""
    found = [
        c for c in core.containers(session.world, session.host, session.space).values()
        if c.labels.get(LABEL + "project") == project and (not service or c.labels.get(LABEL + "service") == service) and c.labels.get(LABEL + "oneoff") != "True"
    ]  # fmt: skip
    return sorted(found, key=lambda c: (c.labels.get(LABEL + "service", ""), int(c.labels.get(LABEL + "container-number", "1"))))


def network_name(project: Project, key: str) -> str:
    """The real name of a network of the file."""
    own = project.networks.get(key) or {}
    if own.get("name"):
        return str(own["name"])
    return key if own.get("external") else f"{project.name}_{key}"


def volume_name(project: Project, key: str) -> str:
    """The real name of a volume of the file."""
    own = project.volumes.get(key) or {}
    if own.get("name"):
        return str(own["name"])
    return key if own.get("external") else f"{project.name}_{key}"


def used_networks(project: Project, services: list[Service]) -> list[str]:
    """The networks that services join, `default` when one names none."""
    found: list[str] = []
    for service in services:
        if service.raw.get("network_mode"):
            continue
        for key in composefile._names(service.raw.get("networks")) or ["default"]:
            if key not in found:
                found.append(key)
    return sorted(found)


def ensure(session: EngineSession, project: Project, services: list[Service], report: Report) -> Generator[Wait, Any, None]:
    """Networks and volumes."""
    engine = core.engine(session.world, session.host, session.space)
    for key in used_networks(project, services):
        name, own = network_name(project, key), project.networks.get(key) or {}
        if name in engine.networks:
            continue
        if own.get("external"):
            raise CliError(f"network {name} declared as external, but could not be found")
        report.say(f"Network {name}", "Creating")
        yield Sleep(30 * MS)
        subnet = ((own.get("ipam") or {}).get("config") or [{}])[0].get("subnet", "")
        networks.create(session.world, session.host, session.space, name, driver=str(own.get("driver") or "bridge"), subnet=subnet, internal=bool(own.get("internal")),
                        labels={LABEL + "network": key, LABEL + "project": project.name})  # fmt: skip
        report.say(f"Network {name}", "Created", done=True)
    for key in sorted(project.volumes):
        name, own = volume_name(project, key), project.volumes.get(key) or {}
        if name in engine.volumes:
            continue
        if own.get("external"):
            raise CliError(f'external volume "{name}" not found')
        shown = f"Volume {name}"
        report.say(shown, "Creating")
        creation.make_volume(
            session.world, session.host, session.space, name, {LABEL + "project": project.name, LABEL + "volume": key}
        )
        report.say(shown, "Created", done=True)


def image_of(project: Project, service: Service) -> str:
    """The image of a service: its own, or the name of what is built."""
    return str(service.raw.get("image") or f"{project.name}-{service.name}")


def images(
    session: EngineSession, project: Project, services: list[Service], *, build: bool, report: Report
) -> Generator[Wait, Any, None]:
    """Pull and build what is missing."""
    wanted: list[str] = []
    for service in services:
        name = image_of(project, service)
        if service.raw.get("build"):
            if build or session.image(name) is None:
                yield from build_service(session, project, service)
        elif (session.image(name) is None or service.raw.get("pull_policy") == "always") and name not in wanted:
            wanted.append(name)
            yield from pull_service(session, service, name, report)


def pull_service(session: EngineSession, service: Service, name: str, report: Report) -> Generator[Wait, Any, None]:
    """Pull the image of a service."""
    report.say(service.name if session.docker else f"image {name}", "Pulling" if session.docker else "Ensuring")
    if session.docker:
        try:
            yield from pulling.fetch(session, name, quiet=True, show=session.inv.err)
        except EngineError as failed:
            report.say(service.name, "Error", done=True)
            raise CliError(f"Error response from daemon: {failed}") from None
        report.say(service.name, "Pulled", done=True)
    else:
        from ..nerdctl.pulling import fetch

        yield from fetch(session, pulling.reference(session, name), quiet=False)


def build_service(session: EngineSession, project: Project, service: Service) -> Generator[Wait, Any, None]:
    """Build the image of a service with the builder of `docker build`."""
    from ..docker.tree import _build

    raw = service.raw["build"]
    raw = {"context": raw} if isinstance(raw, str) else dict(raw or {})
    context = posixpath.normpath(posixpath.join(project.directory, str(raw.get("context") or ".")))
    name = image_of(project, service)
    argv = ["-t", name, *(["-f", posixpath.join(context, str(raw["dockerfile"]))] if raw.get("dockerfile") else [])]
    args = raw.get("args") or {}
    pairs = [str(a) for a in args] if isinstance(args, list) else [f"{k}={v}" for k, v in args.items()]
    for pair in pairs:
        argv += ["--build-arg", pair]
    if raw.get("target"):
        argv += ["--target", str(raw["target"])]
    if session.on("no-cache"):
        argv.append("--no-cache")
    values: Values = _build().parse([*argv, context])
    inner = session.like(values)
    yield from builds.build(inner)
    if session.docker:
        session.inv.err(f" {service.name}  Built\n")


# -- a service as a container ---------------------------------------------------------------------------------------------
def _pairs(value: Any) -> dict[str, str]:
    if isinstance(value, list):
        return {str(item).partition("=")[0]: str(item).partition("=")[2] for item in value}
    return {str(k): "" if v is None else str(v).lower() if isinstance(v, bool) else str(v) for k, v in (value or {}).items()}


def _words(value: Any) -> list[str] | None:
    if value is None:
        return None
    if isinstance(value, list):
        return [str(item) for item in value]
    return shlex.split(str(value))


def _ns(value: Any) -> int:
    return parse_duration(str(value)) if value else 0


def _health(raw: Obj) -> tuple[Health | None, bool]:
    check = raw.get("healthcheck") or {}
    if check.get("disable"):
        return None, True
    if not check:
        return None, False
    test = check.get("test")
    words = ["CMD-SHELL", test] if isinstance(test, str) else [str(w) for w in test or []]
    return Health(
        words,
        _ns(check.get("interval")),
        _ns(check.get("timeout")),
        _ns(check.get("start_period")),
        int(check.get("retries") or 0),
    ), False


def _volumes(session: EngineSession, project: Project, raw: Obj) -> tuple[list[str], list[Mount], list[str]]:
    words: list[str] = []
    mounts: list[Mount] = []
    tmpfs: list[str] = [str(t) for t in ([raw["tmpfs"]] if isinstance(raw.get("tmpfs"), str) else raw.get("tmpfs") or [])]
    for item in raw.get("volumes") or []:
        if isinstance(item, dict):
            kind, source, target = item.get("type", "volume"), str(item.get("source") or ""), str(item.get("target") or "")
            if kind == "tmpfs":
                tmpfs.append(target)
            elif kind == "bind":
                words.append(f"{_path(session, project, source)}:{target}" + (":ro" if item.get("read_only") else ""))
            else:
                words.append(
                    (f"{volume_name(project, source)}:" if source else "")
                    + target
                    + (":ro" if item.get("read_only") and source else "")
                )
            continue
        source, colon, rest = str(item).partition(":")
        if not colon:
            words.append(str(item))
        elif source.startswith((".", "/", "~")):
            words.append(f"{_path(session, project, source)}:{rest}")
        else:
            words.append(f"{volume_name(project, source)}:{rest}")
    for kind in ("configs", "secrets"):
        for item in raw.get(kind) or []:
            key = item if isinstance(item, str) else str(item.get("source"))
            own = (project.raw.get(kind) or {}).get(key) or {}
            target = (item.get("target") if isinstance(item, dict) else None) or (
                f"/run/secrets/{key}" if kind == "secrets" else f"/{key}"
            )
            if own.get("file"):
                words.append(
                    f"{_path(session, project, str(own['file']))}:{target if str(target).startswith('/') else '/run/secrets/' + str(target)}:ro"
                )
    return words, mounts, tmpfs


def _path(session: EngineSession, project: Project, text: str) -> str:
    if text.startswith("~"):
        text = text.replace("~", session.inv.env.get("HOME", "/root"), 1)
    return posixpath.normpath(posixpath.join(project.directory, text))


def _ports(raw: Obj) -> list[str]:
    out = []
    for item in raw.get("ports") or []:
        if isinstance(item, dict):
            head = f"{item['host_ip']}:" if item.get("host_ip") else ""
            published = f"{item['published']}:" if item.get("published") else ":" if head else ""
            out.append(f"{head}{published}{item['target']}/{item.get('protocol', 'tcp')}")
        else:
            out.append(str(item))
    return out


def service_spec(
    session: EngineSession, project: Project, service: Service, name: str, number: int, *, oneoff: bool = False
) -> Spec:
    """A service as what `run` asks for."""
    raw = service.raw
    env: dict[str, str] = {}
    for item in [raw["env_file"]] if isinstance(raw.get("env_file"), (str, dict)) else raw.get("env_file") or []:
        path = _path(session, project, item if isinstance(item, str) else str(item.get("path")))
        if not session.inv.host.fs.exists(path):
            if isinstance(item, dict) and item.get("required") is False:
                continue
            raise CliError(f"env file {path} not found: stat {path}: no such file or directory", 14)
        env.update(composefile.env_file(session.inv.host.fs.read(path).decode(errors="replace")))
    for key, value in _pairs(raw.get("environment")).items():
        bare = (isinstance(raw.get("environment"), list) and key in [str(i) for i in raw["environment"]]) or (
            isinstance(raw.get("environment"), dict) and raw["environment"].get(key) is None
        )
        env[key] = session.inv.env.get(key, "") if bare else value
    words, mounts, tmpfs = _volumes(session, project, raw)
    keys = composefile._names(raw.get("networks")) or ["default"]
    joined = [
        (
            network_name(project, key),
            [
                service.name,
                *((raw["networks"].get(key) or {}).get("aliases") or [] if isinstance(raw.get("networks"), dict) else []),
            ],
        )
        for key in keys
    ]
    fixed = (raw["networks"].get(keys[0]) or {}).get("ipv4_address", "") if isinstance(raw.get("networks"), dict) else ""
    mode = str(raw.get("network_mode") or "")
    if mode.startswith("service:"):
        others = members(session, project.name, mode.partition(":")[2])
        mode = f"container:{others[0].id}" if others else mode
    health, none = _health(raw)
    limits = ((raw.get("deploy") or {}).get("resources") or {}).get("limits") or {}
    memory = str(raw.get("mem_limit") or limits.get("memory") or "")
    restart = str(raw.get("restart") or "no")
    labels = {
        **_pairs(raw.get("labels")), LABEL + "config-hash": config_hash(service), LABEL + "container-number": str(number), LABEL + "depends_on": ",".join(f"{d}:{c}:false" for d, c in sorted(service.depends.items())),
        LABEL + "image": "", LABEL + "oneoff": "True" if oneoff else "False", LABEL + "project": project.name, LABEL + "project.config_files": ",".join(project.files),
        LABEL + "project.working_dir": project.directory, LABEL + "service": service.name, LABEL + "version": "2.40.2",
    }  # fmt: skip
    kept: Obj = {}
    if raw.get("privileged"):
        kept["Privileged"] = True
    cpus = raw.get("cpus") or limits.get("cpus")
    if cpus:
        kept["NanoCpus"] = int(float(cpus) * SECOND)
    for key, field in (("cap_add", "CapAdd"), ("cap_drop", "CapDrop"), ("security_opt", "SecurityOpt")):
        if raw.get(key):
            kept[field] = list(raw[key])
    options: Obj = {"extra_hosts": [str(e) for e in (raw.get("extra_hosts") or [])] if not isinstance(raw.get("extra_hosts"), dict) else [f"{k}:{v}" for k, v in raw["extra_hosts"].items()],
                    "dns": [raw["dns"]] if isinstance(raw.get("dns"), str) else list(raw.get("dns") or []), "dns_search": [], "host": kept}  # fmt: skip
    if raw.get("stop_grace_period"):
        options["stop_timeout"] = _ns(raw["stop_grace_period"]) // SECOND
    return Spec(
        name=name, argv=_words(raw.get("command")) or [], entrypoint=_words(raw.get("entrypoint")), env=env, cwd=str(raw.get("working_dir") or ""), user=str(raw.get("user") or ""),
        hostname=str(raw.get("hostname") or ""), labels=labels, volumes=words, mounts=mounts, tmpfs=tmpfs, ports=creation.parse_ports(_ports(raw)), expose=[str(e) for e in raw.get("expose") or []],
        network=mode or joined[0][0], aliases=[] if mode else joined[0][1], ip=str(fixed or ""), extra_networks=[] if mode else joined[1:], tty=bool(raw.get("tty")), stdin=bool(raw.get("stdin_open")),
        restart=spec.restart_policy(restart, False), memory=memory_size(memory) if memory else 0, stop_signal=str(raw.get("stop_signal") or ""), health=health, no_healthcheck=none, options=options,
    )  # fmt: skip


def config_hash(service: Service) -> str:
    """What a service's configuration comes to; a container of another one is made anew."""
    raw = {k: v for k, v in service.raw.items() if k not in ("scale", "depends_on", "profiles", "build", "deploy")}
    return hashlib.sha256(json.dumps(raw, sort_keys=True, default=str).encode()).hexdigest()


def container_name(project: Project, service: Service, number: int) -> str:
    """`app-web-1`, or the service's own `container_name`."""
    return str(service.raw.get("container_name") or f"{project.name}-{service.name}-{number}")


def converge(
    session: EngineSession,
    project: Project,
    services: list[Service],
    report: Report,
    *,
    scale: dict[str, int],
    recreate: str = "",
) -> Generator[Wait, Any, list[Container]]:
    """Make every service have the containers that it should have; returns all of them."""
    out: list[Container] = []
    for service in services:
        wanted = scale.get(service.name, service.replicas)
        have = members(session, project.name, service.name)
        if wanted > 1 and service.raw.get("container_name"):
            human.logrus(
                session.inv,
                "warning",
                f'The "{service.name}" service is using the custom container name "{service.raw["container_name"]}". Docker requires each container to have a unique name. Remove the custom name to scale the service',
            )
            raise CliError("", 1)
        for extra in have[wanted:]:
            yield from remove(session, extra, report)
        fresh = config_hash(service)
        numbers = {int(c.labels[LABEL + "container-number"]): c for c in have[:wanted]}
        number = 0
        while len(numbers) < wanted:
            number += 1
            if number in numbers:
                continue
            name = container_name(project, service, number)
            report.say(f"Container {name}", "Creating")
            yield Sleep(40 * MS)
            numbers[number] = make(session, project, service, name, number)
            report.say(f"Container {name}", "Created", done=True)
        for number, container in sorted(numbers.items()):
            image = session.image(image_of(project, service))
            changed = container.labels.get(LABEL + "config-hash") != fresh or (
                image is not None and image.image_id != container.image_id
            )
            if (changed and recreate != "never") or (recreate == "force" and container in have):
                report.say(f"Container {container.name}", "Recreate" if session.docker else "Re-creating")
                name = container.name
                life.stop(session.world, session.host, container, lifecycle.grace(session, container))
                yield from session.ended(container)
                containers.remove(session.world, session.host, container)
                container = make(session, project, service, name, number)
                report.say(f"Container {name}", "Recreated", done=True)
            elif container in have and container.state == "RUNNING" and session.docker:
                report.say(f"Container {container.name}", "Running", done=True)
            out.append(container)
    return out


def make(session: EngineSession, project: Project, service: Service, name: str, number: int) -> Container:
    """Create one container of a service."""
    word = image_of(project, service)
    image = session.needs_image(word)
    try:
        wanted = service_spec(session, project, service, name, number)
        wanted.labels[LABEL + "image"] = image.image_id
        container = creation.create(session.world, session.host, session.space, image, word, wanted)
    except BadSpec as bad:
        raise CliError(str(bad)) from None
    except (ValueError, TypeError, AttributeError) as bad:  # a value of the wrong form somewhere in the service
        raise CliError(f"validating {project.files[0]}: services.{service.name}: {bad}", 15) from None
    except EngineError as failed:
        raise CliError(f"Error response from daemon: {failed}") from None
    pulling.mark(session, container)
    return container


def start(session: EngineSession, project: Project, services: list[Service], report: Report) -> Generator[Wait, Any, None]:
    """Start the services' containers, each after what it depends on."""
    for service in services:
        for other, condition in sorted(service.depends.items()):
            if other in project.services:
                yield from _await(session, project, other, condition, report)
        for container in members(session, project.name, service.name):
            if container.state == "RUNNING":
                continue
            if session.docker:
                report.say(f"Container {container.name}", "Starting")
            yield Sleep(60 * MS)
            try:
                lifecycle.begin(session, container)
            except EngineError as failed:
                raise CliError(f"Error response from daemon: {failed}") from None
            if session.docker:
                report.say(f"Container {container.name}", "Started", done=True)


def _await(session: EngineSession, project: Project, name: str, condition: str, report: Report) -> Generator[Wait, Any, None]:
    """`service_healthy` and `service_completed_successfully` wait."""
    if condition == "service_started":
        return
    for container in members(session, project.name, name):
        report.say(f"Container {container.name}", "Waiting")
        while True:
            if condition == "service_healthy":
                if container.health is None:
                    raise CliError(f"dependency failed to start: container {container.name} has no healthcheck configured")
                if container.health.status == "healthy":
                    report.say(f"Container {container.name}", "Healthy", done=True)
                    break
                if container.health.status == "unhealthy":
                    report.say(f"Container {container.name}", "Error", done=True)
                    raise CliError(f"dependency failed to start: container {container.name} is unhealthy")
                if container.state != "RUNNING" and not container.restarting:
                    report.say(f"Container {container.name}", "Error", done=True)
                    raise CliError(f"dependency failed to start: container {container.name} exited ({container.exit_code})")
            elif container.state == "EXITED" and not container.restarting:
                if container.exit_code:
                    raise CliError(f'service "{name}" didn\'t complete successfully: exit {container.exit_code}')
                report.say(f"Container {container.name}", "Exited", done=True)
                break
            yield WaitTopic(
                (f"engine:{session.host}:{session.space}", f"container:{session.host}:{container.id}"), session.world.now + SECOND
            )


def remove(session: EngineSession, container: Container, report: Report, *, volumes: bool = False) -> Generator[Wait, Any, None]:
    """Stop and remove one container."""
    if container.state == "RUNNING" or container.restarting:
        report.say(f"Container {container.name}", "Stopping")
        life.stop(session.world, session.host, container, lifecycle.grace(session, container))
        yield from session.ended(container)
        report.say(f"Container {container.name}", "Stopped", done=True)
    report.say(f"Container {container.name}", "Removing")
    if volumes:
        container.options["remove_volumes"] = True
    if container.id in core.containers(session.world, session.host, session.space):
        containers.remove(session.world, session.host, container)
    report.say(f"Container {container.name}", "Removed", done=True)
