"""How etcdctl's v2 commands talk to members: HTTP on `/v2/…`, one endpoint after the other (client/v2 of etcd 3.4)."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any
from urllib.parse import quote, urlencode

import orjson

from ...etcd.client import split_endpoint
from ...host.program import Invocation, Sleep, Wait, WaitTopic
from ...kernel import network
from ...kernel.clock import MS
from ...kernel.errors import ConnectError
from ...kernel.http import Request, Response

EXIT_BAD_ARGS, EXIT_BAD_CONNECTION, EXIT_SERVER, EXIT_UNHEALTHY = 1, 2, 4, 5


class V2Failed(Exception):
    """The command ends: its status and what is printed on standard error."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code


def bad_args(text: str) -> V2Failed:
    """Wrong arguments."""
    return V2Failed(EXIT_BAD_ARGS, f"Error:  {text}")


def node_json(node: dict[str, Any]) -> dict[str, Any]:
    """A node as `-o json` prints it (client/v2: Node)."""
    out: dict[str, Any] = {"key": node.get("key", "")}
    if node.get("dir"):
        out["dir"] = True
    out["value"] = node.get("value", "")
    out["nodes"] = [node_json(one) for one in node["nodes"]] if node.get("nodes") else None
    out["createdIndex"], out["modifiedIndex"] = node.get("createdIndex", 0), node.get("modifiedIndex", 0)
    return {**out, **{name: node[name] for name in ("expiration", "ttl") if name in node}}


class Client:
    """Requests to the members; `index` is the store's index in the last answer."""

    def __init__(self, inv: Invocation, endpoints: list[str]) -> None:
        self.inv, self.endpoints, self.index = inv, endpoints, 0

    def ask(self, endpoint: str, request: Request) -> Response:
        """One request to one member."""
        scheme, host, port = split_endpoint(endpoint)
        request.scheme, request.source = scheme, self.inv.proc.netns
        ip = "127.0.0.1" if host == "localhost" else host
        return network.http(self.inv.world, self.inv.proc.netns, ip, port, request)

    def send(
        self, method: str, path: str, query: dict[str, str], form: dict[str, str], data: bytes = b""
    ) -> Generator[Wait, Any, Response]:
        """A request to the first member that answers, with a form or with JSON."""
        failures = []
        for endpoint in self.endpoints:
            body = data or urlencode(form).encode()
            kind = "application/json" if data else "application/x-www-form-urlencoded"
            headers = {"content-type": kind} if body else {}
            fields = {name: [value] for name, value in query.items()}
            try:
                answer = self.ask(endpoint, Request(method=method, path=path, query=fields, headers=headers, body=body))
            except ConnectError:
                _, host, port = split_endpoint(endpoint)
                failures.append(f"dial tcp {'127.0.0.1' if host == 'localhost' else host}:{port}: connect: connection refused")
                continue
            yield Sleep(answer.latency or MS)
            return answer
        text = "; ".join(f"error #{at}: {one}\n" for at, one in enumerate(failures))
        detail = "\n".join(f"error #{at}: {one}" for at, one in enumerate(failures))
        message = f"Error:  client: etcd cluster is unavailable or misconfigured; {text}\n{detail}\n"
        raise V2Failed(EXIT_BAD_CONNECTION, message)  # the list of members could not be had, which comes before any command

    def keys(
        self, method: str, key: str, query: dict[str, str] | None = None, form: dict[str, str] | None = None
    ) -> Generator[Wait, Any, dict[str, Any]]:
        """A request on a key; raises V2Failed with the server's error."""
        path = "/v2/keys/" + quote(key.lstrip("/"), safe="/")
        answer = yield from self.send(method, path.replace("%20", " "), query or {}, form or {})
        return self.read(answer.status, answer.headers, answer.body)

    def read(self, status: int, headers: dict[str, str], data: bytes) -> dict[str, Any]:
        """The JSON of an answer; raises V2Failed for an error."""
        try:
            body: dict[str, Any] = orjson.loads(data)
        except orjson.JSONDecodeError:
            raise V2Failed(
                EXIT_SERVER, "Error:  client: response is invalid json. The endpoint is probably not valid etcd cluster endpoint"
            ) from None
        if status >= 400:
            text = f"Error:  {body['errorCode']}: {body['message']} ({body['cause']}) [{body['index']}]"
            raise V2Failed(EXIT_SERVER, text)
        self.index = int(headers.get("x-etcd-index", "0"))
        return body

    def wait(self, key: str, recursive: bool, index: int) -> Generator[Wait, Any, dict[str, Any]]:
        """The next event of a watch."""
        query = {"wait": "true", **({"recursive": "true"} if recursive else {}), **({"waitIndex": str(index)} if index else {})}
        answer = yield from self.send("GET", "/v2/keys/" + key.lstrip("/"), query, {})
        if answer.stream is None:
            return self.read(answer.status, answer.headers, answer.body)
        try:
            while True:
                for line in answer.stream.poll():
                    found: dict[str, Any] = orjson.loads(line)
                    return found
                yield WaitTopic((answer.stream.topic,))
        finally:
            answer.stream.close()

    def tell(self, method: str, path: str, body: dict[str, Any] | None = None) -> Generator[Wait, Any, dict[str, Any]]:
        """A change of the members; raises V2Failed with the server's message."""
        data = orjson.dumps(body) if body is not None else b""
        answer = yield from self.send(method, path, {}, {}, data)
        if answer.status >= 400:
            try:
                text = str(orjson.loads(answer.body)["message"])
            except (orjson.JSONDecodeError, KeyError, TypeError):
                text = answer.body.decode("utf-8", "replace").strip()
            raise V2Failed(1, text)
        return orjson.loads(answer.body) if answer.body else {}

    def members(self) -> Generator[Wait, Any, list[dict[str, Any]]]:
        """`/v2/members`."""
        answer = yield from self.send("GET", "/v2/members", {}, {})
        found: list[dict[str, Any]] = self.read(answer.status, answer.headers, answer.body)["members"]
        return found
