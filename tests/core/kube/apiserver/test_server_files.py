"""What the API server's files do: the audit policy and the encryption configuration."""

from __future__ import annotations

import base64
import json

import pytest

from simulator.core.host import files
from simulator.core.kernel.errors import BadInput
from simulator.core.lab import bare
from simulator.core.sandbox import Sandbox

POLICY = b"""apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- level: None
  users: ["system:apiserver"]
- level: Metadata
  resources: [{group: "", resources: [secrets]}]
- level: RequestResponse
  verbs: [create]
  resources: [{group: "", resources: [configmaps]}]
- level: None
"""


def encryption(*providers: str) -> bytes:
    """An EncryptionConfiguration of secrets."""
    secret = base64.b64encode(b"0123456789abcdef0123456789abcdef").decode()
    listed = "".join(
        "\n  - identity: {}" if p == "identity" else f"\n  - {p}:\n      keys:\n      - {{name: key1, secret: {secret}}}"
        for p in providers
    )
    return (
        "apiVersion: apiserver.config.k8s.io/v1\nkind: EncryptionConfiguration\n"
        f"resources:\n- resources: [secrets]\n  providers:{listed}\n"
    ).encode()


def build(flags: dict[str, str], contents: dict[str, bytes]) -> Sandbox:
    """A bare world whose API server finds some files."""

    return Sandbox.build("bare", prepare=lambda world: bare.build(world, flags, contents=contents))


def test_the_audit_log_says_who_did_what() -> None:
    """At the level of the first rule that matches."""
    flags = {"audit-policy-file": "/etc/audit.yaml", "audit-log-path": "/var/log/kubernetes/audit.log"}
    sandbox = build(flags, {"/etc/audit.yaml": POLICY})
    sandbox.run("kubectl create secret generic s --from-literal=a=b")
    sandbox.run("kubectl create cm c --from-literal=a=b --as=ann")
    sandbox.run("kubectl get cm c")
    lines = sandbox.run("cat /var/log/kubernetes/audit.log").stdout.splitlines()
    events = [json.loads(line) for line in lines]
    secret = next(e for e in events if e["objectRef"]["resource"] == "secrets" and e["verb"] == "create")
    assert (secret["level"], secret["stage"], secret["responseStatus"]["code"]) == ("Metadata", "ResponseComplete", 201)
    assert secret["user"]["username"] == "kubernetes-super-admin"
    assert secret["userAgent"].startswith("kubectl/")
    assert secret["annotations"]["authorization.k8s.io/decision"] == "allow"
    assert "requestObject" not in secret
    made = next(
        e
        for e in events
        if e["objectRef"].get("name") == "c"
        or (e["objectRef"]["resource"] == "configmaps" and e["verb"] == "create" and e.get("impersonatedUser"))
    )
    assert made["impersonatedUser"]["username"] == "ann"
    assert made["requestObject"]["data"] == made["responseObject"]["data"] == {"a": "b"}
    assert not [e for e in events if e["verb"] == "get" and e["objectRef"]["resource"] == "configmaps"]


@pytest.mark.parametrize("provider", ["aescbc", "aesgcm"])
def test_secrets_are_encrypted_in_etcd(provider: str) -> None:
    """And read back; other kinds stay as they are."""
    sandbox = build({"encryption-provider-config": "/etc/enc.yaml"}, {"/etc/enc.yaml": encryption(provider, "identity")})
    sandbox.run("kubectl create secret generic s --from-literal=password=hunter2")
    sandbox.run("kubectl create cm c --from-literal=a=plain")
    world = sandbox.world
    assert files.read_file(world, bare.NAME, "/etc/enc.yaml")
    stored = sandbox.run("etcdctl get /registry/secrets/default/s -w json").stdout
    value = base64.b64decode(json.loads(stored)["kvs"][0]["value"])
    assert value.startswith(f"k8s:enc:{provider}:v1:key1:".encode())
    assert b"password" not in value
    assert sandbox.run("kubectl get secret s -o jsonpath={.data.password}").stdout == base64.b64encode(b"hunter2").decode()
    assert "plain" in sandbox.run("etcdctl get /registry/configmaps/default/c --print-value-only").stdout


@pytest.mark.parametrize(
    ("flags", "contents", "said"),
    [
        (
            {"audit-policy-file": "/nope", "audit-log-path": "-"},
            {},
            'failed to read file path "/nope": open /nope: no such file or directory',
        ),
        (
            {"audit-policy-file": "/p"},
            {"/p": b"apiVersion: audit.k8s.io/v1\nkind: Policy\nrules: [{level: All}]\n"},
            'rules[0].level: Unsupported value: "All"',
        ),
        (
            {"encryption-provider-config": "/e"},
            {"/e": encryption("aescbc").replace(b"secret: M", b"secret: ~")},
            "must be base64 encoded",
        ),
        ({"encryption-provider-config": "/e"}, {"/e": encryption("kms")}, "provider kms: not simulated in Slipway yet"),
    ],
)
def test_a_file_that_cannot_be_used_stops_the_server(flags: dict[str, str], contents: dict[str, bytes], said: str) -> None:
    """With the reason as its last words."""
    with pytest.raises(BadInput) as caught:
        build(flags, contents)
    assert said in str(caught.value)
