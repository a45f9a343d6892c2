"""No request has a body without an end: beyond the limit it is refused before anything of it is kept.

nginx refuses as much (`client_max_body_size`); this holds where there is none before the site.  Django itself bounds forms and not files, which
it writes to a disk that is everybody's.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

#: Bytes of one request's body; the largest upload that a view takes is smaller.
LIMIT = 12 * 1024 * 1024

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
Application = Callable[[dict[str, Any], Receive, Send], Awaitable[None]]


class _TooLarge(Exception):
    pass


async def bounded(application: Application, scope: dict[str, Any], receive: Receive, send: Send) -> None:
    """Answer by `application`, or with 413 when the body is longer than it says it may be."""
    told = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
    if not told.isdigit() or int(told[:20]) > LIMIT:
        await _refuse(send)
        return
    size, began = 0, False

    async def take() -> dict[str, Any]:
        nonlocal size
        message = await receive()
        size += len(message.get("body", b""))
        if size > LIMIT:
            raise _TooLarge
        return message

    async def answer(message: dict[str, Any]) -> None:
        nonlocal began
        began = True
        await send(message)

    try:
        await application(scope, take, answer)
    except _TooLarge:
        if not began:
            await _refuse(send)


async def _refuse(send: Send) -> None:
    body = b"The request is too large.\n"
    headers = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", str(len(body)).encode()),
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": 413, "headers": headers})
    await send({"type": "http.response.body", "body": body})
