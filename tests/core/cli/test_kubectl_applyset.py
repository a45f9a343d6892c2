"""`kubectl apply --prune --applyset`: the parent object, its members, and pruning by it."""

from __future__ import annotations

import pytest

from simulator.core.sandbox import Sandbox

TWO = "printf 'apiVersion: v1\\nkind: ConfigMap\\nmetadata: {name: a}\\n---\\napiVersion: v1\\nkind: ConfigMap\\nmetadata: {name: b}\\n' > ab.yaml"
ONE = "printf 'apiVersion: v1\\nkind: ConfigMap\\nmetadata: {name: a}\\n' > a.yaml"


@pytest.fixture(scope="module")
def world() -> bytes:
    box = Sandbox.boot("one-node", 1)
    assert box.run(f"{TWO}; {ONE}; kubectl create ns other").code == 0
    return box.snapshot()


@pytest.fixture
def box(world: bytes) -> Sandbox:
    return Sandbox.restore(world)


def apply(box: Sandbox, rest: str) -> tuple[str, str, int]:
    done = box.run(f"KUBECTL_APPLYSET=true kubectl apply {rest}")
    return done.stdout, done.stderr, done.code


@pytest.mark.parametrize("parent", ["mine", "configmaps/mine"])
@pytest.mark.parametrize("server", ["", "--server-side "])
def test_what_is_no_longer_in_the_files_goes(box: Sandbox, parent: str, server: str) -> None:
    word = "serverside-applied" if server else "created"
    said = apply(box, f"{server}-f ab.yaml --prune --applyset={parent} -n default")
    assert said == (f"configmap/a {word}\nconfigmap/b {word}\n", "", 0)
    out, err, code = apply(box, f"{server}-f a.yaml --prune --applyset={parent} -n default")
    assert (out.splitlines()[1:], err, code) == (["configmap/b pruned"], "", 0)
    kind = "cm" if "/" in parent else "secret"
    note = box.run(f"kubectl get {kind} mine -o jsonpath='{{.metadata.annotations}} {{.metadata.labels}}'").stdout
    assert (
        '"applyset.kubernetes.io/contains-group-kinds":"ConfigMap"' in note and '"applyset.kubernetes.io/id":"applyset-' in note
    )
    label = box.run("kubectl get cm a -o jsonpath='{.metadata.labels.applyset\\.kubernetes\\.io/part-of}'").stdout
    assert label in note and label.endswith("-v1")


def test_members_of_no_other_set_are_touched(box: Sandbox) -> None:
    apply(box, "-f ab.yaml --prune --applyset=mine -n default")
    box.run("kubectl create cm foreign")
    assert apply(box, "-f a.yaml --prune --applyset=mine -n default")[0].endswith("configmap/b pruned\n")
    assert "configmap/foreign" in box.run("kubectl get cm -o name").stdout


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ("--applyset=mine -n default", "--applyset requires --prune"),
        ("--prune --applyset=mine", "namespace is required to use namespace-scoped ApplySet"),
        ("--prune --all --applyset=mine -n default", "--all is incompatible with --applyset"),
        ("--prune --applyset=nopes/x -n default", 'invalid parent reference "nopes/x": no matches for /, Resource=nopes'),
        ("--prune --applyset=configmaps/ -n default", 'invalid parent reference "configmaps/": name cannot be blank'),
        ("--prune --applyset=pods/x -n default", 'resource "/v1, Resource=pods" is not permitted as an ApplySet parent'),
        ("--prune --applyset=configmaps/kube-root-ca.crt -n default",
         'ApplySet parent object "configmaps./kube-root-ca.crt" already exists and is missing required annotation "applyset.kubernetes.io/tooling"'),
    ],
)  # fmt: skip
def test_what_is_refused(box: Sandbox, flags: str, said: str) -> None:
    assert apply(box, f"-f ab.yaml {flags}") == ("", f"error: {said}\n", 1)


def test_the_flag_is_an_alpha(box: Sandbox) -> None:
    done = box.run("kubectl apply -f a.yaml --prune --applyset=mine -n default")
    assert (done.code, done.stderr) == (1, "error: unknown flag: --applyset\nSee 'kubectl apply --help' for usage.\n")
