"""Requests of a learner's own tools (the real kubectl, a client library) to the API server of their world.

They arrive from a machine outside the cluster with the administrator's certificate of /etc/kubernetes/admin.conf: whoever breaks that file,
its certificate or its rights has broken them here too, as on a real cluster.
"""

from __future__ import annotations

import base64
import binascii
from typing import Any
from urllib.parse import parse_qs

import msgspec
import yaml

from ..host import files
from ..kernel import network
from ..kernel.errors import BadInput, ConnectError
from ..kernel.http import Request, Response, stream_item
from ..kernel.world import World
from ..kube.apiserver import wire

#: The netns that such requests come from, and its address.
OUTSIDE, ADDRESS = "outside", "172.30.0.100"
PORT = 6443
ADMIN = "/etc/kubernetes/admin.conf"
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
#: What chooses a part of a log.
LOG_PART = ("tailLines", "sinceSeconds", "sinceTime", "limitBytes")
#: Largest body of a request: etcd's limit for one request.
MAX_BODY = 1536 * 1024


class Call(msgspec.Struct, forbid_unknown_fields=True):
    """A request as a journal row holds it: `query` undecoded, `body` in base64, header names in lower case."""

    method: str
    path: str
    query: str = ""
    headers: dict[str, str] = {}
    body: str = ""


class Answer(msgspec.Struct):
    """What came of it: `body` in base64; `position` is where a stream that was polled goes on (the store's
    revision, or the bytes of the whole log), `closed` says that it has ended.

    `error` is not empty when nothing answered: "refused" when no API server listens.
    """

    status: int = 0
    headers: dict[str, str] = {}
    body: str = ""
    stream: bool = False
    closed: bool = True
    position: str = ""
    error: str = ""


def parse(data: dict[str, Any]) -> Call:
    """A row's data; raises BadInput naming the field."""
    try:
        call = msgspec.convert(data, Call)
    except msgspec.ValidationError as error:
        raise BadInput(f"http: {error}") from None
    check(call)
    return call


def check(call: Call) -> None:
    """Raises BadInput for what the types of a call do not say."""
    if call.method not in METHODS:
        raise BadInput(f"http: method: must be one of {', '.join(METHODS)}")
    if not call.path.startswith("/"):
        raise BadInput("http: path: must begin with /")
    if len(call.body) > MAX_BODY * 4 // 3 + 4:
        raise BadInput(f"http: body: more than {MAX_BODY} bytes")


def ask(world: World, host: str, call: Call) -> Answer:
    """Send a request into the world; a stream gives what is there now and is closed."""
    request = _request(world, host, call)
    response = _try(world, host, request)
    if response is None or response.stream is None:
        return answer_of(response)
    items = response.stream.poll()
    answer = _answer(response, b"".join(stream_item(item) for item in items))
    answer.stream, answer.closed = True, bool(response.stream.closed)
    response.stream.close()
    answer.position = _length(world, host, request) if request.path.endswith("/log") else _revision(world, host, request)
    return answer


def send(world: World, host: str, call: Call) -> Response | None:
    """Send a request into the world; None when no API server listens."""
    return _try(world, host, _request(world, host, call))


def answer_of(response: Response | None) -> Answer:
    """What a response without a stream says."""
    if response is None:
        return Answer(error="refused")
    return Answer(status=101) if response.status == 101 else _answer(response, wire.body_of(response))


def _request(world: World, host: str, call: Call) -> Request:
    try:
        body = base64.b64decode(call.body, validate=True)
        query = parse_qs(call.query, keep_blank_values=True, max_num_fields=1000)
    except (binascii.Error, ValueError) as error:
        raise BadInput(f"http: {error}") from None
    return Request(
        method=call.method,
        path=call.path,
        query=query,
        headers=dict(call.headers),
        body=body,
        client_cert=_certificate(world, host),
    )


def _try(world: World, host: str, request: Request) -> Response | None:
    try:
        return _send(world, host, request)
    except ConnectError:
        return None


def _answer(response: Response, body: bytes) -> Answer:
    headers = {name: value for name, value in response.headers.items() if name != "x-pretty"}
    headers["content-type"] = wire.content_type(response)
    return Answer(status=response.status, headers=headers, body=base64.b64encode(body).decode())


def _send(world: World, host: str, request: Request) -> Response:
    net = network.network(world)
    if OUTSIDE not in net.namespaces:
        network.add_namespace(world, OUTSIDE, OUTSIDE, [ADDRESS])
    return network.http(world, OUTSIDE, next(iter(net.namespaces[host].ips)), PORT, request)


def _revision(world: World, host: str, watch: Request) -> str:
    """The revision from which a watch that was polled just now goes on."""
    kept = {name: values for name, values in watch.query.items() if name in ("labelSelector", "fieldSelector")}
    path = watch.path.replace("/api/v1/watch/", "/api/v1/", 1)
    found = _send(
        world,
        host,
        Request(method="GET", path=path, query={**kept, "limit": ["1"]}, client_cert=watch.client_cert, headers={}),
    )
    body = found.obj if isinstance(found.obj, dict) else {}
    return str(body.get("metadata", {}).get("resourceVersion", ""))


def _length(world: World, host: str, follow: Request) -> str:
    """The bytes of a followed log up to now, whatever part of it was asked for."""
    kept = {name: values for name, values in follow.query.items() if name not in (*LOG_PART, "follow")}
    found = _send(world, host, Request(method="GET", path=follow.path, query=kept, client_cert=follow.client_cert))
    return str(len(wire.body_of(found)))


def _certificate(world: World, host: str) -> bytes:
    """The administrator's certificate, or nothing: the request is anonymous then."""
    try:
        config = yaml.safe_load(files.read_file(world, host, ADMIN))
        return base64.b64decode(config["users"][0]["user"]["client-certificate-data"])
    except (OSError, yaml.YAMLError, KeyError, IndexError, TypeError, ValueError):
        return b""
