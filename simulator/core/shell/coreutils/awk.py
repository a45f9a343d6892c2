"""`awk`: patterns and actions, fields, arrays, functions, printf, getline from files, pipes to commands are not there yet.

The program is parsed to a tree of tuples and walked; `MAX_STEPS` bounds a run.
"""

from __future__ import annotations

import re
from typing import Any

from ...host.executor import Ended
from ...host.invocation import Call
from ...kernel.errors import NotSimulated
from . import regexes
from .awkparse import AwkSyntaxError, Parser
from .awkvalues import AwkError, StrNum, _Break, _Continue, _Exit, _Next, _Return, looks_numeric, number, text, truth
from .common import Code, inputs
from .printf import SPEC

MAX_STEPS = 3_000_000


class Machine:
    """One run of a program."""

    def __init__(self, call: Call, program: Any) -> None:
        self.call = call
        self.items, self.functions = program
        self.vars: dict[str, Any] = {
            "FS": " ",
            "OFS": " ",
            "ORS": "\n",
            "RS": "\n",
            "NR": 0.0,
            "FNR": 0.0,
            "NF": 0.0,
            "SUBSEP": "\x1c",
            "OFMT": "%.6g",
            "CONVFMT": "%.6g",
            "RSTART": 0.0,
            "RLENGTH": -1.0,
            "FILENAME": "",
        }
        self.frames: list[dict[str, Any]] = []
        self.fields: list[str] = [""]
        self.record = ""
        self.steps = 0
        self.exit = 0
        self.out: list[str] = []
        self.files: dict[str, list[str]] = {}
        self.append: set[str] = set()
        self.ranges: dict[int, bool] = {}
        self.queue: list[str] = []
        self.readers: dict[str, list[str]] = {}

    # -- records --------------------------------------------------------------------------------------------------------
    def set_record(self, line: str) -> None:
        self.record = line
        self.split_record()

    def split_record(self) -> None:
        self.fields = ["", *self.split(self.record, text(self.vars["FS"]))]
        self.vars["NF"] = float(len(self.fields) - 1)

    def split(self, line: str, sep: str) -> list[str]:
        if line == "":
            return []
        if sep == " ":
            return line.split()
        if sep == "\t" or (len(sep) == 1 and sep not in "\\^$.[]|()*+?{} "):
            return line.split(sep)
        if len(sep) == 1:
            return line.split(sep)
        if sep == "":
            return list(line)
        return _plain_split(self.regex(sep), line)

    def regex(self, pattern: str) -> re.Pattern[str]:
        try:
            return regexes.compile_ere(pattern)
        except regexes.BadPattern as failed:
            raise AwkError(f"regular expression compile failed ({failed})") from None

    def rebuild(self) -> None:
        self.record = text(self.vars["OFS"]).join(self.fields[1:])

    def set_field(self, index: int, value: str) -> None:
        if index == 0:
            self.set_record(value)
            return
        if index < 0 or index > 100_000:
            raise AwkError("trying to access out of range field")
        while len(self.fields) <= index:
            self.fields.append("")
        self.fields[index] = value
        self.vars["NF"] = float(len(self.fields) - 1)
        self.rebuild()

    # -- variables ------------------------------------------------------------------------------------------------------
    def scope(self, name: str) -> dict[str, Any]:
        if self.frames and name in self.frames[-1]:
            return self.frames[-1]
        return self.vars

    def array(self, name: str) -> dict[str, Any]:
        scope = self.scope(name)
        value = scope.get(name)
        if value is None:
            value = scope[name] = {}
        if not isinstance(value, dict):
            raise AwkError(f"can't use {name} as array: it is a scalar")
        return value

    def assign(self, target: Any, value: Any) -> Any:
        kind = target[0]
        if kind == "var":
            self.scope(target[1])[target[1]] = value
            if target[1] == "NF":
                count = max(int(number(value)), 0)
                self.fields = (self.fields + [""] * (count + 1))[: count + 1]
                self.rebuild()
        elif kind == "field":
            self.set_field(int(number(self.eval(target[1]))), text(value))
        elif kind == "index":
            self.array(target[1])[self.key(target[2])] = value
        else:
            raise AwkError("assignment to something that is no variable")
        return value

    def key(self, parts: list[Any]) -> str:
        return text(self.vars["SUBSEP"]).join(text(self.eval(part)) for part in parts)

    # -- expressions ----------------------------------------------------------------------------------------------------
    def eval(self, node: Any) -> Any:
        self.steps += 1
        if self.steps > MAX_STEPS:
            raise AwkError("stopped by Slipway: too many steps")
        return getattr(self, "e_" + node[0])(node)

    def e_num(self, node: Any) -> Any:
        return node[1]

    def e_str(self, node: Any) -> Any:
        return node[1]

    def e_regex(self, node: Any) -> Any:
        return float(self.regex(node[1]).search(self.record) is not None)

    def e_var(self, node: Any) -> Any:
        return self.scope(node[1]).get(node[1])

    def e_field(self, node: Any) -> Any:
        index = int(number(self.eval(node[1])))
        if index < 0:
            raise AwkError(f"trying to access out of range field {index}")
        value = self.record if index == 0 else self.fields[index] if index < len(self.fields) else ""
        return StrNum(value) if looks_numeric(value) else value

    def e_index(self, node: Any) -> Any:
        return self.array(node[1]).setdefault(self.key(node[2]), None)

    def e_in(self, node: Any) -> Any:
        return float(self.key(node[1]) in self.array(node[2]))

    def e_group(self, node: Any) -> Any:
        return self.eval(node[1])

    def e_assign(self, node: Any) -> Any:
        _, op, target, value = node
        result = self.eval(value)
        if op != "=":
            result = self.arith(op[:-1], number(self.eval(target)), number(result))
        return self.assign(target, result)

    def e_cond(self, node: Any) -> Any:
        return self.eval(node[2] if truth(self.eval(node[1])) else node[3])

    def e_or(self, node: Any) -> Any:
        return float(truth(self.eval(node[1])) or truth(self.eval(node[2])))

    def e_and(self, node: Any) -> Any:
        return float(truth(self.eval(node[1])) and truth(self.eval(node[2])))

    def e_not(self, node: Any) -> Any:
        return float(not truth(self.eval(node[1])))

    def e_neg(self, node: Any) -> Any:
        return -number(self.eval(node[1]))

    def e_pos(self, node: Any) -> Any:
        return number(self.eval(node[1]))

    def e_match(self, node: Any) -> Any:
        pattern = node[3][1] if node[3][0] == "regex" else text(self.eval(node[3]))
        found = self.regex(pattern).search(text(self.eval(node[2]))) is not None
        return float(found == (node[1] == "~"))

    def e_cat(self, node: Any) -> Any:
        form = text(self.vars["CONVFMT"])
        left = text(self.eval(node[1]), form)
        result = left + text(self.eval(node[2]), form)
        if len(result) > 4_000_000:
            raise AwkError("stopped by Slipway: a text is too long")
        return result

    def e_binary(self, node: Any) -> Any:
        return self.arith(node[1], number(self.eval(node[2])), number(self.eval(node[3])))

    def arith(self, op: str, a: float, b: float) -> float:
        if op in "/%":
            if b == 0:
                raise AwkError("division by zero" + (" in %" if op == "%" else ""))
            return a / b if op == "/" else float(a - b * int(a / b))
        if op in ("^", "**"):
            try:
                return float(a**b)
            except OverflowError:
                return float("inf")
        return a + b if op == "+" else a - b if op == "-" else a * b

    def e_compare(self, node: Any) -> Any:
        a, b = self.eval(node[2]), self.eval(node[3])
        numeric = all(isinstance(value, float | StrNum) or value is None for value in (a, b))
        x: Any = number(a) if numeric else text(a)
        y: Any = number(b) if numeric else text(b)
        return float({"<": x < y, "<=": x <= y, ">": x > y, ">=": x >= y, "==": x == y, "!=": x != y}[node[1]])

    def e_incr(self, node: Any) -> Any:
        _, when, op, target = node
        old = number(self.eval(target))
        new = old + (1 if op == "++" else -1)
        self.assign(target, new)
        return old if when == "post" else new

    def e_getline(self, node: Any) -> Any:
        target, source = node[1], node[2]
        if source is None:
            if not self.queue:
                return 0.0
            line = self.queue.pop(0)
            self.vars["NR"] += 1
            self.vars["FNR"] += 1
        else:
            name = text(self.eval(source))
            if name not in self.readers:
                try:
                    data = self.call.read_file(name).decode("utf-8", "surrogateescape")
                except OSError:
                    return -1.0
                self.readers[name] = data.removesuffix("\n").split("\n") if data else []
            if not self.readers[name]:
                return 0.0
            line = self.readers[name].pop(0)
        if target is None:
            self.set_record(line)
        else:
            self.assign(target, StrNum(line) if looks_numeric(line) else line)
        return 1.0

    def e_call(self, node: Any) -> Any:
        from .awklib import BUILTINS

        name, args = node[1], node[2]
        if name in BUILTINS:
            return BUILTINS[name](self, args)
        function = self.functions.get(name)
        if function is None:
            raise AwkError(f"calling undefined function {name}")
        if len(self.frames) > 100:
            raise AwkError("stopped by Slipway: functions call each other too deeply")
        params, body = function
        frame: dict[str, Any] = {}
        backs: list[tuple[str, str]] = []
        for n, param in enumerate(params):
            if n >= len(args):
                frame[param] = None
            elif args[n][0] == "var":
                value = self.scope(args[n][1]).get(args[n][1])
                frame[param] = value
                if value is None:
                    backs.append((param, args[n][1]))
            else:
                frame[param] = self.eval(args[n])
        caller = self.frames[-1] if self.frames else self.vars
        self.frames.append(frame)
        try:
            self.run(body)
            result = None
        except _Return as returned:
            result = returned.value
        finally:
            self.frames.pop()
        for param, outer in backs:
            if isinstance(frame.get(param), dict):
                (caller if outer in caller else self.vars)[outer] = frame[param]
        return result

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
            self.exit = int(number(self.eval(node[1]))) & 0xFF
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
        if not op:
            self.out.append(data)
            return
        name = text(self.eval(target))
        if op == "|":
            raise NotSimulated("a pipe from print")
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
            if kind == "%":
                return "%"
            if width == "*":
                width = str(int(number(values.pop(0)))) if values else ""
            if precision == "*":
                precision = str(int(number(values.pop(0)))) if values else ""
            if int(width or 0) > 10_000:
                raise AwkError("stopped by Slipway: width too large")
            value = values.pop(0) if values else None
            spec = "%" + (flags or "") + (width or "") + (f".{precision or 0}" if "." in match.group() else "")
            if kind in "di":
                return (spec + "d") % int(number(value))
            if kind in "ouxX":
                return (spec + kind.replace("u", "d")) % int(number(value))
            if kind in "eEfFgG":
                return (spec + kind) % number(value)
            if kind == "c":
                return (spec + "s") % (chr(int(value)) if isinstance(value, float) else text(value)[:1])
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

    def close(self) -> None:
        self.flush()
        for name, parts in self.files.items():
            self.call.write_file(name, "".join(parts).encode("utf-8", "surrogateescape"), append=name in self.append)


