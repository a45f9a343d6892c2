"""Schedules of CronJobs as the API server and the controller read them (`robfig/cron/v3: parser.go, spec.go`), with its errors.

Five fields with names, ranges, steps and `?`, descriptors (`@daily`, `@every 90m`), and a time zone beside the schedule.
"""

from __future__ import annotations

import datetime as dt
import re
import zoneinfo

from ...host.calendar import DAYS, MONTHS, WORDS
from ...host.calendar import Schedule as Calendar
from ...kernel.clock import SECOND
from ..component import parse_duration

#: Lowest and highest value and the names of each field.
FIELDS: tuple[tuple[int, int, dict[str, int]], ...] = (
    (0, 59, {}),
    (0, 23, {}),
    (1, 31, {}),
    (1, 12, {name: place + 1 for place, name in enumerate(MONTHS)}),
    (0, 6, {name: place for place, name in enumerate(DAYS)}),
)
#: A schedule that never comes true (30 February) is given up after this many years (`spec.go: Next`).
HORIZON_YEARS = 5
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_ZONE_PART = re.compile(r"[A-Za-z.\-_0-9+]{1,14}")


class Schedule:
    """A parsed schedule; raises ValueError, in the parser's words, for a text that is none."""

    def __init__(self, text: str, zone: dt.tzinfo = dt.UTC) -> None:
        self.zone = zone
        self.every: dt.timedelta | None = None
        if not text:
            raise ValueError("empty spec string")
        if text.startswith("@every "):
            try:
                self.every = dt.timedelta(seconds=max(1, parse_duration(text.removeprefix("@every ")) // SECOND))
            except ValueError:
                raise ValueError(
                    f'failed to parse duration {text}: time: invalid duration "{text.removeprefix("@every ")}"'
                ) from None
            return
        if text.startswith("@") and text not in WORDS:
            raise ValueError(f"unrecognized descriptor: {text}")
        fields = WORDS.get(text, text).split()
        if len(fields) != 5:
            raise ValueError(f"expected exactly 5 fields, found {len(fields)}: [{' '.join(fields)}]")
        (minutes, _), (hours, _), (days, any_day), (months, _), (weekdays, any_weekday) = (
            _field(item, *bounds) for item, bounds in zip(fields, FIELDS, strict=True)
        )
        self.calendar = Calendar(minutes, hours, days, months, weekdays, either=not any_day and not any_weekday)

    def after(self, moment: dt.datetime) -> dt.datetime | None:
        """The first time strictly after `moment` (with a time zone), in UTC; None when there is none within five years.

        Wall clocks decide: a time that daylight saving leaves out does not come, one that it repeats comes once.
        """
        if self.every is not None:
            return moment.replace(microsecond=0) + self.every
        at = moment
        for _ in range(4):
            local = at.astimezone(self.zone).replace(tzinfo=dt.UTC)
            found = self.calendar.after(int((local - _EPOCH).total_seconds()) * SECOND)
            if found is None:
                return None
            wall = _EPOCH + dt.timedelta(seconds=found // SECOND)
            if wall.year > local.year + HORIZON_YEARS:
                return None
            there = wall.replace(tzinfo=self.zone).astimezone(dt.UTC)
            if there > moment and there.astimezone(self.zone).replace(tzinfo=dt.UTC) == wall:
                return there
            at = max(there, at + dt.timedelta(hours=1))
        return None


def _field(text: str, low: int, high: int, names: dict[str, int]) -> tuple[frozenset[int], bool]:
    """The values of a field, and whether it is a star."""
    out: set[int] = set()
    star = False
    for part in filter(None, text.split(",")):
        values, starred = _range(part, low, high, names)
        out |= values
        star = star or starred
    return frozenset(out), star


def _range(text: str, low: int, high: int, names: dict[str, int]) -> tuple[set[int], bool]:
    spans = text.split("/")
    ends = spans[0].split("-")
    star = ends[0] in ("*", "?")
    if star:
        first, last = low, high
    else:
        first = _number(ends[0], names)
        if len(ends) > 2:
            raise ValueError(f"too many hyphens: {text}")
        last = _number(ends[1], names) if len(ends) == 2 else first
    if len(spans) > 2:
        raise ValueError(f"too many slashes: {text}")
    step = 1
    if len(spans) == 2:
        step = _number(spans[1], {})
        last = high if len(ends) == 1 else last
        star = star and step <= 1
    if first < low:
        raise ValueError(f"beginning of range ({first}) below minimum ({low}): {text}")
    if last > high:
        raise ValueError(f"end of range ({last}) above maximum ({high}): {text}")
    if first > last:
        raise ValueError(f"beginning of range ({first}) beyond end of range ({last}): {text}")
    if step == 0:
        raise ValueError(f"step of range should be a positive number: {text}")
    return set(range(first, last + 1, step)), star


def _number(text: str, names: dict[str, int]) -> int:
    if text.lower() in names:
        return names[text.lower()]
    if not re.fullmatch(r"[+-]?[0-9]+", text):
        raise ValueError(f'failed to parse int from {text}: strconv.Atoi: parsing "{text}": invalid syntax')
    number = int(text)
    if number < 0:
        raise ValueError(f"negative number ({number}) not allowed: {text}")
    return number


def zone_of(name: str | None) -> dt.tzinfo:
    """The time zone of a CronJob; raises ValueError in the words of validation (`validateTimeZone`)."""
    if name is None:
        return dt.UTC
    if not name:
        raise ValueError("timeZone must be nil or non-empty string")
    for part in name.split("/"):
        if part in (".", "..") or part.startswith("-") or not _ZONE_PART.fullmatch(part):
            raise ValueError(f"unknown time zone {name}")
    if name.lower() == "local":
        raise ValueError("timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones")
    try:
        return zoneinfo.ZoneInfo(name)
    except (ValueError, OSError, zoneinfo.ZoneInfoNotFoundError):
        raise ValueError(f"unknown time zone {name}") from None
