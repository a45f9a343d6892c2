"""`journalctl`: -u, -f, -n, -r, -e, -x, -o cat|short|json, --since, --until, --no-pager, -b, -k, -t."""

from __future__ import annotations

import json
from collections.abc import Generator
from typing import Any

from ..host import systemd
from ..host.invocation import Call
from ..host.machine import JournalLine
from ..host.program import Wait, WaitTopic
from ..kernel.clock import SECOND, to_datetime
from ..shell.coreutils.common import parse
from ..shell.coreutils.dates import parse_date
from .kernelcmds import dmesg_lines


def line_text(call: Call, line: JournalLine) -> str:
    """`Nov 02 09:00:01 node01 kubelet[812]: text`."""
    ident = line.ident or line.unit.removesuffix(".service")
    pid = f"[{line.pid}]" if line.pid else ""
    return f"{to_datetime(line.at):%b %d %H:%M:%S} {call.host.name} {ident}{pid}: {line.text}"


def journalctl(call: Call) -> Generator[Wait, Any, int]:
    """`journalctl [options]`."""
    units: list[str] = []
    args, at = [call.argv[0]], 1
    while at < len(call.argv):
        word = call.argv[at]
        if word in ("-u", "--unit"):
            at += 1
            units.append(systemd.unit_name(call.argv[at]) if at < len(call.argv) else "")
        elif word.startswith("--unit=") or (word.startswith("-u") and len(word) > 2):
            units.append(systemd.unit_name(word.partition("=")[2] if "=" in word else word[2:]))
        elif word.startswith("-") and not word.startswith("--") and word.endswith("u") and len(word) > 2:
            args.append(word[:-1])
            at += 1
            units.append(systemd.unit_name(call.argv[at]) if at < len(call.argv) else "")
        else:
            args.append(word)
        at += 1
    call.argv = args
    options, _ = parse(
        call,
        "fn:rexo:S:U:bkqt:ap:g:",
        "disk-usage:usage list-boots rotate flush sync vacuum-time=vt vacuum-size=vs output-fields=of no-full:nf cursor-file=cf follow:f lines=n reverse:r pager-end:e catalog:x output=o since=S until=U boot?b dmesg:k quiet:q no-pager identifier=t priority=p grep=g no-hostname all:a utc",
    )
    if {"vt", "vs", "rotate", "flush", "sync"} & set(options):
        if {"vt", "vs"} & set(options):
            where = f"/var/log/journal/{call.host.machine_id}"
            call.err(f"Vacuuming done, freed 0B of archived journals from {where}.\n")
        return 0
    if "usage" in options:
        call.out(f"Archived and active journals take up {max(len(call.host.journal) // 64, 8)}.0M in the file system.\n")
        return 0
    if "list-boots" in options:
        first = to_datetime(call.world.epoch + call.host.boot_at)
        call.out("IDX BOOT ID                          FIRST ENTRY                 LAST ENTRY\n")
        call.out(
            f"  0 {call.host.boot_id.replace('-', '')} {first:%a %Y-%m-%d %H:%M:%S} UTC {to_datetime(call.world.wall):%a %Y-%m-%d %H:%M:%S} UTC\n"
        )
        return 0
    for key in ("S", "U"):
        if key in options and parse_date(options[key], call.world.wall) is None:
            call.err(f"Failed to parse timestamp: {options[key]}\n")
            return 1
    if options.get("b", "") not in ("", "0", "1", "-0"):
        call.err(f"Data from the specified boot ({options['b']}) is not available: No such boot ID in journal\n")
        return 1
    journal = call.host.journal
    if "k" in options:
        start = call.world.epoch + call.host.boot_at
        journal = [
            JournalLine(start + int(at * SECOND), "", 0, text, "kernel") for at, text in dmesg_lines(call.world, call.host)
        ]
        units = []
    found = [line for line in journal if _wanted(call, line, units, options)]
    count = options.get("n", "10" if "f" in options else "1000" if "e" in options else "all")
    if count != "all" and count.lstrip("+").isdigit():
        found = found[-int(count) :] if int(count) else []
    if "r" in options:
        found.reverse()
    if not found and "f" not in options and "q" not in options:
        call.out("-- No entries --\n")
    for line in found:
        call.out(_render(call, line, options) + "\n")
    last = call.host.journal[-1] if call.host.journal else None
    while "f" in options:
        yield WaitTopic((f"journal:{call.host.name}",))
        journal = call.host.journal
        start = next((n + 1 for n in range(len(journal) - 1, -1, -1) if journal[n] is last), 0)
        for line in journal[start:]:
            if _wanted(call, line, units, options):
                call.out(_render(call, line, options) + "\n")
        last = journal[-1] if journal else None
    return 0


