"""Admission: the Pod Security Standards and the plug-ins of one rule each."""

from __future__ import annotations

import json
from typing import Any

import pytest

from simulator.core.sandbox import Sandbox

RESTRICTED = (
    'allowPrivilegeEscalation != false (container "c" must set securityContext.allowPrivilegeEscalation=false), '
    'unrestricted capabilities (container "c" must set securityContext.capabilities.drop=["ALL"]), '
    'runAsNonRoot != true (pod or container "c" must set securityContext.runAsNonRoot=true), '
    'seccompProfile (pod or container "c" must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")'
)


def pod(name: str, context: dict[str, Any] | None = None, **spec: Any) -> bytes:
    """A Pod of one container."""
    container = {"name": "c", "image": "nginx", **({"securityContext": context} if context else {})}
    body = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": {"containers": [container], **spec}}
    return json.dumps(body).encode()


@pytest.fixture(scope="module")
def sandbox() -> Sandbox:
    """A cluster with a namespace a level."""
    made = Sandbox.boot("one-node")
    for level in ("baseline", "restricted"):
        made.run(f"kubectl create ns {level} && kubectl label ns {level} pod-security.kubernetes.io/enforce={level}")
    return made


def test_restricted_says_everything_that_is_missing(sandbox: Sandbox) -> None:
    """In the real order and words."""
    result = sandbox.run("kubectl create -n restricted -f -", stdin=pod("x"))
    said = 'Error from server (Forbidden): error when creating "STDIN": pods "x" is forbidden: violates PodSecurity "restricted:latest": '
    assert (result.code, result.stderr) == (1, said + RESTRICTED + "\n")


def test_a_workload_is_let_in_with_a_warning(sandbox: Sandbox) -> None:
    """Its pods will be refused."""
    result = sandbox.run("kubectl create deployment web --image=nginx -n restricted")
    assert result.code == 0
    assert (
        result.stderr
        == f'Warning: would violate PodSecurity "restricted:latest": {RESTRICTED.replace(chr(34) + "c" + chr(34), chr(34) + "nginx" + chr(34))}\n'
    )


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (pod("x", {"privileged": True}), 'privileged (container "c" must not set securityContext.privileged=true)'),
        (pod("x", hostNetwork=True, hostPID=True), "host namespaces (hostNetwork=true, hostPID=true)"),
        (pod("x", volumes=[{"name": "v", "hostPath": {"path": "/"}}]), 'hostPath volumes (volume "v")'),
        (
            pod("x", {"capabilities": {"add": ["SYS_ADMIN", "NET_ADMIN"]}}),
            'non-default capabilities (container "c" must not include "NET_ADMIN", "SYS_ADMIN" in securityContext.capabilities.add)',
        ),
    ],
)
def test_baseline_refuses(sandbox: Sandbox, given: bytes, said: str) -> None:
    """One check each."""
    result = sandbox.run("kubectl create -n baseline -f -", stdin=given)
    assert result.stderr.endswith(f'violates PodSecurity "baseline:latest": {said}\n')


def test_baseline_lets_an_ordinary_pod_in(sandbox: Sandbox) -> None:
    """And a raised level names what would not be."""
    assert sandbox.run("kubectl create -n baseline -f -", stdin=pod("plain")).code == 0
    result = sandbox.run("kubectl label ns baseline pod-security.kubernetes.io/enforce=restricted --overwrite --dry-run=server")
    assert result.stderr == (
        'Warning: existing pods in namespace "baseline" violate the new PodSecurity enforce level "restricted:latest"\n'
        "Warning: plain: allowPrivilegeEscalation != false, unrestricted capabilities, runAsNonRoot != true, seccompProfile\n"
    )
    result = sandbox.run("kubectl label ns baseline pod-security.kubernetes.io/warn=strict")
    assert 'metadata.labels[pod-security.kubernetes.io/warn]: Invalid value: "strict": must be one of privileged' in result.stderr


def test_a_claim_grows_only_when_its_class_lets_it(sandbox: Sandbox) -> None:
    """PersistentVolumeClaimResize"""
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    claim = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "c"}, "spec": spec}
    assert sandbox.run("kubectl create -f -", stdin=json.dumps(claim).encode()).code == 0
    result = sandbox.run('kubectl patch pvc c -p \'{"spec":{"resources":{"requests":{"storage":"2Gi"}}}}\'')
    assert result.code == 1


def test_a_runtime_class_must_exist_and_gives_its_overhead(sandbox: Sandbox) -> None:
    """RuntimeClass"""
    result = sandbox.run("kubectl create -f -", stdin=pod("rc", runtimeClassName="nope"))
    assert 'pods "rc" is forbidden: pod rejected: RuntimeClass "nope" not found' in result.stderr
    held = {"apiVersion": "node.k8s.io/v1", "kind": "RuntimeClass", "metadata": {"name": "kata"}, "handler": "kata"}
    sandbox.run("kubectl create -f -", stdin=json.dumps({**held, "overhead": {"podFixed": {"cpu": "250m"}}}).encode())
    assert sandbox.run("kubectl create -f -", stdin=pod("rc", runtimeClassName="kata")).code == 0
    assert sandbox.run("kubectl get pod rc -o jsonpath={.spec.overhead.cpu}").stdout == "250m"
