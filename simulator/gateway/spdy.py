"""SPDY/3.1 framing, the server's side, without a socket (https://www.chromium.org/spdy/spdy-protocol/spdy-protocol-draft3-1).

What client-go's `httpstream/spdy` uses of it: streams that the client opens with headers, data with an end on either side, pings, resets.
Flow control is not spoken by those clients (moby/spdystream), so windows are neither kept nor announced.  There is no maintained Python
library that speaks SPDY; this is the part that kubectl needs.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass, field

from .codec import BrokenClient

SYN_STREAM, SYN_REPLY, RST_STREAM, SETTINGS, PING, GOAWAY, HEADERS, WINDOW_UPDATE = 1, 2, 3, 4, 6, 7, 8, 9
FIN = 1
VERSION = 3
#: Largest frame of a client (spdystream writes at most 64 KiB of data), and of a decompressed header block.
MAX_FRAME, MAX_HEADERS = 1024 * 1024, 64 * 1024
MAX_STREAMS = 512

#: Section 2.6.10.1: words that header blocks are likely to hold; each of the first group is preceded by its length.
_WORDS = (
    "options head post put delete trace accept accept-charset accept-encoding accept-language accept-ranges age allow authorization "
    "cache-control connection content-base content-encoding content-language content-length content-location content-md5 content-range "
    "content-type date etag expect expires from host if-match if-modified-since if-none-match if-range if-unmodified-since "
    "last-modified location max-forwards pragma proxy-authenticate proxy-authorization range referer retry-after server te trailer "
    "transfer-encoding upgrade user-agent vary via warning www-authenticate method get status"
).split()
_AFTER = ("200 OK", "version", "HTTP/1.1", "url", "public", "set-cookie", "keep-alive", "origin")
_CODES = (
    "100101201202205206300302303304305306307402405406407408409410411412413414415416417502504505"
    "203 Non-Authoritative Information204 No Content301 Moved Permanently400 Bad Request401 Unauthorized403 Forbidden"
    "404 Not Found500 Internal Server Error501 Not Implemented503 Service Unavailable"
    "Jan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec 00:00:00 Mon, Tue, Wed, Thu, Fri, Sat, Sun, GMT"
    "chunked,text/html,image/png,image/jpg,image/gif,application/xml,application/xhtml+xml,text/plain,text/javascript,public"
    "privatemax-age=gzip,deflate,sdchcharset=utf-8charset=iso-8859-1,utf-,*,enq=0."
)
DICTIONARY = b"".join(struct.pack(">I", len(word)) + word.encode() for word in (*_WORDS, *_AFTER)) + _CODES.encode()


@dataclass(frozen=True)
class Opened:
    """The client opens a stream."""

    stream: int
    headers: dict[str, str]
    fin: bool


@dataclass(frozen=True)
class Data:
    """Data on a stream; `fin` says that it was the client's last."""

    stream: int
    data: bytes
    fin: bool


@dataclass(frozen=True)
class Reset:
    """The client gives a stream up."""

    stream: int


Event = Opened | Data | Reset


