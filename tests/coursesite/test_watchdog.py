"""When a worker takes itself for stuck."""

from __future__ import annotations

from coursesite.watchdog import Watchdog


def looks(dog: Watchdog, *, begin: int, end: int, waiting: int, taken: int) -> list[bool]:
    """What it says at each look, every three seconds from `begin` to `end` (s)."""
    return [dog.stuck(now, waiting, taken) for now in range(begin, end, 3)]


def test_tasks_that_wait_while_none_is_taken_are_the_sign() -> None:
    dog = Watchdog(patience=75)
    said = looks(dog, begin=1000, end=1100, waiting=2, taken=7)
    assert said.index(True) == 26  # 78 s after the first look


def test_one_task_taken_begins_anew() -> None:
    dog = Watchdog(patience=75)
    assert not any(looks(dog, begin=1000, end=1075, waiting=2, taken=7))
    assert not any(looks(dog, begin=1075, end=1149, waiting=2, taken=8))


def test_nothing_to_do_is_no_sign() -> None:
    dog = Watchdog(patience=75)
    assert not any(looks(dog, begin=1000, end=2000, waiting=0, taken=7))
    assert not dog.stuck(2001, 3, 7)


def test_while_the_broker_was_away_nothing_could_be_taken() -> None:
    dog = Watchdog(patience=75)
    assert not any(looks(dog, begin=1000, end=1060, waiting=2, taken=7))
    assert not any(looks(dog, begin=1200, end=1260, waiting=2, taken=7))
