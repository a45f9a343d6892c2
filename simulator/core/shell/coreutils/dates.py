"""`date`: formats and the common ways of `-d`; always UTC, from virtual time."""

from __future__ import annotations

import re

from ...host.invocation import Call
from ...kernel.clock import DAY, HOUR, MINUTE, SECOND, parse_rfc3339, to_datetime
from .common import parse

UNITS = {
    "sec": SECOND,
    "second": SECOND,
    "min": MINUTE,
    "minute": MINUTE,
    "hour": HOUR,
    "day": DAY,
    "week": 7 * DAY,
    "month": 30 * DAY,
    "year": 365 * DAY,
}


def parse_date(text: str, now: int) -> int | None:
    """The Unix time in nanoseconds of a date text; None when it cannot be read."""
    text = text.strip()
    if text.startswith("@"):
        try:
            return int(float(text[1:]) * SECOND)
        except ValueError:
            return None
    if text in ("now", ""):
        return now
    midnight = now - now % DAY
    if text in ("today", "yesterday", "tomorrow"):
        return now + {"today": 0, "yesterday": -DAY, "tomorrow": DAY}[text]
    match = re.fullmatch(r"(.*?)\s*((?:[-+]?\s*\d+\s*[a-z]+(?:\s+ago)?\s*)+)", text)
    if match and not re.fullmatch(r"[\dT:.Z-]+", text):
        base = parse_date(match.group(1), now) if match.group(1) else now
        if base is None:
            return None
        for sign, count, unit, ago in re.findall(r"([-+]?)\s*(\d+)\s*([a-z]+?)s?\b(\s+ago)?", match.group(2)):
            if unit not in UNITS:
                return None
            base += (-1 if (sign == "-") != bool(ago) else 1) * int(count) * UNITS[unit]
        return base
    for form in (text, text.replace(" ", "T", 1), text + "T00:00:00"):
        try:
            return parse_rfc3339(form)
        except ValueError:
            continue
    if re.fullmatch(r"\d{1,2}:\d{2}(:\d{2})?", text):
        parts = [int(part) for part in text.split(":")] + [0]
        return midnight + parts[0] * HOUR + parts[1] * MINUTE + parts[2] * SECOND
    for pattern in ("%b %d %H:%M:%S %Y %Z", "%d %b %Y", "%b %d %Y", "%b %d %H:%M:%S %Y"):
        import datetime

        try:
            moment = datetime.datetime.strptime(text.replace("UTC", "GMT"), pattern).replace(tzinfo=datetime.UTC)
            return int(moment.timestamp()) * SECOND
        except ValueError:
            continue
    return None


def render(moment_ns: int, form: str) -> str:
    """A date in a `+FORMAT`."""
    moment = to_datetime(moment_ns)

    def one(match: re.Match[str]) -> str:
        flag, width, code = match.groups()
        special = {
            "s": str(moment_ns // SECOND), "N": f"{moment_ns % SECOND:09d}"[: int(width or 9)], "n": "\n", "t": "\t", "%": "%", "z": "+0000", ":z": "+00:00",
            "Z": "UTC", "e": f"{moment.day:2d}", "k": f"{moment.hour:2d}", "l": f"{(moment.hour + 11) % 12 + 1:2d}", "P": f"{moment:%p}".lower(),
            "F": f"{moment:%Y-%m-%d}", "T": f"{moment:%H:%M:%S}", "R": f"{moment:%H:%M}", "D": f"{moment:%m/%d/%y}", "h": f"{moment:%b}",
            "c": f"{moment:%a %b} {moment.day:2d} {moment:%H:%M:%S %Y}", "x": f"{moment:%m/%d/%y}", "X": f"{moment:%H:%M:%S}", "r": f"{moment:%I:%M:%S %p}",
        }  # fmt: skip
        text = special.get(code)
        if text is None:
            text = moment.strftime("%" + code) if code in "aAbBCdHIjmMpSuUVwWyYgG" else match.group()
        if flag == "-":
            text = text.lstrip("0 ") or "0"
        elif flag == "_":
            text = re.sub(r"^0(?=.)", " ", text)
        elif flag == "^":
            text = text.upper()
        return text

    return re.sub(r"%([-_0^#]?)(\d*)(:?[a-zA-Z%])", one, form)


def date(call: Call) -> int:
    """`date [-u] [-d text] [-I[spec]] [-R] [+format]`."""
    options, rest = parse(call, "ud:RI", "utc:u universal:u date=d iso-8601?iso rfc-email:R rfc-3339=rfc", permute=True)
    if call.argv[1:2] and call.argv[1].startswith("-I") and len(call.argv[1]) > 2:
        options["iso"] = call.argv[1][2:]
    moment = call.world.wall
    if "d" in options:
        found = parse_date(options["d"], moment)
        if found is None:
            call.err(f"date: invalid date ‘{options['d']}’\n")
            return 1
        moment = found
    if rest and rest[0].startswith("+"):
        form = rest[0][1:]
    elif rest:
        call.err(f"date: cannot set date: Operation not permitted\n{render(moment, '%a %b %e %H:%M:%S %Z %Y')}\n")
        return 1
    elif "R" in options:
        form = "%a, %d %b %Y %H:%M:%S +0000"
    elif "I" in options or "iso" in options:
        form = {"seconds": "%Y-%m-%dT%H:%M:%S+00:00", "minutes": "%Y-%m-%dT%H:%M+00:00", "hours": "%Y-%m-%dT%H+00:00"}.get(
            options.get("iso", ""), "%F"
        )
    elif "rfc" in options:
        form = "%F %T+00:00" if options["rfc"].startswith("s") else "%F"
    else:
        form = "%a %b %e %H:%M:%S %Z %Y"
    call.out(render(moment, form) + "\n")
    return 0
