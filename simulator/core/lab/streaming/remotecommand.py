"""exec and attach: a command in a container, or its main process, with a client's descriptors (`kubelet/pkg/cri/streaming/remotecommand`)."""

from __future__ import annotations

from typing import Any

import orjson

from ...host import executor, processes, streams
from ...host.machine import hosts
from ...host.process import Process
from ...kernel.world import World
from ...runtime import logs, stdio
from ...runtime.pty import Pty
from ...runtime.state import Container, find_container
from .session import LIMIT, Held, Item, Obj, Op, Outbox, failure, success


class Outlet(streams.Stream):
    """A descriptor whose bytes go to the client."""

    def __init__(self, what: str, outbox: Outbox) -> None:
        super().__init__()
        self.what, self.outbox = what, outbox

    def write(self, data: bytes) -> None:
        """Keep the bytes until they are taken."""
        self.outbox.put(self.what, data)


class Exec:
    """A command that a client runs in a container."""

    idle = False

    def __init__(self, world: World, held: Held) -> None:
        self.world, self.held = world, held
        target = self.target = held.target
        self.outbox = Outbox()
        self.over = False
        self.input = streams.Buffer(ended=not target["stdin"])
        self.pty: Pty | None = None
        self.proc: Process | None = None
        self._final: Obj | None = None

    def start(self) -> None:
        """Start the command, or say why it cannot be."""
        target = self.target
        if target["error"]:
            self._final = failure(str(target["error"]).removeprefix("error: "))
            return
        fds: dict[int, streams.Stream] = {0: self.input, 1: Outlet("out", self.outbox), 2: Outlet("err", self.outbox)}
        if target["tty"]:
            self.pty = Pty(self.world, self.outbox.put)
            fds = {
                0: streams.Tty(self.pty) if target["stdin"] else self.input,
                1: streams.Tty(self.pty),
                2: streams.Tty(self.pty, 2),
            }
        try:
            self.proc = executor.get(self.world).spawn(
                target["host"],
                list(target["argv"]),
                fds,
                mnt=target["container"],
                netns=target["netns"],
                env=dict(target["env"]),
                user=target["user"],
                cwd=target["cwd"] or "/",
                container=target["container"],
            )
        except OSError as error:
            self._final = failure(f"error executing command in container: fork/exec: {error.strerror}")
            return
        if self.pty is not None:
            self.pty.leader = self.proc
        self._run()

    def take(self, op: Op) -> None:
        """Standard input, the window's size, a signal of the keyboard."""
        if self.pty is not None:
            _at_terminal(self.pty, op, self.pty.type if self.target["stdin"] else None)
        elif op.what == "data" and self.target["stdin"] and not self.input.ended:
            if len(self.input.data) + len(op.data) <= LIMIT:
                self.input.data += op.data
                self.input.wake()
            else:
                op = Op("end")
        if op.what == "end" and self.pty is None:
            self.input.ended = True
            self.input.wake()
        self._run()

    def poll(self) -> list[Item]:
        """Output, and the Status when the command has ended."""
        proc = self.proc
        if self._final is None and proc is not None and not processes.alive(self.world, proc):
            self._final = self._outcome(proc.exit_code)
        items = self.outbox.take()
        if self._final is not None and not self.over:
            self.over = True
            items.append(Item("final", orjson.dumps(self._final)))
        return items

    def end(self) -> None:
        """The connection is over: a command that still runs is ended, so that a world does not fill with them."""
        proc = self.proc
        if proc is None or not processes.alive(self.world, proc):
            return
        family, running = {proc.pid}, sorted(hosts(self.world)[proc.host].processes.values(), key=lambda found: found.pid)
        for found in running:
            if found.ppid in family:
                family.add(found.pid)
        for found in running:
            if found.pid in family:
                processes.kill(self.world, found, executor.SIGKILL)
        self._run()

    @property
    def busy(self) -> bool:
        """The command runs and is no shell at its prompt."""
        waits = self.pty is not None and (bool(self.pty.prompt) or self.pty.raw is not None)
        return self.proc is not None and processes.alive(self.world, self.proc) and not waits

    def _run(self) -> None:
        executor.get(self.world).pump()

    def _outcome(self, code: int) -> Obj:
        """`remotecommand/exec.go: ServeExec`, with containerd's words."""
        if code == 0:
            return success()
        words = " ".join(self.target["argv"])
        return {
            "metadata": {},
            "status": "Failure",
            "message": f"command terminated with non-zero exit code: error executing command [{words}], exit code {code}",
            "reason": "NonZeroExitCode",
            "details": {"causes": [{"reason": "ExitCode", "message": str(code)}]},
        }


