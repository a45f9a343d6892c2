"""The Auth service, and the check of every other request against users and roles.

Follows server/etcdserver/apply/auth.go, api/v3rpc/auth.go and server/auth/{store,simple_token}.go.  Tokens are simple tokens: random
texts that the member forgets when it restarts, and five minutes after their last use.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..host import x509
from ..kernel.clock import SECOND
from ..kernel.world import World
from .authstore import (
    READ,
    READWRITE,
    ROOT,
    WRITE,
    AuthState,
    Identity,
    Permission,
    User,
    denied,
    failed,
    hashed,
    matches,
    require_admin,
    require_range,
    require_user,
    role_of,
    user_of,
)
from .client import Call
from .member import Disk, Running
from .mvcc import Compare, Op

TOKEN_LIFE = 300 * SECOND
LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
Handler = Callable[[World, Disk, Running, dict[str, Any]], Any]

#: Requests of the Auth service that need no role.
FREE = frozenset({"Auth/Authenticate", "Auth/UserGet", "Auth/RoleGet"})
#: Reads of an open watch.
WATCHES = ("Watch/Events", "Watch/Named")
ADMIN = frozenset(
    {
        "KV/Compact", "Maintenance/Defragment", "Maintenance/Snapshot", "Maintenance/HashKV", "Maintenance/MoveLeader",
        "Maintenance/Downgrade", "Cluster/MemberAdd", "Cluster/MemberRemove", "Cluster/MemberUpdate", "Cluster/MemberPromote",
    }
)  # fmt: skip
USER = frozenset(
    {
        "Maintenance/Status",
        "Lease/Grant",
        "Lease/Revoke",
        "Lease/TimeToLive",
        "Lease/KeepAlive",
        "Lease/Leases",
        "Cluster/MemberList",
    }
)


def identify(world: World, disk: Disk, running: Running, call: Call, cert: bytes) -> Identity | None:
    """Who sends a request: by token, or by the common name of a client certificate."""
    if call.token:
        found = running.tokens.get(call.token)
        if found is None or found[0] not in disk.auth.users:
            raise failed("invalid auth token", "Unauthenticated")
        if found[1] <= world.now and call.method not in WATCHES:  # a watch that is open stays open
            del running.tokens[call.token]
            raise failed("invalid auth token", "Unauthenticated")
        running.tokens[call.token] = (found[0], world.now + TOKEN_LIFE)
        return Identity(found[0])
    if cert and running.flags.get("client-cert-auth") == "true":
        name = x509.subject_of(cert).common_name
        return Identity(name) if name else None
    return None


def check(world: World, disk: Disk, running: Running, call: Call, cert: bytes) -> None:
    """Refuse what the sender may not do; called only while authentication is enabled."""
    state, method, args = disk.auth, call.method, call.args
    if method in ("Auth/Authenticate", "Header"):
        return
    who = identify(world, disk, running, call, cert)
    if method in ("KV/Range", *WATCHES):
        require_range(state, who, READ, args.get("key", args.get("prefix", b"")), args.get("range_end") or b"")
    elif method == "KV/Put":
        _check_put(disk, who, args["key"], args.get("lease", 0), args.get("prev_kv", False))
    elif method == "KV/DeleteRange":
        _check_delete(state, who, args["key"], args.get("range_end", b""), args.get("prev_kv", False))
    elif method == "KV/Txn":
        _check_txn(disk, who, args["compare"], args["success"], args["failure"])
    elif method == "Auth/UserGet":
        if not (who is not None and who.user == args["name"]):
            require_admin(state, who)
    elif method == "Auth/RoleGet":
        if not (who is not None and who.user in state.users and args["role"] in state.users[who.user].roles):
            require_admin(state, who)
    elif method in ADMIN or (method.startswith("Auth/") and method not in FREE):
        require_admin(state, who)
    elif method == "Maintenance/Alarm":
        (require_admin if args.get("action") == "DEACTIVATE" else require_user)(state, who)
    elif method in USER:
        require_user(state, who)
        if method in ("Lease/Revoke", "Lease/KeepAlive"):
            _check_lease(disk, who, args["id"], WRITE)
        elif method == "Lease/TimeToLive":
            _check_lease(disk, who, args["id"], READ)


def _check_lease(disk: Disk, who: Identity | None, lease_id: int, kind: str) -> None:
    """A lease may be used only by those who may use all its keys."""
    lease = disk.store.leases.get(lease_id)
    for key in lease.keys if lease else ():
        require_range(disk.auth, who, kind, key)


def _check_put(disk: Disk, who: Identity | None, key: bytes, lease: int, prev_kv: bool) -> None:
    require_range(disk.auth, who, WRITE, key)
    _check_lease(disk, who, lease, WRITE)
    if prev_kv:
        require_range(disk.auth, who, READ, key)


def _check_delete(state: AuthState, who: Identity | None, key: bytes, range_end: bytes, prev_kv: bool) -> None:
    require_range(state, who, WRITE, key, range_end)
    if prev_kv:
        require_range(state, who, READ, key, range_end)


def _check_txn(
    disk: Disk, who: Identity | None, compare: tuple[Compare, ...], success: tuple[Op, ...], failure: tuple[Op, ...]
) -> None:
    for guard in compare:
        require_range(disk.auth, who, READ, guard.key, guard.range_end)
    for op in (*success, *failure):
        if op.kind == "range":
            require_range(disk.auth, who, READ, op.key, op.range_end)
        elif op.kind == "put":
            _check_put(disk, who, op.key, op.lease, op.prev_kv)
        elif op.kind == "delete":
            _check_delete(disk.auth, who, op.key, op.range_end, op.prev_kv)
        else:
            _check_txn(disk, who, op.compare, op.success, op.failure)


# -- the service ----------------------------------------------------------------------------------------------------------
def _changed(disk: Disk) -> None:
    disk.auth.revision += 1


def authenticate(world: World, disk: Disk, running: Running, args: dict[str, Any]) -> str:
    """Auth/Authenticate: a token for a name and a password."""
    if not disk.auth.enabled:
        raise failed("authentication is not enabled")
    user = disk.auth.users.get(args["name"])
    if user is None or not user.password or not matches(args["password"], user.password):
        raise failed("authentication failed, invalid user ID or password", "InvalidArgument")
    token = (args.get("token") or world.rng("etcd-auth").token(16, LETTERS)) + f".{disk.index}"
    running.tokens[token] = (user.name, world.now + TOKEN_LIFE)
    return token


def enable(world: World, disk: Disk, _: Running, args: dict[str, Any]) -> None:
    """Auth/AuthEnable: needs a user root with the role root."""
    if disk.auth.enabled:
        return
    if ROOT not in disk.auth.users:
        raise failed("root user does not exist")
    if ROOT not in disk.auth.users[ROOT].roles:
        raise failed("root user does not have root role")
    disk.auth.enabled = True
    world.emit("etcd", "auth", disk.name, {"enabled": True})


def disable(world: World, disk: Disk, running: Running, args: dict[str, Any]) -> None:
    """Auth/AuthDisable."""
    if disk.auth.enabled:
        disk.auth.enabled = False
        running.tokens.clear()
        _changed(disk)
        world.emit("etcd", "auth", disk.name, {"enabled": False})


def status(world: World, disk: Disk, _: Running, args: dict[str, Any]) -> AuthState:
    """Auth/AuthStatus."""
    return disk.auth


def user_add(world: World, disk: Disk, _: Running, args: dict[str, Any]) -> None:
    """Auth/UserAdd."""
    if not args["name"]:
        raise failed("user name is empty", "InvalidArgument")
    if args["name"] in disk.auth.users:
        raise failed("user name already exists")
    bare = bool(args.get("no_password", False))
    kept = "" if bare else hashed(args["password"], args.get("salt") or world.rng("etcd-auth").hex(16))
    disk.auth.users[args["name"]] = User(args["name"], kept, bare)
    _changed(disk)


def user_delete(world: World, disk: Disk, running: Running, args: dict[str, Any]) -> None:
    """Auth/UserDelete; root stays while authentication is enabled."""
    if disk.auth.enabled and args["name"] == ROOT:
        raise failed("invalid auth management", "InvalidArgument")
    user_of(disk.auth, args["name"])
    del disk.auth.users[args["name"]]
    _forget(running, args["name"])
    _changed(disk)


def _forget(running: Running, user: str) -> None:
    for token in [token for token, (name, _) in running.tokens.items() if name == user]:
        del running.tokens[token]


def user_password(world: World, disk: Disk, running: Running, args: dict[str, Any]) -> None:
    """Auth/UserChangePassword."""
    user = user_of(disk.auth, args["name"])
    if not user.no_password:
        user.password = hashed(args["password"], args.get("salt") or world.rng("etcd-auth").hex(16))
    _forget(running, user.name)
    _changed(disk)


def user_get(world: World, disk: Disk, _: Running, args: dict[str, Any]) -> list[str]:
    """Auth/UserGet: the user's roles."""
    return list(user_of(disk.auth, args["name"]).roles)


