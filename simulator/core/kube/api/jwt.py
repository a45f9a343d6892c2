"""Service-account tokens: compact JSON Web Tokens signed with the service-account key (pkg/serviceaccount/jwt.go)."""

from __future__ import annotations

import base64
import hashlib
from functools import lru_cache
from typing import Any

import orjson
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils

from ...host.x509 import load_key, sign_bytes

Obj = dict[str, Any]


def _b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def sign_jwt(claims: Obj, key: bytes) -> str:
    """A compact token signed with the service-account key: RS256, or ES256 (kubeadm's `encryptionAlgorithm: ECDSA-P256`).

    Signatures are deterministic, so that replays agree; `sa.pub` verifies them anywhere.  Raises ValueError for what is no key.
    """
    private = load_key(key)
    public = private.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    rsa_key = isinstance(private, rsa.RSAPrivateKey)
    head = _b64(orjson.dumps({"alg": "RS256" if rsa_key else "ES256", "kid": _b64(hashlib.sha256(public).digest())}))
    body = _b64(orjson.dumps(claims))
    raw = sign_bytes(private, f"{head}.{body}".encode())
    if not rsa_key:
        r, s = utils.decode_dss_signature(raw)
        raw = r.to_bytes(32, "big") + s.to_bytes(32, "big")
    return f"{head}.{body}.{_b64(raw)}"


def _signed(text: str, signature: str, key: bytes) -> bool:
    try:
        raw = base64.urlsafe_b64decode(signature + "=" * (-len(signature) % 4))
        public = load_key(key).public_key()
        if isinstance(public, rsa.RSAPublicKey):
            public.verify(raw, text.encode(), padding.PKCS1v15(), hashes.SHA256())
            return True
        if len(raw) != 64:
            return False
        pair = utils.encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
        public.verify(pair, text.encode(), ec.ECDSA(hashes.SHA256()))
    except (ValueError, InvalidSignature):
        return False
    return True


@lru_cache(maxsize=512)
def verify_jwt(token: str, key: bytes) -> Obj | None:
    """The claims of a token that `key` signed, or None."""
    parts = token.split(".")
    if len(parts) != 3 or len(token) > 16_384 or not token.isascii():
        return None
    if not _signed(f"{parts[0]}.{parts[1]}", parts[2], key):
        return None
    try:
        claims = orjson.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except ValueError:
        return None
    return claims if isinstance(claims, dict) else None


#: Claims of tokens in Secrets (LegacyClaims): they name the Secret and never expire.
LEGACY_ISSUER = "kubernetes/serviceaccount"
_LEGACY = LEGACY_ISSUER + "/"


def legacy_claims(namespace: str, account: str, uid: str, secret: str) -> Obj:
    """The claims of the token of a Secret of type kubernetes.io/service-account-token."""
    return {
        "iss": LEGACY_ISSUER,
        _LEGACY + "namespace": namespace,
        _LEGACY + "secret.name": secret,
        _LEGACY + "service-account.name": account,
        _LEGACY + "service-account.uid": uid,
        "sub": f"system:serviceaccount:{namespace}:{account}",
    }


def legacy(claims: Obj) -> tuple[str, str, str, str] | None:
    """(namespace, account, uid, secret) of a legacy token's claims, or None for another kind of token."""
    if claims.get("iss") != LEGACY_ISSUER:
        return None
    names = ("namespace", "service-account.name", "service-account.uid", "secret.name")
    namespace, account, uid, secret = (str(claims.get(_LEGACY + name) or "") for name in names)
    return namespace, account, uid, secret
