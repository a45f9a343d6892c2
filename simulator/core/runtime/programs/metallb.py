"""MetalLB (metallb/metallb, controller/main.go, internal/allocator): gives Services of type LoadBalancer addresses of its pools.

The controller looks at every Service when Services or IPAddressPools change and keeps what it gave; an address belongs to one Service.
A Service asks for one by `spec.loadBalancerIP` or the annotation `metallb.io/loadBalancerIPs`, for a pool by `metallb.io/address-pool`.
The speaker announces addresses on the local network: here every machine is a node whose kube-proxy answers for them (kube/proxy/rules.py),
so announcing needs no more than an L2Advertisement; BGP, shared addresses and the webhooks are not simulated in Slipway yet.
"""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Iterator
from typing import Any

import msgspec

from ...host.process import Process
from ...host.program import Exited
from ...kernel import clock, network
from ...kernel.clock import SECOND
from ...kernel.errors import ConnectError
from ...kernel.http import Request, Response
from ...kernel.world import World
from ...kube.api.objects import Obj, annotations_of
from ...kube.client import ApiError, KubeClient
from ...kube.component import explain
from ...kube.events import EventState, Recorder
from .. import logs
from .account import client_of
from .basics import Quiet

#: Annotation prefixes, the newer first (the older one until v0.14).
PREFIXES = ("metallb.io", "metallb.universe.tf")
TOPICS = ("registry:services/specs", "registry:metallb.io/ipaddresspools", "registry:metallb.io/l2advertisements")
Ranges = list[tuple[int, int]]


class Controller(msgspec.Struct):
    """One process's state: the events that it has sent."""

    events: EventState = msgspec.field(default_factory=EventState)


def section(world: World) -> dict[str, Controller]:
    """By process key."""
    return world.section("metallb", dict)


class BadRange(Exception):
    """An entry of `spec.addresses` is no range."""


def ranges(pool: Obj) -> Ranges:
    """A pool's addresses as pairs of first and last, in order; raises BadRange."""
    out: Ranges = []
    for text in pool["spec"].get("addresses") or ():
        first, dash, last = str(text).partition("-")
        try:
            if dash:
                low, high = ipaddress.ip_address(first.strip()), ipaddress.ip_address(last.strip())
            else:
                whole = ipaddress.ip_network(first.strip(), strict=True)
                low, high = whole[0], whole[-1]
        except ValueError:
            raise BadRange(f'invalid CIDR {json.dumps(str(text))} in pool "{pool["metadata"]["name"]}"') from None
        if low.version != 4 or high.version != 4:
            continue
        if int(low) > int(high):
            raise BadRange(f'invalid IP range {json.dumps(str(text))}: start IP "{low}" is after the end IP "{high}"')
        out.append((int(low), int(high)))
    return out


def _free(pool: Obj, found: Ranges, taken: set[str]) -> Iterator[str]:
    buggy = bool(pool["spec"].get("avoidBuggyIPs"))
    for low, high in found:
        for number in range(low, min(high, low + 65_535) + 1):
            address = str(ipaddress.IPv4Address(number))
            if address not in taken and not (buggy and number & 255 in (0, 255)):
                yield address


