"""One HTTPS connection in front of a simulated API server: HTTP/1.1 framing by h11, client certificates by TLS.

Bytes come in, a `kernel.http.Request` goes over the simulated network, and its answer goes out; a stream (watch, followed log) is
polled after the world has moved; an upgrade to WebSocket is handed to `upgrade.py`.  Virtual time is advanced by the owner of the
world, never here.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import uuid
from email.utils import formatdate
from typing import Any

import h11
import orjson

from simulator.core.kernel import http1
from simulator.core.kernel.clock import SECOND
from simulator.core.kernel.errors import ConnectError
from simulator.core.kernel.http import Request, Response, stream_item
from simulator.core.kube.apiserver import wire

from . import upgrade
from .edge import Edge, WorldStopped, status

#: Largest request body (etcd takes 1.5 MiB a request; the API server's own limit is 3 MiB).
MAX_BODY = 3 * 1024 * 1024
#: Largest head of a request (net/http: DefaultMaxHeaderBytes is 1 MiB; nobody needs that here).
MAX_HEAD = 64 * 1024
READ = 64 * 1024
#: Seconds that a connection may be quiet between requests, and that one request may take to arrive or a client to read.
IDLE, ARRIVAL, DRAIN = 300.0, 60.0, 60.0
REASONS = {
    400: "BadRequest",
    413: "RequestEntityTooLarge",
    414: "RequestURITooLong",
    431: "RequestHeaderFieldsTooLarge",
    501: "NotImplemented",
}
#: What ends a connection without a word: the client has gone, or the server that it talks to.
GONE = (ConnectionError, asyncio.IncompleteReadError, TimeoutError, ssl.SSLError, ConnectError, WorldStopped, EOFError)


class Connection:
    """One client connection; requests on it are answered in turn."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, edge: Edge) -> None:
        self.reader, self.writer, self.edge = reader, writer, edge
        self.http = h11.Connection(h11.SERVER, max_incomplete_event_size=MAX_HEAD)
        tls: ssl.SSLObject | None = writer.get_extra_info("ssl_object")
        der = tls.getpeercert(binary_form=True) if tls is not None else None
        self.client_cert = ssl.DER_cert_to_PEM_cert(der).encode() if der else b""

    async def run(self) -> None:
        """Serve until the client goes."""
        try:
            while await self._exchange():
                pass
        except (h11.RemoteProtocolError, h11.LocalProtocolError) as error:
            await self._refuse(getattr(error, "error_status_hint", 400) or 400, str(error))
        except GONE:
            self.writer.transport.abort()
        except asyncio.CancelledError:
            self.writer.transport.abort()
            raise
        finally:
            self.writer.close()
            with contextlib.suppress(Exception):
                await self.writer.wait_closed()

    async def _exchange(self) -> bool:
        """One request and its answer; False when the connection is to be closed."""
        head = await self._event(IDLE)
        if not isinstance(head, h11.Request):
            return False
        async with asyncio.timeout(ARRIVAL):
            request = await self._request(head)
        if request is None:
            return False
        kind = upgrade.wanted(request)
        if kind:
            answer = self.edge.ask(request)
            if answer.status == 101:
                if refusal := upgrade.refusal(request, answer, kind):
                    await self._plain(request, Response(status=int(refusal["code"]), obj=refusal))
                    return False
                trailing = self.http.trailing_data[0]
                await upgrade.serve(self.edge, self.reader, self.writer, head, request, answer.obj, trailing)
                return False
        else:
            answer = self.edge.ask(request)
            if answer.status == 101:
                answer = Response(status=400, obj=status(400, "BadRequest", "Upgrade request required"))
        if answer.stream is not None:
            await self._stream(answer)
        else:
            await self._plain(request, answer)
        if self.http.our_state is h11.MUST_CLOSE or self.http.their_state is not h11.DONE:
            return False
        self.http.start_next_cycle()
        return True

    async def _event(self, patience: float | None = None) -> h11.Event | type[h11.NEED_DATA] | type[h11.PAUSED]:
        while True:
            event = self.http.next_event()
            if event is not h11.NEED_DATA:
                return event
            wait = IDLE if patience is None or self.http.trailing_data[0] else patience
            self.http.receive_data(await asyncio.wait_for(self.reader.read(READ), wait))

    async def _request(self, head: h11.Request) -> Request | None:
        if len(head.target) + sum(len(key) + len(value) for key, value in head.headers) > MAX_HEAD:
            raise h11.RemoteProtocolError("request header too large", error_status_hint=431)
        if self.http.they_are_waiting_for_100_continue:
            await self._send(h11.InformationalResponse(status_code=100, headers=[]))
        body = bytearray()
        while not isinstance(part := await self._event(), h11.EndOfMessage):
            if not isinstance(part, h11.Data):
                return None
            body += part.data
            if len(body) > MAX_BODY:
                # apiserver/pkg/endpoints/handlers/rest.go: limitedReadBody
                raise h11.RemoteProtocolError(f"Request entity too large: limit is {MAX_BODY}", error_status_hint=413)
        return http1.request_of(head, bytes(body), "https", self.client_cert)

    def _usual(self) -> dict[str, str]:
        """Headers of every answer (`endpoints/filters/{cachecontrol,with_auditid}.go`); the date is the world's."""
        date = formatdate(self.edge.world.wall // SECOND, usegmt=True)
        return {"audit-id": str(uuid.uuid4()), "cache-control": "no-cache, private", "date": date}

    async def _plain(self, request: Request, answer: Response) -> None:
        body = wire.body_of(answer)
        headers = {**self._usual(), **answer.headers, "content-type": wire.content_type(answer), "content-length": str(len(body))}
        headers.pop("x-pretty", None)
        await self._send(http1.head(answer.status, headers))
        if body and request.method != "HEAD":
            await self._send(h11.Data(data=body))
        await self._send(h11.EndOfMessage())

    async def _stream(self, answer: Response) -> None:
        headers = {**self._usual(), "content-type": "application/json", **answer.headers, "transfer-encoding": "chunked"}
        gone = asyncio.ensure_future(self.reader.read(1))
        try:
            await self._send(http1.head(answer.status, headers))
            while not gone.done():
                moved = self.edge.moved()
                out = b"".join(stream_item(item) for item in answer.stream.poll())
                if out:
                    await self._send(h11.Data(data=out))
                if answer.stream.closed:
                    break
                waits: list[asyncio.Future[Any]] = [gone, moved]
                await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            else:
                raise ConnectionResetError
            await self._send(h11.EndOfMessage())
        finally:
            answer.stream.close()
            gone.cancel()
            with contextlib.suppress(asyncio.CancelledError, Exception):
                await gone

    async def _refuse(self, code: int, message: str) -> None:
        with contextlib.suppress(Exception):
            body = orjson.dumps(status(code, REASONS.get(code, "BadRequest"), message)).decode()
            self.writer.write(http1.refusal(code, body, "application/json"))
            await asyncio.wait_for(self.writer.drain(), DRAIN)

    async def _send(self, event: h11.Event) -> None:
        data = self.http.send(event)
        if data:
            self.writer.write(data)
            await asyncio.wait_for(self.writer.drain(), DRAIN)
