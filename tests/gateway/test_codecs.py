"""The protocols of outside clients, without sockets: what they come to, and that no bytes break them."""

from __future__ import annotations

import struct
import zlib

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.core.lab.streaming import resp
from simulator.core.lab.streaming.session import Item, Op
from simulator.gateway import channels, spdy, spdystreams
from simulator.gateway.codec import BrokenClient
from simulator.gateway.discipline import Discipline


class Peer:
    """The client's side of SPDY, as moby/spdystream writes it."""

    def __init__(self) -> None:
        self.deflate = zlib.compressobj(zdict=spdy.DICTIONARY)
        self.inflate = zlib.decompressobj(zdict=spdy.DICTIONARY)

    def frame(self, kind: int, body: bytes, flags: int = 0) -> bytes:
        return struct.pack(">II", 1 << 31 | 3 << 16 | kind, flags << 24 | len(body)) + body

    def open(self, stream: int, **headers: str) -> bytes:
        block = struct.pack(">I", len(headers))
        for name, value in headers.items():
            block += struct.pack(">I", len(name)) + name.encode() + struct.pack(">I", len(value)) + value.encode()
        data = self.deflate.compress(block) + self.deflate.flush(zlib.Z_SYNC_FLUSH)
        return self.frame(spdy.SYN_STREAM, struct.pack(">IIH", stream, 0, 0) + data)

    def data(self, stream: int, data: bytes, *, fin: bool = False) -> bytes:
        return struct.pack(">II", stream, int(fin) << 24 | len(data)) + data

    def read(self, data: bytes) -> list[tuple[int, int, int, bytes]]:
        """(stream or kind, flags, 1 when control, body) of each frame."""
        found = []
        while data:
            first, second = struct.unpack_from(">II", data)
            size = second & 0xFFFFFF
            found.append((first & 0xFFFF, second >> 24, first >> 31, data[8 : 8 + size]))
            data = data[8 + size :]
        return found


def test_a_forwarded_port_over_spdy_byte_by_byte() -> None:
    peer, codec = Peer(), spdystreams.Ports()
    said = peer.open(1, streamType="error", port="80", requestID="0") + peer.open(3, streamType="data", port="80", requestID="0")
    said += peer.data(3, b"GET / HTTP/1.0\r\n\r\n") + peer.frame(spdy.PING, struct.pack(">I", 5)) + peer.data(3, b"", fin=True)
    ops = [op for byte in said for op in codec.receive(bytes([byte]))]
    assert ops == [
        Op("connect", number=3, port=80),
        Op("data", number=3, data=b"GET / HTTP/1.0\r\n\r\n"),
        Op("end", number=3),
    ]
    frames = peer.read(b"".join(codec.take()))
    assert [(frame[0], frame[2]) for frame in frames] == [(spdy.SYN_REPLY, 1), (spdy.SYN_REPLY, 1), (spdy.PING, 1)]
    assert [peer.inflate.decompress(frame[3][4:]) for frame in frames[:2]] == [b"\0\0\0\0"] * 2
    codec.say([Item("data", b"hello", 3), Item("error", b"oh", 3), Item("end", b"", 3)])
    assert peer.read(b"".join(codec.take())) == [(3, 0, 0, b"hello"), (1, 0, 0, b"oh"), (1, 1, 0, b""), (3, 1, 0, b"")]
    assert codec.receive(peer.data(3, b"too late")) == []


def test_a_command_over_spdy_waits_for_its_streams() -> None:
    peer = Peer()
    query = {"stdin": ["true"], "stdout": ["true"], "stderr": ["true"], "command": ["cat"]}
    codec = spdystreams.Command(
        tty=False, protocol="v4.channel.k8s.io", streams=spdystreams.streams_of(query, "v4.channel.k8s.io")
    )
    for stream, name in enumerate(("error", "stdin", "stdout")):
        codec.receive(peer.open(2 * stream + 1, streamType=name))
        assert not codec.ready
    codec.receive(peer.open(7, streamType="stderr"))
    assert codec.ready
    assert codec.receive(peer.data(3, b"tea", fin=True)) == [Op("data", data=b"tea"), Op("end")]
    codec.take()
    codec.say([Item("out", b"tea"), Item("final", orjson.dumps({"status": "Success"}))])
    frames = peer.read(b"".join(codec.take()))
    assert frames == [(5, 0, 0, b"tea"), (5, 1, 0, b""), (7, 1, 0, b""), (1, 1, 0, b'{"status":"Success"}')]
    assert codec.over


