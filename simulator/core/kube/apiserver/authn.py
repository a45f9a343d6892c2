"""Who is asking: client certificates, service-account tokens, static tokens, anonymous; impersonation.

Follows `apiserver/pkg/authentication/request/x509` (CN is the user, O the groups) and `pkg/serviceaccount` (signed JWTs).
Verified credentials are cached by their bytes: the same certificate is parsed and checked once a process.
"""

from __future__ import annotations

import base64
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import NameOID

from ...host.machine import wall_of
from ...kernel import clock
from ...kernel.http import Request
from ..api import bootstrap_tokens, errors
from ..api.jwt import legacy, verify_jwt
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
        return user if start <= wall_of(self.server.world, self.server.key) <= end else None

    # -- tokens ---------------------------------------------------------------------------------------------------------
    def _bearer(self, header: str) -> User | None:
        scheme, _, token = header.partition(" ")
        if scheme.lower() != "bearer" or not token:
            return None
        static = self.server.config.tokens.get(token)
        if static is not None:
            return User(static[0], (*static[2:], AUTHENTICATED), static[1] if len(static) > 1 else "")
        return self._bootstrap(token) or self.review(token)

    def _bootstrap(self, token: str) -> User | None:
        """The user of a bootstrap token (plugin/pkg/auth/authenticator/token/bootstrap)."""
        parts = bootstrap_tokens.split(token) if self.server.config.bootstrap_tokens else None
        if parts is None:
            return None
        key = f"/registry/secrets/{bootstrap_tokens.NAMESPACE}/{bootstrap_tokens.PREFIX}{parts[0]}"
        held = self.server.storage.get(key.encode())
        groups = None if held is None else bootstrap_tokens.groups_of(held[0], parts, self.server.world.wall)
        return None if groups is None else User(f"system:bootstrap:{parts[0]}", (*groups, AUTHENTICATED))

    def review(self, token: str) -> User | None:
        """The user of a service-account token that this server's key signed and whose account still exists."""
        claims = verify_jwt(token, self.server.config.service_account_key)
        if claims is None:
            return None
        held_by = legacy(claims)
        if held_by is not None:
            return self._legacy(token, *held_by)
        if int(claims.get("exp", 0)) * clock.SECOND < self.server.world.wall:
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

    def _legacy(self, token: str, namespace: str, name: str, uid: str, secret: str) -> User | None:
        """The user of a Secret's token: account and Secret still there, and the Secret still holds it (legacyValidator)."""
        account = self.server.storage.get(f"/registry/serviceaccounts/{namespace}/{name}".encode())
        held = self.server.storage.get(f"/registry/secrets/{namespace}/{secret}".encode())
        if account is None or account[0]["metadata"]["uid"] != uid or held is None:
            return None
        encoded = base64.b64encode(token.encode()).decode()
        if held[0]["metadata"].get("deletionTimestamp") or (held[0].get("data") or {}).get("token") != encoded:
            return None
        groups = ("system:serviceaccounts", f"system:serviceaccounts:{namespace}", AUTHENTICATED)
        return User(f"system:serviceaccount:{namespace}:{name}", groups, uid)


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
