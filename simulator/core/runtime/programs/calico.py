"""Calico as a cluster's network (projectcalico/calico: node, cni-plugin, kube-controllers) and its operator (tigera/operator).

`install` puts the plugin and its configuration onto the node; calico-node takes a block of addresses for it, tells the cluster that the
network is up and makes the cluster's IPPool.  The block is the node's pod CIDR where it has one (as `kubeadm init --pod-network-cidr` gives),
else a /24 of the pool.  Packets follow the simulated network's own routes, and NetworkPolicies act as on every simulated node
(kube/netpolicy.py).  Calico's own policies, BGP peers and `calicoctl` are not simulated in Slipway yet; its log says so.
"""

from __future__ import annotations

import ipaddress
import json
from typing import Any

import yaml

from ...host import files
from ...host.machine import hosts
from ...host.process import Process
from ...host.program import Exited
from ...kernel import clock, network
from ...kernel.clock import MS, SECOND
from ...kernel.errors import ConnectError
from ...kernel.world import World
from ...kube.api.objects import Obj
from ...kube.client import ApiError, KubeClient
from ...kube.component import explain
from .. import logs
from ..cni import CALICO_BLOCK
from .account import client_of
from .basics import Quiet

PLUGINS = ("bandwidth", "calico", "calico-ipam", "host-local", "loopback", "portmap", "tuning")
POOL = "192.168.0.0/16"
CRD = "/apis/crd.projectcalico.org/v1"
OPERATOR = "/apis/operator.tigera.io/v1"


class Install(Quiet):
    """`/opt/cni/bin/install`: the init container that puts the plugin onto the node."""

    def start(self, world: World, proc: Process) -> None:
        """Copy the plugins, write the configuration, end."""
        tree = files.tree(hosts(world)[proc.host], proc.mnt)
        for name in PLUGINS:
            tree.install(f"/host/opt/cni/bin/{name}", "cni-plugin", now=world.wall)
            logs.emit(world, proc, _line(world, "INFO", f'Installed /host/opt/cni/bin/{name} source="install.go"'))
        text = proc.env.get("CNI_NETWORK_CONFIG", "") or "{}"
        path = f"/host/etc/cni/net.d/{proc.env.get('CNI_CONF_NAME', '10-calico.conflist')}"
        files.write_file(world, proc.host, path, text.encode() + b"\n", mnt=proc.mnt)
        server = f"https://{proc.env.get('KUBERNETES_SERVICE_HOST', '')}:{proc.env.get('KUBERNETES_SERVICE_PORT', '443')}"
        config = {
            "apiVersion": "v1", "kind": "Config", "current-context": "calico-context",
            "clusters": [{"name": "local", "cluster": {"server": server}}], "users": [{"name": "calico"}],
            "contexts": [{"name": "calico-context", "context": {"cluster": "local", "user": "calico"}}],
        }  # fmt: skip
        kubeconfig = "# Kubeconfig file for Calico CNI plugin.\n" + yaml.safe_dump(config, sort_keys=False)
        files.write_file(world, proc.host, "/host/etc/cni/net.d/calico-kubeconfig", kubeconfig.encode(), mode=0o600, mnt=proc.mnt)
        logs.emit(world, proc, _line(world, "INFO", f'Created {path} source="install.go"'))
        raise Exited(0)


