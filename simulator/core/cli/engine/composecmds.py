"""`docker compose` and `nerdctl compose`: commands (docker/compose `cmd/compose`)."""

from __future__ import annotations

import posixpath
from typing import Any, cast

from ...host.invocation import Call
from ...host.program import WaitTopic
from ...runtime import logs
from ...runtime.engine import core, creation, life, networks
from ...runtime.engine.core import EngineError
from ...runtime.state import Container
from .. import attached, human
from ..cobra import ArgsCheck, Command
from . import composeconfig, composefile, composeup, composeviews, imagecmds, interact, lifecycle
from .composeflags import FLAGS
from .composeup import LABEL, Report, members
from .flagspec import flags
from .session import CliError, EngineSession, Steps


def up(session: EngineSession) -> Steps:
    """`up`."""
    session.connect()
    project = composefile.load(session)
    services = composefile.order(project, session.args or None)
    if session.on("no-deps") and session.args:
        services = [s for s in services if s.name in session.args]
    scale = _scale(session, project)
    images = Report(session, "Pulling")
    yield from composeup.images(session, project, services, build=session.on("build"), report=images)
    report = Report(session)
    yield from composeup.ensure(session, project, services, report)
    _orphans(session, project)
    if session.on("remove-orphans"):
        for orphan in [
            c for c in members(session, project.name) if c.labels.get(LABEL + "service") not in project.raw["services"]
        ]:
            yield from composeup.remove(session, orphan, report)
    recreate = "force" if session.on("force-recreate") else "never" if session.on("no-recreate") else ""
    try:
        found = yield from composeup.converge(session, project, services, report, scale=scale, recreate=recreate)
        if session.on("no-start"):
            return 0
        wait = session.on("wait")
        attach = not (session.on("detach") or wait)
        if attach and session.docker:
            session.inv.out(f"Attaching to {', '.join(composeviews.short(c) for c in found)}\n")
        yield from composeup.start(session, project, services, report)
    except CliError as failed:
        if not str(failed):
            return failed.code
        raise
    if wait:
        for service in services:
            if any(c.health is not None for c in members(session, project.name, service.name)):
                yield from composeup._await(session, project, service.name, "service_healthy", report)
    if not attach:
        return 0
    return (yield from _attached(session, found, stop=True))


def _scale(session: EngineSession, project: composefile.Project) -> dict[str, int]:
    out: dict[str, int] = {}
    for text in session.items("scale"):
        name, equals, count = text.partition("=")
        if not equals or not count.isdigit():
            raise CliError(f"invalid --scale option {text!r}. Should be SERVICE=NUM".replace("'", '"'))
        if name not in project.services:
            raise CliError(f"no such service: {name}")
        out[name] = int(count)
    return out


def _orphans(session: EngineSession, project: composefile.Project) -> None:
    names = [c.name for c in members(session, project.name) if c.labels.get(LABEL + "service") not in project.raw["services"]]
    if names and not session.on("remove-orphans"):
        human.logrus(
            session.inv,
            "warning",
            f"Found orphan containers ([{' '.join(names)}]) for this project. If you removed or renamed this service in your compose file, you can run this command with the --remove-orphans flag to clean it up.",
        )


def _attached(session: EngineSession, found: list[Container], *, stop: bool) -> Steps:
    """The logs of several containers as they come; Ctrl-C stops them."""
    width = max((len(composeviews.short(c)) for c in found), default=0)
    seen = {c.id: 0 for c in found}
    over: set[str] = set()
    asked = 0

    def signalled(number: int) -> bool:
        nonlocal asked
        asked += 1
        if asked == 1 and stop:
            session.inv.err("Gracefully Stopping... press Ctrl+C again to force\n" if session.docker else "")
            for container in found:
                life.stop(session.world, session.host, container, lifecycle.grace(session, container))
            return True
        for container in found:
            life.kill(session.world, session.host, container, 9)
        return asked < 3 and stop

    cast(Call, session.inv).task.on_signal = signalled
    try:
        while True:
            for container in found:
                lines = logs.read(session.world, session.host, container.log_path)
                for line in lines[seen[container.id] :]:
                    session.inv.out(
                        f"{composeviews.short(container):<{width}}  | {line.text}\n"
                        if session.docker
                        else f"{composeviews.short(container):<{width}} |{line.text}\n"
                    )
                seen[container.id] = len(lines)
                if container.state != "RUNNING" and not container.restarting and container.id not in over:
                    over.add(container.id)
                    if session.docker:
                        session.inv.out(f"{composeviews.short(container)} exited with code {container.exit_code}\n")
                    if session.on("abort-on-container-exit") and stop and len(over) == 1:
                        session.inv.err("Aborting on container exit...\n")
                        for other in found:
                            life.stop(session.world, session.host, other, lifecycle.grace(session, other))
            if len(over) == len(found):
                return 130 if asked and not session.docker else 0
            topics = [f"file:{session.host}:{posixpath.dirname(c.log_path)}" for c in found] + [
                f"container:{session.host}:{c.id}" for c in found
            ]
            yield WaitTopic(tuple(topics))
    finally:
        cast(Call, session.inv).task.on_signal = None


