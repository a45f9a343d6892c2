"""RSA keys of the site's own: made, kept with their private half encrypted by the site's secret, and used to sign JWTs."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from typing import Any

import jwt
from cryptography.fernet import Fernet
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from django.conf import settings


def _safe(purpose: str) -> Fernet:
    secret = hashlib.sha256(f"{purpose}/".encode() + settings.SECRET_KEY.encode()).digest()
    return Fernet(base64.urlsafe_b64encode(secret))


def generate(purpose: str) -> dict[str, Any]:
    """A new key of 2048 bits: `kid`, `private` (encrypted PKCS#8) and `public` (a JWK)."""
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = private.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    kid = secrets.token_hex(12)
    public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(private.public_key()))
    entry = {"kty": "RSA", "n": public["n"], "e": public["e"], "kid": kid, "alg": "RS256", "use": "sig"}
    return {"kid": kid, "private": _safe(purpose).encrypt(pem), "public": entry}


def sign(purpose: str, private: bytes | memoryview, claims: dict[str, Any], headers: dict[str, Any]) -> str:
    """A JWT (RS256) by a key of `generate`."""
    return jwt.encode(claims, _safe(purpose).decrypt(bytes(private)), algorithm="RS256", headers=headers)
