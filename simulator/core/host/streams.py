"""What descriptors refer to: pipes, files, terminals, devices.  They live in the warm world, with the programs that use them.

A stream is shared by all descriptors that were duplicated from it (`dup`, fork) and closes when the last one goes.  Reading
never blocks: `ready` says whether `take` has something or the end is reached; a waiting task registers with `watch`.
"""

from __future__ import annotations

import errno
import hashlib
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Protocol

from ..kernel.errors import BudgetExceeded
from ..kernel.world import World
from . import files
from .filesystem import error
from .inodes import MAX_FILE
from .machine import Host

#: Bytes that a pipe may hold; beyond it the writer is ended by the budget.
PIPE_LIMIT = 8 * 1024 * 1024
#: Bytes that one read of a device without an end returns at most: whoever asks for more gets a short read, as POSIX allows.
DEVICE_READ = 65536
#: From this size on appends to a file are gathered.
GATHER = 1024 * 1024


class BrokenPipe(Exception):
    """A write to a pipe that nobody reads: SIGPIPE."""


class Stream:
    """The common part: reference counting and waking of readers."""

    tty = False
    channel = 1

    def __init__(self) -> None:
        self.refs = 0
        self.watchers: list[Callable[[], None]] = []

    def dup(self) -> Stream:
        """One more descriptor refers to this stream."""
        self.refs += 1
        return self

    def close(self) -> None:
        """One descriptor fewer."""
        self.refs -= 1
        if self.refs == 0:
            self.closed()

    def closed(self) -> None:
        """The last descriptor has gone."""

    def watch(self, wake: Callable[[], None]) -> None:
        """Call `wake` once when something may be read."""
        self.watchers.append(wake)

    def wake(self) -> None:
        """Wake everyone who watches."""
        watchers, self.watchers = self.watchers, []
        for one in watchers:
            one()

    @property
    def ready(self) -> bool:
        """Whether a read would return at once."""
        return True

    def take(self, limit: int = -1) -> bytes:
        """What can be read now, at most `limit` bytes; b"" is the end."""
        raise error(errno.EBADF, "")

    def take_line(self) -> bytes | None:
        """A whole line (or the rest at the end, b"" when there is none); None when it is not complete yet."""
        raise error(errno.EBADF, "")

    def write(self, data: bytes) -> None:
        """Write without blocking."""
        raise error(errno.EBADF, "")


class Null(Stream):
    """`/dev/null`, or `/dev/zero` when it has a fill byte."""

    def __init__(self, fill: bytes = b"") -> None:
        super().__init__()
        self.fill = fill

    def take(self, limit: int = -1) -> bytes:
        """End of file, or as many fill bytes as asked for, at most `DEVICE_READ`."""
        return self.fill * (DEVICE_READ if limit < 0 else min(limit, DEVICE_READ))

    def take_line(self) -> bytes | None:
        """A zero device has no lines."""
        return self.take()

    def write(self, data: bytes) -> None:
        """Discard."""


