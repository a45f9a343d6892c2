"""endpoint and version (ep_command.go, version_command.go)."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from ...etcd.errors import EtcdError
from ...host.program import Sleep, Wait
from ...kernel.clock import MS
from ..cobra import Command
from ..flags import Flag
from . import render
from .session import EXIT_BAD_FEATURE, EXIT_ERROR, Failed, Session

Run = Generator[Wait, Any, int]


def version(session: Session) -> Run:
    """`etcdctl version`."""
    yield Sleep(MS)
    minor = ".".join(session.version.split(".")[:2])
    session.inv.out(f"etcdctl version: {session.version}\nAPI version: {minor}\n")
    return 0


def endpoints(session: Session) -> Generator[Wait, Any, list[str]]:
    """The endpoints that were given, or with `--cluster` those of all members."""
    if not session.values.on("cluster"):
        return session.endpoints
    try:
        found = yield from session.call("Cluster/MemberList")
    except (EtcdError, Failed) as error:
        raise Failed(EXIT_ERROR, f"failed to fetch endpoints from etcd cluster member list: {error}") from None
    return [url for m in found for url in m.client_urls]


def health(session: Session) -> Run:
    """`etcdctl endpoint health`."""
    wanted = yield from endpoints(session)
    _refuse(session)
    rows: list[tuple[str, bool, str, str]] = []
    for endpoint in wanted:
        began = session.inv.world.now
        try:
            yield from session.call("KV/Range", endpoint, logger="client", key=b"health")
            alarms = []
            if session.release >= (3, 5):  # earlier ones ask for a key alone
                alarms = [one.alarm for one in (yield from session.call("Maintenance/Alarm", endpoint, action="GET"))]
            took = render.duration(session.inv.world.now - began + session.inv.world.rng("etcdctl").between(900_000, 4_000_000))
            rows.append((endpoint, not alarms, took, "Active Alarm(s): " + ", ".join(alarms) if alarms else ""))
        except Failed as error:
            rows.append((endpoint, False, render.duration(session.timeout), str(error)))
        except EtcdError as error:
            if error.grpc_code == "PermissionDenied":  # the proposal went through (ep_command.go)
                took = render.duration(
                    session.inv.world.now - began + session.inv.world.rng("etcdctl").between(900_000, 4_000_000)
                )
                rows.append((endpoint, True, took, ""))
                continue
            rows.append((endpoint, False, render.duration(session.inv.world.now - began), error.message))
    healthy = all(row[1] for row in rows)
    if session.form == "json":
        out = []
        for endpoint, ok, took, error_text in rows:
            out.append({"endpoint": endpoint, "health": ok, "took": took, **({"error": error_text} if error_text else {})})
        session.inv.out(render.dumps(out))
    elif session.form == "table":
        cells = [[e, "true" if ok else "false", took, error_text] for e, ok, took, error_text in rows]
        session.inv.out(render.table(["ENDPOINT", "HEALTH", "TOOK", "ERROR"], cells))
    elif session.form == "fields":
        for endpoint, ok, took, error_text in rows:
            session.inv.out(f'"Endpoint" : "{endpoint}"\n"Health" : {_word(ok)}\n"Took" : {took}\n"Error" : {error_text}\n\n')
    else:
        for endpoint, ok, took, error_text in rows:
            if ok:
                say = (
                    session.inv.out if session.release >= (3, 5) else session.inv.err
                )  # earlier releases print nothing on standard output
                say(f"{endpoint} is healthy: successfully committed proposal: took = {took}\n")
            else:
                session.inv.err(f"{endpoint} is unhealthy: failed to commit proposal: {error_text}\n")
    if not healthy:
        raise Failed(EXIT_ERROR, "unhealthy cluster")
    return 0


def _refuse(session: Session) -> None:
    """Answers about endpoints are no messages."""
    if session.form == "protobuf":
        raise Failed(EXIT_BAD_FEATURE, "protobuf not supported as output format")


def status(session: Session) -> Run:
    """`etcdctl endpoint status`."""
    wanted = yield from endpoints(session)
    _refuse(session)
    found, code = [], 0
    for endpoint in wanted:
        try:
            found.append((endpoint, (yield from session.call("Maintenance/Status", endpoint))))
        except (Failed, EtcdError) as error:
            session.inv.err(f"Failed to get the status of endpoint {endpoint} ({error})\n")
            code = EXIT_ERROR
    if session.form == "json":
        session.inv.out(render.dumps([_status_json(e, s) for e, s in found]) if found else "")
        return code
    rows = []
    for endpoint, s in found:
        unused = 100 - s.db_size_in_use * 100 // s.db_size
        rows.append(
            [endpoint, f"{s.member_id:x}", s.version, s.storage_version, render.size(s.db_size), render.size(s.db_size_in_use), f"{unused}%",
             render.size(s.quota), _word(s.leader == s.member_id), _word(s.is_learner), str(s.raft_term), str(s.raft_index),
             str(s.raft_index), ", ".join(s.errors), "", "false"]
        )  # fmt: skip
    if session.release < (3, 6) and session.form in ("table", "simple"):
        _old_status(session, found)
        return code
    if session.form == "table":
        head = ["ENDPOINT", "ID", "VERSION", "STORAGE VERSION", "DB SIZE", "IN USE", "PERCENTAGE NOT IN USE", "QUOTA", "IS LEADER",
                "IS LEARNER", "RAFT TERM", "RAFT INDEX", "RAFT APPLIED INDEX", "ERRORS", "DOWNGRADE TARGET VERSION",
                "DOWNGRADE ENABLED"]  # fmt: skip
        session.inv.out(render.table(head, rows))
    elif session.form == "simple":
        session.inv.out("".join(", ".join(row) + "\n" for row in rows))
    else:
        for endpoint, s in found:
            session.inv.out(_status_fields(endpoint, s, session.hex))
    return code


def _old_status(session: Session, found: list[tuple[str, Any]]) -> None:
    """The columns of releases before 3.6."""
    head = [
        "ENDPOINT",
        "ID",
        "VERSION",
        "DB SIZE",
        "IS LEADER",
        "IS LEARNER",
        "RAFT TERM",
        "RAFT INDEX",
        "RAFT APPLIED INDEX",
        "ERRORS",
    ]
    rows = [
        [endpoint, f"{s.member_id:x}", s.version, render.size(s.db_size), _word(s.leader == s.member_id), _word(s.is_learner),
         str(s.raft_term), str(s.raft_index), str(s.raft_index), ", ".join(s.errors)]
        for endpoint, s in found
    ]  # fmt: skip
    session.inv.out(render.table(head, rows) if session.form == "table" else "".join(", ".join(row) + "\n" for row in rows))


def _word(value: bool) -> str:
    return "true" if value else "false"


def _header_of(s: Any) -> dict[str, int]:
    """The header of a member's own answer."""
    return {"cluster_id": s.cluster_id, "member_id": s.member_id, "revision": s.revision, "raft_term": s.raft_term}


