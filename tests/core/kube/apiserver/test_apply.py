"""Server-side apply and the owners of fields."""

from __future__ import annotations

from typing import Any

import pytest

from simulator.core.kube.client import ApiError, KubeClient
from tests.core.kube.apiserver.cluster import ControlPlane, deployment


def shared(**data: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "shared"}, "data": data}


def apply(client: KubeClient, obj: dict[str, Any], manager: str, *, force: bool = False, resource: str = "configmaps") -> Any:
    return client.patch(resource, "default", obj["metadata"]["name"], obj, kind="apply", field_manager=manager, force=force)


def owners(obj: dict[str, Any]) -> list[str]:
    return [f"{e['manager']} {e['operation']} {e.get('subresource', '')}".strip() for e in obj["metadata"]["managedFields"]]


def test_two_appliers_share_conflict_and_take(plane: ControlPlane) -> None:
    client = plane.client()
    apply(client, shared(owner="first", size="1"), "kubectl")
    held = apply(client, shared(owner="first", size="1"), "alice")
    assert owners(held) == ["alice Apply", "kubectl Apply"]
    assert held["metadata"]["managedFields"][0]["fieldsV1"] == {"f:data": {"f:owner": {}, "f:size": {}}}
    with pytest.raises(ApiError) as caught:
        apply(client, shared(owner="second", size="1"), "alice")
    assert caught.value.message == 'Apply failed with 1 conflict: conflict with "kubectl": .data.owner'
    assert caught.value.status["details"]["causes"][0]["field"] == ".data.owner"
    forced = apply(client, shared(owner="second", size="1"), "alice", force=True)
    kept = {e["manager"]: e["fieldsV1"] for e in forced["metadata"]["managedFields"]}
    assert kept["kubectl"] == {"f:data": {"f:size": {}}}


def test_what_an_applier_no_longer_states_goes(plane: ControlPlane) -> None:
    client = plane.client()
    apply(client, shared(size="1"), "kubectl")
    assert apply(client, shared(extra="x"), "bob")["data"] == {"extra": "x", "size": "1"}
    assert apply(client, {k: v for k, v in shared().items() if k != "data"}, "bob")["data"] == {"size": "1"}


def test_updates_own_what_they_change(plane: ControlPlane) -> None:
    client = plane.client()
    apply(client, deployment(replicas=2), "kubectl", resource="deployments")
    client.patch("deployments", "default", "web", {"spec": {"replicas": 4}}, kind="merge", subresource="scale")
    with pytest.raises(ApiError) as caught:
        apply(client, deployment(replicas=2), "kubectl", resource="deployments")
    text = 'Apply failed with 1 conflict: conflict with "kubectl" with subresource "scale" using apps/v1: .spec.replicas'
    assert caught.value.message == text
    image = {"spec": {"template": {"spec": {"containers": [{"name": "nginx", "image": "nginx:1.26"}]}}}}
    client.patch("deployments", "default", "web", image, field_manager="kubectl-set")
    with pytest.raises(ApiError) as caught:
        apply(client, deployment(replicas=4), "ci", resource="deployments")
    path = '.spec.template.spec.containers[name="nginx"].image'
    assert caught.value.message == f'Apply failed with 1 conflict: conflict with "kubectl-set" using apps/v1: {path}'


def test_an_apply_that_changes_nothing_writes_nothing(plane: ControlPlane) -> None:
    client = plane.client()
    first = apply(client, shared(a="1"), "kubectl")
    assert apply(client, shared(a="1"), "kubectl")["metadata"]["resourceVersion"] == first["metadata"]["resourceVersion"]
