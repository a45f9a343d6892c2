"""Cron schedules as robfig/cron's standard parser reads them: five fields, names, ranges, steps, and `@daily` and the like."""

from __future__ import annotations

import datetime as dt

from ...host.calendar import DAYS, MONTHS, WORDS
from ..component import parse_duration

BOUNDS = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))
#: A schedule that never comes true (30 February) is given up after this many years, as robfig/cron does.
HORIZON_YEARS = 5


class Schedule:
    """A parsed schedule; raises ValueError for a text that is none."""

    def __init__(self, text: str) -> None:
        self.every: dt.timedelta | None = None
        if text.startswith("@every "):
            self.every = dt.timedelta(seconds=max(1, parse_duration(text.removeprefix("@every ").strip()) // 1_000_000_000))
            return
        fields = WORDS.get(text, text).split()
        if len(fields) != 5:
            raise ValueError(f"expected exactly 5 fields, found {len(fields)}: [{' '.join(fields)}]")
        self.minutes, self.hours, self.days, self.months, weekdays = (
            _field(item, low, high, names)
            for item, (low, high), names in zip(fields, BOUNDS, ((), (), (), MONTHS, DAYS), strict=True)
        )
        self.weekdays = {day % 7 for day in weekdays}
        self.any_day, self.any_weekday = fields[2][0] in "*?", fields[4][0] in "*?"

    def after(self, moment: dt.datetime) -> dt.datetime | None:
        """The first time strictly after `moment`."""
        if self.every is not None:
            return moment + self.every
        at = moment.replace(second=0, microsecond=0) + dt.timedelta(minutes=1)
        limit = at.replace(year=at.year + HORIZON_YEARS, day=1)
        while at < limit:
            if at.month not in self.months:
                at = (at.replace(day=1, hour=0, minute=0) + dt.timedelta(days=32)).replace(day=1)
            elif not self._day(at):
                at = at.replace(hour=0, minute=0) + dt.timedelta(days=1)
            elif at.hour not in self.hours:
                at = at.replace(minute=0) + dt.timedelta(hours=1)
            elif at.minute not in self.minutes:
                at += dt.timedelta(minutes=1)
            else:
                return at
        return None

    def _day(self, at: dt.datetime) -> bool:
        """Day of month and day of week: both when one of them is a star, else either."""
        by_month, by_week = at.day in self.days, at.isoweekday() % 7 in self.weekdays
        return (by_month and by_week) if self.any_day or self.any_weekday else (by_month or by_week)


def _field(text: str, low: int, high: int, names: tuple[str, ...]) -> set[int]:
    out: set[int] = set()
    for part in text.split(","):
        span, slash, step_text = part.partition("/")
        step = int(step_text) if slash else 1
        if span in ("*", "?"):
            first, last = low, high
        else:
            start, dash, end = span.partition("-")
            first = _number(start, names)
            last = _number(end, names) if dash else (high if slash else first)
        if not low <= first <= last <= high or step < 1:
            raise ValueError(f"value out of range: {part}")
        out.update(range(first, last + 1, step))
    return out


def _number(text: str, names: tuple[str, ...]) -> int:
    if text.lower() in names:
        return names.index(text.lower()) + (1 if names is MONTHS else 0)
    if not text.isdigit():
        raise ValueError(f"failed to parse int from {text}")
    return int(text)
