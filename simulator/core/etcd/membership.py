"""Who is in a cluster: the list of members, the checks before a change, and what a committed change does.

A change is proposed as an entry of its own; before that the member that was asked refuses what would endanger the quorum, and when the
entry is applied every member validates it again, because another change may have come first.  Follows
server/etcdserver/api/membership/cluster.go and server.go (mayAddMember, mayRemoveMember, mayPromoteMember).
"""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec

from .errors import EtcdError
from .member import Disk, MemberInfo
from .raft import confchange
from .raft.confchange import ConfChange

MAX_LEARNERS = 1


def members_of(disk: Disk) -> list[MemberInfo]:
    """The members as this one knows them, by id."""
    return disk.members or [MemberInfo(disk.member_id, disk.name, disk.peer_urls, disk.client_urls)]


def find(disk: Disk, ident: int) -> MemberInfo | None:
    """The member of that id."""
    return next((one for one in members_of(disk) if one.id == ident), None)


def new_id(peer_urls: list[str], unix_seconds: int) -> int:
    """The id of a member that is added to a running cluster: its URLs and the time."""
    raw = "".join(sorted(peer_urls)) + str(unix_seconds)
    return int.from_bytes(hashlib.sha1(raw.encode(), usedforsecurity=False).digest()[:8], "big")


def _error(text: str, code: str = "FailedPrecondition") -> EtcdError:
    return EtcdError(f"etcdserver: {text}", code)


def not_found() -> EtcdError:
    """No member of that id, or it was removed."""
    return _error("member not found", "NotFound")


def unhealthy() -> EtcdError:
    """The change would leave too few connected members."""
    return EtcdError("etcdserver: unhealthy cluster", "Unavailable")


def not_enough_started() -> EtcdError:
    """The change would leave fewer started members than a quorum."""
    return _error("re-configuration failed due to not enough started members")


def voters(disk: Disk) -> list[MemberInfo]:
    """The voting members."""
    return [one for one in members_of(disk) if not one.is_learner]


def may_add(disk: Disk, learner: bool, connected: set[int]) -> None:
    """Refuse a new voter while too few are started or connected; `connected` are ids this member has a connection to, itself included."""
    now = voters(disk)
    if not learner:
        started = sum(1 for one in now if one.name)
        after = len(now) + 1
        if not (started == 1 and after == 2) and started < after // 2 + 1:
            raise not_enough_started()
    if sum(1 for one in now if one.id in connected) < (len(now) + 1) // 2 + 1 and len(now) > 1:
        raise unhealthy()


def may_remove(disk: Disk, ident: int, connected: set[int]) -> None:
    """Refuse to take a voter away when the rest would be no quorum."""
    one = find(disk, ident)
    if one is not None and one.is_learner:
        return
    left = [other for other in voters(disk) if other.id != ident]
    if len([other for other in left if other.name]) < len(left) // 2 + 1:
        raise not_enough_started()
    if ident != disk.member_id and ident not in connected:
        return  # it is away: nothing of the active quorum is lost
    active = sum(1 for other in voters(disk) if other.id in connected)
    if active - 1 < 1 + (len(voters(disk)) - 1) // 2:
        raise unhealthy()


def may_promote(disk: Disk, ident: int, match: int | None, leader_match: int) -> None:
    """Refuse to promote who is unknown or has not caught up to nine tenths of the leader's log."""
    if match is None:
        raise not_found()
    if match < 0.9 * leader_match:
        raise _error("can only promote a learner member which is in sync with leader")
    started = 1 + sum(1 for one in voters(disk) if one.name)
    if started < (len(voters(disk)) + 1) // 2 + 1:
        raise not_enough_started()


class Context(msgspec.Struct, array_like=True, frozen=True):
    """What a conf entry carries for the application: the member, and whether a learner becomes a voter."""

    member: MemberInfo
    promote: bool = False


_decoder = msgspec.msgpack.Decoder(Context)


def change(op: str, member: MemberInfo, *, promote: bool = False) -> bytes:
    """A conf entry's content."""
    return confchange.encode(ConfChange(op, member.id, msgspec.msgpack.encode(Context(member, promote))))


def validate(disk: Disk, wanted: ConfChange, context: Context) -> EtcdError | None:
    """Why a committed change is void (ValidateConfigurationChange); None when it holds."""
    known = {one.id: one for one in disk.members}
    member = known.get(wanted.id)
    if wanted.id in disk.removed:
        return not_found()
    if wanted.op in (confchange.ADD, confchange.ADD_LEARNER):
        if context.promote:
            if member is None:
                return not_found()
            return None if member.is_learner else _error("can only promote a learner member")
        if member is not None:
            return _error("member ID already exist")
        taken = {url for one in known.values() for url in one.peer_urls}
        if taken & set(context.member.peer_urls):
            return _error("Peer URLs already exists")
        if context.member.is_learner and sum(1 for one in known.values() if one.is_learner) >= MAX_LEARNERS:
            return _error("too many learner members in cluster")
    elif member is None:
        return not_found()
    elif wanted.op == confchange.UPDATE:
        taken = {url for one in known.values() if one.id != wanted.id for url in one.peer_urls}
        if taken & set(context.member.peer_urls):
            return _error("Peer URLs already exists")
    return None


def apply(disk: Disk, data: bytes) -> tuple[ConfChange | None, EtcdError | None]:
    """Take a committed change into the list of members; returns what Raft shall do, None for a void one, and its error."""
    wanted = confchange.decode(data)
    context = _decoder.decode(wanted.context)
    error = validate(disk, wanted, context)
    if error is not None:
        return None, error
    members = {one.id: one for one in disk.members}
    if wanted.op == confchange.REMOVE:
        del members[wanted.id]
        disk.removed = [*disk.removed, wanted.id]
    elif wanted.op == confchange.UPDATE:
        members[wanted.id] = msgspec.structs.replace(members[wanted.id], peer_urls=context.member.peer_urls)
        if wanted.id == disk.member_id:
            disk.peer_urls = list(context.member.peer_urls)
    elif context.promote:
        members[wanted.id] = msgspec.structs.replace(members[wanted.id], is_learner=False)
    else:
        members[wanted.id] = context.member
    disk.members = sorted(members.values(), key=lambda one: one.id)
    return wanted, None


def describe(member: MemberInfo) -> dict[str, Any]:
    """A member as logs show it."""
    return {"ID": f"{member.id:x}", "PeerURLs": member.peer_urls, "Name": member.name, "ClientURLs": member.client_urls}