class CalicoNode(Quiet):
    """calico-node; asked with `-felix-ready` and the like it only says whether it is."""

    def start(self, world: World, proc: Process) -> None:
        """Begin a moment later, or answer a probe."""
        if any(word.startswith(("-felix-", "-bird-", "-bird6-")) for word in proc.argv[1:]):
            ready = files.tree(hosts(world)[proc.host]).exists(CALICO_BLOCK)
            if not ready:
                logs.emit(world, proc, "calico/node is not ready: felix is not ready: node has not been initialised", "stderr")
            raise Exited(0 if ready or not any(word.endswith("-ready") for word in proc.argv[1:]) else 1)
        world.after(700 * MS, proc.target, ["begin", 0])

    def timer(self, world: World, proc: Process, payload: Any) -> None:
        """Take the node's block, tell the cluster."""
        client = client_of(world, proc, "calico-node")
        name = proc.env.get("NODENAME", proc.host)
        try:
            node = client.get("nodes", None, name)
            cidr = str((node.get("spec") or {}).get("podCIDR") or "") or self._block(world, proc)
            ip = (network.network(world).namespaces[proc.netns].ips or [""])[0]
            whole = _pool(client, cidr)
            moment = clock.rfc3339(world.wall)
            condition = {
                "type": "NetworkUnavailable", "status": "False", "reason": "CalicoIsUp", "message": "Calico is running on this node",
                "lastTransitionTime": moment, "lastHeartbeatTime": moment,
            }  # fmt: skip
            first = str(ipaddress.ip_network(cidr)[0])
            notes = {"projectcalico.org/IPv4Address": f"{ip}/24", "projectcalico.org/IPv4IPIPTunnelAddr": first}
            patch = {"metadata": {"annotations": notes}, "status": {"conditions": [condition]}}
            client.patch("nodes", None, name, patch, subresource="status")
        except (ApiError, ConnectError) as failed:
            why = explain(failed, client)
            logs.emit(world, proc, _line(world, "WARNING", f"Failed to set up the node, will retry: {why}"))
            world.after(5 * SECOND, proc.target, ["begin", payload[1] + 1])
            return
        for path, text in (("/var/lib/calico/nodename", name), (CALICO_BLOCK, cidr)):
            files.write_file(world, proc.host, path, text.encode(), parents=True)
        for text in (
            f"Using autodetected IPv4 address on interface eth0: {ip}/24",
            f"IPPool {whole}; addresses of this node: {cidr}",
            "Calico node started successfully",
            "Calico's own policies and BGP: not simulated in Slipway yet; NetworkPolicies act",
        ):
            logs.emit(world, proc, _line(world, "INFO", text))

    @staticmethod
    def _block(world: World, proc: Process) -> str:
        """A block of the pool for a node without a pod CIDR, by the number of its machine."""
        number = sorted(hosts(world)).index(proc.host)
        return f"192.168.{number}.0/24"


def _pool(client: KubeClient, cidr: str) -> str:
    """The cluster's IPPool, made by the first node that comes: kubeadm's pod network where there is one."""
    try:
        return str(client.call("GET", f"{CRD}/ippools/default-ipv4-ippool")["spec"]["cidr"])
    except ApiError as missing:
        if missing.code != 404:
            raise
    whole = POOL
    try:
        held = yaml.safe_load(client.get("configmaps", "kube-system", "kubeadm-config")["data"]["ClusterConfiguration"])
        whole = str((held.get("networking") or {}).get("podSubnet") or POOL).partition(",")[0]
    except (ApiError, KeyError, yaml.YAMLError):
        pass
    if not ipaddress.ip_network(cidr).overlaps(ipaddress.ip_network(whole)):
        whole = POOL
    spec = {
        "allowedUses": ["Workload", "Tunnel"], "assignmentMode": "Automatic", "blockSize": 26, "cidr": whole, "ipipMode": "Always",
        "natOutgoing": True, "nodeSelector": "all()", "vxlanMode": "Never",
    }  # fmt: skip
    _apply(
        client,
        f"{CRD}/ippools",
        {"apiVersion": "crd.projectcalico.org/v1", "kind": "IPPool", "metadata": {"name": "default-ipv4-ippool"}, "spec": spec},
    )
    return whole


class KubeControllers(Quiet):
    """calico-kube-controllers: in a cluster whose nodes are there it has nothing to do."""

    def start(self, world: World, proc: Process) -> None:
        """Say that it is there; `check-status` is always content."""
        if proc.argv[0].endswith("check-status"):
            raise Exited(0)
        logs.emit(world, proc, _line(world, "INFO", "Calico's garbage collection of addresses: not simulated in Slipway yet"))


