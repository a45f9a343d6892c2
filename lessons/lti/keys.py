"""Our keys: made, rotated, published; and what is signed with them."""

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
from django.utils import timezone

from lessons.lti.models import Key


def _safe() -> Fernet:
    secret = hashlib.sha256(b"lti/" + settings.SECRET_KEY.encode()).digest()
    return Fernet(base64.urlsafe_b64encode(secret))


def make() -> Key:
    """A new key, which signs from now on."""
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = private.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    kid = secrets.token_hex(12)
    public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(private.public_key()))
    entry = {"kty": "RSA", "n": public["n"], "e": public["e"], "kid": kid, "alg": "RS256", "use": "sig"}
    return Key.objects.create(kid=kid, private=_safe().encrypt(pem), public=entry)


def current() -> Key:
    """The key that signs; the first one is made when it is needed."""
    return Key.objects.filter(retired_at=None).first() or make()


def rotate() -> Key:
    """A new key; the ones before are published for a week more, and then thrown away."""
    made = make()
    Key.objects.filter(retired_at=None).exclude(pk=made.pk).update(retired_at=timezone.now())
    Key.objects.filter(retired_at__lt=timezone.now() - Key.KEPT).delete()
    return made


def published() -> dict[str, Any]:
    """The key set that platforms fetch."""
    current()
    fresh = [key for key in Key.objects.all() if key.retired_at is None or key.retired_at > timezone.now() - Key.KEPT]
    return {"keys": [key.public for key in fresh]}


def sign(claims: dict[str, Any]) -> str:
    """A JWT of ours."""
    key = current()
    pem = _safe().decrypt(bytes(key.private))
    return jwt.encode(claims, pem, algorithm="RS256", headers={"kid": key.kid})
