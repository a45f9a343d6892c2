"""Networks of an engine: bridges with their subnets, addresses, and names (moby `daemon/libnetwork`; nerdctl's CNI bridges).

On a network that a user made, a container's resolver is 127.0.0.11: the shim of the container listens there and answers the names
and aliases of the containers on the same networks, and asks the host's upstream for all others.
"""

from __future__ import annotations

import ipaddress

from ...host import dns, files
from ...host.machine import hosts
from ...kernel import network as net
from ...kernel.errors import ConnectError
from ...kernel.http import Request, Response
from ...kernel.world import World
from ..state import Container, Endpoint, Network
from . import core
from .core import EngineError

DNS = "127.0.0.11"
PREDEFINED = ("bridge", "host", "none")


def find(world: World, host: str, space: str, word: str) -> Network:
    """The network of a name, id or id prefix."""
    known = core.engine(world, host, space).networks
    if word in known:
        return known[word]
    if word == "default" and core.is_docker(space):
        return known["bridge"]
    found = [known[key] for key in sorted(known) if known[key].id.startswith(word)] if word else []
    if len(found) != 1:
        raise EngineError(f"network {word} not found", 404)
    return found[0]


def create(
    world: World,
    host: str,
    space: str,
    name: str,
    *,
    driver: str = "bridge",
    subnet: str = "",
    internal: bool = False,
    labels: dict[str, str] | None = None,
    options: dict[str, str] | None = None,
) -> Network:
    """Make a network; raises EngineError."""
    engine = core.engine(world, host, space)
    if name in engine.networks:
        if name in PREDEFINED:
            raise EngineError(f"operation is not permitted on predefined {name} network", 403)
        raise EngineError(f"network with name {name} already exists", 409)
    if driver == "overlay":
        raise EngineError(
            'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node to swarm and try again.',
            503,
        )
    if driver in ("host", "null"):
        raise EngineError(f'only one instance of "{driver}" network is allowed', 403)
    if driver not in ("bridge", "macvlan", "ipvlan"):
        raise EngineError(f'plugin "{driver}" not found' if core.is_docker(space) else f'unsupported cni driver "{driver}"', 404)
    if subnet:
        try:
            wanted = ipaddress.ip_network(subnet)
        except ValueError:
            raise EngineError(f"invalid subnet {subnet}: invalid CIDR block notation", 400) from None
        if any(one.subnet and ipaddress.ip_network(one.subnet).overlaps(wanted) for one in engine.networks.values()):
            raise EngineError("invalid pool request: Pool overlaps with other one on this address space", 403)
    else:
        subnet = _next_subnet(world, host, space)
    ident = world.rng(f"engine/{host}/{space}").hex(64)
    made = Network(ident, name, driver, subnet, world.wall, internal, dict(labels or {}), dict(options or {}))
    engine.networks[name] = made
    core.event(world, host, space, "network", "create", made.id, {"name": name, "type": driver})
    return made


def _next_subnet(world: World, host: str, space: str) -> str:
    engine = core.engine(world, host, space)
    taken = [ipaddress.ip_network(one.subnet) for one in engine.networks.values() if one.subnet]
    if not core.is_docker(space):
        for third in range(1, 250):
            subnet = ipaddress.ip_network(f"10.4.{third + 10 * (sorted(hosts(world)).index(host) + 1)}.0/24")
            if not any(subnet.overlaps(other) for other in taken):
                return str(subnet)
    pools = [f"172.{second}.0.0/16" for second in range(18, 32) if second != 30] + [
        f"192.168.{third}.0/20" for third in range(0, 256, 16)
    ]
    for text in pools:
        if not any(ipaddress.ip_network(text).overlaps(other) for other in taken):
            return text
    raise EngineError("all predefined address pools have been fully subnetted", 400)


def members(world: World, host: str, space: str, name: str) -> list[Container]:
    """The running containers on a network, by name."""
    known = core.containers(world, host, space).values()
    return sorted((c for c in known if name in c.networks and c.state == "RUNNING"), key=lambda c: c.name)


def remove(world: World, host: str, space: str, name: str) -> Network:
    """Remove a network that nobody uses."""
    found = find(world, host, space, name)
    if found.name in PREDEFINED:
        raise EngineError(f"{found.name} is a pre-defined network and cannot be removed", 403)
    used = members(world, host, space, found.name)
    if used:
        text = f'error while removing network: network {found.name} has active endpoints (name:"{used[0].name}" id:"{used[0].networks[found.name].id[:12]}")'
        raise EngineError(
            text
            if core.is_docker(space)
            else f"network {found.name!r} is in use by container {[c.id for c in used]}".replace("'", '"'),
            403,
        )
    del core.engine(world, host, space).networks[found.name]
    net.remove_namespace(world, f"{host}/bridge-{found.id[:12]}")
    spaces = net.network(world)
    if spaces.owners.get(gateway(found)) == host:
        del spaces.owners[gateway(found)]
    core.event(world, host, space, "network", "destroy", found.id, {"name": found.name, "type": found.driver})
    return found


