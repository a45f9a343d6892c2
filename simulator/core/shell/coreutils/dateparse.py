"""Dates as people write them: what `date -d`, `touch -d` and `journalctl --since` understand (gnulib's parse_datetime)."""

from __future__ import annotations

import calendar
import datetime
import re
import zoneinfo

from ...kernel.clock import SECOND

MONTHS = {name.lower()[:3]: n for n, name in enumerate(calendar.month_name) if name}
DAYS = {name.lower()[:3]: n for n, name in enumerate(calendar.day_name)}
UNITS = {"sec": 1, "second": 1, "min": 60, "minute": 60, "hour": 3600, "day": 86400, "week": 7 * 86400, "fortnight": 14 * 86400}
ZONES = {"utc": 0, "gmt": 0, "z": 0, "est": -5, "edt": -4, "cst": -6, "cdt": -5, "mst": -7, "mdt": -6, "pst": -8, "pdt": -7, "cet": 1, "cest": 2,
         "bst": 1, "ist": 5.5, "jst": 9, "kst": 9, "msk": 3, "eet": 2, "wet": 0}  # fmt: skip
NUMBERS = {"last": -1, "this": 0, "next": 1, "first": 1, "third": 3, "fourth": 4, "fifth": 5, "sixth": 6, "a": 1, "an": 1}
TOKEN = re.compile(
    r"""(?P<iso>\d{4}-\d{1,2}-\d{1,2}|\d{4}/\d{1,2}/\d{1,2}|\d{1,2}/\d{1,2}(?:/\d{2,4})?)|(?P<time>\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d{1,9})?)?\s*(?:[ap]\.?m\.?\b)?)
    |(?P<hour>\d{1,2}\s*[ap]\.?m\.?\b)|(?P<zone>[+-]\d{2}:?\d{2}(?!\d)|(?<=:\d\d)\s*[+-]\s*\d{1,2}(?::?\d{2})?(?!\d))|(?P<rel>[+-]?\s*\d+\s*(?:seconds?|secs?|minutes?|mins?|hours?|days?|weeks?|fortnights?|months?|years?)\b)
    |(?P<compact>\d{8}(?!\d))|(?P<daymonth>\d{1,2}[- ]?[a-z]{3,9}[- ,]*(?:\d{4})?)|(?P<monthday>[a-z]{3,9}\.?[ ]*\d{1,2}(?!\d|:)(?:,?[ ]+\d{4}(?!\d))?)
    |(?P<word>[a-z]+)|(?P<number>[+-]?\d+)|(?P<skip>[\s,]+)""",
    re.VERBOSE,
)


def zone(name: str) -> datetime.tzinfo:
    """The time zone of a TZ value; UTC for one that is not known."""
    try:
        return zoneinfo.ZoneInfo(name.lstrip(":")) if name else datetime.UTC
    except (ValueError, OSError, zoneinfo.ZoneInfoNotFoundError):
        return datetime.UTC


