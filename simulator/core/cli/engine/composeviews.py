"""`compose ps`, `logs`, `top`, `port`, `images`, `ls`, `version`: what a project runs, seen."""

from __future__ import annotations

import posixpath

from ...host.program import WaitTopic
from ...runtime import logs
from ...runtime.engine import core, dockerd
from ...runtime.state import Container
from . import composefile, formats, imagecmds, interact, listing
from .composeup import LABEL, members
from .session import CliError, EngineSession, Steps


def short(container: Container) -> str:
    return f"{container.labels[LABEL + 'service']}-{container.labels[LABEL + 'container-number']}"


def chosen(session: EngineSession, project: composefile.Project) -> list[Container]:
    for name in session.args:
        if name not in project.services:
            raise CliError(f"no such service: {name}")
    return [c for c in members(session, project.name) if not session.args or c.labels[LABEL + "service"] in session.args]


PS_HEADER = {
    **listing.HEADER,
    "Name": "NAME",
    "Service": "SERVICE",
    "Project": "PROJECT",
    "ExitCode": "EXIT CODE",
    "Health": "HEALTH",
}


def ps(session: EngineSession) -> int:
    """`ps`."""
    session.connect()
    project = composefile.load(session, quiet=True)
    found = members(session, project.name)
    if session.args:
        for name in session.args:
            if name not in project.services:
                raise CliError(f"no such service: {name}")
        found = [c for c in found if c.labels[LABEL + "service"] in session.args]
    if not session.on("all"):
        found = [c for c in found if c.state == "RUNNING" or c.restarting]
    found = listing.filtered(session, found, session.items("filter"))
    if session.on("services"):
        session.inv.out("".join(f"{name}\n" for name in sorted({c.labels[LABEL + "service"] for c in found})))
        return 0
    rows = []
    for c in found:
        row = listing.row(session, c, full=session.on("no-trunc"))
        row |= {
            "Name": c.name,
            "Service": c.labels[LABEL + "service"],
            "Project": project.name,
            "ExitCode": str(c.exit_code),
            "Health": c.health.status if c.health is not None else "",
        }
        if session.on("quiet"):
            row["ID"] = c.id
        rows.append(row)
    form = session.flag("format")
    if form == "pretty":
        form = "table"
    text = formats.listing(
        form,
        PS_HEADER,
        ("Name", "Image", "Command", "Service", "RunningFor", "Status", "Ports"),
        rows,
        quiet="ID" if session.on("quiet") else "",
    )
    session.inv.out(text)
    return 0


def show_logs(session: EngineSession) -> Steps:
    """`logs`."""
    session.connect()
    project = composefile.load(session, quiet=True)
    found = [c for c in members(session, project.name) if not session.args or c.labels[LABEL + "service"] in session.args]
    for name in session.args:
        if name not in project.services:
            raise CliError(f"no such service: {name}")
    since = interact.moment(session, session.flag("since"))
    tail = session.flag("tail") or "all"
    width = max((len(short(c)) for c in found), default=0)
    plain = session.on("no-log-prefix")

    def text(container: Container, line: logs.LogLine) -> str:
        body = logs.render(line, session.on("timestamps"))
        if plain:
            return body
        return f"{short(container):<{width}}  | {body}" if session.docker else f"{short(container):<{width}} |{body}"

    seen = {}
    rows = []
    for c in found:
        lines = logs.read(session.world, session.host, c.log_path)
        seen[c.id] = len(lines)
        rows += [(c, line) for line in logs.select(lines, tail=int(tail) if tail.isdigit() else -1, since=since)]
    for c, line in rows:
        session.inv.out(text(c, line))
    while session.on("follow") and any(c.state == "RUNNING" for c in found):
        topics = [f"file:{session.host}:{posixpath.dirname(c.log_path)}" for c in found] + [
            f"container:{session.host}:{c.id}" for c in found
        ]
        yield WaitTopic(tuple(topics))
        for c in found:
            lines = logs.read(session.world, session.host, c.log_path)
            for line in lines[seen[c.id] :]:
                session.inv.out(text(c, line))
            seen[c.id] = len(lines)
    return 0


def top(session: EngineSession) -> Steps:
    """`top`."""
    session.connect()
    from ..docker.tree import ROOT

    command = ROOT.child("top")
    assert command is not None
    for c in chosen(session, composefile.load(session, quiet=True)):
        if c.state == "RUNNING":
            session.inv.out(c.name + "\n")
            yield from interact.top(session.like(command.parse([c.id])))
            session.inv.out("\n")
    return 0


def port(session: EngineSession) -> int:
    """`port`."""
    session.connect()
    project = composefile.load(session, quiet=True)
    name, wanted = session.args
    if name not in project.services:
        raise CliError(f"no such service: {name}")
    found = [c for c in members(session, project.name, name) if c.state == "RUNNING"]
    if not found:
        raise CliError(f'service "{name}" is not running container #1')
    for p in found[0].ports:
        if str(p.container_port) == wanted.partition("/")[0]:
            session.inv.out(f"{p.host_ip}:{p.host_port}\n")
            return 0
    raise CliError(f"no port {wanted}/tcp for container {found[0].name}: ")


def images(session: EngineSession) -> int:
    """`images`."""
    session.connect()
    project = composefile.load(session, quiet=True)
    rows = [["CONTAINER", "REPOSITORY", "TAG", "PLATFORM", "IMAGE ID", "SIZE", "CREATED"]]
    for c in members(session, project.name):
        image = session.image(str(c.options.get("ref", c.image)))
        if image is None:
            continue
        one = imagecmds.row(session, image, full=False)
        rows.append([c.name, one["Repository"], one["Tag"], "linux/amd64", one["ID"], one["Size"], one["CreatedSince"]])
    session.inv.out(session.table(rows))
    return 0


def projects(session: EngineSession) -> int:
    """`ls`."""
    session.connect()
    found: dict[str, list[Container]] = {}
    for c in core.containers(session.world, session.host, session.space).values():
        if LABEL + "project" in c.labels:
            found.setdefault(c.labels[LABEL + "project"], []).append(c)
    rows = []
    for name in sorted(found):
        states: dict[str, int] = {}
        for c in found[name]:
            states[listing.state(c)] = states.get(listing.state(c), 0) + 1
        if "running" not in states and not session.on("all"):
            continue
        rows.append(
            {
                "Name": name,
                "Status": ", ".join(f"{k}({v})" for k, v in sorted(states.items())),
                "ConfigFiles": found[name][0].labels.get(LABEL + "project.config_files", ""),
            }
        )
    header = {"Name": "NAME", "Status": "STATUS", "ConfigFiles": "CONFIG FILES"}
    form = session.flag("format")
    if form == "json":
        session.inv.out(formats.go_json(rows) + "\n")
    else:
        session.inv.out(
            formats.listing(
                "" if form == "table" else form, header, tuple(header), rows, quiet="Name" if session.on("quiet") else ""
            )
        )
    return 0


def version(session: EngineSession) -> int:
    """`version`."""
    if session.on("short"):
        session.inv.out(dockerd.COMPOSE.removeprefix("v") + "\n")
    elif session.flag("format") == "json":
        session.inv.out(formats.go_json({"version": dockerd.COMPOSE}) + "\n")
    else:
        session.inv.out(f"Docker Compose version {dockerd.COMPOSE}\n" if session.docker else "nerdctl Compose version v2.2.1\n")
    return 0
