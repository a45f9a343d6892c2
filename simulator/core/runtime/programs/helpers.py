"""Daemons of the full nerdctl distribution: buildkitd, the stargz snapshotter, an IPFS node; none runs until somebody starts it."""

from __future__ import annotations

import contextlib

from ...host import files, processes
from ...host.machine import hosts
from ...host.process import Process
from ...host.program import Exited
from ...kernel import clock, network
from ...kernel.errors import ConnectError
from ...kernel.world import World
from .. import containerd
from .basics import Quiet


class _Socket(Quiet):
    """A daemon on a unix socket that needs containerd."""

    path = ""
    lines: tuple[str, ...] = ()
    needs_containerd = True

    def start(self, world: World, proc: Process) -> None:
        """Open the socket."""
        stamp = clock.rfc3339(world.wall)
        if self.needs_containerd:
            try:
                containerd.connect(world, proc.host)
            except ConnectError as failed:
                processes.log(
                    world,
                    proc,
                    f'time="{stamp}" level=error msg="failed to connect client to \\"{containerd.SOCKET}\\": {failed.detail}"',
                )
                raise Exited(1) from None
        for line in self.lines:
            processes.log(world, proc, f'time="{stamp}" level=info msg="{line}"')
        files.write_file(world, proc.host, self.path, b"", mode=0o660, parents=True)

    def stop(self, world: World, proc: Process, signal: int) -> int:
        """The socket goes with an orderly end."""
        if signal != 9:
            with contextlib.suppress(OSError):
                files.remove_file(world, proc.host, self.path)
        return 137 if signal == 9 else 0


class Buildkitd(_Socket):
    """buildkitd (moby/buildkit)."""

    path = "/run/buildkit/buildkitd.sock"
    lines = (
        "auto snapshotter: using overlayfs",
        "found worker, labels=map[org.mobyproject.buildkit.worker.executor:oci]",
        "found 1 workers, default=oci",
        "running server on /run/buildkit/buildkitd.sock",
    )
    needs_containerd = False


class Stargz(_Socket):
    """containerd-stargz-grpc (containerd/stargz-snapshotter)."""

    path = "/run/containerd-stargz-grpc/containerd-stargz-grpc.sock"
    lines = (
        "starting stargz-snapshotter version v0.17.0",
        "preparing filesystem mount at mountpoint=/var/lib/containerd-stargz-grpc/snapshotter",
    )
    needs_containerd = False


class Ipfs(Quiet):
    """ipfs (ipfs/kubo): `init` and `daemon`."""

    def start(self, world: World, proc: Process) -> None:
        """Make the repository, or open the API and swarm ports."""
        words = [w for w in proc.argv[1:] if not w.startswith("-")]
        home = proc.env.get("IPFS_PATH") or proc.env.get("HOME", "/root") + "/.ipfs"
        peer = "12D3KooW" + world.rng(f"ipfs/{proc.host}").hex(44)
        exists = hosts(world)[proc.host].fs.exists(f"{home}/config")
        if words[:1] == ["init"]:
            if exists:
                processes.write(
                    world, proc, "Error: ipfs configuration file already exists!\nReinitializing would overwrite your keys\n"
                )
                raise Exited(1)
            files.write_file(
                world, proc.host, f"{home}/config", f'{{"Identity": {{"PeerID": "{peer}"}}}}\n'.encode(), parents=True
            )
            processes.write(
                world, proc, f"generating ED25519 keypair...done\npeer identity: {peer}\ninitializing IPFS node at {home}\n"
            )
            raise Exited(0)
        if words[:1] != ["daemon"]:
            processes.write(
                world,
                proc,
                "ipfs version 0.38.2\n"
                if words[:1] == ["version"]
                else f"ipfs {' '.join(words)}: not simulated in Slipway yet\n",
            )
            raise Exited(0 if words[:1] == ["version"] else 1)
        if not exists:
            processes.write(world, proc, f"Error: no IPFS repo found in {home}.\nplease run: 'ipfs init'\n")
            raise Exited(1)
        try:
            for port, address in ((4001, "0.0.0.0"), (5001, "127.0.0.1"), (8080, "127.0.0.1")):
                network.listen(world, proc.netns, port, host=proc.host, pid=proc.pid, address=address)
        except OSError:
            processes.write(
                world,
                proc,
                "Error: serveHTTPApi: manet.Listen(/ip4/127.0.0.1/tcp/5001) failed: listen tcp4 127.0.0.1:5001: bind: address already in use\n",
            )
            raise Exited(1) from None
        processes.write(
            world,
            proc,
            "Initializing daemon...\nKubo version: 0.38.2\nRepo version: 18\nSystem version: amd64/linux\nGolang version: go1.25.2\nRPC API server listening on /ip4/127.0.0.1/tcp/5001\nDaemon is ready\n",
        )
