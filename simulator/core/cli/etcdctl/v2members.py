"""`member list|add|remove|update` of `ETCDCTL_API=2 etcdctl` (etcdctl/ctlv2/command/member_commands.go)."""

from __future__ import annotations

import json
from collections.abc import Generator
from typing import TYPE_CHECKING, Any

from ...host.program import Wait
from ..urfave import Command
from .render import quoted
from .v2client import V2Failed

if TYPE_CHECKING:
    from .v2 import Session

Run = Generator[Wait, Any, int]
SCHEMES = ("http", "https", "unix", "unixs")
DOCUMENT = "https://github.com/etcd-io/etcd/blob/master/Documentation/runtime-configuration.md#remove-a-member"


def _words(session: Session, count: int, wanted: str) -> list[str]:
    if len(session.context.args) != count:
        raise V2Failed(1, wanted)
    return session.context.args


def _url(url: str) -> str:
    """An address, as the client library checks it (types.NewURLs)."""
    if url.partition("://")[0] not in SCHEMES or "://" not in url:
        raise V2Failed(1, f"URL scheme must be http, https, unix, or unixs: {url}")
    return url


def listed(session: Session) -> Run:
    """`member list`."""
    _words(session, 0, "No arguments accepted")
    members = yield from session.client.members()
    answer = yield from session.client.send("GET", "/v2/members/leader", {}, {})
    found = json.loads(answer.body)
    if answer.status >= 400:
        raise V2Failed(1, f"Failed to get leader:  {found.get('message', '')}")
    for member in members:
        peers, clients = ",".join(member["peerURLs"]), ",".join(member["clientURLs"])
        if not member["name"]:
            session.inv.out(f"{member['id']}[unstarted]: peerURLs={peers}\n")
            continue
        leads = "true" if member["id"] == found.get("id") else "false"
        session.inv.out(f"{member['id']}: name={member['name']} peerURLs={peers} clientURLs={clients} isLeader={leads}\n")
    return 0


def add(session: Session) -> Run:
    """`member add NAME URL`: prints what the new member is to be started with."""
    name, url = _words(session, 2, "Provide a name and a single member peerURL")
    made = yield from session.client.tell("POST", "/v2/members", {"peerURLs": [_url(url)]})
    session.inv.out(f"Added member named {name} with ID {made['id']} to cluster\n")
    members = yield from session.client.members()
    pairs = [(name if one["id"] == made["id"] else one["name"], at) for one in members for at in one["peerURLs"]]
    cluster = quoted(",".join(f"{who}={at}" for who, at in pairs).encode())
    session.inv.out(
        f'\nETCD_NAME={quoted(name.encode())}\nETCD_INITIAL_CLUSTER={cluster}\nETCD_INITIAL_CLUSTER_STATE="existing"\n'
    )
    return 0


def remove(session: Session) -> Run:
    """`member remove ID`."""
    [ident] = _words(session, 1, "Provide a single member ID")
    members = yield from session.client.members()
    for one in members:
        if one["name"] == ident:
            session.inv.err(
                f"Found a member named {ident}; if this is correct, please use its ID, eg:\n\tetcdctl member remove {one['id']}\n"
                f"For more details, read the documentation at {DOCUMENT}\n\n"
            )
    if all(one["id"] != ident for one in members):
        raise V2Failed(1, f"Couldn't find a member in the cluster with an ID of {ident}.")
    try:
        yield from session.client.tell("DELETE", f"/v2/members/{ident}")
    except V2Failed as error:
        raise V2Failed(1, f"Received an error trying to remove member {ident}: {error}") from None
    session.inv.out(f"Removed member {ident} from cluster\n")
    return 0


def update(session: Session) -> Run:
    """`member update ID URL[,URL]`."""
    needs = "Provide an ID and a list of comma separated peerURL (0xabcd http://example.com,http://example1.com)"
    ident, urls = _words(session, 2, needs)
    yield from session.client.tell("PUT", f"/v2/members/{ident}", {"peerURLs": [_url(url) for url in urls.split(",")]})
    session.inv.out(f"Updated member with ID {ident} in cluster\n")
    return 0


COMMAND = Command("member", "member add, remove and list subcommands", commands=(
    Command("list", "enumerate existing cluster members", listed),
    Command("add", "add a new member to the etcd cluster", add),
    Command("remove", "remove an existing member from the etcd cluster", remove),
    Command("update", "update an existing member in the etcd cluster", update)))  # fmt: skip
