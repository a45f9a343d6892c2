"""kubectl kustomize: generators that merge, hashes at the end, YAML 1.2 words."""

from __future__ import annotations

import pytest

from simulator.core.sandbox import Sandbox

BASE = """mkdir -p base over
cat > base/p.yaml <<EOF
apiVersion: v1
kind: Pod
metadata: {name: app, labels: {x: y}}
spec: {containers: [{name: app, image: nginx, envFrom: [{configMapRef: {name: conf}}]}]}
EOF
printf 'resources: [p.yaml]\\nconfigMapGenerator: [{name: conf, literals: [a=1]}]\\n' > base/kustomization.yaml
"""
OVER = "printf 'namePrefix: pre-\\nresources: [../base]\\nconfigMapGenerator: [{name: %s, behavior: %s, literals: [b=2]}]\\n' > over/kustomization.yaml"


@pytest.fixture
def cluster() -> Sandbox:
    """A base with a generated config map that its pod refers to."""
    sandbox = Sandbox.boot("three-nodes")
    assert sandbox.run(BASE).code == 0
    return sandbox


@pytest.mark.parametrize(("behavior", "data"), [("merge", '  a: "1"\n  b: "2"\n'), ("replace", '  b: "2"\n')])
def test_an_overlay_changes_a_generated_config_map(cluster: Sandbox, behavior: str, data: str) -> None:
    cluster.run(OVER % ("conf", behavior))
    built = cluster.run("kubectl kustomize over")
    assert built.code == 0, built
    assert built.stdout.count("kind: ConfigMap") == 1 and f"data:\n{data}kind" in built.stdout
    name = next(line.split()[1] for line in built.stdout.splitlines() if line.startswith("  name: pre-conf-"))
    assert f"        name: {name}\n" in built.stdout
    assert '    x: "y"\n' in built.stdout


@pytest.mark.parametrize(("name", "behavior", "message"), [
    ("other", "merge", "does not exist; cannot merge or replace"), ("conf", "create", "exists; behavior must be merge or replace")])  # fmt: skip
def test_wrong_behavior(cluster: Sandbox, name: str, behavior: str, message: str) -> None:
    cluster.run(OVER % (name, behavior))
    failed = cluster.run("kubectl kustomize over")
    assert failed.code == 1 and message in failed.stderr


def test_a_wrong_prune_allowlist_stops_before_applying(cluster: Sandbox) -> None:
    failed = cluster.run("kubectl apply -f base/p.yaml --prune -l x=y --prune-allowlist=foo")
    assert (failed.code, failed.stdout) == (1, "")
    assert failed.stderr == "error: invalid GroupVersionKind format: foo, please follow <group/version/kind>\n"
