"""What goes wrong: etcd away, bad flags, and anything a client may send."""

from __future__ import annotations

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.core.host import processes
from simulator.core.kernel.clock import SECOND
from simulator.core.kernel.errors import ConnectError
from simulator.core.kernel.http import Request
from simulator.core.kube.client import ApiError
from tests.core.kube.apiserver.cluster import ControlPlane


def test_without_etcd_requests_time_out_and_readyz_fails(plane: ControlPlane) -> None:
    client = plane.client()
    processes.kill(plane.world, plane.etcd)
    client.take_latency()
    with pytest.raises(ApiError) as caught:
        client.list("pods")
    assert caught.value.code == 504
    assert client.take_latency() >= 60 * SECOND
    answer = client.request(Request(method="GET", path="/readyz"))
    assert answer.status == 500
    assert b"[-]etcd failed: reason withheld" in answer.body
    assert client.request(Request(method="GET", path="/livez/ping")).body == b"ok"
    assert processes.alive(plane.world, plane.api)
    plane.etcd = plane.start("etcd", plane.etcd_argv)
    plane.settle(3)
    assert len(client.list("namespaces").items) == 4


def test_a_server_that_starts_without_etcd_gives_up_after_twenty_seconds(plane: ControlPlane) -> None:
    processes.kill(plane.world, plane.api)
    processes.kill(plane.world, plane.etcd)
    api = plane.start("kube-apiserver", plane.api_argv)
    plane.settle(19)
    assert processes.alive(plane.world, api)
    plane.settle(5)
    assert not processes.alive(plane.world, api)


def test_a_restart_finds_everything(plane: ControlPlane) -> None:
    client = plane.client()
    before = {o["metadata"]["name"]: o["metadata"]["uid"] for o in client.list("clusterroles").items}
    processes.kill(plane.world, plane.api)
    with pytest.raises(ConnectError):
        client.list("pods")
    plane.api = plane.start("kube-apiserver", plane.api_argv)
    plane.settle(2)
    assert {o["metadata"]["name"]: o["metadata"]["uid"] for o in client.list("clusterroles").items} == before


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        ("--frobnicate=1", "unknown flag: --frobnicate"),
        ("--client-ca-file=/nowhere", "open /nowhere: no such file or directory"),
        ("--service-node-port-range=many", 'invalid argument "many" for "--service-node-port-range" flag'),
        ("--default-unreachable-toleration-seconds=5m", 'parsing "5m": invalid syntax'),
        ("--authorization-mode=Maybe", 'authorization-mode "Maybe" is not a valid mode'),
    ],
)
def test_bad_flags_end_the_process_with_a_reason(plane: ControlPlane, extra: str, message: str) -> None:
    said: list[str] = []
    plane.world.tables["sinks"]["probe"] = lambda world, proc, rest, text: said.append(text)
    argv = [*plane.api_argv, extra, "--secure-port=7443"]
    proc = processes.start(
        plane.world, host="controlplane", program="kube-apiserver", argv=argv, netns="controlplane", sink="probe:x"
    )
    assert not processes.alive(plane.world, proc)
    assert any(message in text for text in said) or not said


PATHS = st.sampled_from(
    ["/api/v1/pods", "/api/v1/namespaces/default/pods", "/api/v1/namespaces/default/configmaps/c",
     "/apis/apps/v1/namespaces/default/deployments",
     "/api/v1/namespaces/default/services", "/api/v1/namespaces/default/pods/c/log", "/api/v1/namespaces/default/pods/c/binding",
     "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", "/apis/rbac.authorization.k8s.io/v1/clusterroles/view"]
)  # fmt: skip
WORDS = (
    "metadata", "spec", "name", "labels", "containers", "ports", "template", "selector", "replicas", "data", "target",
    "kind", "image"
)  # fmt: skip
PARAMETERS = ("fieldManager", "force", "dryRun", "limit", "continue", "labelSelector", "fieldSelector", "resourceVersion")
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-5, 70000), st.text(max_size=4)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(
                [
                    "metadata",
                    "spec",
                    "name",
                    "labels",
                    "containers",
                    "ports",
                    "template",
                    "selector",
                    "replicas",
                    "data",
                    "target",
                    "kind",
                    "image",
                ]
            ),
            inner,
            max_size=4,
        ),
    ),
    max_leaves=12,
)
MEDIA = st.sampled_from(
    ["application/json", "application/merge-patch+json", "application/strategic-merge-patch+json", "application/json-patch+json",
     "application/apply-patch+yaml", "application/vnd.kubernetes.protobuf", "application/yaml", ""]
)  # fmt: skip
BODIES = st.one_of(st.binary(max_size=40), JSON.map(orjson.dumps), st.binary(max_size=30).map(lambda b: b"k8s\0" + b))
_PLANE: list[ControlPlane] = []


@settings(max_examples=150, deadline=None)
@given(
    method=st.sampled_from(["GET", "POST", "PUT", "PATCH", "DELETE"]),
    path=PATHS,
    media=MEDIA,
    body=BODIES,
    query=st.dictionaries(
        st.sampled_from(
            ["fieldManager", "force", "dryRun", "limit", "continue", "labelSelector", "fieldSelector", "resourceVersion"]
        ),
        st.text(max_size=6).map(lambda t: [t]),
        max_size=2,
    ),
)
def test_nothing_a_client_sends_breaks_the_server(
    method: str, path: str, media: str, body: bytes, query: dict[str, list[str]]
) -> None:
    if not _PLANE:
        _PLANE.append(ControlPlane(strict=True))
        _PLANE[0].client().create("configmaps", "default", {"metadata": {"name": "c"}})
    request = Request(method=method, path=path, query=query, headers={"content-type": media} if media else {}, body=body)
    answer = _PLANE[0].client().request(request)
    assert answer.status < 500, answer.obj


def test_deep_and_huge_bodies_are_refused(plane: ControlPlane) -> None:
    client = plane.client()
    path = "/api/v1/namespaces/default/configmaps"
    for body, code in ((b'{"a":' * 900 + b"1" + b"}" * 900, 400), (b" " * (3 * 1024 * 1024 + 1), 413), (b"[" * 100_000, 400)):
        assert client.request(Request(method="POST", path=path, query={"fieldValidation": ["Strict"]}, body=body)).status == code
