"""Redis's serialisation protocol, version 2 (https://redis.io/docs/latest/develop/reference/protocol-spec): commands as arrays, replies."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...kernel.http import Request, Response
from ...runtime.programs.redisdata import Failure, Status

#: Words of one command and bytes of one word.
MAX_WORDS, MAX_WORD = 1024, 1024 * 1024


class Redis:
    """One client's connection to a Redis server of the simulated network."""

    def __init__(self, ask: Callable[[Request], Response]) -> None:
        self._ask = ask
        self._data = bytearray()
        self._auth = ""
        self.over = False

    def receive(self, data: bytes) -> bytes:
        """Run the commands that are whole."""
        self._data += data
        out = b""
        while not self.over:
            try:
                words, used = parse(bytes(self._data))
            except ValueError as error:
                self.over = True
                return out + f"-ERR Protocol error: {error}\r\n".encode()
            if not used:
                break
            del self._data[:used]
            if words:
                out += self._run(words)
        return out

    @property
    def idle(self) -> bool:
        """Nothing is half said, and nobody has logged in on this connection."""
        return not self._data and not self._auth

    def _run(self, words: list[str]) -> bytes:
        name = words[0].upper()
        if name in ("HELLO", "CLIENT"):  # what client libraries say first; without it they go on with version 2
            return b"+OK\r\n" if name == "CLIENT" else b"-ERR unknown command 'HELLO', with args beginning with: \r\n"
        if name == "QUIT":
            self.over = True
            return b"+OK\r\n"
        answer = self._ask(Request(method="RESP", path="/", obj=words, headers={"auth": self._auth}, scheme="redis"))
        if answer.status != 200 or not isinstance(answer.obj, tuple):
            self.over = True
            return b""
        if name == "AUTH" and not isinstance(answer.obj[0], Failure):
            self._auth = words[-1]
        return reply(answer.obj[0])


def parse(data: bytes) -> tuple[list[str], int]:
    """The first command and the bytes that it took, 0 when it is not whole yet; raises ValueError for what is none."""
    count, at = _number(data, 0, b"*", "multibulk")
    if at == 0:
        return [], 0
    if count > MAX_WORDS:
        raise ValueError("invalid multibulk length")
    words: list[str] = []
    for _ in range(count):
        size, at = _number(data, at, b"$", "bulk")
        if at == 0:
            return [], 0
        if not 0 <= size <= MAX_WORD:
            raise ValueError("invalid bulk length")
        if len(data) < at + size + 2:
            return [], 0
        words.append(data[at : at + size].decode("utf-8", "replace"))
        at += size + 2
    return words, at


def _number(data: bytes, at: int, mark: bytes, what: str) -> tuple[int, int]:
    """A length after its mark, and where the text goes on (0: not whole)."""
    end = data.find(b"\r\n", at)
    if len(data) > at and data[at : at + 1] != mark:
        raise ValueError(f"expected '{mark.decode()}', got '{data[at : at + 1].decode('latin-1')}'")
    if end < 0:
        if len(data) - at > 32:
            raise ValueError(f"invalid {what} length")
        return 0, 0
    text = data[at + 1 : end]
    if not text.lstrip(b"-").isdigit() or len(text) > 16:
        raise ValueError(f"invalid {what} length")
    return int(text), end + 2


def reply(value: Any) -> bytes:
    """A value as the server writes it."""
    if value is None:
        return b"$-1\r\n"
    if isinstance(value, Failure):
        return f"-{value}\r\n".encode()
    if isinstance(value, Status):
        return f"+{value}\r\n".encode()
    if isinstance(value, bool | int):
        return f":{int(value)}\r\n".encode()
    if isinstance(value, list):
        return f"*{len(value)}\r\n".encode() + b"".join(reply(item) for item in value)
    data = str(value).encode()
    return f"${len(data)}\r\n".encode() + data + b"\r\n"
