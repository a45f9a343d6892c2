"""A world of one Docker-less host with containerd and its clients."""

from __future__ import annotations

import shlex
from typing import NamedTuple

from simulator.core import tables
from simulator.core.host import base, executor, files, processes
from simulator.core.host.machine import Host, hosts
from simulator.core.kernel import network
from simulator.core.kernel.clock import SECOND
from simulator.core.kernel.world import World
from simulator.core.lab.machines import CNI_TEMPLATE


class Result(NamedTuple):
    """What a command printed and its status."""

    out: str
    err: str
    code: int


class Box:
    """The test's handle."""

    def __init__(self) -> None:
        self.world = World(seed=3)
        tables.install(self.world, lambda *_: None)
        host = hosts(self.world)["box"] = Host(name="box", ip="172.30.9.2")
        base.build(host)
        network.add_namespace(self.world, "box", "box", ["172.30.9.2"])
        files.write_file(self.world, "box", "/etc/containerd/config.toml", CNI_TEMPLATE.encode(), parents=True)
        self.start_containerd()

    def start_containerd(self) -> None:
        self.containerd = processes.start(self.world, host="box", program="containerd", argv=["/usr/bin/containerd"])

    @property
    def host(self) -> Host:
        return hosts(self.world)["box"]

    def run(self, command: str, seconds: int = 60, stdin: bytes = b"") -> Result:
        """Run a command to its end (at most `seconds`)."""
        found = executor.run_in(
            self.world, "box", shlex.split(command), env={"HOME": "/root", "PATH": "/usr/local/bin:/usr/bin:/bin"}, stdin=stdin
        )
        deadline = self.world.now + seconds * SECOND
        while not found.done and (due := self.world.next_due()) is not None and due <= deadline:
            self.world.step()
        code = found.proc.exit_code if found.done else -1
        return Result(found.stdout.decode(), found.stderr.decode(), code)

    def wait(self, seconds: float) -> None:
        self.world.run_until(self.world.now + int(seconds * SECOND))
