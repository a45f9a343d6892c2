"""Memory and disk: OOM kills, node-pressure eviction, admission on the node."""

from __future__ import annotations

import pytest

from simulator.core.kernel.clock import MINUTE, SECOND
from simulator.core.kube.kubelet.eviction import binary
from simulator.core.sandbox import Sandbox


@pytest.fixture(scope="module")
def base() -> Sandbox:
    made = Sandbox.boot("three-nodes", 1)
    made.advance(30 * SECOND)
    assert made.run("kubectl create deployment web --image=nginx --replicas=4").code == 0
    made.advance(made.now + 30 * SECOND)
    return made


def fault(world: Sandbox, line: str, seconds: int) -> None:
    name, *args = line.split()
    world.apply("fault", {"name": name, "args": args}, world.now)
    world.advance(world.now + seconds * SECOND)


def out(world: Sandbox, line: str) -> str:
    found = world.run(line)
    return found.stdout + found.stderr


def condition(world: Sandbox, node: str, kind: str) -> str:
    path = f"{{.status.conditions[?(@.type=='{kind}')].status}} {{.status.conditions[?(@.type=='{kind}')].reason}}"
    return out(world, f'kubectl get node {node} -o jsonpath="{path}"')


def pod(name: str, image: str, command: str, resources: str, extra: str = "") -> str:
    return (
        f"{{apiVersion: v1, kind: Pod, metadata: {{name: {name}}}, spec: {{restartPolicy: Never, {extra}"
        f"containers: [{{name: c, image: {image}, command: {command}, resources: {resources}}}]}}}}"
    )


def apply(world: Sandbox, text: str, seconds: int) -> None:
    assert world.run("kubectl apply -f -", stdin=text.encode()).code == 0
    world.advance(world.now + seconds * SECOND)


def test_more_than_the_limit_is_killed(base: Sandbox) -> None:
    world = base.fork()
    apply(world, pod("oom", "polinux/stress", "[stress, --vm, '1', --vm-bytes, 250M]", "{limits: {memory: 100Mi}}"), 15)
    ended = "kubectl get pod oom -o jsonpath='{.status.containerStatuses[0].state.terminated.reason} "
    assert out(world, ended + "{.status.containerStatuses[0].state.terminated.exitCode}'") == "OOMKilled 137"
    apply(world, pod("fits", "polinux/stress", "[stress, --vm, '1', --vm-bytes, 50M]", "{limits: {memory: 100Mi}}"), 15)
    assert "Running" in out(world, "kubectl get pod fits")


def test_a_limit_that_is_too_small_for_anything(base: Sandbox) -> None:
    world = base.fork()
    apply(world, pod("tiny", "nginx", "[nginx]", "{limits: {memory: 2Mi}}"), 10)
    assert "container init was OOM-killed (memory limit too low?)" in out(world, "kubectl describe pod tiny")


def test_a_full_disk_is_a_condition_a_taint_and_the_end_of_pods(base: Sandbox) -> None:
    world = base.fork()
    before = out(world, "kubectl get pods -o name --field-selector spec.nodeName=node01").split()
    fault(world, "fill-disk node01 95%", 60)
    assert condition(world, "node01", "DiskPressure") == "True KubeletHasDiskPressure"
    assert "node.kubernetes.io/disk-pressure" in out(world, "kubectl get node node01 -o jsonpath={.spec.taints}")
    assert out(world, f"kubectl get {before[0]} -o jsonpath='{{.status.phase}} {{.status.reason}}'") == "Failed Evicted"
    message = out(world, f"kubectl get {before[0]} -o jsonpath={{.status.message}}")
    assert message.startswith("The node was low on resource: ephemeral-storage. Threshold quantity: 4144202956, available: ")
    assert "TerminationByKubelet" in out(world, f"kubectl get {before[0]} -o yaml")
    assert "Attempting to reclaim ephemeral-storage" in out(world, "kubectl get events")
    running = out(world, "kubectl get pods --field-selector status.phase=Running -o wide")
    assert running.count("node02") == 4
    fault(world, "free-disk node01", 60)
    assert condition(world, "node01", "DiskPressure").startswith("True"), "it stays for five minutes"
    world.advance(world.now + 5 * MINUTE)
    assert condition(world, "node01", "DiskPressure") == "False KubeletHasNoDiskPressure"


def test_memory_that_is_short_turns_best_effort_pods_away(base: Sandbox) -> None:
    world = base.fork()
    fault(world, "fill-memory node01 100%", 30)
    assert condition(world, "node01", "MemoryPressure") == "True KubeletHasInsufficientMemory"
    apply(world, pod("new", "nginx", "[nginx]", "{}", "nodeName: node01, "), 5)
    assert out(world, "kubectl get pod new -o jsonpath='{.status.reason}: {.status.message}'") == (
        "Evicted: Pod was rejected: The node had condition: [MemoryPressure]. "
    )


def test_what_does_not_fit_is_refused_on_the_node(base: Sandbox) -> None:
    world = base.fork()
    apply(world, pod("big", "nginx", "[nginx]", "{requests: {cpu: '64'}}", "nodeName: node01, "), 5)
    assert "OutOfcpu" in out(world, "kubectl get pod big")
    text = "Node didn't have enough resource: cpu, requested: 64000, used: 0, capacity: 4000"
    assert text in out(world, "kubectl get events")
    apply(world, pod("away", "nginx", "[nginx]", "{}", "nodeName: node01, nodeSelector: {disk: ssd}, "), 5)
    assert "NodeAffinity" in out(world, "kubectl get pod away")


@pytest.mark.parametrize(("value", "text"), [(1024, "1Ki"), (1536, "1536"), (3 * 1024**3, "3Gi"), (0, "0")])
def test_quantities_in_binary_units(value: int, text: str) -> None:
    assert binary(value) == text


def test_a_machine_without_memory_kills_says_so_and_tells_the_node(base: Sandbox) -> None:
    world = base.fork()
    apply(
        world, pod("hog", "polinux/stress", "[stress, --vm, '1', --vm-bytes, 12G, --vm-hang, '1']", "{}", "nodeName: node01, "), 8
    )
    assert "OOMKilled" in out(world, "kubectl get pod hog")
    said = world.run("dmesg | tail -3", host="node01").stdout
    assert "stress invoked oom-killer" in said
    assert "constraint=CONSTRAINT_NONE" in said
    assert "Out of memory: Killed process" in world.run("journalctl -k --no-pager", host="node01").stdout
    assert "System OOM encountered, victim process: stress, pid: " in out(world, "kubectl get events")


def test_pressure_is_looked_at_every_ten_seconds_however_often_it_rang(base: Sandbox) -> None:
    world = base.fork()
    for size in ("99%", "99.1%", "99.2%"):
        fault(world, f"fill-memory node01 {size}", 1)
    world.advance(world.now + 60 * SECOND)
    looks = world.run("journalctl -u kubelet --no-pager | grep -c 'attempting to reclaim'", host="node01").stdout
    assert 6 <= int(looks) <= 10