def user_list(world: World, disk: Disk, _: Running, args: dict[str, Any]) -> list[str]:
    """Auth/UserList."""
    return sorted(disk.auth.users)


def user_grant(world: World, disk: Disk, _: Running, args: dict[str, Any]) -> None:
    """Auth/UserGrantRole."""
    user = user_of(disk.auth, args["user"])
    if args["role"] != ROOT:
        role_of(disk.auth, args["role"])
    if args["role"] not in user.roles:
        user.roles = sorted([*user.roles, args["role"]])
        _changed(disk)


def user_revoke(world: World, disk: Disk, _: Running, args: dict[str, Any]) -> None:
    """Auth/UserRevokeRole; root keeps the role root while authentication is enabled."""
    if disk.auth.enabled and args["name"] == ROOT and args["role"] == ROOT:
        raise failed("invalid auth management", "InvalidArgument")
    user = user_of(disk.auth, args["name"])
    if args["role"] not in user.roles:
        raise failed("role is not granted to the user")
    user.roles = [role for role in user.roles if role != args["role"]]
    _changed(disk)


def role_add(world: World, disk: Disk, _: Running, args: dict[str, Any]) -> None:
    """Auth/RoleAdd."""
    if not args["name"]:
        raise failed("role name is empty", "InvalidArgument")
    if args["name"] in disk.auth.roles:
        raise failed("role name already exists")
    disk.auth.roles[args["name"]] = []
    _changed(disk)


