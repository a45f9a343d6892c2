"""openssl on a host: keys, requests, certificates, and a certificate of one's own at the API server."""

from __future__ import annotations

import hashlib
import re

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256

from simulator.core.host.rsakeys import new_rsa, prime
from simulator.core.kernel.world import World
from simulator.core.sandbox import Sandbox

CONFIG = """[req]
req_extensions = v3
distinguished_name = dn
prompt = no
[dn]
CN = web.default.svc
O = shop
[v3]
basicConstraints = CA:FALSE
keyUsage = nonRepudiation, digitalSignature, keyEncipherment
extendedKeyUsage = serverAuth
subjectAltName = @names
[names]
DNS.1 = web
IP.1 = 10.96.0.7
"""


@pytest.fixture(scope="module")
def cluster() -> Sandbox:
    return Sandbox.boot("three-nodes")


def ok(cluster: Sandbox, command: str) -> str:
    result = cluster.run(command)
    assert result.code == 0, result
    return result.stdout


def test_primes_are_prime_and_the_same_for_the_same_world() -> None:
    one, two = (World(seed=3).rng("openssl") for _ in range(2))
    found = prime(one, 256)
    assert found == prime(two, 256) and found.bit_length() == 256
    assert all(pow(base, found - 1, found) == 1 for base in (2, 3, 5, 7, 11, 13))
    assert prime(one, 256) != found


def test_rsa_keys_work_with_a_real_library() -> None:
    key = new_rsa(World(seed=5).rng("openssl"), 1024)
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    loaded = serialization.load_pem_private_key(pem, None)
    assert isinstance(loaded, rsa.RSAPrivateKey) and loaded.key_size == 1024
    loaded.public_key().verify(key.sign(b"x", padding.PKCS1v15(), SHA256()), b"x", padding.PKCS1v15(), SHA256())


def test_a_signed_request_logs_in(cluster: Sandbox) -> None:
    ok(cluster, "openssl genrsa -out jane.key 2048; openssl req -new -key jane.key -subj /O=devs/CN=jane -out jane.csr")
    ok(
        cluster,
        "openssl x509 -req -in jane.csr -CA /etc/kubernetes/pki/ca.crt -CAkey /etc/kubernetes/pki/ca.key -CAcreateserial "
        "-out jane.crt -days 7",
    )
    assert ok(cluster, "openssl verify -CAfile /etc/kubernetes/pki/ca.crt jane.crt") == "jane.crt: OK\n"
    assert (
        ok(cluster, "openssl x509 -in jane.crt -noout -subject -issuer")
        == "subject=O = devs, CN = jane\nissuer=CN = kubernetes\n"
    )
    assert "Version: 1 (0x0)" in ok(cluster, "openssl x509 -in jane.crt -noout -text")
    ok(cluster, "kubectl config set-credentials jane --client-certificate=jane.crt --client-key=jane.key --embed-certs")
    who = ok(cluster, "kubectl --user=jane auth whoami -o jsonpath='{.status.userInfo.username} {.status.userInfo.groups}'")
    assert who == 'jane ["devs","system:authenticated"]'
    serial = int(ok(cluster, "cat /etc/kubernetes/pki/ca.srl"), 16)
    ok(
        cluster,
        "openssl x509 -req -in jane.csr -CA /etc/kubernetes/pki/ca.crt -CAkey /etc/kubernetes/pki/ca.key -CAcreateserial -out 2.crt",
    )
    assert int(ok(cluster, "cat /etc/kubernetes/pki/ca.srl"), 16) == serial + 1


def test_extensions_come_from_a_configuration(cluster: Sandbox) -> None:
    cluster.run(f"cat > web.cnf <<'EOF'\n{CONFIG}EOF")
    ok(cluster, "openssl ecparam -name prime256v1 -genkey -noout -out web.key")
    ok(cluster, "openssl req -new -key web.key -config web.cnf -out web.csr")
    ok(cluster, "openssl x509 -req -in web.csr -signkey web.key -extfile web.cnf -extensions v3 -out web.crt")
    cert = x509.load_pem_x509_certificate(ok(cluster, "cat web.crt").encode())
    names = cert.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["web"]
    assert ok(cluster, "openssl x509 -in web.crt -noout -ext subjectAltName,extendedKeyUsage") == (
        "X509v3 Extended Key Usage: \n    TLS Web Server Authentication\n"
        "X509v3 Subject Alternative Name: \n    DNS:web, IP Address:10.96.0.7\n"
    )
    assert "does match" in ok(cluster, "openssl x509 -in web.crt -noout -checkip 10.96.0.7")
    assert "does NOT match" in ok(cluster, "openssl x509 -in web.crt -noout -checkhost other")


def test_the_hash_that_joins_a_node(cluster: Sandbox) -> None:
    found = ok(
        cluster,
        "openssl x509 -pubkey -noout -in /etc/kubernetes/pki/ca.crt | openssl pkey -pubin -outform der | openssl dgst -sha256 -hex | sed 's/^.* //'",
    )
    assert re.fullmatch(r"[0-9a-f]{64}\n", found)


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("openssl genrsa -out k many", 'genrsa: Can\'t parse "many" as a number\n'),
        ("openssl req -new -key nokey -subj /CN=x", "Could not open file or uri for loading private key from nokey\n"),
        ("openssl req -new -newkey rsa:512 -nodes -subj CN=x -keyout k", "req: subject name is expected to be in the format"),
        ("openssl verify /etc/hostname", "Could not read certificate file from /etc/hostname\n"),
        ("openssl ecparam -name nocurve -genkey", "unable to generate key\n"),
    ],
)
def test_errors(cluster: Sandbox, command: str, message: str) -> None:
    result = cluster.run(command)
    assert result.code != 0 and message in result.stderr


def test_random_bytes_and_base64(cluster: Sandbox) -> None:
    assert re.fullmatch(r"[0-9a-f]{8}\n", ok(cluster, "openssl rand -hex 4"))
    assert ok(cluster, "printf hello | openssl base64 | openssl base64 -d") == "hello"
    assert ok(cluster, "printf '' | openssl dgst -sha256") == f"SHA2-256(stdin)= {hashlib.sha256().hexdigest()}\n"
