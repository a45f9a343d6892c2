"""The worlds that a session can start from, by name: a literal table."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import msgspec

from ..host.machine import hosts
from ..kernel import versions
from ..kernel.errors import BadInput
from ..kernel.world import World
from . import bare, dockerhosts, playgrounds, unmade
from .cluster import ClusterBuilder
from .clusters import ExternalEtcd, HighlyAvailable, three_etcd


class Scenario(msgspec.Struct, frozen=True):
    """A starting world: what it is called, what it is, and where its first terminals are."""

    name: str
    title: str
    terminals: tuple[str, ...]
    build: Callable[[World], None]


def _three_nodes(world: World) -> None:
    ClusterBuilder(world).build()


def _one_node(world: World) -> None:
    ClusterBuilder(world, workers=()).build()


def _two_nodes(world: World) -> None:
    ClusterBuilder(world, workers=("node01",)).build()


def _docker(world: World) -> None:
    dockerhosts.build(world, ("docker01",), docker=True)


def _docker_two(world: World) -> None:
    dockerhosts.build(world, ("docker01", "docker02"), docker=True)


def _empty(world: World) -> None:
    dockerhosts.build(world, ("host01", "host02", "host03"), docker=False)
    for host in hosts(world).values():  # as installed: a cluster's modules and forwarding are the builder's to turn on
        if host.name in ("host01", "host02", "host03"):
            host.sysctl.update({"net.ipv4.ip_forward": "0", "net.ipv4.conf.all.forwarding": "0"})
            host.modules = ["-br_netfilter", "-overlay", "-vxlan"]


def _highly_available(world: World) -> None:
    HighlyAvailable(world).build()


def _external_etcd(world: World) -> None:
    ExternalEtcd(world).build()


SCENARIOS: tuple[Scenario, ...] = (
    Scenario(
        "three-nodes", "kubeadm v1.36, one control plane and two workers", ("controlplane", "node01", "node02"), _three_nodes
    ),
    Scenario("two-nodes", "kubeadm v1.36, one control plane and one worker", ("controlplane", "node01"), _two_nodes),
    Scenario("one-node", "kubeadm v1.36, a control plane alone", ("controlplane",), _one_node),
    Scenario(
        "high-availability",
        "kubeadm v1.36, three control planes with stacked etcd behind a balancer, one worker",
        ("controlplane", "controlplane2", "controlplane3", "node01"),
        _highly_available,
    ),
    Scenario(
        "external-etcd",
        "kubeadm v1.36 with etcd on three machines of its own, one control plane and one worker",
        ("controlplane", "node01", "etcd1", "etcd2", "etcd3"),
        _external_etcd,
    ),
    Scenario("etcd", "three machines with one etcd member each, TLS, and no Kubernetes", ("etcd1", "etcd2", "etcd3"), three_etcd),
    Scenario(
        "bare", "etcd, API server and controller manager alone, one Node object; for API suites", ("controlplane",), bare.build
    ),
    Scenario(
        "dockershim",
        "a worker on Docker by a v1.23 kubelet's dockershim, to take to v1.24",
        ("controlplane", "node01"),
        dockerhosts.dockershim,
    ),
    Scenario(
        "playground-1node",
        "kubeadm v1.36 as in a playground: a control plane alone that takes pods",
        ("controlplane",),
        playgrounds.one_node,
    ),
    Scenario(
        "playground-2nodes",
        "kubeadm v1.36 as in a playground: one control plane, one worker",
        ("controlplane", "node01"),
        playgrounds.two_nodes,
    ),
    Scenario("playground-ubuntu", "Ubuntu with Docker as in a playground", ("ubuntu",), playgrounds.ubuntu),
    Scenario("docker", "one host with Docker and no Kubernetes", ("docker01",), _docker),
    Scenario("docker-two", "two hosts with Docker and no Kubernetes", ("docker01", "docker02"), _docker_two),
    Scenario("empty-hosts", "three hosts with nothing installed, to build on", ("host01", "host02", "host03"), _empty),
    Scenario(
        "ha-ready",
        "three machines for control planes behind a load balancer at lb:6443 (haproxy), one for a worker; no cluster yet",
        ("cp1", "cp2", "cp3", "node01", "lb"),
        unmade.highly_available,
    ),
    Scenario(
        "upgrade",
        "kubeadm v1.35.5, one control plane and one worker, to be upgraded to v1.36",
        ("controlplane", "node01"),
        unmade.older,
    ),
    Scenario(
        "kubeadm-ready",
        "three machines with containerd, kubeadm, kubelet and kubectl installed and no cluster; `kubeadm init` makes one",
        ("controlplane", "node01", "node02"),
        unmade.kubeadm_ready,
    ),
)


#: Scenarios that are there in older releases too, as `three-nodes@1.35` (kernel/versions.py: PACKS): their workers.
RELEASED: dict[str, tuple[str, ...]] = {"three-nodes": ("node01", "node02"), "two-nodes": ("node01",), "one-node": ()}


def find(name: str) -> Scenario:
    """The scenario of that name, of an older release by `name@1.35`; raises BadInput that lists the names."""
    base, at, minor = name.partition("@")
    if at and (base not in RELEASED or minor not in versions.PACKS):
        there = ", ".join(f"{one}@{pack}" for one in RELEASED for pack in versions.PACKS)
        raise BadInput(f"scenario {name!r} does not exist; with a release there are: {there}")
    for scenario in SCENARIOS:
        if scenario.name == base and (not at or minor == versions.MINOR):
            return scenario
        if scenario.name == base:
            release, workers = versions.newest(minor), RELEASED[base]
            title = scenario.title.replace(f"v{versions.MINOR}", release)
            return Scenario(name, title, scenario.terminals, partial(unmade.released, workers=workers, version=release))
    raise BadInput(f"scenario {name!r} does not exist; there are: {', '.join(s.name for s in SCENARIOS)}")
