"""Keys and certificates: every algorithm of kubeadm signs, is signed and comes out the same again."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from simulator.core.host import x509
from simulator.core.host.primes import primes
from simulator.core.kernel.world import World
from simulator.core.kube.api import jwt


@pytest.mark.parametrize("algorithm", ["ECDSA-P256", "ECDSA-P384", "RSA-2048"])
def test_a_leaf_is_signed_by_its_authority_and_by_no_other(algorithm: str) -> None:
    world = World(seed=3)
    authority = x509.issue(world, "kubernetes", algorithm=algorithm, identifiers=True)
    other = x509.issue(world, "kubernetes", algorithm=algorithm, identifiers=True)
    leaf = x509.issue(world, "node", issuer=authority, client=True, algorithm=algorithm, identifiers=True)
    assert x509.signed_by(leaf.cert, authority.cert)
    assert not x509.signed_by(leaf.cert, other.cert)
    kind = rsa.RSAPrivateKey if algorithm.startswith("RSA") else ec.EllipticCurvePrivateKey
    assert isinstance(x509.load_key(leaf.key), kind)


def test_the_same_seed_gives_the_same_rsa_certificate() -> None:
    first, second = (x509.issue(World(seed=5), "kubernetes", algorithm="RSA-2048") for _ in range(2))
    assert first == second
    assert x509.issue(World(seed=6), "kubernetes", algorithm="RSA-2048").key != first.key


def test_the_table_of_primes_holds_primes() -> None:
    assert len(set(primes())) == len(primes())
    assert all(number.bit_length() == 1024 and pow(2, number - 1, number) == 1 for number in primes())


def test_service_account_tokens_are_signed_by_rsa_keys_too() -> None:
    world = World(seed=3)
    key, other = (x509.new_key(world, algorithm="RSA-2048") for _ in range(2))
    token = jwt.sign_jwt({"sub": "x"}, key)
    assert jwt.verify_jwt(token, key) == {"sub": "x"}
    assert jwt.verify_jwt(token, other) is None
