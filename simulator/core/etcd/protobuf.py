"""etcd's messages on the wire: a small protobuf codec over the field numbers of api/etcdserverpb/rpc.proto, mvccpb/kv.proto and authpb/auth.proto.

A message is a dict as the JSON gateway has it (gateway_json.py): proto field names, bytes in base64, enums by name or number, 64-bit numbers as
numbers or texts, zero values left out.  So one set of routes serves JSON and gRPC.  A schema line is `name=number` and a type: `b` bytes,
`s` string, `i` integer, `f` bool, `e<Enum>`, `m<Message>`; `*` before it for repeated.
"""

from __future__ import annotations

import base64
from typing import Any

Body = dict[str, Any]

ENUMS: dict[str, tuple[str, ...]] = {
    "Alarm": ("NONE", "NOSPACE", "CORRUPT"),
    "Event": ("PUT", "DELETE"),
    "Perm": ("READ", "WRITE", "READWRITE"),
    "Any": (),
}

_SCHEMA = """
ResponseHeader cluster_id=1i member_id=2i revision=3i raft_term=4i
KeyValue key=1b create_revision=2i mod_revision=3i version=4i value=5b lease=6i
Event type=1eEvent kv=2mKeyValue prev_kv=3mKeyValue
Permission permType=1ePerm key=2b range_end=3b
UserAddOptions no_password=1f
RangeRequest key=1b range_end=2b limit=3i revision=4i sort_order=5i sort_target=6i serializable=7f keys_only=8f count_only=9f min_mod_revision=10i max_mod_revision=11i min_create_revision=12i max_create_revision=13i
RangeResponse header=1mResponseHeader kvs=2*mKeyValue more=3f count=4i
PutRequest key=1b value=2b lease=3i prev_kv=4f ignore_value=5f ignore_lease=6f
PutResponse header=1mResponseHeader prev_kv=2mKeyValue
DeleteRangeRequest key=1b range_end=2b prev_kv=3f
DeleteRangeResponse header=1mResponseHeader deleted=2i prev_kvs=3*mKeyValue
RequestOp request_range=1mRangeRequest request_put=2mPutRequest request_delete_range=3mDeleteRangeRequest request_txn=4mTxnRequest
ResponseOp response_range=1mRangeResponse response_put=2mPutResponse response_delete_range=3mDeleteRangeResponse response_txn=4mTxnResponse
Compare result=1i target=2i key=3b version=4i create_revision=5i mod_revision=6i value=7b lease=8i range_end=64b
TxnRequest compare=1*mCompare success=2*mRequestOp failure=3*mRequestOp
TxnResponse header=1mResponseHeader succeeded=2f responses=3*mResponseOp
CompactionRequest revision=1i physical=2f
CompactionResponse header=1mResponseHeader
HashRequest
HashKVRequest revision=1i
HashKVResponse header=1mResponseHeader hash=2i compact_revision=3i hash_revision=4i
HashResponse header=1mResponseHeader hash=2i
SnapshotRequest
SnapshotResponse header=1mResponseHeader remaining_bytes=2i blob=3b version=4s
WatchRequest create_request=1mWatchCreateRequest cancel_request=2mWatchCancelRequest progress_request=3mWatchProgressRequest
WatchCreateRequest key=1b range_end=2b start_revision=3i progress_notify=4f filters=5*i prev_kv=6f watch_id=7i fragment=8f
WatchCancelRequest watch_id=1i
WatchProgressRequest
WatchResponse header=1mResponseHeader watch_id=2i created=3f canceled=4f compact_revision=5i cancel_reason=6s fragment=7f events=11*mEvent
LeaseGrantRequest TTL=1i ID=2i
LeaseGrantResponse header=1mResponseHeader ID=2i TTL=3i error=4s
LeaseRevokeRequest ID=1i
LeaseRevokeResponse header=1mResponseHeader
LeaseKeepAliveRequest ID=1i
LeaseKeepAliveResponse header=1mResponseHeader ID=2i TTL=3i
LeaseTimeToLiveRequest ID=1i keys=2f
LeaseTimeToLiveResponse header=1mResponseHeader ID=2i TTL=3i grantedTTL=4i keys=5*b
LeaseLeasesRequest
LeaseStatus ID=1i
LeaseLeasesResponse header=1mResponseHeader leases=2*mLeaseStatus
Member ID=1i name=2s peerURLs=3*s clientURLs=4*s isLearner=5f
MemberAddRequest peerURLs=1*s isLearner=2f
MemberAddResponse header=1mResponseHeader member=2mMember members=3*mMember
MemberRemoveRequest ID=1i
MemberRemoveResponse header=1mResponseHeader members=2*mMember
MemberUpdateRequest ID=1i peerURLs=2*s
MemberUpdateResponse header=1mResponseHeader members=2*mMember
MemberListRequest linearizable=1f
MemberListResponse header=1mResponseHeader members=2*mMember
MemberPromoteRequest ID=1i
MemberPromoteResponse header=1mResponseHeader members=2*mMember
DefragmentRequest
DefragmentResponse header=1mResponseHeader
MoveLeaderRequest targetID=1i
MoveLeaderResponse header=1mResponseHeader
AlarmRequest action=1i memberID=2i alarm=3i
AlarmMember memberID=1i alarm=2eAlarm
AlarmResponse header=1mResponseHeader alarms=2*mAlarmMember
StatusRequest
DowngradeInfo enabled=1f targetVersion=2s
StatusResponse header=1mResponseHeader version=2s dbSize=3i leader=4i raftIndex=5i raftTerm=6i raftAppliedIndex=7i errors=8*s dbSizeInUse=9i isLearner=10f storageVersion=11s dbSizeQuota=12i downgradeInfo=13mDowngradeInfo
AuthEnableRequest
AuthEnableResponse header=1mResponseHeader
AuthDisableRequest
AuthDisableResponse header=1mResponseHeader
AuthStatusRequest
AuthStatusResponse header=1mResponseHeader enabled=2f authRevision=3i
AuthenticateRequest name=1s password=2s
AuthenticateResponse header=1mResponseHeader token=2s
AuthUserAddRequest name=1s password=2s options=3mUserAddOptions hashedPassword=4s
AuthUserAddResponse header=1mResponseHeader
AuthUserGetRequest name=1s
AuthUserGetResponse header=1mResponseHeader roles=2*s
AuthUserListRequest
AuthUserListResponse header=1mResponseHeader users=2*s
AuthUserDeleteRequest name=1s
AuthUserDeleteResponse header=1mResponseHeader
AuthUserChangePasswordRequest name=1s password=2s hashedPassword=3s
AuthUserChangePasswordResponse header=1mResponseHeader
AuthUserGrantRoleRequest user=1s role=2s
AuthUserGrantRoleResponse header=1mResponseHeader
AuthUserRevokeRoleRequest name=1s role=2s
AuthUserRevokeRoleResponse header=1mResponseHeader
AuthRoleAddRequest name=1s
AuthRoleAddResponse header=1mResponseHeader
AuthRoleGetRequest role=1s
AuthRoleGetResponse header=1mResponseHeader perm=2*mPermission
AuthRoleListRequest
AuthRoleListResponse header=1mResponseHeader roles=2*s
AuthRoleDeleteRequest role=1s
AuthRoleDeleteResponse header=1mResponseHeader
AuthRoleGrantPermissionRequest name=1s perm=2mPermission
AuthRoleGrantPermissionResponse header=1mResponseHeader
AuthRoleRevokePermissionRequest role=1s key=2b range_end=3b
AuthRoleRevokePermissionResponse header=1mResponseHeader
"""


