"""NetworkPolicies as the nodes' network plugin enforces them: from the API's objects to what each pod may receive and send.

The plugin is part of each node (see `runtime/cni.py`), no pod and no process: a timer target `net:<host>` that hears of policies, and of
pods and namespaces while there are policies.  It reads through the API server with a client certificate of its own, made by the cluster's
CA when the first policy appears; where that CA's key is not on a machine of the world, policies are not enforced.  A node that cannot
reach the API server goes on with what it had.  What is enforced is `Network.policies` (see `kernel/routing.py`): like the programs of an
eBPF data plane, it is not seen in iptables.
"""

from __future__ import annotations

from typing import Any

from ..host import files, x509
from ..host.machine import hosts
from ..kernel import clock
from ..kernel.errors import ConnectError
from ..kernel.network import Allow, Policy, network
from ..kernel.world import World
from .api import selectors
from .client import ApiError, Credentials, KubeClient

Obj = dict[str, Any]
CA = "/etc/kubernetes/pki/ca"
PROTOCOLS = {"TCP": "tcp", "UDP": "udp", "SCTP": "sctp"}
#: How long the plugin gathers changes, and when it asks again after a failure.
SOON, LATER = 200 * clock.MS, 10 * clock.SECOND
TOPICS = ("registry:pods", "registry:namespaces")


