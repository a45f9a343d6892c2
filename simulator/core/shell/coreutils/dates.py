"""`date`: formats and the common ways of `-d`; always UTC, from virtual time."""

from __future__ import annotations

import datetime
import re

from ...host.invocation import Call
from ...kernel.clock import SECOND
from . import dateparse
from .common import parse, usage
from .dateparse import parse_date

__all__ = ["date", "parse_date", "render"]


#: How wide a padded field may get.
MAX_WIDTH = 4096


def render(moment_ns: int, form: str, tz: str = "") -> str:
    """A date in a `+FORMAT`, in the time zone that TZ names."""
    moment = datetime.datetime.fromtimestamp(moment_ns // SECOND, dateparse.zone(tz))
    offset = moment.strftime("%z") or "+0000"
    zone = moment.tzname() or "UTC"

    def one(match: re.Match[str]) -> str:
        flag, width, code = match.groups()
        special = {
            "s": str(moment_ns // SECOND), "N": f"{moment_ns % SECOND:09d}"[: int(width or 9)], "n": "\n", "t": "\t", "%": "%", "z": offset, ":z": f"{offset[:3]}:{offset[3:]}", "::z": f"{offset[:3]}:{offset[3:]}:00", ":::z": offset[:3] if offset.endswith("00") else f"{offset[:3]}:{offset[3:]}",
            "Z": zone, "q": str((moment.month + 2) // 3), "e": f"{moment.day:2d}", "k": f"{moment.hour:2d}", "l": f"{(moment.hour + 11) % 12 + 1:2d}", "P": f"{moment:%p}".lower(),
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
        elif flag == "#":
            text = text.lower() if text.isupper() else text.upper()
        if width and code not in "N" and flag != "-":
            text = text.rjust(min(int(width[:9]), MAX_WIDTH), " " if flag == "_" or code in "aAbBhpPZ" else "0")
        return text

    return re.sub(r"%([-_0^#]?)(\d*)(:{0,3}[a-zA-Z%])", one, form)


def date(call: Call) -> int:
    """`date [-u] [-d text] [-s text] [-I[spec]] [-R] [+format]`."""
    call.argv = [f"--iso-8601={word[2:]}" if word.startswith("-I") and len(word) > 2 else word for word in call.argv]
    options, rest = parse(
        call,
        "ud:RIr:s:f:",
        "utc:u universal:u date=d iso-8601?iso rfc-email:R rfc-3339=rfc reference=r set=s file=f",
        permute=True,
    )
    tz = "" if "u" in options else call.env.get("TZ", "")
    moment = call.world.wall + call.host.skew
    if "d" in options:
        found = parse_date(options["d"], moment, tz)
        if found is None:
            call.err(f"date: invalid date ‘{options['d']}’\n")
            return 1
        moment = found
    if "s" in options:
        found = parse_date(options["s"], moment, tz)
        if found is None:
            call.err(f"date: invalid date ‘{options['s']}’\n")
            return 1
        moment = found
        if call.uid != 0 or call.proc.mnt != "host":  # a container lacks CAP_SYS_TIME
            call.err("date: cannot set date: Operation not permitted\n")
            call.out(render(moment, "%a %b %e %H:%M:%S %Z %Y", tz) + "\n")
            return 1
        call.host.skew = moment - call.world.wall
    if "r" in options:
        try:
            moment = call.lookup(options["r"]).mtime
        except OSError as failed:
            call.err(f"date: {options['r']}: {failed.strerror}\n")
            return 1
    if rest and rest[0].startswith("+"):
        form = rest[0][1:]
    elif rest and ("d" in options or "r" in options or "s" in options):
        raise usage(
            call,
            f"the argument ‘{rest[0]}’ lacks a leading '+';\nwhen using an option to specify date(s), any non-option\n"
            "argument must be a format string beginning with '+'",
        )
    elif rest:
        call.err(f"date: cannot set date: Operation not permitted\n{render(moment, '%a %b %e %H:%M:%S %Z %Y')}\n")
        return 1
    elif "R" in options:
        form = "%a, %d %b %Y %H:%M:%S %z"
    elif "I" in options or "iso" in options:
        form = {
            "seconds": "%Y-%m-%dT%H:%M:%S%:z",
            "minutes": "%Y-%m-%dT%H:%M%:z",
            "hours": "%Y-%m-%dT%H%:z",
            "ns": "%Y-%m-%dT%H:%M:%S,%N%:z",
        }.get(options.get("iso", ""), "%F")
    elif "rfc" in options:
        form = {"s": "%F %T%:z", "n": "%F %T.%N%:z"}.get(options["rfc"][:1], "%F")
    else:
        form = "%a %b %e %H:%M:%S %Z %Y"
    call.out(render(moment, form, tz) + "\n")
    return 0
