"""Static files over plain ASGI.

whitenoise makes the hashed names and compressed copies at collectstatic, but serving through its middleware costs a thread hop a
file under ASGI (464 requests/s); this handler answers from an index of the folder made at the start.  Files with a hash in
their name may be kept for ever; the others are asked for again each time and answered 304 while they are the same.
"""

from __future__ import annotations

import asyncio
import hashlib
import mimetypes
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote

Send = Callable[[dict[str, Any]], Awaitable[None]]
Receive = Callable[[], Awaitable[dict[str, Any]]]

#: `name.<12 hex digits>.ext`, as Django's manifest storage names files.
_HASHED = re.compile(r"\.[0-9a-f]{12}\.[A-Za-z0-9]+$")
_FOREVER = b"public, max-age=31536000, immutable"
_ASK_AGAIN = b"no-cache"
#: Files up to this size stay in memory once read.
_KEEP = 512 * 1024

mimetypes.add_type("text/javascript", ".js")
mimetypes.add_type("text/javascript", ".mjs")
mimetypes.add_type("font/woff2", ".woff2")
mimetypes.add_type("application/json", ".map")


@dataclass(slots=True)
class Entry:
    """One file: where it is, its compressed copies, and its headers."""

    path: Path
    content_type: bytes
    cache: bytes
    etag: bytes
    gzip: Path | None = None


class StaticFiles:
    """An ASGI application for everything under `prefix`."""

    def __init__(self, prefix: str, root: Path | None, finder: Callable[[str], str | None] | None = None) -> None:
        self.prefix = prefix
        self._finder = finder
        self._entries: dict[str, Entry] = {}
        self._bodies: dict[Path, bytes] = {}
        if root is not None and root.is_dir():
            for path in sorted(root.rglob("*")):
                name = path.relative_to(root).as_posix()
                if path.is_file() and not name.endswith((".gz", ".br")) and name != "staticfiles.json":
                    self._entries[name] = self._entry(path)

    @classmethod
    def from_settings(cls, settings: Any) -> StaticFiles:
        """In production the collected folder; with DEBUG the source files, as they are now."""
        if not settings.DEBUG:
            return cls(settings.STATIC_URL, Path(settings.STATIC_ROOT))
        from django.contrib.staticfiles import finders

        def find(name: str) -> str | None:
            found = finders.find(name)
            return found if isinstance(found, str) else None

        return cls(settings.STATIC_URL, None, find)

    @staticmethod
    def _entry(path: Path) -> Entry:
        content_type = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        if content_type.startswith("text/") or content_type in ("application/json", "image/svg+xml"):
            content_type += "; charset=utf-8"
        packed = path.with_name(path.name + ".gz")
        stat = path.stat()
        etag = hashlib.blake2b(f"{path.name}/{stat.st_size}/{stat.st_mtime_ns}".encode(), digest_size=12).hexdigest()
        return Entry(
            path=path,
            content_type=content_type.encode(),
            cache=_FOREVER if _HASHED.search(path.name) else _ASK_AGAIN,
            etag=f'"{etag}"'.encode(),
            gzip=packed if packed.is_file() else None,
        )

    def _find(self, name: str) -> Entry | None:
        entry = self._entries.get(name)
        if entry is None and self._finder is not None and ".." not in name.split("/"):
            found = self._finder(name)
            entry = self._entry(Path(found)) if found and Path(found).is_file() else None
        return entry

    async def _body(self, path: Path) -> bytes:
        body = self._bodies.get(path)
        if body is None:
            body = await asyncio.to_thread(path.read_bytes)
            if len(body) <= _KEEP and self._finder is None:
                self._bodies[path] = body
        return body

    async def __call__(self, scope: dict[str, Any], _receive: Receive, send: Send) -> None:
        """Answer one request."""
        method = scope["method"]
        if method not in ("GET", "HEAD"):
            await _plain(send, 405, b"Method not allowed\n", [(b"allow", b"GET, HEAD")])
            return
        entry = self._find(unquote(scope["path"])[len(self.prefix) :])
        if entry is None:
            await _plain(send, 404, b"Not found\n")
            return
        asked = dict(scope["headers"])
        headers = [
            (b"content-type", entry.content_type),
            (b"cache-control", entry.cache),
            (b"etag", entry.etag),
            (b"vary", b"Accept-Encoding"),
            (b"x-content-type-options", b"nosniff"),
            (b"cross-origin-resource-policy", b"same-origin"),
        ]
        if entry.etag in asked.get(b"if-none-match", b""):
            await send({"type": "http.response.start", "status": 304, "headers": headers})
            await send({"type": "http.response.body", "body": b""})
            return
        path = entry.path
        if entry.gzip is not None and b"gzip" in asked.get(b"accept-encoding", b""):
            path = entry.gzip
            headers.append((b"content-encoding", b"gzip"))
        body = await self._body(path)
        headers.append((b"content-length", str(len(body)).encode()))
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if method == "HEAD" else body})


async def _plain(send: Send, status: int, body: bytes, headers: list[tuple[bytes, bytes]] | None = None) -> None:
    """A short text."""
    start = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(body)).encode()), *(headers or [])]
    await send({"type": "http.response.start", "status": status, "headers": start})
    await send({"type": "http.response.body", "body": body})
