"""Runs commands: each is a task with descriptors, driven until it waits, at one virtual instant.

Tasks live in the warm world (`world.warm['executor']`); `idle` tells whether a snapshot may be taken.  A task's timers use the
target `co:<host>/<pid>`; each wait has a number, and a timer of an earlier wait is ignored.
"""

from __future__ import annotations

import errno
import posixpath
from collections.abc import Callable, Generator
from contextlib import suppress
from types import GeneratorType
from typing import Any

from ..kernel.errors import BadInput, BudgetExceeded, NotSimulated
from ..kernel.world import World
from . import files, processes, streams
from .filesystem import Inode, error
from .invocation import Call
from .machine import Host, hosts
from .process import Process
from .program import Exited, Sleep, Steps, Wait, WaitChild, WaitTopic
from .scheduling import Scheduler
from .tasks import (
    DEFAULT_PATH,
    SIGCONT,
    SIGINT,
    SIGKILL,
    SIGPIPE,
    SIGSTOP,
    SIGTERM,
    SIGTSTP,
    Command,
    Ended,
    Task,
    _fail,
    _name,
    resolve,
)

__all__ = [
    "DEFAULT_PATH",
    "MAX_TASKS",
    "SIGCONT",
    "SIGINT",
    "SIGKILL",
    "SIGPIPE",
    "SIGSTOP",
    "SIGTERM",
    "SIGTSTP",
    "Collected",
    "Command",
    "Ended",
    "Executor",
    "Task",
    "dispatch",
    "exec_in",
    "fd_sink",
    "get",
    "resolve",
    "run_in",
    "standard_output",
]

#: Tasks that may exist at once in a world: a fork bomb meets it.
MAX_TASKS = 400