def role_delete(world: World, disk: Disk, _: Running, args: dict[str, Any]) -> None:
    """Auth/RoleDelete: users lose it too."""
    if disk.auth.enabled and args["role"] == ROOT:
        raise failed("invalid auth management", "InvalidArgument")
    role_of(disk.auth, args["role"])
    del disk.auth.roles[args["role"]]
    for user in disk.auth.users.values():
        user.roles = [role for role in user.roles if role != args["role"]]
    _changed(disk)


def role_get(world: World, disk: Disk, _: Running, args: dict[str, Any]) -> list[Permission]:
    """Auth/RoleGet: the role's permissions; root's is everything."""
    found = role_of(disk.auth, args["role"])
    return [Permission(READWRITE, b"", b"\0")] if args["role"] == ROOT else list(found)


def role_list(world: World, disk: Disk, _: Running, args: dict[str, Any]) -> list[str]:
    """Auth/RoleList."""
    return sorted(disk.auth.roles)


def role_grant(world: World, disk: Disk, _: Running, args: dict[str, Any]) -> None:
    """Auth/RoleGrantPermission: a new permission, or another kind for the same range."""
    perm: Permission = args["perm"]
    if not perm.key or (perm.range_end and perm.range_end != b"\0" and perm.range_end <= perm.key):
        raise failed("invalid auth management", "InvalidArgument")
    held = role_of(disk.auth, args["name"])
    others = [one for one in held if (one.key, one.range_end) != (perm.key, perm.range_end)]
    disk.auth.roles[args["name"]] = sorted([*others, perm], key=lambda one: one.key)
    _changed(disk)


def role_revoke(world: World, disk: Disk, _: Running, args: dict[str, Any]) -> None:
    """Auth/RoleRevokePermission."""
    held = role_of(disk.auth, args["role"])
    left = [one for one in held if (one.key, one.range_end) != (args["key"], args["range_end"])]
    if len(left) == len(held):
        raise failed("permission is not granted to the role")
    disk.auth.roles[args["role"]] = left
    _changed(disk)


HANDLERS: dict[str, Handler] = {
    "Auth/Authenticate": authenticate,
    "Auth/AuthEnable": enable,
    "Auth/AuthDisable": disable,
    "Auth/AuthStatus": status,
    "Auth/UserAdd": user_add,
    "Auth/UserDelete": user_delete,
    "Auth/UserChangePassword": user_password,
    "Auth/UserGet": user_get,
    "Auth/UserList": user_list,
    "Auth/UserGrantRole": user_grant,
    "Auth/UserRevokeRole": user_revoke,
    "Auth/RoleAdd": role_add,
    "Auth/RoleDelete": role_delete,
    "Auth/RoleGet": role_get,
    "Auth/RoleList": role_list,
    "Auth/RoleGrantPermission": role_grant,
    "Auth/RoleRevokePermission": role_revoke,
}

__all__ = ["HANDLERS", "check", "denied", "identify"]
