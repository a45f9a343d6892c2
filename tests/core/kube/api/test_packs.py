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

OLDER = versions.PACKS[1:]


def definitions(minor: str) -> dict[str, Any]:
    source = resources.files("kubernetes_validate") / "kubernetes-json-schema" / f"v{minor}.0-local" / "_definitions.json"
    found: dict[str, Any] = json.loads(source.read_text())["$defs"]
    return found


@pytest.mark.parametrize("minor", OLDER)
def test_what_a_release_lacks_is_what_its_definitions_lack(minor: str) -> None:
    new, old = definitions(versions.MINOR), definitions(minor)
    fields = {f"{name}.{field}" for name in new.keys() & old.keys()
              for field in (new[name].get("properties") or {}).keys() - (old[name].get("properties") or {}).keys()}  # fmt: skip
    assert packs.absent(minor) == (new.keys() - old.keys()) | fields
    for kind in kinds.KINDS:
        found = schema.type_for(kind.group, kind.version, kind.kind)
        if found is not None:
            assert packs.serves(f"v{minor}.0", kind) == (found.name in old), kind.kind


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


def test_a_world_runs_the_release_that_it_says() -> None:
    box = Sandbox.boot("one-node@1.35", 1)
    said = box.run("kubectl version").stdout
    assert said.count(versions.newest("1.35")) == 2
    assert box.run("kubectl get nodes -o jsonpath='{.items[0].status.nodeInfo.kubeletVersion}'").stdout == versions.newest("1.35")
    assert "mutatingadmissionpolicies" not in box.run("kubectl api-resources -o name").stdout
    assert box.run("kubectl get mutatingadmissionpolicies").stderr == (
        'error: the server doesn\'t have a resource type "mutatingadmissionpolicies"\n'
    )
    assert "does not exist" in box.run("kubectl explain csidriver.spec.preventPodSchedulingIfMissing").stderr
    assert box.run("kubectl run p --image=nginx").code == 0
    assert box.run("kubectl get --raw /version").stdout.count('"minor": "35"') == 1


def test_the_newest_release_has_it_all() -> None:
    box = Sandbox.boot("one-node", 1)
    assert "mutatingadmissionpolicies" in box.run("kubectl api-resources -o name").stdout
    assert "preventPodSchedulingIfMissing" in box.run("kubectl explain csidriver.spec.preventPodSchedulingIfMissing").stdout


@pytest.mark.parametrize("name", ["three-nodes@1.30", "docker@1.35", "three-nodes@", "nope@1.35"])
def test_other_releases_are_refused(name: str) -> None:
    with pytest.raises(BadInput, match=r"does not exist; with a release there are: three-nodes@1\.36"):
        scenarios.find(name)
