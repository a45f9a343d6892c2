"""Networks of containers: addresses and network namespaces.

Pods get addresses from the node's pod CIDR in order, as the `host-local` IPAM plugin gives them (plugins/ipam/host-local):
the first is .2, and after the last it starts again with what is free.  The configuration is written by containerd itself once it knows
the pod CIDR (its `conf_template`): the bridge plugin, with a route for each other node's pods; no CNI pods.  nerdctl's bridge is 10.4.<n>.0/24, n numbering the hosts
(on real hosts each has its own 10.4.0.0/24; addresses are unique in a simulated world).
"""

from __future__ import annotations

import ipaddress
import json
import tomllib

from ..host import files
from ..host.machine import hosts
from ..kernel import network
from ..kernel.world import World
from .state import runtime


class NetworkNotReady(Exception):
    """There is no CNI configuration yet, or no address is free."""


def bridge_cidr(world: World, host: str) -> str:
    """The subnet of nerdctl's bridge on a host."""
    return f"10.4.{sorted(hosts(world)).index(host)}.0/24"


CONF_DIR = "/etc/cni/net.d"
CONF = f"{CONF_DIR}/10-containerd-net.conflist"


def templated(world: World, host: str) -> bool:
    """Whether containerd's configuration names a `conf_template`: without one somebody else has to bring the network."""
    try:
        text = files.tree(hosts(world)[host]).read("/etc/containerd/config.toml")
        plugins = tomllib.loads(text.decode()).get("plugins") or {}
    except (OSError, ValueError):
        return False
    new, old = plugins.get("io.containerd.cri.v1.runtime") or {}, plugins.get("io.containerd.grpc.v1.cri") or {}
    return any((section.get("cni") or {}).get("conf_template") for section in (new, old))


def configure(world: World, host: str, cidr: str) -> None:
    """Write the network configuration of a node's pods, and bring its bridge up."""
    plugins = [
        {
            "type": "bridge",
            "bridge": "cni0",
            "isGateway": True,
            "promiscMode": True,
            "ipam": {"type": "host-local", "ranges": [[{"subnet": cidr}]], "routes": [{"dst": "0.0.0.0/0"}]},
        },
        {"type": "portmap", "capabilities": {"portMappings": True}},
    ]
    text = json.dumps({"cniVersion": "1.0.0", "name": "containerd-net", "plugins": plugins}, indent=2) + "\n"
    files.write_file(world, host, CONF, text.encode(), parents=True)
    _bridge(world, host, cidr)


def _bridge(world: World, host: str, cidr: str) -> None:
    """Bring the pods' bridge up with the first address."""
    net = network.network(world)
    net.pods[host] = cidr
    gateway = str(ipaddress.ip_network(cidr)[1])
    ns = net.namespaces.get(host)
    if ns is not None and gateway not in ns.ips:
        ns.ips = [*(ip for ip in ns.ips if net.owners.get(ip) == host and not ip.endswith(".1")), gateway]
        net.owners[gateway] = host


def configured(world: World, host: str) -> bool:
    """Whether there is a network for pods: a CIDR, and a configuration in CONF_DIR."""
    tree = files.tree(hosts(world)[host])
    if not runtime(world, host).pod_cidr or not tree.isdir(CONF_DIR):
        return False
    return any(name.endswith((".conf", ".conflist", ".json")) for name in tree.listdir(CONF_DIR))


def attach(world: World, host: str, netns: str, cidr: str) -> str:
    """Make a network namespace with a fresh address of `cidr`; returns the address."""
    if not cidr or (cidr == runtime(world, host).pod_cidr and not configured(world, host)):
        raise NetworkNotReady("cni plugin not initialized")
    state = runtime(world, host)
    if cidr == state.pod_cidr and network.network(world).pods.get(host) != cidr:
        _bridge(world, host, cidr)
    subnet = ipaddress.ip_network(cidr)
    owners = network.network(world).owners
    count = subnet.num_addresses
    last = state.last_ip.get(cidr, 1)
    for step in range(1, count):
        offset = (last + step) % count
        if offset < 2 or offset == count - 1:
            continue
        ip = str(subnet[offset])
        if ip not in owners:
            state.last_ip[cidr] = offset
            network.add_namespace(world, netns, host, [ip])
            return ip
    raise NetworkNotReady(
        f"failed to allocate for range 0: no IP addresses available in range set: {subnet[1]}-{subnet[count - 2]}"
    )


def detach(world: World, netns: str) -> None:
    """Remove a network namespace and free its address."""
    network.remove_namespace(world, netns)
