"""The one place where the site takes hold of the simulator: its class, its version, and the shape that the site relies on."""

from __future__ import annotations

import functools
import hashlib
from pathlib import Path
from typing import Any, Protocol, cast

from django.conf import settings
from django.utils.module_loading import import_string

from . import core


class Chunk(Protocol):
    """A piece of terminal output (`simulator.core.sandbox.Chunk`)."""

    @property
    def at(self) -> int: ...
    @property
    def terminal(self) -> str: ...
    @property
    def fd(self) -> int: ...
    @property
    def data(self) -> str: ...


class Event(Protocol):
    """A trace event (`simulator.core.kernel.trace.TraceEvent`)."""

    @property
    def seq(self) -> int: ...
    @property
    def at(self) -> int: ...
    @property
    def actor(self) -> str: ...
    @property
    def action(self) -> str: ...
    @property
    def ref(self) -> str: ...
    @property
    def cause(self) -> int: ...
    @property
    def detail(self) -> dict[str, Any] | None: ...


class World(Protocol):
    """What the site reads of a world."""

    epoch: int


class Engine(Protocol):
    """A world with its terminals, as `simulator.core.sandbox.Sandbox` offers it (docs/architecture.md, "The façade")."""

    world: Any

    @property
    def now(self) -> int: ...
    def next_due(self) -> int | None: ...
    def snapshot(self) -> bytes: ...
    def image(self) -> bytes: ...
    def can_snapshot(self) -> bool: ...
    def fork(self) -> Engine: ...
    def apply(self, kind: str, data: dict[str, Any], at: int) -> Any: ...
    def advance(self, until: int) -> None: ...
    def drain(self) -> list[Any]: ...
    def drain_trace(self) -> list[Any]: ...
    def terminals(self) -> dict[str, Any]: ...
    def complete(self, terminal: str, line: str, cursor: int) -> Any: ...
    def file(self, name: str, path: str, *, taken: bool = False) -> dict[str, Any]: ...
    def outline(self, api_version: str = "", kind: str = "", about: str = "") -> dict[str, Any]: ...
    def view(self) -> dict[str, Any]: ...
    def digest(self) -> str: ...
    def ask(self, data: dict[str, Any]) -> dict[str, Any]: ...
    def drain_streams(self) -> list[tuple[str, int, list[Any]]]: ...

    @property
    def answer(self) -> dict[str, Any]: ...


class Shelf(Protocol):
    """Where images of beginnings are kept beyond a process (`simulator.shelf`)."""

    def get(self, scenario: str, seed: int) -> bytes | None: ...
    def put(self, scenario: str, seed: int, image: bytes) -> None: ...


class EngineClass(Protocol):
    """How a world comes to be."""

    def boot(self, scenario: str = ..., seed: int = ..., shelf: Shelf | None = ...) -> Engine: ...
    def restore(self, snapshot: bytes) -> Engine: ...


@functools.cache
def engine() -> EngineClass:
    """The class named by `settings.SLIPWAY_SANDBOX`."""
    return cast(EngineClass, import_string(settings.SLIPWAY_SANDBOX))


@functools.cache
def version() -> str:
    """The simulator's version: replays are promised to be identical, and snapshots to be readable, only within one.

    It is a digest of the core's own files, so that no change of behaviour can be forgotten here.  A session played with
    another version is replayed from its journal and must come to the same digest, or it is frozen (`worlds.load`).
    """
    given = getattr(engine(), "ENGINE_VERSION", None)
    if given:
        return str(given)
    root = Path(core.__file__).parent
    digest = hashlib.blake2b(digest_size=8)
    for path in sorted(root.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            digest.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


@functools.cache
def first_host(scenario: str) -> str:
    """The host of a scenario's first terminal: where a step is typed that names none."""
    if getattr(engine(), "SCENARIOS", None) is not None:
        return "controlplane"
    from .core.lab import scenarios as known

    return known.find(scenario).terminals[0]


@functools.cache
def scenarios() -> frozenset[str]:
    """Names of the scenarios that a session may be made of."""
    found = getattr(engine(), "SCENARIOS", None)
    if found is None:
        from .core.lab.scenarios import SCENARIOS

        found = [scenario.name for scenario in SCENARIOS]
    return frozenset(found)
