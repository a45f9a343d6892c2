"""Networks of containers: addresses and network namespaces.

Pods get addresses from the node's pod CIDR in order, as the `host-local` IPAM plugin gives them (plugins/ipam/host-local):
the first is .2, and after the last it starts again with what is free.  There are no CNI pods; routes between the nodes' pod
networks are simply there while the links between the nodes are.  nerdctl's bridge is 10.4.<n>.0/24, n numbering the hosts
(on real hosts each has its own 10.4.0.0/24; addresses are unique in a simulated world).
"""

from __future__ import annotations

import ipaddress

from ..host.machine import hosts
from ..kernel import network
from ..kernel.world import World
from .state import runtime


class NetworkNotReady(Exception):
    """There is no CNI configuration yet, or no address is free."""


def bridge_cidr(world: World, host: str) -> str:
    """The subnet of nerdctl's bridge on a host."""
    return f"10.4.{sorted(hosts(world)).index(host)}.0/24"


def attach(world: World, host: str, netns: str, cidr: str) -> str:
    """Make a network namespace with a fresh address of `cidr`; returns the address."""
    if not cidr:
        raise NetworkNotReady("cni plugin not initialized")
    state = runtime(world, host)
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