class Executor(Scheduler):
    """All tasks of a world."""

    # -- questions ------------------------------------------------------------------------------------------------------
    def owns(self, proc: Process) -> bool:
        """Whether the process is a command of ours (a daemon's record only carries its descriptors)."""
        task = self.tasks.get(proc.key)
        return task is not None and not task.daemon

    def idle(self) -> bool:
        """Nothing runs or waits here, so the world can be stored."""
        return not self.tasks and not self.ready

    # -- starting -------------------------------------------------------------------------------------------------------
    def begin(self, proc: Process, fds: dict[int, streams.Stream], body: Callable[[Task], int | Steps]) -> Process:
        """Make a task of a process and a function of it; the task runs at the next `pump`."""
        if len(self.tasks) >= MAX_TASKS:
            processes.finish(self.world, proc, 1)
            raise BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable", "fork")
        task = Task(proc, {fd: stream.dup() for fd, stream in fds.items()})
        task.steps = self._steps(task, body)
        self.tasks[proc.key] = task
        self._enqueue(task)
        return proc

    def spawn_like(
        self,
        parent: Process,
        argv: list[str],
        fds: dict[int, streams.Stream],
        *,
        env: dict[str, str] | None = None,
        cwd: str | None = None,
        found: tuple[str, Inode] | None = None,
        pgid: int = 0,
    ) -> Process:
        """Start a command as a child of another process, inheriting user, directory, environment and namespaces."""
        self.umask = parent.umask
        return self.spawn(
            parent.host,
            argv,
            fds,
            user=parent.user,
            cwd=parent.cwd if cwd is None else cwd,
            env=parent.env if env is None else env,
            mnt=parent.mnt,
            netns=parent.netns,
            ppid=parent.pid,
            container=parent.container,
            tty=parent.tty,
            found=found,
            pgid=pgid or parent.pgid,
        )

    def spawn(
        self,
        host: str,
        argv: list[str],
        fds: dict[int, streams.Stream],
        *,
        user: str = "root",
        cwd: str = "/",
        env: dict[str, str] | None = None,
        mnt: str = "host",
        netns: str | None = None,
        ppid: int = 1,
        container: str = "",
        tty: str = "",
        found: tuple[str, Inode] | None = None,
        pgid: int = 0,
    ) -> Process:
        """Start a command; a name that cannot be run ends with 127 or 126 and says so on its standard error."""
        env = dict(env or {})
        proc = processes.add(
            self.world,
            host=host,
            program=posixpath.basename(argv[0]) if argv else "",
            argv=argv,
            ppid=ppid,
            user=user,
            cwd=cwd,
            env=env,
            mnt=mnt,
            netns=netns,
            container=container,
            tty=tty,
            pgid=pgid,
        )
        proc.umask, self.umask = self.umask, 0o022
        machine = hosts(self.world)[host]
        try:
            path, node = found or resolve(machine, mnt, argv[0], cwd=cwd, path=env.get("PATH", DEFAULT_PATH), user=user)
            path, node, proc.argv = self._interpreter(machine, proc, path, node)
        except OSError as failed:
            text = failed.strerror
            code = 127 if failed.errno == errno.ENOENT else 126
            return self.begin(proc, fds, lambda task: _fail(task, f"{argv[0]}: {text}\n", code))
        proc.program = node.target
        return self._enter(proc, fds)

    def _interpreter(self, machine: Host, proc: Process, path: str, node: Inode) -> tuple[str, Inode, list[str]]:
        """Follow `#!` lines as execve(2) does."""
        argv = list(proc.argv)
        for _ in range(4):
            if node.kind == "exec":
                return path, node, argv
            data = files.tree(machine, proc.mnt).read(path)
            first = data[:256].split(b"\n")[0]
            if not first.startswith(b"#!"):
                raise error(errno.ENOEXEC, path)
            words = first[2:].decode(errors="replace").split(None, 1)
            if not words:
                raise error(errno.ENOEXEC, path)
            argv = [*words, argv[0] if "/" in argv[0] else path, *argv[1:]]
            path, node = resolve(machine, proc.mnt, words[0], cwd=proc.cwd, path=DEFAULT_PATH, user=proc.user)
        raise error(errno.ELOOP, path)

    def _enter(self, proc: Process, fds: dict[int, streams.Stream]) -> Process:
        name = proc.program.partition(":")[0]
        command: Command | None = self.world.tables.get("commands", {}).get(name)
        if command is not None:
            run = command
            return self.begin(proc, fds, lambda task: run(Call(self, task)))
        if name in self.world.tables.get("programs", {}):
            return self._daemon(proc, fds)
        return self.begin(
            proc, fds, lambda task: _fail(task, f"{posixpath.basename(proc.argv[0])}: not simulated in Slipway yet\n", 127)
        )

    def _daemon(self, proc: Process, fds: dict[int, streams.Stream]) -> Process:
        """A daemon started by a shell: its log goes to descriptor 2, as plain data wherever that is possible.

        Standard output (`processes.say`) is for what it prints before it serves: `--version`, `--help`.
        """
        stream = fds.get(2)
        if isinstance(stream, streams.Tty):
            proc.sink = f"tty:{stream.device.name}"
        elif isinstance(stream, streams.FileStream) and stream.mnt == "host":
            proc.sink = f"file:{stream.path}"
        elif stream is not None and not isinstance(stream, streams.Null):
            task = Task(proc, {2: stream.dup()})
            task.daemon = True
            self.tasks[proc.key] = task
            proc.sink = f"fd:{proc.key}"
            processes.watch_exit(self.world, proc, f"co:{proc.key}", 0)
        if 1 in fds:
            self.starting[proc.key] = fds[1]
        behaviour = processes.program_of(self.world, proc.program)
        leaves = getattr(behaviour, "daemonizes", None)
        try:
            if leaves is not None and leaves(proc):
                raise Exited(self._leave(proc))
            behaviour.start(self.world, proc)
        except Exited as ended:
            processes.finish(self.world, proc, ended.code)
            self._drop(proc.key)
        finally:
            self.starting.pop(proc.key, None)
        return proc

    def _leave(self, proc: Process) -> int:
        """What daemon(3) does: the program goes on as a child of init, without a terminal; the status of the one that was called."""
        child = processes.start(
            self.world, host=proc.host, program=proc.program, argv=list(proc.argv), user=proc.user, env=dict(proc.env), sink=proc.sink,
            mnt=proc.mnt, netns=proc.netns, container=proc.container,
        )  # fmt: skip
        child.sink = "null"
        return child.exit_code if child.state == "X" else 0

    # -- running --------------------------------------------------------------------------------------------------------
    def _steps(self, task: Task, body: Callable[[Task], int | Steps]) -> Generator[Wait, Any, int]:
        """A command's body with its failures turned into what a process would do."""
        try:
            result = body(task)
            if isinstance(result, GeneratorType):
                result = yield from result
            return int(result or 0)  # type: ignore[arg-type]
        except Ended as ended:
            return ended.code
        except streams.BrokenPipe:
            return 128 + SIGPIPE
        except (NotSimulated, BadInput, BudgetExceeded) as failed:
            return _fail(task, f"{_name(task)}: {failed}\n", 1)
        except OSError as failed:
            where = f"{failed.filename}: " if failed.filename else ""
            return _fail(task, f"{_name(task)}: {where}{failed.strerror or failed}\n", 1)
        except RecursionError:
            return _fail(task, f"{_name(task)}: nested too deeply\n", 1)

    # -- ending ---------------------------------------------------------------------------------------------------------

    def end(self, proc: Process, code: int) -> None:
        """A task is over: close its descriptors and tell who waits."""
        task = self.tasks.get(proc.key)
        if task is None:
            return
        if task.timer:
            self.world.cancel(task.timer)
        self._drop(proc.key)
        if task.keep and code < 256:
            self.on_ring(f"task:{proc.key}")
            return
        processes.finish(self.world, proc, code & 0xFF)

    def signal(self, proc: Process, number: int) -> int:
        """Deliver a signal to a task; returns its exit status, or -1 when it lives on."""
        task = self.tasks[proc.key]
        if number == SIGCONT:
            if task.stopped:
                task.stopped = False
                proc.state = "S"
                if task.missed:
                    task.missed = False
                    self._enqueue(task, task.value)
                    self._kick()
            return -1
        if number in (SIGSTOP, SIGTSTP):
            task.stopped = True
            proc.state = "T"
            self.on_ring(f"exit:{proc.key}")
            return -1
        if number in (0, 17, 23, 28):
            return -1
        if number != SIGKILL and task.on_signal is not None and task.on_signal(number):
            if not task.queued:
                self._enqueue(task)
            self._kick()
            return -1
        steps = task.steps
        task.steps = None
        if steps is not None and not getattr(steps, "gi_running", False):
            with suppress(RuntimeError):
                steps.close()
        self.end(proc, 128 + number)
        self._kick()
        return 128 + number

    def _kick(self) -> None:
        if not self.pumping and self.ready:
            self.world.at(self.world.now, "co:", None)

    def run_now(
        self, call: Call, argv: list[str], data: bytes, *, capture: bool, errors: streams.Stream | None = None
    ) -> tuple[int, bytes]:
        """Run a command to its end while the caller stands still: for tools whose language calls commands (awk's `system`).

        No time passes: a command's `sleep` ends at once; one that waits for something else is ended.  `errors` takes its standard error.
        """
        out = streams.Capture()
        fds: dict[int, streams.Stream] = {**call.fds, 0: streams.Buffer(data)}
        if capture:
            fds[1] = out
        if errors is not None:
            fds[2] = errors
        proc = self.spawn_like(call.proc, argv, fds)
        later: list[Task] = []
        for _ in range(20_000):
            if not processes.alive(self.world, proc):
                break
            if self.ready:
                task = self.ready.popleft()
                if task.proc.key == call.proc.key:
                    later.append(task)
                    continue
                task.queued = False
                if self.tasks.get(task.proc.key) is task and task.steps is not None and not task.stopped:
                    self._resume(task)
                continue
            sleeping = [task for task in self.tasks.values() if isinstance(task.wait, Sleep) and self._below(task.proc, proc)]
            if not sleeping:
                break
            for task in sleeping:
                self._enqueue(task)
        self.ready.extendleft(reversed(later))
        if processes.alive(self.world, proc):
            processes.kill(self.world, proc, SIGKILL)
        return proc.exit_code, bytes(out.data)

    def _below(self, proc: Process | None, above: Process) -> bool:
        """Whether a process is another or a descendant of it."""
        while proc is not None and proc.host == above.host:
            if proc.pid == above.pid:
                return True
            proc = processes.find(self.world, proc.host, proc.ppid) if proc.ppid > 1 else None
        return False

    # -- for commands ---------------------------------------------------------------------------------------------------
    def wait(self, proc: Process) -> Generator[Wait, Any, int]:
        """Wait for a child to end and return its status (128 + 20 when it was stopped)."""
        while processes.alive(self.world, proc):
            if proc.state == "T":
                return 128 + SIGTSTP
            yield WaitChild(proc.pid)
        return proc.exit_code