LEVELS = {name: n for n, names in enumerate(("emerg 0", "alert 1", "crit 2", "err error 3", "warning warn 4", "notice 5", "info 6", "debug 7"))
          for name in names.split()}  # fmt: skip


def _priority(line: JournalLine) -> int:
    """The level of a line: of klog and logfmt by their own words, of systemd's failures err or warning, else info."""
    text = line.text
    if (text[:1] == "E" and text[1:5].isdigit()) or "level=error" in text or '"level":"error"' in text:
        return 3
    if (text[:1] == "W" and text[1:5].isdigit()) or "level=warn" in text or '"level":"warn"' in text:
        return 4
    if (text[:1] == "F" and text[1:5].isdigit()) or "level=fatal" in text:
        return 2
    if line.ident == "systemd" and ("Failed with result" in text or "Main process exited" in text):
        return 4
    if line.ident == "systemd" and "Failed to" in text:
        return 3
    return 6


def _wanted(call: Call, line: JournalLine, units: list[str], options: dict[str, str]) -> bool:
    if units and line.unit not in units and not any(unit.removesuffix(".service") == line.unit for unit in units):
        return False
    if "t" in options and (line.ident or line.unit.removesuffix(".service")) != options["t"]:
        return False
    for key, later in (("S", True), ("U", False)):
        if key in options:
            moment = parse_date(options[key], call.world.wall)
            if moment is not None and (line.at < moment if later else line.at > moment):
                return False
    if "p" in options and _priority(line) > LEVELS.get(options["p"].rpartition("..")[2], 7):
        return False
    if "g" in options:
        from ..shell.coreutils.regexes import compile_ere

        return compile_ere(options["g"], ignore_case=options["g"].islower()).search(line.text) is not None
    return True


def _render(call: Call, line: JournalLine, options: dict[str, str]) -> str:
    form = options.get("o", "short")
    if form == "cat":
        return line.text
    if form.startswith("json"):
        return json.dumps(
            indent="\t" if form == "json-pretty" else None,
            obj={
                "__REALTIME_TIMESTAMP": str(line.at // 1000),
                "_HOSTNAME": call.host.name,
                "_SYSTEMD_UNIT": line.unit,
                "_PID": str(line.pid),
                "SYSLOG_IDENTIFIER": line.ident or line.unit.removesuffix(".service"),
                "MESSAGE": line.text,
            },
        )
    if form in ("short-precise", "short-monotonic", "short-unix", "short-full", "with-unit", "verbose"):
        moment = to_datetime(line.at)
        stamp = {
            "short-precise": f"{moment:%b %d %H:%M:%S}.{line.at % SECOND // 1000:06d}",
            "short-monotonic": f"[{(line.at - call.world.epoch - call.host.boot_at) / SECOND:12.6f}]",
            "short-unix": f"{line.at / SECOND:.6f}",
        }.get(form, f"{moment:%a %Y-%m-%d %H:%M:%S} UTC")
        return stamp + line_text(call, line)[15:]
    if form in ("short-iso", "short-iso-precise"):
        return f"{to_datetime(line.at):%Y-%m-%dT%H:%M:%S+00:00}" + line_text(call, line)[15:]
    return line_text(call, line)
