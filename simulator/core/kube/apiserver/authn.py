"""Who is asking: client certificates, service-account tokens, static tokens, anonymous; impersonation.

Follows `apiserver/pkg/authentication/request/x509` (CN is the user, O the groups) and `pkg/serviceaccount` (signed JWTs).
Verified credentials are cached by their bytes: the same certificate is parsed and checked once a process.
"""

from __future__ import annotations

import base64
import hashlib
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import orjson
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.x509.oid import NameOID

from ...host.x509 import load_key
from ...kernel import clock
from ...kernel.http import Request
from ..api import errors
from .call import User

if TYPE_CHECKING:
    from .server import Server

Obj = dict[str, Any]
AUTHENTICATED = "system:authenticated"
ANONYMOUS = User("system:anonymous", ("system:unauthenticated",))
TOKEN_LIFE = 3607


class Authenticator:
    """One server's authenticators, tried in the real order."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self._by_cert: dict[bytes, tuple[User, int, int] | None] = {}

    def authenticate(self, request: Request) -> User:
        """The user of a request; raises 401."""
        user = self._certificate(request.client_cert) if request.client_cert else None
        if user is None:
            header = request.headers.get("authorization", "")
            if header:
                user = self._bearer(header)
                if user is None:
                    raise errors.unauthorized()
            elif request.client_cert or not self.server.config.anonymous:
                raise errors.unauthorized()
            else:
                user = ANONYMOUS
        return user

    # -- certificates ---------------------------------------------------------------------------------------------------
    def _certificate(self, pem: bytes) -> User | None:
        if pem not in self._by_cert:
            self._by_cert[pem] = parse_certificate(pem, self.server.config.client_ca)
        found = self._by_cert[pem]
        if found is None:
            return None
        user, start, end = found
        return user if start <= self.server.world.wall <= end else None

    # -- tokens ---------------------------------------------------------------------------------------------------------
    def _bearer(self, header: str) -> User | None:
        scheme, _, token = header.partition(" ")
        if scheme.lower() != "bearer" or not token:
            return None
        static = self.server.config.tokens.get(token)
        if static is not None:
            return User(static[0], (*static[2:], AUTHENTICATED), static[1] if len(static) > 1 else "")
        return self.review(token)

    def review(self, token: str) -> User | None:
        """The user of a service-account token that this server's key signed and whose account still exists."""
        claims = verify_jwt(token, self.server.config.service_account_key)
        if claims is None or int(claims.get("exp", 0)) * clock.SECOND < self.server.world.wall:
            return None
        bound = claims.get("kubernetes.io") or {}
        account = bound.get("serviceaccount") or {}
        namespace, name, uid = bound.get("namespace", ""), account.get("name", ""), account.get("uid", "")
        held = self.server.storage.get(f"/registry/serviceaccounts/{namespace}/{name}".encode())
        if held is None or held[0]["metadata"]["uid"] != uid:
            return None
        pod = bound.get("pod") or {}
        extra: list[tuple[str, tuple[str, ...]]] = []
        if pod:
            gone = self.server.storage.get(f"/registry/pods/{namespace}/{pod.get('name')}".encode())
            if gone is None or gone[0]["metadata"]["uid"] != pod.get("uid"):
                return None
            extra = [
                ("authentication.kubernetes.io/pod-name", (pod["name"],)),
                ("authentication.kubernetes.io/pod-uid", (pod["uid"],)),
            ]
        groups = ("system:serviceaccounts", f"system:serviceaccounts:{namespace}", AUTHENTICATED)
        return User(f"system:serviceaccount:{namespace}:{name}", groups, uid, tuple(extra))


@lru_cache(maxsize=512)
def parse_certificate(pem: bytes, ca: bytes) -> tuple[User, int, int] | None:
    """(user, not before, not after in Unix ns) of a client certificate that the CA signed, or None."""
    try:
        cert = x509.load_pem_x509_certificate(pem)
    except (ValueError, TypeError):
        return None
    try:
        authorities = x509.load_pem_x509_certificates(ca) if ca else []
    except (ValueError, TypeError):
        return None
    for authority in authorities:
        try:
            cert.verify_directly_issued_by(authority)
            break
        except (ValueError, TypeError, InvalidSignature):
            continue
    else:
        return None
    common = cert.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    if not common:
        return None
    groups = tuple(str(item.value) for item in cert.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME))
    start = int(cert.not_valid_before_utc.timestamp()) * clock.SECOND
    end = int(cert.not_valid_after_utc.timestamp()) * clock.SECOND
    digest = cert.fingerprint(hashes.SHA256()).hex()
    extra = (("authentication.kubernetes.io/credential-id", (f"X509SHA256={digest}",)),)
    return User(str(common[0].value), (*groups, AUTHENTICATED), "", extra), start, end


# -- service-account tokens ---------------------------------------------------------------------------------------------


def _b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def sign_jwt(claims: Obj, key: bytes) -> str:
    """A compact token signed with the service-account key (ES256: kubeadm's `encryptionAlgorithm: ECDSA-P256`).

    Signatures are deterministic (RFC 6979), so that replays agree; `sa.pub` verifies them anywhere.  Raises ValueError for a
    key that is no ECDSA private key.
    """
    private = load_key(key)
    public = private.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    head = _b64(orjson.dumps({"alg": "ES256", "kid": _b64(hashlib.sha256(public).digest())}))
    body = _b64(orjson.dumps(claims))
    raw = private.sign(f"{head}.{body}".encode(), ec.ECDSA(hashes.SHA256(), deterministic_signing=True))
    r, s = utils.decode_dss_signature(raw)
    return f"{head}.{body}.{_b64(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"


def _signed(text: str, signature: str, key: bytes) -> bool:
    try:
        raw = base64.urlsafe_b64decode(signature + "=" * (-len(signature) % 4))
        if len(raw) != 64:
            return False
        pair = utils.encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
        load_key(key).public_key().verify(pair, text.encode(), ec.ECDSA(hashes.SHA256()))
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