def _status_json(endpoint: str, s: Any) -> dict[str, Any]:
    body: dict[str, Any] = {
        "header": _header_of(s), "version": s.version, "dbSize": s.db_size, "leader": s.leader, "raftIndex": s.raft_index,
        "raftTerm": s.raft_term, "raftAppliedIndex": s.raft_index, **({"errors": s.errors} if s.errors else {}), "dbSizeInUse": s.db_size_in_use, **({"storageVersion": s.storage_version} if s.storage_version else {}),
        "dbSizeQuota": s.quota, "downgradeInfo": {},
    }  # fmt: skip
    return {"Endpoint": endpoint, "Status": body}


def _status_fields(endpoint: str, s: Any, hexed: bool) -> str:
    rows = (
        ("Version", f'"{s.version}"'), ("StorageVersion", f'"{s.storage_version}"'), ("DBSize", s.db_size), ("DBSizeInUse", s.db_size_in_use),
        ("DBSizeQuota", s.quota), ("Leader", s.leader), ("IsLearner", _word(s.is_learner)), ("RaftIndex", s.raft_index),
        ("RaftTerm", s.raft_term), ("RaftAppliedIndex", s.raft_index), ("Errors", "[" + " ".join(s.errors) + "]"),
        ("Endpoint", f'"{endpoint}"'), ("DowngradeTargetVersion", '""'), ("DowngradeEnabled", "false"),
    )  # fmt: skip
    return render.header_fields(_header_of(s), hexed) + "".join(f'"{n}" : {v}\n' for n, v in rows) + "\n"


def hash_kv(session: Session) -> Run:
    """`etcdctl endpoint hashkv`."""
    wanted = yield from endpoints(session)
    _refuse(session)
    failed, revision = "", session.values.number("rev")
    bodies, rows, fields = [], [], ""
    for endpoint in wanted:
        try:
            value, compacted = yield from session.call("Maintenance/HashKV", endpoint, revision=revision)
            found = yield from session.call("Maintenance/Status", endpoint)
        except (Failed, EtcdError) as error:
            session.inv.err(f"Failed to get the hash of endpoint {endpoint} ({error})\n")
            failed = str(error)
            continue
        header, at = _header_of(found), revision or found.revision
        rows.append([endpoint, str(value), str(at)])
        body = {"header": header, "hash": value, "compact_revision": compacted or -1, "hash_revision": at}
        bodies.append({"Endpoint": endpoint, "HashKV": body})
        fields += render.header_fields(header, session.hex)
        fields += f'"Endpoint" : "{endpoint}"\n"Hash" : {value}\n"HashRevision" : {at}\n\n'
    if session.form == "json":
        session.inv.out(render.dumps(bodies) if bodies else "null\n")
    elif session.form == "table":
        session.inv.out(render.table(["ENDPOINT", "HASH", "HASH REVISION"], rows))
    elif session.form == "fields":
        session.inv.out(fields)
    else:
        session.inv.out("".join(f"{', '.join(row)}\n" for row in rows))
    if failed:
        raise Failed(EXIT_ERROR, failed)
    return 0


#: `--cluster` of `endpoint` and `defrag`.
CLUSTER = Flag(name="cluster", kind="bool", usage="use all endpoints from the cluster member list", no_opt="true")

COMMANDS = (
    Command("version", short="Prints the version of etcdctl", run=version),
    Command(
        "endpoint <subcommand>",
        short="Endpoint related commands",
        persistent=(CLUSTER,),
        commands=(
            Command(
                "health",
                short="Checks the healthiness of endpoints specified in `--endpoints` flag",
                run=health,
            ),
            Command(
                "status",
                short="Prints out the status of endpoints specified in `--endpoints` flag",
                run=status,
            ),
            Command(
                "hashkv",
                short="Prints the KV history hash for each endpoint in --endpoints",
                run=hash_kv,
                flags=(Flag(name="rev", kind="int64", usage="maximum revision to hash (default: latest revision)"),),
            ),
        ),
    ),
)