class MetalLB(Quiet):
    """The `Program` of both processes: `metallb:controller` and `metallb:speaker`."""

    def start(self, world: World, proc: Process) -> None:
        """Serve metrics; the controller begins to watch a moment later."""
        try:
            network.listen(world, proc.netns, 7472, host=proc.host, pid=proc.pid)
        except OSError:
            self._say(world, proc, "error", {"op": "startup", "msg": "failed to listen on port 7472"})
            raise Exited(1) from None
        role, _, version = proc.program.partition(":")[2].partition("/")
        self._say(world, proc, "info", {"branch": "HEAD", "msg": f"MetalLB {role} starting", "version": version})
        if role == "controller":
            section(world)[proc.key] = Controller()
            world.after(SECOND, proc.target, ["begin"])

    def stop(self, world: World, proc: Process, signal: int) -> int:
        """Services keep their addresses."""
        section(world).pop(proc.key, None)
        world.unsubscribe(proc.target)
        return super().stop(world, proc, signal)

    def http(self, world: World, proc: Process, request: Request) -> Response:
        """`/metrics` only says that it is there."""
        if request.path == "/metrics":
            return Response(
                body=b"# HELP metallb_k8s_client_config_loaded_bool 1 if the config was successfully loaded.\nmetallb_k8s_client_config_loaded_bool 1\n"
            )
        return Response(status=404, body=b"404 page not found\n")

    def timer(self, world: World, proc: Process, payload: Any) -> None:
        """`["begin"]`, then `["wake"]` after each change."""
        if proc.key not in section(world):
            return
        if payload[0] == "begin":
            for topic in TOPICS:
                world.subscribe(topic, proc.target, ["wake"])
        client = client_of(world, proc, "metallb-controller")
        try:
            self._reconcile(world, proc, client)
        except (ApiError, ConnectError) as error:
            self._say(world, proc, "error", {"op": "reconcile", "error": explain(error, client)})
            world.after(5 * SECOND, proc.target, ["wake"])

    @staticmethod
    def _say(world: World, proc: Process, level: str, fields: dict[str, str]) -> None:
        line = {"caller": "main.go:80", "level": level, "ts": clock.rfc3339(world.wall), **fields}
        logs.emit(world, proc, json.dumps(line, separators=(",", ":"), sort_keys=True))

    def _reconcile(self, world: World, proc: Process, client: KubeClient) -> None:
        pools: dict[str, tuple[Obj, Ranges]] = {}
        path = f"/apis/metallb.io/v1beta1/namespaces/{proc.env.get('METALLB_NAMESPACE', 'metallb-system')}/ipaddresspools"
        for pool in client.call("GET", path)["items"]:
            try:
                pools[pool["metadata"]["name"]] = (pool, ranges(pool))
            except BadRange as why:
                self._say(world, proc, "error", {"op": "loadConfig", "error": str(why)})
        services = client.list("services").items
        taken = {ip: _key(one) for one in services for ip in _held(one)}
        recorder = Recorder(world, client, section(world)[proc.key].events, "metallb-controller", "")
        for service in services:
            self._one(world, proc, client, recorder, service, pools, taken)

    def _one(
        self, world: World, proc: Process, client: KubeClient, recorder: Recorder, service: Obj,
        pools: dict[str, tuple[Obj, Ranges]], taken: dict[str, str],
    ) -> None:  # fmt: skip
        meta, spec, held = service["metadata"], service["spec"], _held(service)
        mine = spec.get("loadBalancerClass") in (None, "metallb") and not meta.get("deletionTimestamp")
        if spec.get("type") != "LoadBalancer" or not mine:
            if held and spec.get("type") != "LoadBalancer":
                self._status(client, service, [])
            return
        if held and any(_inside(held[0], found) for _, found in pools.values()) and self._wanted(service) in ("", held[0]):
            return
        for address in held:
            taken.pop(address, None)
        try:
            pool, address = self._choose(service, pools, taken)
        except LookupError as why:
            if held:
                self._status(client, service, [])
            text = f'Failed to allocate IP for "{_key(service)}": {why.args[0]}'
            recorder.event(service, "Warning", "AllocationFailed", text)
            self._say(world, proc, "error", {"op": "allocateIPs", "error": str(why.args[0]), "service": _key(service)})
            return
        taken[address] = _key(service)
        note = {"metadata": {"annotations": {f"{PREFIXES[0]}/ip-allocated-from-pool": pool}}}
        client.patch("services", meta["namespace"], meta["name"], note, kind="merge")
        self._status(client, service, [{"ip": address, "ipMode": "VIP"}])
        recorder.event(service, "Normal", "IPAllocated", f'Assigned IP ["{address}"]')
        self._say(
            world,
            proc,
            "info",
            {
                "event": "ipAllocated",
                "ip": f'["{address}"]',
                "msg": "IP address assigned by controller",
                "service": _key(service),
            },
        )

    @staticmethod
    def _wanted(service: Obj) -> str:
        """The address that a Service asks for, or ""."""
        notes = annotations_of(service)
        asked = next((notes[f"{prefix}/loadBalancerIPs"] for prefix in PREFIXES if f"{prefix}/loadBalancerIPs" in notes), "")
        return (asked or service["spec"].get("loadBalancerIP") or "").partition(",")[0].strip()

    def _choose(self, service: Obj, pools: dict[str, tuple[Obj, Ranges]], taken: dict[str, str]) -> tuple[str, str]:
        """A pool and a free address of it; raises LookupError with the allocator's words."""
        wanted, notes = self._wanted(service), annotations_of(service)
        if wanted:
            for name, (pool, found) in sorted(pools.items()):
                if _inside(wanted, found) and _serves(pool, service):
                    if wanted in taken:
                        raise LookupError(
                            f'can\'t change sharing key for "{_key(service)}", address also in use by {taken[wanted]}'
                        )
                    return name, wanted
            raise LookupError(f'["{wanted}"] is not allowed in config')
        asked = next((notes[f"{prefix}/address-pool"] for prefix in PREFIXES if f"{prefix}/address-pool" in notes), "")
        if asked and asked not in pools:
            raise LookupError(f'unknown pool "{asked}"')
        for name, (pool, found) in sorted(pools.items()):
            if (name != asked and (asked or pool["spec"].get("autoAssign") is False)) or not _serves(pool, service):
                continue
            address = next(_free(pool, found, set(taken)), "")
            if address:
                return name, address
        raise LookupError(f"no available IPs in pool {json.dumps(asked)}" if asked else "no available IPs")

    @staticmethod
    def _status(client: KubeClient, service: Obj, ingress: list[Obj]) -> None:
        meta = service["metadata"]
        body = {"status": {"loadBalancer": {"ingress": ingress} if ingress else {"ingress": None}}}
        client.patch("services", meta["namespace"], meta["name"], body, kind="merge", subresource="status")


def _key(service: Obj) -> str:
    return f"{service['metadata']['namespace']}/{service['metadata']['name']}"


def _held(service: Obj) -> list[str]:
    rows = ((service.get("status") or {}).get("loadBalancer") or {}).get("ingress") or ()
    return [row["ip"] for row in rows if row.get("ip")]


def _inside(address: str, found: Ranges) -> bool:
    try:
        number = int(ipaddress.IPv4Address(address))
    except ValueError:
        return False
    return any(low <= number <= high for low, high in found)


def _serves(pool: Obj, service: Obj) -> bool:
    """Whether a pool may be used for a Service's namespace; selectors of serviceAllocation are not looked at."""
    spaces = (pool["spec"].get("serviceAllocation") or {}).get("namespaces") or ()
    return not spaces or service["metadata"]["namespace"] in spaces
