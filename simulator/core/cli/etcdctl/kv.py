"""get, put, del, compaction (get_command.go, put_command.go, del_command.go, compaction_command.go)."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from ...etcd.errors import EtcdError
from ...etcd.mvcc import DeleteResult, KeyValue, Op, PutResult, RangeResult, TxnResult, prefix_end
from ...host.program import Sleep, Wait
from ...kernel.clock import SECOND
from ..cobra import Command
from ..flags import Flag, Values
from . import answers, render
from .session import EXIT_BAD_ARGS, EXIT_BAD_FEATURE, EXIT_ERROR, EXIT_IO, Failed, Session

Run = Generator[Wait, Any, int]
BOTH = "`--prefix` and `--from-key` cannot be set at the same time, choose one"
TOO_MANY = "too many arguments, only accept one argument when `--prefix` or `--from-key` is set"
PUT_NEEDS = "put command needs 1 argument and input from stdin or 2 arguments"
SORTS = {"": "key", "KEY": "key", "CREATE": "create_revision", "MODIFY": "mod_revision", "VERSION": "version", "VALUE": "value"}


def _parse_int(text: str, base: int = 10) -> int:
    try:
        return int(text, base)
    except ValueError:
        raise ValueError(f'strconv.ParseInt: parsing "{text}": invalid syntax') from None


def lease_id(text: str, what: str = "bad lease ID") -> int:
    """A lease id in hexadecimal."""
    try:
        return _parse_int(text, 16)
    except ValueError as error:
        raise Failed(EXIT_BAD_ARGS, f"{what} ({error}), expecting ID in Hex") from None


def span(session: Session, args: list[str], prefix: bool, from_key: bool) -> tuple[bytes, bytes]:
    """Key and range end from arguments and flags."""
    if prefix and from_key:
        raise Failed(EXIT_BAD_ARGS, BOTH)
    key = args[0].encode("utf-8", "surrogateescape")
    if len(args) > 1:
        if prefix or from_key:
            raise Failed(EXIT_BAD_ARGS, TOO_MANY)
        return key, args[1].encode("utf-8", "surrogateescape")
    if prefix:
        return (key, prefix_end(key)) if key else (b"\0", b"\0")
    if from_key:
        return key or b"\0", b"\0"
    return key, b""


def check_get(values: Values) -> tuple[str, str]:
    """What is wrong with the words of a `get`; else the sort order and what is sorted by, in capitals."""
    if not values.args:
        raise Failed(EXIT_BAD_ARGS, "get command needs one argument as key and an optional argument as range_end")
    if values.on("prefix") and values.on("from-key"):
        raise Failed(EXIT_BAD_ARGS, BOTH)
    if values.on("keys-only") and values.on("count-only"):
        raise Failed(EXIT_BAD_ARGS, "`--keys-only` and `--count-only` cannot be set at the same time, choose one")
    order, target = values.text("order").upper(), values.text("sort-by").upper()
    if values.text("consistency") not in ("l", "s"):
        raise Failed(EXIT_BAD_FEATURE, f"unknown consistency flag {session_quote(values.text('consistency'))}")
    if order not in ("", "ASCEND", "DESCEND"):
        raise Failed(EXIT_BAD_FEATURE, f"bad sort order {values.text('order')}")
    if target not in SORTS:
        raise Failed(EXIT_BAD_FEATURE, f"bad sort target {values.text('sort-by')}")
    for kind, name in (("create", "Create"), ("mod", "Mod")):
        low, high = values.number(f"min-{kind}-rev"), values.number(f"max-{kind}-rev")
        if 0 < high < low:
            raise Failed(EXIT_BAD_FEATURE, f"getMin{name}Rev(={low}) > getMax{name}Rev(={high})")
    return order, target


def get(session: Session) -> Run:
    """`etcdctl get`."""
    values = session.values
    order, target = check_get(values)
    if values.on("count-only") and session.form != "fields":
        raise Failed(EXIT_BAD_ARGS, "--count-only is only for `--write-out=fields`")
    if values.on("print-value-only") and session.form != "simple":
        raise Failed(EXIT_BAD_ARGS, "print-value-only is only for `--write-out=simple`")
    key, end = span(session, values.args, values.on("prefix"), values.on("from-key"))
    limit = max(0, values.number("limit"))
    plain = not target and not order
    found: RangeResult = yield from session.call(
        "KV/Range",
        key=key,
        range_end=end,
        revision=max(0, values.number("rev")),
        limit=limit if plain else 0,
        keys_only=values.on("keys-only"),
        count_only=values.on("count-only"),
        serializable=values.text("consistency") == "s",
    )
    if not plain:
        found.kvs.sort(key=lambda kv: getattr(kv, SORTS[target]), reverse=order == "DESCEND")
        if limit and len(found.kvs) > limit:
            found.kvs, found.more = found.kvs[:limit], True
    kvs = [kv for kv in found.kvs if _within(session, kv)]
    yield from print_range(session, RangeResult(kvs, found.count, found.more, found.revision), values.on("print-value-only"))
    return 0


def _within(session: Session, kv: KeyValue) -> bool:
    number = session.values.number
    low, high = number("min-create-rev"), number("max-create-rev")
    mod_low, mod_high = number("min-mod-rev"), number("max-mod-rev")
    return (
        (not low or kv.create_revision >= low)
        and (not high or kv.create_revision <= high)
        and (not mod_low or kv.mod_revision >= mod_low)
        and (not mod_high or kv.mod_revision <= mod_high)
    )


def session_quote(text: str) -> str:
    """Go's %q of a short text."""
    return render.quoted(text.encode())


