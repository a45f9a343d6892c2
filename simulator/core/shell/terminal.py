"""A learner's terminal: the line discipline and the login shell.

The state (section `terminals`) is plain data: the login shell's variables, history and jobs, an unfinished text, output that has
not been drained.  A line runs as a task of the login shell's process and nothing of it stays when the prompt is back, so that
a world at its prompt can be stored.  Line editing is the browser's; whole lines come here.
"""

from __future__ import annotations

import re
from collections.abc import Generator
from typing import Any

import msgspec

from ..host import executor, processes, streams
from ..host.machine import hosts
from ..host.process import Process
from ..kernel.errors import BadInput
from ..kernel.world import World
from . import launch
from .control import Exit
from .editors.taken import Taken
from .screen import OUTPUT_LIMIT, Chunk, Device, Interactive, Terminals, TerminalState, device, drain, emit, section, show
from .session import MAX_LINE, Session, complete, prompt
from .shell import Shell
from .state import ShellState

__all__ = [
    "KEYS",
    "OUTPUT_LIMIT",
    "Chunk",
    "Device",
    "Interactive",
    "Terminal",
    "TerminalState",
    "TerminalView",
    "Terminals",
    "device",
    "drain",
    "emit",
    "section",
    "show",
]

KEYS = {"ctrl-c": (2, "^C"), "ctrl-z": (20, "^Z"), "ctrl-\\": (3, "^\\")}


class TerminalView(msgspec.Struct):
    """What the page shows of a terminal."""

    host: str
    prompt: str
    busy: bool
    continuation: bool
    columns: int = 80
    closed: bool = False
    status: int = 0
    raw: bool = False
    #: The file of the editor that has the screen, absolute.
    editing: str = ""


