"""kubectl debug: ephemeral containers, copies, pods on nodes; and attach."""

from __future__ import annotations

import json
from typing import Any

import pytest

from simulator.core.cli.kubectl import debug_profiles
from simulator.core.kernel.clock import SECOND
from simulator.core.sandbox import Sandbox


@pytest.fixture
def cluster() -> Sandbox:
    """A cluster with a pod `web` that runs."""
    sandbox = Sandbox.boot("three-nodes")
    ok(sandbox, "kubectl run web --image=nginx:1.25 --labels=app=web", 20)
    return sandbox


def ok(cluster: Sandbox, command: str, seconds: int = 0) -> str:
    result = cluster.run(command)
    assert result.code == 0, result
    cluster.advance(cluster.now + seconds * SECOND)
    return result.stdout


def fails(cluster: Sandbox, command: str) -> str:
    result = cluster.run(command)
    assert result.code == 1, result
    return result.stderr


def test_an_ephemeral_container_joins_a_running_pod(cluster: Sandbox) -> None:
    assert ok(cluster, "kubectl debug web --image=busybox -c dbg -- sleep 1d", 15) == ""
    pod = json.loads(ok(cluster, "kubectl get pod web -o json"))
    assert pod["spec"]["ephemeralContainers"][0]["securityContext"] == {"capabilities": {"add": ["SYS_PTRACE"]}}
    (status,) = pod["status"]["ephemeralContainerStatuses"]
    assert "running" in status["state"] and status["ready"] is False
    assert pod["status"]["phase"] == "Running" and pod["status"]["containerStatuses"][0]["restartCount"] == 0
    assert ok(cluster, "kubectl exec web -c dbg -- hostname") == "web\n"
    assert "Ephemeral Containers:\n  dbg:\n" in ok(cluster, "kubectl describe pod web")
    assert pod["spec"]["ephemeralContainers"][0]["imagePullPolicy"] == "Always"


def test_an_ephemeral_container_is_not_restarted(cluster: Sandbox) -> None:
    ok(cluster, "kubectl debug web --image=busybox -c once -- sh -c 'echo done; exit 3'", 90)
    state = ok(cluster, "kubectl get pod web -o jsonpath='{.status.ephemeralContainerStatuses[0].state.terminated.exitCode}'")
    assert state == "3"
    assert ok(cluster, "kubectl get pod web -o jsonpath='{.status.ephemeralContainerStatuses[0].restartCount}'") == "0"
    assert ok(cluster, "kubectl logs web -c once") == "done\n"
    assert ok(cluster, "kubectl delete pod web --now") == 'pod "web" deleted from default namespace\n'


def test_a_session_in_a_new_container(cluster: Sandbox) -> None:
    result = cluster.run("echo 'hostname; echo $((6*7))' | kubectl debug web -i --image=busybox")
    assert result.stdout.startswith("Defaulting debug container name to debugger-")
    assert result.stdout.endswith("web\n42\n")
    assert result.stderr.endswith("If you don't see a command prompt, try pressing enter.\n")


def test_a_copy_shares_processes_and_loses_labels_and_probes(cluster: Sandbox) -> None:
    ok(cluster, "kubectl debug web --copy-to=web2 --image=busybox -c dbg -- sleep 1d", 15)
    copy = json.loads(ok(cluster, "kubectl get pod web2 -o json"))
    assert [item["name"] for item in copy["spec"]["containers"]] == ["web", "dbg"]
    assert copy["spec"]["shareProcessNamespace"] is True and "labels" not in copy["metadata"]
    assert copy["status"]["phase"] == "Running"
    ok(cluster, "kubectl debug web --copy-to=web3 --set-image='*=nginx:1.27' --replace --same-node", 15)
    assert (
        ok(cluster, "kubectl get pod web3 -o jsonpath='{.spec.containers[*].image} {.metadata.labels}'")
        == 'nginx:1.27 {"app":"web"}'
    )
    assert 'pods "web" not found' in fails(cluster, "kubectl get pod web")


def test_a_pod_on_a_node_sees_the_host(cluster: Sandbox) -> None:
    told = ok(cluster, "kubectl debug node/node01 --image=busybox -- sleep 1d", 15)
    assert told.startswith("Creating debugging pod node-debugger-node01-") and told.endswith(
        " with container debugger on node node01.\n"
    )
    name = told.split()[3]
    assert ok(cluster, f"kubectl exec {name} -- cat /host/etc/hostname") == "node01\n"
    assert (
        ok(cluster, f"kubectl get pod {name} -o jsonpath='{{.spec.hostNetwork}} {{.spec.hostPID}} {{.spec.nodeName}}'")
        == "true true node01"
    )


@pytest.mark.parametrize(
    ("profile", "style", "expected"),
    [
        ("general", "ephemeral", {"capabilities": {"add": ["SYS_PTRACE"]}}),
        ("netadmin", "node", {"capabilities": {"add": ["NET_ADMIN", "NET_RAW"]}}),
        ("sysadmin", "copy", {"privileged": True}),
        ("baseline", "ephemeral", None),
        ("restricted", "copy", {"runAsNonRoot": True, "capabilities": {"drop": ["ALL"]}, "allowPrivilegeEscalation": False,
                                "seccompProfile": {"type": "RuntimeDefault"}}),
    ],
)  # fmt: skip
def test_profiles(profile: str, style: debug_profiles.Style, expected: object) -> None:
    pod: dict[str, Any] = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "livenessProbe": {}}]}}
    debug_profiles.apply(profile, pod, "c", style, set())
    container = pod["spec"]["containers"][0]
    assert container.get("securityContext") == expected
    assert ("livenessProbe" in container) == (style != "copy")
    assert pod["spec"].get("hostNetwork", False) == (style == "node" and profile != "baseline")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("web", "you must specify --image when not using --copy-to."),
        ("web --image=busybox --replace", "--replace may only be used with --copy-to."),
        ("web --copy-to=x", "you must specify --image, --set-image or command arguments."),
        (
            "web --copy-to=x --image=busybox --target=web",
            "--target is incompatible with --copy-to. Use --share-processes instead.",
        ),
        ("web --image=busybox -t", "-i/--stdin is required for containers with -t/--tty=true"),
        ("web --image=busybox --profile=root", "unknown profile: root"),
        ("--image=busybox", "NAME or filename is required for debug"),
        ("svc/kubernetes --image=busybox", '"/v1, Kind=Service" not supported by debug'),
        ("web --image=BUSY", 'invalid image name "BUSY": invalid reference format'),
    ],
)
def test_wrong_calls(cluster: Sandbox, arguments: str, message: str) -> None:
    assert fails(cluster, f"kubectl debug {arguments}") == f"error: {message}\n"


def test_attach_to_a_shell(cluster: Sandbox) -> None:
    ok(
        cluster,
        'kubectl run box --image=busybox --overrides=\'{"spec":{"containers":[{"name":"box","image":"busybox","stdin":true,"stdinOnce":true}]}}\'',
        20,
    )
    assert "cannot attach to the container: container nope is not valid for pod box out of: box" in fails(
        cluster, "kubectl attach box -c nope"
    )
    # the main process is what reads: at the end of its input it ends
    assert ok(cluster, "echo hostname | kubectl attach box -i -q", 2) == "box\n"
    assert "hostname" not in ok(cluster, "kubectl logs box --tail=1")
    assert ok(cluster, "kubectl get pod box -o jsonpath='{.status.containerStatuses[0].restartCount}'") == "1"
