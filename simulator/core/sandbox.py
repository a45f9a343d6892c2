"""The façade: one simulated world with its terminals; boot, restore, apply inputs, let time pass, look.

Everything outside the core holds a `Sandbox` and nothing below it.  A sandbox is a pure function of (scenario, seed, inputs): two that
were given the same print the same and have the same digest.
"""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec

from .host import executor
from .kernel import clock, snapshot
from .kernel.clock import MS, SECOND
from .kernel.errors import BadInput, SimulatorError
from .kernel.trace import TraceEvent
from .kernel.world import World
from .lab import faults, scenarios
from .lab import view as map_view
from .shell import completion, runner, terminal
from .tables import SECTIONS, install

#: How far an input's foreground command is run on at once, so that ordinary commands answer without waiting for the clock.
GRACE = 400 * MS
MAX_LINE = 64 * 1024
MAX_TERMINALS = 16


class SnapshotBusy(Exception):
    """A program waits in a terminal; take the snapshot when it has ended."""


class Chunk(msgspec.Struct, array_like=True, frozen=True):
    """Terminal output: fd 1 output, 2 error output, 0 the echo of prompt and line.  `at` is virtual nanoseconds."""

    seq: int
    at: int
    terminal: str
    fd: int
    data: str


class TerminalView(msgspec.Struct, frozen=True):
    """What a terminal shows of itself: `continuation` while a construct is still open, `busy` while a program runs."""

    host: str
    prompt: str
    busy: bool
    continuation: bool
    status: int = 0


class Completion(msgspec.Struct, frozen=True):
    """Completions of a word: replace characters `start`–`end` of the line by one of `items`."""

    start: int
    end: int
    items: list[str]


class RunResult(msgspec.Struct, frozen=True):
    """What a command printed and its exit status; `at` is the virtual time (ns) at which it ended."""

    stdout: str
    stderr: str
    code: int
    at: int = 0


class Meta(msgspec.Struct):
    """The façade's own state: which scenario, what was typed, output that is not drained, the output digest."""

    scenario: str
    chunk_seq: int = 0
    chunks: list[Chunk] = []
    typed: list[tuple[str, str]] = []
    output_digest: bytes = b"\0" * 16
    trace_drained: int = 0


_boot_images: dict[tuple[str, int], bytes] = {}
MAX_BOOT_IMAGES = 64


