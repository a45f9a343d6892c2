"""`ETCDCTL_API=2 etcdctl` of releases up to 3.5 (etcdctl/ctlv2): its commands, on urfave/cli."""

from __future__ import annotations

import json
from collections.abc import Callable, Generator
from typing import Any

from ...etcd import backup as files
from ...etcd.member import cluster_id, member_id
from ...etcd.mvcc import StoreState
from ...host.program import Invocation, Wait
from ...kernel.clock import rfc3339_micro
from ...kernel.errors import ConnectError
from ...kernel.http import Request
from .. import urfave
from ..urfave import Command, Context, flag
from . import v2members
from .v2client import EXIT_SERVER, EXIT_UNHEALTHY, Client, V2Failed, bad_args, node_json

Run = Generator[Wait, Any, int]


class Session:
    """One run: the parsed command line and the client."""

    def __init__(self, inv: Invocation, context: Context) -> None:
        self.inv, self.context = inv, context
        given = context.globals["endpoints"] or context.globals["endpoint"] or context.globals["peers"]
        given = given or inv.env.get("ETCDCTL_ENDPOINTS", "") or "http://127.0.0.1:2379,http://127.0.0.1:4001"
        self.client = Client(inv, [one if "://" in one else f"http://{one}" for one in given.split(",") if one])
        self.form: str = context.globals["output"]

    def on(self, name: str) -> bool:
        """A flag of the command."""
        return bool(self.context.values.get(name))

    def key(self) -> str:
        """The first argument."""
        if not self.context.args:
            raise bad_args("key required")
        return self.context.args[0]

    def value(self) -> Generator[Wait, Any, str]:
        """The second argument, or standard input."""
        if len(self.context.args) > 1:
            return self.context.args[1]
        data = yield from self.inv.read()
        if not data:
            raise bad_args("value required")
        return data.decode("utf-8", "replace")

    def show(self, body: dict[str, Any]) -> None:
        """An answer in the chosen format (ctlv2/command/format.go)."""
        node, prev = body["node"], body.get("prevNode")
        if self.form == "json":
            shown = {"action": body["action"], "node": node_json(node), "prevNode": node_json(prev) if prev else None}
            self.inv.out(json.dumps(shown, separators=(",", ":"), ensure_ascii=False) + "\n")
        elif self.form == "extended":
            text = f"Key: {node.get('key', '')}\nCreated-Index: {node.get('createdIndex', 0)}\n"
            text += f"Modified-Index: {node.get('modifiedIndex', 0)}\n"
            text += f"PrevNode.Value: {prev.get('value', '')}\n" if prev else ""
            text += f"TTL: {node.get('ttl', 0)}\nIndex: {self.client.index}\n"
            self.inv.out(text + (f"\n{node.get('value', '')}\n" if body["action"] != "delete" else ""))
        elif self.form != "simple":
            self.inv.err(f"Unsupported output format: {self.form}\n")
        elif body["action"] == "delete":
            self.inv.out(f"PrevNode.Value: {(prev or {}).get('value', '')}\n")
        else:
            self.inv.out(f"{node.get('value', '')}\n")


def _ttl(session: Session) -> dict[str, str]:
    seconds = session.context.values.get("ttl", 0)
    return {"ttl": str(seconds)} if seconds else {}


def _write(exist: str, *, directory: bool = False) -> Callable[[Session], Run]:
    """set, mk, update and their siblings for directories."""

    def run(session: Session) -> Run:
        key = session.key()
        values = session.context.values
        form = _ttl(session)
        query = {"prevExist": exist} if exist else {}
        if directory:
            form["dir"] = "true"
        else:
            form["value"] = yield from session.value()
            if values.get("swap-with-value"):
                query["prevValue"] = values["swap-with-value"]
            if values.get("swap-with-index"):
                query["prevIndex"] = str(values["swap-with-index"])
        in_order = session.on("in-order")
        body = yield from session.client.keys("POST" if in_order else "PUT", key, {} if in_order else query, form)
        if not directory or session.form != "simple":
            session.show(body)
        return 0

    return run


def get(session: Session) -> Run:
    """`get`: the value of a file."""
    key = session.key()
    query = {name: "true" for name in ("sorted", "quorum") if session.on(name.removesuffix("ed"))}
    body = yield from session.client.keys("GET", key, query)
    if body["node"].get("dir"):
        raise V2Failed(1, f"{body['node'].get('key', '')}: is a directory")
    session.show(body)
    return 0