def gateway(found: Network) -> str:
    """The host's own address on a bridge."""
    return str(ipaddress.ip_network(found.subnet)[1]) if found.subnet else ""


def bridge(world: World, host: str, found: Network) -> str:
    """The network namespace that stands for the host's side of a bridge: connections to published ports come from its address."""
    spaces = net.network(world)
    key = f"{host}/bridge-{found.id[:12]}"
    if key not in spaces.namespaces and found.subnet:
        owner = spaces.owners.get(gateway(found), host)
        net.add_namespace(world, key, host, [gateway(found)])
        spaces.owners[gateway(found)] = owner
    return key


def _allocate(world: World, host: str, found: Network, wanted: str = "") -> str:
    owners = net.network(world).owners
    subnet = ipaddress.ip_network(found.subnet)
    bridge(world, host, found)
    if wanted:
        if ipaddress.ip_address(wanted) not in subnet:
            raise EngineError(
                "invalid config for network "
                + found.name
                + ": invalid endpoint settings:\nno configured subnet or ip-range contain the IP address "
                + wanted,
                400,
            )
        if wanted in owners:
            raise EngineError("failed to set up container networking: Address already in use", 403)
        return wanted
    for offset in range(2, min(subnet.num_addresses - 1, 65_000)):
        address = str(subnet[offset])
        if address not in owners:
            return address
    raise EngineError("no available IPv4 addresses on this network's address pools: " + found.name, 403)


def attach(world: World, host: str, container: Container) -> None:
    """Give a container that is about to start its network namespace, with an address on each of its networks."""
    spaces = net.network(world)
    if container.shared_netns:
        return
    if container.netns not in spaces.namespaces:
        net.add_namespace(world, container.netns, host, [])
    for name in list(container.networks):
        _plug(world, host, container, name)


def _plug(world: World, host: str, container: Container, name: str) -> None:
    found = find(world, host, container.namespace, name)
    endpoint = container.networks[name]
    wanted = str((container.options.get("ips") or {}).get(name, ""))
    endpoint.ip = _allocate(world, host, found, wanted)
    rng = world.rng(f"engine/{host}/{container.namespace}")
    endpoint.id = rng.hex(64)
    endpoint.mac = endpoint.mac or ":".join(["%02x" % (int(rng.hex(2), 16) & 0xFE | 2), *(rng.hex(2) for _ in range(5))])
    spaces = net.network(world)
    spaces.namespaces[container.netns].ips.append(endpoint.ip)
    spaces.owners[endpoint.ip] = container.netns
    core.event(
        world,
        host,
        container.namespace,
        "network",
        "connect",
        found.id,
        {"container": container.id, "name": name, "type": found.driver},
    )


def listen(world: World, host: str, container: Container) -> None:
    """Open the container's own resolver once its shim runs."""
    if container.shared_netns or not core.is_docker(container.namespace) or not (set(container.networks) - {"bridge"}):
        return
    try:
        net.listen(world, container.netns, 53, host=host, pid=container.shim_pid, address=DNS, protocol="udp")
    except OSError:
        return


def connect(world: World, host: str, container: Container, name: str, *, aliases: list[str], ip: str = "") -> None:
    """`network connect`: at once when the container runs, else when it starts."""
    found = find(world, host, container.namespace, name)
    if found.name in container.networks:
        raise EngineError(f"endpoint with name {container.name} already exists in network {found.name}", 403)
    if found.driver == "host" or container.shared_netns:
        raise EngineError(
            "container cannot be connected to host network or disconnected from host network"
            if found.driver == "host"
            else "container sharing network namespace with another container or host cannot be connected to any other network",
            400,
        )
    container.networks[found.name] = Endpoint("", list(aliases))
    if ip:
        container.options.setdefault("ips", {})[found.name] = ip
    if container.state == "RUNNING":
        try:
            _plug(world, host, container, found.name)
        except EngineError:
            del container.networks[found.name]
            raise
        listen(world, host, container)
        write_resolver(world, host, container)


def left(world: World, host: str, container: Container) -> None:
    """Tell that a container of Docker's, which has ended, has left its networks (it keeps its place in them)."""
    if not core.is_docker(container.namespace):
        return
    for name in container.networks:
        try:
            found = find(world, host, container.namespace, name)
        except EngineError:
            continue
        attributes = {"container": container.id, "name": found.name, "type": found.driver}
        core.event(world, host, container.namespace, "network", "disconnect", found.id, attributes)


def disconnect(world: World, host: str, container: Container, name: str, *, force: bool = False) -> None:
    """`network disconnect`."""
    found = find(world, host, container.namespace, name)
    endpoint = container.networks.pop(found.name, None)
    if endpoint is None:
        raise EngineError(f"container {container.id} is not connected to network {found.name}", 403)
    spaces = net.network(world)
    if endpoint.ip and spaces.owners.get(endpoint.ip) == container.netns:
        del spaces.owners[endpoint.ip]
        ips = spaces.namespaces[container.netns].ips
        if endpoint.ip in ips:
            ips.remove(endpoint.ip)
    core.event(
        world,
        host,
        container.namespace,
        "network",
        "disconnect",
        found.id,
        {"container": container.id, "name": found.name, "type": found.driver},
    )


