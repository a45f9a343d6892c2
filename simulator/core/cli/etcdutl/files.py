"""What etcdutl does with files: read a database, status and hash, restore, defragment (etcdutl/etcdutl/*.go).

`etcdctl snapshot status|restore` of releases before 3.6 do the same (etcdctl/ctlv3/command/snapshot_command.go of 3.4).
"""

from __future__ import annotations

import json
import posixpath
from typing import Any, cast

from ...etcd import backup
from ...etcd.member import section
from ...host import files, users
from ...host.invocation import Call
from ...host.program import Invocation
from ...kernel import clock
from ..etcdctl import render
from ..flags import Flag, Values

EXIT_ERROR, EXIT_BAD_FEATURE, EXIT_BAD_ARGS = 1, 4, 128
DEFAULT_PEER = "http://localhost:2380"

RESTORE_FLAGS = (
    Flag(name="data-dir", usage="Path to the output data directory"),
    Flag(name="wal-dir", usage="Path to the WAL directory (use --data-dir if none given)"),
    Flag(name="initial-cluster", default=f"default={DEFAULT_PEER}", usage="Initial cluster configuration for restore bootstrap"),
    Flag(
        name="initial-cluster-token",
        default="etcd-cluster",
        usage="Initial cluster token for the etcd cluster during restore bootstrap",
    ),
    Flag(
        name="initial-advertise-peer-urls",
        default=DEFAULT_PEER,
        usage="List of this member's peer URLs to advertise to the rest of the cluster",
    ),
    Flag(name="name", default="default", usage="Human-readable name for this member"),
    Flag(
        name="skip-hash-check",
        kind="bool",
        no_opt="true",
        usage="Ignore snapshot integrity hash value (required if copied from data directory)",
    ),
)
NEW_RESTORE_FLAGS = (
    *RESTORE_FLAGS,
    Flag(
        name="initial-memory-map-size",
        kind="uint64",
        default=10_737_418_240,
        usage="Initial memory map size of the database in bytes. It uses the default value if not defined or defined to 0",
    ),
    Flag(name="bump-revision", kind="uint64", default=0, usage="How much to increase the latest revision after restore"),
    Flag(
        name="mark-compacted",
        kind="bool",
        no_opt="true",
        usage="Mark the latest revision after restore as the point of scheduled compaction (required if --bump-revision > 0, disallowed otherwise)",
    ),
)


class Stop(Exception):
    """The command ends with `Error: …` and this status."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


def info(inv: Invocation, caller: str, msg: str, **fields: Any) -> None:
    """A line of zap's console encoder on standard error."""
    stamp = clock.rfc3339(inv.world.wall)
    inv.err(f"{stamp}\tinfo\t{caller}\t{msg}\t{json.dumps(fields, ensure_ascii=False)}\n")


def read(inv: Invocation, path: str, verb: str) -> bytes:
    """A file, or Stop with Go's text."""
    try:
        return inv.read_file(path)
    except OSError as error:
        raise Stop(EXIT_ERROR, f"{verb} {path}: {(error.strerror or '').lower()}") from None


def status(inv: Invocation, path: str, form: str, version: str) -> None:
    """`snapshot status`: hash, revision, keys, size, and from 3.6 on the storage version."""
    data = read(inv, path, "stat")
    if not data:  # bbolt takes an empty file for a new database and cannot write its first pages read-only
        raise Stop(EXIT_ERROR, f"write {path}: bad file descriptor")
    try:
        found = backup.status(inv.world, data)
    except backup.BackupError as error:
        raise Stop(EXIT_ERROR, str(error)) from None
    new = tuple(int(part) for part in version.split(".")[:2]) >= (3, 6)
    keys = found.total_keys if new else found.rows
    rows = [f"{found.hash:x}", str(found.revision), str(keys), render.size(found.total_size)]
    head = ["HASH", "REVISION", "TOTAL KEYS", "TOTAL SIZE"]
    body: dict[str, Any] = {"hash": found.hash, "revision": found.revision, "totalKey": keys, "totalSize": found.total_size}
    fields = f'"Hash" : {found.hash}\n"Revision" : {found.revision}\n"Keys" : {keys}\n"Size" : {found.total_size}\n'
    if new:
        rows, head, body = [*rows, found.version], [*head, "VERSION"], {**body, "version": found.version}
        fields += f'"Version" : {found.version}\n'
    show(inv, form, head, rows, body, fields)


def hash_kv(inv: Invocation, path: str, form: str, revision: int) -> None:
    """`etcdutl hashkv`."""
    disk = backup.read(inv.world, read(inv, path, "stat"))
    if disk is None:
        raise Stop(EXIT_ERROR, "invalid database")
    if revision > disk.store.revision:
        raise Stop(EXIT_ERROR, "mvcc: required revision is a future revision")
    if 0 < revision < disk.store.compacted:
        raise Stop(EXIT_ERROR, "mvcc: required revision has been compacted")
    value, at, compacted = backup.content_hash(disk.store, revision), revision or disk.store.revision, disk.store.compacted or -1
    head = ["HASH", "HASH REVISION", "COMPACT REVISION"]
    body = {"hash": value, "hashRevision": at, "compactRevision": compacted}
    fields = f'"Hash" : {value}\n"Hash revision" : {at}\n"Compact revision" : {compacted}\n'
    show(inv, form, head, [str(value), str(at), str(compacted)], body, fields)


