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
#: Where calico-node says which addresses are a host's (in place of the blocks of its own datastore).
CALICO_BLOCK = "/var/lib/calico/block"


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


def _conf(world: World, host: str) -> str:
    """The first configuration in CONF_DIR, in the order of names, or ""."""
    tree = files.tree(hosts(world)[host])
    try:
        names = tree.listdir(CONF_DIR)
    except OSError:
        return ""
    return next((name for name in names if name.endswith((".conf", ".conflist", ".json"))), "")


def configured(world: World, host: str) -> bool:
    """Whether there is a network for pods: a configuration in CONF_DIR."""
    return bool(_conf(world, host))


def _plugin(world: World, host: str) -> tuple[str, str]:
    """The type of the first plugin that the configuration names, and the subnet of its own address management, or ""."""
    try:
        conf = json.loads(files.tree(hosts(world)[host]).read(f"{CONF_DIR}/{_conf(world, host)}"))
        plugin = (conf.get("plugins") or [conf])[0]
        kind = str(plugin["type"])
    except (OSError, ValueError, LookupError, AttributeError, TypeError):
        return "", ""
    try:
        own = plugin.get("ipam") or {}
        return kind, str(own["ranges"][0][0]["subnet"] if own.get("ranges") else own["subnet"])
    except (LookupError, AttributeError, TypeError):
        return kind, ""


def _pods_subnet(world: World, host: str) -> str:
    """Where the configured plugin takes a pod's address from; raises NetworkNotReady with the plugin's own words."""
    if not configured(world, host):
        raise NetworkNotReady("cni plugin not initialized")
    tree = files.tree(hosts(world)[host])
    kind, own = _plugin(world, host)
    if kind not in ("bridge", "flannel", "calico"):
        raise NetworkNotReady(f'plugin type="{kind}" failed (add): not simulated in Slipway yet')
    if kind == "calico":
        return _calico_block(world, host)
    if kind == "flannel":
        if not tree.exists("/opt/cni/bin/flannel"):
            raise NetworkNotReady('plugin type="flannel" failed (add): failed to find plugin "flannel" in path [/opt/cni/bin]')
        try:
            text = tree.read("/run/flannel/subnet.env").decode("utf-8", "replace")
        except OSError:
            raise NetworkNotReady(
                "plugin type=\"flannel\" failed (add): failed to load flannel 'subnet.env' file: open /run/flannel/subnet.env: no such file or "
                "directory. Check the flannel pod log for this node."
            ) from None
        found = dict(line.partition("=")[::2] for line in text.splitlines()).get("FLANNEL_SUBNET", "")
        return str(ipaddress.ip_network(found, strict=False)) if found else ""
    try:
        return str(ipaddress.ip_network(own, strict=False)) if own else runtime(world, host).pod_cidr
    except ValueError:
        raise NetworkNotReady(f'plugin type="bridge" failed (add): invalid CIDR address: {own}') from None


def _calico_block(world: World, host: str) -> str:
    """The block that calico-node has taken for a host (programs/calico.py); raises NetworkNotReady with the plugin's words."""
    tree = files.tree(hosts(world)[host])
    if not tree.exists("/opt/cni/bin/calico"):
        raise NetworkNotReady('plugin type="calico" failed (add): failed to find plugin "calico" in path [/opt/cni/bin]')
    try:
        return tree.read(CALICO_BLOCK).decode().strip()
    except OSError:
        raise NetworkNotReady(
            'plugin type="calico" failed (add): stat /var/lib/calico/nodename: no such file or directory: check that the calico/node container '
            "is running and has mounted /var/lib/calico/"
        ) from None


def attach(world: World, host: str, netns: str, cidr: str | None = None) -> str:
    """Make a network namespace with a fresh address of `cidr`, or of what the node's CNI configuration says; returns the address."""
    state = runtime(world, host)
    if cidr is None:
        cidr = _pods_subnet(world, host)
        if cidr and network.network(world).pods.get(host) != cidr:
            _bridge(world, host, cidr)
    if not cidr:
        raise NetworkNotReady("cni plugin not initialized")
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
