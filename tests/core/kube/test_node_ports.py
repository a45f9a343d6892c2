"""The record of node ports in etcd follows the services (`/registry/ranges/servicenodeports`)."""

from __future__ import annotations

import base64
import json

from simulator.core.sandbox import Sandbox

KEY = "/registry/ranges/servicenodeports"


def recorded(sandbox: Sandbox) -> set[int]:
    """The ports whose bits are set."""
    flags = "--cacert /etc/kubernetes/pki/etcd/ca.crt --cert /etc/kubernetes/pki/etcd/server.crt --key /etc/kubernetes/pki/etcd/server.key"
    found = json.loads(sandbox.run(f"etcdctl {flags} get {KEY} --print-value-only").stdout)
    assert (found["kind"], found["range"]) == ("RangeAllocation", "30000-32767")
    bits = int.from_bytes(base64.b64decode(found["data"]), "big")
    return {30000 + at for at in range(bits.bit_length()) if bits >> at & 1}


def test_the_record_of_node_ports_follows_the_services() -> None:
    sandbox = Sandbox.boot("three-nodes", 1)
    assert recorded(sandbox) == set()
    assert sandbox.run("kubectl create service nodeport one --tcp=80 --node-port=30111").code == 0
    assert sandbox.run("kubectl create service nodeport two --tcp=80 --node-port=31000 --dry-run=server").code == 0
    assert recorded(sandbox) == {30111}
    assert sandbox.run("kubectl create service nodeport two --tcp=80 --node-port=31000").code == 0
    assert recorded(sandbox) == {30111, 31000}
    assert sandbox.run("""kubectl patch svc one -p '{"spec":{"type":"ClusterIP"}}'""").code == 0
    assert recorded(sandbox) == {31000}
    assert sandbox.run("kubectl delete svc two").code == 0
    assert recorded(sandbox) == set()