def show(inv: Invocation, form: str, head: list[str], row: list[str], body: dict[str, Any], fields: str) -> None:
    """One row in the chosen format (printer*.go)."""
    if form == "json":
        inv.out(render.dumps(body))
    elif form == "table":
        inv.out(render.table(head, [row]))
    elif form == "fields":
        inv.out(fields)
    elif form == "simple":
        inv.out(", ".join(row) + "\n")
    elif form == "protobuf":
        raise Stop(EXIT_BAD_FEATURE, "marshal unsupported for type snapshot.Status")
    else:
        raise Stop(EXIT_BAD_FEATURE, "unsupported output format")


def restore(inv: Invocation, values: Values) -> None:
    """`snapshot restore FILE`: a data directory of a new cluster with the snapshot's keys."""
    if len(values.args) != 1:
        raise Stop(EXIT_BAD_ARGS, "snapshot restore requires exactly one argument")
    bump = values.number("bump-revision") if values.has("bump-revision") else 0
    if bool(bump) != (values.has("mark-compacted") and values.on("mark-compacted")):
        raise Stop(EXIT_BAD_ARGS, "--mark-compacted required if --revision-bump > 0")
    call, name, source = cast(Call, inv), values.text("name"), values.args[0]
    data_dir = values.text("data-dir") or f"{name}.etcd"
    wal_dir = values.text("wal-dir") or f"{data_dir}/member/wal"
    wanted = backup.Restore(
        name=name,
        cluster=values.text("initial-cluster"),
        token=values.text("initial-cluster-token"),
        peer_urls=values.text("initial-advertise-peer-urls").split(","),
        skip_hash_check=values.on("skip-hash-check"),
        bump=bump,
    )
    if wrong := backup.bootstrap_error(wanted):
        raise Stop(EXIT_ERROR, wrong)
    if call.exists(data_dir) and (not call.isdir(data_dir) or call.tree.listdir(call.path(data_dir))):
        raise Stop(EXIT_ERROR, f'data-dir "{data_dir}" not empty or could not be read')
    if values.text("wal-dir") and call.exists(wal_dir):
        raise Stop(EXIT_ERROR, f'wal-dir "{wal_dir}" exists')
    where = {"path": source, "wal-dir": wal_dir, "data-dir": data_dir, "snap-dir": f"{data_dir}/member/snap"}
    where_all = {**where, "initial-memory-map-size": values.number("initial-memory-map-size")} if values.has(
        "initial-memory-map-size") else where  # fmt: skip
    info(inv, "snapshot/v3_snapshot.go:305", "restoring snapshot", **where_all)
    data = read(inv, source, "open")
    try:
        database, log = backup.restore(inv.world, data, wanted)
    except backup.BackupError as error:
        raise Stop(EXIT_ERROR, str(error)) from None
    for directory in (f"{data_dir}/member/snap", wal_dir):
        make_dirs(call, directory)
    _write(call, f"{data_dir}/member/snap/db", database)
    _write(call, f"{wal_dir}/0000000000000000-0000000000000000.wal", log)
    info(inv, "snapshot/v3_snapshot.go:333", "restored snapshot", **where_all)


def _write(call: Call, path: str, data: bytes) -> None:
    try:
        call.write_file(path, data, mode=0o600)
    except OSError as error:
        raise Stop(EXIT_ERROR, f"open {path}: {(error.strerror or '').lower()}") from None


def make_dirs(call: Call, directory: str) -> None:
    """`mkdir -p` with mode 0700, as far as this user may."""
    path = call.path(directory)
    above = path
    while not call.tree.exists(above):
        above = posixpath.dirname(above)
    if above == path:
        return
    try:
        users.check(call.tree, above, call.proc.user, users.WRITE)
        files.make_dir(call.world, call.host, path, mnt=call.proc.mnt, parents=True, mode=0o700, uid=call.uid, gid=call.gid)
    except OSError as error:
        raise Stop(EXIT_ERROR, f"mkdir {directory}: {(error.strerror or '').lower()}") from None


def defragment(inv: Invocation, data_dir: str) -> None:
    """`etcdutl defrag`: the same as the server's, on a database that nobody uses."""
    path = f"{data_dir}/member/snap/db"
    prefix = f"Failed to defragment etcd data[{data_dir}]"
    try:
        data = inv.read_file(path)
    except OSError as error:
        raise Stop(EXIT_ERROR, f"{prefix} (stat {path}: {(error.strerror or '').lower()})") from None
    running = backup.reference(data)
    if running and any(member.disk == running for member in section(inv.world).running.values()):
        raise Stop(EXIT_ERROR, f"{prefix} (the member that uses this directory runs; etcdutl would wait for its lock)")
    disk = backup.read(inv.world, data)
    if disk is None:
        raise Stop(EXIT_ERROR, f"{prefix} (invalid database)")
    before, used = backup.compact_file(disk)
    opened = f"{clock.rfc3339(inv.world.wall)}\tinfo\tbbolt\tbbolt@v1.4.3/db.go:322\tOpening bbolt db ({path}) successfully\n"
    inv.err(opened)
    info(
        inv,
        "backend/backend.go:522",
        "defragmenting",
        **{
            "path": path,
            "current-db-size-bytes": before,
            "current-db-size": render.size(before),
            "current-db-size-in-use-bytes": used,
            "current-db-size-in-use": render.size(used),
        },
    )
    if not running:
        inv.write_file(path, backup.encode(disk), mode=0o600)
    inv.err(opened)
    now = {"path": path, "current-db-size-bytes-diff": disk.file_size - before, "current-db-size-bytes": disk.file_size}
    info(inv, "backend/backend.go:592", "finished defragmenting directory", **now)