def ls(session: Session) -> Run:
    """`ls`: the names in a directory."""
    key = session.context.args[0] if session.context.args else "/"
    query = {"recursive": "true"} if session.on("recursive") else {}
    query.update({"sorted": "true"} if session.on("sort") else {})
    body = yield from session.client.keys("GET", key, query)
    if session.form != "simple":
        session.show(body)
        return 0
    if not body["node"].get("dir"):
        session.inv.out(f"{body['node']['key']}\n")
    for node in body["node"].get("nodes", ()):
        _print(session, node)
    return 0


def _print(session: Session, node: dict[str, Any]) -> None:
    session.inv.out(node["key"] + ("/" if node.get("dir") and session.on("p") else "") + "\n")
    for below in node.get("nodes", ()):
        _print(session, below)


def rm(session: Session) -> Run:
    """`rm`: a file, with `--dir` an empty directory, with `--recursive` a tree."""
    key, values = session.key(), session.context.values
    query = {name: "true" for name in ("recursive", "dir") if session.on(name)}
    if values["with-value"]:
        query["prevValue"] = values["with-value"]
    if values["with-index"]:
        query["prevIndex"] = str(values["with-index"])
    body = yield from session.client.keys("DELETE", key, query)
    if not body["node"].get("dir") or session.form != "simple":
        session.show(body)
    return 0


def rmdir(session: Session) -> Run:
    """`rmdir`: an empty directory or a file."""
    body = yield from session.client.keys("DELETE", session.key(), {"dir": "true"})
    if not body["node"].get("dir") or session.form != "simple":
        session.show(body)
    return 0


def watch(session: Session) -> Run:
    """`watch`: the next change, or all of them with `--forever`."""
    key, recursive = session.key(), session.on("recursive")
    index = session.context.values["after-index"]
    index = index + 1 if index else 0
    while True:
        body = yield from session.client.wait(key, recursive, index)
        index = body["node"]["modifiedIndex"] + 1
        if body["node"].get("dir"):
            session.inv.err(f"Ignored dir {body['node']['key']} change\n")
            continue
        if recursive:
            session.inv.out(f"[{body['action']}] {body['node']['key']}\n")
        session.show(body)
        if not session.on("forever"):
            return 0


def exec_watch(session: Session) -> Run:
    """`exec-watch KEY -- COMMAND`: run a command for every change."""
    args = [word for word in session.context.args if word != "--"]
    if len(args) < 2:
        raise bad_args("key and command to exec required")
    index = session.context.values["after-index"]
    index = index + 1 if index else 0
    while True:
        body = yield from session.client.wait(args[0], session.on("recursive"), index)
        node = body["node"]
        index = node["modifiedIndex"] + 1
        seen = {"ACTION": body["action"], "KEY": node["key"], "MODIFIED_INDEX": str(index - 1), "VALUE": node.get("value", "")}
        yield from session.inv.run(args[1:], env={**session.inv.env, **{f"ETCD_WATCH_{k}": v for k, v in seen.items()}})


def cluster_health(session: Session) -> Run:
    """`cluster-health`: asks every member's `/health`."""
    healthy = False
    try:
        members = yield from session.client.members()
    except V2Failed as error:
        session.inv.out("cluster may be unhealthy: failed to list members\n")
        raise V2Failed(EXIT_SERVER, str(error)) from None
    for member in members:
        good = ""
        for url in member["clientURLs"]:
            try:
                answer = session.client.ask(url, Request(method="GET", path="/health"))
            except ConnectError:
                session.inv.out(
                    f"failed to check the health of member {member['id']} on {url}: Get {url}/health: connection refused\n"
                )
                continue
            if json.loads(answer.body).get("health") == "true":
                good = url
                break
        if good:
            session.inv.out(f"member {member['id']} is healthy: got healthy result from {good}\n")
            healthy = True
        else:
            session.inv.out(f"member {member['id']} is unreachable: [{' '.join(member['clientURLs'])}] are all unreachable\n")
    session.inv.out("cluster is healthy\n" if healthy else "cluster is unavailable\n")
    return 0 if healthy else EXIT_UNHEALTHY


def refuse(session: Session) -> Run:
    """Commands that exist and are not simulated."""
    raise V2Failed(1, f"{session.context.path}: not simulated in Slipway yet")
    yield


