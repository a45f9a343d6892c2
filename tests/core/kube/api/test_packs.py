"""Releases: one place names them, what older ones lack is what their schema lacks, and a world runs the one that it says."""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from simulator.core.kernel import versions
from simulator.core.kernel.errors import BadInput
from simulator.core.kube.api import kinds, packs, schema
from simulator.core.lab import scenarios
from simulator.core.sandbox import Sandbox


def definitions(minor: str) -> dict[str, Any]:
    source = resources.files("kubernetes_validate") / "kubernetes-json-schema" / f"v{minor}.0-local" / "_definitions.json"
    found: dict[str, Any] = json.loads(source.read_text())["$defs"]
    return found


@pytest.mark.parametrize("minor", versions.PACKS)
def test_a_pack_holds_what_the_definitions_of_its_release_hold(minor: str) -> None:
    given = definitions(minor)
    assert packs.definitions(f"v{minor}.0").keys() == given.keys()
    for name, body in given.items():
        if "properties" in body:
            assert schema.type_of(name, minor).fields.keys() == body["properties"].keys(), name
    served = {(kind.group, kind.kind) for kind in packs.kinds_of(f"v{minor}.0")}
    for kind in kinds.KINDS + kinds.LATER:
        found = schema.type_for(kind.group, kind.version, kind.kind, minor)
        if found is not None:
            assert ((kind.group, kind.kind) in served) == (found.name in given), kind.kind
    # every GA kind that the definitions have and that can be listed is served
    listed = {
        (item["group"], item["kind"].removesuffix("List"))
        for body in given.values()
        for item in body.get("x-kubernetes-group-version-kind", ())
        if item["version"] == "v1" and item["kind"].endswith("List") and "items" in body.get("properties", {})
    }
    assert listed <= served


def test_types_of_a_release_lead_to_types_of_the_same_release() -> None:
    for minor in versions.PACKS:
        pod = schema.type_for("", "v1", "Pod", minor)
        assert pod is not None
        spec = schema.struct_of(pod.fields["spec"])
        assert ("evictionResponders" in spec.fields) == (minor == "1.37")
        assert ("schedulingGroup" in spec.fields) == (minor != "1.35")


def test_the_release_is_named_in_one_place() -> None:
    core = Path(packs.__file__).parents[2]
    # an image of others with the same number, and the script of another distribution
    others = {"runtime/more_images.py", "shell/coreutils/internet.py"}
    found = {
        str(path.relative_to(core))
        for path in core.rglob("*.py")
        for line in path.read_text().splitlines()
        if versions.PATCH in line.partition('"""')[0].partition("#")[0]
    }
    assert found - others == set()


def test_a_world_runs_the_older_release_that_it_says() -> None:
    box = Sandbox.boot("one-node@1.35", 1)
    said = box.run("kubectl version").stdout
    assert said.count(versions.newest("1.35")) == 2
    assert box.run("kubectl get nodes -o jsonpath='{.items[0].status.nodeInfo.kubeletVersion}'").stdout == versions.newest("1.35")
    assert "mutatingadmissionpolicies" not in box.run("kubectl api-resources -o name").stdout
    assert box.run("kubectl get mutatingadmissionpolicies").stderr == (
        'error: the server doesn\'t have a resource type "mutatingadmissionpolicies"\n'
    )
    assert box.run("kubectl get --raw /apis/admissionregistration.k8s.io/v1/mutatingadmissionpolicies").stderr == (
        "Error from server (NotFound): the server could not find the requested resource\n"
    )
    assert "does not exist" in box.run("kubectl explain csidriver.spec.preventPodSchedulingIfMissing").stderr
    newer = 'kubectl patch csidriver d --type=merge -p \'{"spec":{"preventPodSchedulingIfMissing":true}}\''
    made = "printf 'apiVersion: storage.k8s.io/v1\\nkind: CSIDriver\\nmetadata: {name: d}\\nspec: {}\\n' | kubectl create -f -"
    assert box.run(made).code == 0
    assert 'unknown field "spec.preventPodSchedulingIfMissing"' in box.run(newer).stderr
    assert box.run("kubectl run p --image=nginx").code == 0
    assert box.run("kubectl get --raw /version").stdout.count('"minor": "35"') == 1
    # the garbage collector watches what this release serves, and works
    assert box.run(
        "kubectl create deploy d --image=nginx; kubectl delete deploy d; sleep 2; kubectl get rs -o name"
    ).stdout.endswith("default namespace\n")
    assert "mutatingadmissionpolicies" not in box.run("kubectl -n kube-system logs kube-controller-manager-controlplane").stdout


def test_a_world_runs_the_newer_release_that_it_says() -> None:
    box = Sandbox.boot("one-node@1.37", 1)
    assert box.run("kubectl version").stdout.count("v1.37.0") == 2
    assert box.run("kubectl api-versions | grep migration").stdout == "storagemigration.k8s.io/v1\n"
    assert "evictionResponders <[]EvictionResponder>" in box.run("kubectl explain pod.spec.evictionResponders").stdout
    rule = "apiVersion: resource.k8s.io/v1\\nkind: DeviceTaintRule\\nmetadata: {name: a}\\nspec: {taint: {key: a.b/c, effect: NoSchedule}}\\n"
    assert box.run(f"printf '{rule}' | kubectl apply -f -").stdout == "devicetaintrule.resource.k8s.io/a created\n"
    assert box.run(f"printf '{rule}' | kubectl apply -f -").stdout == "devicetaintrule.resource.k8s.io/a unchanged\n"
    pod = '{"spec":{"containers":[{"name":"p","image":"nginx","volumeMounts":[{"name":"v","mountPath":"/v","bindMountOptions":["noexec"]}]}],"volumes":[{"name":"v","emptyDir":{}}]}}'
    assert box.run(f"kubectl run p --image=nginx --overrides='{pod}'").code == 0
    shown = box.run("kubectl get pod p -o jsonpath='{.spec.containers[0].volumeMounts[0].bindMountOptions}'").stdout
    assert shown == '["noexec"]'


def test_the_usual_release_has_its_own() -> None:
    box = Sandbox.boot("one-node", 1)
    listed = box.run("kubectl api-resources -o name").stdout
    assert "mutatingadmissionpolicies" in listed and "devicetaintrules" not in listed
    assert box.run("kubectl get --raw /apis/resource.k8s.io/v1/devicetaintrules").code == 1
    assert "preventPodSchedulingIfMissing" in box.run("kubectl explain csidriver.spec.preventPodSchedulingIfMissing").stdout


@pytest.mark.parametrize("name", ["three-nodes@1.30", "docker@1.35", "three-nodes@", "nope@1.35"])
def test_other_releases_are_refused(name: str) -> None:
    with pytest.raises(BadInput, match=r"does not exist; with a release there are: three-nodes@1\.36"):
        scenarios.find(name)
