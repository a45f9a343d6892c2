"""Requests to a path as it is: `get`, `create`, `replace` and `delete` with `--raw` (`kubectl/pkg/rawhttp/raw.go`)."""

from __future__ import annotations

import json
from collections.abc import Generator
from typing import Any

from ...host.program import Wait, WaitTopic
from ...kernel.clock import SECOND
from ...kernel.http import Request, Response, stream_item
from ...kube.api import gojson
from ...kube.api.errors import ApiError, status
from ..flags import quote
from .errors import CommandError
from .jsontext import compact, indented
from .session import Session, split_raw


def check_path(text: str) -> None:
    """Refuse what is no absolute path."""
    if not text.startswith("/"):
        raise CommandError(f"--raw must be a valid URL path: parse {quote(text)}: invalid URI for request")


def show(s: Session, path: str, answer: Response) -> None:
    """Print an answer as the server wrote it."""
    if answer.obj is None:
        s.out(answer.body.decode("utf-8", "replace"))
        return
    # The server indents its version and nothing else; custom resources have no struct to order their fields.
    custom = isinstance(answer.obj, dict) and path.startswith("/apis/") and not s.mapper.built_in(path.split("/")[2])
    s.out(indented(answer.obj, 2, sort=False) if path == "/version" else compact(answer.obj, sort=custom) + "\n")


def raw_get(s: Session) -> int | Generator[Wait, Any, int]:
    """GET `--raw`; a watch or a followed log is printed as it comes, until the server ends it."""
    check_path(s.values.text("raw"))
    path, query = split_raw(s.values.text("raw"))
    answer = s.request("GET", path, query=query, accept="*/*")
    if answer.stream is not None:
        return _streamed(s, answer.stream)
    show(s, path, answer)
    return 0


def _streamed(s: Session, stream: Any) -> Generator[Wait, Any, int]:
    try:
        while True:
            for item in stream.poll():
                s.out(stream_item(item).decode("utf-8", "replace"))
            if stream.closed:
                return 0
            yield WaitTopic((stream.topic,) if stream.topic else (), s.world.now + SECOND)  # its time may be up without a bell
    finally:
        stream.close()


def raw_body(s: Session, method: str) -> int:
    """Send one file (or standard input) to `--raw`; raises CommandError for flags that do not go with it."""
    values = s.values
    names = values.items("filename")
    if values.has("edit") and values.on("edit"):
        raise CommandError("--raw and --edit are mutually exclusive")
    if len(names) != 1 and (names or method != "DELETE"):
        raise CommandError("--raw can only use a single local file or stdin")
    if names and names[0].startswith(("http://", "https://")):
        raise CommandError("--raw cannot read from a url")
    if values.on("recursive"):
        raise CommandError("--raw and --recursive are mutually exclusive")
    if values.has("selector") and values.text("selector"):
        raise CommandError("--raw and --selector (-l) are mutually exclusive")
    if values.text("output"):
        raise CommandError("--raw and --output are mutually exclusive")
    check_path(values.text("raw"))
    path, query = split_raw(values.text("raw"))
    data = b""
    if names:
        try:
            data = s.stdin if names[0] == "-" else s.inv.read_file(names[0])
        except OSError as error:
            raise CommandError(f"open {names[0]}: {(error.strerror or 'error').lower()}") from None
    if method == "DELETE" and not data.strip():
        answer = s.request(method, path, query=query, accept="*/*")
    elif (body := decoded(data)) is not None:
        answer = s.request(method, path, query=query, obj=body, accept="*/*")
    else:  # the server says what it thinks of the bytes
        headers = {"accept": "*/*", "content-type": "application/json"}
        answer = s.checked(
            Request(method=method, path=path, query={key: [value] for key, value in query.items()}, headers=headers, body=data)
        )
    show(s, path, answer)
    return 0


def decoded(data: bytes) -> Any:
    """A body as JSON, None when it is none."""
    try:
        return json.loads(data)
    except ValueError:
        return None


def body_of_json(data: bytes) -> Any:
    """A patch that is sent as it is; a server that gets no JSON says so in the words of its decoder."""
    try:
        return json.loads(data)
    except json.JSONDecodeError as error:
        raise ApiError(status(400, "BadRequest", gojson.problem(error)[0])) from None
    except ValueError:
        raise ApiError(status(400, "BadRequest", "invalid UTF-8")) from None
