"""The façade: one simulated world with its terminals; boot, restore, apply inputs, let time pass, look.

Everything outside the core holds a `Sandbox` and nothing below it.  A sandbox is a pure function of (scenario, seed, inputs): two that
were given the same print the same and have the same digest.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable
from typing import Any, Protocol

import msgspec

from . import sharing
from .host import executor
from .host.machine import hosts
from .kernel import clock, snapshot
from .kernel.clock import MS, SECOND
from .kernel.errors import BadInput, SimulatorError, SnapshotBusy
from .kernel.shared import Shared
from .kernel.trace import TraceEvent
from .kernel.world import World
from .kube.apiserver import copies
from .lab import edge, faults, lenses, outlines, scenarios
from .lab import view as map_view
from .lab.streaming import held as streaming
from .lab.streaming.session import Item
from .shell import filepane, runner, terminal
from .shell.terminal import Chunk, TerminalView
from .tables import SECTIONS, install

#: How far an input's foreground command is run on at once, so that ordinary commands answer without waiting for the clock.
GRACE = 400 * MS
MAX_LINE = 64 * 1024
MAX_TERMINALS = 16


__all__ = ["Chunk", "Completion", "Meta", "RunResult", "Sandbox", "SnapshotBusy", "TerminalView"]


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
    """The façade's own state: which scenario, what was typed, how much of the trace was drained."""

    scenario: str
    typed: list[tuple[str, str]] = []
    trace_drained: int = 0


_boot_images: dict[tuple[str, int], bytes] = {}
#: What worlds of the same beginning share, kept as long as their image.
_shared: dict[tuple[str, int], Shared] = {}
MAX_BOOT_IMAGES = 64


class Shelf(Protocol):
    """Keeps images of beginnings for other processes; whatever goes wrong there is its own business."""

    def get(self, scenario: str, seed: int) -> bytes | None:
        """An image that was put, or None."""

    def put(self, scenario: str, seed: int, image: bytes) -> None:
        """Keep an image."""


def _from_shelf(scenario: str, seed: int, shelf: Shelf | None) -> bytes | None:
    image = shelf.get(scenario, seed) if shelf is not None else None
    if image is None:
        return None
    try:
        sandbox = Sandbox.restore(image)
    except BadInput:
        return None  # damaged, or not from here: it is built and put there anew
    return _keep(scenario, seed, image, sandbox)


def _built(scenario: str, seed: int, shelf: Shelf | None) -> bytes:
    sandbox = Sandbox.build(scenario, seed)
    image = sandbox.snapshot()
    if shelf is not None:
        shelf.put(scenario, seed, image)
    return _keep(scenario, seed, image, sandbox)


def _keep(scenario: str, seed: int, image: bytes, sandbox: Sandbox) -> bytes:
    """Remember an image, and what its worlds will share."""
    if len(_boot_images) >= MAX_BOOT_IMAGES:
        oldest = next(iter(_boot_images))
        del _boot_images[oldest], _shared[oldest]
    _boot_images[scenario, seed], _shared[scenario, seed] = image, sharing.collect(sandbox.world)
    return image


