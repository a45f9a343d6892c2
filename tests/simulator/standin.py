"""A stand-in for the sandbox: a few lines of shell over plain data, deterministic, with the façade's own signature.

It lets the site's machinery (journal, replay, crashes, cursors) be tested without the simulator, and offers what no healthy
simulator has: inputs that break it (`boom`, `die`, `hang`).
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from simulator.core.kernel.errors import BadInput, BudgetExceeded

SECOND = 1_000_000_000
RUN_ON = SECOND * 4 // 10


@dataclass
class Chunk:
    seq: int
    at: int
    terminal: str
    fd: int
    data: str


@dataclass
class Event:
    seq: int
    at: int
    actor: str
    action: str
    ref: str
    cause: int
    detail: dict[str, Any] | None = None


@dataclass
class TerminalView:
    host: str
    prompt: str
    busy: bool
    continuation: bool


@dataclass
class Completion:
    start: int
    end: int
    items: list[str]


@dataclass
class State:
    """Everything that a snapshot holds."""

    scenario: str
    seed: int
    now: int = SECOND
    log: list[str] = field(default_factory=list)
    hosts: dict[str, str] = field(default_factory=lambda: {"t1": "controlplane"})
    chunks: int = 0
    events: int = 0
    runs: int = 0
    files: dict[str, str] = field(default_factory=dict)


class World:
    epoch = 1_793_610_000 * SECOND


class StandIn:
    """See the module."""

    ENGINE_VERSION = "standin-1"
    SCENARIOS = ("three-nodes", "one-node")

    def __init__(self, state: State) -> None:
        self.state = state
        self.world = World()
        self.out: list[Chunk] = []
        self.trace: list[Event] = []
        #: (due, terminal, text) of the program in the foreground: like a coroutine, not part of a snapshot.
        self.waiting: dict[str, tuple[int, str]] = {}

    @classmethod
    def boot(cls, scenario: str = "three-nodes", seed: int = 1, shelf: object = None) -> StandIn:
        made = cls(State(scenario, seed))
        made._print("t1", 1, f"welcome to {scenario}\n")
        made._emit("boot", scenario)
        return made

    @classmethod
    def restore(cls, snapshot: bytes) -> StandIn:
        try:
            return cls(State(**json.loads(snapshot)))
        except (ValueError, TypeError):
            raise BadInput("snapshot: damaged") from None

    def snapshot(self) -> bytes:
        assert not self.waiting
        return json.dumps(asdict(self.state)).encode()

    def image(self) -> bytes:
        return self.snapshot()

    def can_snapshot(self) -> bool:
        return not self.waiting

    def fork(self) -> StandIn:
        return StandIn(State(**json.loads(json.dumps(asdict(self.state)))))

    @property
    def now(self) -> int:
        return self.state.now

    def next_due(self) -> int | None:
        return min((due for due, _ in self.waiting.values()), default=self.state.now + 10 * SECOND)

    def apply(self, kind: str, data: dict[str, Any], at: int) -> None:
        self.advance(max(at, self.now))
        if kind == "line":
            self._line(data["terminal"], data["text"])
        elif kind == "key":
            if self.waiting.pop(data["terminal"], None):
                self._print(data["terminal"], 1, "^C\n")
        elif kind == "open":
            self.state.hosts[data["terminal"]] = data["host"]
        elif kind == "skip":
            self.advance(self.now + data["ns"])
        elif kind == "save":
            self.state.files[data["path"]] = data["text"]
            self._emit("saved", data["terminal"])
        elif kind == "fault":
            raise BadInput(f"no fault {data['name']}")
        if self.waiting:
            self.advance(self.now + RUN_ON)

    def advance(self, until: int) -> None:
        while "stuck" in self.state.log and until > self.state.now:
            time.sleep(0.01)
        while self.waiting:
            due, terminal, text = min((due, terminal, text) for terminal, (due, text) in self.waiting.items())
            if due > until:
                break
            self.state.now = max(self.state.now, due)
            del self.waiting[terminal]
            self._print(terminal, 1, text)
        self.state.now = max(self.state.now, until)

    def drain(self) -> list[Chunk]:
        taken, self.out = self.out, []
        return taken

    def drain_trace(self) -> list[Event]:
        taken, self.trace = self.trace, []
        return taken

    def drain_streams(self) -> list[tuple[str, int, list[Any]]]:
        return []

    def terminals(self) -> dict[str, TerminalView]:
        return {name: TerminalView(host, f"{host}$ ", name in self.waiting, False) for name, host in self.state.hosts.items()}

    def complete(self, terminal: str, line: str, cursor: int) -> Completion:
        return Completion(0, cursor, [word for word in ("echo", "sleep") if word.startswith(line[:cursor])])

    def view(self) -> dict[str, Any]:
        return {"runs": self.state.runs, "hosts": sorted(self.state.hosts.values())}

    def lens(self, name: str, about: str = "") -> dict[str, Any]:
        if name != "etcd":
            raise BadInput(f"lens: {name!r} is not one of etcd")
        return {"lens": name, "at": self.state.now, "about": about, "runs": self.state.runs}

    def file(self, name: str, path: str, *, taken: bool = False) -> dict[str, Any]:
        if name not in self.state.hosts:
            raise BadInput(f"no terminal {name}")
        if path == "/boom":
            raise RuntimeError(path)
        return {"path": path, "text": self.state.files.get(path, ""), "taken": taken}

    def outline(self, api_version: str = "", kind: str = "", about: str = "") -> dict[str, Any]:
        return {"api": api_version, "kind": kind, "about": about}

    def digest(self) -> str:
        return hashlib.blake2b(json.dumps(asdict(self.state), sort_keys=True).encode(), digest_size=16).hexdigest()

    # -- the shell ---------------------------------------------------------------------------------------------------------

    def _print(self, terminal: str, fd: int, text: str) -> None:
        self.state.chunks += 1
        self.out.append(Chunk(self.state.chunks, self.state.now, terminal, fd, text))

    def _emit(self, action: str, ref: str) -> None:
        self.state.events += 1
        self.trace.append(Event(self.state.events, self.state.now, "terminal", action, ref, 0))

    def _line(self, terminal: str, text: str) -> None:
        if terminal not in self.state.hosts:
            raise BadInput(f"no terminal {terminal}")
        self.state.runs += 1
        self._print(terminal, 0, f"$ {text}\n")
        self._emit("line", text)
        self.state.log.append(text)
        word, _, rest = text.partition(" ")
        if word == "echo":
            self._print(terminal, 1, rest + "\n")
        elif word == "count":
            self._print(terminal, 1, f"{self.state.runs} {self.state.seed} {self.state.now}\n")
        elif word == "sleep":
            seconds, _, after = rest.partition(" ")
            self.waiting[terminal] = (self.state.now + int(float(seconds) * SECOND), after + "\n")
        elif word == "big":
            for number in range(int(rest)):
                self._print(terminal, 1, f"{number:06} {'x' * 90}\n")
        elif word == "boom":
            raise RuntimeError("a defect")
        elif word == "odd":
            self._print(terminal, 1, "a\0b\udcffc\n")
        elif word == "budget":
            raise BudgetExceeded("too much")
        elif word == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        elif word == "loop":
            while True:
                time.sleep(0.01)
        elif word == "stuck":
            self.state.log.append("stuck")
        elif word == "hang":
            self._hang(terminal, Path(rest))
        else:
            self._print(terminal, 2, f"{word}: command not found\n")

    def _hang(self, terminal: str, path: Path) -> None:
        """The first time: say who runs it in `path`, and never come back.  The second time: print."""
        if not path.exists():
            self._print(terminal, 1, "half of it\n")
            scratch = path.with_suffix(".new")
            scratch.write_text(str(os.getpid()))
            scratch.rename(path)
            while True:
                time.sleep(3600)
        self._print(terminal, 1, "half of it\nall of it\n")
