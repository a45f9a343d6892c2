"""`sed`: addresses, s///gipwNe, y, d D p P n N h H g G x, a i c, =, q Q, l, r w, labels; -n -e -f -i -E -s (GNU sed)."""

from __future__ import annotations

import re
from collections.abc import Generator
from contextlib import suppress
from typing import Any

from ...host.invocation import Call
from ...host.program import Wait
from .common import Code, inputs
from .sedfiles import _program, _visible
from .sedparse import SedError, _Command, _Parser

MAX_STEPS = 2_000_000
#: Characters that the pattern space may hold.
MAX_SPACE = 4_000_000
#: How much of standard input is taken at a time.
CHUNK = 65536


def _fill(pieces: list[Any], match: re.Match[str]) -> str:
    out, case, once = "", "", ""
    for piece in pieces:
        if isinstance(piece, tuple):
            if piece[0] in "ul":
                once = piece[0]
            else:
                case = "" if piece[0] == "E" else piece[0]
            continue
        text = piece if isinstance(piece, str) else (match.group(piece) or "")
        if case:
            text = text.upper() if case == "U" else text.lower()
        if once and text:
            text = (text[0].upper() if once == "u" else text[0].lower()) + text[1:]
            once = ""
        out += text
    return out


class _More(Exception):
    """The next line, or whether there is one, is not known yet."""