def get(world: World) -> Executor:
    """The world's executor, made on first use."""
    found = world.warm.get("executor")
    if found is None:
        found = world.warm["executor"] = Executor(world)
        world.warm["on_ring"] = found.on_ring
    return found


def dispatch(world: World, rest: str, payload: Any) -> None:
    """`tables['dispatch']['co']`."""
    get(world).dispatch(rest, payload)


def fd_sink(world: World, proc: Process, rest: str, text: str) -> None:
    """`tables['sinks']['fd']`: a daemon that a shell started writes to its descriptor 2."""
    task = get(world).tasks.get(rest)
    if task is not None:
        _write(world, proc, task.fds.get(2), text)


def standard_output(world: World, proc: Process, text: str) -> bool:
    """`tables['sinks']['stdout']`: text of a daemon that a shell is starting; whether it has a standard output of its own."""
    stream = get(world).starting.get(proc.key)
    _write(world, proc, stream, text)
    return stream is not None


def _write(world: World, proc: Process, stream: streams.Stream | None, text: str) -> None:
    if stream is None:
        return
    try:
        stream.write(text.encode())
    except streams.BrokenPipe:
        processes.kill(world, proc, SIGPIPE)


class Collected:
    """A command started by `run_in`: its process and what it has written so far."""

    def __init__(self, proc: Process, out: streams.Capture, err: streams.Capture) -> None:
        self.proc, self._out, self._err = proc, out, err

    @property
    def done(self) -> bool:
        """Whether it has ended (its status is `proc.exit_code`)."""
        return self.proc.state == "X"

    @property
    def stdout(self) -> bytes:
        """Standard output so far."""
        return bytes(self._out.data)

    @property
    def stderr(self) -> bytes:
        """Standard error so far."""
        return bytes(self._err.data)