class Sandbox:
    """One simulated cluster with its terminals.  Single-threaded; raises `BadInput` for inputs that cannot be used."""

    def __init__(self, world: World) -> None:
        self.world = world
        install(world, self._sink)

    # -- life -----------------------------------------------------------------------------------------------------------
    @staticmethod
    def boot(scenario: str = "three-nodes", seed: int = 1) -> Sandbox:
        """A fresh world; boots of the same (scenario, seed) in this process are restored from a kept image."""
        key = (scenario, seed)
        image = _boot_images.get(key)
        if image is None:
            image = Sandbox.build(scenario, seed).snapshot()
            if len(_boot_images) >= MAX_BOOT_IMAGES:
                _boot_images.pop(next(iter(_boot_images)))
            _boot_images[key] = image
        return Sandbox.restore(image)

    @staticmethod
    def build(scenario: str = "three-nodes", seed: int = 1) -> Sandbox:
        """A world from scratch: machines made, cluster initialised, terminals opened."""
        found = scenarios.find(scenario)
        world = World(seed=seed)
        world.section("sandbox", lambda: Meta(scenario))
        sandbox = Sandbox(world)
        found.build(world)
        for host in found.terminals:
            terminal.open_terminal(world, host, host)
        world.trace.clear()
        sandbox.meta.chunks.clear()
        return sandbox

    @staticmethod
    def restore(data: bytes) -> Sandbox:
        """The world of a snapshot; raises BadInput for a damaged or foreign one."""
        world = snapshot.load(data, SECTIONS)
        if "sandbox" not in world.sections:
            raise BadInput("snapshot: not of a sandbox")
        return Sandbox(world)

    def snapshot(self) -> bytes:
        """The world as bytes; raises SnapshotBusy while a program waits."""
        if not self.can_snapshot():
            raise SnapshotBusy
        return snapshot.dump(self.world)

    def can_snapshot(self) -> bool:
        """Whether no program waits in the warm world."""
        return executor.get(self.world).idle()

    def fork(self) -> Sandbox:
        """A copy that goes its own way.  While a program waits, the copy is one without it (as if it had been killed)."""
        if self.can_snapshot():
            return Sandbox.restore(snapshot.dump(self.world))
        copy = Sandbox.restore(snapshot.dump(self.world))
        terminal.abandon(copy.world)
        return copy

    # -- state ----------------------------------------------------------------------------------------------------------
    @property
    def meta(self) -> Meta:
        """The façade's own section."""
        return self.world.section("sandbox", lambda: Meta(""))

    @property
    def now(self) -> int:
        """Virtual nanoseconds since boot."""
        return self.world.now

    @property
    def first_host(self) -> str:
        """The host of the first terminal."""
        return scenarios.find(self.meta.scenario).terminals[0]

    def next_due(self) -> int | None:
        """When something happens next by itself."""
        return self.world.next_due()

    def terminals(self) -> dict[str, TerminalView]:
        """Each terminal's prompt and whether a program runs in it."""
        return {
            name: TerminalView(t.host, t.prompt, t.busy, t.continuation, t.status)
            for name, t in sorted(terminal.terminals(self.world).items())
        }

    def typed(self) -> list[tuple[str, str]]:
        """(host, line) of every line typed, oldest first."""
        return self.meta.typed

    def view(self) -> dict[str, Any]:
        """What the ship map draws (docs/map.md)."""
        return map_view.view(self.world)

    def digest(self) -> str:
        """Equal for equal (scenario, seed, inputs), wherever and whenever they were played."""
        state = msgspec.msgpack.encode((self.world.now, self.world.timer_seq, sorted(self.world.rng_state.items())))
        joined = self.world.digest + self.meta.output_digest + state
        return hashlib.blake2b(joined, digest_size=16).hexdigest()

    # -- inputs ---------------------------------------------------------------------------------------------------------
    def apply(self, kind: str, data: dict[str, Any], at: int) -> int:
        """Take one journal row: advance to max(at, now), let it take effect, and run the foreground command on for a little.

        Returns the virtual time at which it took effect.  Raises BadInput (nothing has happened then but time).
        """
        self.advance(max(at, self.now))
        took = self.now
        handler = {
            "line": self._line,
            "key": self._key,
            "open": self._open,
            "close": self._close,
            "resize": self._resize,
            "fault": self._fault,
            "skip": self._skip,
        }.get(kind)
        if handler is None:
            raise BadInput(f"input: unknown kind {kind!r}")
        handler(data)
        self._pump()
        if kind in ("line", "key"):
            self._run_on(str(data["terminal"]), GRACE)
        return took

    def advance(self, until: int) -> None:
        """Let virtual time pass up to `until`."""
        self._pump()
        self.world.run_until(until)
        self._pump()

    def _pump(self) -> None:
        executor.get(self.world).pump()

    def _run_on(self, name: str, limit: int) -> None:
        """Pass time while the terminal's program is busy, at most `limit` nanoseconds."""
        deadline = self.now + limit
        while terminal.get(self.world, name).busy:
            due = self.world.next_due()
            if due is None or due > deadline:
                break
            self.world.run_until(due)
            self._pump()

    def _terminal(self, data: dict[str, Any]) -> str:
        name = data.get("terminal")
        if not isinstance(name, str) or name not in terminal.terminals(self.world):
            raise BadInput(f"terminal: no terminal {name!r}")
        return name

    def _line(self, data: dict[str, Any]) -> None:
        name, text = self._terminal(data), data.get("text")
        if not isinstance(text, str) or "\n" in text or "\0" in text:
            raise BadInput("text: must be one line")
        if len(text.encode("utf-8", "replace")) > MAX_LINE:
            raise BadInput(f"text: longer than {MAX_LINE} bytes")
        target = terminal.get(self.world, name)
        if not target.busy:
            self.meta.typed.append((target.host, text))
            del self.meta.typed[:-2000]
        seq = self.world.emit("terminal", "line", name, {"text": text[:200]}, cause=0)
        self.world.because(seq, lambda: terminal.feed_line(self.world, name, text))

    def _key(self, data: dict[str, Any]) -> None:
        name, key = self._terminal(data), data.get("key")
        if key not in ("ctrl-c", "ctrl-d", "ctrl-z", "ctrl-\\"):
            raise BadInput(f"key: {key!r} is not one of ctrl-c, ctrl-d, ctrl-z, ctrl-\\")
        terminal.key(self.world, name, str(key))

    def _open(self, data: dict[str, Any]) -> None:
        name, host = data.get("terminal"), data.get("host")
        if not isinstance(name, str) or not name or len(name) > 32:
            raise BadInput("terminal: needs a name of at most 32 characters")
        if name in terminal.terminals(self.world):
            raise BadInput(f"terminal: {name!r} is open already")
        if len(terminal.terminals(self.world)) >= MAX_TERMINALS:
            raise BadInput(f"terminal: at most {MAX_TERMINALS} may be open")
        from .host.machine import hosts

        if not isinstance(host, str) or host not in hosts(self.world):
            raise BadInput(f"host: no host {host!r}")
        terminal.open_terminal(self.world, name, host)

    def _close(self, data: dict[str, Any]) -> None:
        terminal.close_terminal(self.world, self._terminal(data))

    def _resize(self, data: dict[str, Any]) -> None:
        columns, rows = data.get("columns"), data.get("rows")
        if not isinstance(columns, int) or not isinstance(rows, int) or not (1 <= columns <= 1000 and 1 <= rows <= 1000):
            raise BadInput("resize: columns and rows must be between 1 and 1000")
        terminal.resize(self.world, self._terminal(data), columns, rows)

    def _fault(self, data: dict[str, Any]) -> None:
        name, args = data.get("name"), data.get("args", [])
        if not isinstance(name, str) or not isinstance(args, list):
            raise BadInput("fault: needs a name and a list of arguments")
        faults.inject(self.world, name, [str(a) for a in args])

    def _skip(self, data: dict[str, Any]) -> None:
        ns = data.get("ns")
        if not isinstance(ns, int) or not 0 < ns <= 24 * clock.HOUR:
            raise BadInput("skip: ns must be between 1 and 24 hours")
        self.advance(self.now + ns)

    # -- output ---------------------------------------------------------------------------------------------------------
    def _sink(self, world: World, name: str, fd: int, text: str) -> None:
        """Output of a terminal, as it comes (`tables['tty']`)."""
        meta = self.meta
        meta.output_digest = hashlib.blake2b(
            f"{world.now}\0{name}\0{fd}\0{text}".encode("utf-8", "surrogateescape"), key=meta.output_digest, digest_size=16
        ).digest()
        last = meta.chunks[-1] if meta.chunks else None
        if last is not None and (last.terminal, last.fd, last.at) == (name, fd, world.now) and len(last.data) < 65536:
            meta.chunks[-1] = Chunk(last.seq, last.at, name, fd, last.data + text)
            return
        meta.chunk_seq += 1
        meta.chunks.append(Chunk(meta.chunk_seq, world.now, name, fd, text))

    def drain(self) -> list[Chunk]:
        """Terminal output since the last drain, in order."""
        chunks, self.meta.chunks = self.meta.chunks, []
        return chunks

    def drain_trace(self) -> list[TraceEvent]:
        """Trace events since the last drain, in order (the oldest may be missing after a long run)."""
        after = self.meta.trace_drained
        events = [e for e in self.world.trace if e.seq > after]
        self.meta.trace_drained = self.world.trace_seq
        return events

    # -- queries and authors' tools -------------------------------------------------------------------------------------
    def complete(self, name: str, line: str, cursor: int) -> Completion:
        """Completions at `cursor` of a line in a terminal; changes nothing."""
        if name not in terminal.terminals(self.world):
            raise BadInput(f"terminal: no terminal {name!r}")
        return Completion(*completion.complete(self.world, name, line, cursor))

    def run(
        self,
        command: str,
        *,
        host: str = "",
        user: str = "root",
        stdin: bytes = b"",
        cwd: str = "",
        settle: int = 0,
        limit: int = 600 * SECOND,
        env: dict[str, str] | None = None,
    ) -> RunResult:
        """Run `bash -c COMMAND` to its end (at most `limit` of virtual time), then let `settle` pass."""
        result = runner.run(
            self.world, command, host=host or self.first_host, user=user, stdin=stdin, cwd=cwd, limit=limit, env=env
        )
        at = self.now
        if settle:
            self.settle(settle)
        return RunResult(result.stdout, result.stderr, result.code, at)

    def settle(self, most: int, quiet: int = 3 * SECOND) -> None:
        """Pass time until nothing that a learner can see has happened for `quiet`, at most `most` nanoseconds."""
        deadline = self.now + most
        seen, since = self.world.trace_seq, self.now
        while self.now < deadline:
            self.advance(min(deadline, self.now + 250 * MS))
            if self.world.trace_seq != seen:
                seen, since = self.world.trace_seq, self.now
            elif self.now - since >= quiet:
                return


def check_invariants(sandbox: Sandbox) -> None:
    """Assertions that hold between any two inputs; used by tests and the soak."""
    world = sandbox.world
    due = world.next_due()
    if due is not None and due < world.now:
        raise SimulatorError("a timer is due in the past")
