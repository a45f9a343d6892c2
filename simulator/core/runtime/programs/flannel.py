"""flanneld with `--kube-subnet-mgr` (flannel-io/flannel, main.go, pkg/subnet/kube): the node's pod CIDR becomes /run/flannel/subnet.env.

The CNI plugin `flannel` reads that file (runtime/cni.py).  Packets between nodes follow the simulated network's own routes.
"""

from __future__ import annotations

import ipaddress
import json
from typing import Any

from ...host import files
from ...host.process import Process
from ...host.program import Exited
from ...kernel import clock, network
from ...kernel.errors import ConnectError
from ...kernel.http import Request, Response
from ...kernel.world import World
from ...kube.client import ApiError, KubeClient
from ...kube.component import explain
from .. import logs
from .account import client_of, stamp

NET_CONF, SUBNET_ENV = "/etc/kube-flannel/net-conf.json", "/run/flannel/subnet.env"
MTU = 1450
_ANNOTATION = "flannel.alpha.coreos.com"


class Flanneld:
    """The `Program`."""

    exit_on_signal = 0

    def start(self, world: World, proc: Process) -> None:
        """Begin a moment later, as it first looks for its interface."""
        world.after(300 * clock.MS, proc.target, ["begin", 0])

    def timer(self, world: World, proc: Process, payload: Any) -> None:
        """Find the node's subnet, tell the cluster, write the file."""
        client = client_of(world, proc, "flanneld/v0.27.4")
        try:
            node = self._node(world, proc, client)
        except ConnectError as failed:
            if payload[1] < 10:
                world.after(clock.SECOND, proc.target, ["begin", payload[1] + 1])
                return
            self._end(world, proc, f"Failed to create SubnetManager: {explain(failed, client)}")
            return
        except ApiError as failed:
            self._end(world, proc, f"Failed to create SubnetManager: error retrieving pod spec for '{_pod(proc)}': {failed}")
            return
        self._lease(world, proc, client, node)

    def _node(self, world: World, proc: Process, client: KubeClient) -> dict[str, Any]:
        name = proc.env.get("NODE_NAME", "")
        if not name:
            pod = client.get("pods", proc.env.get("POD_NAMESPACE", ""), proc.env.get("POD_NAME", ""))
            name = pod["spec"]["nodeName"]
        return client.get("nodes", None, name)

    def _lease(self, world: World, proc: Process, client: KubeClient, node: dict[str, Any]) -> None:
        name, cidr = node["metadata"]["name"], str((node.get("spec") or {}).get("podCIDR") or "")
        head = "Error registering network: failed to acquire lease: "
        if not cidr:
            self._end(world, proc, f'{head}node "{name}" pod cidr not assigned')
            return
        try:
            conf = json.loads(files.read_file(world, proc.host, NET_CONF, mnt=proc.mnt))
            whole, own = ipaddress.ip_network(str(conf["Network"])), ipaddress.ip_network(cidr)
        except (OSError, ValueError, KeyError) as failed:
            self._end(world, proc, f"Failed to create SubnetManager: error reading net conf: {failed}")
            return
        if not (own.network_address in whole and own.prefixlen >= whole.prefixlen):
            self._end(
                world,
                proc,
                f"{head}the node's podCIDR ({cidr}) is not contained in the flannel network's address range ({whole})",
            )
            return
        kind = str((conf.get("Backend") or {}).get("Type") or "udp")
        ip = (network.network(world).namespaces[proc.netns].ips or [""])[0]
        annotations = {
            f"{_ANNOTATION}/backend-data": json.dumps({"VNI": 1, "VtepMAC": _mac(ip)}, separators=(",", ":"))
            if kind == "vxlan"
            else "null",
            f"{_ANNOTATION}/backend-type": kind,
            f"{_ANNOTATION}/kube-subnet-manager": "true",
            f"{_ANNOTATION}/public-ip": ip,
        }
        condition = {
            "type": "NetworkUnavailable", "status": "False", "reason": "FlannelIsUp", "message": "Flannel is running on this node",
            "lastTransitionTime": clock.rfc3339(world.wall), "lastHeartbeatTime": clock.rfc3339(world.wall),
        }  # fmt: skip
        try:
            patch = {"metadata": {"annotations": annotations}, "status": {"conditions": [condition]}}
            client.patch("nodes", None, name, patch, subresource="status")
        except (ApiError, ConnectError) as failed:
            self._end(world, proc, f"{head}{failed if isinstance(failed, ApiError) else explain(failed, client)}")
            return
        gateway = own[1]
        masquerade = "true" if "--ip-masq" in proc.argv else "false"
        text = (
            f"FLANNEL_NETWORK={whole}\nFLANNEL_SUBNET={gateway}/{own.prefixlen}\nFLANNEL_MTU={MTU}\nFLANNEL_IPMASQ={masquerade}\n"
        )
        files.write_file(world, proc.host, SUBNET_ENV, text.encode(), mnt=proc.mnt, parents=True)
        for line in (f"Wrote subnet file to {SUBNET_ENV}", "Running backend.", "Waiting for all goroutines to exit"):
            logs.emit(world, proc, f"{stamp(world, 'I')} main.go:400] {line}")

    @staticmethod
    def _end(world: World, proc: Process, text: str) -> None:
        logs.emit(world, proc, f"{stamp(world, 'E')} main.go:370] {text}")
        from ...host import processes

        processes.exit(world, proc, 1)

    def stop(self, world: World, proc: Process, signal: int) -> int:
        """Ends at once; subnet.env stays."""
        return 137 if signal == 9 else 0

    def http(self, world: World, proc: Process, request: Request) -> Response:
        """Not an HTTP server."""
        raise ConnectError("reset", proc.netns)


class CniPlugin:
    """/opt/cni/bin/bridge, /flannel …: run by hand it only says what it is."""

    def start(self, world: World, proc: Process) -> None:
        """A CNI plugin without CNI_COMMAND."""
        name = proc.argv[0].rpartition("/")[2]
        if name == "flannel":
            logs.emit(world, proc, "CNI Plugin flannel version v1.8.0-flannel1 (linux/amd64)")
            raise Exited(1)
        logs.emit(
            world,
            proc,
            f"CNI {name} plugin v1.8.0\nCNI protocol versions supported: 0.1.0, 0.2.0, 0.3.0, 0.3.1, 0.4.0, 1.0.0, 1.1.0",
        )
        raise Exited(0)

    def timer(self, world: World, proc: Process, payload: Any) -> None:
        """No timers."""

    def stop(self, world: World, proc: Process, signal: int) -> int:
        """It has ended long ago."""
        return 0

    def http(self, world: World, proc: Process, request: Request) -> Response:
        """Not a server."""
        raise ConnectError("reset", proc.netns)


def _pod(proc: Process) -> str:
    return f"{proc.env.get('POD_NAMESPACE', '')}/{proc.env.get('POD_NAME', '')}"


def _mac(ip: str) -> str:
    parts = [int(part) for part in ip.split(".")] if ip.count(".") == 3 else [0, 0, 0, 0]
    return ":".join(f"{part:02x}" for part in (0x0E, 0x5A, *parts))