class _Machine:
    """Runs a program over lines."""

    def __init__(self, call: Call, commands: list[_Command], quiet: bool) -> None:
        self.call, self.commands, self.quiet = call, commands, quiet
        self.lines: list[str] = []
        self.final_newline = True
        self.at = 0
        self.number = 0
        self.hold = ""
        self.space = ""
        self.out: list[str] = []
        self.after: list[str] = []
        self.files: dict[str, str] = {}
        #: What is left of the files that `R` reads line by line.
        self.sources: dict[str, list[str]] = {}
        self.last_regex: re.Pattern[str] | None = None
        self.code: int | None = None
        self.steps = 0
        #: Whether `lines` is all there is; otherwise more may come, and a cycle that needs it raises `_More`.
        self.ended = True
        self.ranged = [c for c in commands if c.second is not None]

    def read(self) -> bool:
        if self.at >= len(self.lines):
            if not self.ended:
                raise _More
            return False
        self.space = self.lines[self.at]
        self.at += 1
        self.number += 1
        return True

    @property
    def last(self) -> bool:
        if self.at < len(self.lines):
            return False
        if not self.ended:
            raise _More
        return True

    def emit(self, text: str) -> None:
        self.out.append(text + "\n")

    def matches(self, address: Any) -> bool:
        kind = address[0]
        if kind == "line":
            return bool(self.number == address[1])
        if kind == "last":
            return self.last
        if kind == "step":
            return self.number >= address[1] and (not address[2] or (self.number - address[1]) % address[2] == 0)
        pattern = address[1] or self.last_regex
        if pattern is None:
            raise SedError("no previous regular expression", 0)
        self.last_regex = pattern
        return pattern.search(self.space) is not None

    def selected(self, c: _Command) -> bool:
        if c.first is None:
            return not c.negate
        if c.second is None:
            return self.matches(c.first) != c.negate
        return self.in_range(c) != c.negate

    def in_range(self, c: _Command) -> bool:
        kind = c.second[0]
        if not c.active:
            zero = c.first == ("line", 0)
            if not zero and not self.matches(c.first):
                return False
            if zero and self.number > 1:
                return False
            if kind == "line":
                c.active = c.second[1] > self.number
            elif kind == "plus":
                c.end = self.number + c.second[1]
                c.active = c.second[1] > 0
            elif kind == "multiple":
                c.active = bool(c.second[1]) and self.number % c.second[1] != 0
            elif kind == "last":
                c.active = not self.last
            else:
                c.active = True
                if zero and self.matches(c.second):
                    c.active = False
                    c.first = ("line", -1)
            return True
        if kind == "line":
            if self.number >= c.second[1]:
                c.active = False
            return self.number <= int(c.second[1])
        if kind == "plus":
            c.active = self.number < c.end
        elif kind == "multiple":
            c.active = self.number % c.second[1] != 0
        elif self.matches(c.second):
            c.active = False
        return True

    def kept(self) -> tuple[Any, ...]:
        """What a cycle changes, to begin it again once more input has come."""
        ranges = [(c, c.active, c.end, c.first) for c in self.ranged]
        files, sources = dict(self.files), {name: list(rows) for name, rows in self.sources.items()}
        plain = (self.at, self.number, self.hold, self.space, len(self.out), list(self.after), self.last_regex)
        return ranges, files, sources, plain

    def back(self, kept: tuple[Any, ...]) -> None:
        """Undo a cycle that came to the end of the input that there is so far."""
        ranges, self.files, self.sources, plain = kept
        self.at, self.number, self.hold, self.space, written, self.after, self.last_regex = plain
        del self.out[written:]
        for c, active, end, first in ranges:
            c.active, c.end, c.first = active, end, first

    def run(self) -> None:
        restart = False
        while restart or self.read():
            restart = self.cycle()
            if self.code is not None:
                break

    def end(self, show: bool = True) -> None:
        if show and not self.quiet:
            self.emit(self.space)
        self.out += self.after
        self.after = []

    def cycle(self) -> bool:
        """One cycle; True when the next starts without reading (`D`)."""
        pc, replaced = 0, False
        while pc < len(self.commands):
            self.steps += 1 + (len(self.space) >> 9)  # a long pattern space costs more
            if self.steps > MAX_STEPS:
                raise SedError("stopped by Slipway: too many steps", -1)
            c = self.commands[pc]
            pc += 1
            if c.name in ("}", ":"):
                continue
            if not self.selected(c):
                if c.name == "{":
                    pc = c.target
                continue
            name = c.name
            if name == "s":
                replaced = self.substitute(c) or replaced
            elif name == "d":
                self.end(False)
                return False
            elif name == "D":
                if "\n" not in self.space:
                    self.end(False)
                    return False
                self.space = self.space.partition("\n")[2]
                self.end(False)
                return True
            elif name in ("b", "t", "T"):
                jump = name == "b" or (name == "t" and replaced) or (name == "T" and not replaced)
                if name != "b":
                    replaced = False
                if jump:
                    pc = c.target if c.args else len(self.commands)
            elif name in ("n", "N"):
                if self.last:
                    self.end(True)
                    self.code = 0
                    return False
                if name == "n":
                    self.end()
                    self.read()
                else:
                    before = self.space
                    self.out += self.after
                    self.after = []
                    self.read()
                    self.space = before + "\n" + self.space
            elif name in ("q", "Q"):
                if name == "q":
                    self.end()
                self.code = c.args
                return False
            else:
                if self.simple(name, c):
                    return False
        self.end()
        return False

    def simple(self, name: str, c: _Command) -> bool:
        """The commands without control flow; True ends the cycle."""
        if name == "p":
            self.emit(self.space)
        elif name == "P":
            self.emit(self.space.partition("\n")[0])
        elif name == "h":
            self.hold = self.space
        elif name == "H":
            self.hold += "\n" + self.space
        elif name == "g":
            self.space = self.hold
        elif name == "G":
            self.space += "\n" + self.hold
        elif name == "x":
            self.space, self.hold = self.hold, self.space
        elif name == "y":
            self.space = self.space.translate(c.args)
        elif name == "=":
            self.emit(str(self.number))
        elif name == "z":
            self.space = ""
        elif name == "a":
            self.after.append(c.args)
        elif name == "i":
            self.out.append(c.args)
        elif name == "c":
            if c.second is None or not c.active or c.negate:
                self.out.append(c.args)
            self.end(False)
            return True
        elif name == "l":
            self.emit(_visible(self.space))
        elif name == "r":
            with suppress(OSError):
                self.after.append(self.call.read_file(c.args).decode("utf-8", "surrogateescape"))
        elif name == "R":
            if c.args not in self.sources:
                self.sources[c.args] = []
                with suppress(OSError):
                    self.sources[c.args] = self.call.read_file(c.args).decode("utf-8", "surrogateescape").splitlines()
            if self.sources[c.args]:
                self.after.append(self.sources[c.args].pop(0) + "\n")
        elif name == "w":
            self.write(c.args, self.space)
        if len(self.space) > MAX_SPACE:
            raise SedError("stopped by Slipway: the pattern space is too large", -1)
        return False

    def write(self, name: str, text: str) -> None:
        if name == "/dev/stdout":
            self.emit(text)
        else:
            self.files[name] = self.files.get(name, "") + text + "\n"

    def substitute(self, c: _Command) -> bool:
        pattern, pieces, flags, number, target = c.args
        pattern = pattern or self.last_regex
        if pattern is None:
            raise SedError("no previous regular expression", 0)
        self.last_regex = pattern
        count, out, at, done = 0, "", 0, False
        for match in pattern.finditer(self.space):
            count += 1
            if count < number:
                continue
            out += self.space[at : match.start()] + _fill(pieces, match)
            at = match.end()
            done = True
            if len(out) > MAX_SPACE:
                raise SedError("stopped by Slipway: the pattern space is too large", -1)
            if not flags["g"]:
                break
        if not done:
            return False
        self.space = out + self.space[at:]
        if flags["p"]:
            self.emit(self.space)
        if target:
            self.write(target, self.space)
        return True