@pytest.mark.parametrize(
    "sent",
    [
        b"GET / HTTP/1.1\r\n\r\n" * 40,
        Peer().frame(spdy.SYN_STREAM, b"\0"),
        Peer().frame(spdy.SYN_STREAM, struct.pack(">IIH", 1, 0, 0) + b"no zlib"),
        Peer().open(2, streamType="error", port="80"),
        Peer().open(1, streamType="odd", port="80"),
        Peer().open(1, streamType="error", port="99999"),
        struct.pack(">II", 1 << 31 | 3 << 16 | 1, 0xFFFFFF),
        struct.pack(">II", 1 << 31 | 2 << 16 | 1, 0),
        Peer().open(1, streamType="error", port="80", more="x" * 100_000),
    ],
    ids=range(9),
)
def test_a_client_that_breaks_spdy_is_let_go(sent: bytes) -> None:
    with pytest.raises(BrokenClient):
        spdystreams.Ports().receive(sent)


_PIECE = st.one_of(
    st.binary(max_size=60),
    st.builds(lambda kind, flags, body: Peer().frame(kind, body, flags), st.integers(0, 12), st.integers(0, 3), st.binary(max_size=40)),
    st.builds(
        lambda stream, name, port: Peer().open(stream, streamType=name, port=port),
        st.integers(0, 9), st.sampled_from(["error", "data", "stdin", "x"]), st.sampled_from(["80", "0", "a"]),
    ),
    st.builds(lambda stream, data, fin: Peer().data(stream, data, fin=fin), st.integers(0, 9), st.binary(max_size=40), st.booleans()),
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.lists(_PIECE, max_size=8))
def test_no_bytes_break_the_codecs(pieces: list[bytes]) -> None:
    for codec in (
        spdystreams.Ports(),
        spdystreams.Command(tty=True, protocol="v4.channel.k8s.io", streams={"error"}),
        channels.Command(tty=True),
        channels.Ports([80, 81]),
    ):
        for piece in pieces:
            try:
                for op in codec.receive(piece):
                    assert isinstance(op, Op)
            except BrokenClient:
                break
        codec.say([Item("out", b"x"), Item("data", b"x", 3), Item("error", b"x", 1), Item("end", b"", 3), Item("final", b"{}")])
        assert all(isinstance(data, bytes) for data in codec.take())


@settings(max_examples=150, deadline=None)
@given(st.lists(st.binary(max_size=12), max_size=12))
def test_typing_comes_to_lines_and_signals(pieces: list[bytes]) -> None:
    keyboard = Discipline()
    for piece in pieces:
        for op in keyboard.type(piece):
            assert op.what in ("data", "end", "signal")
            if op.what == "data":
                assert b"\x03" not in op.data and len(op.data) <= 4097


def test_a_line_is_edited_and_remembered() -> None:
    keyboard = Discipline()
    keyboard.shown(Item("prompt", b"$ "))
    assert keyboard.type("깃발\x7f\x7fls -l\x17-a\r".encode()) == [Op("data", data=b"ls -a\n")]
    assert keyboard.shown(Item("prompt", b"$ ")) == b"$ "
    keyboard.echo.clear()
    assert keyboard.type(b"x\x1b[A") == []
    assert keyboard.echo == b"x\b \bls -a"
    assert keyboard.type(b"\x1b[B\x03") == [Op("signal", number=2)]
    keyboard.shown(Item("mode", b"cbreak"))
    assert keyboard.type(b"jj\x03q") == [Op("data", data=b"jj"), Op("signal", number=2), Op("data", data=b"q")]
    keyboard.shown(Item("mode", b"raw"))
    assert keyboard.type(b"\x1b\x03") == [Op("data", data=b"\x1b\x03")]


def test_ports_of_the_python_client() -> None:
    codec = channels.Ports([80, 443])
    assert codec.opening() == [Op("connect", number=0, port=80), Op("connect", number=1, port=443)]
    assert codec.take() == [b"\0\x50\0", b"\1\x50\0", b"\2\xbb\1", b"\3\xbb\1"]
    assert codec.receive(b"\2hello") == [Op("data", number=1, data=b"hello")]
    codec.say([Item("data", b"hi", 1), Item("error", b"gone", 0), Item("end", b"", 0)])
    assert codec.take() == [b"\2hi", b"\1gone"] and not codec.over
    with pytest.raises(BrokenClient):
        codec.receive(b"\1x")


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=60))
def test_redis_commands_are_whole_or_wrong(data: bytes) -> None:
    try:
        words, used = resp.parse(b"*" + data)
    except ValueError:
        return
    assert (used == 0 and words == []) or used <= len(data) + 1
