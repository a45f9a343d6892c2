"""etcdctl and etcdutl given what cannot be: flags and variables at once, pairs that are none, plain text to TLS, files that are no snapshots."""

from __future__ import annotations

import pytest

from simulator.core.sandbox import Sandbox

PKI = "/etc/kubernetes/pki/etcd"
TLS = f"--cacert {PKI}/ca.crt --cert {PKI}/server.crt --key {PKI}/server.key"


@pytest.fixture(scope="module")
def box() -> Sandbox:
    sandbox = Sandbox.boot("three-nodes", 3)
    sandbox.run(
        f"etcdctl {TLS} snapshot save /tmp/good.db; head -c 1000 /tmp/good.db > /tmp/short.db; echo x > /tmp/foreign.db; : > /tmp/empty.db"
    )
    return sandbox


@pytest.mark.parametrize(
    ("line", "code", "told"),
    [
        (f"etcdctl {TLS} --endpoints https://127.0.0.1:2379,https://172.30.1.2:2379 snapshot save /tmp/x.db", 5,
         "Error: snapshot must be requested to one selected node, not multiple [https://127.0.0.1:2379 https://172.30.1.2:2379]"),
        (f"ETCDCTL_KEY={PKI}/server.key etcdctl {TLS} get a", 1, '"environment-variable":"ETCDCTL_KEY"'),
        ("ETCDCTL_ENDPOINTS=127.0.0.1:1 etcdctl --endpoints 127.0.0.1:2379 get a", 1, "conflicting environment variable is shadowed"),
        (f"etcdctl --cacert {PKI}/ca.crt --cert {PKI}/server.crt --key {PKI}/peer.key get a", 128, "Error: tls: private key does not match public key"),
        (f"etcdctl --cert {PKI}/server.key --key {PKI}/server.key get a", 128, "PEM inputs may have been switched"),
        (f"etcdctl --cert {PKI}/server.crt get a", 128, f"Error: KeyFile and CertFile must both be present[key: , cert: {PKI}/server.crt]"),
        ("etcdctl --cacert /none get a", 128, "Error: open /none: no such file or directory"),
        (f"etcdctl {TLS} --endpoints http://127.0.0.1:2379 get a", 1, "Error: context deadline exceeded"),
        ("etcdutl snapshot status /tmp/short.db", 1, "Error: invalid database"),
        ("etcdutl snapshot status /tmp/foreign.db", 1, "Error: invalid database"),
        ("etcdutl snapshot status /tmp/empty.db", 1, "Error: write /tmp/empty.db: bad file descriptor"),
        ("etcdutl snapshot status /tmp/none.db", 1, "Error: stat /tmp/none.db: no such file or directory"),
    ],
)  # fmt: skip
def test_faults_are_told_as_the_real_tools_tell_them(box: Sandbox, line: str, code: int, told: str) -> None:
    found = box.run(line)
    assert (found.code, told in found.stderr) == (code, True), found.stderr


def test_one_variable_or_one_flag_alone_is_no_conflict(box: Sandbox) -> None:
    assert (
        box.run(
            f"ETCDCTL_CACERT={PKI}/ca.crt ETCDCTL_CERT={PKI}/server.crt ETCDCTL_KEY={PKI}/server.key etcdctl --endpoints https://127.0.0.1:2379 endpoint health"
        ).code
        == 0
    )