def print_range(session: Session, found: RangeResult, value_only: bool = False) -> Run:
    """A range in the chosen format."""
    text = b"".join(answers.kv_text(session, kv, value_only=value_only) for kv in found.kvs)
    return (
        yield from answers.show(session, "RangeResponse", text, answers.range_body(found), answers.one_fields(session, found))
    )


def check_put(values: Values) -> None:
    """What is wrong with the words of a `put`, but for a value that is missing."""
    if not values.args:
        raise Failed(EXIT_BAD_ARGS, PUT_NEEDS)
    if values.on("ignore-value") and len(values.args) > 1:
        raise Failed(EXIT_BAD_ARGS, "put command needs only 1 argument when 'ignore-value' is set")


def put_op(values: Values, value: bytes) -> Op:
    """The request that a `put` makes."""
    return Op(
        kind="put", key=values.args[0].encode("utf-8", "surrogateescape"), value=value, lease=lease_id(values.text("lease")),
        prev_kv=values.on("prev-kv"), ignore_value=values.on("ignore-value"), ignore_lease=values.on("ignore-lease"),
    )  # fmt: skip


def put(session: Session) -> Run:
    """`etcdctl put`."""
    values = session.values
    args = values.args
    check_put(values)
    value = b""
    if not values.on("ignore-value"):
        value = args[1].encode("utf-8", "surrogateescape") if len(args) > 1 else (yield from session.inv.read())
        if len(args) == 1 and not value and not session.inv.stdin_tty:
            raise Failed(EXIT_BAD_ARGS, PUT_NEEDS)
    op = put_op(values, value)
    if op.ignore_lease and op.lease:
        raise EtcdError("etcdserver: lease is provided", "InvalidArgument")
    if op.ignore_value or op.ignore_lease:
        found: TxnResult = yield from session.call("KV/Txn", compare=(), success=(op,), failure=())
        answer = found.responses[0]
    else:
        answer = yield from session.call("KV/Put", key=op.key, value=value, lease=op.lease, prev_kv=op.prev_kv)
    assert isinstance(answer, PutResult)
    answer = PutResult(answer.revision, answer.prev if values.on("prev-kv") else None)
    text, fields = answers.one_text(session, answer), answers.one_fields(session, answer)
    return (yield from answers.show(session, "PutResponse", text, answers.put_body(answer), fields))


def check_delete(values: Values) -> None:
    """What is wrong with the words of a `del`."""
    if not values.args or len(values.args) > 2:
        raise Failed(EXIT_BAD_ARGS, "del command needs one argument as key and an optional argument as range_end")
    if values.on("prefix") and values.on("from-key"):
        raise Failed(EXIT_BAD_ARGS, BOTH)
    if len(values.args) > 1 and (values.on("prefix") or values.on("from-key")):
        raise Failed(EXIT_BAD_ARGS, TOO_MANY)


