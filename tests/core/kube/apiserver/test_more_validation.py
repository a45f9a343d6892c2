"""What the server refuses of volumes, claims, network policies and quotas."""

from __future__ import annotations

from typing import Any

import pytest

from simulator.core.kube.apiserver.validation import networking, quotas, volumes

Obj = dict[str, Any]


def texts(errors: list[Any]) -> list[str]:
    return [error.text for error in errors]


@pytest.mark.parametrize(
    ("peer", "message"),
    [
        ({"ipBlock": {"cidr": "300.0.0.0/8"}}, "must be a valid CIDR value"),
        ({"ipBlock": {"cidr": "10.0.0.0/8", "except": ["11.0.0.0/16"]}}, "must be a strict subset of `cidr`"),
        ({"ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.0.0.0/8"]}}, "must be a strict subset of `cidr`"),
        ({"ipBlock": {"cidr": "10.0.0.0/8"}, "podSelector": {}}, "may not specify both ipBlock and another peer"),
        ({}, "must specify a peer"),
    ],
)
def test_peers_of_network_policies(peer: Obj, message: str) -> None:
    (error,) = texts(networking.network_policy({"spec": {"ingress": [{"from": [peer]}]}}))
    assert message in error and error.startswith("spec.ingress[0].from[0]")


def test_good_network_policies() -> None:
    spec = {
        "policyTypes": ["Ingress"],
        "ingress": [
            {"ports": [{"port": 80, "endPort": 90}], "from": [{"ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.1.0.0/16"]}}]}
        ],
    }
    assert networking.network_policy({"spec": spec}) == []


def test_scopes_of_quotas() -> None:
    assert quotas.quota({"spec": {"hard": {"pods": "1", "count/deployments.apps": "1"}, "scopes": ["BestEffort"]}}) == []
    (error,) = texts(quotas.quota({"spec": {"hard": {"services.nodeports": "0"}, "scopes": ["BestEffort"]}}))
    assert error == 'spec.scopes: Invalid value: ["BestEffort"]: unsupported scope applied to resource'
    (error,) = texts(quotas.quota({"spec": {"hard": {"pods": "1"}, "scopes": ["Terminating", "NotTerminating"]}}))
    assert error.endswith("conflicting scopes")


def test_the_source_of_a_volume_is_immutable() -> None:
    spec = {"accessModes": ["ReadWriteOnce"], "capacity": {"storage": "1Gi"}, "persistentVolumeReclaimPolicy": "Retain"}
    old: Obj = {"spec": {**spec, "hostPath": {"path": "/a", "type": ""}}}
    new = {"spec": {**old["spec"], "hostPath": {"path": "/b", "type": ""}}}
    (error,) = texts(volumes.volume_update(new, old))
    assert error.endswith('\n@@ -2,7 +2,7 @@\n  "GCEPersistentDisk": null,\n  "AWSElasticBlockStore": null,\n  "HostPath": {\n-  "Path": "/a",\n+  "Path": "/b",\n   "Type": ""\n  },\n  "Glusterfs": null,\n')  # fmt: skip
    assert volumes.volume_update(old, old) == []


@pytest.mark.parametrize(("phase", "size", "count"), [("Pending", "2Gi", 1), ("Bound", "2Gi", 0), ("Bound", "512Mi", 1)])
def test_a_bound_claim_may_only_grow(phase: str, size: str, count: int) -> None:
    def claim(request: str) -> Obj:
        spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": request}}, "storageClassName": "a"}
        return {"spec": spec, "status": {"phase": phase, "capacity": {"storage": "1Gi"}}}

    assert len(volumes.claim_update(claim(size), claim("1Gi"))) == count
