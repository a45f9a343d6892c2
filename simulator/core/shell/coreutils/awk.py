"""`awk`: patterns and actions, fields, arrays, functions, printf, getline from files, pipes to and from commands, system().

The program is parsed to a tree of tuples and walked; `MAX_STEPS` bounds a run.
"""

from __future__ import annotations

import re
from typing import Any

from ...host.executor import Ended
from ...host.invocation import Call
from ...kernel.errors import NotSimulated
from .awkeval import Evaluator
from .awkparse import Parser
from .awkrecords import _records, early
from .awktokens import AwkSyntaxError
from .awkvalues import AwkError, StrNum, _Break, _Continue, _Exit, _Next, _Return, integer, looks_numeric, number, text, truth
from .common import Code, read_path
from .printf import SPEC


class Machine(Evaluator):
    """One run of a program."""

    # -- records --------------------------------------------------------------------------------------------------------

    # -- variables ------------------------------------------------------------------------------------------------------

    # -- expressions ----------------------------------------------------------------------------------------------------

    # -- statements -----------------------------------------------------------------------------------------------------
    def run(self, statements: list[Any]) -> None:
        for statement in statements:
            self.steps += 1
            getattr(self, "s_" + statement[0])(statement)

    def s_expr(self, node: Any) -> None:
        self.eval(node[1])

    def s_block(self, node: Any) -> None:
        self.run(node[1])

    def s_if(self, node: Any) -> None:
        if truth(self.eval(node[1])):
            self.run([node[2]])
        elif node[3] is not None:
            self.run([node[3]])

    def body(self, node: Any) -> bool:
        try:
            self.run([node])
        except _Break:
            return False
        except _Continue:
            pass
        return True

    def s_while(self, node: Any) -> None:
        while truth(self.eval(node[1])):
            if not self.body(node[2]):
                return

    def s_do(self, node: Any) -> None:
        while self.body(node[1]):
            if not truth(self.eval(node[2])):
                return

    def s_for(self, node: Any) -> None:
        _, init, test, step, body = node
        if init is not None:
            self.run([init])
        while test is None or truth(self.eval(test)):
            if not self.body(body):
                return
            if step is not None:
                self.run([step])

    def s_forin(self, node: Any) -> None:
        keys = list(self.array(node[2]))
        if all(re.fullmatch(r"-?\d+", key) for key in keys):
            keys.sort(key=int)
        for key in keys:
            self.assign(("var", node[1]), StrNum(key) if looks_numeric(key) else key)
            if not self.body(node[3]):
                return

    def s_next(self, node: Any) -> None:
        raise _Next

    def s_break(self, node: Any) -> None:
        raise _Break

    def s_continue(self, node: Any) -> None:
        raise _Continue

    def s_exit(self, node: Any) -> None:
        if node[1] is not None:
            self.exit = integer(number(self.eval(node[1]))) & 0xFF
        raise _Exit

    def s_return(self, node: Any) -> None:
        raise _Return(None if node[1] is None else self.eval(node[1]))

    def s_delete(self, node: Any) -> None:
        if node[2] is None:
            self.array(node[1]).clear()
        else:
            self.array(node[1]).pop(self.key(node[2]), None)

    def s_print(self, node: Any) -> None:
        form = text(self.vars["OFMT"])
        values = [text(self.eval(item), form) for item in node[1]] if node[1] else [self.record]
        self.write(text(self.vars["OFS"]).join(values) + text(self.vars["ORS"]), node[2], node[3])

    def s_printf(self, node: Any) -> None:
        values = [self.eval(item) for item in node[1]]
        self.write(self.format(text(values[0]), values[1:]), node[2], node[3])

    def write(self, data: str, op: str, target: Any) -> None:
        self.steps += 4 + (len(data) >> 8)
        if not op:
            self.out.append(data)
            return
        name = text(self.eval(target))
        if op == "|":
            self.pipes.setdefault(name, []).append(data)
            return
        if name in ("/dev/stderr", "/dev/stdout"):
            (self.call.err if name.endswith("err") else self.out.append)(data)
            return
        if op == ">>":
            self.append.add(name)
        self.files.setdefault(name, []).append(data)

    def format(self, form: str, values: list[Any]) -> str:
        values = list(values)

        def one(match: re.Match[str]) -> str:
            _, flags, width, precision, kind = match.groups()
            if kind is None:
                return "%"
            if width == "*":
                width = str(integer(number(values.pop(0)))) if values else ""
            if precision == "*":
                precision = str(integer(number(values.pop(0)))) if values else ""
            if int(width or 0) > 10_000 or int(precision or 0) > 10_000:
                raise AwkError("stopped by Slipway: width too large")
            value = values.pop(0) if values else None
            spec = "%" + (flags or "") + (width or "") + (f".{precision or 0}" if "." in match.group() else "")
            if kind in "di":
                return (spec + "d") % integer(number(value))
            if kind in "ouxX":
                return (spec + kind.replace("u", "d")) % integer(number(value))
            if kind in "eEfFgG":
                return (spec + kind) % number(value)
            if kind == "c":
                return (spec + "s") % (
                    chr(integer(number(value)) % 0x110000) if isinstance(value, (float, StrNum)) else text(value)[:1]
                )
            return (spec + "s") % text(value)

        return SPEC.sub(one, form)

    # -- the whole ------------------------------------------------------------------------------------------------------
    def matches(self, number_: int, pattern: Any) -> bool:
        if pattern is None:
            return True
        if pattern[0] != "range":
            return truth(self.eval(pattern))
        if not self.ranges.get(number_):
            if not truth(self.eval(pattern[1])):
                return False
            self.ranges[number_] = True
        if truth(self.eval(pattern[2])):
            self.ranges[number_] = False
        return True

    def special(self, name: str) -> None:
        for pattern, body in self.items:
            if pattern == name:
                self.run(body)

    def line(self) -> None:
        try:
            for n, (pattern, body) in enumerate(self.items):
                if pattern in ("BEGIN", "END") or not self.matches(n, pattern):
                    continue
                if body is None:
                    self.out.append(self.record + text(self.vars["ORS"]))
                else:
                    self.run(body)
        except _Next:
            pass

    def flush(self) -> None:
        if self.out:
            data = "".join(self.out)
            self.out = []
            self.call.out(data.encode("utf-8", "surrogateescape"))

    def run_command(self, command: str, data: bytes, *, capture: bool) -> tuple[int, str]:
        """Run a shell command at this instant: its status and, when captured, what it printed."""
        self.flush()
        code, out = self.call.executor.run_now(self.call, ["/bin/sh", "-c", command], data, capture=capture)
        return code, out.decode("utf-8", "surrogateescape")

    def close_one(self, name: str) -> float:
        """`close(name)`: a file, or a pipe whose command runs now."""
        if name in self.pipes:
            data = "".join(self.pipes.pop(name)).encode("utf-8", "surrogateescape")
            return float(self.run_command(name, data, capture=False)[0])
        if name in self.files:
            self.call.write_file(
                name, "".join(self.files.pop(name)).encode("utf-8", "surrogateescape"), append=name in self.append
            )
            self.append.add(name)
            return 0.0
        return 0.0 if self.readers.pop(name, None) is not None else -1.0

    def close(self) -> None:
        self.flush()
        for name in list(self.pipes):
            self.close_one(name)
        for name, parts in self.files.items():
            self.call.write_file(name, "".join(parts).encode("utf-8", "surrogateescape"), append=name in self.append)


