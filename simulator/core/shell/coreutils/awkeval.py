"""Records, fields, variables and expressions of a running awk program."""

from __future__ import annotations

import math
import re
from typing import Any

from ...host.invocation import Call
from . import regexes
from .awkvalues import MAX_STEPS, AwkError, StrNum, _Return, integer, looks_numeric, number, plain_split, text, truth


class Evaluator:
    """The evaluating half of the machine; statements are the other."""

    def run(self, statements: list[Any]) -> None:
        """Run statements, those of a called function among them."""
        raise NotImplementedError

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
        self.pipes: dict[str, list[str]] = {}
        self.ahead = False  # whether the first input was read for BEGIN
        self.streams = False  # whether standard input can be taken line by line

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
        return plain_split(self.regex(sep), line)

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
                count = min(max(integer(number(value)), 0), 100_000)
                self.fields = (self.fields + [""] * (count + 1))[: count + 1]
                self.rebuild()
        elif kind == "field":
            self.set_field(integer(number(self.eval(target[1]))), text(value))
        elif kind == "index":
            self.array(target[1])[self.key(target[2])] = value
        else:
            raise AwkError("assignment to something that is no variable")
        return value

    def key(self, parts: list[Any]) -> str:
        return text(self.vars["SUBSEP"]).join(text(self.eval(part)) for part in parts)

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
        index = integer(number(self.eval(node[1])))
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
        self.steps += len(result) >> 10  # what is copied costs steps too
        if len(result) > 4_000_000:
            raise AwkError("stopped by Slipway: a text is too long")
        return result

    def e_binary(self, node: Any) -> Any:
        return self.arith(node[1], number(self.eval(node[2])), number(self.eval(node[3])))

    def arith(self, op: str, a: float, b: float) -> float:
        if op in "/%":
            if b == 0:
                raise AwkError("division by zero" + (" in %" if op == "%" else ""))
            return a / b if op == "/" else math.fmod(a, b) if math.isfinite(a) else float("nan")
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
            self.vars["NR"] = number(self.vars["NR"]) + 1
            self.vars["FNR"] = number(self.vars["FNR"]) + 1
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
        return self._got(target, line)

    def _got(self, target: Any, line: str) -> float:
        if target is None:
            self.set_record(line)
        else:
            self.assign(target, StrNum(line) if looks_numeric(line) else line)
        return 1.0

    def run_command(self, command: str, data: bytes, *, capture: bool) -> tuple[int, str]:
        """Run a shell command (provided by the machine)."""
        raise NotImplementedError

    def e_getcommand(self, node: Any) -> Any:
        """`"command" | getline [variable]`."""
        command = text(self.eval(node[1]))
        if command not in self.readers:
            _, out = self.run_command(command, b"", capture=True)
            self.readers[command] = out.removesuffix("\n").split("\n") if out else []
        if not self.readers[command]:
            return 0.0
        self.vars["NR"] = number(self.vars["NR"]) + 1
        return self._got(node[2], self.readers[command].pop(0))

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
