"""Small facts that learners read off a cluster: sizes, warnings, annotations, accounts."""

from __future__ import annotations

import pytest

from simulator.core.kube.api import schema
from simulator.core.sandbox import Sandbox


@pytest.fixture(scope="module")
def sandbox() -> Sandbox:
    """A fresh cluster."""
    return Sandbox.boot()


def test_a_nodes_memory_is_what_the_kernel_left_of_it_less_what_is_kept_for_eviction(sandbox: Sandbox) -> None:
    """Both in Ki, 100 Mi apart (the hard eviction threshold memory.available<100Mi)."""
    out = sandbox.run("kubectl get node node01 -o jsonpath='{.status.capacity.memory} {.status.allocatable.memory}'").stdout
    capacity, allocatable = out.split()
    assert capacity.endswith("Ki") and allocatable.endswith("Ki")
    assert int(capacity[:-2]) - int(allocatable[:-2]) == 100 * 1024


def test_a_missing_endpoints_object_warns_all_the_same(sandbox: Sandbox) -> None:
    """The deprecation is of the kind, not of what is found."""
    answer = sandbox.run("kubectl get endpoints nosuch")
    assert answer.stderr.splitlines() == [
        "Warning: v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice",
        'Error from server (NotFound): endpoints "nosuch" not found',
    ]


def test_the_limit_ranger_says_what_it_set(sandbox: Sandbox) -> None:
    """Only what was missing is named; requests before limits."""
    limits = "[{type: Container, default: {cpu: 200m, memory: 64Mi}, defaultRequest: {cpu: 100m, memory: 32Mi}}]"
    text = f"{{apiVersion: v1, kind: LimitRange, metadata: {{name: l, namespace: small}}, spec: {{limits: {limits}}}}}"
    assert sandbox.run("kubectl create ns small && kubectl apply -f -", stdin=text.encode()).code == 0
    pod = "{apiVersion: v1, kind: Pod, metadata: {name: p, namespace: small}, spec: {containers: [{name: c, image: nginx, "
    pod += "resources: {requests: {cpu: 50m}}}]}}"
    assert sandbox.run("kubectl apply -f -", stdin=pod.encode()).code == 0
    path = r"jsonpath={.metadata.annotations.kubernetes\.io/limit-ranger}"
    said = sandbox.run(f"kubectl -n small get pod p -o '{path}'").stdout
    assert said == "LimitRanger plugin set: memory request for container c; cpu, memory limit for container c"


def test_every_controller_has_its_account(sandbox: Sandbox) -> None:
    """Also those whose work is not simulated yet."""
    found = sandbox.run("kubectl -n kube-system get sa -o name").stdout.split()
    for account in ("attachdetach-controller", "generic-garbage-collector", "token-cleaner", "expand-controller"):
        assert f"serviceaccount/{account}" in found


def test_explain_shows_the_values_of_enumerations(sandbox: Sandbox) -> None:
    """Below each other for the field itself, on one line among others."""
    assert "ENUM:\n    Always\n    Never\n    OnFailure\n" in sandbox.run("kubectl explain pod.spec.restartPolicy").stdout
    assert "enum: Always, IfNotPresent, Never" in sandbox.run("kubectl explain pod.spec.containers").stdout


def test_every_enumeration_is_of_a_field_that_exists() -> None:
    """The table names fields of the schema, and its values are sorted as the API server sorts them."""
    for where, part, values in schema.enums():
        name, _, field = where.rpartition(".")
        body = schema.openapi_definitions()[name]["properties"][field]
        assert (body[part] if part else body)["enum"] == values == sorted(values)
