"""etcdctl and etcdutl given what cannot be: flags and variables at once, pairs that are none, plain text to TLS, files that are no snapshots."""

from __future__ import annotations

import re

import pytest

from simulator.core.etcd import usage
from simulator.core.sandbox import Sandbox

from .member_world import Member

PKI = "/etc/kubernetes/pki/etcd"
TLS = f"--cacert {PKI}/ca.crt --cert {PKI}/server.crt --key {PKI}/server.key"


@pytest.fixture(scope="module")
def box() -> Sandbox:
    sandbox = Sandbox.boot("three-nodes", 3)
    sandbox.run(
        f"etcdctl {TLS} snapshot save /tmp/good.db; head -c 1000 /tmp/good.db > /tmp/short.db; echo x > /tmp/foreign.db; : > /tmp/empty.db"
    )
    return sandbox


@pytest.mark.parametrize(
    ("line", "code", "told"),
    [
        (f"etcdctl {TLS} --endpoints https://127.0.0.1:2379,https://172.30.1.2:2379 snapshot save /tmp/x.db", 5,
         "Error: snapshot must be requested to one selected node, not multiple [https://127.0.0.1:2379 https://172.30.1.2:2379]"),
        (f"ETCDCTL_KEY={PKI}/server.key etcdctl {TLS} get a", 1, '"environment-variable":"ETCDCTL_KEY"'),
        ("ETCDCTL_ENDPOINTS=127.0.0.1:1 etcdctl --endpoints 127.0.0.1:2379 get a", 1, "conflicting environment variable is shadowed"),
        (f"etcdctl --cacert {PKI}/ca.crt --cert {PKI}/server.crt --key {PKI}/peer.key get a", 128, "Error: tls: private key does not match public key"),
        (f"etcdctl --cert {PKI}/server.key --key {PKI}/server.key get a", 128, "PEM inputs may have been switched"),
        (f"etcdctl --cert {PKI}/server.crt get a", 128, f"Error: KeyFile and CertFile must both be present[key: , cert: {PKI}/server.crt]"),
        ("etcdctl --cacert /none get a", 128, "Error: open /none: no such file or directory"),
        (f"etcdctl {TLS} --endpoints http://127.0.0.1:2379 get a", 1, "Error: context deadline exceeded"),
        ("etcdutl snapshot status /tmp/short.db", 1, "Error: invalid database"),
        ("etcdutl snapshot status /tmp/foreign.db", 1, "Error: invalid database"),
        ("etcdutl snapshot status /tmp/empty.db", 1, "Error: write /tmp/empty.db: bad file descriptor"),
        ("etcdutl snapshot status /tmp/none.db", 1, "Error: stat /tmp/none.db: no such file or directory"),
    ],
)  # fmt: skip
def test_faults_are_told_as_the_real_tools_tell_them(box: Sandbox, line: str, code: int, told: str) -> None:
    found = box.run(line)
    assert (found.code, told in found.stderr) == (code, True), found.stderr


def test_one_variable_or_one_flag_alone_is_no_conflict(box: Sandbox) -> None:
    assert (
        box.run(
            f"ETCDCTL_CACERT={PKI}/ca.crt ETCDCTL_CERT={PKI}/server.crt ETCDCTL_KEY={PKI}/server.key etcdctl --endpoints https://127.0.0.1:2379 endpoint health"
        ).code
        == 0
    )


def test_etcd_lists_its_flags_and_says_what_is_wrong_with_one() -> None:
    member = Member()
    listed = member.run("etcd --help")
    assert listed.code == 0 and listed.stderr.startswith("Usage:") and listed.stdout.startswith("\nMember:\n  --name 'default'\n")
    assert "CompactHashCheck=true|false (ALPHA - default=false)" in listed.stdout
    for flag, told in {
        "--bogus": "flag provided but not defined: -bogus",
        "--enable-v2": "flag provided but not defined: -enable-v2",
        "---name=x": "bad flag syntax: ---name=x",
        "--name": "flag needs an argument: -name",
        "--election-timeout=soon": 'invalid value "soon" for flag -election-timeout: parse error',
        "--grpc-keepalive-timeout 5": 'invalid value "5" for flag -grpc-keepalive-timeout: parse error',
        "--pre-vote=maybe": 'invalid boolean value "maybe" for -pre-vote: parse error',
        "--listen-peer-urls localhost:1": 'invalid value "localhost:1" for flag -listen-peer-urls: URL scheme must be http, https, unix, or unixs: localhost:1',
    }.items():
        refused = member.run(f"etcd {flag}")
        assert (refused.code, refused.stderr.split("\n")[0]) == (2, told)
    assert '"error":"\\"extra\\" is not a valid flag"' in member.run("etcd extra").stderr
    assert member.run("etcd grpc-proxy start").stderr == "etcd grpc-proxy: not simulated in Slipway yet\n"