def sed(call: Call) -> Code:
    """`sed [-nEis] [-e] script [files]`."""
    text, options, names = _program(call)
    quiet = "n" in options
    if text.startswith("#n\n"):
        quiet = True
    extended = "E" in options or "r" in options
    code = 0
    try:
        commands = _Parser(text, extended).parse()
        if "i" in options and not names:
            call.err("sed: no input files\n")
            return 4
        if names and ("i" in options or "s" in options):
            for name in names:
                code = _one_file(call, _Parser(text, extended).parse(), quiet, name, options) or code
            return code
        machine = _Machine(call, commands, quiet)
        if not names or names == ["-"]:
            yield from _stream(call, machine)
            _output(call, machine)
            return machine.code or 0
        found, code = yield from _inputs(call, names)
        data = b"".join(d if d.endswith(b"\n") or not d or n == len(found) - 1 else d + b"\n" for n, (_, d) in enumerate(found))
        _feed(machine, data)
        machine.run()
        _output(call, machine)
        return machine.code or (2 if code else 0)
    except SedError as failed:
        where = f"-e expression #1, char {failed.at}: " if failed.at >= 0 else ""
        call.err(f"sed: {where}{failed}\n")
        return 1


def _stream(call: Call, machine: _Machine) -> Generator[Wait, Any, None]:
    """Run over standard input as it comes: what can be printed is printed before the next input is waited for."""
    rest, restart, machine.ended = b"", False, False
    while machine.code is None:
        kept = machine.kept()
        try:
            if not restart and not machine.read():
                return
            restart = machine.cycle()
        except _More:
            machine.back(kept)
            call.out("".join(machine.out).encode("utf-8", "surrogateescape"))
            machine.out.clear()
            data = yield from call.read_some(CHUNK)
            *complete, rest = (rest + data).split(b"\n")
            machine.lines = [*machine.lines[machine.at :], *(line.decode("utf-8", "surrogateescape") for line in complete)]
            machine.at = 0
            if not data:
                machine.ended, machine.final_newline = True, not rest
                machine.lines += [rest.decode("utf-8", "surrogateescape")] if rest else []


def _inputs(call: Call, names: list[str]) -> Any:
    good, code = [], 0
    for name in names:
        if name != "-":
            try:
                if call.lookup(name).kind == "dir":
                    call.err(f"sed: read error on {name}: Is a directory\n")
                    code = 2
                    continue
            except OSError as failed:
                call.err(f"sed: can't read {name}: {failed.strerror}\n")
                code = 2
                continue
        good.append(name)
    if names and not good:
        return [], code
    found, _ = yield from inputs(call, good)
    return found, code


def _feed(machine: _Machine, data: bytes) -> None:
    text = data.decode("utf-8", "surrogateescape")
    machine.final_newline = text.endswith("\n") or not text
    machine.lines = text.removesuffix("\n").split("\n") if text else []


def _output(call: Call, machine: _Machine) -> None:
    text = "".join(machine.out)
    if not machine.final_newline and machine.last and text.endswith("\n"):
        text = text[:-1]
    call.out(text.encode("utf-8", "surrogateescape"))
    for name, content in machine.files.items():
        call.write_file(name, content.encode("utf-8", "surrogateescape"))


def _one_file(call: Call, commands: list[_Command], quiet: bool, name: str, options: dict[str, str]) -> int:
    try:
        if call.lookup(name).kind == "dir":
            call.err(f"sed: couldn't edit {name}: not a regular file\n")
            return 4
        data = call.read_file(name)
    except OSError as failed:
        call.err(f"sed: can't read {name}: {failed.strerror}\n")
        return 2
    machine = _Machine(call, commands, quiet)
    _feed(machine, data)
    machine.run()
    text = "".join(machine.out)
    if machine.code is not None:
        text += "".join(line + "\n" for line in machine.lines[machine.at :])
    if not machine.final_newline and text.endswith("\n"):
        text = text[:-1]
    if "i" in options:
        if options["i"]:
            backup = options["i"].replace("*", name) if "*" in options["i"] else name + options["i"]
            call.write_file(backup, data)
        call.write_file(name, text.encode("utf-8", "surrogateescape"))
    else:
        call.out(text.encode("utf-8", "surrogateescape"))
    for target, content in machine.files.items():
        call.write_file(target, content.encode("utf-8", "surrogateescape"))
    return 0
