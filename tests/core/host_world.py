"""A small world for tests of the host and the shell: one or two bare hosts, no cluster."""

from __future__ import annotations

from typing import Any

from simulator.core.host import base, executor, processes, systemd, virtual
from simulator.core.host.machine import Host, hosts
from simulator.core.kernel import network
from simulator.core.kernel.world import World, dispatch_wake


def make_world(*names: str, seed: int = 1) -> World:
    """A world of bare hosts (`controlplane` when none is named) with the host layer's tables."""
    world = World(seed=seed)
    world.tables.update(
        dispatch={"proc": processes.dispatch, "co": executor.dispatch, "unit": systemd.dispatch, "wake": dispatch_wake},
        programs={},
        commands={},
        virtual=dict(virtual.VIRTUAL),
        sinks={"fd": executor.fd_sink},
        http=processes.serve,
    )
    for number, name in enumerate(names or ("controlplane",)):
        ip = f"172.30.{number + 1}.2"
        machine = hosts(world)[name] = Host(name=name, ip=ip)
        base.build(machine)
        network.add_namespace(world, name, name, [ip])
    return world


def settle(world: World, seconds: float = 1.0) -> None:
    """Let virtual time pass."""
    world.run_until(world.now + int(seconds * 1e9))


class Recorder:
    """A daemon that remembers what happened to it, in the world."""

    def start(self, world: World, proc: Any) -> None:
        """Listen on the port after `--port`, log one line; `--fail CODE` ends at once."""
        from simulator.core.host.program import Exited

        if "--fail" in proc.argv:
            processes.log(world, proc, "cannot start")
            raise Exited(int(proc.argv[proc.argv.index("--fail") + 1]))
        if "--port" in proc.argv:
            network.listen(world, proc.netns, int(proc.argv[proc.argv.index("--port") + 1]), host=proc.host, pid=proc.pid)
        processes.log(world, proc, f"started {proc.argv[0]}")
        world.after(1_000_000_000, proc.target, "tick")

    def timer(self, world: World, proc: Any, payload: Any) -> None:
        """Log what fired."""
        processes.log(world, proc, f"timer {payload}")

    def stop(self, world: World, proc: Any, signal: int) -> int:
        """Say why it ends."""
        processes.log(world, proc, f"signal {signal}")
        return 0 if signal == 15 else 128 + signal

    def http(self, world: World, proc: Any, request: Any) -> Any:
        """Echo the path."""
        from simulator.core.kernel.http import Response

        return Response(body=f"you asked for {request.path}\n".encode(), headers={"content-type": "text/plain"})
