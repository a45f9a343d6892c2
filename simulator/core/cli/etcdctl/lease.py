"""lease grant, revoke, timetolive, list, keep-alive (lease_command.go)."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from ...etcd.errors import EtcdError
from ...host.program import Sleep, Wait
from ...kernel.clock import SECOND
from ..cobra import Command
from ..flags import Flag
from . import answers, kv, render
from .session import EXIT_BAD_ARGS, EXIT_BAD_CONNECTION, EXIT_ERROR, Failed, Session

Run = Generator[Wait, Any, int]


def grant(session: Session) -> Run:
    """`etcdctl lease grant TTL`."""
    args = session.values.args
    if len(args) != 1:
        raise Failed(EXIT_BAD_ARGS, "lease grant command needs TTL argument")
    try:
        ttl = kv._parse_int(args[0])
    except ValueError as error:
        raise Failed(EXIT_BAD_ARGS, f"bad TTL ({error})") from None
    try:
        lease = yield from session.call("Lease/Grant", ttl=max(ttl, 2), id=0)
    except (EtcdError, Failed) as error:
        raise Failed(EXIT_ERROR, f"failed to grant lease ({error})") from None
    text = f"lease {lease.id:016x} granted with TTL({lease.ttl}s)\n"
    body = {"ID": lease.id, "TTL": lease.ttl, "Error": ""}
    return (yield from answers.show(session, "", text, body, _ttl(session, lease.id, lease.ttl), flat=True))


def _ttl(session: Session, lease: int, ttl: int) -> str:
    return f'"ID" : {_id(session, lease)}\n"TTL" : {ttl}\n'


def _id(session: Session, lease: int) -> str:
    return f"{lease:016x}" if session.hex else str(lease)


def revoke(session: Session) -> Run:
    """`etcdctl lease revoke ID`."""
    args = session.values.args
    if len(args) != 1:
        raise Failed(EXIT_BAD_ARGS, "lease revoke command needs 1 argument")
    lease = kv.lease_id(args[0], "bad lease ID arg")
    try:
        yield from session.call("Lease/Revoke", id=lease)
    except (EtcdError, Failed) as error:
        raise Failed(EXIT_ERROR, f"failed to revoke lease ({error})") from None
    return (yield from answers.show(session, "LeaseRevokeResponse", f"lease {lease:016x} revoked\n"))


def time_to_live(session: Session) -> Run:
    """`etcdctl lease timetolive ID`."""
    args = session.values.args
    if len(args) != 1:
        raise Failed(EXIT_BAD_ARGS, "lease timetolive command needs lease ID as argument")
    wanted = kv.lease_id(args[0], "bad lease ID arg")
    lease, remaining = yield from session.call("Lease/TimeToLive", forever=True, id=wanted)
    keys = [k.decode(errors="replace") for k in lease.keys] if session.values.on("keys") else None
    body: dict[str, Any] = {"id": wanted, "ttl": remaining, "granted-ttl": lease.ttl}
    body["keys"] = [render.b64(k) for k in lease.keys] if keys else None
    attached = f", attached keys([{' '.join(keys)}])" if keys is not None else ""
    text = f"lease {wanted:016x} granted with TTL({lease.ttl}s), remaining({remaining}s){attached}\n"
    if remaining < 0:
        text = f"lease {wanted:016x} already expired\n"
    fields = _ttl(session, wanted, remaining) + f'"GrantedTTL" : {lease.ttl}\n'
    fields += "".join(f'"Key" : {render.quoted(k)}\n' for k in lease.keys if keys is not None)
    return (yield from answers.show(session, "", text, body, fields, flat=True))


def list_(session: Session) -> Run:
    """`etcdctl lease list`."""
    found = yield from session.call("Lease/Leases", forever=True)
    text = f"found {len(found)} leases\n" + "".join(f"{i:016x}\n" for i in found)
    fields = "".join(f'"ID" : {_id(session, i)}\n' for i in found)
    return (yield from answers.show(session, "", text, {"leases": [{"id": i} for i in found]}, fields, flat=True))


def keep_alive(session: Session) -> Run:
    """`etcdctl lease keep-alive ID`."""
    args = session.values.args
    if len(args) != 1:
        raise Failed(EXIT_BAD_ARGS, "lease keep-alive command needs lease ID as argument")
    wanted = kv.lease_id(args[0], "bad lease ID arg")
    while True:
        lease = yield from session.call("Lease/KeepAlive", forever=True, id=wanted)
        if not lease.ttl:
            if session.values.on("once"):
                raise Failed(EXIT_BAD_CONNECTION, "etcdserver: requested lease not found")
            session.inv.out(f"lease {wanted:016x} expired or revoked.\n")
            return 0
        text = f"lease {wanted:016x} keepalived with TTL({lease.ttl})\n"
        yield from answers.show(session, "", text, {"ID": wanted, "TTL": lease.ttl}, _ttl(session, wanted, lease.ttl), flat=True)
        if session.values.on("once"):
            return 0
        yield Sleep(max(1, lease.ttl // 3) * SECOND)


COMMANDS = (
    Command(
        "lease <subcommand>",
        short="Lease related commands",
        commands=(
            Command("grant <ttl>", short="Creates leases", run=grant),
            Command("revoke <leaseID>", short="Revokes leases", run=revoke),
            Command(
                "timetolive <leaseID> [options]",
                short="Get lease information",
                run=time_to_live,
                flags=(Flag(name="keys", kind="bool", usage="Get keys attached to this lease", no_opt="true"),),
            ),
            Command("list", short="List all active leases", run=list_),
            Command(
                "keep-alive [options] <leaseID>",
                short="Keeps leases alive (renew)",
                run=keep_alive,
                flags=(
                    Flag(name="once", kind="bool", no_opt="true",
                         usage="Resets the keep-alive time to its original value and cobrautl.Exits immediately"),
                ),
            ),
        ),
    ),
)  # fmt: skip