class Attach:
    """The main process of a container, seen and fed by a client: its own streams, or the container's log where it has none."""

    def __init__(self, world: World, held: Held) -> None:
        self.world, self.held = world, held
        target = self.target = held.target
        self.host, self.container = str(target["host"]), str(target["container"])
        self.outbox = Outbox()
        self.over = False
        self._stdio = stdio.of(world, self.container)

    def start(self) -> None:
        """See what is printed from now on."""
        if self._stdio is not None:
            self._stdio.clients.append(self.outbox.put)
            pty = self._stdio.pty
            if pty is not None:
                self.outbox.put("mode", pty.raw[1].encode() if pty.raw else b"")
        else:
            self.held.seen = len(self._log())

    def take(self, op: Op) -> None:
        """Standard input, if the container has one and the client asked for it."""
        held = self._stdio
        if held is None:
            return
        if held.pty is not None:
            _at_terminal(held.pty, op, held.type if self.target["stdin"] else None)
        elif op.what == "data" and self.target["stdin"]:
            if len(held.input.data) + len(op.data) <= LIMIT:
                held.type(op.data)
        elif op.what == "end" and self.target["stdin"] and self.target.get("once"):
            held.end()
        executor.get(self.world).pump()

    def poll(self) -> list[Item]:
        """Output, and Success when the container has ended: attaching has no exit status."""
        if self._stdio is None and not self.over:
            lines = self._log()
            for line in lines[self.held.seen :]:
                self.outbox.found("err" if line.stream == "stderr" else "out", line.text.encode() + b"\n")
            self.held.seen = len(lines)
        items = self.outbox.take()
        found = self._record()
        if not self.over and (found is None or found.state == "EXITED"):
            self.over = True
            items.append(Item("final", orjson.dumps(success())))
        return items

    def end(self) -> None:
        """Look no more; with `stdinOnce` the process reads the end of its input, unless it has a terminal (`container_io.go: Attach`)."""
        if self._stdio is not None:
            self._stdio.clients[:] = [client for client in self._stdio.clients if client != self.outbox.put]
            if self.target["stdin"] and self.target.get("once") and self._stdio.pty is None:
                self._stdio.end()
                executor.get(self.world).pump()

    @property
    def busy(self) -> bool:
        """A shell at a terminal is at work."""
        pty = self._stdio.pty if self._stdio is not None else None
        return pty is not None and not pty.prompt and pty.raw is None and self._record() is not None

    @property
    def idle(self) -> bool:
        """A container without streams of its own is looked at through its log."""
        return self._stdio is None and not self.outbox.items

    def _record(self) -> Container | None:
        return find_container(self.world, self.host, self.container)

    def _log(self) -> list[logs.LogLine]:
        found = self._record()
        return logs.read(self.world, self.host, found.log_path) if found is not None and found.log_path else []


def _at_terminal(pty: Pty, op: Op, write: Any) -> None:
    """An operation at a terminal; `write` is None when nobody may type."""
    if op.what == "resize":
        pty.resize(op.columns, op.rows)
    elif write is None:
        return
    elif op.what == "data" and len(pty.input.data) + len(op.data) <= LIMIT:
        write(op.data)
    elif op.what == "end":
        pty.end()
    elif op.what == "signal" and op.number in (2, 3):
        pty.signal(op.number)