class Terminal:
    """A terminal of the world by name; `open` makes it."""

    def __init__(self, world: World, name: str) -> None:
        self.world = world
        self.name = name
        if name not in section(world).items:
            raise BadInput(f"no terminal {name!r}")

    @classmethod
    def open(cls, world: World, name: str, host: str, user: str = "root", *, columns: int = 80, rows: int = 24) -> Terminal:
        """Open a terminal with a login shell on a host (an open one of that name is kept)."""
        if host not in hosts(world):
            raise BadInput(f"no host {host!r}")
        items = section(world).items
        old = items.get(name)
        if old is not None and not old.closed:
            return cls(world, name)
        state = launch.login_state(world, hosts(world)[host], user)
        items[name] = TerminalState(name, host, user, 0, state, columns, rows)
        terminal = cls(world, name)
        terminal._login()
        return terminal

    # -- questions ------------------------------------------------------------------------------------------------------
    @property
    def state(self) -> TerminalState:
        """The plain data."""
        return section(self.world).items[self.name]

    @property
    def process(self) -> Process | None:
        """The login shell's process."""
        return processes.find(self.world, self.state.host, self.state.pid)

    @property
    def running(self) -> bool:
        """Whether the login shell is at work on a line."""
        return f"{self.state.host}/{self.state.pid}" in executor.get(self.world).tasks

    @property
    def busy(self) -> bool:
        """Whether a program runs in it that does not wait at a prompt of its own."""
        return self.running and not device(self.world, self.name).prompt

    def prompt(self) -> str:
        """The prompt that stands on the screen now ("" while a program runs)."""
        state = self.state
        if self.running:
            return device(self.world, self.name).prompt
        if state.closed or self.process is None:
            return ""
        return prompt(state.shell, self.world, host=state.host, user=state.user, name="PS2" if state.pending else "PS1")

    def view(self) -> TerminalView:
        """What the page shows."""
        state = self.state
        waiting = self.prompt()
        busy = self.running and not waiting
        editor = self.editor
        return TerminalView(
            state.host,
            waiting,
            busy,
            bool(state.pending),
            state.columns,
            state.closed,
            state.shell.status,
            bool(self.raw),
            editor.path if editor is not None else "",
        )

    @property
    def raw(self) -> str:
        """`raw` or `cbreak` while a program in the foreground reads keys, else ""."""
        owner = device(self.world, self.name).raw
        if owner is None or not self.running:
            return ""
        host, _, pid = owner[0].rpartition("/")
        proc = processes.find(self.world, host, int(pid))
        return owner[1] if proc is not None and proc.state != "T" else ""

    @property
    def editor(self) -> Taken | None:
        """The editor that reads this terminal's keys."""
        found: Taken | None = device(self.world, self.name).taken
        return found if found is not None and self.raw and found.path else None

    def shell(self) -> tuple[Process | None, ShellState]:
        """The innermost interactive shell (of ssh, sudo -i, kubectl exec …) and its state; no process while it is away."""
        stack = device(self.world, self.name).stack
        if stack and isinstance(stack[-1], Shell):
            return stack[-1].proc, stack[-1].state
        return self.process, self.state.shell

    # -- input ----------------------------------------------------------------------------------------------------------
    def feed_line(self, text: str) -> None:
        """A line was entered (without its newline; several lines are fed one after the other)."""
        for line in text.removesuffix("\n").split("\n"):
            self._line(line)

    def type_keys(self, text: str) -> None:
        """Keys as a terminal sends them (`\\r` for Enter, escape sequences).

        A program in raw mode reads them as they are; otherwise each Enter ends a line, control characters are the keys of `key`, and
        what is left without Enter is dropped: editing a line is the screen's business.
        """
        if len(text) > MAX_LINE:
            raise BadInput(f"at most {MAX_LINE} characters may be typed at once")
        signals = {"\x03": "ctrl-c", "\x1a": "ctrl-z", "\x1c": "ctrl-\\"}
        mode = self.raw
        if mode == "raw":
            self._to_program(text)
            return
        for piece in re.findall(r"[\x03\x1a\x1c\x04]|[^\x03\x1a\x1c\x04]+", text):
            if piece in signals:
                self.key(signals[piece])
            elif self.raw:
                self._to_program(piece)
            elif piece == "\x04":
                self.key("ctrl-d")
            else:
                for line in re.split(r"\r\n?|\n", piece)[:-1]:
                    self._line(line)

    def _to_program(self, text: str) -> None:
        screen = device(self.world, self.name)
        screen.used = 0
        screen.input.data += text.encode("utf-8", "surrogateescape")
        screen.input.wake()
        self.world.ring(f"tty:{self.name}")
        executor.get(self.world).pump()

    def _line(self, text: str) -> None:
        state = self.state
        if self.raw:
            self._to_program(text + "\r")
            return
        if len(text) > MAX_LINE:
            raise BadInput(f"a line may have at most {MAX_LINE} characters")
        if not hosts(self.world)[state.host].up:
            emit(self.world, self.name, 2, f"{state.host} is powered off\n")
            return
        if state.closed or self.process is None:
            self._reopen()
        emit(self.world, self.name, 0, f"{self.prompt()}{text}\n")
        screen = device(self.world, self.name)
        if self.running:
            screen.used = 0
            screen.input.data += text.encode("utf-8", "surrogateescape") + b"\n"
            screen.input.wake()
            executor.get(self.world).pump()
            return
        self._begin(text)

    def _begin(self, text: str) -> None:
        state = self.state
        full = state.pending + text + "\n"
        if len(full) <= MAX_LINE * 4 and not complete(full, state.shell):
            state.pending = full
            return
        state.pending = ""
        self._start(lambda session: _run(session, full))

    def _start(self, body: Any) -> None:
        world, screen = self.world, device(self.world, self.name)
        proc = self.process
        assert proc is not None
        screen.used = 0
        run = executor.get(world)
        fds: dict[int, streams.Stream] = {0: streams.Tty(screen, 1), 1: streams.Tty(screen, 1), 2: streams.Tty(screen, 2)}

        def main(task: executor.Task) -> Generator[Any, Any, int]:
            shell = Shell(run, task, self.state.shell, interactive=True)
            screen.stack.append(shell)
            session = Session(shell)
            try:
                yield from body(session)
                while b"\n" in screen.input.data[screen.input.start :]:  # typed ahead
                    yield from self._typed_ahead(session, screen)
            except Exit as ended:
                yield from shell.finish(ended.code)
                self._closed(ended.code)
                return 256 + (ended.code & 0xFF)
            finally:
                if shell in screen.stack:
                    screen.stack.remove(shell)
            screen.input.take()
            return 0

        run.begin(proc, fds, main)
        run.tasks[proc.key].keep = True
        run.pump()

    def _typed_ahead(self, session: Session, screen: Device) -> Generator[Any, Any, None]:
        line = (screen.input.take_line() or b"").decode("utf-8", "surrogateescape").rstrip("\n")
        state = self.state
        emit(self.world, self.name, 0, f"{prompt(state.shell, self.world, host=state.host, user=state.user)}{line}\n")
        text = state.pending + line + "\n"
        if complete(text, state.shell):
            state.pending = ""
            yield from _run(session, text)
        else:
            state.pending = text

    def key(self, name: str) -> None:
        """`ctrl-c`, `ctrl-d`, `ctrl-z`, `ctrl-\\`."""
        state = self.state
        screen = device(self.world, self.name)
        if state.closed or self.process is None:
            return
        if name == "ctrl-d":
            self._end_of_file(screen)
            return
        if name not in KEYS:
            raise BadInput(f"unknown key {name!r}")
        signal, shown = KEYS[name]
        if not self.running:
            if signal == 2:
                emit(self.world, self.name, 0, f"{self.prompt()}{shown}\n")
                state.pending, state.shell.status = "", 130
            return
        waiting = screen.prompt
        emit(self.world, self.name, 0, waiting + shown + ("\n" if waiting else ""))
        screen.input.take()
        shell = screen.stack[-1] if screen.stack else None
        if shell is not None and shell.group is not None:
            self._signal_group(shell.group, signal)
        elif shell is not None and processes.alive(self.world, shell.proc):
            if signal == 2 and not waiting:
                emit(self.world, self.name, 0, "\n")
            if signal == 2:
                processes.kill(self.world, shell.proc, 2)
        executor.get(self.world).pump()

    def _signal_group(self, group: tuple[str, int], signal: int) -> None:
        host, pgid = group
        for pid in sorted(hosts(self.world)[host].processes):
            proc = processes.find(self.world, host, pid)
            if proc is not None and proc.pgid == pgid:
                processes.kill(self.world, proc, signal)

    def _end_of_file(self, screen: Device) -> None:
        if self.running:
            screen.input.ended = True
            screen.input.wake()
            executor.get(self.world).pump()
        elif not self.state.pending:
            emit(self.world, self.name, 0, self.prompt())
            self._begin("exit")

    def resize(self, columns: int, rows: int) -> None:
        """The window has another size."""
        self.state.columns, self.state.rows = max(columns, 20), max(rows, 5)
        self.world.ring(f"tty:{self.name}")
        executor.get(self.world).pump()

    def close(self) -> None:
        """The window was closed: everything on the terminal gets SIGHUP."""
        world, state = self.world, self.state
        for name in sorted(hosts(world)):
            for pid in sorted(hosts(world)[name].processes):
                proc = processes.find(world, name, pid)
                if proc is not None and proc.tty == self.name and pid != state.pid:
                    processes.kill(world, proc, 1)
        proc = self.process
        if proc is not None:
            run = executor.get(world)
            if run.owns(proc):
                run.signal(proc, 9)
            processes.finish(world, proc, 129)
        self._closed(129)
        executor.get(world).pump()
        section(world).items.pop(self.name, None)
        world.warm.get("tty", {}).pop(self.name, None)

    # -- the login shell ------------------------------------------------------------------------------------------------
    def _login(self) -> None:
        state = self.state
        home = state.shell.cwd
        proc = processes.add(
            self.world,
            host=state.host,
            program="bash",
            argv=["-bash"],
            user=state.user,
            cwd=home,
            env=state.shell.environment(),
            tty=self.name,
        )
        state.pid, state.closed, state.pending = proc.pid, False, ""
        world = self.world
        device(world, self.name)
        self._start(lambda session: _start_up(session))

    def _reopen(self) -> None:
        state = self.state
        state.shell = launch.login_state(self.world, hosts(self.world)[state.host], state.user)
        self._login()

    def _closed(self, code: int) -> None:
        state = section(self.world).items.get(self.name)
        if state is not None:
            state.closed, state.pending = True, ""


def reopen(world: World) -> None:
    """Log in again where a login shell has ended (`exit`): a page's terminal is never dead."""
    for name in sorted(section(world).items):
        terminal = Terminal(world, name)
        if terminal.state.closed and hosts(world)[terminal.state.host].up:
            terminal.state.closed = False
            terminal._reopen()


def _start_up(session: Session) -> Generator[Any, Any, int]:
    yield from session.start_files(login=True)
    return 0


def _run(session: Session, text: str) -> Generator[Any, Any, int]:
    text = session.remember(text)
    code = 0
    if text.strip():
        code = yield from session.run_text(text)
    else:
        session.shell.reap(report=True)
    yield from session.before_prompt()
    return code
