"""What a Secret of type bootstrap.kubernetes.io/token says (staging/src/k8s.io/cluster-bootstrap/token/util)."""

from __future__ import annotations

import base64
import re

from ...kernel import clock
from .objects import Obj

TYPE = "bootstrap.kubernetes.io/token"
NAMESPACE = "kube-system"
PREFIX = "bootstrap-token-"


def value(secret: Obj, member: str) -> str:
    """A member of the Secret's data as text; "" when it is missing or no text."""
    try:
        return base64.b64decode((secret.get("data") or {}).get(member) or "").decode()
    except ValueError:
        return ""


def left(secret: Obj, now: int) -> int | None:
    """Nanoseconds until the token expires at Unix time `now` (ns): 0 when it has, None when it never does; a date that cannot be
    read counts as expired (GetExpiration)."""
    text = value(secret, "expiration")
    if not text:
        return None
    try:
        return max(0, clock.parse_rfc3339(text) - now)
    except ValueError:
        return 0


def for_signing(secret: Obj, now: int) -> tuple[str, str] | None:
    """(id, secret) of a token that may sign cluster-info, or None (validateSecretForSigning)."""
    name, ident, key = secret["metadata"]["name"], value(secret, "token-id"), value(secret, "token-secret")
    if not re.fullmatch(PREFIX + "[a-z0-9]{6}", name) or ident != name.removeprefix(PREFIX) or not key:
        return None
    if left(secret, now) == 0 or value(secret, "usage-bootstrap-signing") != "true":
        return None
    return ident, key


_TOKEN = re.compile(r"([a-z0-9]{6})\.([a-z0-9]{16})")
_GROUP = re.compile(r"system:bootstrappers:[a-z0-9:-]{0,255}[a-z0-9]")


def split(token: str) -> tuple[str, str] | None:
    """(id, secret) of a bootstrap token, or None for what is none."""
    match = _TOKEN.fullmatch(token)
    return (match[1], match[2]) if match else None


def groups_of(secret: Obj, token: tuple[str, str], now: int) -> list[str] | None:
    """The groups that a token authenticates as, or None when its Secret does not let it (authenticator/token/bootstrap)."""
    ident, key = token
    if secret.get("type") != TYPE or secret["metadata"].get("deletionTimestamp"):
        return None
    if value(secret, "token-id") != ident or value(secret, "token-secret") != key or left(secret, now) == 0:
        return None
    if value(secret, "usage-bootstrap-authentication") != "true":
        return None
    extra = [group for group in value(secret, "auth-extra-groups").split(",") if group]
    if any(_GROUP.fullmatch(group) is None for group in extra):
        return None
    return sorted({"system:bootstrappers", *extra})
