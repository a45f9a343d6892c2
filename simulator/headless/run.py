"""`python -m simulator run`: a script typed into a terminal of a fresh world.

One command a line; here-documents, open quotes and backslashes continue it.  Lines that start with `#!` steer the world and are not
echoed: `#! advance 5m`, `#! settle 10s`, `#! host node01`, `#! fault NAME ARGS`, `#! keys "ihello\x1b:wq\r"`.

While a full-screen program (vi, less) has the terminal, a line is typed into it and ended by Enter; `#! keys` types anything else.
"""

from __future__ import annotations

import argparse
import json
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path

from simulator.core.kernel.clock import MS, SECOND
from simulator.core.kernel.errors import BadInput
from simulator.core.lab.checks import duration
from simulator.core.sandbox import Chunk, Sandbox


class Session:
    """A terminal of a sandbox, typed into line by line."""

    def __init__(self, sandbox: Sandbox, host: str, settle: int, limit: int) -> None:
        self.sandbox, self.settle, self.limit = sandbox, settle, limit
        self.terminal = self._on(host or sandbox.first_host)

    def _on(self, host: str) -> str:
        """The terminal of a host, opened when there is none."""
        if host not in self.sandbox.terminals():
            self.sandbox.apply("open", {"terminal": host, "host": host}, self.sandbox.now)
        return host

    def type_line(self, text: str) -> None:
        """One line; a command that it completes is run to its end."""
        self.sandbox.apply("line", {"terminal": self.terminal, "text": text}, self.sandbox.now)
        deadline = self.sandbox.now + self.limit
        while self.busy and not self.raw:
            due = self.sandbox.next_due()
            if due is None or due > deadline:
                self.sandbox.apply("key", {"terminal": self.terminal, "key": "ctrl-c"}, self.sandbox.now)
                self.sandbox.advance(self.sandbox.now + SECOND)
                if self.busy:
                    self.sandbox.apply("key", {"terminal": self.terminal, "key": "ctrl-\\"}, self.sandbox.now)
                break
            self.sandbox.advance(min(deadline, max(due, self.sandbox.now + 10 * MS)))

    @property
    def busy(self) -> bool:
        """Whether a program runs in the terminal."""
        return self.sandbox.terminals()[self.terminal].busy

    @property
    def raw(self) -> bool:
        """Whether a full-screen program (vi, less) waits for keys: the next lines are typed into it."""
        return self.sandbox.terminals()[self.terminal].raw

    @property
    def open(self) -> bool:
        """Whether a construct is still open (a quote, a here-document, `do` without `done`)."""
        return self.sandbox.terminals()[self.terminal].continuation

    @property
    def status(self) -> int:
        """The last command's exit status."""
        return self.sandbox.terminals()[self.terminal].status

    def drain(self) -> list[Chunk]:
        """What the terminal has printed since."""
        return [c for c in self.sandbox.drain() if c.terminal == self.terminal]

    def rest(self) -> None:
        """Let the world settle."""
        if self.settle:
            self.sandbox.settle(self.settle)

    def steer(self, line: str) -> None:
        """A `#!` line; raises BadInput."""
        try:
            words = shlex.split(line[2:])
        except ValueError as error:
            raise BadInput(f"{line!r}: {error}") from None
        if len(words) == 2 and words[0] == "advance":
            self.sandbox.advance(self.sandbox.now + duration(words[1]))
        elif len(words) == 2 and words[0] == "keys":
            text = words[1].encode("utf-8").decode("unicode_escape").encode("latin-1").decode("utf-8")
            self.sandbox.apply("keys", {"terminal": self.terminal, "data": text}, self.sandbox.now)
        elif len(words) == 2 and words[0] == "settle":
            self.sandbox.settle(duration(words[1]))
        elif len(words) == 2 and words[0] == "host":
            self.terminal = self._on(words[1])
        elif len(words) >= 2 and words[0] == "fault":
            self.sandbox.apply("fault", {"name": words[1], "args": words[2:]}, self.sandbox.now)
        else:
            raise BadInput(
                f"{line!r}: write '#! advance 5m', '#! settle 10s', '#! keys ihello', '#! host NAME' or '#! fault NAME ARGS'"
            )


def main(args: argparse.Namespace) -> int:
    """Exit status 0 whatever the commands return; 2 for a script that cannot be read."""
    try:
        source = sys.stdin.read() if args.file == "-" else Path(args.file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{args.file}: {error}") from None
    sandbox = Sandbox.boot(args.scenario, args.seed)
    session = Session(sandbox, args.host, args.settle, args.limit)
    sandbox.drain()
    if args.json:
        return _json(session, source, args.file)
    for line in source.splitlines():
        if line.startswith("#!") and not session.open:
            session.steer(line)
            continue
        session.type_line(line)
        if not session.open:
            session.rest()
        for chunk in session.drain():
            sys.stdout.write(chunk.data)
        sys.stdout.flush()
    return 0


def _json(session: Session, source: str, name: str) -> int:
    try:
        commands = json.loads(source)
    except ValueError as error:
        raise BadInput(f"{name}: {error}") from None
    if not isinstance(commands, list) or not all(isinstance(c, str) for c in commands):
        raise BadInput(f"{name}: must be a JSON array of command strings")
    for record in play(session, commands):
        print(json.dumps(record, ensure_ascii=False), flush=True)
    return 0


def play(session: Session, commands: list[str]) -> Iterator[dict[str, object]]:
    """Type each command; yields its record: cmd, stdout, stderr, code, at (virtual seconds)."""
    for command in commands:
        if command.startswith("#!"):
            session.steer(command)
            continue
        session.drain()
        for line in command.splitlines() or [""]:
            session.type_line(line)
        at = session.sandbox.now / SECOND
        chunks = session.drain()
        session.rest()
        yield {
            "cmd": command,
            "stdout": "".join(c.data for c in chunks if c.fd == 1),
            "stderr": "".join(c.data for c in chunks if c.fd == 2),
            "code": session.status,
            "at": round(at, 6),
        }
