"""When a schedule comes next: crontab(5)'s five fields and systemd.time(7)'s calendar events.

All times are Unix nanoseconds; the simulated machines keep UTC.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import msgspec

from ..kernel.clock import DAY, MINUTE, SECOND, to_datetime

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
#: crontab's words for whole schedules.
WORDS = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_EVENTS = {
    "minutely": "*-*-* *:*:00",
    "hourly": "*-*-* *:00:00",
    "daily": "*-*-* 00:00:00",
    "monthly": "*-*-01 00:00:00",
    "weekly": "Mon *-*-* 00:00:00",
    "yearly": "*-01-01 00:00:00",
    "annually": "*-01-01 00:00:00",
    "quarterly": "*-01,04,07,10-01 00:00:00",
    "semiannually": "*-01,07-01 00:00:00",
}
#: How far ahead is looked: a leap day comes within eight years.
HORIZON = 8 * 366


class Schedule(msgspec.Struct):
    """The seconds, minutes, hours, days of the month, months, weekdays (Sunday 0) and years (empty: all) that fit.

    `either` is cron's rule: where both the day of the month and the weekday are given, one of them is enough.
    """

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    seconds: frozenset[int] = frozenset({0})
    years: frozenset[int] = frozenset()
    either: bool = False

    def _day_fits(self, at: int) -> bool:
        day = to_datetime(at)
        if day.month not in self.months or (self.years and day.year not in self.years):
            return False
        monthday, weekday = day.day in self.days, day.isoweekday() % 7 in self.weekdays
        return monthday or weekday if self.either else monthday and weekday

    def after(self, at: int) -> int | None:
        """The first time later than `at`, or None."""
        day = at - at % DAY
        for _ in range(HORIZON):
            if self._day_fits(day):
                for hour in sorted(self.hours):
                    for minute in sorted(self.minutes):
                        base = day + (hour * 60 + minute) * MINUTE
                        if base + MINUTE <= at:
                            continue
                        for second in sorted(self.seconds):
                            if base + second * SECOND > at:
                                return base + second * SECOND
            day += DAY
        return None


def _number(text: str, names: Iterable[str], first: int) -> int:
    if text.isdigit():
        return int(text)
    for place, name in enumerate(names):
        if text[:3].lower() == name and len(text) >= 3:
            return place + first
    raise ValueError(text)


def _cron_field(text: str, low: int, high: int, names: Iterable[str] = ()) -> frozenset[int]:
    found: set[int] = set()
    for part in text.split(","):
        span, slash, step = part.partition("/")
        every = int(step) if slash else 1
        if every < 1:
            raise ValueError(text)
        if span == "*":
            first, last = low, high
        else:
            begin, dash, end = span.partition("-")
            first = _number(begin, names, low if low else 0)
            last = _number(end, names, low if low else 0) if dash else (high if slash else first)
        if not low <= first <= last <= high:
            raise ValueError(text)
        found.update(range(first, last + 1, every))
    return frozenset(found)


#: The fields of a crontab line: what cron calls a bad one, and its range.
FIELDS = (("minute", 0, 59), ("hour", 0, 23), ("day-of-month", 1, 31), ("month", 1, 12), ("day-of-week", 0, 7))


def cron(words: list[str]) -> Schedule:
    """A schedule of five fields; raises ValueError with the name that cron gives to the bad one."""
    sets: list[frozenset[int]] = []
    for (name, low, high), word in zip(FIELDS, words, strict=True):
        try:
            sets.append(_cron_field(word, low, high, {"month": MONTHS, "day-of-week": DAYS}.get(name, ())))
        except ValueError:
            raise ValueError(name) from None
    minutes, hours, days, months, weekdays = sets
    weekdays = frozenset(day % 7 for day in weekdays)
    return Schedule(minutes, hours, days, months, weekdays, either=not words[2].startswith("*") and not words[4].startswith("*"))


def _part(text: str, low: int, high: int) -> frozenset[int]:
    found: set[int] = set()
    for part in text.split(","):
        span, slash, step = part.partition("/")
        begin, dots, end = span.partition("..")
        first = low if begin == "*" else int(begin)
        last = int(end) if dots else (high if slash or begin == "*" else first)
        if not low <= first <= last <= high or (slash and int(step) < 1):
            raise ValueError(text)
        found.update(range(first, last + 1, int(step) if slash else 1))
    return frozenset(found)


def event(text: str) -> Schedule:
    """A calendar event (`daily`, `Mon..Fri 10:00`, `*-*-1 04:00:00`, `*:0/5`); raises ValueError."""
    words = _EVENTS.get(text.strip().lower(), text).replace("UTC", "").split()
    weekdays = frozenset(range(7))
    date, clock = "*-*-*", "00:00:00"
    for word in words:
        if ":" in word:
            clock = word
        elif re.fullmatch(r"[A-Za-z,.]+", word):
            chosen: set[int] = set()
            for part in word.split(","):
                begin, dots, end = part.partition("..")
                first = _number(begin, DAYS, 0)
                last = _number(end, DAYS, 0) if dots else first
                chosen.update(n % 7 for n in range(first, last + 1 + (7 if last < first else 0)))
            weekdays = frozenset(chosen)
        elif "-" in word:
            date = word
        else:
            raise ValueError(text)
    if not words:
        raise ValueError(text)
    parts = date.split("-")
    year, month, day = ["*", *parts][-3:]
    hour, minute, second = [*clock.split(":"), "0"][:3]
    return Schedule(
        _part(minute, 0, 59),
        _part(hour, 0, 23),
        _part(day, 1, 31),
        _part(month, 1, 12),
        weekdays,
        _part(second, 0, 59),
        frozenset() if year == "*" else _part(year, 1970, 2199),
    )
