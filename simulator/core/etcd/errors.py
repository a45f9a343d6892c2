"""etcd's errors with their gRPC codes and exact texts (api/v3rpc/rpctypes/error.go)."""

from __future__ import annotations

from typing import Any


class EtcdError(Exception):
    """An error that an etcd server answered; `grpc_code` is the canonical name, e.g. `OutOfRange`."""

    def __init__(self, message: str, grpc_code: str = "Unknown") -> None:
        super().__init__(message)
        self.message = message
        self.grpc_code = grpc_code


class Compacted(EtcdError):
    """The requested revision has been compacted away; `compact_revision` is the oldest that can be read, less one."""

    def __init__(self, compact_revision: int) -> None:
        super().__init__("etcdserver: mvcc: required revision has been compacted", "OutOfRange")
        self.compact_revision = compact_revision


def future_revision() -> EtcdError:
    """A read or compaction beyond the present."""
    return EtcdError("etcdserver: mvcc: required revision is a future revision", "OutOfRange")


def lease_not_found() -> EtcdError:
    """The lease does not exist or has expired."""
    return EtcdError("etcdserver: requested lease not found", "NotFound")


def empty_key() -> EtcdError:
    """A put or get without a key."""
    return EtcdError("etcdserver: key is not provided", "InvalidArgument")


def duplicate_key() -> EtcdError:
    """Two puts of one key in a transaction."""
    return EtcdError("etcdserver: duplicate key given in txn request", "InvalidArgument")


def timed_out() -> EtcdError:
    """No quorum, or no answer in time."""
    return EtcdError("etcdserver: request timed out", "Unavailable")


def no_space() -> EtcdError:
    """The database has reached its quota, and the NOSPACE alarm stands."""
    return EtcdError("etcdserver: mvcc: database space exceeded", "ResourceExhausted")


def leader_changed() -> EtcdError:
    """The leader changed while a read waited."""
    return EtcdError("etcdserver: leader changed", "Unavailable")


def not_for_learners() -> EtcdError:
    """A learner serves only its status and serializable reads."""
    return EtcdError("etcdserver: rpc not supported for learner", "FailedPrecondition")


class Waiting(EtcdError):
    """The member has taken a request and cannot answer it yet; `ticket` tells when it can.  Who cannot wait sees a time-out."""

    def __init__(self, ticket: Any) -> None:
        super().__init__("etcdserver: request timed out", "Unavailable")
        self.ticket = ticket