def _grace(session: Session, key: str, end: str) -> Generator[Wait, Any, None]:
    """Since 3.6 a range is deleted after a warning and two seconds, or at once with `--range`."""
    first, last = (render.quoted(word.encode("utf-8", "surrogateescape")) for word in (key, end))
    session.inv.err(
        f"Warning: Keys between {first} and {last} will be deleted. Please interrupt the command within next 2 seconds to cancel. "
        "You can provide `--range` flag to avoid the delay.\n"
    )
    yield Sleep(2 * SECOND)


def delete(session: Session) -> Run:
    """`etcdctl del`."""
    values = session.values
    check_delete(values)
    if len(values.args) > 1 and not values.on("range") and session.release >= (3, 6):
        yield from _grace(session, *values.args)
    key, end = span(session, values.args, values.on("prefix"), values.on("from-key"))
    answer: DeleteResult = yield from session.call("KV/DeleteRange", key=key, range_end=end, prev_kv=values.on("prev-kv"))
    text, fields = answers.one_text(session, answer), answers.one_fields(session, answer)
    return (yield from answers.show(session, "DeleteRangeResponse", text, answers.delete_body(answer), fields))


def compaction(session: Session) -> Run:
    """`etcdctl compaction`."""
    args = session.values.args
    if len(args) != 1:
        raise Failed(EXIT_BAD_ARGS, "compaction command needs 1 argument")
    try:
        revision = _parse_int(args[0])
    except ValueError as error:
        raise Failed(EXIT_ERROR, str(error)) from None
    yield from session.call("KV/Compact", revision=revision)
    session.inv.out(f"compacted revision {revision}\n")
    return 0


def _flag(name: str, usage: str, kind: str = "bool", **extra: Any) -> Flag:
    return Flag(name=name, kind=kind, usage=usage, no_opt="true" if kind == "bool" else "", **extra)


COMMANDS = (
    Command(
        "get [options] <key> [range_end]",
        short="Gets the key or a range of keys",
        run=get,
        flags=(
            _flag("consistency", "Linearizable(l) or Serializable(s)", "string", default="l"),
            _flag("order", "Order of results; ASCEND or DESCEND (ASCEND by default)", "string"),
            _flag("sort-by", "Sort target; CREATE, KEY, MODIFY, VALUE, or VERSION", "string"),
            _flag("limit", "Maximum number of results", "int64"),
            _flag("prefix", "Get keys with matching prefix"),
            _flag("from-key", "Get keys that are greater than or equal to the given key using byte compare"),
            _flag("rev", "Specify the kv revision", "int64"),
            _flag("keys-only", "Get only the keys"),
            _flag("count-only", "Get only the count"),
            _flag("print-value-only", 'Only write values when using the "simple" output format'),
            _flag("min-create-rev", "Minimum create revision", "int64"),
            _flag("max-create-rev", "Maximum create revision", "int64"),
            _flag("min-mod-rev", "Minimum modification revision", "int64"),
            _flag("max-mod-rev", "Maximum modification revision", "int64"),
        ),
    ),
    Command(
        "put [options] <key> <value> (<value> can also be given from stdin)",
        short="Puts the given key into the store",
        run=put,
        flags=(
            _flag("lease", "lease ID (in hexadecimal) to attach to the key", "string", default="0"),
            _flag("prev-kv", "return the previous key-value pair before modification"),
            _flag("ignore-value", "updates the key using its current value"),
            _flag("ignore-lease", "updates the key using its current lease"),
        ),
    ),
    Command(
        "del [options] <key> [range_end]",
        short="Removes the specified key or range of keys [key, range_end)",
        run=delete,
        flags=(
            _flag("prefix", "delete keys with matching prefix"),
            _flag("prev-kv", "return deleted key-value pairs"),
            _flag("from-key", "delete keys that are greater than or equal to the given key using byte compare"),
            _flag("range", "delete range of keys"),
        ),
    ),
    Command(
        "compaction [options] <revision>",
        short="Compacts the event history in etcd",
        aliases=("compact",),
        run=compaction,
        flags=(_flag("physical", "'true' to wait for compaction to physically remove all old revisions"),),
    ),
)

__all__ = ["COMMANDS", "EXIT_IO", "EtcdError"]
