"""Volumes, claims and classes: what may not be written and what may not change."""

from __future__ import annotations

import json
from typing import Any

import pytest

from simulator.core.sandbox import Sandbox


@pytest.fixture(scope="module")
def sandbox() -> Sandbox:
    """An API with a volume, a claim and a class."""
    made = Sandbox.boot("bare")
    for document in (volume("v"), claim("c"), storage_class("s")):
        assert made.run("kubectl create -f -", stdin=document).code == 0
    return made


def volume(name: str, **spec: Any) -> bytes:
    """A hostPath volume."""
    body = {"capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"], "hostPath": {"path": "/data"}, **spec}
    return json.dumps({"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": name}, "spec": body}).encode()


def claim(name: str) -> bytes:
    """A claim of 1Gi."""
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}, "storageClassName": "nope"}
    return json.dumps({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": name}, "spec": spec}).encode()


def storage_class(name: str, **members: Any) -> bytes:
    """A class."""
    body = {"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": name}, "provisioner": "example.org/p"}
    return json.dumps({**body, **members}).encode()


def test_a_source_stays(sandbox: Sandbox) -> None:
    """The difference is of the server's own objects."""
    result = sandbox.run('kubectl patch pv v -p \'{"spec":{"hostPath":{"path":"/other"}}}\'')
    assert result.stderr == (
        'The PersistentVolume "v" is invalid: spec.persistentvolumesource: Forbidden: spec.persistentvolumesource is immutable after '
        'creation\n@@ -2,7 +2,7 @@\n  "GCEPersistentDisk": null,\n  "AWSElasticBlockStore": null,\n  "HostPath": {\n-  "Path": "/data",\n'
        '+  "Path": "/other",\n   "Type": ""\n  },\n  "Glusterfs": null,\n\n'
    )


def test_a_claim_stays(sandbox: Sandbox) -> None:
    """Bigger only when it is bound."""
    result = sandbox.run('kubectl patch pvc c -p \'{"spec":{"resources":{"requests":{"storage":"5Gi"}}}}\'')
    text = "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims"
    assert result.stderr.startswith(f'The PersistentVolumeClaim "c" is invalid: spec: Forbidden: {text}\n@@ -6,7 +6,7 @@\n')
    assert '-   "storage": "1Gi"\n+   "storage": "5Gi"\n' in result.stderr


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (volume("x", hostPath=None), "spec: Required value: must specify a volume type"),
        (volume("x", nfs={"server": "a", "path": "/"}), "spec.nfs: Forbidden: may not specify more than 1 volume type"),
        (volume("x", accessModes=["Some"]), 'spec.accessModes: Unsupported value: "Some"'),
        (
            volume("x", hostPath=None, local={"path": "/d"}),
            "spec.nodeAffinity: Required value: Local volume requires node affinity",
        ),
        (
            storage_class("x", reclaimPolicy="Keep"),
            'reclaimPolicy: Unsupported value: "Keep": supported values: "Delete", "Retain"',
        ),
        (storage_class("x", volumeBindingMode="Later"), 'volumeBindingMode: Unsupported value: "Later"'),
    ],
)
def test_what_may_not_be_written(sandbox: Sandbox, document: bytes, said: str) -> None:
    """Each with its words."""
    result = sandbox.run("kubectl create -f -", stdin=document)
    assert result.code == 1
    assert said in result.stderr


def test_a_class_stays(sandbox: Sandbox) -> None:
    """Its provisioner."""
    result = sandbox.run("kubectl apply -f -", stdin=storage_class("s", provisioner="example.org/q"))
    assert 'provisioner: Invalid value: "example.org/q": field is immutable' in result.stderr