def _plain_split(pattern: re.Pattern[str], line: str) -> list[str]:
    out, at = [], 0
    for match in pattern.finditer(line):
        if match.end() > match.start():
            out.append(line[at : match.start()])
            at = match.end()
    return [*out, line[at:]]


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
                program.append(call.read_file(value).decode("utf-8", "surrogateescape"))
        else:
            raise NotSimulated(word)
    if not program:
        if not args:
            call.err("usage: awk [-F fs][-v var=value][prog | -f progfile][file ...]\n")
            raise Ended(2)
        program = [args.pop(0)]
    return "\n".join(program), settings, args


def awk(call: Call) -> Code:
    """`awk [-F sep] [-v var=value] program [files or var=value]`."""
    source, settings, names = _arguments(call)
    try:
        machine = Machine(call, Parser(source).program())
    except AwkSyntaxError as failed:
        call.err(f"awk: line 1: {failed}\n")
        return 2
    for name, value in settings.items():
        machine.vars[name] = StrNum(value) if looks_numeric(value) else value
    machine.vars["ENVIRON"] = {name: StrNum(value) if looks_numeric(value) else value for name, value in call.env.items()}
    machine.vars["ARGV"] = {str(n): word for n, word in enumerate(["awk", *names])}
    machine.vars["ARGC"] = float(len(names) + 1)
    code = 0
    try:
        try:
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
        found, failed = yield from inputs(call, [name])
        code = 2 if failed else code
        for shown, data in found:
            machine.vars["FILENAME"] = "" if shown == "-" else shown
            machine.vars["FNR"] = 0.0
            machine.queue = _cut(data.decode("utf-8", "surrogateescape"), text(machine.vars["RS"]), machine)
            while machine.queue:
                line = machine.queue.pop(0)
                machine.vars["NR"] += 1
                machine.vars["FNR"] += 1
                machine.set_record(line)
                machine.line()
                if len(machine.out) > 500:
                    machine.flush()
    return code


def _cut(data: str, sep: str, machine: Machine) -> list[str]:
    if not data:
        return []
    if sep == "":
        return [part for part in re.split(r"\n\n+", data.strip("\n")) if part]
    if len(sep) > 1:
        parts = _plain_split(machine.regex(sep), data)
        return parts[:-1] if parts and parts[-1] in ("", "\n") else parts
    return data.removesuffix(sep).split(sep) if sep == "\n" else data.removesuffix("\n").removesuffix(sep).split(sep)
