"""Programs without much behaviour: pause, sleep as a main process, hello-world, memcached and other silent servers."""

from __future__ import annotations

import shlex
from typing import Any

from ...host import processes
from ...host.process import Process
from ...host.program import Exited
from ...kernel import network
from ...kernel.clock import MS
from ...kernel.errors import ConnectError
from ...kernel.http import Request, Response
from ...kernel.world import World
from .. import logs
from .signals import parse_sleep


class Quiet:
    """A program that waits until it is told to end; the base of the others."""

    exit_on_signal = 0

    def start(self, world: World, proc: Process) -> None:
        """Nothing to begin with."""

    def timer(self, world: World, proc: Process, payload: Any) -> None:
        """No timers."""

    def stop(self, world: World, proc: Process, signal: int) -> int:
        """Ends with 128 + signal by KILL, else with the program's own status."""
        return 137 if signal == 9 else self.exit_on_signal

    def http(self, world: World, proc: Process, request: Request) -> Response:
        """Not an HTTP server: the connection is reset."""
        raise ConnectError("reset", proc.netns)


class Pause(Quiet):
    """registry.k8s.io/pause: holds the namespaces of a pod (build/pause/linux/pause.c); `-v` says its version and ends."""

    def start(self, world: World, proc: Process) -> None:
        """Wait for signals."""
        if any(word.lower() == "-v" for word in proc.argv[1:]):
            processes.write(world, proc, "pause.c 3.10.2\n")
            raise Exited(0)
        super().start(world, proc)


class Sleep(Quiet):
    """`sleep N` and `tail -f /dev/null` as PID 1: ends when its time is over, ignores TERM (see signals.py)."""

    exit_on_signal = 143

    def start(self, world: World, proc: Process) -> None:
        """Set the alarm."""
        words = proc.argv
        if len(words) == 3 and words[1] == "-c":
            words = shlex.split(words[2])
            words = words[1:] if words[:1] == ["exec"] else words
        if words[0].rpartition("/")[2] == "tail":
            return
        span = parse_sleep(words[1:])
        if span is not None and span >= 0:
            world.after(span, proc.target, "over")

    def timer(self, world: World, proc: Process, payload: Any) -> None:
        """The time is over."""
        processes.exit(world, proc, 0)


class Silent(Quiet):
    """A server whose protocol is not simulated: it listens, says so in its log, and resets connections."""

    def __init__(self, port: int, lines: tuple[str, ...] = ()) -> None:
        self.port = port
        self.lines = lines

    def start(self, world: World, proc: Process) -> None:
        """Listen."""
        try:
            network.listen(world, proc.netns, self.port, host=proc.host, pid=proc.pid)
        except OSError as failed:
            logs.emit(world, proc, f"failed to listen on TCP port {self.port}: {failed}", "stderr")
            raise Exited(71) from failed
        for line in self.lines:
            logs.emit(world, proc, line)


HELLO = """
Hello from Docker!
This message shows that your installation appears to be working correctly.

To generate this message, Docker took the following steps:
 1. The Docker client contacted the Docker daemon.
 2. The Docker daemon pulled the "hello-world" image from the Docker Hub.
    (amd64)
 3. The Docker daemon created a new container from that image which runs the
    executable that produces the output you are currently reading.
 4. The Docker daemon streamed that output to the Docker client, which sent it
    to your terminal.

To try something more ambitious, you can run an Ubuntu container with:
 $ docker run -it ubuntu bash

Share images, automate workflows, and more with a free Docker ID:
 https://hub.docker.com/

For more examples and ideas, visit:
 https://docs.docker.com/get-started/
"""


class Hello(Quiet):
    """hello-world: says hello and ends."""

    def start(self, world: World, proc: Process) -> None:
        """Say hello."""
        logs.emit(world, proc, HELLO)
        world.after(2 * MS, proc.target, "end")

    def timer(self, world: World, proc: Process, payload: Any) -> None:
        """End."""
        processes.exit(world, proc, 0)


class Unsimulated(Quiet):
    """A program that its image has and the simulator does not: says so and ends with 127."""

    def start(self, world: World, proc: Process) -> None:
        """Say so."""
        logs.emit(world, proc, f"{proc.argv[0]}: not simulated in Slipway yet", "stderr")
        world.after(2 * MS, proc.target, "end")

    def timer(self, world: World, proc: Process, payload: Any) -> None:
        """End."""
        processes.exit(world, proc, 127)


class Agnhost(Quiet):
    """agnhost: `pause`, `netexec`, `serve-hostname` and `grpc-health-checking` (test/images/agnhost)."""

    def start(self, world: World, proc: Process) -> None:
        """Listen as the subcommand says."""
        mode = proc.argv[1] if len(proc.argv) > 1 else "pause"
        port = {"netexec": 8080, "serve-hostname": 9376}.get(mode)
        for word in proc.argv[2:]:
            if word.startswith(("--http-port=", "--port=")):
                port = int(word.partition("=")[2])
        if mode == "grpc-health-checking":
            self._grpc(world, proc)
            return
        if mode not in ("pause", "netexec", "serve-hostname"):
            logs.emit(world, proc, f"agnhost {mode}: not simulated in Slipway yet", "stderr")
            raise Exited(1)
        if port is None:
            logs.emit(world, proc, "Paused")
            return
        network.listen(world, proc.netns, port, host=proc.host, pid=proc.pid)
        logs.emit(world, proc, f"Started HTTP server on port {port}" if mode == "netexec" else "Serving on port " + str(port))

    @staticmethod
    def _grpc(world: World, proc: Process) -> None:
        ports = {"port": 5000, "http-port": 8080}
        for word in proc.argv[2:]:
            name, _, value = word.lstrip("-").partition("=")
            if name in ports and value.isdigit():
                ports[name] = int(value)
        for number in ports.values():
            network.listen(world, proc.netns, number, host=proc.host, pid=proc.pid)
        logs.emit(
            world,
            proc,
            f"Http server starting to listen on :{ports['http-port']}\ngRPC server starting to listen on :{ports['port']}",
        )

    def grpc_health(self, world: World, proc: Process, port: int, service: str) -> str:
        """What `grpc-health-checking` answers to a health check; `/make-not-serving` changes it."""
        if "grpc-health-checking" not in proc.argv or port == 8080:
            return ""
        return proc.env.get("GRPC_HEALTH", "SERVING")

    def http(self, world: World, proc: Process, request: Request) -> Response:
        """`/hostname`, `/healthz`, `/echo`, `/clientip`; serve-hostname answers its name everywhere."""
        from .web import hostname

        name = hostname(world, proc)
        if "grpc-health-checking" in proc.argv and request.path in ("/make-serving", "/make-not-serving"):
            proc.env = {**proc.env, "GRPC_HEALTH": "SERVING" if request.path == "/make-serving" else "NOT_SERVING"}
            return Response(status=200)
        if "serve-hostname" in proc.argv or request.path in ("/hostname", "/hostName"):
            body = name
        elif request.path == "/echo":
            body = request.param("msg")
        elif request.path in ("/healthz", "/readyz"):
            body = "ok"
        elif request.path == "/":
            body = f"NOW: {world.timestamp()}"
        else:
            return Response(status=404, headers={"content-type": "text/plain; charset=utf-8"}, body=b"404 page not found\n")
        return Response(status=200, headers={"content-type": "text/plain; charset=utf-8"}, body=body.encode())