def resolver(world: World, host: str, container: Container) -> bytes:
    """The container's /etc/resolv.conf."""
    options = container.options
    own = [f"nameserver {server}" for server in options.get("dns") or []]
    machine = hosts(world)[host]
    try:
        lines = machine.fs.read("/etc/resolv.conf").decode().splitlines()
    except OSError:
        lines = []
    if any(line == "nameserver 127.0.0.53" for line in lines) and machine.fs.exists("/run/systemd/resolve/resolv.conf"):
        lines = machine.fs.read("/run/systemd/resolve/resolv.conf").decode().splitlines()
    servers = (
        own
        or [line for line in lines if line.startswith("nameserver") and " 127." not in line]
        or ["nameserver 8.8.8.8", "nameserver 8.8.4.4"]
    )
    search = (
        [f"search {' '.join(options['dns_search'])}"]
        if options.get("dns_search")
        else [line for line in lines if line.startswith("search") and line != "search ."]
    )
    if core.is_docker(container.namespace) and set(container.networks) - {"bridge"} and not container.shared_netns:
        return ("\n".join([f"nameserver {DNS}", *search, "options ndots:0"]) + "\n").encode()
    return ("\n".join([*servers, *search]) + "\n").encode()


def hosts_file(world: World, host: str, container: Container) -> bytes:
    """The container's /etc/hosts."""
    lines = [
        "127.0.0.1\tlocalhost",
        "::1\tlocalhost ip6-localhost ip6-loopback",
        "fe00::0\tip6-localnet",
        "ff00::0\tip6-mcastprefix",
        "ff02::1\tip6-allnodes",
        "ff02::2\tip6-allrouters",
    ]
    for entry in container.options.get("extra_hosts") or []:
        name, _, address = str(entry).replace("=", ":", 1).partition(":")
        if address == "host-gateway":
            address = "172.17.0.1"
        lines.append(f"{address}\t{name}")
    for endpoint in container.networks.values():
        if endpoint.ip:
            names = container.hostname if core.is_docker(container.namespace) else f"{container.hostname} {container.name}"
            lines.append(f"{endpoint.ip}\t{names}")
    if not core.is_docker(container.namespace):
        for network in container.networks:
            for other in members(world, host, container.namespace, network):
                if other is not container and other.networks[network].ip:
                    lines.append(f"{other.networks[network].ip}\t{other.hostname} {other.name} {other.name}.{network}")
    for name, address in (container.options.get("link_hosts") or {}).items():
        lines.append(f"{address}\t{name}")
    return ("\n".join(lines) + "\n").encode()


def write_resolver(world: World, host: str, container: Container) -> None:
    """Write /etc/hosts and /etc/resolv.conf of a container anew (its addresses have changed)."""
    if container.shared_netns:
        return
    for path, data in (
        ("/etc/hosts", hosts_file(world, host, container)),
        ("/etc/resolv.conf", resolver(world, host, container)),
    ):
        files.write_file(world, host, path, data, mnt=container.id, parents=True)


def refresh(world: World, host: str, space: str) -> None:
    """nerdctl writes the names of all containers on a network into the /etc/hosts of each (its hosts store); dockerd has a resolver."""
    if core.is_docker(space):
        return
    for other in core.containers(world, host, space).values():
        if other.state == "RUNNING" and other.networks and other.id in hosts(world)[host].filesystems:
            files.write_file(world, host, "/etc/hosts", hosts_file(world, host, other), mnt=other.id, parents=True)


def names(container: Container, network: str) -> list[str]:
    """The names of a container on a network: its name, aliases and short id (the default bridge knows none)."""
    if network == "bridge" and core.is_docker(container.namespace):
        return []
    return [container.name, *container.networks[network].aliases, container.id[:12], container.hostname]


def answer(world: World, host: str, space: str, netns: str, request: Request) -> Response:
    """A DNS question to 127.0.0.11 of the container with that network namespace."""
    name = request.path.rstrip(".").lower()
    own = [c for c in core.containers(world, host, space).values() if c.netns == netns and c.networks]
    found: list[str] = []
    for asker in own[:1]:
        for network in asker.networks:
            for other in members(world, host, space, network):
                if name in (one.lower() for one in names(other, network)):
                    found.append(other.networks[network].ip)
    kind = request.param("type", "A")
    if found:
        records = [[request.path, "A", ip] for ip in sorted(set(found))] if kind == "A" else []
        return Response(obj={"rcode": "NOERROR", "records": records})
    try:
        above = dns.ask(world, host, dns.UPSTREAMS[0], request.path, kind)
    except ConnectError:
        return Response(obj={"rcode": "SERVFAIL", "records": []})
    return Response(obj={"rcode": above.rcode, "records": above.records})
