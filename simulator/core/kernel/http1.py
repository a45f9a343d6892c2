"""HTTP/1.1 messages (by h11) as requests and responses of the simulated network, and back.  No sockets: bytes in, bytes out."""

from __future__ import annotations

from http import HTTPStatus
from urllib.parse import parse_qs, unquote

import h11

from .http import Request

#: Query parameters of one request.
MAX_FIELDS = 1000


def request_of(head: h11.Request, body: bytes, scheme: str, client_cert: bytes = b"") -> Request:
    """A request that has come whole; raises RemoteProtocolError for a query that has too many fields."""
    headers: dict[str, str] = {}
    for key, value in head.headers:
        name, text = key.decode("latin-1"), value.decode("latin-1")
        # repeated headers are a list; a group's name may hold a comma, but no header holds a line end
        mark = "\n" if name.startswith("impersonate-") else ","
        headers[name] = f"{headers[name]}{mark}{text}" if name in headers else text
    path, _, query = head.target.decode("latin-1").partition("?")
    try:
        parsed = parse_qs(query, keep_blank_values=True, max_num_fields=MAX_FIELDS)
    except ValueError as error:
        raise h11.RemoteProtocolError(str(error)) from None
    return Request(
        method=head.method.decode("latin-1"),
        path=unquote(path),
        query=parsed,
        headers=headers,
        body=body,
        client_cert=client_cert,
        scheme=scheme,
    )


def head(code: int, headers: dict[str, str]) -> h11.Response:
    """The head of a response."""
    return h11.Response(status_code=code, headers=list(headers.items()), reason=phrase(code))


def phrase(code: int) -> str:
    """The words of a status line, as net/http writes them."""
    try:
        return HTTPStatus(code).phrase
    except ValueError:
        return ""


def refusal(code: int, text: str, content_type: str = "text/plain; charset=utf-8") -> bytes:
    """A whole response that ends the connection."""
    body = text.encode()
    lines = f"HTTP/1.1 {code} {phrase(code)}\r\ncontent-type: {content_type}\r\ncontent-length: {len(body)}\r\nconnection: close\r\n\r\n"
    return lines.encode() + body
