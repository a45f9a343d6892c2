"""cron: the jobs of users' crontabs, `/etc/crontab` and `/etc/cron.d`, run by virtual time.

The tables are files; a change of one (`tables['cron']`) sets the host's one timer `cron:<host>` to the next job.  What a job prints goes
nowhere, as on a host without a mail server, and the journal says that it ran.
"""

from __future__ import annotations

import posixpath
import re
from typing import Any

import msgspec

from ..kernel.world import World
from . import calendar, executor, files, processes, streams, users
from .filesystem import Tree
from .machine import Host, hosts

SPOOL = "/var/spool/cron/crontabs"
UNIT = "cron.service"


class Job(msgspec.Struct):
    """One line of a table; `schedule` is None for `@reboot`."""

    user: str
    command: str
    schedule: calendar.Schedule | None
    env: dict[str, str]


def parse(text: str, user: str = "") -> list[Job]:
    """The jobs of a table; one of the system (`user` is "") names its user in the sixth field.  Raises ValueError `<line>:<what is bad>`."""
    env: dict[str, str] = {}
    jobs: list[Job] = []
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        assigned = re.match(r"([A-Za-z_]\w*)\s*=\s*(.*)$", line)
        if assigned:
            env[assigned.group(1)] = assigned.group(2).strip("\"'")
            continue
        parts = line.split(None, 1)
        schedule = None
        if parts[0].startswith("@"):
            words, rest = [parts[0]], parts[1] if len(parts) > 1 else ""
            if parts[0] != "@reboot":
                if parts[0] not in calendar.WORDS:
                    raise ValueError(f"{number}:bad time specifier")
                schedule = calendar.cron(calendar.WORDS[parts[0]].split())
        else:
            words = line.split(None, 5)
            rest = words[5] if len(words) > 5 else ""
            try:
                schedule = calendar.cron([*words[:5], *["?"] * (5 - len(words))][:5])
            except ValueError as bad:
                raise ValueError(f"{number}:bad {bad}") from None
        who = user
        if not who:
            who, _, rest = rest.partition(" ")
        if not rest.strip():
            raise ValueError(f"{number}:bad command")
        jobs.append(Job(who, rest.strip(), schedule, dict(env)))
    return jobs


def _tables(tree: Tree) -> list[tuple[str, str]]:
    found = []
    if tree.isdir(SPOOL):
        found += [(f"{SPOOL}/{name}", name) for name in tree.listdir(SPOOL)]
    if tree.exists("/etc/crontab"):
        found.append(("/etc/crontab", ""))
    if tree.isdir("/etc/cron.d"):
        found += [(f"/etc/cron.d/{name}", "") for name in tree.listdir("/etc/cron.d") if "." not in name]
    return found


def jobs(host: Host) -> list[Job]:
    """Every job of a host; a table with a fault is passed over, as cron does."""
    tree = files.tree(host)
    found: list[Job] = []
    for path, user in _tables(tree):
        try:
            found += parse(tree.read(path).decode(errors="replace"), user)
        except ValueError:
            continue
    return found


def _next(host: Host, at: int) -> int | None:
    times = [when for job in jobs(host) if job.schedule is not None and (when := job.schedule.after(at)) is not None]
    return min(times, default=None)


def arm(world: World, host: Host) -> None:
    """Set the timer to the next job."""
    if host.cron:
        world.cancel(host.cron)
        host.cron = 0
    clock = world.wall + host.skew
    when = _next(host, clock)
    if when is not None:
        host.cron = world.after(when - clock, f"cron:{host.name}", when)


def changed(world: World, host: Host, path: str) -> None:
    """A table may have changed (`tables['cron']`)."""
    if posixpath.dirname(path) in (SPOOL, "/etc/cron.d") or path == "/etc/crontab":
        arm(world, host)


def dispatch(world: World, rest: str, payload: Any) -> None:
    """Timer handler of `cron:<host>`: run what is due at `payload` (Unix ns)."""
    host = hosts(world).get(rest)
    if host is None:
        return
    host.cron = 0
    if not host.up:
        return
    for job in jobs(host):
        if job.schedule is not None and job.schedule.after(payload - 1) == payload:
            run(world, host, job)
    arm(world, host)


def boot(world: World, host: Host) -> None:
    """The machine has started: the jobs of `@reboot`, and the timer."""
    for job in jobs(host):
        if job.schedule is None:
            run(world, host, job)
    arm(world, host)


def run(world: World, host: Host, job: Job) -> None:
    """One job: its command under /bin/sh; after an unescaped `%` comes its standard input."""
    tree = files.tree(host)
    if users.passwd(tree, job.user) is None and job.user != "root":
        return
    home = users.home_of(tree, job.user)
    command, *lines = re.split(r"(?<!\\)%", job.command)
    env = {"SHELL": "/bin/sh", "HOME": home, "LOGNAME": job.user, "PATH": "/usr/bin:/bin", **job.env}
    sink = streams.Null()
    fds: dict[int, streams.Stream] = {0: streams.Buffer("\n".join(lines).encode()), 1: sink, 2: sink}
    try:
        proc = executor.get(world).spawn(
            host.name,
            [env["SHELL"], "-c", command.replace("\\%", "%")],
            fds,
            user=job.user,
            cwd=home if tree.isdir(home) else "/",
            env=env,
        )
    except BlockingIOError:
        processes.journal(world, host.name, UNIT, 1, "(CRON) error (can't fork)", "cron")
        return
    processes.journal(world, host.name, UNIT, proc.pid, f"({job.user}) CMD ({job.command})", "CRON")
    executor.get(world).pump()
