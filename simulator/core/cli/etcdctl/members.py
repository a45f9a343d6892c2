"""member and move-leader (member_command.go, move_leader_command.go)."""

from __future__ import annotations

import re
from collections.abc import Generator
from typing import Any
from urllib.parse import urlsplit

from ...etcd.errors import EtcdError
from ...etcd.member import MemberInfo
from ...host.program import Sleep, Wait
from ..cobra import Command
from ..flags import Flag
from . import answers, render
from .session import EXIT_BAD_ARGS, EXIT_ERROR, Failed, Session

Run = Generator[Wait, Any, int]


def member_list(session: Session) -> Run:
    """`etcdctl member list`."""
    weak = session.release >= (3, 6) and session.values.text("consistency") == "s"
    found = yield from session.call("Cluster/MemberList", serializable=weak)
    form = session.form
    rows = [
        [f"{m.id:x}", "started" if m.name else "unstarted", m.name, ",".join(m.peer_urls), ",".join(m.client_urls),
         "true" if m.is_learner else "false"]
        for m in found
    ]  # fmt: skip
    if form == "table":
        session.inv.out(render.table(["ID", "STATUS", "NAME", "PEER ADDRS", "CLIENT ADDRS", "IS LEARNER"], rows))
        return 0
    if form == "simple":
        session.inv.out("".join(", ".join(row) + "\n" for row in rows))
        return 0
    header = yield from session.header()
    if form == "json" and session.hex:
        session.inv.out(_hex_list(header, found))
        return 0
    out = ""
    for m in found:
        ident = f"{m.id:x}" if session.hex else m.id
        out += f'"ID" : {ident}\n"Name" : {render.quoted(m.name.encode())}\n'
        out += "".join(f'"PeerURL" : {render.quoted(u.encode())}\n' for u in m.peer_urls)
        out += "".join(f'"ClientURL" : {render.quoted(u.encode())}\n' for u in m.client_urls)
        out += f'"IsLearner" : {"true" if m.is_learner else "false"}\n\n'
    body = {"members": [member_json(m) for m in found]}
    return (yield from answers.show(session, "MemberListResponse", "", body, out, header=plain(header)))


def plain(header: dict[str, int]) -> dict[str, int]:
    """A header without a revision, as answers about members carry it."""
    return {name: header[name] for name in ("cluster_id", "member_id", "raft_term")}


def member_json(m: MemberInfo) -> dict[str, Any]:
    """A member with zero values left out."""
    out: dict[str, Any] = {
        "ID": m.id,
        "name": m.name,
        "peerURLs": m.peer_urls,
        "clientURLs": m.client_urls,
        "isLearner": m.is_learner,
    }
    return {name: value for name, value in out.items() if value}


def _hex_list(header: dict[str, int], found: list[MemberInfo]) -> str:
    head = {"cluster_id": f"{header['cluster_id']:x}", "member_id": f"{header['member_id']:x}", "raft_term": header["raft_term"]}
    rows = [{"ID": f"{m.id:x}", "name": m.name, "peerURLs": m.peer_urls, "clientURLs": m.client_urls or None} for m in found]
    return render.dumps({"header": head, "members": rows})


def _urls(session: Session) -> list[str]:
    """`--peer-urls`, checked as the client library does (types.NewURLs)."""
    urls = session.values.text("peer-urls").split(",")
    for url in urls:
        if re.match(r"[^/?#]*:", url) and not re.match(r"[a-zA-Z][a-zA-Z0-9+.-]*:", url):
            raise Failed(EXIT_ERROR, f'parse "{url}": first path segment in URL cannot contain colon')
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https", "unix", "unixs"):
            raise Failed(EXIT_ERROR, f"URL scheme must be http, https, unix, or unixs: {url}")
        host, _, port = parts.netloc.rpartition(":")
        if not host or not port.isdigit():
            raise Failed(EXIT_ERROR, f'URL address does not have the form "host:port": {url}')
        if parts.path:
            raise Failed(EXIT_ERROR, f"URL must not contain a path: {url}")
    return sorted(urls)


def _ident(session: Session) -> int:
    """The one argument: a member's id in hexadecimal."""
    args = session.values.args
    if len(args) != 1:
        raise Failed(EXIT_BAD_ARGS, "member ID is not provided")
    try:
        return parse_id(args[0])
    except ValueError as error:
        raise Failed(EXIT_BAD_ARGS, f"bad member ID arg ({error}), expecting ID in Hex") from None


def parse_id(text: str) -> int:
    """An id as strconv.ParseUint(…, 16, 64) reads it."""
    if not re.fullmatch(r"[0-9a-fA-F]+", text):
        raise ValueError(f"strconv.ParseUint: parsing {render.quoted(text.encode())}: invalid syntax")
    value = int(text, 16)
    if value >= 1 << 64:
        raise ValueError(f"strconv.ParseUint: parsing {render.quoted(text.encode())}: value out of range")
    return value


