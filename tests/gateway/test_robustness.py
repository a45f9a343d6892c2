"""Clients that do it wrong, go away, or come in crowds; servers that are down.  Nobody else notices."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import socket
import ssl
import struct
from collections.abc import Iterator
from typing import Any

import pytest

from simulator.core.kernel import network
from simulator.core.kernel.http import Request, Response

from .harness import Client, Thread, need_kubectl, until

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("processes")]
WATCH = "/api/v1/namespaces/default/configmaps?watch=true&resourceVersion=0"


@pytest.fixture
def admin(world: Thread) -> ssl.SSLContext:
    """TLS as the administrator's kubeconfig has it."""
    import base64

    import yaml

    config = yaml.safe_load(world.config.read_text())
    user, cluster = config["users"][0]["user"], config["clusters"][0]["cluster"]
    context = ssl.create_default_context(cadata=base64.b64decode(cluster["certificate-authority-data"]).decode())
    pair = world.config.with_name("pair.pem")
    pair.write_bytes(base64.b64decode(user["client-certificate-data"]) + base64.b64decode(user["client-key-data"]))
    context.load_cert_chain(pair)
    return context


def dial(world: Thread, admin: ssl.SSLContext) -> ssl.SSLSocket:
    """A connection with TLS."""
    found = admin.wrap_socket(socket.create_connection(("127.0.0.1", world.port), 180), server_hostname="127.0.0.1")
    found.settimeout(180)
    return found


def answer(sock: ssl.SSLSocket) -> tuple[int, Any]:
    """Status and body of the next response."""
    response = http.client.HTTPResponse(sock)
    response.begin()
    body = response.read()
    return response.status, body.decode() if body == b"404 page not found\n" else json.loads(body)


def healthy(world: Thread, admin: ssl.SSLContext) -> bool:
    """Whether the next client is served."""
    with dial(world, admin) as sock:
        sock.sendall(b"GET /api/v1/nodes HTTP/1.1\r\nHost: x\r\n\r\n")
        status, body = answer(sock)
        return (status, len(body["items"])) == (200, 3)


@pytest.fixture(autouse=True)
def unharmed(world: Thread, admin: ssl.SSLContext, capfd: pytest.CaptureFixture[str]) -> Iterator[None]:
    """After each test the server serves, has forgotten the clients that went, and has written nothing."""
    yield
    assert healthy(world, admin)
    until(lambda: world.clients() == 0)
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"\x16\x03nonsense\r\n\r\n", 400),
        (b"GET /api HTTP/1.1\r\nNo-Colon\r\n\r\n", 400),
        (b"GET /api HTTP/1.1\r\n\r\n", 400),  # no Host
        (b"GET /api HTTP/1.1\r\nHost: x\r\nX: " + b"y" * 100_000 + b"\r\n\r\n", 431),
        (b"POST /api/v1/namespaces HTTP/1.1\r\nHost: x\r\nContent-Length: 4000000\r\n\r\n" + b"x" * 4_000_000, 413),
        (b"POST /api/v1/namespaces HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
        (b"POST /api/v1/namespaces HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", 400),
        (b"GET /api?" + b"&".join(b"a=1" for _ in range(2000)) + b" HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        (b"POST /api/v1/namespaces HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 7\r\n\r\n{\"a\": [", 400),
        (b"POST /api/v1/namespaces HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 4\r\n\r\n\xff\xfe\x00\x01", 400),
        (b"BREW /api/v1/pods HTTP/1.1\r\nHost: x\r\n\r\n", 405),
        (b"GET /%00%ff/../../etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n", 404),
    ],
    ids=lambda value: str(value) if isinstance(value, int) else repr(value[:28]),
)  # fmt: skip
def test_what_cannot_be_served_is_refused_with_a_status(world: Thread, admin: ssl.SSLContext, sent: bytes, status: int) -> None:
    with dial(world, admin) as sock:
        with contextlib.suppress(OSError):  # refused before everything was sent
            sock.sendall(sent)
        code, body = answer(sock)
        if body == "404 page not found\n":  # what the API server says of a path that is nobody's
            assert code == status == 404
        else:
            assert (code, body["kind"], body["status"]) == (status, "Status", "Failure")


def test_without_a_certificate_one_is_anonymous(world: Thread, admin: ssl.SSLContext) -> None:
    stranger = ssl.create_default_context()
    stranger.check_hostname, stranger.verify_mode = False, ssl.CERT_NONE
    connection = http.client.HTTPSConnection("127.0.0.1", world.port, context=stranger, timeout=180)
    connection.request("GET", "/api/v1/nodes")
    response = connection.getresponse()
    assert response.status == 403
    assert 'User "system:anonymous" cannot list' in json.loads(response.read())["message"]
    connection.close()


def test_plain_text_at_a_tls_port_and_silence(world: Thread) -> None:
    for sent in (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b""):
        with socket.create_connection(("127.0.0.1", world.port), 180) as sock:
            sock.sendall(sent)


def test_every_answer_has_the_usual_headers(world: Thread, admin: ssl.SSLContext) -> None:
    found = []
    for _ in range(2):
        with dial(world, admin) as sock:
            sock.sendall(b"GET /api HTTP/1.1\r\nHost: x\r\n\r\n")
            response = http.client.HTTPResponse(sock)
            response.begin()
            assert response.headers["Cache-Control"] == "no-cache, private"
            assert response.headers["Date"].endswith(" GMT")
            found.append(response.headers["Audit-Id"])
    assert len(set(found)) == 2 and all(len(ident) == 36 for ident in found)


