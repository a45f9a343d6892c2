"""A command in a container with its descriptors on the channels of a WebSocket (`v5.channel.k8s.io` and `v4.channel.k8s.io`).

Each message begins with the number of its channel: 0 standard input, 1 output, 2 error output, 3 the final Status, 4 the size of
the client's terminal; with v5, 255 closes a channel (`apimachinery/pkg/util/remotecommand/constants.go`,
`kubelet/pkg/cri/streaming/remotecommand`).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson

from simulator.core.host import executor, processes, streams
from simulator.core.host.machine import hosts
from simulator.core.host.process import Process
from simulator.core.kernel.errors import BudgetExceeded

from .edge import Edge, status
from .pty import Pty

Obj = dict[str, Any]
PROTOCOLS = ("v5.channel.k8s.io", "v4.channel.k8s.io")
STDIN, STDOUT, STDERR, ERROR, RESIZE, CLOSE = 0, 1, 2, 3, 4, 255
#: Most that is kept for a client that reads more slowly than its command writes.
LIMIT = 8 * 1024 * 1024
PIECE = 32 * 1024


class Outlet(streams.Stream):
    """A descriptor whose bytes go to a channel."""

    def __init__(self, channel: int, out: list[tuple[int, bytes]]) -> None:
        super().__init__()
        self.number, self.out = channel, out

    def write(self, data: bytes) -> None:
        """Keep the bytes until the connection takes them; raises BudgetExceeded when nobody does."""
        if sum(len(piece) for _, piece in self.out) + len(data) > LIMIT:
            raise BudgetExceeded("exec: the client is too far behind")
        if self.out and self.out[-1][0] == self.number:
            self.out[-1] = (self.number, self.out[-1][1] + data)
        elif data:
            self.out.append((self.number, data))


class Session:
    """One exec: from the kubelet's target to the exit status."""

    def __init__(self, edge: Edge, target: Obj, protocol: str) -> None:
        self.edge, self.target, self.protocol = edge, target, protocol
        self.out: list[tuple[int, bytes]] = []
        self.input = streams.Buffer(ended=not target["stdin"])
        self.pty: Pty | None = None
        self.proc: Process | None = None
        self._final: Obj | None = None

    @property
    def over(self) -> bool:
        """The final Status has been taken by `output`."""
        return self._final is not None and not self.out

    def start(self) -> None:
        """Start the command, or say why it cannot be."""
        target = self.target
        if target["error"]:
            message = str(target["error"]).removeprefix("error: ")
            self._final = {**status(500, "InternalError", message), "details": {"causes": [{"message": message}]}}
            return
        fds: dict[int, streams.Stream] = {0: self.input, 1: Outlet(STDOUT, self.out), 2: Outlet(STDERR, self.out)}
        if target["tty"]:
            self.pty = Pty(self.edge.world, fds[1], self.input)
            fds = {
                0: streams.Tty(self.pty) if target["stdin"] else self.input,
                1: streams.Tty(self.pty),
                2: streams.Tty(self.pty, 2),
            }
        self.proc = executor.get(self.edge.world).spawn(
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
        if self.pty is not None:
            self.pty.leader = self.proc
        self._run()

    def take(self, message: bytes) -> None:
        """A message of the client; what is not understood is ignored, as the real server does."""
        if not message:
            return
        channel, data = message[0], message[1:]
        if channel == STDIN and self.target["stdin"] and not self.input.ended:
            if self.pty is not None:
                self.pty.type(data)
            elif len(self.input.data) + len(data) <= LIMIT:
                self.input.data += data
                self.input.wake()
            else:
                self._close_input()
        elif channel == CLOSE and data == bytes([STDIN]):
            self._close_input()
        elif channel == RESIZE and self.pty is not None:
            self.pty.resize(data)
        self._run()

    def output(self) -> Iterator[bytes]:
        """Messages for the client; the last is the Status when the command has ended."""
        proc = self.proc
        if self._final is None and proc is not None and not processes.alive(self.edge.world, proc):
            self._final = self._outcome(proc.exit_code)
            self.out.append((ERROR, orjson.dumps(self._final)))
        elif self._final is not None and proc is None and not self.out:
            self.out.append((ERROR, orjson.dumps(self._final)))
        pieces, self.out[:] = list(self.out), []
        for channel, data in pieces:
            for start in range(0, len(data), PIECE):
                yield bytes([channel]) + data[start : start + PIECE]

    def end(self) -> None:
        """The connection is over: a command that still runs is ended, so that a world does not fill with them."""
        world, proc = self.edge.world, self.proc
        if proc is None or not processes.alive(world, proc):
            return
        family, running = {proc.pid}, sorted(hosts(world)[proc.host].processes.values(), key=lambda found: found.pid)
        for found in running:
            if found.ppid in family:
                family.add(found.pid)
        for found in running:
            if found.pid in family:
                processes.kill(world, found, executor.SIGKILL)
        self._run()

    def _close_input(self) -> None:
        self.input.ended = True
        self.input.wake()

    def _run(self) -> None:
        executor.get(self.edge.world).pump()
        self.edge.changed()

    def _outcome(self, code: int) -> Obj:
        """`remotecommand/exec.go: ServeExec`, with containerd's words."""
        if code == 0:
            return {"metadata": {}, "status": "Success"}
        words = " ".join(self.target["argv"])
        return {
            "metadata": {},
            "status": "Failure",
            "message": f"command terminated with non-zero exit code: error executing command [{words}], exit code {code}",
            "reason": "NonZeroExitCode",
            "details": {"causes": [{"reason": "ExitCode", "message": str(code)}]},
        }
