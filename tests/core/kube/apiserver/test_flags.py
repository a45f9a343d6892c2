"""Flags of the API server that change what it gives: node ports, and how long pods stay on silent nodes."""

from __future__ import annotations

import pytest

from simulator.core.kernel.clock import SECOND
from simulator.core.kube.apiserver import flags
from simulator.core.kube.component import parse_flags
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


WRONG = {
    "--secure-port=abc": 'invalid argument "abc" for "--secure-port" flag: strconv.ParseInt: parsing "abc": invalid syntax',
    "--secure-port=99999": "--secure-port 99999 must be between 1 and 65535, inclusive. It cannot be turned off with 0",
    "--allow-privileged=maybe": 'invalid argument "maybe" for "--allow-privileged" flag: strconv.ParseBool: parsing "maybe": invalid syntax',
    "--request-timeout=5": 'invalid argument "5" for "--request-timeout" flag: time: missing unit in duration "5"',
    "--goaway-chance=often": 'invalid argument "often" for "--goaway-chance" flag: strconv.ParseFloat: parsing "often": invalid syntax',
    "--advertise-address=here": 'invalid argument "here" for "--advertise-address" flag: failed to parse IP: "here"',
    "--v=loud": 'invalid argument "loud" for "-v, --v" flag: strconv.ParseInt: parsing "loud": invalid syntax',
    "--event-ttl": "flag needs an argument: --event-ttl",
    "--insecure-port=8080": "unknown flag: --insecure-port",
    "--service-cluster-ip-range=10.96.0.0": "service-cluster-ip-range[0] is not a valid cidr",
    "--service-cluster-ip-range=10.96.0.0/16,x": "service-cluster-ip-range[1] is not an ip net",
    "--service-cluster-ip-range=10.96.0.0/30": "error determining service IP ranges for primary service cidr: the service cluster IP range "
    "must be at least 8 IP addresses",
}  # fmt: skip


@pytest.mark.parametrize("flag", WRONG)
def test_a_flag_that_cannot_be_used_is_refused_in_the_real_words(flag: str) -> None:
    argv = ["kube-apiserver", "--etcd-servers=x", "--service-account-issuer=i", "--service-account-signing-key-file=k", flag]
    with pytest.raises(flags.FlagError) as refused:
        flags.config(flags.parse(argv), lambda _path: b"")
    assert str(refused.value) == WRONG[flag]


def test_flags_without_a_value_are_true_and_lists_may_be_given_in_parts() -> None:
    given = flags.parse(["kube-apiserver", "--watch-cache", "--audit-log-compress"])
    assert given == {"watch-cache": "true", "audit-log-compress": "true"}
    assert parse_flags(["x", "--controllers=a", "--controllers=b,c"], {"controllers": "strings"}) == {"controllers": "a,b,c"}


def test_an_api_server_without_an_etcd_does_not_finish_the_handshake() -> None:
    sandbox = Sandbox.boot("three-nodes")
    sandbox.run(f"sed -i 's/127.0.0.1:2379/127.0.0.1:23790/' {MANIFEST}", settle=SECOND)
    while (
        not sandbox.run("crictl ps -q --name kube-apiserver --state running").stdout or sandbox.run("nc -z 127.0.0.1 6443").code
    ):
        sandbox.advance(sandbox.now + SECOND)
    sandbox.advance(sandbox.now + 4 * SECOND)
    assert (
        sandbox.run("kubectl get nodes").stderr.splitlines()[-1]
        == "Unable to connect to the server: net/http: TLS handshake timeout"
    )
