"""Containers as userlands: busybox, Alpine's apk, Debian's and Ubuntu's apt, entering the host from a debugging pod, `run -i` to its end."""

from __future__ import annotations

import pytest

from simulator.core.kernel.clock import SECOND
from simulator.core.sandbox import Sandbox


@pytest.fixture(scope="module")
def booted() -> bytes:
    """Pods of several userlands that run, as a snapshot."""
    sandbox = Sandbox.boot("three-nodes")
    for name, image in (
        ("box", "busybox:1.36"),
        ("alp", "alpine:3.20"),
        ("new", "alpine"),
        ("ubu", "ubuntu:22.04"),
        ("deb", "debian:12"),
    ):
        assert sandbox.run(f"kubectl run {name} --image={image} -- sleep 1d").code == 0
    sandbox.advance(sandbox.now + 20 * SECOND)
    return sandbox.snapshot()


@pytest.fixture
def cluster(booted: bytes) -> Sandbox:
    return Sandbox.restore(booted)


def said(cluster: Sandbox, command: str, code: int = 0) -> str:
    """What a command prints on both streams; its status must be `code`."""
    result = cluster.run(command)
    assert result.code == code, result
    return result.stdout + result.stderr


def test_a_debugging_pod_enters_the_node_by_chroot(cluster: Sandbox) -> None:
    command = "kubectl debug node/node01 -i --image=busybox -- chroot /host sh -c 'hostname; systemctl is-active kubelet; ls /etc/kubernetes'"
    told = said(cluster, command)
    assert "node01\nactive\n" in told and "kubelet.conf" in told


def test_nsenter_enters_the_processes_own_namespaces(cluster: Sandbox) -> None:
    said(cluster, "kubectl run mighty --image=busybox:1.36 --privileged -- sleep 1d")
    said(cluster, 'kubectl run sees --image=ubuntu:22.04 --overrides=\'{"spec": {"hostPID": true}}\' -- sleep 1d')
    cluster.advance(cluster.now + 5 * SECOND)
    assert "inet 192.168." in said(cluster, "kubectl exec mighty -- nsenter -t 1 -n ip a")
    assert "can't open '/proc/4711/ns/net': No such file" in said(cluster, "kubectl exec mighty -- nsenter -t 4711 -n true", 1)
    # without CAP_SYS_ADMIN the kernel refuses, whoever root is inside
    assert "setns(): can't reassociate to namespace 'net'" in said(cluster, "kubectl exec box -- nsenter -t 1 -n ip a", 1)
    assert "'ns/net' failed: Operation not permitted" in said(cluster, "kubectl exec ubu -- nsenter -t 1 -n true", 1)
    assert "cannot open /proc/1/ns/mnt: Permission denied" in said(cluster, "kubectl exec sees -- nsenter -t 1 -m true", 1)


def test_busybox_by_its_own_name(cluster: Sandbox) -> None:
    assert "multi-call binary" in said(cluster, "kubectl exec box -- busybox")
    listed = said(cluster, "kubectl exec box -- busybox --list").splitlines()
    assert listed == sorted(listed) and {"chroot", "nsenter", "wget", "zcip"} <= set(listed)
    assert said(cluster, "kubectl exec box -- busybox echo a b") == "a b\n"
    assert "nope: applet not found" in said(cluster, "kubectl exec box -- busybox nope", 127)
    assert "not simulated in Slipway yet" in said(cluster, "kubectl exec box -- unshare -n true", 127)
    assert said(cluster, "kubectl exec box -- ps").startswith("PID   USER")


def test_images_say_which_release_they_are(cluster: Sandbox) -> None:
    for pod, lines in {
        "alp": ['VERSION_ID="3.20.8"', "ID=alpine"],
        "ubu": ['PRETTY_NAME="Ubuntu 22.04.5 LTS"', "VERSION_CODENAME=jammy"],
        "deb": ['VERSION_ID="12"', "VERSION_CODENAME=bookworm"],
    }.items():
        told = said(cluster, f"kubectl exec {pod} -- cat /etc/os-release").splitlines()
        assert set(lines) <= set(told), told


def test_apk_adds_what_is_needed_and_takes_it_away(cluster: Sandbox) -> None:
    assert "curl (no such package):\n    required by: world[curl]" in said(cluster, "kubectl exec alp -- apk add curl", 1)
    told = said(cluster, "kubectl exec alp -- apk add --no-cache curl")
    assert "(10/10) Installing curl (8.14.1-r2)\nExecuting busybox-" in told and told.rstrip().endswith("in 26 packages")
    assert said(cluster, "kubectl exec alp -- curl -sk https://kubernetes.default.svc/healthz") == "ok"
    assert "(10/10) Purging" in said(cluster, "kubectl exec alp -- apk del curl")
    assert "executable file not found" in said(cluster, "kubectl exec alp -- curl localhost", 1)
    # apk-tools 3 pads the numbers
    assert "( 1/10) Installing" in said(cluster, "kubectl exec new -- apk add --no-cache curl")