class Field:
    """One field of a message: number, repeated, kind (a letter) and the name of its message or enum."""

    __slots__ = ("kind", "name", "number", "of", "repeated")

    def __init__(self, text: str) -> None:
        self.name, _, rest = text.partition("=")
        digits = len(rest) - len(rest.lstrip("0123456789"))
        self.number, rest = int(rest[:digits]), rest[digits:]
        self.repeated = rest.startswith("*")
        rest = rest.lstrip("*")
        self.kind, self.of = rest[0], rest[1:]


MESSAGES: dict[str, list[Field]] = {
    line.split()[0]: [Field(word) for word in line.split()[1:]] for line in _SCHEMA.strip().splitlines()
}
_BY_NUMBER = {name: {field.number: field for field in fields} for name, fields in MESSAGES.items()}


class BadMessage(ValueError):
    """Bytes that are no message of that type."""


def varint(number: int) -> bytes:
    """A base-128 varint; negative numbers as 64-bit two's complement."""
    number &= (1 << 64) - 1
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    out.append(number)
    return bytes(out)


def encode(name: str, body: Body) -> bytes:
    """A message of that type; members of oneofs that are there are written even when they are empty."""
    out = bytearray()
    for field in MESSAGES[name]:
        value = body.get(field.name)
        if value is None or (not field.repeated and field.kind != "m" and value in (0, "", False, "0")):
            continue
        for one in value if field.repeated else (value,):
            out += _field(field, one)
    return bytes(out)


