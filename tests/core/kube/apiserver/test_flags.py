"""Flags of the API server that change what it gives: node ports, and how long pods stay on silent nodes."""

from __future__ import annotations

import pytest

from simulator.core.kernel.clock import SECOND
from simulator.core.kube.apiserver import flags
from simulator.core.sandbox import Sandbox

MANIFEST = "/etc/kubernetes/manifests/kube-apiserver.yaml"


def test_node_ports_and_tolerations_follow_the_flags() -> None:
    sandbox = Sandbox.boot("three-nodes")
    extra = "--service-node-port-range=31000-31001\\n    - --default-unreachable-toleration-seconds=20"
    sandbox.run(f"sed -i 's/    - --allow-privileged=true/&\\n    - {extra}/' {MANIFEST}", settle=60 * SECOND)
    sandbox.run("kubectl run lone --image=nginx", settle=SECOND)
    seconds = "kubectl get pod lone -o jsonpath='{.spec.tolerations[*].tolerationSeconds}'"
    assert sandbox.run(seconds).stdout == "300 20"
    for name in ("one", "two"):
        assert sandbox.run(f"kubectl create service nodeport {name} --tcp=80").code == 0
    ports = sandbox.run("kubectl get services one two -o jsonpath='{.items[*].spec.ports[*].nodePort}'").stdout
    assert sorted(ports.split()) == ["31000", "31001"]
    full = sandbox.run("kubectl create service nodeport three --tcp=80")
    assert (full.code, "failed to allocate a nodePort: range is full" in full.stderr) == (1, True)


@pytest.mark.parametrize(
    ("text", "ports"),
    [("30000-32767", (30000, 32767)), ("80+10", (80, 90)), ("443", (443, 443)), ("9-1", None), ("1-70000", None)],
)
def test_a_port_range(text: str, ports: tuple[int, int] | None) -> None:
    argv = ["kube-apiserver", "--etcd-servers=x", f"--service-node-port-range={text}", "--service-account-issuer=i"]
    given = flags.parse([*argv, "--service-account-signing-key-file=k"])
    if ports is None:
        with pytest.raises(flags.FlagError, match="--service-node-port-range"):
            flags.config(given, lambda _path: b"")
    else:
        found = flags.config(given, lambda _path: b"")
        assert (found.node_port_low, found.node_port_high) == ports