def backup(session: Session) -> Run:
    """`backup`: a data directory for a new cluster with the v2 keys, and the v3 keys with `--with-v3`."""
    yield from ()
    inv, values = session.inv, session.context.values
    source = f"{values['data-dir']}/member/snap/db".lstrip("/" if not values["data-dir"] else "")
    try:
        disk = files.read(inv.world, inv.read_file(source))
    except OSError as error:
        stamp = rfc3339_micro(inv.world.wall).replace("T", " ").rstrip("Z")
        where = f"{values['data-dir']}/member/wal".lstrip("/" if not values["data-dir"] else "")
        raise V2Failed(1, f"{stamp} I | open {where}: {(error.strerror or '').lower()}") from None
    if disk is None:
        raise V2Failed(1, "invalid database")
    from ..etcdutl.files import Stop, _write, make_dirs

    copy = files.decode(files.encode(disk))
    assert copy is not None
    copy.id, copy.member_id = "", member_id(disk.peer_urls, inv.world.rng("etcdctl").hex(16))
    copy.cluster_id = cluster_id([copy.member_id])
    if not values["with-v3"]:
        copy.store = StoreState()
    target: Any = inv
    try:
        make_dirs(target, f"{values['backup-dir']}/member/snap")
        make_dirs(target, f"{values['backup-dir']}/member/wal")
        _write(target, f"{values['backup-dir']}/member/snap/db", files.encode(copy))
    except Stop as error:
        raise V2Failed(1, str(error)) from None
    return 0


_TTL = flag("ttl", "int", "key time-to-live in seconds", 0)
_SWAP = (flag("swap-with-value", "string", "previous value"), flag("swap-with-index", "int", "previous index", 0))
_AFTER = flag("after-index", "int", "watch after the given index", 0)
_RECURSIVE = "returns all values for key and child keys"

COMMANDS = (
    Command("backup", "backup an etcd directory", backup, (
        flag("data-dir", "string", "Path to the etcd data dir"), flag("wal-dir", "string", "Path to the etcd wal dir"),
        flag("backup-dir", "string", "Path to the backup dir"), flag("backup-wal-dir", "string", "Path to the backup wal dir"),
        flag("with-v3", "bool", "Backup v3 backend data"))),
    Command("cluster-health", "check the health of the etcd cluster", cluster_health, (
        flag("forever, f", "bool", "forever check the health every 10 second until CTRL+C"),)),
    Command("mk", "make a new key with a given value", _write("false"), (
        flag("in-order", "bool", "create in-order key under directory <key>"), _TTL)),
    Command("mkdir", "make a new directory", _write("false", directory=True), (_TTL,)),
    Command("rm", "remove a key or a directory", rm, (
        flag("dir", "bool", "removes the key if it is an empty directory or a key-value pair"),
        flag("recursive, r", "bool", "removes the key and all child keys(if it is a directory)"),
        flag("with-value", "string", "previous value"), flag("with-index", "int", "previous index", 0))),
    Command("rmdir", "removes the key if it is an empty directory or a key-value pair", rmdir),
    Command("get", "retrieve the value of a key", get, (
        flag("sort", "bool", "returns result in sorted order"), flag("quorum, q", "bool", "require quorum for get request"))),
    Command("ls", "retrieve a directory", ls, (
        flag("sort", "bool", "returns result in sorted order"), flag("recursive, r", "bool", _RECURSIVE),
        flag("p", "bool", "append slash (/) to directories"), flag("quorum, q", "bool", "require quorum for get request"))),
    Command("set", "set the value of a key", _write(""), (_TTL, *_SWAP)),
    Command("setdir", "create a new directory or update an existing directory TTL", _write("", directory=True), (_TTL,)),
    Command("update", "update an existing key with a given value", _write("true"), (_TTL,)),
    Command("updatedir", "update an existing directory", _write("true", directory=True), (_TTL,)),
    Command("watch", "watch a key for changes", watch, (
        flag("forever, f", "bool", "forever watch a key until CTRL+C"), _AFTER, flag("recursive, r", "bool", _RECURSIVE))),
    Command("exec-watch", "watch a key for changes and exec an executable", exec_watch, (_AFTER, flag("recursive, r", "bool", _RECURSIVE))),
    v2members.COMMAND,
    Command("user", "user add, grant and revoke subcommands", refuse),
    Command("role", "role add, grant and revoke subcommands", refuse),
    Command("auth", "overall auth controls", refuse),
)  # fmt: skip
GLOBALS = (
    flag("debug", "bool", "output cURL commands which can be used to reproduce the request"),
    flag("no-sync", "bool", "don't synchronize cluster information before sending request"),
    flag("output, o", "string", "output response in the given format (`simple`, `extended` or `json`)", "simple"),
    flag("discovery-srv, D", "string", "domain name to query for SRV records describing cluster endpoints"),
    flag("insecure-discovery", "bool", "accept insecure SRV records describing cluster endpoints"),
    flag("peers, C", "string", 'DEPRECATED - "--endpoints" should be used instead'),
    flag("endpoint", "string", 'DEPRECATED - "--endpoints" should be used instead'),
    flag("endpoints", "string", "a comma-delimited list of machine addresses in the cluster"),
    flag("cert-file", "string", "identify HTTPS client using this SSL certificate file"),
    flag("key-file", "string", "identify HTTPS client using this SSL key file"),
    flag("ca-file", "string", "verify certificates of HTTPS-enabled servers using this CA bundle"),
    flag("username, u", "string", "provide username[:password] and prompt if password is not supplied."),
    flag("timeout", "duration", "connection timeout per request", 2_000_000_000),
    flag("total-timeout", "duration", "timeout for the command execution (except watch)", 5_000_000_000),
)
#: What the help says of defaults that are filled in later.
_NOTES = {"output": ' (default: "simple")', "endpoints": ' (default: "http://127.0.0.1:2379,http://127.0.0.1:4001")',
          "timeout": " (default: 2s)", "total-timeout": " (default: 5s)"}  # fmt: skip


