"""Records and fields: how awk cuts its input."""

from __future__ import annotations

import re
from collections.abc import Generator
from typing import TYPE_CHECKING, Any

from ...host.invocation import Call
from ...host.program import Wait
from .awkvalues import StrNum, looks_numeric, number, plain_split, text
from .common import Code, inputs

#: How much of standard input is taken at a time.
CHUNK = 65536

if TYPE_CHECKING:
    from .awk import Machine


def early(call: Call, machine: Machine, names: list[str]) -> Generator[Wait, Any, list[str]]:
    """The first input's records, for a `getline` in BEGIN; `_records` goes on with what is left of them."""
    files = [name for name in names if not re.match(r"[A-Za-z_]\w*=", name)]
    if not files and call.stdin_tty:
        return []
    found, _ = yield from inputs(call, files[:1] or ["-"])
    machine.ahead = True
    return _cut(found[0][1].decode("utf-8", "surrogateescape"), text(machine.vars["RS"]), machine) if found else []


def _records(call: Call, machine: Machine, names: list[str]) -> Code:
    code = 0
    files = [name for name in names if not re.match(r"[A-Za-z_]\w*=", name)]
    for name in names or ["-"]:
        setting = re.match(r"([A-Za-z_]\w*)=(.*)", name, re.DOTALL)
        if setting:
            machine.vars[setting.group(1)] = StrNum(setting.group(2)) if looks_numeric(setting.group(2)) else setting.group(2)
            if files:
                continue
            name = "-"
        if name == "-" and machine.streams and not machine.ahead and text(machine.vars["RS"]) == "\n":
            yield from _stream(call, machine)
            continue
        if machine.ahead:
            machine.ahead = False
            rest = machine.queue
            found, failed = [(name, b"")], 0
        else:
            rest = []
            if name != "-" and not name.startswith("/dev/"):
                try:
                    call.lookup(name)
                except OSError as missing:
                    call.err(f"awk: cannot open {name} ({missing.strerror})\n")
                    code = 2
                    continue
            found, failed = yield from inputs(call, [name])
        code = 2 if failed else code
        for shown, data in found:
            machine.vars["FILENAME"] = "" if shown == "-" else shown
            machine.vars["FNR"] = 0.0
            machine.queue = rest or _cut(data.decode("utf-8", "surrogateescape"), text(machine.vars["RS"]), machine)
            _run(machine)
    return code


def _run(machine: Machine) -> None:
    """The rules over the records at hand."""
    while machine.queue:
        line = machine.queue.pop(0)
        machine.vars["NR"] = number(machine.vars["NR"]) + 1
        machine.vars["FNR"] = number(machine.vars["FNR"]) + 1
        machine.set_record(line)
        machine.line()
        if len(machine.out) > 500:
            machine.flush()


def _stream(call: Call, machine: Machine) -> Generator[Wait, Any, None]:
    """Lines of standard input as they come; what they print is written before the next input is waited for."""
    machine.vars["FILENAME"], machine.vars["FNR"] = "", 0.0
    rest, data = b"", b"\n"
    while data:
        data = yield from call.read_some(CHUNK)
        *complete, rest = (rest + data).split(b"\n")
        if not data and rest:
            complete = [rest]
        machine.queue = [line.decode("utf-8", "surrogateescape") for line in complete]
        _run(machine)
        machine.flush()


def _cut(data: str, sep: str, machine: Machine) -> list[str]:
    if not data:
        return []
    if sep == "":
        return [part for part in re.split(r"\n\n+", data.strip("\n")) if part]
    if len(sep) > 1:
        parts = plain_split(machine.regex(sep), data)
        return parts[:-1] if parts and parts[-1] in ("", "\n") else parts
    return data.removesuffix(sep).split(sep)
