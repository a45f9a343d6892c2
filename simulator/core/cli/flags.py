"""Command-line flags as the Go tools of the Kubernetes world parse them (github.com/spf13/pflag: `flag.go`, the value types).

A `FlagSet` is a declaration and is never changed by parsing; `parse` returns `Values`.  So one tree of commands, built once, serves
every world.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import msgspec

from .flag_kinds import KINDS, format_duration, parse_duration, quote, read_csv

__all__ = [
    "Flag",
    "FlagError",
    "FlagSet",
    "HelpRequested",
    "Values",
    "format_duration",
    "parse_duration",
    "quote",
    "read_csv",
]


class FlagError(Exception):
    """A flag that cannot be parsed; the text is pflag's."""


class HelpRequested(Exception):
    """`-h` or `--help` was given."""


#: What a flag holds when nobody set it and its declaration gives no default.
_ZERO: dict[str, Any] = {"string": "", "bool": False, "int": 0, "int32": 0, "int64": 0, "uint": 0, "uint64": 0, "float": 0.0, "duration": 0, "strings": [],
                         "array": [], "map": {}, "pairs": {}, "count": 0, "level": 0}  # fmt: skip


class Flag(msgspec.Struct, kw_only=True):
    """One declared flag.  `no_opt` is the value of a bare `--flag` ("" when a value must follow); `shown` overrides the default's text (a blank for none)
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
            return self.shown.strip()
        value = self.initial()
        if self.kind == "bool":
            return "true" if value else "false"
        if self.kind == "duration":
            return format_duration(value)
        if self.kind in ("strings", "array"):
            return "[" + ",".join(value) + "]"
        return "[]" if self.kind in ("map", "pairs") and not value else str(value)


class Values:
    """What a command line set: typed access by flag name, which flags were given, and the positional arguments."""

    def __init__(self, flags: FlagSet) -> None:
        self._flags = flags
        self._values: dict[str, Any] = {}
        self.changed: set[str] = set()
        self.args: list[str] = []
        self.dash_at = -1
        self.warnings: list[str] = []
        #: Flags in the order in which they were given, with their texts.
        self.given: list[tuple[str, str]] = []

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
        self.given.append((flag.name, text))
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
