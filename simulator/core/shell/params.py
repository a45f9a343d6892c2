"""Variables and parameters of a running shell: special ones, attributes, arrays, local scopes."""

from __future__ import annotations

import re

from ..host import pidspace
from ..host.invocation import Call
from ..kernel.clock import SECOND
from .budget import Ledger
from .state import MAX_VALUE, ShellState, Var, sorted_items

NAME = re.compile(r"[A-Za-z_]\w*\Z")


#: Arrays that the shell computes.
COMPUTED = frozenset({"PIPESTATUS", "FUNCNAME", "BASH_VERSINFO", "BASH_SOURCE", "BASH_LINENO", "DIRSTACK", "GROUPS"})


class ReadonlyError(Exception):
    """An assignment to a read-only variable: the message."""


class UnboundError(Exception):
    """An expression read an unset variable under `set -u`: its name."""


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
        var = self.state.vars.get(name)
        if var is not None and "n" in var.flags and var.value:
            target, inner = self.nameref(name)
            return self.scalar(target, inner) if target != name else None
        return self.state.get(name)

    def nameref(self, name: str) -> tuple[str, str | None]:
        """The variable, and perhaps its element, that a name reference (`declare -n`) leads to; any other name itself."""
        for _ in range(8):
            var = self.state.vars.get(name)
            if var is None or "n" not in var.flags or not var.value or var.value == name:
                break
            name, bracket, index = var.value.partition("[")
            if bracket:
                return name, index.rstrip("]")
        return name, None

    def _special(self, name: str) -> str | None:
        state = self.state
        if name == "?":
            return str(state.status)
        if name == "#":
            return str(len(state.positional))
        if name in ("@", "*"):
            return " ".join(state.positional) if state.positional else None
        if name == "$":
            return str(pidspace.number(self.host, self.proc, self.shell_pid))
        if name == "!":
            return str(pidspace.number(self.host, self.proc, state.last_background)) if state.last_background else None
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
        if name == "EPOCHREALTIME":
            return f"{self.world.wall / SECOND:.6f}"
        if name in COMPUTED:
            return next(iter(self.elements(name)), None)
        if name == "BASH_COMMAND":
            return self.command_text
        if name == "BASH_SUBSHELL":
            return str(self.nesting)
        if name == "SHELLOPTS":
            on = {option for option, value in state.options.items() if value}
            return ":".join(sorted(on | {"braceexpand", "hashall", "interactive-comments"}))
        if name == "BASHOPTS":
            from .builtins.basic import ON

            return ":".join(
                sorted(
                    {*(option for option in ON if state.shopts.get(option, True)), *(o for o, on in state.shopts.items() if on)}
                )
            )
        if name == "BASHPID":
            return str(pidspace.number(self.host, self.proc, self.proc.pid))
        if name == "LINENO":
            return str(self.line)
        if name == "UID" or name == "EUID":
            return str(self.uid)
        if name == "PPID":
            return str(pidspace.number(self.host, self.proc, self.proc.ppid))
        return None

    shell_pid = 0
    ledger: Ledger
    line = 1
    from_argument = False
    nesting = 0
    #: What is being run, for BASH_COMMAND.
    command_text = ""
    #: Files of the functions and sourced texts that are running, the newest last.
    sources: list[str] = []
    call_lines: list[int] = []

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
            "errtrace": "E",
            "functrace": "T",
            "notify": "b",
            "physical": "P",
        }
        on = {letter for name, letter in letters.items() if self.state.options.get(name)} | {"h"}
        if self.state.options.get("braceexpand", True):
            on.add("B")
        if self.interactive:
            on |= {"i", "m", "H"}
        last = "c" if self.from_argument else "s" if self.interactive else ""
        return "".join(letter for letter in "abefhikmnprtuvxBCEHPT" if letter in on) + last

    def keys(self, name: str) -> list[str]:
        """The keys of an array."""
        if name in COMPUTED:
            return [str(n) for n in range(len(self.elements(name)))]
        var = self.state.vars.get(self.nameref(name)[0])
        return [key for key, _ in sorted_items(var)] if var is not None else []

    def elements(self, name: str) -> list[str]:
        """The values of an array."""
        if name == "PIPESTATUS":
            return [str(code) for code in self.pipe_status]
        if name == "FUNCNAME":
            return [
                *reversed(self.function_stack),
                *(["main"] if self.function_stack and self.sources[:1] == [self.state.name] else []),
            ]
        if name == "BASH_SOURCE":
            return list(reversed(self.sources))
        if name == "BASH_LINENO":
            return [str(line) for line in reversed(self.call_lines)]
        if name == "DIRSTACK":
            return [self.state.cwd, *self.state.dirs]
        if name == "GROUPS":
            return [str(self.gid)]
        if name == "BASH_VERSINFO":
            return ["5", "2", "21", "1", "release", "x86_64-pc-linux-gnu"]
        var = self.state.vars.get(self.nameref(name)[0])
        return [value for _, value in sorted_items(var)] if var is not None else []

    pipe_status: list[int] = [0]
    function_stack: list[str] = []

    def element(self, name: str, index: str) -> str | None:
        """One element of an array."""
        if name in COMPUTED:
            values = self.elements(name)
            at = self.arithmetic(index)
            return values[at] if -len(values) <= at < len(values) else None
        var = self.state.vars.get(self.nameref(name)[0])
        if var is None:
            return None
        if var.kind == "A":
            return var.items.get(index)
        at = self.arithmetic(index)
        if var.kind == "s":
            return var.value if at in (0, -1) else None
        if at < 0:
            at += max((int(key) for key in var.items), default=-1) + 1
            if at < 0:
                self.complain(f"{name}: bad array subscript")
        return var.items.get(str(at))

    def length(self, name: str, index: str | None) -> int:
        """`${#name}`."""
        if index in ("@", "*"):
            return len(self.elements(name))
        if name in ("@", "*"):
            return len(self.state.positional)
        return len(self.scalar(name, index) or "")

    def prompt_text(self, text: str) -> str:
        """A prompt's escapes and parameters expanded."""
        raise NotImplementedError

    def complain(self, text: str) -> None:
        """Print a message as the shell does."""
        raise NotImplementedError

    def arithmetic(self, text: str) -> int:
        """Provided by the expander."""
        raise NotImplementedError

    # -- for arithmetic -------------------------------------------------------------------------------------------------
    def read_var(self, name: str, index: str | None) -> str | None:
        """A variable in an expression."""
        found = self.scalar(name, index)
        if found is None and self.state.options.get("nounset"):
            raise UnboundError(name if index is None else f"{name}[{index}]")
        return found

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
        if "n" in (self.state.vars[name].flags if name in self.state.vars else ""):
            target, inner = self.nameref(name)
            if target != name:
                self.assign(target, value, index=index if inner is None else inner, append=append)
                return
        self.check_readonly(name)
        if (
            name == "SECONDS" and index is None
        ):  # variables.c, assign_seconds: counting goes on from there; what is no number is 0
            count = int(value) if re.fullmatch(r"\s*[+-]?\d{1,18}\s*", value) else 0
            self.state.started = self.world.now - (count + (int(self._special(name) or 0) if append else 0)) * SECOND
            return
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
            key = index if var.kind == "A" else str(self._slot(var, index, name))
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
        if "c" in var.flags:
            value = value[:1].upper() + value[1:].lower()
        if len(value) > MAX_VALUE:
            raise ReadonlyError(f"{name}: value too large")
        self.ledger.hold(self.state, len(value))
        var.unset = False
        if index is None:
            var.value = value
        else:
            var.items[key] = value

    def _slot(self, var: Var, index: str, name: str) -> int:
        at = self.arithmetic(index)
        if at < 0:
            at += max((int(key) for key in var.items), default=-1) + 1
            if at < 0:
                raise ReadonlyError(f"{name}[{index}]: bad array subscript")
        return at