def down(session: EngineSession) -> Steps:
    """`down`."""
    session.connect()
    project = composefile.load(session)
    report = Report(session)
    found = members(session, project.name)
    own = [c for c in found if c.labels[LABEL + "service"] in project.raw["services"] or session.on("remove-orphans")]
    by_name = {s.name: n for n, s in enumerate(composefile.order(project))}
    own.sort(key=lambda c: -by_name.get(c.labels[LABEL + "service"], 0))
    if session.args:
        own = [c for c in own if c.labels[LABEL + "service"] in session.args]
    if (
        not found
        and session.docker
        and not any(n.startswith(project.name + "_") for n in core.engine(session.world, session.host, session.space).networks)
    ):
        human.logrus(session.inv, "warning", 'Warning: No resource found to remove for project "' + project.name + '".')
        return 0
    for container in own:
        yield from composeup.remove(session, container, report, volumes=session.on("volumes"))
    engine = core.engine(session.world, session.host, session.space)
    if session.on("volumes"):
        for key in sorted(project.volumes):
            name = composeup.volume_name(project, key)
            if name in engine.volumes and not (project.volumes[key] or {}).get("external"):
                report.say(f"Volume {name}", "Removing")
                creation.remove_volume(session.world, session.host, session.space, name)
                report.say(f"Volume {name}", "Removed", done=True)
    if not session.args:
        for name in sorted(n for n, one in engine.networks.items() if one.labels.get(LABEL + "project") == project.name):
            report.say(f"Network {name}", "Removing")
            try:
                networks.remove(session.world, session.host, session.space, name)
                report.say(f"Network {name}", "Removed", done=True)
            except EngineError:
                report.say(f"Network {name}", "Resource is still in use", done=True)
    if session.flag("rmi"):
        for service in project.services.values():
            word = composeup.image_of(project, service)
            if session.image(word) is not None and (session.flag("rmi") == "all" or not service.raw.get("image")):
                report.say(f"Image {word}", "Removing")
                imagecmds.remove_one(session, word, force=True, quiet=True)
                report.say(f"Image {word}", "Removed", done=True)
    return 0


def stop(session: EngineSession) -> Steps:
    """`stop`."""
    session.connect()
    report = Report(session, "Stopping")
    for c in composeviews.chosen(session, composefile.load(session)):
        if c.state != "RUNNING":
            continue
        report.say(f"Container {c.name}", "Stopping")
        life.stop(session.world, session.host, c, lifecycle.grace(session, c))
        yield from session.ended(c)
        report.say(f"Container {c.name}", "Stopped", done=True)
    return 0


def start(session: EngineSession) -> Steps:
    """`start`."""
    session.connect()
    project = composefile.load(session)
    services = composefile.order(project, session.args or None)
    for service in services:
        if not members(session, project.name, service.name):
            raise CliError(f'service "{service.name}" has no container to start')
    yield from composeup.start(session, project, services, Report(session))
    return 0


def restart(session: EngineSession) -> Steps:
    """`restart`."""
    session.connect()
    report = Report(session, "Restarting")
    for c in composeviews.chosen(session, composefile.load(session)):
        report.say(f"Container {c.name}", "Restarting")
        life.stop(session.world, session.host, c, lifecycle.grace(session, c))
        yield from session.ended(c)
        lifecycle.begin(session, c)
        report.say(f"Container {c.name}", "Started", done=True)
    return 0


def _simple(word: str, done: str, work: Any) -> Any:
    def run(session: EngineSession) -> int:
        session.connect()
        report = Report(session)
        for c in composeviews.chosen(session, composefile.load(session)):
            if c.state == "RUNNING":
                report.say(f"Container {c.name}", word)
                work(session, c)
                report.say(f"Container {c.name}", done, done=True)
        return 0

    return run


def kill(session: EngineSession) -> Steps:
    """`kill`."""
    session.connect()
    number = lifecycle.signal_number(session.flag("signal") or "KILL")
    report = Report(session, "Killing")
    for c in composeviews.chosen(session, composefile.load(session)):
        if c.state == "RUNNING":
            report.say(f"Container {c.name}", "Killing")
            life.kill(session.world, session.host, c, number)
            if number == 9:
                yield from session.ended(c)
            report.say(f"Container {c.name}", "Killed", done=True)
    return 0


