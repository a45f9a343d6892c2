"""One HTTPS listener in front of a simulated API server: HTTP/1.1 framing by h11, client certificates by TLS.

Bytes come in, a `kernel.http.Request` goes over the simulated network, and its answer goes out; a stream (watch, followed log) is
polled after the world has moved.  Virtual time is advanced by the owner (`Pump`), never here.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, unquote

import h11
import orjson

from simulator.core.kernel.errors import ConnectError
from simulator.core.kernel.http import Request, Response

#: Largest request body (etcd takes 1.5 MiB a request; the API server's own limit is 3 MiB).
MAX_BODY = 3 * 1024 * 1024 + 1024
READ = 64 * 1024
IDLE = 300.0

Ask = Callable[[Request], Response]
Wait = Callable[[], "asyncio.Future[None]"]


class Connection:
    """One client connection; requests on it are answered in turn."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, ask: Ask, moved: Wait) -> None:
        self.reader, self.writer, self.ask, self.moved = reader, writer, ask, moved
        self.http = h11.Connection(h11.SERVER, max_incomplete_event_size=64 * 1024)
        tls: ssl.SSLObject | None = writer.get_extra_info("ssl_object")
        der = tls.getpeercert(binary_form=True) if tls is not None else None
        self.client_cert = ssl.DER_cert_to_PEM_cert(der).encode() if der else b""
        peer = writer.get_extra_info("peername")
        self.source = str(peer[0]) if peer else ""

    async def run(self) -> None:
        """Serve until the client goes."""
        try:
            while True:
                request = await self._request()
                if request is None:
                    return
                await self._answer(request)
                if self.http.our_state is h11.MUST_CLOSE or self.http.their_state is h11.MUST_CLOSE:
                    return
                self.http.start_next_cycle()
        except (h11.RemoteProtocolError, h11.LocalProtocolError) as error:
            await self._refuse(getattr(error, "error_status_hint", 400) or 400, str(error))
        except (ConnectionError, asyncio.IncompleteReadError, TimeoutError, ssl.SSLError):
            pass
        finally:
            self.writer.close()
            with contextlib.suppress(Exception):
                await self.writer.wait_closed()

    async def _event(self) -> h11.Event | type[h11.NEED_DATA] | type[h11.PAUSED]:
        while True:
            event = self.http.next_event()
            if event is not h11.NEED_DATA:
                return event
            self.http.receive_data(await asyncio.wait_for(self.reader.read(READ), IDLE))

    async def _request(self) -> Request | None:
        event = await self._event()
        if isinstance(event, h11.ConnectionClosed) or not isinstance(event, h11.Request):
            return None
        headers = {k.decode("latin-1"): v.decode("latin-1") for k, v in event.headers}
        if headers.get("expect", "").lower() == "100-continue":
            await self._send(h11.InformationalResponse(status_code=100, headers=[]))
        body = bytearray()
        while True:
            part = await self._event()
            if isinstance(part, h11.Data):
                body += part.data
                if len(body) > MAX_BODY:
                    raise h11.RemoteProtocolError("request body too large", error_status_hint=413)
            elif isinstance(part, h11.EndOfMessage):
                break
            else:
                return None
        target = event.target.decode("latin-1")
        path, _, query = target.partition("?")
        return Request(
            method=event.method.decode("latin-1"),
            path=unquote(path),
            query=parse_qs(query, keep_blank_values=True, max_num_fields=200),
            headers=headers,
            body=bytes(body),
            client_cert=self.client_cert,
            scheme="https",
        )

    async def _answer(self, request: Request) -> None:
        try:
            answer = self.ask(request)
        except ConnectError:
            # The simulated server does not listen: a real one would refuse the connection, so end it without an answer.
            raise ConnectionResetError from None
        if answer.stream is not None:
            await self._stream(answer)
            return
        body = answer.body if answer.obj is None else orjson.dumps(answer.obj)
        headers = {"content-type": "application/json", **answer.headers, "content-length": str(len(body))}
        await self._send(h11.Response(status_code=answer.status, headers=list(headers.items())))
        if body and request.method != "HEAD":
            await self._send(h11.Data(data=body))
        await self._send(h11.EndOfMessage())

    async def _stream(self, answer: Response) -> None:
        headers = {"content-type": "application/json", **answer.headers, "transfer-encoding": "chunked"}
        await self._send(h11.Response(status_code=answer.status, headers=list(headers.items())))
        gone = asyncio.ensure_future(self.reader.read(1))
        try:
            while not gone.done():
                out = b"".join(_line(item) for item in answer.stream.poll())
                if out:
                    await self._send(h11.Data(data=out))
                if answer.stream.closed:
                    break
                waits: list[asyncio.Future[Any]] = [gone, self.moved()]
                await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            else:
                raise ConnectionResetError
        finally:
            answer.stream.close()
            gone.cancel()
        await self._send(h11.EndOfMessage())

    async def _refuse(self, status: int, message: str) -> None:
        with contextlib.suppress(Exception):
            body = orjson.dumps(
                {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": message, "code": status}
            )
            head = f"HTTP/1.1 {status} Refused\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\nconnection: close\r\n\r\n"
            self.writer.write(head.encode() + body)
            await self.writer.drain()

    async def _send(self, event: h11.Event) -> None:
        data = self.http.send(event)
        if data:
            self.writer.write(data)
            await self.writer.drain()


def _line(item: object) -> bytes:
    """One item of a stream: bytes of a log as they are, watch events as a line of JSON."""
    if isinstance(item, (bytes, bytearray)):
        return bytes(item)
    kind, obj = getattr(item, "type", None), getattr(item, "object", None)
    return orjson.dumps({"type": kind, "object": obj} if kind is not None else item) + b"\n"
