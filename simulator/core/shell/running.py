"""What every part of the shell stands on: its state, its budget, its signals."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from ..host.executor import Executor, Task
from ..host.program import Sleep, Wait, WaitRead
from ..kernel.clock import MS
from ..kernel.errors import BudgetExceeded
from . import builtins, prompts
from .budget import DEBT, MAX_STEPS, Code, Ledger
from .compound import Compound
from .control import Discard, Exit, Interrupted, Jump
from .parser import Parser
from .state import ShellState, Var
from .syntax import Command, CommandSub, Simple, Word


class Running(Compound):
    """State, budget and signals of one running shell."""

    #: How deep in substitutions, `eval` and `source`: how often PS4's first sign is repeated.
    level: int

    def run_source(self, text: str, *, aliases: bool = False, line: int = 1) -> Code:
        """Parse and run a text (provided by the interpreter)."""
        raise NotImplementedError

    def run_simple(self, command: Simple) -> Code:
        """A simple command (provided by the interpreter)."""
        raise NotImplementedError

    def __init__(
        self, executor: Executor, task: Task, state: ShellState, *, interactive: bool = False, parent: Running | None = None
    ) -> None:
        super().__init__(executor, task)
        self.state = state
        self.interactive = interactive
        self.subshell = parent is not None
        self.shell_pid = parent.shell_pid if parent is not None else self.proc.pid
        self.line = parent.line if parent is not None else 1
        self.steps = 0
        self.debt = 0
        self.quiet = parent.quiet if parent is not None else 0
        self.ledger: Ledger = parent.ledger if parent is not None else Ledger()
        self.loops = 0
        self.calls = parent.calls if parent is not None else 0
        self.function_stack = list(parent.function_stack) if parent is not None else []
        self.locals: list[dict[str, Var | None]] = []
        self.pipe_status = [0]
        self.substituted: int | None = None
        self.interrupted = False
        self.pending: list[int] = []
        self.parsed: dict[str, Command] = parent.parsed if parent is not None else {}
        self.temporary: list[int] = []
        self.sources = list(parent.sources) if parent is not None else []
        self.call_lines = list(parent.call_lines) if parent is not None else []
        self.line_base = parent.line_base if parent is not None else 0
        self.nesting = parent.nesting + 1 if parent is not None else 0
        self.level = parent.level if parent is not None else 0
        #: Where commands were found, by name and PATH (bash's hash table).
        self.hashed: dict[tuple[str, str], str] = parent.hashed if parent is not None else {}
        self.trapping = False
        self.command_text = parent.command_text if parent is not None else ""
        task.on_signal = self.on_signal

    @property
    def expands_aliases(self) -> bool:
        """Whether command names are looked up among the aliases."""
        return self.state.shopts.get("expand_aliases", self.interactive)

    def hostname(self) -> str:
        """The host name that a prompt shows inside a container."""
        try:
            return self.tree.read("/etc/hostname").decode(errors="replace").strip() or self.host.name
        except OSError:
            return self.host.name

    def complain(self, text: str) -> None:
        """Print a message as bash does: with the line number unless interactive."""
        where = "bash: " if self.interactive else f"{self.sources[-1] if self.sources else self.state.name}: line {self.line}: "
        self.err(f"{where}{text}\n")

    # -- tracing --------------------------------------------------------------------------------------------------------
    def prompt_text(self, text: str) -> str:
        """A prompt (PS4, `${x@P}`) with its escapes and parameters expanded; command substitutions are left out."""
        word = Parser(prompts.escapes(text, self.state, self.world, host=self.host.name, user=self.proc.user)).read_quoted("")
        plain: Word = [part for part in word if not isinstance(part, CommandSub)]
        try:
            next(self.expand_text(plain))
        except StopIteration as done:
            return str(done.value)
        return text

    def trace(self, text: str) -> None:
        """A line of `set -x`."""
        prefix = self.prompt_text(self.state.get("PS4") or "+ ")
        fd = self.state.get("BASH_XTRACEFD") or "2"
        self.write_fd(int(fd) if fd.isdigit() and int(fd) in self.fds else 2, f"{prefix[:1] * self.level}{prefix}{text}\n")

    def before(self, text: str, line: int) -> Generator[Wait, Any, None]:
        """What happens before each command: its line, BASH_COMMAND, the DEBUG trap."""
        self.line = line + self.line_base
        if self.trapping:
            return
        self.command_text = text
        if "DEBUG" in self.state.traps and (not self.function_stack or self.state.options.get("functrace")):
            yield from self.run_trap("DEBUG")

    def run_trap(self, name: str) -> Code:
        """Run a trap's action; `$?` is afterwards what it was."""
        action = self.state.traps.get(name, "")
        if not action or self.trapping:
            return 0
        status, line = self.state.status, self.line
        self.trapping = True
        try:
            return (yield from self.run_source(action, line=line))
        finally:
            self.trapping = False
            self.state.status, self.line = status, line

    def charge(self, cost: int) -> Generator[Wait, Any, None]:
        """Account for a step; lets time pass when enough has gathered, and acts on signals that came."""
        self.steps += 1
        if self.ledger.stopped and self.subshell:
            raise Exit(254)
        if self.steps > MAX_STEPS:
            raise BudgetExceeded(f"stopped after {MAX_STEPS} commands: a line may run no more here")
        self.debt += cost
        if self.debt >= DEBT:
            debt, self.debt = self.debt, 0
            yield Sleep(debt)
        yield from self.check_signals()

    def on_signal(self, number: int) -> bool:
        """A signal for this shell: a trap takes it, an interactive shell survives it."""
        name = builtins.SIGNAL_NAMES.get(number, str(number))
        if name in self.state.traps:
            if self.state.traps[name]:
                self.pending.append(number)
            return True
        if self.interactive:
            if number == 2:
                self.interrupted = True
            return number in (2, 3, 15, 20)
        if self.state.traps.get("EXIT") and number != 9:
            self.pending.append(-number)
            return True
        return False

    def run_traps(self) -> Generator[Wait, Any, None]:
        """Run the traps of signals that came."""
        while self.pending:
            number = self.pending.pop(0)
            if number < 0:
                raise Exit(128 - number)
            status = self.state.status
            yield from self.run_source(self.state.traps.get(builtins.SIGNAL_NAMES[number], ""))
            self.state.status = status

    def wait_input(self, fd: int = 0, deadline: int | None = None) -> Generator[Wait, Any, Any]:
        """Wait for input; an interrupt ends the wait, a deadline gives None."""
        while True:
            stream = self.fds.get(fd)
            if stream is None:
                raise OSError(9, "Bad file descriptor")
            if stream.ready:
                return stream
            if deadline is not None:
                if self.world.now >= deadline:
                    return None
                yield Sleep(min(20 * MS, deadline - self.world.now))
            else:
                yield WaitRead(fd)
            yield from self.check_signals()

    def input_wait(self, fd: int) -> Wait:
        """The wait for more input of a descriptor."""
        return WaitRead(fd)

    def check_signals(self) -> Generator[Wait, Any, None]:
        """Act on signals that came while waiting."""
        if self.interrupted:
            self.interrupted = False
            raise Interrupted
        if self.pending:
            yield from self.run_traps()

    def finish(self, status: int) -> Code:
        """Run the EXIT trap."""
        trap = self.state.traps.pop("EXIT", "")
        if trap:
            self.state.status = status
            try:
                yield from self.run_source(trap)
            except Exit:
                raise
            except Jump as cut:  # a failed expansion ends the trap, not the shell's own course
                return cut.code if isinstance(cut, Discard) else self.state.status
        return status