def rm(session: EngineSession) -> Steps:
    """`rm`."""
    session.connect()
    project = composefile.load(session)
    found = [c for c in composeviews.chosen(session, project) if c.state != "RUNNING" or session.on("stop")]
    if not found:
        session.inv.err("No stopped containers\n")
        return 0
    if not session.on("force"):
        session.inv.out(f"? Going to remove {', '.join(c.name for c in found)} (y/N) ")
        answer = (yield from session.inv.read_line()).decode(errors="replace").strip().lower()
        if answer not in ("y", "yes"):
            return 0
    report = Report(session, "Removing")
    for c in found:
        yield from composeup.remove(session, c, report, volumes=session.on("volumes"))
    return 0


def create(session: EngineSession) -> Steps:
    """`create`."""
    session.connect()
    project = composefile.load(session)
    services = composefile.order(project, session.args or None)
    yield from composeup.images(session, project, services, build=session.on("build"), report=Report(session, "Pulling"))
    report = Report(session)
    yield from composeup.ensure(session, project, services, report)
    yield from composeup.converge(session, project, services, report, scale=_scale(session, project))
    return 0


def scale(session: EngineSession) -> Steps:
    """`scale`."""
    session.connect()
    project = composefile.load(session)
    wanted: dict[str, int] = {}
    for text in session.args:
        name, equals, count = text.partition("=")
        if not equals or not count.isdigit():
            raise CliError(f"invalid scale specifier: {text}")
        if name not in project.services:
            raise CliError(f"no such service: {name}")
        wanted[name] = int(count)
    report = Report(session)
    services = [s for s in composefile.order(project, list(wanted)) if s.name in wanted or not session.on("no-deps")]
    yield from composeup.ensure(session, project, services, report)
    yield from composeup.images(session, project, services, build=False, report=report)
    yield from composeup.converge(session, project, services, report, scale=wanted)
    yield from composeup.start(session, project, services, report)
    return 0


def build(session: EngineSession) -> Steps:
    """`build`."""
    session.connect()
    project = composefile.load(session)
    found = [s for s in composefile.order(project, session.args or None) if s.raw.get("build")]
    if not found:
        human.logrus(session.inv, "warning", "No services to build")
    for service in found:
        yield from composeup.build_service(session, project, service)
    return 0


def pull(session: EngineSession) -> Steps:
    """`pull`."""
    session.connect()
    project = composefile.load(session)
    report = Report(session, "Pulling")
    for service in composefile.order(project, session.args or None):
        if service.raw.get("image") and not service.raw.get("build"):
            yield from composeup.pull_service(session, service, str(service.raw["image"]), report)
        elif session.docker:
            report.say(service.name, "Skipped - No image to be pulled", done=True)
    return 0


def execute(session: EngineSession) -> Steps:
    """`exec`."""
    session.connect()
    project = composefile.load(session, quiet=True)
    name, *argv = session.args
    if name not in project.services:
        raise CliError(f"no such service: {name}")
    index = max(1, session.values.number("index")) if session.values.has("index") else 1
    found = [c for c in members(session, project.name, name) if c.state == "RUNNING"]
    if len(found) < index:
        raise CliError(f'service "{name}" is not running' + (f" container #{index}" if index > 1 else ""))
    from ..docker.tree import ROOT

    command = ROOT.child("exec")
    assert command is not None
    words = []
    for flag in ("env",):
        for pair in session.items(flag):
            words += ["-e", pair]
    for flag, short in (("user", "-u"), ("workdir", "-w")):
        if session.flag(flag):
            words += [short, session.flag(flag)]
    if session.on("detach"):
        words.append("-d")
    elif session.inv.stdin_tty and not session.on("no-TTY") and not session.on("no-tty"):
        words.append("-it")
    else:
        words.append("-i")
    inner = session.like(command.parse([*words, found[index - 1].id, *argv]))
    return (yield from interact.execute(inner))


