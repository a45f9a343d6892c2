"""alarm, defrag, snapshot, check (alarm_command.go, defrag_command.go, snapshot_command.go, check.go)."""

from __future__ import annotations

import json
from collections.abc import Generator
from typing import Any, cast

from ...etcd.errors import EtcdError
from ...host import files
from ...host.invocation import Call
from ...host.program import Sleep, Wait
from ...kernel import clock
from ..cobra import Command
from . import answers, check, cluster, mirror, render
from .session import EXIT_BAD_ARGS, EXIT_ERROR, EXIT_INTERRUPTED, Failed, Session

Run = Generator[Wait, Any, int]

EXAMPLE = """\
  # Save snapshot to a given file
  etcdctl snapshot save /backup/etcd-snapshot.db
  
  # Get snapshot from given address and save it to file
  etcdctl snapshot save --endpoints=127.0.0.1:3000 /backup/etcd-snapshot.db
  
  # Get snapshot from given address with certificates
  etcdctl --endpoints=https://127.0.0.1:2379 --cacert=/etc/etcd/ca.crt --cert=/etc/etcd/etcd.crt --key=/etc/etcd/etcd.key snapshot save /backup/etcd-snapshot.db
  
  # Get snapshot wih certain user and password
  etcdctl --user=root --password=password123 snapshot save /backup/etcd-snapshot.db
  
  # Get snapshot from given address with timeout
  etcdctl --endpoints=https://127.0.0.1:2379 --dial-timeout=20s snapshot save /backup/etcd-snapshot.db
  
  # Save snapshot with desirable time format
  etcdctl snapshot save /mnt/backup/etcd/backup_$(date +%Y%m%d_%H%M%S).db"""  # noqa: W293


def alarm_list(session: Session) -> Run:
    """`etcdctl alarm list`."""
    if session.values.args:
        raise Failed(EXIT_BAD_ARGS, "alarm list command accepts no arguments")
    return (yield from _alarms(session, (yield from session.call("Maintenance/Alarm", action="GET"))))


def alarm_disarm(session: Session) -> Run:
    """`etcdctl alarm disarm`."""
    if session.values.args:
        raise Failed(EXIT_BAD_ARGS, "alarm disarm command accepts no arguments")
    gone = yield from session.call("Maintenance/Alarm", action="DEACTIVATE")
    if session.form == "json":  # the client library puts the answers to several requests together, without a header
        rows = [{"memberID": one.member_id, "alarm": 1} for one in gone]
        session.inv.out(render.dumps({"alarms": rows} if rows else {}))
        return 0
    return (yield from _alarms(session, gone))


def _alarms(session: Session, found: list[Any]) -> Run:
    text = "".join(f"{one}\n" for one in found)
    rows = [{"memberID": one.member_id, "alarm": 1} for one in found]
    ids = "x" if session.hex else "d"
    fields = "".join(f'"MemberID" : {one.member_id:{ids}}\n"AlarmType" : {one.alarm}\n\n' for one in found)
    return (yield from answers.show(session, "AlarmResponse", text, {"alarms": rows} if rows else {}, fields))


def defrag(session: Session) -> Run:
    """`etcdctl defrag`: one member after the other; the member serves nobody meanwhile."""
    endpoints = yield from cluster.endpoints(session)
    failures = 0
    for endpoint in endpoints:
        began = session.inv.world.now
        try:
            freed = yield from session.call("Maintenance/Defragment", endpoint)
        except (Failed, EtcdError) as error:
            took = render.duration(session.inv.world.now - began)
            session.inv.err(f"Failed to defragment etcd member[{endpoint}]. took {took}. ({error})\n")
            failures += 1
            continue
        yield Sleep(3 * clock.MS + max(0, freed) // 100)  # about 100 MB a second
        took = render.duration(session.inv.world.now - began + session.inv.world.rng("etcdctl").between(0, 999_999))
        session.inv.out(f"Finished defragmenting etcd member[{endpoint}]. took {took}\n")
    return EXIT_ERROR if failures else 0


def _info(session: Session, line: int, msg: str, **fields: Any) -> None:
    """A line of the snapshot library's logger, on standard error."""
    row = {
        "level": "info",
        "ts": clock.rfc3339_micro(session.inv.world.wall),
        "caller": f"snapshot/v3_snapshot.go:{line}",
        "msg": msg,
        **fields,
    }
    session.inv.err(json.dumps(row, separators=(",", ":"), ensure_ascii=False) + "\n")


def snapshot_save(session: Session) -> Run:
    """`etcdctl snapshot save FILE`: fetch into `FILE.part`, then rename."""
    args = session.values.args
    if len(args) != 1:
        raise Failed(EXIT_BAD_ARGS, "snapshot save expects one argument <filename>")
    call, path = cast(Call, session.inv), args[0]
    if len(session.endpoints) != 1:
        told = " ".join(session.endpoints)
        raise Failed(EXIT_INTERRUPTED, f"snapshot must be requested to one selected node, not multiple [{told}]")
    part = f"{path}.part"
    try:
        call.write_file(part, b"", mode=0o600)
    except OSError as error:
        text = f"could not open {part} (open {part}: {(error.strerror or '').lower()})"
        raise Failed(EXIT_INTERRUPTED, text) from None
    _info(session, 83, "created temporary db file", path=part)
    began = session.inv.world.now
    try:
        data, storage = yield from session.call("Maintenance/Snapshot", logger="client")
        _info(session, 96, "fetching snapshot", endpoint=session.endpoints[0])
        yield Sleep(2 * clock.MS + len(data) // 200)
        call.write_file(part, data, mode=0o600)
        took = render.duration(session.inv.world.now - began)
        size = render.size(len(data))
        more = {"etcd-version": storage} if storage else {}
        _info(session, 111, "fetched snapshot", endpoint=session.endpoints[0], size=size, took=took, **more)
        files.rename_file(call.world, call.host, call.path(part), call.path(path), mnt=call.proc.mnt)
    except (Failed, EtcdError) as error:
        files.remove_file(call.world, call.host, call.path(part), mnt=call.proc.mnt)
        raise Failed(EXIT_INTERRUPTED, str(error)) from None
    _info(session, 121, "saved", path=path)
    session.inv.out(f"Snapshot saved at {path}\n")
    if storage:
        session.inv.out(f"Server version {storage}\n")
    return 0


COMMANDS = (
    Command(
        "alarm <subcommand>",
        short="Alarm related commands",
        commands=(
            Command("disarm", short="Disarms all alarms", run=alarm_disarm),
            Command("list", short="Lists all alarms", run=alarm_list),
        ),
    ),
    Command(
        "defrag",
        short="Defragments the storage of the etcd members with given endpoints",
        run=defrag,
        flags=(cluster.CLUSTER,),
    ),
    Command(
        "snapshot <subcommand>",
        short="Manages etcd node snapshots",
        example=EXAMPLE,
        commands=(
            Command(
                "save <filename>",
                short="Stores an etcd node backend snapshot to a given file",
                run=snapshot_save,
                example=EXAMPLE,
            ),
        ),
    ),
    check.COMMAND,
    mirror.COMMAND,
)  # fmt: skip
