"""What a shell remembers between lines, as plain data: variables, functions, aliases, options, history."""

from __future__ import annotations

from functools import lru_cache

import msgspec

MAX_VALUE = 4 * 1024 * 1024


class Var(msgspec.Struct, omit_defaults=True):
    """A variable: `kind` is `s` (scalar), `a` (indexed array) or `A` (associative); `flags` of `x r i l u n`.

    `unset` tells an array that was declared and not assigned."""

    kind: str = "s"
    value: str | None = None
    items: dict[str, str] = {}
    flags: str = ""
    unset: bool = False


class Job(msgspec.Struct):
    """A background or stopped job: its processes' pids and what it was typed as."""

    number: int
    pids: list[int]
    text: str
    state: str = "Running"


class ShellState(msgspec.Struct, omit_defaults=True):
    """The durable state of a shell."""

    cwd: str = "/"
    old_cwd: str = ""
    vars: dict[str, Var] = {}
    functions: dict[str, str] = {}
    #: Where a function was defined: its line, and its file ("" on a command line).
    origins: dict[str, tuple[int, str]] = {}
    aliases: dict[str, str] = {}
    options: dict[str, bool] = {}
    shopts: dict[str, bool] = {}
    history: list[str] = []
    #: How many of them `history -a` has appended to the file.
    history_saved: int = 0
    positional: list[str] = []
    name: str = "bash"
    status: int = 0
    last_background: int = 0
    traps: dict[str, str] = {}
    dirs: list[str] = []
    umask: int = 0o022
    started: int = 0
    jobs: list[Job] = []

    def copy(self) -> ShellState:
        """What a subshell inherits."""
        return msgspec.structs.replace(
            self,
            vars={name: msgspec.structs.replace(var, items=dict(var.items)) for name, var in self.vars.items()},
            functions=dict(self.functions),
            origins=dict(self.origins),
            aliases=dict(self.aliases),
            options=dict(self.options),
            shopts=dict(self.shopts),
            history=list(self.history),
            positional=list(self.positional),
            traps={name: text for name, text in self.traps.items() if not text or self._inherits(name)},
            dirs=list(self.dirs),
            jobs=[],
        )

    def _inherits(self, trap: str) -> bool:
        """Whether subshells keep a trap (`set -E`, `set -T`)."""
        return self.options.get({"ERR": "errtrace", "DEBUG": "functrace", "RETURN": "functrace"}.get(trap, ""), False)

    # -- variables ------------------------------------------------------------------------------------------------------
    def get(self, name: str) -> str | None:
        """The scalar value of a variable (element 0 of an array)."""
        var = self.vars.get(name)
        if var is None:
            return None
        return var.value if var.kind == "s" else var.items.get("0")

    def set(self, name: str, value: str) -> None:
        """Assign a scalar without looking at attributes (the shell's own variables)."""
        var = self.vars.get(name)
        if var is None:
            self.vars[name] = Var(value=value)
        elif var.kind == "s":
            var.value = value
        else:
            var.items["0"] = value

    def export(self, name: str, value: str) -> None:
        """Assign and export."""
        self.set(name, value)
        var = self.vars[name]
        if "x" not in var.flags:
            var.flags += "x"

    def environment(self) -> dict[str, str]:
        """The exported variables that have a value."""
        return {
            name: var.value for name, var in self.vars.items() if "x" in var.flags and var.kind == "s" and var.value is not None
        }


def sorted_items(var: Var) -> list[tuple[str, str]]:
    """The elements of an array in the order in which bash gives them."""
    if var.kind == "a":
        return sorted(var.items.items(), key=lambda item: int(item[0]))
    if var.kind == "s":
        return [] if var.value is None else [("0", var.value)]
    newest_first = list(reversed(var.items.items()))
    return sorted(newest_first, key=lambda item: _bucket(item[0]))


@lru_cache(maxsize=4096)
def _bucket(key: str) -> int:
    """Which of an associative array's 1024 buckets holds a key (hashlib.c: FNV-1 over signed chars); in a bucket the newest is first."""
    value = 2166136261
    for byte in key.encode("utf-8", "surrogateescape"):
        value = (value * 16777619 & 0xFFFFFFFF) ^ (byte if byte < 128 else byte | 0xFFFFFF00)
    return value & 1023