def test_apk_uses_the_lists_that_were_fetched(cluster: Sandbox) -> None:
    assert "distinct packages available" in said(cluster, "kubectl exec alp -- apk update")
    assert "Installing bind-tools" in said(cluster, "kubectl exec alp -- apk add -t .tools bind-tools")
    # bind's nslookup now, not busybox's, which never asks by the search list for a name with a dot
    assert "Name:\tkubernetes.default.svc.cluster.local" in said(cluster, "kubectl exec alp -- nslookup kubernetes.default")
    assert "Purging bind-tools" in said(cluster, "kubectl exec alp -- apk del .tools")
    assert "breaks: world[jq=9.9]" in said(cluster, "kubectl exec alp -- apk add jq=9.9", 1)
    assert "the package nmap: not simulated" in said(cluster, "kubectl exec alp -- apk add nmap", 1)
    assert "'instal' is not an apk command" in said(cluster, "kubectl exec alp -- apk instal jq", 1)


@pytest.mark.parametrize(("pod", "version"), [("ubu", "8.5.0-2ubuntu10.6"), ("deb", "7.88.1-10+deb12u14")])
def test_apt_in_a_container_has_a_database_of_its_own(cluster: Sandbox, pod: str, version: str) -> None:
    assert "E: Unable to locate package curl" in said(cluster, f"kubectl exec {pod} -- apt-get install -y curl", 100)
    told = said(cluster, f"kubectl exec {pod} -- bash -c 'apt-get update && apt-get install -y curl'")
    assert f"Setting up curl ({version})" in told
    assert said(cluster, f"kubectl exec {pod} -- curl -sk https://kubernetes.default.svc/healthz") == "ok"
    assert version in said(cluster, f"kubectl exec {pod} -- dpkg -l curl")
    assert "no packages found matching kubelet" in said(cluster, f"kubectl exec {pod} -- dpkg -l kubelet", 1)
    assert "the package nmap: not simulated" in said(cluster, f"kubectl exec {pod} -- apt-get install -y nmap", 1)


def test_packages_need_name_servers(cluster: Sandbox) -> None:
    said(cluster, "kubectl -n kube-system scale deployment coredns --replicas=0")
    cluster.advance(cluster.now + 10 * SECOND)
    assert "DNS: transient error" in said(cluster, "kubectl exec alp -- apk add --no-cache curl", 1)
    assert "Temporary failure resolving 'archive.ubuntu.com'" in said(cluster, "kubectl exec ubu -- apt-get update")


def test_df_shows_a_containers_own_file_systems(cluster: Sandbox) -> None:
    told = said(cluster, "kubectl exec alp -- df -h")
    assert "overlay" in told and " /run/secrets/kubernetes.io/serviceaccount" in told
    assert said(cluster, "df -h /etc").splitlines()[1].endswith(" /")


def test_an_interactive_run_ends_as_its_container_does(cluster: Sandbox) -> None:
    told = said(cluster, "kubectl run c --rm -i --image=busybox --restart=Never -- sh -c 'echo hi; exit 3'", 3)
    assert told.startswith("hi\n") and told.endswith('pod "c" deleted from default namespace\npod default/c terminated (Error)\n')
    told = said(cluster, "kubectl run c --rm -i --image=busybox --restart=Never -- nosuch", 128)
    assert "pod default/c terminated (StartError)\nfailed to create containerd task" in told
    told = said(cluster, "kubectl run c --rm -i --image=nginx --restart=Never -- nosuch", 127)
    assert told.startswith("/docker-entrypoint.sh: exec: nosuch: not found\n")
    told = said(cluster, "kubectl run c --rm -i --image=nosuch:1 --restart=Never --pod-running-timeout=10s -- ls", 1)
    assert told.endswith('pod "c" deleted from default namespace\nerror: timed out waiting for the condition\n')


def test_an_interactive_run_happens_once(cluster: Sandbox) -> None:
    """The command is the container's main process; it used to be run a second time by exec."""
    said(cluster, "kubectl run db --image=redis --port=6379 --expose")
    cluster.advance(cluster.now + 20 * SECOND)
    command = "kubectl run c{} --rm -i --image=redis --restart=Never -- sh -c 'sleep 5; redis-cli -h db incr x'"
    assert "\n1\n" in "\n" + said(cluster, command.format(1))
    assert "\n2\n" in "\n" + said(cluster, command.format(2))


def test_what_is_piped_reaches_the_main_process(cluster: Sandbox) -> None:
    assert "\n2\n" in "\n" + said(cluster, "echo one two | kubectl run c --rm -i --image=busybox --restart=Never -- wc -w")
    said(cluster, "echo 'hostname; exit 4' | kubectl run sh1 -i -q --image=busybox --restart=Never", 4)
    assert said(cluster, "kubectl logs sh1") == "sh1\n"
    assert "Error" in said(cluster, "kubectl get pod sh1")