def run(session: EngineSession) -> Steps:
    """`run`: a container of its own for one command of a service."""
    session.connect()
    project = composefile.load(session)
    name, *argv = session.args
    if name not in project.services:
        raise CliError(f"no such service: {name}")
    service = project.services[name]
    report = Report(session)
    services = composefile.order(project, [name])
    yield from composeup.images(session, project, services, build=session.on("build"), report=report)
    yield from composeup.ensure(session, project, services, report)
    others = [s for s in services if s.name != name]
    if not session.on("no-deps"):
        yield from composeup.converge(session, project, others, report, scale={})
        yield from composeup.start(session, project, others, report)
    own = session.flag("name") or f"{project.name}-{name}-run-{session.world.rng('compose').hex(12)}"
    wanted = composeup.service_spec(session, project, service, own, 1, oneoff=True)
    if not session.on("service-ports"):
        wanted.ports = creation.parse_ports(session.items("publish"))
    if argv:
        wanted.argv = argv
    if session.flag("entrypoint"):
        wanted.entrypoint = session.flag("entrypoint").split()
    for pair in session.items("env"):
        wanted.env[pair.partition("=")[0]] = pair.partition("=")[2]
    wanted.auto_remove = session.on("rm")
    wanted.restart = "no"
    word = composeup.image_of(project, service)
    container = creation.create(session.world, session.host, session.space, session.needs_image(word), word, wanted)
    interactive = session.inv.stdin_tty and not session.on("detach") and not session.on("no-TTY")
    lifecycle.begin(session, container, interactive=interactive)
    if session.on("detach"):
        session.inv.out(own + "\n")
        return 0
    return (yield from attached.follow(session.inv, container, interactive=interactive))


def wait(session: EngineSession) -> Steps:
    """`wait`."""
    session.connect()
    code = 0
    for c in composeviews.chosen(session, composefile.load(session, quiet=True)):
        yield from session.ended(c)
        session.inv.out(f"container {c.name!r} exited with status code {c.exit_code}\n".replace("'", '"'))
        code = c.exit_code
    return code


def _pause(session: EngineSession, c: Container) -> None:
    life.pause(session.world, session.host, c)


def _unpause(session: EngineSession, c: Container) -> None:
    life.unpause(session.world, session.host, c)


def tree(*, checks: bool = True) -> Command:
    """The commands of `compose`."""
    from ..docker.usage import at_least, exact

    def c(use: str, short: str, work: Any, args: ArgsCheck | None = None, *, interspersed: bool = True) -> Command:
        name = use.split(" ")[0]
        return Command(
            use,
            short=short,
            run=work,
            args=args,
            flags=flags(FLAGS.get(f"compose {name}", "")) if FLAGS.get(f"compose {name}") else (),
            interspersed=interspersed,
        )

    return Command(
        "compose", short="Docker Compose", long="Define and run multi-container applications with Docker", persistent=flags(FLAGS["compose"]),
        commands=(
            c("build [OPTIONS] [SERVICE...]", "Build or rebuild services", build), c("config [OPTIONS] [SERVICE...]", "Parse, resolve and render compose file in canonical format", composeconfig.config),
            c("create [OPTIONS] [SERVICE...]", "Creates containers for a service", create), c("down [OPTIONS] [SERVICES]", "Stop and remove containers, networks", down),
            c("exec [OPTIONS] SERVICE COMMAND [ARGS...]", "Execute a command in a running container", execute, at_least(2), interspersed=False),
            c("images [OPTIONS] [SERVICE...]", "List images used by the created containers", composeviews.images), c("kill [OPTIONS] [SERVICE...]", "Force stop service containers", kill),
            c("logs [OPTIONS] [SERVICE...]", "View output from containers", composeviews.show_logs), c("ls [OPTIONS]", "List running compose projects", composeviews.projects),
            c("pause [SERVICE...]", "Pause services", _simple("Pausing", "Paused", _pause)), c("port [OPTIONS] SERVICE PRIVATE_PORT", "Print the public port for a port binding", composeviews.port, exact(2)),
            c("ps [OPTIONS] [SERVICE...]", "List containers", composeviews.ps), c("pull [OPTIONS] [SERVICE...]", "Pull service images", pull),
            c("restart [OPTIONS] [SERVICE...]", "Restart service containers", restart), c("rm [OPTIONS] [SERVICE...]", "Removes stopped service containers", rm),
            c("run [OPTIONS] SERVICE [COMMAND] [ARGS...]", "Run a one-off command on a service", run, at_least(1), interspersed=False),
            c("scale [OPTIONS] [SERVICE=REPLICAS...]", "Scale services ", scale), c("start [SERVICE...]", "Start services", start), c("stop [OPTIONS] [SERVICE...]", "Stop services", stop),
            c("top [SERVICES...]", "Display the running processes", composeviews.top), c("unpause [SERVICE...]", "Unpause services", _simple("Unpausing", "Unpaused", _unpause)),
            c("up [OPTIONS] [SERVICE...]", "Create and start containers", up), c("version [OPTIONS]", "Show the Docker Compose version information", composeviews.version),
            c("wait SERVICE [SERVICE...] [OPTIONS]", "Block until containers of all (or specified) services stop.", wait, at_least(1)),
        ),
    )  # fmt: skip
