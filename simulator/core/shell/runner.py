"""`bash -c` without a terminal: captured output and exit status, for checks, transcripts and `python -m simulator run`."""

from __future__ import annotations

import msgspec

from ..host import executor, processes, streams, users
from ..host.executor import DEFAULT_PATH
from ..host.files import tree
from ..host.machine import hosts
from ..kernel.clock import SECOND
from ..kernel.world import World


class RunResult(msgspec.Struct):
    """What a command printed and how it ended (124: it was still running at the limit and was killed)."""

    stdout: str
    stderr: str
    code: int


def environment(world: World, host: str, user: str) -> dict[str, str]:
    """The environment of a non-interactive login."""
    home = users.home_of(tree(hosts(world)[host]), user)
    return {
        "HOME": home,
        "USER": user,
        "LOGNAME": user,
        "SHELL": "/bin/bash",
        "PATH": DEFAULT_PATH,
        "LANG": "C.UTF-8",
        "TZ": "UTC",
    }


class Running:
    """A command under way; `result` once `done`."""

    def __init__(
        self,
        world: World,
        command: str,
        *,
        host: str = "controlplane",
        user: str = "root",
        stdin: bytes = b"",
        cwd: str = "",
        env: dict[str, str] | None = None,
    ) -> None:
        self.world = world
        self.out, self.err = streams.Capture(), streams.Capture()
        full = environment(world, host, user) | (env or {})
        where = cwd or full["HOME"]
        if not tree(hosts(world)[host]).isdir(where):
            where = "/"
        run = executor.get(world)
        fds: dict[int, streams.Stream] = {0: streams.Buffer(stdin), 1: self.out, 2: self.err}
        self.proc = run.spawn(host, ["bash", "-c", command], fds, user=user, cwd=where, env=full)
        run.pump()

    @property
    def done(self) -> bool:
        """Whether the shell has ended."""
        return not processes.alive(self.world, self.proc)

    def result(self, code: int | None = None) -> RunResult:
        """The output so far and the status."""
        return RunResult(
            bytes(self.out.data).decode("utf-8", "replace"),
            bytes(self.err.data).decode("utf-8", "replace"),
            self.proc.exit_code if code is None else code,
        )


def run(
    world: World,
    command: str,
    *,
    host: str = "controlplane",
    user: str = "root",
    stdin: bytes = b"",
    cwd: str = "",
    env: dict[str, str] | None = None,
    limit: int = 600 * SECOND,
) -> RunResult:
    """Run a command to its end, letting virtual time pass up to `limit`."""
    running = Running(world, command, host=host, user=user, stdin=stdin, cwd=cwd, env=env)
    deadline = world.now + limit
    while not running.done:
        due = world.next_due()
        if due is None or due > deadline:
            world.run_until(deadline)
            if not running.done:
                kill_tree(world, running.proc.host, running.proc.pid)
                executor.get(world).pump()
                return running.result(124)
            break
        world.step()
    return running.result()


def kill_tree(world: World, host: str, pid: int) -> None:
    """Kill a process and its descendants."""
    machine = hosts(world)[host]
    for child in sorted(p.pid for p in machine.processes.values() if p.ppid == pid):
        kill_tree(world, host, child)
    proc = machine.processes.get(pid)
    if proc is not None:
        processes.kill(world, proc, 9)
