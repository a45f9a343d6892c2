"""The members as one world that moves in real time, shared by the threads that serve clients."""

from __future__ import annotations

import threading
import time
from typing import Any

from simulator.core.etcd import gateway_v3, member, service
from simulator.core.etcd.client import Call
from simulator.core.etcd.errors import EtcdError, Waiting
from simulator.core.etcd.gateway_json import Fields, normal
from simulator.core.etcd.member import Disk, Running
from simulator.core.host import processes, systemd
from simulator.core.host.machine import hosts
from simulator.core.kernel.clock import SECOND
from simulator.core.kernel.world import World
from simulator.core.lab.machines import add_machine, put, service_unit
from simulator.core.sandbox import Meta, Sandbox

HOST = "controlplane"
PATIENCE = 60.0


class Unreachable(Exception):
    """The member does not run, or does not serve yet."""


class Cluster:
    """A world with `count` members; `ports` are the client ports by name.  Every method takes the lock itself."""

    def __init__(self, ports: dict[str, int], address: str, version: str, seed: int) -> None:
        self.lock = threading.RLock()
        self.changed = threading.Condition(self.lock)
        world = World(seed=seed, epoch=time.time_ns())
        world.section("sandbox", lambda: Meta("three-nodes"))
        self.sandbox, self.world = Sandbox(world), world
        self.ports = ports
        host = add_machine(world, HOST, "172.30.1.2", {HOST: "172.30.1.2"})
        host.fs.install("/usr/local/bin/etcd", f"etcd:{version}")
        peers = {name: 2380 + 10 * at for at, name in enumerate(ports)}
        cluster = ",".join(f"{name}=http://127.0.0.1:{port}" for name, port in peers.items())
        old = "--enable-v2=true " if version.startswith(("2.", "3.2", "3.3", "3.4", "3.5")) else ""
        for name, port in ports.items():
            command = (
                f"/usr/local/bin/etcd --name {name} {old}--data-dir /var/lib/etcd/{name}.etcd --listen-client-urls http://127.0.0.1:{port} "
                f"--advertise-client-urls http://{address}:{port} --listen-peer-urls http://127.0.0.1:{peers[name]} "
                f"--initial-advertise-peer-urls http://127.0.0.1:{peers[name]} --initial-cluster {cluster}"
            )
            put(world, host, f"/etc/systemd/system/{name}.service", service_unit(name, command))
            systemd.start_unit(world, host, f"{name}.service")
        world.run_until(world.now + 6 * SECOND)
        world.warm["on_ring"] = lambda _topic: self.changed.notify_all()
        self._real, self._virtual = time.monotonic_ns(), world.now

    def move(self) -> None:
        """Let virtual time catch up with real time."""
        with self.lock:
            target = self._virtual + time.monotonic_ns() - self._real
            if target > self.world.now:
                self.world.run_until(target)

    def member(self, name: str) -> tuple[Disk, Running]:
        """A member that serves; raises Unreachable."""
        held = member.section(self.world)
        for running in held.running.values():
            if running.flags["name"] == name and running.ready:
                return held.disks[running.disk], running
        raise Unreachable(name)

    def ask(self, name: str, method: str, token: str, args: dict[str, Any]) -> Any:
        """One request, waiting for its answer where the members need time; raises EtcdError or Unreachable."""
        with self.changed:
            self.move()
            disk, running = self.member(name)
            try:
                return service.handle(self.world, disk, running, Call(method, args, token, sync=False))
            except Waiting as waiting:
                ticket = waiting.ticket
                while not ticket.done:
                    self.changed.wait(0.02)
                    self.move()
                    if self.world.now > ticket.deadline:
                        raise EtcdError(waiting.message, waiting.grpc_code) from None
                if ticket.error is not None:
                    raise ticket.error from None
                return ticket.result

    def invoke(self, name: str, route: str, body: dict[str, Any], token: str) -> dict[str, Any]:
        """One unary method by its route of the JSON gateway."""
        with self.changed:
            answer = gateway_v3.ROUTES[route](
                lambda method, /, **args: self.ask(name, method, token, args), Fields(normal(body), "")
            )
            disk, _ = self.member(name)
            return gateway_v3.reply(disk, route, answer)

    def control(self, words: list[str]) -> str:
        """`stop|kill|start NAME`; returns what happened."""
        verb, name = [*words, "", ""][:2]
        if verb not in ("stop", "kill", "start") or name not in self.ports:
            return f"commands: stop NAME, kill NAME, start NAME; members: {', '.join(self.ports)}"
        with self.changed:
            self.move()
            host = hosts(self.world)[HOST]
            if verb == "start":
                systemd.start_unit(self.world, host, f"{name}.service")
            elif verb == "stop":
                systemd.stop_unit(self.world, host, f"{name}.service")
            else:
                for proc in processes.by_program(self.world, HOST, "etcd"):
                    if f"--name {name} " in " ".join(proc.argv) + " ":
                        processes.kill(self.world, proc, 9)
            self.changed.notify_all()
        return f"{verb} {name}: done"

    def runs(self, name: str) -> bool:
        """Whether the member serves clients."""
        try:
            self.member(name)
        except Unreachable:
            return False
        return True
