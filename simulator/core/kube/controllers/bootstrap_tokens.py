"""What a Secret of type bootstrap.kubernetes.io/token says (staging/src/k8s.io/cluster-bootstrap/token/util)."""

from __future__ import annotations

import base64
import re

from ...kernel import clock
from ..api.objects import Obj

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
