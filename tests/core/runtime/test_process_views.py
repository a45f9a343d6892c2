"""What processes in pods see of themselves and of others: PID namespaces, control groups by QoS class, `oom_score_adj`."""

from __future__ import annotations

import json

import pytest

from simulator.core.sandbox import Sandbox


def pod(name: str, resources: dict[str, object] | None = None, **spec: object) -> str:
    """A command that makes a pod that sleeps on node01."""
    container = {"name": name, "image": "busybox", "command": ["sleep", "3600"], "resources": resources or {}}
    whole = {"spec": {"nodeName": "node01", "containers": [container, *spec.pop("more", [])], **spec}}  # type: ignore[misc]
    return f"kubectl run {name} --image=busybox --overrides='{json.dumps(whole)}'"


@pytest.fixture(scope="module")
def world() -> Sandbox:
    """Pods of every class, one that shares its PID namespace and one in the host's."""
    sandbox = Sandbox.boot("three-nodes")
    both = {"cpu": "100m", "memory": "64Mi"}
    for command in (
        pod("best"),
        pod("burst", {"requests": {"cpu": "250m", "memory": "64Mi"}}),
        pod("guard", {"limits": both}),
        pod("share", shareProcessNamespace=True, more=[{"name": "web", "image": "nginx"}]),
        pod("node", hostPID=True),
    ):
        assert sandbox.run(command).code == 0
    assert sandbox.run("kubectl wait --for=condition=Ready pod --all --timeout=90s").code == 0
    return sandbox


def in_pod(world: Sandbox, name: str, text: str) -> str:
    found = world.run(f"kubectl exec {name} -c {name} -- sh -c '{text}'")
    return found.stdout + found.stderr


def test_a_container_counts_its_processes_from_one(world: Sandbox) -> None:
    assert in_pod(world, "best", "ps").splitlines()[:2] == ["PID   USER     TIME   COMMAND", "    1 root       0:00 sleep 3600"]
    assert in_pod(world, "best", 'cat /proc/1/cmdline | tr "\\0" " "') == "sleep 3600 "
    text = in_pod(world, "best", "sleep 99 & echo $!; pgrep -n sleep; kill $!; wait $!; echo $?")
    first, second, status = text.splitlines()
    assert first == second and int(first) < 100 and status == "143"
    assert in_pod(world, "best", "cat /proc/999/status").startswith("cat: ")
    assert "No such process" in in_pod(world, "best", "kill 300")


def test_the_node_sees_both_numbers(world: Sandbox) -> None:
    text = world.run("for p in $(pidof sleep); do grep NSpid /proc/$p/status; done", host="node01").stdout.splitlines()
    assert len(text) == 5
    assert sum(len(line.split()) == 3 for line in text) == 4, "the pod in the host's namespace has one number"
    assert sum(line.split()[-1] == "1" for line in text) == 3, "beside a pause container the first is not 1"


def test_shared_and_host_namespaces(world: Sandbox) -> None:
    rows = [line.split(None, 3)[-1] for line in in_pod(world, "share", "ps").splitlines()[1:]]
    assert rows[0] == "/pause" and "sleep 3600" in rows and any(row.startswith("nginx") for row in rows)
    assert "/usr/bin/kubelet" in in_pod(world, "node", "ps")


def test_pid_one_takes_only_signals_that_it_handles(world: Sandbox) -> None:
    assert in_pod(world, "guard", "kill 1; kill -9 1; pkill sleep; echo $?; pidof sleep") == "0\n1\n"
    assert world.run("kubectl get pod guard -o jsonpath='{.status.containerStatuses[0].restartCount}'").stdout == "0"


@pytest.mark.parametrize(
    ("name", "folder", "score"),
    [
        ("best", "/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod", "1000"),
        ("burst", "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod", "992"),
        ("guard", "/kubepods.slice/kubepods-pod", "-997"),
    ],
)
def test_groups_follow_the_class(world: Sandbox, name: str, folder: str, score: str) -> None:
    uid = world.run(f"kubectl get pod {name} -o jsonpath='{{.metadata.uid}}'").stdout.replace("-", "_")
    assert in_pod(world, name, "cat /proc/1/oom_score_adj /proc/1/cgroup") == f"{score}\n0::/\n"
    script = f"g=$(cd /sys/fs/cgroup; find . -type d -path '*{uid}.slice'); echo $g; for s in /sys/fs/cgroup/$g/*.scope; do cat $s/cgroup.procs; done"
    path, *pids = world.run(script, host="node01").stdout.split()
    assert path == f".{folder}{uid}.slice" and len(pids) == 2
    groups = world.run(f"cat /proc/{pids[0]}/cgroup /proc/{pids[1]}/cgroup", host="node01").stdout.splitlines()
    assert all(group.startswith(f"0::{folder}{uid}.slice/cri-containerd-") and group.endswith(".scope") for group in groups)


def test_limits_are_in_the_group(world: Sandbox) -> None:
    text = "cd /sys/fs/cgroup; cat memory.max cpu.max cpu.weight pids.current; stat -fc %T ."
    assert in_pod(world, "guard", text).split("\n")[:3] == [str(64 << 20), "10000 100000", "4"]
    assert in_pod(world, "best", text).split("\n")[:3] == ["max", "max 100000", "1"]
    assert in_pod(world, "best", text).endswith("cgroup2fs\n")


def test_units_and_static_pods(world: Sandbox) -> None:
    """The kubelet is spared longest, then what is critical for the node."""
    assert world.run("cat /proc/$(pidof kubelet)/oom_score_adj /proc/$(pidof etcd)/oom_score_adj").stdout == "-999\n-997\n"
    assert "kubepods-burstable-pod" in world.run("systemd-cgls").stdout
    assert world.run("cat /sys/fs/cgroup/system.slice/kubelet.service/cgroup.procs").stdout == world.run("pidof kubelet").stdout
