"""TLS of a member: it needs its files to start, and its client port knows whom it lets in."""

from __future__ import annotations

import pytest

from simulator.core.sandbox import Sandbox

UNIT = "/etc/systemd/system/etcd.service"


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (
            "s#trusted-ca-file=/etc/etcd/ca.crt#trusted-ca-file=/etc/etcd/ca.pem#",
            "open /etc/etcd/ca.pem: no such file or directory",
        ),
        ("s# --cert-file=/etc/etcd/server.crt# --cert-file=/etc/etcd/s.crt#", "open /etc/etcd/s.crt: no such file or directory"),
        ("s# --key-file=/etc/etcd/server.key# --key-file=/etc/etcd/client.key#", "tls: private key does not match public key"),
        ("s# --key-file=/etc/etcd/server.key##", "KeyFile and CertFile must both be present[key: , cert: /etc/etcd/server.crt]"),
    ],
)
def test_a_member_does_not_start_without_its_files(edit: str, said: str) -> None:
    box = Sandbox.boot("etcd")
    box.run(f"sed -i '{edit}' {UNIT}; systemctl daemon-reload; systemctl restart etcd; sleep 1", host="etcd3")
    assert box.run("systemctl is-active etcd", host="etcd3").stdout == "activating\n"  # RestartSec=5: between two attempts
    assert f'"msg":"discovery failed","error":"{said}"' in box.run("journalctl -u etcd -o cat", host="etcd3").stdout


def test_who_is_refused_at_the_client_port() -> None:
    box = Sandbox.boot("etcd")
    box.run("openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=stranger -keyout /tmp/s.key -out /tmp/s.crt")
    health = "curl -sS --cacert /etc/etcd/ca.crt https://172.30.1.10:2379/health"
    good = "--cert /etc/etcd/client.crt --key /etc/etcd/client.key"
    assert '"health":"true"' in box.run(f"{health} {good}").stdout
    bare = box.run(health)
    assert bare.code == 56 and "tlsv13 alert certificate required" in bare.stderr
    stranger = box.run(f"{health} --cert /tmp/s.crt --key /tmp/s.key")
    assert stranger.code == 56 and "alert unknown ca" in stranger.stderr
    box.run("echo 172.30.1.10 books >> /etc/hosts")
    where = "--endpoints=https://172.30.1.10:2379 --cacert=/etc/etcd/ca.crt"
    refused = box.run(f"etcdctl {where} --cert=/tmp/s.crt --key=/tmp/s.key get a")
    assert refused.code == 1 and "tls: unknown certificate authority" in refused.stderr
    credentials = f"--cacert=/etc/etcd/ca.crt {good}"
    named = box.run(f"etcdctl --endpoints=https://books:2379 {credentials} get a")
    assert named.code == 1 and "x509: certificate is valid for " in named.stderr and ", not books" in named.stderr
    assert box.run(f"etcdctl --endpoints=https://etcd1:2379 {credentials} get a").code == 0
    nowhere = box.run(f"etcdctl --endpoints=https://nowhere:2379 {credentials} get a")
    assert "dial tcp: lookup nowhere on 127.0.0.53:53: no such host" in nowhere.stderr