def app_help(version: str) -> str:
    """The help of urfave/cli v1."""
    rows = [(command.name, command.usage) for command in COMMANDS] + [
        ("help, h", "Shows a list of commands or help for one command")
    ]
    flags = []
    for one in (*GLOBALS, flag("help, h", "bool", "show help"), flag("version, v", "bool", "print the version")):
        usage, kind = one.usage, "" if one.kind == "bool" else " value"
        if "`" in usage:
            before, inner, after = usage.split("`", 2)
            usage, kind = before + inner + after, f" {inner}"
        names = ", ".join(("--" if len(name) > 1 else "-") + name + kind for name in one.names)
        flags.append((names, usage + _NOTES.get(one.names[0], "")))

    def columns(pairs: list[tuple[str, str]]) -> str:
        width = max(len(name) for name, _ in pairs) + 2
        return "".join(f"   {name.ljust(width)}{text}\n" for name, text in pairs)

    return (
        "NAME:\n   etcdctl - A simple command line client for etcd.\n\nUSAGE:\n"
        "   etcdctl [global options] command [command options] [arguments...]\n\n"
        f"VERSION:\n   {version}\n\nCOMMANDS:\n{columns(rows)}\nGLOBAL OPTIONS:\n{columns(flags)}"
    )


def _flags_first(argv: list[str]) -> list[str]:
    """Flags of the command before its arguments, as urfave/cli v1 sorts them: those that it knows, wherever they stand."""
    at = next((i for i, word in enumerate(argv) if i and any(word == command.name for command in COMMANDS)), 0)
    command = next((one for one in COMMANDS if at and one.name == argv[at]), None)
    if command is None or command.commands:
        return argv
    known = {name: one for one in command.flags for name in one.names}
    front, rest, words = [], [], argv[at + 1 :]
    while words:
        word = words.pop(0)
        if word == "--":
            rest += [word, *words]
            break
        name, equals, _ = word.lstrip("-").partition("=")
        if word.startswith("-") and (name in known or name in ("help", "h")):
            front.append(word)
            if name in known and known[name].kind != "bool" and not equals and words:
                front.append(words.pop(0))
        else:
            rest.append(word)
    return [*argv[: at + 1], *front, *rest]


def main(inv: Invocation, version: str) -> Run:
    """Run one command line of API v2."""
    app = urfave.App("etcdctl", version, "A simple command line client for etcd.", COMMANDS, GLOBALS)
    if inv.argv[1:2] and inv.argv[1] in ("--version", "-v"):
        inv.out(f"etcdctl version: {version}\nAPI version: 2\n")
        return 0
    if not inv.argv[1:] or inv.argv[1] in ("--help", "-h", "help"):
        inv.out(app_help(version))
        return 0
    try:
        context = urfave.parse(app, _flags_first(inv.argv), inv.env)
        if context.command.run is None:
            return 0
        code: int = yield from context.command.run(Session(inv, context))
        return code
    except urfave.Stop as stop:
        inv.out(stop.out)
        inv.err(stop.err or (f"{stop.error}\n" if stop.error else ""))
        return stop.code
    except V2Failed as error:
        inv.err(f"{error}\n")
        return error.code