class _Reader:
    def __init__(self, now: int, tz: datetime.tzinfo) -> None:
        self.base = datetime.datetime.fromtimestamp(now // SECOND, tz)
        self.nanoseconds = now % SECOND
        self.tz: datetime.tzinfo = tz
        self.day: datetime.date | None = None
        self.clock: tuple[int, int, int] | None = None
        self.seconds = self.months = self.days = 0
        self.weekday: tuple[int, int] | None = None
        self.last_relative = False
        self.pending: int | None = None

    def result(self) -> int:
        day, clock = self.day, self.clock
        moment = self.base
        if day is not None or self.weekday is not None or clock is not None:
            moment = datetime.datetime.combine(
                day or self.base.astimezone(self.tz).date(), datetime.time(*(clock or (0, 0, 0))), self.tz
            )
            if clock is None or clock is not None:
                self.nanoseconds = self.fraction
        if self.months:
            index = moment.year * 12 + moment.month - 1 + self.months
            year, month = divmod(index, 12)
            over = moment.day - 1
            moment = moment.replace(year=year, month=month + 1, day=1) + datetime.timedelta(days=over)
        if self.days:
            moment = moment + datetime.timedelta(days=self.days)
        if self.weekday is not None and day is None:  # a date that was given stands
            wanted, ordinal = self.weekday
            ahead = (wanted - moment.weekday()) % 7
            if ordinal > 0:
                ahead = (ahead or 7) + 7 * (ordinal - 1) if ahead == 0 else ahead + 7 * (ordinal - 1)
            elif ordinal < 0:
                ahead = ahead - 7
            moment += datetime.timedelta(days=ahead)
        return int(moment.timestamp()) * SECOND + self.seconds * SECOND + self.nanoseconds

    fraction = 0

    def set_time(self, text: str) -> bool:
        match = re.match(r"(\d{1,2})(?::(\d{2}))?(?::(\d{2})(?:[.,](\d+))?)?\s*([ap])?", text, re.IGNORECASE)
        if not match or self.clock is not None:
            return False
        hour = int(match.group(1))
        half = (match.group(5) or "").lower()
        if half:
            if not 1 <= hour <= 12:
                return False
            hour = hour % 12 + (12 if half == "p" else 0)
        self.clock = (hour, int(match.group(2) or 0), int(match.group(3) or 0))
        self.fraction = int((match.group(4) or "0").ljust(9, "0"))
        return True

    def relative(self, count: int, unit: str) -> bool:
        unit = unit.lower().rstrip("s") if unit.lower() not in ("s",) else "sec"
        if unit in ("month", "year"):
            self.months += count * (12 if unit == "year" else 1)
        elif unit in ("day", "week", "fortnight"):
            self.days += count * UNITS[unit] // 86400
        elif unit in UNITS:
            self.seconds += count * UNITS[unit]
        else:
            return False
        self.last = (count, unit)
        return True

    last: tuple[int, str] | None = None

    def word(self, text: str) -> bool:
        low = text.lower()
        if low in ("now", "today", "at", "on", "and", "t"):
            return True
        if low in ("yesterday", "tomorrow"):
            self.days += 1 if low == "tomorrow" else -1
            return True
        if low == "midnight" or low == "noon":
            self.clock = (0 if low == "midnight" else 12, 0, 0)
            return True
        if low == "ago":
            if self.last is None:
                return False
            count, unit = self.last
            return self.relative(-2 * count, unit)
        named = re.fullmatch(r"(utc|gmt)([+-]\d{1,2})", low)
        if named:
            self.tz = datetime.timezone(datetime.timedelta(hours=int(named.group(2))))
            return True
        if low in ZONES:
            self.tz = datetime.timezone(datetime.timedelta(hours=ZONES[low]))
            return True
        if low in NUMBERS:
            self.pending = NUMBERS[low]
            return True
        if low[:3] in DAYS and (len(low) == 3 or calendar.day_name[DAYS[low[:3]]].lower().startswith(low)):
            self.weekday = (DAYS[low[:3]], self.pending if self.pending is not None else 0)
            self.pending = None
            return True
        if low.rstrip("s") in UNITS or low.rstrip("s") in ("month", "year"):
            count, self.pending = (1 if self.pending is None else self.pending), None
            return self.relative(count, low)
        return False


def parse_date(text: str, now: int, tz: str = "") -> int | None:
    """The Unix time in nanoseconds of a date text; None when it cannot be read.  `now` is Unix nanoseconds."""
    text = text.strip()
    match = re.match(r'TZ="([^"]*)"\s*', text)
    if match:
        tz, text = match.group(1), text[match.end() :]
    if re.fullmatch(r"@-?\d{1,11}(\.\d{1,9})?", text):
        whole, _, part = text[1:].partition(".")
        return int(whole) * SECOND + int((part or "0").ljust(9, "0"))
    text = text or "0:00"  # an empty text is the beginning of today
    reader = _Reader(now, zone(tz))
    text = re.sub(r"(\d)T(\d)", r"\1 \2", text)
    text = re.sub(r"(\d)Z\b", r"\1 UTC", text)
    try:
        at = 0
        while at < len(text):
            found = TOKEN.match(text.lower(), at)
            if found is None or not _take(reader, str(found.lastgroup), found.group()):
                return None
            at = found.end()
        return reader.result()
    except (ValueError, OverflowError):
        return None


def _take(reader: _Reader, kind: str, text: str) -> bool:
    if kind == "skip":
        return True
    if kind == "iso":
        if "-" in text or re.match(r"\d{4}/", text):
            year, month, day = (int(part) for part in re.split("[-/]", text))
        else:
            parts = [int(part) for part in text.split("/")]
            month, day, year = parts[0], parts[1], parts[2] if len(parts) > 2 else reader.base.year
            year += 2000 if year < 69 else 1900 if year < 100 else 0
        reader.day = datetime.date(year, month, day)
        return True
    if kind in ("time", "hour"):
        return reader.set_time(text)
    if kind == "zone":
        text = text.replace(
            " ", ""
        )  # a signed number right behind a time is its zone (`14:00 + 2 hours` is an hour after 14:00+02)
        sign = -1 if text[0] == "-" else 1
        digits = text[1:].replace(":", "")
        reader.tz = datetime.timezone(sign * datetime.timedelta(hours=int(digits[:2]), minutes=int(digits[2:] or 0)))
        return True
    if kind == "rel":
        match = re.match(r"([+-]?)\s*(\d{1,9})\s*([a-z]+)", text)
        if match is None:
            return False
        return reader.relative((-1 if match.group(1) == "-" else 1) * int(match.group(2)), match.group(3))
    if kind == "compact":
        reader.day = datetime.date(int(text[:4]), int(text[4:6]), int(text[6:]))
        return True
    if kind in ("daymonth", "monthday"):
        name = re.search(r"[a-z]+", text)
        numbers = [int(part) for part in re.findall(r"\d+", text)]
        if name is None or name.group()[:3] not in MONTHS:
            if kind == "monthday" and name is not None and reader.word(name.group()):
                return all(_take(reader, "number", str(n)) for n in numbers)
            return False
        reader.day = datetime.date(numbers[1] if len(numbers) > 1 else reader.base.year, MONTHS[name.group()[:3]], numbers[0])
        return True
    if kind == "number":
        if reader.day is not None and re.fullmatch(r"\d{4}", text):
            reader.day = reader.day.replace(year=int(text))
            return True
        if re.fullmatch(r"[+-]?\d{1,9}", text) and text[0] in "+-":
            reader.pending = int(text)
            return True
        return False
    return reader.word(text)