class Operator(Quiet):
    """tigera-operator: an Installation becomes the objects of Calico in calico-system."""

    def start(self, world: World, proc: Process) -> None:
        """Look every few seconds; an operator has its own pace."""
        world.after(2 * SECOND, proc.target, ["look"])

    def timer(self, world: World, proc: Process, payload: Any) -> None:
        """Is there an Installation, and what is missing of it?"""
        client = client_of(world, proc, "tigera-operator")
        done = False
        try:
            done = self._look(world, proc, client)
        except (ApiError, ConnectError) as failed:
            why = explain(failed, client)
            logs.emit(world, proc, json.dumps({"level": "error", "ts": clock.rfc3339(world.wall), "error": why}))
        world.after((30 if done else 3) * SECOND, proc.target, ["look"])

    def _look(self, world: World, proc: Process, client: KubeClient) -> bool:
        """Bring the objects; true when everything is there and up."""
        try:
            found = client.call("GET", f"{OPERATOR}/installations")["items"]
        except ApiError as missing:
            if missing.code == 404:  # custom-resources come with definitions of their own since v3.30
                return False
            raise
        if not found or found[0]["metadata"].get("deletionTimestamp"):
            return False
        pools = ((found[0].get("spec") or {}).get("calicoNetwork") or {}).get("ipPools") or [{"cidr": POOL}]
        from ..addons import pages

        version = proc.env.get("CALICO_VERSION", pages.CALICO[0])
        _apply(client, "/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "calico-system"}})
        for obj in pages.calico_objects(version):
            if obj["kind"] == "CustomResourceDefinition" or obj["metadata"]["name"] != "calico-cni-plugin":
                _apply(client, _path(obj), _moved(obj))
        _apply(
            client,
            f"{CRD}/ippools",
            {
                "apiVersion": "crd.projectcalico.org/v1", "kind": "IPPool", "metadata": {"name": "default-ipv4-ippool"},
                "spec": {"cidr": str(pools[0].get("cidr", POOL)), "blockSize": 26, "natOutgoing": True, "nodeSelector": "all()"},
            },
        )  # fmt: skip
        daemons = client.get("daemonsets", "calico-system", "calico-node").get("status") or {}
        up = bool(daemons.get("desiredNumberScheduled")) and daemons.get("numberReady") == daemons.get("desiredNumberScheduled")
        self._status(world, client, up)
        return up

    @staticmethod
    def _status(world: World, client: KubeClient, up: bool) -> None:
        moment = clock.rfc3339(world.wall)
        flags = {"Available": up, "Progressing": not up, "Degraded": False}
        for name in ("calico", "ippools"):
            body: Obj = {"apiVersion": "operator.tigera.io/v1", "kind": "TigeraStatus", "metadata": {"name": name}, "spec": {}}
            _apply(client, f"{OPERATOR}/tigerastatuses", body)
            held = client.call("GET", f"{OPERATOR}/tigerastatuses/{name}")
            rows = [
                {
                    "type": kind, "status": str(value), "lastTransitionTime": moment, "observedGeneration": 1,
                    "reason": "AllObjectsAvailable" if up else "NotReady", "message": "All objects available" if up else "Pods are starting",
                }
                for kind, value in flags.items()
            ]  # fmt: skip
            before = [(row["type"], row["status"]) for row in (held.get("status") or {}).get("conditions") or ()]
            if before != [(row["type"], row["status"]) for row in rows]:
                client.call("PUT", f"{OPERATOR}/tigerastatuses/{name}/status", None, {**held, "status": {"conditions": rows}})


def _path(obj: Obj) -> str:
    """Where a kind of calico.yaml is created."""
    plurals = {
        "CustomResourceDefinition": "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
        "ClusterRole": "/apis/rbac.authorization.k8s.io/v1/clusterroles",
        "ClusterRoleBinding": "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
        "PodDisruptionBudget": "/apis/policy/v1/namespaces/calico-system/poddisruptionbudgets",
        "ServiceAccount": "/api/v1/namespaces/calico-system/serviceaccounts",
        "ConfigMap": "/api/v1/namespaces/calico-system/configmaps",
        "DaemonSet": "/apis/apps/v1/namespaces/calico-system/daemonsets",
        "Deployment": "/apis/apps/v1/namespaces/calico-system/deployments",
    }
    return plurals[obj["kind"]]


def _moved(obj: Obj) -> Obj:
    """An object of kube-system in calico-system."""
    moved: Obj = json.loads(json.dumps(obj).replace('"namespace": "kube-system"', '"namespace": "calico-system"'))
    return moved


def _apply(client: KubeClient, path: str, body: Obj) -> None:
    """Create an object unless it is there."""
    try:
        client.call("GET", f"{path}/{body['metadata']['name']}")
    except ApiError as missing:
        if missing.code != 404:
            raise
        client.call("POST", path, None, body)


def _line(world: World, level: str, text: str) -> str:
    return f"{clock.to_datetime(world.wall).strftime('%Y-%m-%d %H:%M:%S.%f')[:-3]} [{level}][1] {text}"


__all__ = ["CalicoNode", "Install", "KubeControllers", "Operator"]
