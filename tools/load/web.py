"""A small HTTP/1.1 client for the load: one connection, kept alive, with a log-in and the CSRF token."""

from __future__ import annotations

import asyncio
from urllib.parse import urlencode

TOKEN = "l" * 32


class Client:
    """One browser's connection for pages."""

    def __init__(self, port: int, cookie: str = "") -> None:
        self.port = port
        self.cookie = f"csrftoken={TOKEN}" + (f"; sessionid={cookie}" if cookie else "")
        #: The body of the last answer.
        self.body = b""
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def get(self, path: str) -> int:
        """GET; returns the status after the whole body was read."""
        return await self._request("GET", path, b"", "")

    async def post(self, path: str, form: dict[str, str]) -> int:
        """POST of a form as the pages' scripts send it."""
        body = urlencode(form).encode()
        origin = f"http://127.0.0.1:{self.port}"
        extra = (
            f"Content-Type: application/x-www-form-urlencoded\r\nX-CSRFToken: {TOKEN}\r\nX-Autosave: 1\r\nOrigin: {origin}\r\n"
        )
        return await self._request("POST", path, body, extra)

    async def _request(self, method: str, path: str, body: bytes, extra: str) -> int:
        """Once more over a new connection, as browsers do, where the server had closed the one that was kept."""
        kept = self._streams is not None
        try:
            return await self._once(method, path, body, extra)
        except OSError:
            if not kept:
                raise
            return await self._once(method, path, body, extra)

    async def _once(self, method: str, path: str, body: bytes, extra: str) -> int:
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", self.port)
        reader, writer = self._streams
        head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\nCookie: {self.cookie}\r\n{extra}"
        head += f"Content-Length: {len(body)}\r\n\r\n" if body or method == "POST" else "\r\n"
        try:
            writer.write(head.encode() + body)
            status = int((await reader.readline()).split()[1])
            length, closing = 0, False
            while line := (await reader.readline()).strip().lower():
                if line.startswith(b"content-length:"):
                    length = int(line.split(b":")[1])
                closing |= line == b"connection: close"
            self.body = await reader.readexactly(length)
        except (OSError, IndexError, asyncio.IncompleteReadError) as error:
            self.close()
            raise OSError(str(error)) from error
        if closing:
            self.close()
        return status

    def close(self) -> None:
        """Hang up."""
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None