class Random(Stream):
    """`/dev/urandom`, from the world's stream of that name."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self.world = world

    def take(self, limit: int = -1) -> bytes:
        """Random bytes."""
        count = 4096 if limit < 0 else min(limit, DEVICE_READ)
        # one draw of the world's stream a read, stretched: megabytes of it must not cost seconds
        return hashlib.shake_128(self.world.rng("urandom").bits64().to_bytes(8, "big")).digest(count)

    def take_line(self) -> bytes | None:
        """Random bytes, as a reader of lines would get them."""
        return self.take(256).replace(b"\n", b"") + b"\n"

    def write(self, data: bytes) -> None:
        """Discard."""


class Buffer(Stream):
    """Bytes to be read, with an end that may not be known yet."""

    def __init__(self, data: bytes = b"", *, ended: bool = True) -> None:
        super().__init__()
        self.data = bytearray(data)
        self.start = 0
        self.ended = ended

    @property
    def ready(self) -> bool:
        """Data is there, or the end is."""
        return self.start < len(self.data) or self.ended

    def take(self, limit: int = -1) -> bytes:
        """Everything that is there, or `limit` bytes of it."""
        end = len(self.data) if limit < 0 else min(len(self.data), self.start + limit)
        found = bytes(self.data[self.start : end])
        self.start = end
        self._trim()
        return found

    def take_line(self) -> bytes | None:
        """The next line."""
        at = self.data.find(b"\n", self.start)
        if at < 0:
            return self.take() if self.ended else None
        return self.take(at + 1 - self.start)

    def _trim(self) -> None:
        if self.start == len(self.data):
            self.data.clear()
            self.start = 0
        elif self.start > 65536:
            del self.data[: self.start]
            self.start = 0


class PipeReader(Buffer):
    """The reading end of a pipe."""

    def __init__(self) -> None:
        super().__init__(ended=False)

    def closed(self) -> None:
        """Nobody reads any more: writers get SIGPIPE."""
        self.data.clear()
        self.start = 0


class PipeWriter(Stream):
    """The writing end of a pipe."""

    def __init__(self, reader: PipeReader) -> None:
        super().__init__()
        self.reader = reader

    def write(self, data: bytes) -> None:
        """Hand bytes to the reader."""
        if self.reader.refs <= 0:
            raise BrokenPipe
        if len(self.reader.data) - self.reader.start + len(data) > PIPE_LIMIT:
            raise BudgetExceeded("pipe: the reader is too far behind")
        self.reader.data += data
        self.reader.wake()

    def closed(self) -> None:
        """Tell the reader that no more will come."""
        self.reader.ended = True
        self.reader.wake()


def pipe() -> tuple[PipeReader, PipeWriter]:
    """A new pipe."""
    reader = PipeReader()
    return reader, PipeWriter(reader)


class Capture(Stream):
    """Collects what is written, up to a limit."""

    def __init__(self, limit: int = PIPE_LIMIT) -> None:
        super().__init__()
        self.data = bytearray()
        self.limit = limit

    def write(self, data: bytes) -> None:
        """Keep the bytes."""
        if len(self.data) + len(data) > self.limit:
            raise BudgetExceeded(f"output is limited to {self.limit} bytes")
        self.data += data


class FileStream(Stream):
    """An open regular file: readable, writable or appending, with one offset shared by duplicates.

    Appends to a large file are gathered until they are worth a copy of it, so that a program that writes without end costs time in
    proportion to what it has written; whoever else looks meanwhile sees at most an eighth less.
    """

    def __init__(self, world: World, host: Host, mnt: str, path: str, *, append: bool = False) -> None:
        super().__init__()
        self.world, self.host, self.mnt, self.path = world, host, mnt, path
        self.append = append
        self.offset = 0
        self.pending = bytearray()

    def _data(self) -> bytes:
        self.flush()
        try:
            return files.read_file(self.world, self.host, self.path, mnt=self.mnt)
        except OSError as failed:
            if failed.errno == errno.ENOENT:  # unlinked while open
                return b""
            raise

    def take(self, limit: int = -1) -> bytes:
        """From the offset on."""
        data = self._data()
        found = data[self.offset :] if limit < 0 else data[self.offset : self.offset + limit]
        self.offset += len(found)
        return found

    def take_line(self) -> bytes | None:
        """The next line."""
        data = self._data()
        at = data.find(b"\n", self.offset)
        end = len(data) if at < 0 else at + 1
        found = data[self.offset : end]
        self.offset = end
        return found

    def write(self, data: bytes) -> None:
        """At the offset, or at the end when appending."""
        if not data:
            return
        if self.pending:
            self.pending += data
            self.offset += len(data)
            if len(self.pending) * 8 >= self.offset:
                self.flush()
            return
        size = len(self._data())
        if self.append or self.offset == size:
            files.room(self.world, self.host, size + len(data), len(data))
            if size > GATHER and size + len(data) <= MAX_FILE:
                self.pending += data
            else:
                files.write_file(self.world, self.host, self.path, data, mnt=self.mnt, append=True)
            self.offset = size + len(data)
            return
        old = self._data().ljust(self.offset, b"\0")
        files.write_file(
            self.world, self.host, self.path, old[: self.offset] + data + old[self.offset + len(data) :], mnt=self.mnt
        )
        self.offset += len(data)

    def flush(self) -> None:
        """Write what has been gathered."""
        if self.pending:
            data, self.pending = bytes(self.pending), bytearray()
            files.room(self.world, self.host, self.offset, len(data))
            files.write_file(self.world, self.host, self.path, data, mnt=self.mnt, append=True)

    def closed(self) -> None:
        """What is left is written."""
        with suppress(OSError):
            self.flush()


class Device(Protocol):
    """What a terminal is to the programs on it."""

    name: str
    input: Buffer
    stack: list[Any]  # the interactive shells on it, the newest last
    prompt: str  # of a nested shell that waits for a line
    raw: tuple[str, str] | None  # a program that reads keys: its process, and `raw` or `cbreak` (Ctrl-C and Ctrl-Z are signals)
    taken: Any  # the editor that has the screen, None when none has (`simulator.core.shell.editors.taken.Taken`)

    def cook(self) -> None:
        """Input is lines again."""

    @property
    def columns(self) -> int:
        """The width."""

    @property
    def rows(self) -> int:
        """The height."""

    def show(self, channel: int, text: bytes) -> None:
        """Output to the screen."""


class Tty(Stream):
    """A terminal as a descriptor; `channel` 1 or 2 tells output from error output on the screen."""

    tty = True

    def __init__(self, device: Device, channel: int = 1) -> None:
        super().__init__()
        self.device = device
        self.channel = channel

    @property
    def ready(self) -> bool:
        """A line was typed, or Ctrl-D."""
        return self.device.input.ready

    def watch(self, wake: Callable[[], None]) -> None:
        """Wake when a line is typed."""
        self.device.input.watch(wake)

    def take(self, limit: int = -1) -> bytes:
        """What was typed; the end (Ctrl-D) counts once."""
        data = self.device.input.take(limit)
        if not data:
            self.device.input.ended = False
        return data

    def take_line(self) -> bytes | None:
        """A typed line."""
        line = self.device.input.take_line()
        if line == b"":
            self.device.input.ended = False
        return line

    def write(self, data: bytes) -> None:
        """Show on the screen."""
        self.device.show(self.channel, data)