def _arguments(call: Call) -> tuple[str, dict[str, str], list[str]]:
    from .echo import expand

    args = call.argv[1:]
    settings: dict[str, str] = {}
    program: list[str] = []
    while args and args[0].startswith("-") and len(args[0]) > 1:
        word = args.pop(0)
        if word == "--":
            break
        if word[:2] in ("-F", "-v", "-f"):
            value = word[2:] or (args.pop(0) if args else "")
            if word[1] == "F":
                settings["FS"] = "\t" if value == "t" else expand(value)[0]
            elif word[1] == "v":
                name, _, given = value.partition("=")
                settings[name] = expand(given)[0]
            else:
                program.append("@" + value)
        else:
            raise NotSimulated(word)
    if not program:
        if not args:
            call.err("usage: awk [-F fs][-v var=value][prog | -f progfile][file ...]\n")
            raise Ended(2)
        program = [args.pop(0)]
    return "\n".join(program), settings, args


def _place(source: str, message: str) -> str:
    """A syntax error as mawk words it: a bracket that nothing closes is missed at the end of the file."""
    plain = re.sub(r'"(?:\\.|[^"\\])*"', "", source)
    last = source.count("\n") + 1
    if message.endswith("end of file"):
        if plain.count("(") > plain.count(")"):
            return f"line {last}: missing ) near end of line"
        if plain.count("{") > plain.count("}"):
            return f"line {last + 1}: missing }} near end of file"
        return f"line {last}: syntax error at or near end of line"
    return f"line 1: {message}"


def awk(call: Call) -> Code:
    """`awk [-F sep] [-v var=value] program [files or var=value]`."""
    source, settings, names = _arguments(call)
    if source.startswith("@"):
        parts = []
        for name in source.split("\n"):
            try:
                parts.append((yield from read_path(call, name[1:])).decode("utf-8", "surrogateescape"))
            except OSError as failed:
                call.err(f"awk: cannot open {name[1:]} ({failed.strerror})\n")
                return 2
        source = "\n".join(parts)
    try:
        machine = Machine(call, Parser(source).program())
    except AwkSyntaxError as failed:
        call.err(f"awk: {_place(source, str(failed))}\n")
        return 2
    machine.streams = re.search(r"\b(getline|RS)\b", source) is None  # those look further than the line at hand
    for name, value in settings.items():
        machine.vars[name] = StrNum(value) if looks_numeric(value) else value
    machine.vars["ENVIRON"] = {name: StrNum(value) if looks_numeric(value) else value for name, value in call.env.items()}
    machine.vars["ARGV"] = {str(n): word for n, word in enumerate(["awk", *names])}
    machine.vars["ARGC"] = float(len(names) + 1)
    code = 0
    try:
        try:
            if re.search(r"\bgetline\b", source) and any(p == "BEGIN" for p, _ in machine.items):
                machine.queue = yield from early(call, machine, names)
            machine.special("BEGIN")
            if any(pattern != "BEGIN" for pattern, _ in machine.items):
                code = yield from _records(call, machine, names)
        except _Exit:
            pass
        try:
            machine.queue = []
            machine.special("END")
        except _Exit:
            pass
        machine.close()
    except (AwkError, RecursionError) as failed:
        machine.flush()
        call.err(f"awk: {failed if isinstance(failed, AwkError) else 'nested too deeply'}\n")
        return 2
    return machine.exit or code
