"""Command-line flags as the Go tools of the Kubernetes world parse them (github.com/spf13/pflag: `flag.go`, the value types).

A `FlagSet` is a declaration and is never changed by parsing; `parse` returns `Values`.  So one tree of commands, built once, serves
every world.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import msgspec


class FlagError(Exception):
    """A flag that cannot be parsed; the text is pflag's."""


class HelpRequested(Exception):
    """`-h` or `--help` was given."""


class Kind(msgspec.Struct, frozen=True):
    """A type of value: the name that help texts show, how one text is read, and whether repeats accumulate."""

    name: str
    read: Callable[[str], Any]
    accumulates: bool = False


_DURATION_UNITS = {
    "ns": 1,
    "us": 1_000,
    "µs": 1_000,
    "μs": 1_000,
    "ms": 1_000_000,
    "s": 10**9,
    "m": 60 * 10**9,
    "h": 3600 * 10**9,
}
_DURATION_PART = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h|)")
_BOOLS = dict.fromkeys(("1", "t", "T", "true", "TRUE", "True"), True) | dict.fromkeys(
    ("0", "f", "F", "false", "FALSE", "False"), False
)


def quote(text: str) -> str:
    """The text as Go's %q prints it (ASCII control characters, quotes and backslashes are escaped)."""
    out = ['"']
    for char in text:
        if char in '"\\':
            out.append("\\" + char)
        elif char in _ESCAPES:
            out.append(_ESCAPES[char])
        elif char < " " or char == "\x7f":
            out.append(f"\\x{ord(char):02x}")
        else:
            out.append(char)
    out.append('"')
    return "".join(out)


_ESCAPES = {"\n": "\\n", "\t": "\\t", "\r": "\\r", "\a": "\\a", "\b": "\\b", "\f": "\\f", "\v": "\\v"}


def parse_duration(text: str) -> int:
    """A Go duration (`1h30m`, `500ms`, `0`) in nanoseconds; raises ValueError with Go's message."""
    body, sign = (text[1:], -1 if text[0] == "-" else 1) if text[:1] in ("-", "+") else (text, 1)
    if body == "0":
        return 0
    total, at = 0, 0
    while at < len(body):
        match = _DURATION_PART.match(body, at)
        if match is None:
            break
        if not match[2]:
            unknown = re.compile(r"[^\d.]+").match(body, match.end())
            if unknown is not None:
                raise ValueError(f"time: unknown unit {quote(unknown[0])} in duration {quote(text)}")
            raise ValueError(f"time: missing unit in duration {quote(text)}")
        total += round(float(match[1]) * _DURATION_UNITS[match[2]])
        at = match.end()
    if not body or at < len(body):
        raise ValueError(f"time: invalid duration {quote(text)}")
    return sign * total


def format_duration(nanos: int) -> str:
    """Nanoseconds as Go's `Duration.String` prints them: `1h2m3s`, `1.5s`, `250ms`, `0s`."""
    if nanos == 0:
        return "0s"
    sign, left = ("-", -nanos) if nanos < 0 else ("", nanos)
    if left < 10**9:
        for unit, size in (("ms", 10**6), ("µs", 10**3), ("ns", 1)):
            if left >= size:
                return sign + _decimal(left, size) + unit
    hours, left = divmod(left, 3600 * 10**9)
    minutes, left = divmod(left, 60 * 10**9)
    seconds = _decimal(left, 10**9) + "s"
    if hours:
        return f"{sign}{hours}h{minutes}m{seconds}"
    return f"{sign}{minutes}m{seconds}" if minutes else sign + seconds


def _decimal(value: int, size: int) -> str:
    whole, part = divmod(value, size)
    digits = str(part).rjust(len(str(size)) - 1, "0").rstrip("0")
    return f"{whole}.{digits}" if part else str(whole)


def _integer(bits: int, *, unsigned: bool = False) -> Callable[[str], int]:
    low, high = (0, 2**bits - 1) if unsigned else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
    call = "strconv.ParseUint" if unsigned else "strconv.ParseInt"

    def read(text: str) -> int:
        try:
            octal = re.fullmatch(r"([-+]?)0([0-7]+)", text)
            value = int(octal[1] + octal[2], 8) if octal else int(text, 0)
        except ValueError:
            raise ValueError(f"{call}: parsing {quote(text)}: invalid syntax") from None
        if text != text.strip() or (unsigned and text[0] in "+-"):
            raise ValueError(f"{call}: parsing {quote(text)}: invalid syntax")
        if not low <= value <= high:
            raise ValueError(f"{call}: parsing {quote(text)}: value out of range")
        return value

    return read