def _field(field: Field, value: Any) -> bytes:
    if field.kind in ("i", "f"):
        return varint(field.number << 3) + varint(int(value))
    if field.kind == "e":
        names = ENUMS[field.of]
        number = names.index(value) if isinstance(value, str) else int(value)
        return varint(field.number << 3) + varint(number) if number or field.repeated else b""
    if field.kind == "m":
        data = encode(field.of, value)
    elif field.kind == "b":
        data = base64.b64decode(value) if isinstance(value, str) else bytes(value)
    else:
        data = str(value).encode()
    return varint(field.number << 3 | 2) + varint(len(data)) + data


def _read_varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        if at >= len(data) or shift > 63:
            raise BadMessage("unexpected end of a number")
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
        shift += 7


def _signed(value: int) -> int:
    return value - (1 << 64) if value >= 1 << 63 else value


def decode(name: str, data: bytes) -> Body:
    """The fields of a message that were sent; unknown ones are passed over.  Raises BadMessage."""
    fields, at = _BY_NUMBER[name], 0
    body: Body = {}
    while at < len(data):
        key, at = _read_varint(data, at)
        field, wire = fields.get(key >> 3), key & 7
        value: Any
        if wire == 0:
            value, at = _read_varint(data, at)
        elif wire == 2:
            size, at = _read_varint(data, at)
            if at + size > len(data):
                raise BadMessage("unexpected end of a field")
            value, at = data[at : at + size], at + size
        elif wire in (1, 5):
            at += 8 if wire == 1 else 4
            continue
        else:
            raise BadMessage(f"wire type {wire}")
        if field is None:
            continue
        _store(body, field, value)
    return body


def _store(body: Body, field: Field, value: Any) -> None:
    if isinstance(value, bytes) and field.kind in ("i", "e", "f"):  # packed
        at = 0
        while at < len(value):
            one, at = _read_varint(value, at)
            body.setdefault(field.name, []).append(_signed(one))
        return
    if isinstance(value, int):
        read: Any = bool(value) if field.kind == "f" else _signed(value)
        if field.name in ("cluster_id", "member_id", "memberID", "ID", "targetID", "leader") and value >= 1 << 63:
            read = value
    elif field.kind == "m":
        read = decode(field.of, value)
    elif field.kind == "b":
        read = base64.b64encode(value).decode()
    else:
        read = value.decode("utf-8", "replace")
    if field.repeated:
        body.setdefault(field.name, []).append(read)
    else:
        body[field.name] = read
