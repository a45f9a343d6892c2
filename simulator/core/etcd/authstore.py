"""Users, roles and permissions: the data of authentication and the rules of who may touch which keys.

Follows server/auth/store.go and range_perm_cache.go.  Passwords are kept as salted SHA-256 here, where etcd keeps bcrypt.
"""

from __future__ import annotations

import hashlib

import msgspec

from .errors import EtcdError

ROOT = "root"
READ, WRITE, READWRITE = "READ", "WRITE", "READWRITE"


class Permission(msgspec.Struct, frozen=True):
    """What a role may do with a key or a range; `range_end` `b"\\0"` has no end."""

    kind: str
    key: bytes
    range_end: bytes = b""


class User(msgspec.Struct):
    """A user: its password's salt and hash ("" for none), and its roles in order."""

    name: str
    password: str = ""
    no_password: bool = False
    roles: list[str] = []


class AuthState(msgspec.Struct):
    """The plain data; `revision` counts changes."""

    enabled: bool = False
    revision: int = 1
    users: dict[str, User] = {}
    roles: dict[str, list[Permission]] = {}


class Identity(msgspec.Struct, frozen=True):
    """Who sends a request."""

    user: str


def failed(message: str, code: str = "FailedPrecondition") -> EtcdError:
    """An error with etcd's usual prefix."""
    return EtcdError(f"etcdserver: {message}", code)


def denied() -> EtcdError:
    """The user may not do this."""
    return failed("permission denied", "PermissionDenied")


def no_user() -> EtcdError:
    """The request names nobody."""
    return failed("user name is empty", "InvalidArgument")


def hashed(password: str, salt: str) -> str:
    """A password as it is kept."""
    return f"{salt}${hashlib.sha256(f'{salt}{password}'.encode()).hexdigest()}"


def matches(password: str, kept: str) -> bool:
    """Whether a password is the kept one."""
    return hashed(password, kept.partition("$")[0]) == kept


def user_of(state: AuthState, name: str) -> User:
    """A user; raises when there is none."""
    found = state.users.get(name)
    if found is None:
        raise failed("user name not found")
    return found


def role_of(state: AuthState, name: str) -> list[Permission]:
    """A role's permissions; raises when there is no such role."""
    found = state.roles.get(name)
    if found is None:
        raise failed("role name not found")
    return found


def require_user(state: AuthState, who: Identity | None) -> None:
    """Any user will do."""
    if state.enabled and who is None:
        raise no_user()


def require_admin(state: AuthState, who: Identity | None) -> None:
    """Only users with the role root."""
    if not state.enabled:
        return
    if who is None:
        raise no_user()
    if ROOT not in user_of(state, who.user).roles:
        raise denied()


def require_range(state: AuthState, who: Identity | None, kind: str, key: bytes, range_end: bytes = b"") -> None:
    """Only users whose roles together cover the whole range."""
    if not state.enabled:
        return
    if who is None:
        raise no_user()
    user = state.users.get(who.user)
    if user is None:
        raise denied()
    if ROOT not in user.roles and not covered(_permissions(state, user, kind), key, range_end):
        raise denied()


def _permissions(state: AuthState, user: User, kind: str) -> list[Permission]:
    return [perm for role in user.roles for perm in state.roles.get(role, ()) if perm.kind in (kind, READWRITE)]


def covered(permissions: list[Permission], key: bytes, range_end: bytes) -> bool:
    """Whether the union of permissions contains a key, or every key of a range."""
    spans = sorted((perm.key, perm.range_end or perm.key + b"\0") for perm in permissions)
    at, end = key, range_end or key + b"\0"
    for low, high in spans:
        if low > at:
            break
        if high == b"\0":
            return True
        at = max(at, high)
    return end != b"\0" and at >= end
