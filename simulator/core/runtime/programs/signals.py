"""How programs of images take signals as PID 1, and which plain commands are better run as daemons.

The kernel drops a signal that PID 1 of a namespace has no handler for (pid_namespaces(7)); only programs listed in `HANDLED` end
on TERM.  `sleep` and `tail -f /dev/null` as main processes are daemons here, so that a world with them can be put in a snapshot.
"""

from __future__ import annotations

import shlex

from ...host.process import Process
from ...kernel.clock import MS, SECOND
from ...kernel.world import World

#: program → how long it takes to end after its signal.
HANDLED: dict[str, int] = {
    "nginx": 60 * MS,
    "redis-server": 20 * MS,
    "httpd": 40 * MS,
    "mysqld": 1200 * MS,
    "mariadbd": 900 * MS,
    "postgres": 120 * MS,
    "mongod": 300 * MS,
    "memcached": 10 * MS,
    "coredns": 5 * SECOND,
    "pause": 5 * MS,
    "agnhost": 10 * MS,
    "registry": 10 * MS,
    "whoami": 5 * MS,
    "http-echo": 5 * MS,
    "rabbitmq-server": 900 * MS,
    "etcd": 60 * MS,
    "kube-apiserver": 200 * MS,
    "kube-controller-manager": 30 * MS,
    "kube-scheduler": 30 * MS,
    "kube-proxy": 20 * MS,
}


def delay(world: World, proc: Process, number: int) -> int | None:
    """How long the process takes to end after a signal, or None when PID 1 ignores it."""
    name = proc.program.partition(":")[0]
    if name in HANDLED:
        return HANDLED[name]
    return None


def offer(world: World, proc: Process, number: int) -> bool:
    """Hand a signal to a command that may have a handler (a shell with a trap); False when it has none and PID 1 ignores it."""
    executor = world.warm.get("executor")
    if executor is None or not executor.owns(proc):
        return False
    handler = executor.tasks[proc.key].on_signal
    if handler is None or not handler(number):
        return False
    executor._enqueue(executor.tasks[proc.key])
    world.at(world.now, "co:", None)
    return True


def parse_sleep(words: list[str]) -> int | None:
    """The ns that `sleep` with these arguments takes, -1 for infinity, None when they are not plain."""
    total = 0.0
    for word in words:
        if word in ("infinity", "inf"):
            return -1
        unit = {"s": 1, "m": 60, "h": 3600, "d": 86400}.get(word[-1:], 0)
        number = word[:-1] if unit else word
        if not number.replace(".", "", 1).isdigit():
            return None
        total += float(number) * (unit or 1)
    return int(total * SECOND) if words else None


def as_program(program: str, argv: list[str]) -> str:
    """The daemon that stands for a plain waiting command, else the name as it is."""
    words = argv
    if program in ("sh", "bash", "ash"):
        from .script import plan

        if plan(argv) is not None:
            return "container-script"
    if program in ("sh", "bash", "ash") and len(argv) == 3 and argv[1] == "-c":
        try:
            words = shlex.split(argv[2])
        except ValueError:
            return program
        if any(ch in argv[2] for ch in ";&|$<>(){}`#\n*?"):
            return program
        words = words[1:] if words[:1] == ["exec"] else words
    name = words[0].rpartition("/")[2] if words else ""
    if name.startswith("python") and "-m" in words and "http.server" in words:
        return "python-http-server"
    if name == "sleep" and parse_sleep(words[1:]) is not None:
        return "container-sleep"
    if name == "tail" and "-f" in words[1:2] and words[2:] == ["/dev/null"]:
        return "container-sleep"
    return program