def add(session: Session) -> Run:
    """`etcdctl member add`."""
    args, values = session.values.args, session.values
    yield Sleep(0)
    if not args:
        raise Failed(EXIT_BAD_ARGS, "member name not provided")
    if len(args) > 1:
        hints = "".join(f", did you mean --peer-urls={word}" for word in args if word.lower().startswith("http"))
        raise Failed(EXIT_BAD_ARGS, "too many arguments" + hints)
    if not values.text("peer-urls"):
        raise Failed(EXIT_BAD_ARGS, "member peer urls not provided")
    urls, learner = _urls(session), values.on("learner")
    before = {m.id for m in (yield from session.quiet("Cluster/MemberList", serializable=True))}
    found: list[MemberInfo] = yield from session.call("Cluster/MemberAdd", peer_urls=urls, is_learner=learner)
    new = next(m for m in found if m.id not in before)
    header = yield from session.header()
    if session.form == "simple":
        kind = " as learner " if learner else " "
        session.inv.out(f"Member {new.id:16x} added{kind}to cluster {header['cluster_id']:16x}\n")
        conf = ",".join(f"{args[0] if m.id == new.id else m.name}={url}" for m in found for url in m.peer_urls)
        session.inv.out(f'\nETCD_NAME="{args[0]}"\nETCD_INITIAL_CLUSTER="{conf}"\n')
        session.inv.out(f'ETCD_INITIAL_ADVERTISE_PEER_URLS="{values.text("peer-urls")}"\nETCD_INITIAL_CLUSTER_STATE="existing"\n')
        return 0
    body = {"member": member_json(new), "members": [member_json(m) for m in found]}
    return (yield from answers.show(session, "MemberAddResponse", "", body, None, header=plain(header)))


def _done(session: Session, ident: int, word: str, found: list[MemberInfo]) -> Run:
    header = yield from session.header()
    text = f"Member {ident:16x} {word} cluster {header['cluster_id']:16x}\n"
    body = {"members": [member_json(m) for m in found]}
    return (yield from answers.show(session, "MemberListResponse", text, body, None, header=plain(header)))


def remove(session: Session) -> Run:
    """`etcdctl member remove`."""
    ident = _ident(session)
    found = yield from session.call("Cluster/MemberRemove", id=ident)
    return (yield from _done(session, ident, "removed from", found))


def update(session: Session) -> Run:
    """`etcdctl member update`."""
    ident = _ident(session)
    if not session.values.text("peer-urls"):
        raise Failed(EXIT_BAD_ARGS, "member peer urls not provided")
    found = yield from session.call("Cluster/MemberUpdate", id=ident, peer_urls=_urls(session))
    return (yield from _done(session, ident, "updated in", found))


def promote(session: Session) -> Run:
    """`etcdctl member promote`."""
    ident = _ident(session)
    found = yield from session.call("Cluster/MemberPromote", id=ident)
    return (yield from _done(session, ident, "promoted in", found))


def move_leader(session: Session) -> Run:
    """`etcdctl move-leader`."""
    args = session.values.args
    yield Sleep(0)
    if len(args) != 1:
        raise Failed(EXIT_BAD_ARGS, "move-leader command needs 1 argument")
    try:
        target = parse_id(args[0])
    except ValueError as error:
        raise Failed(EXIT_BAD_ARGS, str(error)) from None
    leader, endpoint = 0, ""
    for one in session.endpoints:
        try:
            status = yield from session.call("Maintenance/Status", one)
        except EtcdError as error:
            raise Failed(EXIT_ERROR, error.message) from None
        if status.leader == status.member_id:
            leader, endpoint = status.leader, one
            break
    if not endpoint:
        raise Failed(EXIT_BAD_ARGS, f"no leader endpoint given at [{' '.join(session.endpoints)}]")
    yield from session.call("Maintenance/MoveLeader", endpoint, target=target)
    header = plain((yield from session.header()))
    text = f"Leadership transferred from {leader:x} to {target:x}\n"
    return (yield from answers.show(session, "MoveLeaderResponse", text, {}, None, header=header))


COMMANDS = (
    Command(
        "member <subcommand>",
        short="Membership related commands",
        commands=(
            Command(
                "list",
                short="Lists all members in the cluster",
                long="When --write-out is set to simple, this command prints out comma-separated member lists for each endpoint.\n"
                "The items in the lists are ID, Status, Name, Peer Addrs, Client Addrs, Is Learner.\n",
                run=member_list,
                flags=(Flag(name="consistency", default="l", usage="Linearizable(l) or Serializable(s)"),),
            ),
            Command(
                "add <memberName> [options]",
                short="Adds a member into the cluster",
                run=add,
                flags=(
                    Flag(name="peer-urls", usage="comma separated peer URLs for the new member."),
                    Flag(name="learner", kind="bool", usage="indicates if the new member is raft learner", no_opt="true"),
                ),
            ),
            Command("remove <memberID>", short="Removes a member from the cluster", run=remove),
            Command(
                "update <memberID> [options]",
                short="Updates a member in the cluster",
                run=update,
                flags=(Flag(name="peer-urls", usage="comma separated peer URLs for the updated member."),),
            ),
            Command(
                "promote <memberID>",
                short="Promotes a non-voting member in the cluster",
                long="Promotes a non-voting learner member to a voting one in the cluster.\n",
                run=promote,
            ),
        ),
    ),
    Command("move-leader <transferee-member-id>", short="Transfers leadership to another etcd cluster member.", run=move_leader),
)