def test_each_release_lists_its_own_flags_with_its_own_defaults() -> None:
    listed = {}
    for version, count in {"3.4.37": 80, "3.6.4": 136}.items():
        text = usage.flags_text(version)
        told = re.findall(r"^  --([\w-]+)(?: (.*))?\n    \S", text, re.MULTILINE)
        assert (
            len(told) == count == len(re.findall(r"^  --", text, re.MULTILINE))
        )  # each with its default and at least a line of words
        listed[version] = dict(told)
    old, new = listed.values()
    assert {name: (old[name], new[name]) for name in old if new.get(name, old[name]) != old[name]} == {
        "snapshot-count": ("'100000'", "'10000'"),
        "discovery-fallback": ("'proxy'", "'exit'"),
        "pre-vote": ("'false'", "'true'"),
        "logger": ("'capnslog'", "'zap'"),
    }
    assert usage.names("3.6.4") == set(new) and usage.names("3.5.21") == set(old) | set(new)
    assert {"enable-v2", "proxy", "debug"} <= set(old) - set(new)
    assert re.findall(r"^(\w.*):$", usage.flags_text("3.4.37"), re.MULTILINE) == [
        "Member", "Clustering", "Security", "Auth", "Profiling and Monitoring", "Logging", "v2 Proxy (to be deprecated in v4)",
        "Experimental feature", "Unsafe feature", "TO BE DEPRECATED",
    ]  # fmt: skip
    for name in (name for name in new if name.startswith("experimental-")):  # each says what it has become
        became = re.search(
            rf"^  --{name}\b.*\n    .* now '--(?:feature-gates=(\w+)=true|([\w-]+))'", usage.flags_text("3.6.4"), re.MULTILINE
        )
        assert became and (f"{became[1]}=true|false" in usage.flags_text("3.6.4") or became[2] in new)


def test_etcd_takes_its_settings_from_the_environment_or_a_file() -> None:
    member = Member()
    told = member.run("ETCD_NAME=zed ETCD_FOO=1 timeout 1 etcd --data-dir /tmp/z").stderr.split("\n")
    assert '"variable-name":"ETCD_NAME","variable-value":"zed"' in told[0] and '"environment-variable":"ETCD_FOO=1"' in told[1]
    shadowed = member.run("ETCD_NAME=zed etcd --name b")
    assert shadowed.code == 1 and "conflicting environment variable is shadowed" in shadowed.stderr
    assert '"error":"open none.yml: no such file or directory"' in member.run("etcd --config-file none.yml").stderr
    assert (
        '"error":"error converting YAML to JSON: yaml: line'
        in member.run("printf 'a: b: c\\n' > bad.yml; etcd --config-file bad.yml").stderr
    )
    urls = {
        "listen-client-urls": 7379,
        "advertise-client-urls": 7379,
        "listen-peer-urls": 7380,
        "initial-advertise-peer-urls": 7380,
    }
    lines = [
        "name: n7",
        "data-dir: /tmp/n7",
        "unknown: field",
        *(f"{name}: http://127.0.0.1:{port}" for name, port in urls.items()),
    ]
    text = "\\n".join(lines)
    member.out(f"printf '{text}\\n' > c.yml; (etcd --config-file c.yml --name other >log 2>&1 &); sleep 3")
    assert "started, n7, http://127.0.0.1:7380" in member.out("etcdctl --endpoints=127.0.0.1:7379 member list")