@dataclass
class Connection:
    """One connection: `receive` gives events, everything else adds to what `take` gives."""

    _in: bytearray = field(default_factory=bytearray)
    _out: bytearray = field(default_factory=bytearray)
    _open: set[int] = field(default_factory=set)
    _last: int = 0
    gone: bool = False

    def __post_init__(self) -> None:
        self._inflate = zlib.decompressobj(zdict=DICTIONARY)
        self._deflate = zlib.compressobj(zdict=DICTIONARY)

    def receive(self, data: bytes) -> list[Event]:
        """Bytes of the client; raises BrokenClient for what is no SPDY/3.1."""
        self._in += data
        events: list[Event] = []
        while len(self._in) >= 8:
            first, second = struct.unpack_from(">II", self._in)
            size = second & 0xFFFFFF
            if size > MAX_FRAME:
                raise BrokenClient(f"a frame of {size} bytes")
            if len(self._in) < 8 + size:
                break
            body = bytes(self._in[8 : 8 + size])
            del self._in[: 8 + size]
            if first >> 31:
                self._control(first, second >> 24, body, events)
            elif first in self._open:
                events.append(Data(first, body, bool(second >> 24 & FIN)))
        return events

    def _control(self, first: int, flags: int, body: bytes, events: list[Event]) -> None:
        version, kind = first >> 16 & 0x7FFF, first & 0xFFFF
        if version != VERSION:
            raise BrokenClient(f"SPDY version {version}")
        try:
            if kind == SYN_STREAM:
                self._syn_stream(flags, body, events)
            elif kind == RST_STREAM:
                stream = struct.unpack_from(">I", body)[0] & 0x7FFFFFFF
                if stream in self._open:
                    self._open.discard(stream)
                    events.append(Reset(stream))
            elif kind == PING:
                if struct.unpack_from(">I", body)[0] % 2:  # an even one would be the answer to one of ours
                    self._frame(PING, 0, body[:4])
            elif kind == GOAWAY:
                self.gone = True
            elif kind == HEADERS:
                self._headers(body[4:])  # nobody needs them, but the block is part of the compressed stream
        except struct.error:
            raise BrokenClient("a frame that is too short") from None

    def _syn_stream(self, flags: int, body: bytes, events: list[Event]) -> None:
        stream = struct.unpack_from(">II", body)[0] & 0x7FFFFFFF
        headers = self._headers(body[10:])
        if stream % 2 == 0 or stream <= self._last:
            raise BrokenClient(f"stream {stream} out of order")
        self._last = stream
        if len(self._open) >= MAX_STREAMS:
            self._frame(RST_STREAM, 0, struct.pack(">II", stream, 3))  # REFUSED_STREAM
            return
        self._open.add(stream)
        events.append(Opened(stream, headers, bool(flags & FIN)))

    def _headers(self, block: bytes) -> dict[str, str]:
        try:
            data = self._inflate.decompress(block, MAX_HEADERS)
        except zlib.error as error:
            raise BrokenClient(f"header block: {error}") from None
        if self._inflate.unconsumed_tail:
            raise BrokenClient("header block too large")
        found: dict[str, str] = {}
        (count,), at = struct.unpack_from(">I", data), 4
        for _ in range(min(count, 1000)):
            parts = []
            for _side in range(2):
                (size,) = struct.unpack_from(">I", data, at)
                if at + 4 + size > len(data):
                    raise BrokenClient("header block too short")
                parts.append(data[at + 4 : at + 4 + size].decode("latin-1"))
                at += 4 + size
            found[parts[0].lower()] = parts[1].split("\0")[0]
        return found

    # -- the server says -----------------------------------------------------------------------------------------------------
    def reply(self, stream: int) -> None:
        """A stream is accepted (SYN_REPLY without headers)."""
        block = self._deflate.compress(struct.pack(">I", 0)) + self._deflate.flush(zlib.Z_SYNC_FLUSH)
        self._frame(SYN_REPLY, 0, struct.pack(">I", stream) + block)

    def send(self, stream: int, data: bytes, *, fin: bool = False) -> None:
        """Data on a stream, `fin` with its end."""
        if stream in self._open and not self.gone:
            self._out += struct.pack(">II", stream, (FIN if fin else 0) << 24 | len(data)) + data

    def reset(self, stream: int, status: int = 5) -> None:
        """A stream is given up (5: CANCEL)."""
        if stream in self._open:
            self._open.discard(stream)
            self._frame(RST_STREAM, 0, struct.pack(">II", stream, status))

    def forget(self, stream: int) -> None:
        """A stream has ended on both sides."""
        self._open.discard(stream)

    def _frame(self, kind: int, flags: int, body: bytes) -> None:
        self._out += struct.pack(">II", 1 << 31 | VERSION << 16 | kind, flags << 24 | len(body)) + body

    def take(self) -> bytes:
        """Bytes for the client."""
        found = bytes(self._out)
        self._out.clear()
        return found
