"""A dead process of a worker's pool is noticed at once, not when a timer looks (`coursesite.pool`)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from celery.concurrency import prefork

from coursesite import pool


class Dying:
    """A process that has closed its files and can be waited for only after some looks."""

    def __init__(self, looks: int) -> None:
        self.looks = looks


class Hub:
    """An event loop's timers."""

    def __init__(self) -> None:
        self.later: list[tuple[float, Callable[..., Any], tuple[Any, ...]]] = []

    def call_later(self, delay: float, callback: Callable[..., Any], *args: Any) -> None:
        self.later.append((delay, callback, args))

    def turn(self) -> None:
        now, self.later = self.later, []
        for _delay, callback, args in now:
            callback(*args)


def a_pool(monkeypatch: Any, processes: list[Dying]) -> tuple[pool.AsynPool, list[int]]:
    made = object.__new__(pool.AsynPool)
    made._pool = processes
    looked: list[int] = []

    def maintain() -> None:
        looked.append(len(made._pool))
        for process in made._pool:
            process.looks -= 1
        made._pool = [process for process in made._pool if process.looks > 0]

    monkeypatch.setattr(made, "maintain_pool", maintain)
    monkeypatch.setattr(made, "_untrack_child_process", lambda process, hub: None)
    return made, looked


def test_a_dying_process_is_looked_for_until_it_is_dead(monkeypatch: Any) -> None:
    hub, dying = Hub(), Dying(looks=3)
    made, looked = a_pool(monkeypatch, [dying])
    made._event_process_exit(hub, dying)
    assert len(looked) == 1 and [delay for delay, _callback, _args in hub.later] == [pool.AGAIN]
    hub.turn()
    hub.turn()
    assert len(looked) == 3 and not made._pool and not hub.later
    hub.turn()
    assert len(looked) == 3


def test_workers_use_it() -> None:
    before = prefork.TaskPool.Pool
    try:
        pool.install()
        assert prefork.TaskPool.Pool is pool.AsynPool
        assert pool.AGAIN * 10 < 1  # seconds: far below the timer's five
    finally:
        prefork.TaskPool.Pool = before