class Sandbox:
    """One simulated cluster with its terminals.  Single-threaded; raises `BadInput` for inputs that cannot be used."""

    def __init__(self, world: World) -> None:
        self.world = world
        install(world)
        self._image = b""
        self._since: list[tuple[str, dict[str, Any], int]] = []
        #: What the last `http` input was answered (not part of the world).
        self.answer: dict[str, Any] = {}

    # -- life -----------------------------------------------------------------------------------------------------------
    @staticmethod
    def boot(scenario: str = "three-nodes", seed: int = 1, shelf: Shelf | None = None) -> Sandbox:
        """A fresh world; boots of the same (scenario, seed) in this process are restored from a kept image.

        `shelf` keeps images beyond the process: the first boot asks there before it builds.
        """
        key = (scenario, seed)
        image = _boot_images.get(key)
        if image is None:
            image = _from_shelf(scenario, seed, shelf) or _built(scenario, seed, shelf)
        return Sandbox.restore(image)

    @staticmethod
    def build(
        scenario: str = "three-nodes",
        seed: int = 1,
        *,
        epoch: int = clock.DEFAULT_EPOCH,
        prepare: Callable[[World], None] | None = None,
    ) -> Sandbox:
        """A world from scratch: machines made, cluster initialised, terminals opened; `epoch` is Unix time in ns at its boot.

        `prepare` builds the machines instead of the scenario's own way (`bare` with flags of the caller).
        """
        found = scenarios.find(scenario)
        world = World(seed=seed, epoch=epoch)
        world.section("sandbox", lambda: Meta(scenario))
        sandbox = Sandbox(world)
        (prepare or found.build)(world)
        for host in found.terminals:
            terminal.Terminal.open(world, host, host)
        executor.get(world).pump()
        world.trace.clear()
        lenses.begin(world)
        sandbox.drain()
        return sandbox

    @staticmethod
    def restore(data: bytes) -> Sandbox:
        """The world of a snapshot; raises BadInput for a damaged or foreign one."""
        world = snapshot.load(data, {**SECTIONS, "sandbox": Meta})
        if "sandbox" not in world.sections:
            raise BadInput("snapshot: not of a sandbox")
        sandbox = Sandbox(world)
        sandbox._image = data
        shared = _shared.get((sandbox.meta.scenario, world.seed))
        if shared is not None:
            sharing.adopt(world, shared)
        return sandbox

    def snapshot(self) -> bytes:
        """The world as bytes; raises SnapshotBusy while a program waits."""
        if not self.can_snapshot():
            raise SnapshotBusy
        self._image, self._since = snapshot.dump(self.world), []
        return self._image

    def image(self) -> bytes:
        """The bytes inside a snapshot (`kernel.snapshot.opened`), which need no compressing; raises SnapshotBusy while a program waits."""
        if not self.can_snapshot():
            raise SnapshotBusy
        return snapshot.raw(self.world)

    def can_snapshot(self) -> bool:
        """Whether no program waits in the warm world, and all that is warm could be made again."""
        quiet = executor.get(self.world).idle() and streaming.idle(self.world)
        return quiet and ("apiserver" not in self.world.sections or copies.possible(self.world))

    def fork(self) -> Sandbox:
        """A copy that goes its own way.  While a program waits, the copy is made by replay from the last snapshot."""
        if self.can_snapshot() or (not self._image and executor.get(self.world).idle()):
            return Sandbox.restore(snapshot.dump(self.world))
        if not self._image:
            raise SnapshotBusy
        copy = Sandbox.restore(self._image)
        for kind, data, at in self._since:
            with contextlib.suppress(BadInput):  # refused then, refused now
                copy.apply(kind, data, at)
        copy.advance(self.now)
        copy.drain()
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
        return {name: terminal.Terminal(self.world, name).view() for name in sorted(terminal.section(self.world).items)}

    def typed(self) -> list[tuple[str, str]]:
        """(host, line) of every line typed, oldest first."""
        return self.meta.typed

    def view(self) -> dict[str, Any]:
        """What the ship map draws (docs/map.md)."""
        return map_view.view(self.world)

    def lens(self, name: str, about: str = "") -> dict[str, Any]:
        """What the map shows of one component from the inside (docs/map.md, "Lenses"); raises BadInput for an unknown lens."""
        return lenses.look(self.world, name, about)

    def digest(self) -> str:
        """Equal for equal (scenario, seed, inputs), wherever and whenever they were played."""
        state = msgspec.msgpack.encode((self.world.now, self.world.timer_seq, sorted(self.world.rng_state.items())))
        joined = self.world.digest + terminal.section(self.world).digest + state + streaming.digest(self.world)
        return hashlib.blake2b(joined, digest_size=16).hexdigest()

    # -- inputs ---------------------------------------------------------------------------------------------------------
    def apply(self, kind: str, data: dict[str, Any], at: int) -> int:
        """Take one journal row: advance to max(at, now), let it take effect, and run the foreground command on for a little.

        Returns the virtual time at which it took effect.  Raises BadInput (nothing has happened then but time).
        """
        self.advance(max(at, self.now))
        took = self.now
        self._since.append((kind, data, took))
        handler = {
            "line": self._line,
            "key": self._key,
            "keys": self._keys,
            "open": self._open,
            "close": self._close,
            "resize": self._resize,
            "fault": self._fault,
            "skip": self._skip,
            "http": self._http,
            "stream": self._stream,
            "save": self._save,
        }.get(kind)
        if handler is None:
            raise BadInput(f"input: unknown kind {kind!r}")
        handler(data)
        self._pump()
        if kind in ("line", "key", "keys"):
            self._run_terminal_on(str(data["terminal"]), GRACE)
        elif kind == "stream":
            ident = str(data["id"])
            self._run_on(lambda: streaming.busy(self.world, ident), GRACE)
        return took

    def advance(self, until: int) -> None:
        """Let virtual time pass up to `until`."""
        self._pump()
        self.world.run_until(until)
        self._pump()

    def _pump(self) -> None:
        run = executor.get(self.world)
        run.pump()
        terminal.reopen(self.world)
        run.pump()

    def _run_terminal_on(self, name: str, limit: int) -> None:
        """Pass time while the terminal's program is busy, at most `limit` nanoseconds."""
        screen = terminal.Terminal(self.world, name)
        self._run_on(lambda: screen.busy and not screen.raw, limit)

    def _run_on(self, busy: Callable[[], bool], limit: int) -> None:
        """Pass time while the program that was given the input is busy, at most `limit` nanoseconds."""
        deadline = self.now + limit
        while busy():
            due = self.world.next_due()
            if due is None or due > deadline:
                break
            self.world.run_until(due)
            self._pump()

    def _terminal(self, data: dict[str, Any]) -> str:
        name = data.get("terminal")
        if not isinstance(name, str) or name not in terminal.section(self.world).items:
            raise BadInput(f"terminal: no terminal {name!r}")
        return name

    def _line(self, data: dict[str, Any]) -> None:
        name, text = self._terminal(data), data.get("text")
        if not isinstance(text, str) or "\n" in text or "\0" in text:
            raise BadInput("text: must be one line")
        if len(text.encode("utf-8", "replace")) > MAX_LINE:
            raise BadInput(f"text: longer than {MAX_LINE} bytes")
        screen = terminal.Terminal(self.world, name)
        if not screen.busy:
            self.meta.typed.append((screen.state.host, text))
            del self.meta.typed[:-2000]
        seq = self.world.emit("terminal", "line", name, {"text": text[:200]}, cause=0)
        self.world.because(seq, lambda: terminal.Terminal(self.world, name).feed_line(text))

    def _key(self, data: dict[str, Any]) -> None:
        name, key = self._terminal(data), data.get("key")
        if key not in ("ctrl-c", "ctrl-d", "ctrl-z", "ctrl-\\"):
            raise BadInput(f"key: {key!r} is not one of ctrl-c, ctrl-d, ctrl-z, ctrl-\\")
        terminal.Terminal(self.world, name).key(str(key))

    def _keys(self, data: dict[str, Any]) -> None:
        name, text = self._terminal(data), data.get("data")
        if not isinstance(text, str) or not text or len(text.encode("utf-8", "replace")) > MAX_LINE:
            raise BadInput(f"data: must be 1 to {MAX_LINE} bytes of keys")
        terminal.Terminal(self.world, name).type_keys(text)

    def _open(self, data: dict[str, Any]) -> None:
        name, host = data.get("terminal"), data.get("host")
        if not isinstance(name, str) or not name or len(name) > 32:
            raise BadInput("terminal: needs a name of at most 32 characters")
        if name in self.terminals():
            raise BadInput(f"terminal: {name!r} is open already")
        if len(self.terminals()) >= MAX_TERMINALS:
            raise BadInput(f"terminal: at most {MAX_TERMINALS} may be open")
        if not isinstance(host, str) or host not in hosts(self.world):
            raise BadInput(f"host: no host {host!r}")
        terminal.Terminal.open(self.world, name, host)

    def _close(self, data: dict[str, Any]) -> None:
        terminal.Terminal(self.world, self._terminal(data)).close()

    def _resize(self, data: dict[str, Any]) -> None:
        columns, rows = data.get("columns"), data.get("rows")
        if not isinstance(columns, int) or not isinstance(rows, int) or not (1 <= columns <= 1000 and 1 <= rows <= 1000):
            raise BadInput("resize: columns and rows must be between 1 and 1000")
        terminal.Terminal(self.world, self._terminal(data)).resize(columns, rows)

    def _fault(self, data: dict[str, Any]) -> None:
        name, args = data.get("name"), data.get("args", [])
        if not isinstance(name, str) or not isinstance(args, list):
            raise BadInput("fault: needs a name and a list of arguments")
        faults.inject(self.world, name, [str(a) for a in args])

    def _skip(self, data: dict[str, Any]) -> None:
        ns = data.get("ns")
        if not isinstance(ns, int) or not 0 < ns <= 24 * clock.HOUR:
            raise BadInput("skip: ns must be between 1 and 24 hours")
        until = self.now + ns
        if data.get("to") == "idle":
            self._run_terminal_on(self._terminal(data), ns)
            return
        if data.get("to") == "raft":
            due = lenses.next_message(self.world)
            if due is None:
                raise BadInput("skip: etcd has no second member to exchange messages with")
            until = min(until, max(due, self.now))
        self.advance(until)

    def _save(self, data: dict[str, Any]) -> None:
        row = filepane.parse(data)
        name = self._terminal(data)
        seq = self.world.emit("terminal", "save", name, {"path": row.path}, cause=0)
        saving = filepane.Saving(self.world, row)
        self.world.because(seq, saving.begin)
        self._run_on(lambda: not saving.done, GRACE)
        action, detail = saving.tell()
        self.world.emit("terminal", action, name, detail, cause=seq)
        if row.taken:
            self._run_terminal_on(name, GRACE)

    def _http(self, data: dict[str, Any]) -> None:
        self.answer = self.ask(data)

    def _stream(self, data: dict[str, Any]) -> None:
        answer = streaming.play(self.world, self.first_host, streaming.parse(data))
        self.answer = msgspec.to_builtins(answer) if answer is not None else {}

    def ask(self, data: dict[str, Any]) -> dict[str, Any]:
        """Send a request of a client outside into the world (`lab.edge`); for reads, do it on a fork: also a read leaves traces."""
        answer: dict[str, Any] = msgspec.to_builtins(edge.ask(self.world, self.first_host, edge.parse(data)))
        return answer

    # -- output ---------------------------------------------------------------------------------------------------------
    def drain(self) -> list[Chunk]:
        """Terminal output since the last drain, in order."""
        return terminal.drain(self.world)

    def drain_streams(self) -> list[tuple[str, int, list[Item]]]:
        """What the sessions of outside clients (rows of kind `stream`) have to say since the last drain: id, bytes said before, items."""
        return streaming.drain(self.world)

    def drain_trace(self) -> list[TraceEvent]:
        """Trace events since the last drain, in order (the oldest may be missing after a long run)."""
        after = self.meta.trace_drained
        events = self.world.trace_after(after)
        self.meta.trace_drained = self.world.trace_seq
        return events

    # -- queries and authors' tools -------------------------------------------------------------------------------------
    def complete(self, name: str, line: str, cursor: int) -> Completion:
        """Completions at `cursor` of a line in a terminal; changes nothing."""
        if name not in self.terminals():
            raise BadInput(f"terminal: no terminal {name!r}")
        from .shell import completion

        return Completion(*completion.complete(self.world, name, line, cursor))

    def file(self, name: str, path: str, *, taken: bool = False) -> dict[str, Any]:
        """A file as the shell of a terminal would open it (`shell.filepane.look`); changes nothing."""
        return filepane.look(self.world, name, path, taken=taken)

    def outline(self, api_version: str = "", kind: str = "", about: str = "") -> dict[str, Any]:
        """All kinds, the fields of one, or what there is to say of a field (`lab.outlines`); changes nothing."""
        return outlines.outline(self.world, api_version, kind, about)

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