def test_requests_on_one_connection_are_answered_in_turn(world: Thread, admin: ssl.SSLContext) -> None:
    with dial(world, admin) as sock:
        sock.sendall(b"GET /api HTTP/1.1\r\nHost: x\r\n\r\nGET /apis HTTP/1.1\r\nHost: x\r\n\r\n")
        reader = sock.makefile("rb")
        text = b""
        while b"APIGroupList" not in text:
            text += reader.readline()
        assert text.index(b"APIVersions") < text.index(b"APIGroupList")
        reader.close()


def test_clients_that_vanish(world: Thread, admin: ssl.SSLContext) -> None:
    """In the middle of a request, of a watch, of an upgrade: with a farewell, by half-closing, and with a reset."""
    heads = (
        b"POST /api/v1/namespaces HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{",
        b"GET " + WATCH.encode() + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /api/v1/namespaces/kube-system/pods/etcd-controlplane/exec?command=cat&stdin=true HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\n"
        b"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
        b"Sec-WebSocket-Protocol: v5.channel.k8s.io\r\n\r\n",
    )
    for head in heads:
        for how in ("farewell", "half", "reset"):
            sock = dial(world, admin)
            sock.sendall(head)
            until(lambda: world.clients() > 0)
            if how == "half":
                socket.socket.shutdown(sock, socket.SHUT_WR)
            elif how == "reset":
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            sock.close()
            until(lambda: world.clients() == 0)


def test_a_websocket_that_breaks_the_rules(world: Thread, admin: ssl.SSLContext) -> None:
    head = (
        b"GET /api/v1/namespaces/kube-system/pods/etcd-controlplane/exec?command=etcd&command=--version&stdout=true HTTP/1.1\r\nHost: x\r\n"
        b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
    )
    for more in (
        b"Sec-WebSocket-Protocol: v5.channel.k8s.io\r\n\r\n\x82\x05hello",  # not masked
        b"Sec-WebSocket-Protocol: v5.channel.k8s.io\r\n\r\n" + b"\xff" * 40,  # no frame at all
        b"Sec-WebSocket-Protocol: nothing.we.know\r\n\r\n",
        b"\r\n",
    ):
        with dial(world, admin) as sock:
            sock.sendall(head + more)
            while sock.recv(65536):  # the server says what it thinks of it and closes
                pass


def test_a_hundred_watches(world: Thread, admin: ssl.SSLContext) -> None:
    async def crowd() -> list[bytes]:
        streams = []
        for _ in range(100):
            reader, writer = await asyncio.open_connection("127.0.0.1", world.port, ssl=admin, server_hostname="127.0.0.1")
            writer.write(f"GET {WATCH} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            streams.append((reader, writer))
        for reader, _ in streams:
            await reader.readuntil(b"\r\n\r\n")
        await asyncio.to_thread(world.shell, "kubectl create configmap crowd --from-literal=a=b")
        seen = [await asyncio.wait_for(reader.readuntil(b'"name":"crowd"'), 180) for reader, _ in streams]
        for _, writer in streams:
            writer.transport.abort()
        return seen

    assert len(asyncio.run(crowd())) == 100
    world.shell("kubectl delete configmap crowd")


def test_connections_are_refused_while_the_api_server_is_down(world: Thread) -> None:
    need_kubectl()
    kubectl = Client(world.config)
    assert "node01" in kubectl.out("get", "nodes")
    world.shell("mv /etc/kubernetes/manifests/kube-apiserver.yaml /tmp/")
    until(lambda: not world.call(lambda _: world.server.listening()))
    refused = f"The connection to the server 127.0.0.1:{world.port} was refused - did you specify the right host or port?\n"
    until(lambda: kubectl.run("get", "nodes", code=None)[1] == refused)
    world.shell("mv /tmp/kube-apiserver.yaml /etc/kubernetes/manifests/")
    until(lambda: "node01" in kubectl.run("get", "nodes", code=None)[0])


def test_the_terminals_kubectl_prints_the_same(world: Thread) -> None:
    need_kubectl()
    kubectl = Client(world.config)
    world.shell(
        "kubectl create deployment web --image=nginx; kubectl expose deployment web --port=80; kubectl label node node01 disk=fast"
    )
    world.shell("kubectl wait --for=condition=Available deployment/web --timeout=180s")
    for words in (
        "get nodes -L disk --no-headers -o custom-columns=NAME:.metadata.name,VERSION:.status.nodeInfo.kubeletVersion",
        "get pods -A -o name",
        "get deployment web -o yaml",
        "get service web -o json",
        "get pods -A -o jsonpath={range.items[*]}{.metadata.name}:{.status.podIP}{\"\\n\"}{end}",
        "get endpointslices -o yaml",
        "api-resources --no-headers",
        "auth can-i list secrets",
        "rollout status deployment/web",
        "describe service web",
        "explain pod.spec.containers.image",
        "get pods nothing-here",
    ):  # fmt: skip
        quoted = " ".join(f"'{word}'" for word in words.split())
        assert kubectl.run(*words.split(), code=None)[0] == world.shell(f"kubectl {quoted}"), words


def test_a_handler_that_breaks_is_answered_and_reported(
    world: Thread, admin: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    real = network.http

    def breaks(where: Any, netns: str, ip: str, port: int, request: Request) -> Response:
        if request.path == "/apis":
            raise KeyError("surprise")
        return real(where, netns, ip, port, request)

    monkeypatch.setattr(network, "http", breaks)
    with dial(world, admin) as sock:
        sock.sendall(b"GET /apis HTTP/1.1\r\nHost: x\r\n\r\n")
        code, body = answer(sock)
    assert (code, body["reason"]) == (500, "InternalError")
    text = capfd.readouterr().err
    assert text.startswith("python -m simulator serve: GET /apis: KeyError: 'surprise'")
    assert text.count("\n") == 1
