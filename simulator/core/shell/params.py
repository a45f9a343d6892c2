"""Variables and parameters of a running shell: special ones, attributes, arrays, local scopes."""

from __future__ import annotations

import re

from ..host.invocation import Call
from ..kernel.clock import SECOND
from .state import MAX_VALUE, ShellState, Var, sorted_items

NAME = re.compile(r"[A-Za-z_]\w*\Z")


class ReadonlyError(Exception):
    """An assignment to a read-only variable: the message."""


class Parameters(Call):
    """Reading and writing of variables; the state is plain data."""

    state: ShellState
    last_argument = ""
    interactive = False
    depth = 0
    sourcing = 0
    getopts_at = 1
    getopts_index = 0

    def ifs(self) -> str:
        """The separators of fields."""
        value = self.state.get("IFS")
        return " \t\n" if value is None else value

    # -- reading --------------------------------------------------------------------------------------------------------
    def scalar(self, name: str, index: str | None = None) -> str | None:
        """The value of a parameter, None when unset."""
        if index is not None:
            return self.element(name, index)
        special = self._special(name)
        if special is not None:
            return special
        if name.isdigit():
            number = int(name)
            return self.state.positional[number - 1] if 0 < number <= len(self.state.positional) else None
        return self.state.get(name)

    def _special(self, name: str) -> str | None:
        state = self.state
        if name == "?":
            return str(state.status)
        if name == "#":
            return str(len(state.positional))
        if name in ("@", "*"):
            return " ".join(state.positional) if state.positional else None
        if name == "$":
            return str(self.shell_pid)
        if name == "!":
            return str(state.last_background) if state.last_background else None
        if name == "0":
            return state.name
        if name == "-":
            return self.flags()
        if name == "_":
            return self.last_argument
        if name == "RANDOM":
            return str(self.world.rng("shell-random").below(32768))
        if name == "SECONDS":
            return str((self.world.now - state.started) // SECOND)
        if name == "EPOCHSECONDS":
            return str(self.world.wall // SECOND)
        if name in ("FUNCNAME", "PIPESTATUS", "BASH_VERSINFO"):
            return next(iter(self.elements(name)), None)
        if name == "BASHPID":
            return str(self.proc.pid)
        if name == "LINENO":
            return str(self.line)
        if name == "UID" or name == "EUID":
            return str(self.uid)
        if name == "PPID":
            return str(self.proc.ppid)
        return None

    shell_pid = 0
    line = 1

    def flags(self) -> str:
        """The value of `$-`."""
        letters = {
            "allexport": "a",
            "errexit": "e",
            "noglob": "f",
            "monitor": "m",
            "noexec": "n",
            "nounset": "u",
            "verbose": "v",
            "xtrace": "x",
            "noclobber": "C",
        }
        on = [letter for name, letter in letters.items() if self.state.options.get(name)]
        return "".join(
            sorted(["h", "B", *(["i", "m", "H", "s"] if self.interactive else ["c"]), *on], key=lambda c: (c.isupper(), c))
        )

    def keys(self, name: str) -> list[str]:
        """The keys of an array."""
        var = self.state.vars.get(name)
        return [key for key, _ in sorted_items(var)] if var is not None else []

    def elements(self, name: str) -> list[str]:
        """The values of an array."""
        if name == "PIPESTATUS":
            return [str(code) for code in self.pipe_status]
        if name == "FUNCNAME":
            return list(reversed(self.function_stack))
        if name == "BASH_VERSINFO":
            return ["5", "2", "21", "1", "release", "x86_64-pc-linux-gnu"]
        var = self.state.vars.get(name)
        return [value for _, value in sorted_items(var)] if var is not None else []

    pipe_status: list[int] = [0]
    function_stack: list[str] = []

    def element(self, name: str, index: str) -> str | None:
        """One element of an array."""
        if name in ("PIPESTATUS", "FUNCNAME", "BASH_VERSINFO"):
            values = self.elements(name)
            at = self.arithmetic(index)
            return values[at] if -len(values) <= at < len(values) else None
        var = self.state.vars.get(name)
        if var is None:
            return None
        if var.kind == "A":
            return var.items.get(index)
        at = self.arithmetic(index)
        if var.kind == "s":
            return var.value if at in (0, -1) else None
        if at < 0:
            at += max((int(key) for key in var.items), default=-1) + 1
        return var.items.get(str(at))

    def length(self, name: str, index: str | None) -> int:
        """`${#name}`."""
        if index in ("@", "*"):
            return len(self.elements(name))
        if name in ("@", "*"):
            return len(self.state.positional)
        return len(self.scalar(name, index) or "")

    def arithmetic(self, text: str) -> int:
        """Provided by the expander."""
        raise NotImplementedError

    # -- for arithmetic -------------------------------------------------------------------------------------------------
    def read_var(self, name: str, index: str | None) -> str | None:
        """A variable in an expression."""
        return self.scalar(name, index)

    def write_var(self, name: str, index: str | None, value: str) -> None:
        """An assignment in an expression."""
        self.assign(name, value, index=index)

    # -- writing --------------------------------------------------------------------------------------------------------
    def check_readonly(self, name: str) -> None:
        """Raise when a variable is read-only."""
        var = self.state.vars.get(name)
        if var is not None and "r" in var.flags:
            raise ReadonlyError(f"{name}: readonly variable")

    def assign(self, name: str, value: str, *, index: str | None = None, append: bool = False) -> None:
        """Assign with the variable's attributes."""
        self.check_readonly(name)
        var = self.state.vars.get(name)
        if var is None:
            var = self.state.vars[name] = Var(
                "s" if index is None else "a", flags="x" if self.state.options.get("allexport") else ""
            )
        if index is None and var.kind != "s":
            index = "0"
        if index is not None and var.kind == "s":
            var.kind, var.items, var.value = "a", ({} if var.value is None else {"0": var.value}), None
        key = ""
        if index is not None:
            key = index if var.kind == "A" else str(self._slot(var, index))
        old = (var.value if index is None else var.items.get(key)) or ""
        if "i" in var.flags:
            number = self.arithmetic(value)
            value = str(number + self.arithmetic(old) if append else number)
        elif append:
            value = old + value
        if "l" in var.flags:
            value = value.lower()
        if "u" in var.flags:
            value = value.upper()
        if len(value) > MAX_VALUE:
            raise ReadonlyError(f"{name}: value too large")
        if index is None:
            var.value = value
        else:
            var.items[key] = value

    def _slot(self, var: Var, index: str) -> int:
        at = self.arithmetic(index)
        if at < 0:
            at += max((int(key) for key in var.items), default=-1) + 1
            if at < 0:
                raise ReadonlyError(f"{index}: bad array subscript")
        return at
