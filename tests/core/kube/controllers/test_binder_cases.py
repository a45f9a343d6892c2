"""Facts about claims and volumes as data (`cases/volume_binder.json`): what one look at a claim or a volume makes of both."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from simulator.core.kernel.clock import SECOND
from simulator.core.kube.api.objects import Obj, key_of
from simulator.core.kube.controllers.volumes import BinderController

from . import one_sync

CASES = json.loads((Path(__file__).parent / "cases" / "volume_binder.json").read_text())
MODES = ["ReadWriteOnce", "ReadOnlyMany"]
PLUGIN = "kubernetes.io/mock-volume"
WAITS = {
    "metadata": {"name": "classWait"},
    "provisioner": "kubernetes.io/no-provisioner",
    "volumeBindingMode": "WaitForFirstConsumer",
}


def notes(given: Obj) -> dict[str, str]:
    """The annotations of a case."""
    plugin = ("provisioned-by", "storage-provisioner")
    found: dict[str, str] = {name: PLUGIN if name.endswith(plugin) else "yes" for name in given.get("notes", ())}
    return {**found, **given.get("named", {})}


def volume(given: Obj) -> Obj:
    spec: Obj = {"capacity": {"storage": given["capacity"]}, "accessModes": MODES, "storageClassName": given["class"]}
    spec |= {"persistentVolumeReclaimPolicy": given["policy"], "volumeMode": given.get("mode", "Filesystem")}
    if "claim" in given:
        ref = {"kind": "PersistentVolumeClaim", "apiVersion": "v1", "namespace": "default", "name": given["claim"]}
        spec["claimRef"] = {**ref, **({"uid": given["uid"]} if given["uid"] else {})}
    meta: Obj = {"name": given["name"], "uid": given["name"], "resourceVersion": "1", "annotations": notes(given)}
    meta |= {"labels": given["labels"]} if given.get("labels") else {}
    meta |= {"deletionTimestamp": "2026-01-01T00:00:00Z"} if given.get("going") else {}
    status = {"phase": given["phase"], **({"message": given["message"]} if given.get("message") else {})}
    return {"metadata": meta, "spec": spec, "status": status}


def claim(given: Obj) -> Obj:
    spec: Obj = {"accessModes": given.get("modes", MODES), "resources": {"requests": {"storage": given["capacity"]}}}
    spec |= {"volumeMode": given.get("mode", "Filesystem"), "storageClassName": given.get("class", "")}
    if given.get("selector"):
        spec["selector"] = {"matchLabels": given["selector"]}
    if "volume" in given:
        spec["volumeName"] = given["volume"]
    meta = {
        "name": given["name"],
        "namespace": "default",
        "uid": given["uid"],
        "resourceVersion": "1",
        "annotations": notes(given),
    }
    status: Obj = {"phase": given["phase"]}
    if "has" in given:
        status |= {"accessModes": given.get("modes", MODES), "capacity": {"storage": given["has"]}}
    return {"metadata": meta, "spec": spec, "status": status}


class Kept(one_sync.Requests):
    """A client whose writes are there afterwards."""

    def update(self, resource: str, obj: Obj, **_: Any) -> Obj:
        super().update(resource, obj)
        self.there[resource][key_of(obj)].update(obj)
        return obj


def seen(obj: Obj, kind: str) -> Obj:
    """What a case says of an object."""
    spec, meta, status = obj["spec"], obj["metadata"], obj["status"]
    out: Obj = {"name": meta["name"], "phase": status["phase"], "notes": meta.get("annotations") or {}}
    if kind == "volumes":
        ref = spec.get("claimRef") or {}
        return out | {"claim": ref.get("name", ""), "uid": ref.get("uid", ""), "message": status.get("message", "")}
    return out | {"volume": spec.get("volumeName", ""), "has": (status.get("capacity") or {}).get("storage", "")}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["what"][:60])
def test_how_claims_and_volumes_find_each_other(case: Obj) -> None:
    objects = {
        "persistentvolumes": [volume(v) for v in case["volumes"]],
        "persistentvolumeclaims": [claim(c) for c in case["claims"]],
    }
    made, _ = one_sync.controller(BinderController, {**objects, "storageclasses": [WAITS]}, at=10**6 * SECOND)
    client = Kept(made.world)
    client.there = {resource: {key_of(o): o for o in held} for resource, held in objects.items()}
    made.client = client
    made.recorder.client = client
    made._claim(objects["persistentvolumeclaims"][0]) if case["sync"] == "claim" else made._volume(
        objects["persistentvolumes"][0]
    )
    for kind, build, resource in (("volumes", volume, "persistentvolumes"), ("claims", claim, "persistentvolumeclaims")):
        want = {one["name"]: seen(build(one), kind) for one in case["want"][kind]}
        assert {o["metadata"]["name"]: seen(o, kind) for o in client.there[resource].values()} == want
    said = [f"{e['type']} {e['reason']}" for e in client.events]
    assert said[: len(case["want"]["events"])] == case["want"]["events"]  # the cases name what has to be said
