"""`ps` and what is told of a container in lists (docker/cli `cli/command/formatter/container.go`; nerdctl `pkg/cmd/container/list.go`)."""

from __future__ import annotations

import re
from typing import Any

from ...kernel import clock
from ...runtime.engine import core, diff
from ...runtime.engine.core import EngineError
from ...runtime.state import Container
from .. import human
from ..flags import quote
from . import formats
from .session import CliError, EngineSession

HEADER = {
    "ID": "CONTAINER ID", "Image": "IMAGE", "Command": "COMMAND", "RunningFor": "CREATED", "CreatedAt": "CREATED AT", "Status": "STATUS", "State": "STATE",
    "Ports": "PORTS", "Names": "NAMES", "Size": "SIZE", "Labels": "LABELS", "Mounts": "MOUNTS", "LocalVolumes": "LOCAL VOLUMES", "Networks": "NETWORKS", "Platform": "PLATFORM",
}  # fmt: skip


def status(session: EngineSession, c: Container) -> str:
    """`Up 3 minutes (healthy)`, `Exited (0) 2 hours ago`, `Created`, `Restarting (1) 4 seconds ago`."""
    if c.state == "RUNNING":
        if not session.docker:
            health = f" ({c.health.status})" if c.health is not None else ""
            return "Paused" if c.paused else "Up" + health
        text = "Up " + human.duration(max(0, session.world.wall - c.started_at))
        if c.paused:
            return text + " (Paused)"
        if c.health is not None:
            return text + f" ({'health: starting' if c.health.status == 'starting' else c.health.status})"
        return text
    if c.restarting:
        return f"Restarting ({c.exit_code}) {human.ago(session.world, c.finished_at)}"
    if c.state == "EXITED" and c.started_at:
        return f"Exited ({c.exit_code}) {human.ago(session.world, c.finished_at)}"
    return "Created"


def state(c: Container) -> str:
    """`running`, `paused`, `restarting`, `exited`, `created`."""
    if c.state == "RUNNING":
        return "paused" if c.paused else "running"
    if c.restarting:
        return "restarting"
    return "exited" if c.state == "EXITED" and c.started_at else "created"


def ports(session: EngineSession, c: Container) -> str:
    """`0.0.0.0:8080->80/tcp, [::]:8080->80/tcp`, with runs of ports drawn together (`DisplayablePorts`)."""
    if c.state != "RUNNING":
        return "" if session.docker else ", ".join(f"{p.host_ip}:{p.host_port}->{p.container_port}/{p.protocol}" for p in c.ports)
    if not session.docker:
        return ", ".join(f"{p.host_ip}:{p.host_port}->{p.container_port}/{p.protocol}" for p in c.ports)
    groups: list[tuple[str, list[tuple[int, int]], str]] = []
    rows = [(p.host_ip, p.host_port, p.container_port, p.protocol) for p in c.ports]
    rows += [("[::]", p.host_port, p.container_port, p.protocol) for p in c.ports if p.host_ip == "0.0.0.0"]
    bound = {(p.container_port, p.protocol) for p in c.ports}
    for one in c.options.get("expose") or []:
        number, _, protocol = str(one).partition("/")
        if number.isdigit() and (int(number), protocol) not in bound and not c.shared_netns:
            rows.append(("", 0, int(number), protocol))
    for ip, outer, inner, protocol in sorted(rows, key=lambda r: (r[2], r[3], r[0] == "[::]", r[1])):
        for head, pairs, kind in groups:
            last = pairs[-1]
            if head == ip and kind == protocol and inner == last[0] + 1 and outer == (last[1] + 1 if last[1] else 0):
                pairs.append((inner, outer))
                break
        else:
            groups.append((ip, [(inner, outer)], protocol))
    out = []
    for ip, pairs, protocol in groups:
        inside = _span(pairs[0][0], pairs[-1][0])
        out.append(f"{ip}:{_span(pairs[0][1], pairs[-1][1])}->{inside}/{protocol}" if ip else f"{inside}/{protocol}")
    return ", ".join(out)


def _span(low: int, high: int) -> str:
    return str(low) if low == high else f"{low}-{high}"


def image_name(session: EngineSession, c: Container) -> str:
    """The image as it was asked for, or its id when the name means another image now."""
    if not session.docker:
        return c.image
    shown = str(c.options.get("ref") or c.image)
    if shown.startswith("sha256:"):
        return shown[7:19]
    known = session.image(shown)
    if known is not None and known.image_id == c.image_id:
        return shown
    return c.image_id.removeprefix("sha256:")[:12]


