"""The harness's HTTP and WebSocket server: static files of the project, one page per case, one FakeCluster per path."""

from __future__ import annotations

import asyncio
import json
import mimetypes
import secrets
import socket
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import uvicorn

from tests.e2e.harness import pages
from tests.e2e.harness.cluster import FakeCluster

ROOT = Path(__file__).resolve().parents[3]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


def policy(nonce: str) -> str:
    """The strict policy that the site sends too."""
    return (
        f"default-src 'none'; script-src 'self'; style-src 'self' 'nonce-{nonce}'; img-src 'self' data:; "
        "font-src 'self'; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )


class Harness:
    """Runs in a thread; tests steer `clusters[path]` and the switches from outside through `call`."""

    def __init__(self) -> None:
        self.clusters: dict[str, FakeCluster] = {}
        self.sockets: list[asyncio.Queue[dict[str, Any] | int | None]] = []
        self.refuse = 0
        self.posts: list[tuple[str, str]] = []
        self.post_status = 204
        self.reset_to = "/ws/cluster/second/"
        self.loop: asyncio.AbstractEventLoop | None = None

    def cluster(self, path: str = "/ws/cluster/first/") -> FakeCluster:
        """The cluster behind a WebSocket path, made when first asked for."""
        return self.clusters.setdefault(path, FakeCluster())

    # ---- for tests (another thread)

    def call(self, fn: Callable[[], Any]) -> Any:
        """Runs `fn` in the server's loop and returns its result."""

        async def run() -> Any:
            return fn()

        assert self.loop is not None
        return asyncio.run_coroutine_threadsafe(run(), self.loop).result(10)

    def drop(self, code: int = 1011) -> None:
        """Closes every WebSocket."""

        def close() -> None:
            for queue in self.sockets:
                queue.put_nowait(code)

        self.call(close)

    # ---- ASGI

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        self.loop = asyncio.get_running_loop()
        if scope["type"] == "lifespan":
            while True:
                message = await receive()
                await send({"type": f"{message['type']}.complete"})
                if message["type"] == "lifespan.shutdown":
                    return
        elif scope["type"] == "websocket":
            await self.websocket(scope, receive, send)
        else:
            await self.http(scope, receive, send)

    async def http(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        path = scope["path"]
        if scope["method"] == "POST":
            body = b""
            more = True
            while more:
                message = await receive()
                body += message.get("body", b"")
                more = message.get("more_body", False)
            self.posts.append((path, body.decode()))
            if path.startswith("/clusters/"):
                answer = json.dumps({"id": self.reset_to.split("/")[3], "ws": self.reset_to, "scenario": "three-nodes"}).encode()
                await self.answer(send, 200, answer, "application/json")
            else:
                await self.answer(send, self.post_status, b"" if self.post_status == 204 else b"the quiz is closed", "text/plain")
            return
        if path.startswith("/static/"):
            file = (ROOT / path.lstrip("/")).resolve()
            if file.is_file() and (ROOT / "static") in file.parents:
                await self.answer(send, 200, file.read_bytes(), mimetypes.guess_type(file.name)[0] or "application/octet-stream")
            else:
                await self.answer(send, 404, b"", "text/plain")
            return
        nonce = secrets.token_urlsafe(12)
        page = pages.page(path, nonce)
        if page is None:
            await self.answer(send, 404, b"", "text/plain")
        else:
            await self.answer(
                send, 200, page.encode(), "text/html; charset=utf-8", [(b"content-security-policy", policy(nonce).encode())]
            )

    async def answer(
        self, send: Send, status: int, body: bytes, kind: str, more: list[tuple[bytes, bytes]] | None = None
    ) -> None:
        headers = [(b"content-type", kind.encode()), (b"cache-control", b"no-store"), *(more or [])]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def websocket(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        if self.refuse:
            await send({"type": "websocket.close", "code": self.refuse})
            return
        cluster = self.cluster(scope["path"])
        queue: asyncio.Queue[dict[str, Any] | int | None] = asyncio.Queue()
        self.sockets.append(queue)
        put = queue.put_nowait

        async def write() -> None:
            while (item := await queue.get()) is not None:
                if isinstance(item, int):
                    await send({"type": "websocket.close", "code": item})
                    return
                await send({"type": "websocket.send", "text": json.dumps(item)})

        writer = asyncio.create_task(write())
        try:
            while True:
                message = await receive()
                if message["type"] == "websocket.disconnect":
                    break
                if message["type"] == "websocket.receive":
                    cluster.handle(json.loads(message["text"]), put)
        finally:
            self.sockets.remove(queue)
            if put in cluster.connections:
                cluster.connections.remove(put)
            writer.cancel()


class Running:
    """A harness served on a free loopback port until `stop`."""

    def __init__(self) -> None:
        self.harness = Harness()
        listening = socket.create_server(("127.0.0.1", 0))
        self.port = listening.getsockname()[1]
        config = uvicorn.Config(self.harness, log_level="warning", ws="websockets-sansio")
        self.server = uvicorn.Server(config)
        self.thread = threading.Thread(target=self.server.run, args=([listening],), daemon=True)
        self.thread.start()
        self.url = f"http://127.0.0.1:{self.port}"

    def stop(self) -> None:
        """Ends the server and waits for it."""
        self.harness.drop()
        self.server.should_exit = True
        self.thread.join(10)
