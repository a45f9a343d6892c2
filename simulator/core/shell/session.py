"""An interactive shell: start-up files, history expansion, prompts, one line after the other."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from ..host import streams
from ..host.program import Wait
from ..kernel.errors import BudgetExceeded, SimulatorError
from .budget import Ledger
from .control import Exit, Interrupted, Jump
from .events import HistoryError, expand_history
from .expand import ExpansionError
from .lexer import Incomplete, ShellSyntaxError
from .parser import Parser
from .prompts import prompt
from .shell import Shell
from .state import ShellState

HISTORY_KEEP = 1000
#: The longest line a terminal takes.
MAX_LINE = 64 * 1024


def complete(text: str, state: ShellState) -> bool:
    """Whether a text needs no further line (a wrong text needs none either)."""
    try:
        parser = Parser(text, state.aliases)
        parser.extglob = state.shopts.get("extglob", False)
        while parser.next_command() is not None:
            pass
    except Incomplete:
        return False
    except (ShellSyntaxError, RecursionError, BudgetExceeded):
        return True
    return True


class Session:
    """Lines for one interactive shell."""

    def __init__(self, shell: Shell) -> None:
        self.shell = shell

    def start_files(self, *, login: bool) -> Generator[Wait, Any, None]:
        """Read ~/.profile (a login shell's) or ~/.bashrc."""
        shell = self.shell
        home = shell.state.get("HOME") or "/root"
        shell.quiet += 1
        try:
            for path in ["/etc/profile", f"{home}/.bash_profile", f"{home}/.profile"] if login else [f"{home}/.bashrc"]:
                if shell.tree.exists(path):
                    try:
                        yield from shell.run_source(shell.read_file(path).decode(errors="replace"))
                    except (OSError, ExpansionError):
                        continue
                    except Jump:
                        continue
        finally:
            shell.quiet -= 1
            shell.state.status = 0

    def run_text(self, text: str) -> Generator[Wait, Any, int]:
        """Run one complete text; only Exit leaves."""
        shell = self.shell
        shell.steps = 0
        shell.interrupted = False
        shell.ledger = Ledger()
        try:
            shell.state.status = yield from shell.run_source(text, aliases=True)
        except Exit:
            raise
        except (Jump, ExpansionError) as jump:
            shell.state.status = (
                130 if isinstance(jump, Interrupted) and shell.state.status in (0, 130) else shell.state.status or 1
            )
        except BudgetExceeded as failed:
            shell.err(f"bash: {failed}\n")
            shell.state.status = 1
        except RecursionError:
            shell.err("bash: nested too deeply\n")
            shell.state.status = 1
        except OSError as failed:
            shell.err(f"bash: {failed.strerror or failed}\n")
            shell.state.status = 1
        except streams.BrokenPipe:
            shell.state.status = 141
        shell.reap(report=True)
        return shell.state.status

    def before_prompt(self) -> Generator[Wait, Any, None]:
        """`PROMPT_COMMAND`; the status of the command before it stays."""
        state = self.shell.state
        command = state.get("PROMPT_COMMAND")
        if command:
            status = state.status
            yield from self.run_text(command)
            state.status = status

    def remember(self, text: str) -> str:
        """History expansion and the history itself; returns the text to run ("" when there is nothing to run)."""
        state = self.shell.state
        first = text.rstrip("\n")
        if "!" in first or first.startswith("^"):
            try:
                expanded = expand_history(first, state.history)
            except HistoryError as failed:
                self.shell.err(f"bash: {failed}\n")
                return ""
            if expanded != first:
                self.shell.out(expanded + "\n")
            first = expanded
        if first.strip():
            record(state, first)
        return first + "\n"

    def read_lines(self) -> Generator[Wait, Any, None]:
        """The loop of a nested interactive shell at a terminal."""
        shell = self.shell
        device = next((stream.device for stream in shell.fds.values() if isinstance(stream, streams.Tty)), None)
        stack: list[Shell] = device.stack if device is not None else []
        stack.append(shell)
        try:
            while True:
                pending = ""
                while True:
                    name = "PS2" if pending else "PS1"
                    text = prompt(
                        shell.state,
                        shell.world,
                        host=shell.host.name if shell.proc.mnt == "host" else shell.hostname(),
                        user=shell.proc.user,
                        name=name,
                    )
                    if device is not None:
                        device.prompt = text
                    try:
                        line = yield from shell.read_line()
                    except Interrupted:
                        shell.state.status, pending = 130, ""
                        continue
                    finally:
                        if device is not None:
                            device.prompt = ""
                    if not line:
                        shell.err("exit\n")
                        raise Exit(shell.state.status)
                    pending += line.decode("utf-8", "surrogateescape")
                    if len(pending) > MAX_LINE or complete(pending, shell.state):
                        break
                text = self.remember(pending)
                if text.strip():
                    yield from self.run_text(text)
        finally:
            if shell in stack:
                stack.remove(shell)


def record(state: ShellState, text: str) -> None:
    """Add to the history, unless it repeats the line before or starts with a blank (HISTCONTROL=ignoreboth)."""
    if text.startswith(" ") or (state.history and state.history[-1] == text):
        return
    state.history.append(text)
    if len(state.history) > HISTORY_KEEP:
        gone = len(state.history) - HISTORY_KEEP
        del state.history[:gone]
        state.history_saved = max(state.history_saved - gone, 0)


__all__ = ["Session", "SimulatorError", "complete", "expand_history", "prompt", "record"]