def attend(world: World, host: str) -> None:
    """Have a host's plugin hear of policies."""
    world.subscribe("registry:networkpolicies", f"net:{host}", ["policies"], low=SOON // 2, high=SOON)


def dispatch(world: World, host: str, payload: Any) -> None:
    """Something has changed: make the host's policies anew."""
    machine = hosts(world).get(host)
    if machine is None or not machine.up:
        return
    net = network(world)
    try:
        client = _client(world, host)
        if client is None:
            return
        policies = client.list("networkpolicies").items
        if not policies:
            net.policies.pop(host, None)
            return
        pods, spaces = client.list("pods").items, client.list("namespaces").items
    except (ConnectError, ApiError):
        world.after(LATER, f"net:{host}", ["again"])
        return
    for topic in TOPICS:
        world.subscribe(topic, f"net:{host}", ["peers"], low=SOON // 2, high=SOON)
    held = compile_policies(policies, pods, {s["metadata"]["name"]: s for s in spaces}, host)
    if held != net.policies.get(host):
        net.policies[host] = held
        world.emit(f"network/{host}", "policies.sync", f"hosts/{host}", {"pods": len(held)})


def _client(world: World, host: str) -> KubeClient | None:
    net = network(world)
    ca = b""
    for name in sorted(hosts(world)):
        tree = files.tree(hosts(world)[name])
        if tree.exists(CA + ".key") and tree.exists(CA + ".crt"):
            ca = tree.read(CA + ".crt")
            if not net.plugin:
                pair = x509.KeyPair(ca, tree.read(CA + ".key"))
                made = x509.issue(
                    world, "system:network-plugin", issuer=pair, organizations=("system:masters",), client=True, days=3650
                )
                net.plugin = [made.cert, made.key]
            server = f"https://{hosts(world)[name].ip}:6443"
            credentials = Credentials(cert=net.plugin[0], key=net.plugin[1], ca=ca)
            return KubeClient(world, host, server, credentials, "network-plugin")
    return None


# -- from objects to rules -----------------------------------------------------------------------------------------------
def compile_policies(policies: list[Obj], pods: list[Obj], spaces: dict[str, Obj], host: str) -> dict[str, Policy]:
    """By address: what each pod of a host may receive and send; pods that no policy selects are not in it."""
    running = [pod for pod in pods if _address(pod)]
    out: dict[str, Policy] = {}
    for pod in running:
        if pod["spec"].get("nodeName") != host:
            continue
        for policy in policies:
            if policy["metadata"]["namespace"] != pod["metadata"]["namespace"]:
                continue
            spec = policy["spec"]
            if not selectors.from_object(spec.get("podSelector") or {}).matches(pod["metadata"].get("labels") or {}):
                continue
            held = out.setdefault(_address(pod), Policy())
            kinds = spec.get("policyTypes") or (["Ingress", "Egress"] if spec.get("egress") else ["Ingress"])
            space = policy["metadata"]["namespace"]
            if "Ingress" in kinds:
                rules = [_ingress(rule, pod, running, spaces, space) for rule in spec.get("ingress") or ()]
                held.ingress = [*(held.ingress or ()), *rules]
            if "Egress" in kinds:
                held.egress = [*(held.egress or ())]
                for rule in spec.get("egress") or ():
                    held.egress += _egress(rule, running, spaces, space)
    return out


def _address(pod: Obj) -> str:
    """The address of a pod of its own network, "" otherwise."""
    if pod["spec"].get("hostNetwork") or (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed"):
        return ""
    return str((pod.get("status") or {}).get("podIP") or "")


def _chosen(peer: Obj, running: list[Obj], spaces: dict[str, Obj], space: str) -> list[Obj]:
    """The pods that a peer means."""
    wanted = selectors.from_object(peer.get("podSelector") or {})
    outer = selectors.from_object(peer["namespaceSelector"]) if "namespaceSelector" in peer else None
    found = []
    for pod in running:
        where = pod["metadata"]["namespace"]
        if outer is None:
            if where != space:
                continue
        elif not outer.matches((spaces.get(where) or {"metadata": {}})["metadata"].get("labels") or {}):
            continue
        if wanted.matches(pod["metadata"].get("labels") or {}):
            found.append(pod)
    return found


def _peers(listed: list[Obj] | None, running: list[Obj], spaces: dict[str, Obj], space: str) -> list[str] | None:
    if not listed:
        return None
    out: list[str] = []
    for peer in listed:
        if "ipBlock" in peer:
            out.append("!".join([peer["ipBlock"]["cidr"], *(peer["ipBlock"].get("except") or ())]))
        else:
            out += [_address(pod) for pod in _chosen(peer, running, spaces, space)]
    return sorted(set(out))


def _named(pod: Obj, name: str, protocol: str) -> int:
    """The number of a container port of that name, 0 when the pod has none."""
    for container in pod["spec"].get("containers") or ():
        for port in container.get("ports") or ():
            if port.get("name") == name and (port.get("protocol") or "TCP") == protocol:
                return int(port["containerPort"])
    return 0


def _ports(listed: list[Obj] | None, pod: Obj | None) -> list[list[Any]] | None:
    """Ports as [protocol, first, last]; a name is looked up in `pod`."""
    if not listed:
        return None
    out: list[list[Any]] = []
    for item in listed:
        protocol = item.get("protocol") or "TCP"
        port = item.get("port")
        low, high = 0, 65535
        if isinstance(port, str) and not port.isdigit():
            low = high = _named(pod, port, protocol) if pod is not None else 0
            if not low:
                continue
        elif port is not None:
            low = int(port)
            high = int(item.get("endPort") or low)
        out.append([PROTOCOLS.get(protocol, protocol.lower()), low, high])
    return out


def _ingress(rule: Obj, pod: Obj, running: list[Obj], spaces: dict[str, Obj], space: str) -> Allow:
    return Allow(_peers(rule.get("from"), running, spaces, space), _ports(rule.get("ports"), pod))


def _egress(rule: Obj, running: list[Obj], spaces: dict[str, Obj], space: str) -> list[Allow]:
    """One rule; where it names ports, one for each pod that has such a port."""
    listed = rule.get("ports") or []
    named = [item for item in listed if isinstance(item.get("port"), str) and not item["port"].isdigit()]
    peers = _peers(rule.get("to"), running, spaces, space)
    plain = [item for item in listed if item not in named]
    out = [] if listed and not plain else [Allow(peers, _ports(plain, None))]
    for pod in running if named else ():
        if peers is None or _address(pod) in peers:
            ports = _ports(named, pod)
            if ports:
                out.append(Allow([_address(pod)], ports))
    return out
