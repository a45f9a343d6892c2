"""Redirections: opening what they name, and putting descriptors back afterwards (redir.c)."""

from __future__ import annotations

import errno
import posixpath
from collections.abc import Generator
from typing import Any

from ..host import files, streams, users
from ..host.filesystem import error
from ..host.program import Wait
from ..kernel import network
from ..kernel.errors import ConnectError
from .expand import Expander, ExpansionError
from .syntax import Lit, ProcessSub, Redirect

Fds = dict[int, streams.Stream]


class RedirectError(Exception):
    """The message without `bash: `."""


class Redirections(Expander):
    """Opening of redirections for the interpreter."""

    def open_path(self, text: str, mode: str) -> streams.Stream:
        """Open a path: mode `r`, `w` (truncate), `a` (append), `rw`."""
        if text.startswith("/dev/"):
            device = self._device(text)
            if device is not None:
                return device
        path = self.path(text)
        if not path:
            raise error(errno.ENOENT, text)
        tree = self.tree
        users.check(tree, path, self.proc.user, users.READ if mode == "r" else users.WRITE)
        if mode == "r":
            node = tree.lookup(path)
            stream = streams.FileStream(self.world, self.host, self.proc.mnt, tree.realpath(path))
            if node.kind == "dir":
                raise error(errno.EISDIR, text)
            return stream
        if text.endswith("/") or tree.isdir(path):
            raise error(errno.EISDIR, text)
        there = tree.exists(path)
        if not there and not tree.isdir(posixpath.dirname(path)):
            tree.lookup(posixpath.dirname(path))
            raise error(errno.ENOTDIR, text)
        if mode == "w" or not there:
            files.write_file(
                self.world, self.host, path, b"", mnt=self.proc.mnt, mode=0o666 & ~self.state.umask, uid=self.uid, gid=self.gid
            )
        return streams.FileStream(self.world, self.host, self.proc.mnt, tree.realpath(path), append=mode == "a")

    def _device(self, text: str) -> streams.Stream | None:
        name = text[5:]
        if name == "null":
            return streams.Null()
        if name == "zero":
            return streams.Null(b"\0")
        if name in ("urandom", "random"):
            return streams.Random(self.world)
        if name in ("stdin", "stdout", "stderr") or name.startswith("fd/"):
            number = {"stdin": 0, "stdout": 1, "stderr": 2}.get(name)
            if number is None:
                number = int(name[3:]) if name[3:].isdigit() else -1
            found = self.fds.get(number)
            if found is None:
                raise error(errno.ENOENT, text)
            return found
        if name == "tty":
            for stream in self.fds.values():
                if stream.tty:
                    return stream
            raise OSError(errno.ENXIO, "No such device or address", text)
        if name.startswith("tcp/"):
            return self._connect(text, name)
        return None

    def _connect(self, text: str, name: str) -> streams.Stream:
        """`/dev/tcp/host/port`: only whether somebody listens there."""
        _, _, rest = name.partition("/")
        host, _, port = rest.partition("/")
        try:
            network.connect(self.world, self.proc.netns, "127.0.0.1" if host == "localhost" else host, int(port))
        except ConnectError as failed:
            why = "Connection refused" if failed.kind == "refused" else "Connection timed out"
            self.complain(f"connect: {why}")
            raise OSError(errno.ECONNREFUSED, why, text) from None
        return streams.Null()

    def complain(self, text: str) -> None:
        """Print a message as the shell does."""
        raise NotImplementedError

    def open_redirects(self, redirects: list[Redirect], base: Fds) -> Generator[Wait, Any, tuple[Fds, list[streams.Stream]]]:
        """Descriptors after the redirections, and the streams that were opened (one reference each, to be closed)."""
        fds = dict(base)
        opened: list[streams.Stream] = []
        try:
            for redirect in redirects:
                yield from self._apply(redirect, fds, opened)
        except (RedirectError, ExpansionError):
            for stream in opened:
                stream.close()
            raise
        return fds, opened

    def _apply(self, redirect: Redirect, fds: Fds, opened: list[streams.Stream]) -> Generator[Wait, Any, None]:
        op, fd = redirect.op, redirect.fd
        if redirect.variable:
            name, _, index = redirect.variable.partition("[")
            if op in ("<&", ">&") and len(redirect.target) == 1 and getattr(redirect.target[0], "text", "") == "-":
                held = self.scalar(name, index[:-1] or None)  # `{fd}>&-` closes the descriptor that the variable names
                if not (held and held.isdigit()):
                    raise RedirectError(f"{redirect.variable}: ambiguous redirect")
                fds.pop(int(held), None)
                return
            fd = next(n for n in range(10, 255) if n not in fds)
            self.assign(name, str(fd), index=index[:-1] or None)
        if op in ("<<", "<<<"):
            text = yield from self.expand_text(redirect.target)
            if op == "<<<":
                text += "\n"
            self._put(fds, opened, fd, streams.Buffer(text.encode("utf-8", "surrogateescape")))
            return
        if len(redirect.target) == 1 and isinstance(redirect.target[0], ProcessSub) and op in ("<", ">", ">>"):
            self._put(fds, opened, fd, self.pipe_substitution(redirect.target[0]))
            return
        words = yield from self.expand_words([redirect.target])
        if len(words) != 1:
            raise RedirectError(f"{_source(redirect)}: ambiguous redirect")
        target = words[0]
        if op in ("<&", ">&"):
            if target == "-":
                fds.pop(fd, None)
                return
            move = target.endswith("-")
            if target.rstrip("-").isdigit():
                source = int(target.rstrip("-"))
                if source not in fds:
                    raise RedirectError(f"{_source(redirect) or source}: Bad file descriptor")
                fds[fd] = fds[source]
                if move and source != fd:
                    del fds[source]
                return
            if op == "<&":
                raise RedirectError(f"{target}: ambiguous redirect")
            op = "&>"
        mode = {"<": "r", ">": "w", ">|": "w", ">>": "a", "<>": "rw", "&>": "w", "&>>": "a"}[op]
        try:
            if op == ">" and self.state.options.get("noclobber") and self.exists(target) and self.lookup(target).kind == "file":
                raise RedirectError(f"{target}: cannot overwrite existing file")
            stream = self.open_path(target, mode)
        except OSError as failed:
            raise RedirectError(f"{target}: {failed.strerror}") from None
        self._put(fds, opened, fd, stream)
        if op in ("&>", "&>>"):
            fds[2] = stream

    def _put(self, fds: Fds, opened: list[streams.Stream], fd: int, stream: streams.Stream) -> None:
        stream.dup()
        opened.append(stream)
        fds[fd] = stream

    def pipe_substitution(self, part: ProcessSub) -> streams.Stream:
        """Our end of a pipe to a process substitution (provided by the interpreter)."""
        raise NotImplementedError


def _source(redirect: Redirect) -> str:
    part = redirect.target[0] if redirect.target else None
    if isinstance(part, Lit):
        return part.text
    name = getattr(part, "name", "")
    return f"${name}" if name else ""