def _boolean(text: str) -> bool:
    if text not in _BOOLS:
        raise ValueError(f"strconv.ParseBool: parsing {quote(text)}: invalid syntax")
    return _BOOLS[text]


def _float(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"strconv.ParseFloat: parsing {quote(text)}: invalid syntax") from None


def read_csv(text: str) -> list[str]:
    """One record of comma-separated values, as `stringSlice` flags read them."""
    if not text:
        return []
    fields, current, at, quoted = [], "", 0, False
    while at < len(text):
        char = text[at]
        if quoted:
            if char == '"' and text[at + 1 : at + 2] == '"':
                current, at = current + '"', at + 1
            elif char == '"':
                quoted = False
            else:
                current += char
        elif char == '"':
            if current:
                raise ValueError("parse error on line 1, column " + str(at + 1) + ': bare " in non-quoted field')
            quoted = True
        elif char == ",":
            fields.append(current)
            current = ""
        else:
            current += char
        at += 1
    return [*fields, current]


def _string_to_string(text: str) -> dict[str, str]:
    out: dict[str, str] = {}
    for pair in read_csv(text):
        key, equals, value = pair.partition("=")
        if not equals:
            raise ValueError(f"{pair} must be formatted as key=value")
        out[key] = value
    return out


#: Every type of value a flag may have, by the name it is declared with.
KINDS: dict[str, Kind] = {
    "string": Kind("string", str),
    "bool": Kind("bool", _boolean),
    "int": Kind("int", _integer(64)),
    "int32": Kind("int32", _integer(32)),
    "int64": Kind("int", _integer(64)),
    "uint": Kind("uint", _integer(64, unsigned=True)),
    "float": Kind("float32", _float),
    "duration": Kind("duration", parse_duration),
    "strings": Kind("strings", read_csv, True),
    "array": Kind("stringArray", lambda text: [text], True),
    "map": Kind("stringToString", _string_to_string, True),
    "count": Kind("count", lambda text: 1 if text == "+1" else int(text), True),
    "level": Kind("Level", _integer(32)),
}

#: What a flag holds when nobody set it and its declaration gives no default.
_ZERO: dict[str, Any] = {"string": "", "bool": False, "int": 0, "int32": 0, "int64": 0, "uint": 0, "float": 0.0, "duration": 0, "strings": [],
                         "array": [], "map": {}, "count": 0, "level": 0}  # fmt: skip


class Flag(msgspec.Struct, kw_only=True):
    """One declared flag.  `no_opt` is the value of a bare `--flag` ("" when a value must follow); `shown` overrides the default's text
    and `type_name` the type's in help; `check` may refuse a value by raising ValueError.

    `support` says how far a simulated tool goes: "" it does what the real flag does, "inert" it is accepted and has nothing to act on
    here, "no" setting it is refused as not simulated.
    """

    name: str
    kind: str = "string"
    usage: str = ""
    short: str = ""
    default: Any = None
    no_opt: str = ""
    hidden: bool = False
    deprecated: str = ""
    shown: str = ""
    type_name: str = ""
    required: bool = False
    check: Callable[[str], Any] | None = None
    support: str = ""

    def initial(self) -> Any:
        """The value before parsing."""
        return _ZERO[self.kind] if self.default is None else self.default

    def label(self) -> str:
        """`-o, --output` or `--output`, as error messages name it."""
        return f"-{self.short}, --{self.name}" if self.short else f"--{self.name}"

    def default_text(self) -> str:
        """The default as help texts show it."""
        if self.shown:
            return self.shown
        value = self.initial()
        if self.kind == "bool":
            return "true" if value else "false"
        if self.kind == "duration":
            return format_duration(value)
        if self.kind in ("strings", "array"):
            return "[" + ",".join(value) + "]"
        return "[]" if self.kind == "map" and not value else str(value)


