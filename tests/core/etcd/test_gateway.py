"""The JSON gateway, asked with curl."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from simulator.core.etcd.gateway_json import BadBody, read_body

from .member_world import Member


def b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def ask(member: Member, path: str, body: dict[str, Any], token: str = "") -> dict[str, Any]:
    extra = f"-H 'Authorization: {token}'" if token else ""
    found: dict[str, Any] = json.loads(member.out(f"curl -s {extra} http://127.0.0.1:2379/v3/{path} -d '{json.dumps(body)}'"))
    return found


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{bad", "invalid character 'b' looking for beginning of object key string"),
        ('{"a":1', "unexpected EOF"),
        ('{"a" 1}', "invalid character '1' after object key"),
        ('{"a":1 "b":2}', "invalid character '\"' after object key:value pair"),
    ],
)
def test_bad_json_is_explained_as_go_does(text: str, message: str) -> None:
    with pytest.raises(BadBody) as failed:
        read_body(text.encode())
    assert str(failed.value) == message


def test_both_spellings_of_names_and_sorting() -> None:
    member = Member()
    member.out("etcdctl put a 3; etcdctl put b 1; etcdctl put c 2")
    body = {"key": b64("a"), "rangeEnd": b64("z"), "sortOrder": "DESCEND", "sort_target": "VALUE", "limit": "2"}
    found = ask(member, "kv/range", body)
    assert [base64.b64decode(kv["key"]) for kv in found["kvs"]] == [b"a", b"c"]
    assert (found["count"], found["more"]) == ("3", True)


def test_transactions_nest_and_report_each_answer() -> None:
    member = Member()
    inner = {"success": [{"requestRange": {"key": b64("k")}}, {"requestDeleteRange": {"key": b64("k")}}]}
    body = {
        "compare": [{"key": b64("k"), "target": "CREATE", "result": "EQUAL", "create_revision": "0"}],
        "success": [{"requestPut": {"key": b64("k"), "value": b64("v")}}, {"requestTxn": inner}],
    }
    found = ask(member, "kv/txn", body)
    assert found["succeeded"] is True
    nested = found["responses"][1]["response_txn"]["responses"]
    assert nested[0]["response_range"]["kvs"][0]["value"] == b64("v")
    assert nested[1]["response_delete_range"]["deleted"] == "1"
    assert "succeeded" not in ask(member, "kv/txn", {"compare": [{"key": b64("k"), "target": "MOD", "result": "GREATER"}]})


def test_leases_and_compaction() -> None:
    member = Member()
    assert ask(member, "lease/grant", {"TTL": "5", "ID": 7})["ID"] == "7"
    ask(member, "kv/put", {"key": b64("k"), "lease": "7"})
    assert ask(member, "lease/timetolive", {"ID": 7, "keys": True})["keys"] == [b64("k")]
    assert ask(member, "lease/keepalive", {"ID": 7})["result"]["TTL"] == "5"
    member.wait(10)
    assert "count" not in ask(member, "kv/range", {"key": b64("k")})
    ask(member, "kv/compaction", {"revision": 3})
    assert ask(member, "kv/range", {"key": b64("k"), "revision": 2}) == {
        "code": 11,
        "message": "etcdserver: mvcc: required revision has been compacted",
    }


def test_a_watch_streams_lines() -> None:
    member = Member()
    body = json.dumps({"create_request": {"key": b64("a"), "range_end": b64("b"), "prev_kv": True}})
    member.run(f"curl -sN http://127.0.0.1:2379/v3/watch -d '{body}' > seen.txt &")
    member.out("etcdctl put a1 x; etcdctl put z y; etcdctl del a1")
    member.wait(3)
    lines = [json.loads(line)["result"] for line in member.out("cat seen.txt").splitlines()]
    assert lines[0]["created"] is True
    events = [event for line in lines[1:] for event in line["events"]]
    assert [event.get("type", "PUT") for event in events] == ["PUT", "DELETE"]
    assert events[1]["prev_kv"]["value"] == b64("x")


def test_authentication_by_token() -> None:
    member = Member()
    member.out("etcdctl user add root:pw; etcdctl auth enable")
    assert ask(member, "kv/range", {"key": b64("k")})["message"] == "etcdserver: user name is empty"
    token = ask(member, "auth/authenticate", {"name": "root", "password": "pw"})["token"]
    assert "code" not in ask(member, "kv/put", {"key": b64("k"), "value": b64("v")}, token)
    assert ask(member, "auth/role/get", {"role": "root"}, token)["perm"] == [
        {"permType": "READWRITE", "key": "", "range_end": "AA=="}
    ]
    assert ask(member, "kv/range", {"key": b64("k")}, "wrong")["code"] == 16


def test_what_is_not_there() -> None:
    member = Member()
    code = "curl -s -o /dev/null -w '%{http_code}' http://127.0.0.1:2379"
    assert member.out(f"{code}/v3/nothing -d '{{}}'") == "404"
    assert member.out(f"{code}/v3/maintenance/downgrade -d '{{}}'") == "501"
    assert member.out(f"{code}/v3/cluster/member/add -d '{{}}'") == "400"
    assert member.out(f"{code}/v2/keys") == "404"
