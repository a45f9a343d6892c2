"""auth, user, role (auth_command.go, user_command.go, role_command.go)."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from ...etcd.authstore import Permission
from ...etcd.errors import EtcdError
from ...etcd.mvcc import prefix_end
from ...host.program import Wait
from ..cobra import Command
from ..flags import Flag
from . import answers, render
from .session import EXIT_BAD_ARGS, Failed, Session

Run = Generator[Wait, Any, int]


def _args(session: Session, count: int, message: str) -> list[str]:
    if len(session.values.args) != count:
        raise Failed(EXIT_BAD_ARGS, message)
    return session.values.args


def auth_status(session: Session) -> Run:
    """`etcdctl auth status`."""
    _args(session, 0, "auth status command does not accept any arguments")
    found = yield from session.call("Auth/AuthStatus")
    word = "true" if found.enabled else "false"
    more = {**({"enabled": True} if found.enabled else {}), "authRevision": found.revision}
    text = f"Authentication Status: {word}\nAuthRevision: {found.revision}\n"
    return (yield from answers.show(session, "AuthStatusResponse", text, more, None))


def auth_enable(session: Session) -> Run:
    """`etcdctl auth enable`: makes and grants the role root where it is missing."""
    _args(session, 0, "auth enable command does not accept any arguments")
    while True:
        try:
            yield from session.call("Auth/AuthEnable")
            break
        except EtcdError as error:
            if "does not have root role" not in error.message:
                raise
        yield from session.call("Auth/RoleAdd", name="root")
        yield from session.call("Auth/UserGrantRole", user="root", role="root")
    session.inv.out("Authentication Enabled\n")
    return 0


def auth_disable(session: Session) -> Run:
    """`etcdctl auth disable`."""
    _args(session, 0, "auth disable command does not accept any arguments")
    yield from session.call("Auth/AuthDisable")
    session.inv.out("Authentication Disabled\n")
    return 0


def _password(session: Session, name: str) -> Generator[Wait, Any, str]:
    """A password typed twice, or one line of standard input with `--interactive=false`."""
    if not session.values.on("interactive"):
        line = yield from session.inv.read_line()
        return (line.decode("utf-8", "replace").split() or [""])[0]
    first = yield from session.ask(f"Password of {name}: ")
    if not first:
        raise Failed(EXIT_BAD_ARGS, "empty password")
    second = yield from session.ask(f"Type password of {name} again for confirmation: ")
    if first != second:
        raise Failed(EXIT_BAD_ARGS, "given passwords are different")
    return first


def user_add(session: Session) -> Run:
    """`etcdctl user add NAME[:PASSWORD]`."""
    [given] = _args(session, 1, "user add command requires user name as its argument")
    name, password, bare = given, "", session.values.on("no-password")
    if not bare:
        if session.values.text("new-user-password"):
            password = session.values.text("new-user-password")
        elif ":" in given:
            name, _, password = given.partition(":")
            if not name:
                raise Failed(EXIT_BAD_ARGS, "empty user name is not allowed")
        else:
            password = yield from _password(session, name)
    yield from session.call("Auth/UserAdd", forever=True, name=name, password=password, no_password=bare)
    return (yield from answers.show(session, "AuthUserAddResponse", f"User {name} created\n"))


def user_delete(session: Session) -> Run:
    """`etcdctl user delete NAME`."""
    [name] = _args(session, 1, "user delete command requires user name as its argument")
    yield from session.call("Auth/UserDelete", forever=True, name=name)
    return (yield from answers.show(session, "AuthUserDeleteResponse", f"User {name} deleted\n"))


def user_get(session: Session) -> Run:
    """`etcdctl user get NAME [--detail]`."""
    [name] = _args(session, 1, "user get command requires user name as its argument")
    roles = yield from session.call("Auth/UserGet", forever=True, name=name)
    if session.values.on("detail"):
        session.inv.out(f"User: {name}\n")
        for role in roles:
            session.inv.out("\n")
            yield from _role(session, role)
        return 0
    text = f"User: {name}\nRoles:{''.join(' ' + role for role in roles)}\n"
    return (yield from answers.show(session, "AuthUserGetResponse", text, {"roles": roles} if roles else {}, None))


def user_list(session: Session) -> Run:
    """`etcdctl user list`."""
    _args(session, 0, "user list command requires no arguments")
    users = yield from session.call("Auth/UserList", forever=True)
    return (
        yield from answers.show(
            session, "AuthUserListResponse", "".join(f"{u}\n" for u in users), {"users": users} if users else {}, None
        )
    )


def user_password(session: Session) -> Run:
    """`etcdctl user passwd NAME`."""
    [name] = _args(session, 1, "user passwd command requires user name as its argument")
    password = yield from _password(session, name)
    yield from session.call("Auth/UserChangePassword", forever=True, name=name, password=password)
    return (yield from answers.show(session, "AuthUserChangePasswordResponse", "Password updated\n"))


def user_grant(session: Session) -> Run:
    """`etcdctl user grant-role USER ROLE`."""
    user, role = _args(session, 2, "user grant command requires user name and role name as its argument")
    yield from session.call("Auth/UserGrantRole", forever=True, user=user, role=role)
    return (yield from answers.show(session, "AuthUserGrantRoleResponse", f"Role {role} is granted to user {user}\n"))


def user_revoke(session: Session) -> Run:
    """`etcdctl user revoke-role USER ROLE`."""
    user, role = _args(session, 2, "user revoke-role requires user name and role name as its argument")
    yield from session.call("Auth/UserRevokeRole", forever=True, name=user, role=role)
    return (yield from answers.show(session, "AuthUserRevokeRoleResponse", f"Role {role} is revoked from user {user}\n"))


def role_add(session: Session) -> Run:
    """`etcdctl role add NAME`."""
    [name] = _args(session, 1, "role add command requires role name as its argument")
    yield from session.call("Auth/RoleAdd", forever=True, name=name)
    return (yield from answers.show(session, "AuthRoleAddResponse", f"Role {name} created\n"))


def role_delete(session: Session) -> Run:
    """`etcdctl role delete NAME`."""
    [name] = _args(session, 1, "role delete command requires role name as its argument")
    yield from session.call("Auth/RoleDelete", forever=True, role=name)
    return (yield from answers.show(session, "AuthRoleDeleteResponse", f"Role {name} deleted\n"))


def role_get(session: Session) -> Run:
    """`etcdctl role get NAME`."""
    [name] = _args(session, 1, "role get command requires role name as its argument")
    return (yield from _role(session, name))


def _role(session: Session, name: str) -> Run:
    perms: list[Permission] = yield from session.call("Auth/RoleGet", forever=True, role=name)
    text = f"Role {name}\n"
    for title, kinds in (("KV Read:", ("READ", "READWRITE")), ("KV Write:", ("WRITE", "READWRITE"))):
        text += f"{title}\n" + "".join(f"\t{_span(one)}\n" for one in perms if one.kind in kinds)
    rows, fields = [], ""
    for one in perms:
        row: dict[str, Any] = {"READ": {}, "WRITE": {"permType": 1}, "READWRITE": {"permType": 2}}[one.kind]
        end = {"range_end": render.b64(one.range_end)} if one.range_end else {}
        rows.append({**row, "key": render.b64(one.key), **end})
        fields += f'"PermType" :  {one.kind}\n"Key" : {render.quoted(one.key)}\n"RangeEnd" : {render.quoted(one.range_end)}\n'
    return (yield from answers.show(session, "AuthRoleGetResponse", text, {"perm": rows} if rows else {}, fields))


def _span(perm: Permission) -> str:
    """A key or a range as `role get` shows it."""
    key, end = perm.key.decode(errors="replace"), perm.range_end.decode(errors="replace")
    if not end:
        return key
    text = f"[{key}, <open ended>" if end == "\0" else f"[{key}, {end})"
    return text + (f" (prefix {key})" if key and prefix_end(perm.key) == perm.range_end else "")


def role_list(session: Session) -> Run:
    """`etcdctl role list`."""
    _args(session, 0, "role list command requires no arguments")
    roles = yield from session.call("Auth/RoleList", forever=True)
    fields = '"Roles" :' + "".join(f" {render.quoted(r.encode())}" for r in roles) + "\n"
    return (
        yield from answers.show(
            session, "AuthRoleListResponse", "".join(f"{r}\n" for r in roles), {"roles": roles} if roles else {}, fields
        )
    )


def _range(session: Session, args: list[str]) -> tuple[bytes, bytes]:
    """Key and range end of a permission; an empty key with `--prefix` or `--from-key` is everything."""
    prefix, from_key = session.values.on("prefix"), session.values.on("from-key")
    if prefix and from_key:
        raise Failed(EXIT_BAD_ARGS, "--from-key and --prefix flags are mutually exclusive")
    if not args[0]:
        return b"\0", b"\0" if prefix or from_key else b""
    if len(args) > 1:
        if prefix or from_key:
            raise Failed(EXIT_BAD_ARGS, f"unexpected endkey argument with --{'prefix' if prefix else 'from-key'} flag")
        return args[0].encode(), args[1].encode()
    return args[0].encode(), prefix_end(args[0].encode()) if prefix else b"\0" if from_key else b""


def role_grant(session: Session) -> Run:
    """`etcdctl role grant-permission ROLE read|write|readwrite KEY [END]`."""
    args = session.values.args
    if len(args) < 3:
        raise Failed(EXIT_BAD_ARGS, "role grant command requires role name, permission type, and key [endkey] as its argument")
    if args[1].upper() not in ("READ", "WRITE", "READWRITE"):
        raise Failed(EXIT_BAD_ARGS, f"invalid permission type: {args[1]}")
    key, end = _range(session, args[2:])
    yield from session.call("Auth/RoleGrantPermission", forever=True, name=args[0], perm=Permission(args[1].upper(), key, end))
    return (yield from answers.show(session, "AuthRoleGrantPermissionResponse", f"Role {args[0]} updated\n"))


def role_revoke(session: Session) -> Run:
    """`etcdctl role revoke-permission ROLE KEY [END]`."""
    args = session.values.args
    if len(args) < 2:
        message = "role revoke-permission command requires role name and key [endkey] as its argument"
        raise Failed(EXIT_BAD_ARGS, message)
    key, end = _range(session, args[1:])
    yield from session.call("Auth/RoleRevokePermission", forever=True, role=args[0], key=key, range_end=end)
    if not end:
        text = f"Permission of key {args[1]} is revoked from role {args[0]}\n"
    else:
        span = f"[{args[1]}, <open ended>" if end == b"\0" else f"[{args[1]}, {end.decode(errors='replace')})"
        text = f"Permission of range {span} is revoked from role {args[0]}\n"
    return (yield from answers.show(session, "AuthRoleRevokePermissionResponse", text))


def _on(name: str, usage: str, *, default: bool = False) -> Flag:
    return Flag(name=name, kind="bool", default=default, usage=usage, no_opt="true")


def _permission_flags(verb: str) -> tuple[Flag, ...]:
    rest = "of keys that are greater than or equal to the given key using byte compare"
    return (_on("prefix", f"{verb} a prefix permission"), _on("from-key", f"{verb} a permission {rest}"))


COMMANDS = (
    Command(
        "auth <enable or disable>",
        short="Enable or disable authentication",
        commands=(
            Command("enable", short="Enables authentication", run=auth_enable),
            Command("disable", short="Disables authentication", run=auth_disable),
            Command("status", short="Returns authentication status", run=auth_status),
        ),
    ),
    Command(
        "user <subcommand>",
        short="User related commands",
        commands=(
            Command(
                "add <user name or user:password> [options]",
                short="Adds a new user",
                run=user_add,
                flags=(
                    _on("interactive", "Read password from stdin instead of interactive terminal", default=True),
                    Flag(name="new-user-password", usage="Supply password from the command line flag"),
                    _on("no-password", "Create a user without password (CN based auth only)"),
                ),
            ),
            Command("delete <user name>", short="Deletes a user", run=user_delete),
            Command(
                "get <user name> [options]",
                short="Gets detailed information of a user",
                run=user_get,
                flags=(_on("detail", "Show permissions of roles granted to the user"),),
            ),
            Command("list", short="Lists all users", run=user_list),
            Command(
                "passwd <user name> [options]",
                short="Changes password of user",
                run=user_password,
                flags=(_on("interactive", "If true, read password from stdin instead of interactive terminal", default=True),),
            ),
            Command("grant-role <user name> <role name>", short="Grants a role to a user", run=user_grant),
            Command("revoke-role <user name> <role name>", short="Revokes a role from a user", run=user_revoke),
        ),
    ),
    Command(
        "role <subcommand>",
        short="Role related commands",
        commands=(
            Command("add <role name>", short="Adds a new role", run=role_add),
            Command("delete <role name>", short="Deletes a role", run=role_delete),
            Command("get <role name>", short="Gets detailed information of a role", run=role_get),
            Command("list", short="Lists all roles", run=role_list),
            Command(
                "grant-permission [options] <role name> <permission type> <key> [endkey]",
                short="Grants a key to a role",
                run=role_grant,
                flags=_permission_flags("grant"),
            ),
            Command(
                "revoke-permission <role name> <key> [endkey]",
                short="Revokes a key from a role",
                run=role_revoke,
                flags=_permission_flags("revoke"),
            ),
        ),
    ),
)