def row(session: EngineSession, c: Container, *, full: bool, size: bool = False) -> dict[str, Any]:
    """The fields that `ps --format` knows."""
    command = " ".join([*c.options.get("entrypoint", c.argv), *c.options.get("cmd", [])]) or " ".join(c.argv)
    if not full and len(command) > 20:
        command = command[:19] + "…"
    mounts = [m.name or m.source for m in c.mounts if m.kind != "tmpfs"]
    if not full:
        mounts = [name if len(name) <= 15 else name[:14] + "…" for name in mounts]
    when = clock.to_datetime(c.created_at).strftime("%Y-%m-%d %H:%M:%S +0000 UTC")
    found: dict[str, Any] = {
        "ID": c.id if full else c.id[:12], "Image": image_name(session, c), "Command": quote(command) if True else command, "RunningFor": human.ago(session.world, c.created_at),
        "CreatedAt": when, "Status": status(session, c), "State": state(c), "Ports": ports(session, c), "Names": c.name, "Size": "0B", "Mounts": ",".join(mounts),
        "Labels": ",".join(f"{k}={v}" for k, v in sorted(c.labels.items())), "LocalVolumes": str(sum(m.kind == "volume" for m in c.mounts)),
        "Networks": ",".join(sorted(c.networks)) or str(c.options.get("network_mode", "")), "Platform": "linux/amd64",
    }  # fmt: skip
    if size:
        own = diff.size(diff.of_container(session.world, session.host, c))
        found["Size"] = f"{human.size(own, 3)} (virtual {human.size(own + session.build(c).unpacked, 3)})"
    return found


_FILTERS = (
    "ancestor",
    "before",
    "exited",
    "expose",
    "health",
    "id",
    "is-task",
    "isolation",
    "label",
    "name",
    "network",
    "publish",
    "since",
    "status",
    "volume",
)
_STATES = ("created", "restarting", "running", "removing", "paused", "exited", "dead")


def matches(session: EngineSession, c: Container, key: str, value: str) -> bool:
    """One `--filter`; raises EngineError for one that does not exist."""
    if key == "name":
        return re.search(value.removeprefix("^/").join(["^" if value.startswith("^/") else "", ""]), c.name) is not None
    if key == "id":
        return c.id.startswith(value)
    if key == "status":
        if value not in _STATES:
            raise EngineError(f"invalid filter 'status={value}'", 400)
        return state(c) == value
    if key == "label":
        name, equals, wanted = value.partition("=")
        return name in c.labels and (not equals or c.labels[name] == wanted)
    if key == "exited":
        return state(c) == "exited" and str(c.exit_code) == value
    if key == "ancestor":
        image = session.image(value)
        return image is not None and (c.image_id == image.image_id or image.image_id == session.build(c).digest("config"))
    if key == "network":
        return value in c.networks or any(
            core.engine(session.world, session.host, session.space).networks[n].id.startswith(value) for n in c.networks
        )
    if key == "volume":
        return any(value in (m.name, m.target) for m in c.mounts)
    if key in ("publish", "expose"):
        number = value.partition("/")[0]
        return (
            any(str(p.container_port) == number for p in c.ports)
            if key == "publish"
            else any(str(e).partition("/")[0] == number for e in c.options.get("expose", []))
        )
    if key in ("before", "since"):
        other = session.find(value)
        return c.created_at < other.created_at if key == "before" else c.created_at > other.created_at
    if key == "health":
        return (c.health.status if c.health is not None else "none") == value
    if key in _FILTERS:
        return True
    raise EngineError(f"invalid filter '{key}'", 400)


def filtered(session: EngineSession, found: list[Container], conditions: list[str]) -> list[Container]:
    """The containers that every key of the filters lets through (values of one key are alternatives)."""
    wanted: dict[str, list[str]] = {}
    for text in conditions:
        key, equals, value = text.partition("=")
        if not equals:
            raise CliError(
                f"invalid argument \"{text}\" for \"-f, --filter\" flag: invalid filter '{text}': must be formatted as 'name=value'"
                if session.docker
                else f"invalid filter: {text}",
                125 if session.docker else 1,
            )
        wanted.setdefault(key.strip().lower(), []).append(value.strip())
    for key, values in wanted.items():
        test = all if key == "label" else any
        found = [c for c in found if test(matches(session, c, key, value) for value in values)]
        if not found and key not in _FILTERS:  # refused even where nothing is left to test
            raise EngineError(f"invalid filter '{key}'", 400)
    return found


def ps(session: EngineSession) -> int:
    """`docker ps`."""
    session.connect()
    values = session.values
    found = [c for c in core.containers(session.world, session.host, session.space).values() if not c.sandbox]
    found.sort(key=lambda c: (-c.created_at, c.id))
    conditions = session.items("filter")
    for text in conditions:
        if text.partition("=")[0] not in _FILTERS and "=" in text:
            raise EngineError(f"invalid filter '{text.partition('=')[0]}'", 400)
    last = 1 if values.on("latest") else values.number("last")
    by_state = any(text.startswith(("status=", "exited=")) for text in conditions)
    if not (values.on("all") or last > 0 or by_state):
        found = [c for c in found if c.state == "RUNNING" or c.restarting]
    found = filtered(session, found, conditions)
    if last > 0:
        found = found[:last]
    size = values.on("size")
    form = values.text("format")
    rows = [row(session, c, full=values.on("no-trunc"), size=size or ".Size" in form) for c in found]
    columns = ["ID", "Image", "Command", "RunningFor", "Status", "Ports", "Names", *(["Size"] if size else [])]
    session.inv.out(
        formats.listing(
            form,
            HEADER,
            columns,
            rows,
            quiet="ID" if values.on("quiet") else "",
            kind="*formatter.ContainerContext" if session.docker else "",
        )
    )
    return 0