def run_in(
    world: World,
    host: str,
    argv: list[str],
    *,
    mnt: str = "host",
    netns: str | None = None,
    user: str = "root",
    stdin: bytes = b"",
    env: dict[str, str] | None = None,
    cwd: str = "/",
    container: str = "",
) -> Collected:
    """Start a command (inside a container when `mnt` names one) and collect its output; `processes.watch_exit` tells its end."""
    out, err = streams.Capture(), streams.Capture()
    executor = get(world)
    proc = executor.spawn(
        host,
        argv,
        {0: streams.Buffer(stdin), 1: out, 2: err},
        user=user,
        cwd=cwd,
        env=env,
        mnt=mnt,
        netns=netns,
        container=container,
    )
    executor.pump()
    return Collected(proc, out, err)


def exec_in(
    call: Call,
    host: str,
    argv: list[str],
    *,
    mnt: str,
    netns: str,
    env: dict[str, str] | None = None,
    user: str = "root",
    cwd: str = "/",
    container: str = "",
    stdin: bool = False,
) -> Generator[Wait, Any, int]:
    """Run a command elsewhere (in a container, on another host) with the caller's descriptors; returns its status."""
    fds = dict(call.fds)
    if not stdin:
        fds[0] = streams.Buffer(b"")
    executor = call.executor
    proc = executor.spawn(
        host, argv, fds, user=user, cwd=cwd, env=env, mnt=mnt, netns=netns, container=container, tty=call.proc.tty
    )
    try:
        while processes.alive(call.world, proc):
            yield WaitTopic((f"exit:{proc.key}",))
        return proc.exit_code
    finally:
        if processes.alive(call.world, proc):
            processes.kill(call.world, proc, SIGKILL)