class Values:
    """What a command line set: typed access by flag name, which flags were given, and the positional arguments."""

    def __init__(self, flags: FlagSet) -> None:
        self._flags = flags
        self._values: dict[str, Any] = {}
        self.changed: set[str] = set()
        self.args: list[str] = []
        self.dash_at = -1
        self.warnings: list[str] = []

    def _get(self, name: str) -> Any:
        return self._values[name] if name in self._values else self._flags.by_name[name].initial()

    def has(self, name: str) -> bool:
        """The command declares such a flag."""
        return name in self._flags.by_name

    def declared(self, name: str) -> Flag:
        """The declaration of a flag, as this command has it (its own wins over an inherited one)."""
        return self._flags.by_name[name]

    def text(self, name: str) -> str:
        """A string flag."""
        return str(self._get(name))

    def on(self, name: str) -> bool:
        """A boolean flag."""
        return bool(self._get(name))

    def number(self, name: str) -> int:
        """An integer, level, count or duration (nanoseconds) flag."""
        return int(self._get(name))

    def real(self, name: str) -> float:
        """A number flag."""
        return float(self._get(name))

    def items(self, name: str) -> list[str]:
        """A list flag."""
        return list(self._get(name))

    def mapping(self, name: str) -> dict[str, str]:
        """A key=value flag."""
        return dict(self._get(name))

    def put(self, flag: Flag, text: str) -> None:
        """Set a flag from its text; raises FlagError as `FlagSet.Set` does."""
        kind = KINDS[flag.kind]
        try:
            value = kind.read(text)
            if flag.check is not None:
                checked = flag.check(text)
                value = value if checked is None else checked
        except ValueError as error:
            raise FlagError(f"invalid argument {quote(text)} for {quote(flag.label())} flag: {error}") from None
        if kind.accumulates and flag.name in self.changed:
            before = self._values[flag.name]
            value = {**before, **value} if isinstance(value, dict) else before + value
        self._values[flag.name] = value
        self.changed.add(flag.name)
        if flag.deprecated:
            self.warnings.append(f"Flag --{flag.name} has been deprecated, {flag.deprecated}")

    def assign(self, name: str, value: Any) -> None:
        """Set a flag from a program (as if it had been given)."""
        self._values[name] = value
        self.changed.add(name)


class FlagSet:
    """Declared flags in order of declaration; names are compared with `_` read as `-`."""

    def __init__(self, flags: Iterable[Flag] = ()) -> None:
        self.by_name: dict[str, Flag] = {}
        self.by_short: dict[str, Flag] = {}
        for flag in flags:
            self.add(flag)

    def __iter__(self) -> Iterator[Flag]:
        return iter(self.by_name.values())

    def __len__(self) -> int:
        return len(self.by_name)

    def add(self, flag: Flag) -> Flag:
        """Declare a flag (the first declaration of a name wins, as `AddFlagSet` has it)."""
        if flag.name in self.by_name:
            return self.by_name[flag.name]
        if flag.kind == "bool" and not flag.no_opt:
            flag.no_opt = "true"
        if flag.kind == "count" and not flag.no_opt:
            flag.no_opt = "+1"
        self.by_name[flag.name] = flag
        if flag.short:
            self.by_short[flag.short] = flag
        return flag

    def lookup(self, name: str) -> Flag | None:
        """The flag of a long name, or None."""
        return self.by_name.get(name) or self.by_name.get(name.replace("_", "-"))

    def merged(self, other: FlagSet) -> FlagSet:
        """This set and then the flags of `other` that it lacks."""
        out = FlagSet(self)
        for flag in other:
            if flag.short and flag.short in out.by_short:
                if flag.name not in out.by_name:
                    out.by_name[flag.name] = flag
                continue
            out.add(flag)
        return out

    def parse(self, args: list[str], *, interspersed: bool = True) -> Values:
        """Parse arguments; raises FlagError or HelpRequested."""
        values = Values(self)
        left = list(args)
        while left:
            text = left.pop(0)
            if len(text) < 2 or text[0] != "-":
                values.args.append(text)
                if not interspersed:
                    values.args += left
                    break
            elif text == "--":
                values.dash_at = len(values.args)
                values.args += left
                break
            elif text[1] == "-":
                self._long(text, left, values)
            else:
                self._shorts(text[1:], left, values)
        return values

    def _long(self, text: str, left: list[str], values: Values) -> None:
        name, equals, value = text[2:].partition("=")
        if not name or name[0] == "-":
            raise FlagError(f"bad flag syntax: {text}")
        flag = self.lookup(name)
        if flag is None:
            if name == "help":
                raise HelpRequested
            raise FlagError(f"unknown flag: --{name}")
        if not equals:
            if flag.no_opt:
                value = flag.no_opt
            elif left:
                value = left.pop(0)
            else:
                raise FlagError(f"flag needs an argument: {text}")
        values.put(flag, value)

    def _shorts(self, cluster: str, left: list[str], values: Values) -> None:
        while cluster:
            char, rest = cluster[0], cluster[1:]
            flag = self.by_short.get(char)
            if flag is None:
                if char == "h":
                    raise HelpRequested
                raise FlagError(f"unknown shorthand flag: '{char}' in -{cluster}")
            if len(cluster) > 2 and rest[0] == "=":
                value, rest = rest[1:], ""
            elif flag.no_opt:
                value = flag.no_opt
            elif rest:
                value, rest = rest, ""
            elif left:
                value = left.pop(0)
            else:
                raise FlagError(f"flag needs an argument: '{char}' in -{cluster}")
            values.put(flag, value)
            cluster = rest
