"""Every answer of etcdctl in every format: fields, json, protobuf and table, ids in hex; prefixes of commands, help, downgrade."""

from __future__ import annotations

import base64
import json

import pytest

from simulator.core.etcd import protobuf
from simulator.headless import transcript

from .member_world import Member


@pytest.fixture(scope="module")
def member() -> Member:
    made = Member()
    made.out("etcdctl put a 1; etcdctl put a 2; etcdctl user add ann --no-password; etcdctl role add r")
    made.out("etcdctl role grant-permission r readwrite a z")
    return made


REFUSED = "not supported as output format"
#: Command, whether the fields printer knows its answer, and a line of the answer after the header.
ANSWERS = [
    ("get a", True, '"Value" : "2"'),
    ("put b 1 --prev-kv", True, ""),
    ("del b --prev-kv", True, '"Deleted" : 1'),
    ("lease grant 100", True, '"TTL" : 100'),
    ("lease list", True, '"ID" : '),
    ("lease timetolive 1234", True, '"GrantedTTL" : 0'),
    ("member list", True, '"IsLearner" : false'),
    ("alarm list", True, ""),
    ("role list", True, '"Roles" : "r"'),
    ("role get r", True, '"PermType" :  READWRITE'),
    ("auth status", False, ""),
    ("user list", False, ""),
    ("user get ann", False, ""),
    ("user grant-role ann r", True, ""),
    ("user revoke-role ann r", True, ""),
]


#: What has to be so each time before a command that takes it away.
BEFORE = {"del b --prev-kv": "etcdctl put b 1", "user revoke-role ann r": "etcdctl user grant-role ann r"}


@pytest.mark.parametrize(("command", "known", "line"), ANSWERS)
def test_an_answer_has_all_formats_of_the_real_tool(member: Member, command: str, known: bool, line: str) -> None:
    before = BEFORE.get(command, "true")
    body = json.loads(member.out(f"{before} >/dev/null; etcdctl {command} -w json"))
    assert (body.get("header") or body)["raft_term"] == 2
    fields = member.run(f"{before} >/dev/null; etcdctl {command} -w fields")
    assert fields.stdout.startswith('"ClusterID" : ') == known and line in fields.stdout
    assert (REFUSED in fields.stderr and fields.code == 4) != known
    assert member.run(f"{before} >/dev/null; etcdctl {command} -w protobuf").code == 0
    if command != "member list":
        assert member.run(f"{before} >/dev/null; etcdctl {command} -w table").stderr == f"Error: table {REFUSED}\n"


def test_protobuf_is_the_message_of_the_api(member: Member) -> None:
    raw = base64.b64decode(member.out("etcdctl get a -w protobuf | base64 -w0"))
    message = protobuf.decode("RangeResponse", raw)
    assert base64.b64decode(message["kvs"][0]["value"]) == b"2" and message["count"] == 1


def test_ids_are_hexadecimal_on_request(member: Member) -> None:
    ident = member.out("etcdctl member list").split(",")[0]
    assert f'"MemberID" : {ident}\n' in member.out("etcdctl get a --hex -w fields")
    assert f'"ID" : {ident}\n' in member.out("etcdctl member list --hex -w fields")
    assert "\\x61\n\\x32\n" in member.out("etcdctl get a --hex")


def test_transactions_and_watches_have_fields(member: Member) -> None:
    told = member.out("printf '\\nget a\\nput t 1\\ndel b\\n\\n\\n' | etcdctl txn -w fields")
    assert '"Succeeded" : true' in told and '"Key" : "a"' in told and '"Deleted" : ' in told
    assert '"Type" : PUT\n"Key" : "a"' in member.run("timeout 1 etcdctl watch a --rev=1 -w fields").stdout
    assert member.run("timeout 1 etcdctl watch a --rev=1 -w table").stderr == f"Error: table {REFUSED}\n"


def test_the_beginning_of_a_commands_name_will_do(member: Member) -> None:
    assert member.out("etcdctl mem list") == member.out("etcdctl member list")
    assert 'unknown command "e" for "etcdctl"' in member.run("etcdctl e health").stderr
    assert member.out("etcdctl help put") == member.out("etcdctl put --help")
    assert member.run("etcdctl help nosuch").stderr == "Unknown help topic [`nosuch`]\n"


def test_numbers_below_zero_and_what_contradicts_itself(member: Member) -> None:
    assert member.out("etcdctl get a --rev=-1 --limit=-1") == "a\n2\n"
    assert member.out("etcdctl get a --keys-only --print-value-only") == "\n"
    assert "Error: etcdserver: lease is provided\n" in member.run("etcdctl put a 2 --ignore-lease --lease=12").stderr
    assert member.run("etcdctl --endpoints= get a").stderr == "Error: etcdclient: no available endpoints\n"
    failed = member.run("etcdctl endpoint hashkv --rev=999")
    assert failed.code == 1 and failed.stderr.count("future revision") >= 2


def test_a_downgrade_is_validated_and_never_pretended(member: Member) -> None:
    assert member.out("etcdctl downgrade validate 3.5") == "Downgrade validate success, cluster version 3.6\n"
    assert "invalid downgrade target version" in member.run("etcdctl downgrade validate 3.4").stderr
    assert "wrong downgrade target version format" in member.run("etcdctl downgrade validate x").stderr
    refused = member.run("etcdctl downgrade enable 3.5.0")
    assert refused.code == 1 and refused.stderr == "Error: downgrade enable: not simulated in Slipway yet\n"


def test_releases_before_3_6_have_help_and_prefixes_too() -> None:
    steps = ["etcdctl mem list", "etcdctl help get", "etcdctl downgrade validate 3.3"]
    members, told, absent = transcript.play(["etcdv2"], [{"cmd": one} for one in steps])
    assert ", started, default, " in members["stdout"] and told["stdout"].startswith("NAME:\n\tget - Gets the key")
    assert 'unknown command "downgrade"' in absent["stderr"]
