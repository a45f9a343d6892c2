"""The interpreter: lists, pipelines, simple commands; compound commands are in compound.py, jobs in jobs.py.

Everything that may wait is a generator.  A subshell is a task of its own with a copy of the state.  Each command costs a
little virtual time (`BUILTIN_COST`, `PROCESS_COST`), paid in portions of `DEBT`, so that a loop that never waits still lets
time pass; `MAX_STEPS` commands a line are the budget.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from types import GeneratorType
from typing import Any

from ..host import processes, streams
from ..host.executor import MAX_TASKS, Ended, Executor, Task, resolve
from ..host.filesystem import Inode
from ..host.process import Process
from ..host.program import Sleep, Steps, Wait, WaitRead
from ..kernel.clock import MS, US
from ..kernel.errors import BadInput, BudgetExceeded, NotSimulated
from . import builtins, known
from .compound import Compound
from .control import Break, Continue, Exit, Interrupted, Jump, Return
from .expand import ExpansionError, quote, shell_quote
from .lexer import ASSIGN, Incomplete, ShellSyntaxError
from .params import ReadonlyError
from .parser import DECLARERS, Parser
from .redirect import Fds, RedirectError
from .state import ShellState, Var
from .syntax import AndOr, ArrayLit, Command, CommandSub, ListNode, Lit, Pipeline, ProcessSub, Simple

BUILTIN_COST = 100 * US
PROCESS_COST = MS
DEBT = 10 * MS
MAX_STEPS = 100_000
MAX_FORKS = 20_000
MAX_CALLS = 50
Code = Generator[Wait, Any, int]


class Ledger:
    """What a line and all its subshells have used together: processes started, and whether they must stop."""

    def __init__(self) -> None:
        self.forks = 0
        self.stopped = False


class Shell(Compound):
    """One running shell."""

    def __init__(
        self, executor: Executor, task: Task, state: ShellState, *, interactive: bool = False, parent: Shell | None = None
    ) -> None:
        super().__init__(executor, task)
        self.state = state
        self.interactive = interactive
        self.subshell = parent is not None
        self.shell_pid = parent.shell_pid if parent is not None else self.proc.pid
        self.line = parent.line if parent is not None else 1
        self.line_base = 0
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
        task.on_signal = self.on_signal

    def hostname(self) -> str:
        """The host name that a prompt shows inside a container."""
        try:
            return self.tree.read("/etc/hostname").decode(errors="replace").strip() or self.host.name
        except OSError:
            return self.host.name

    # -- messages -------------------------------------------------------------------------------------------------------
    def complain(self, text: str) -> None:
        """Print a message as bash does: with the line number unless interactive."""
        where = "bash: " if self.interactive else f"{self.state.name}: line {self.line}: "
        self.err(f"{where}{text}\n")

    # -- time and signals -----------------------------------------------------------------------------------------------
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

    # -- whole texts ----------------------------------------------------------------------------------------------------
    def run_source(self, text: str, *, aliases: bool = False) -> Code:
        """Parse and run a text command by command; the status of the last."""
        status = 0
        try:
            parser = Parser(text, self.state.aliases if aliases else {})
            parser.final = True
            while True:
                parser.extglob = self.state.shopts.get("extglob", False)
                node = parser.next_command()
                for line, wanted in parser.unended:
                    self.line = text.count("\n") + 1
                    self.complain(f"warning: here-document at line {line} delimited by end-of-file (wanted `{wanted}')")
                parser.unended.clear()
                if node is None:
                    return status
                status = yield from self.run_list(node)
        except ShellSyntaxError as failed:
            line = parser.src.count("\n", 0, parser.pos) + 1
            self._syntax_error(str(failed), text, line)
        except Incomplete as failed:
            line = text.count("\n") + (0 if text.endswith("\n") else 1)
            if failed.want in ("'", '"', "`", ")", "}"):
                self._syntax_error(f"unexpected EOF while looking for matching `{failed.want}'", text, line)
            else:
                self.line = line + 1
                self._syntax_error("syntax error: unexpected end of file", "", line + 1)
        self.state.status = 2
        return 2

    def _syntax_error(self, message: str, text: str, line: int) -> None:
        if "bad substitution" in message:
            self.complain(message)
            self.state.status = 1
            raise ExpansionError("")
        source = text.split("\n")[line - 1] if 0 < line <= text.count("\n") + 1 else ""
        if self.interactive:
            self.err(f"bash: {message}\n")
            return
        name = self.state.name + (": -c" if self.from_argument else "")
        self.err(f"{name}: line {line}: {message}\n")
        if "near unexpected" in message:
            self.err(f"{name}: line {line}: `{source}'\n")

    from_argument = False

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

    def run_main(self, text: str) -> Code:
        """Run a whole program: a script or `-c` text, ending as a shell process ends."""
        status = 0
        try:
            try:
                status = yield from self.run_source(text)
            except Exit as ended:
                status = ended.code
            except Return as ended:
                status = ended.code
            except Jump:
                status = self.state.status
            status = yield from self.finish(status)
        except Exit as ended:
            status = ended.code
        return status & 0xFF

    def finish(self, status: int) -> Code:
        """Run the EXIT trap."""
        trap = self.state.traps.pop("EXIT", "")
        if trap:
            self.state.status = status
            yield from self.run_source(trap)
        return status

    # -- lists and pipelines --------------------------------------------------------------------------------------------
    def run_list(self, node: ListNode) -> Code:
        """Run and-or lists in order."""
        status = 0
        for item in node.items:
            if item.background:
                status = yield from self.background(item)
            else:
                status = yield from self.run_and_or(item)
        return status

    def run_and_or(self, item: AndOr) -> Code:
        """Pipelines joined by `&&` and `||`."""
        if not item.rest:
            return (yield from self.run_pipeline(item.first, item.text))
        self.quiet += 1
        try:
            status = yield from self.run_pipeline(item.first, item.text)
        finally:
            self.quiet -= 1
        for number, (op, pipeline) in enumerate(item.rest):
            if (status == 0) != (op == "&&"):
                continue
            last = number == len(item.rest) - 1
            self.quiet += not last
            try:
                status = yield from self.run_pipeline(pipeline, item.text)
            finally:
                self.quiet -= not last
        return status

    def run_pipeline(self, pipeline: Pipeline, text: str = "") -> Code:
        """Commands side by side, joined by pipes."""
        if pipeline.negate:
            self.quiet += 1
        started = self.world.now + self.debt
        try:
            if len(pipeline.commands) == 1:
                status = yield from self.guarded(pipeline.commands[0])
                if not isinstance(pipeline.commands[0], Simple) or not self.pipe_fresh:
                    self.pipe_status = [status]
                self.pipe_fresh = False
            else:
                status = yield from self._pipes(pipeline, text)
        finally:
            if pipeline.negate:
                self.quiet -= 1
        if pipeline.negate:
            status = int(not status)
        self.state.status = status
        if pipeline.timed:
            self._report_time(self.world.now + self.debt - started)
        if status and not self.quiet and not pipeline.negate:
            if self.state.traps.get("ERR") and not self.function_stack:
                yield from self.run_source(self.state.traps["ERR"])
                self.state.status = status
            if self.state.options.get("errexit"):
                raise Exit(status)
        return status

    pipe_fresh = False

    def _report_time(self, elapsed: int) -> None:
        seconds = elapsed / 1e9
        text = f"{int(seconds // 60)}m{seconds % 60:.3f}s"
        self.err(f"\nreal\t{text}\nuser\t0m0.00{min(self.steps, 9)}s\nsys\t0m0.00{min(self.steps // 2, 9)}s\n")

    def _pipes(self, pipeline: Pipeline, text: str) -> Code:
        procs: list[Process] = []
        before: streams.Stream | None = None
        group = 0
        for number, command in enumerate(pipeline.commands):
            fds = dict(self.fds)
            if before is not None:
                fds[0] = before
            reader: streams.PipeReader | None = None
            writer: streams.Stream | None = None
            if number < len(pipeline.commands) - 1:
                reader, end = streams.pipe()
                reader.dup()
                writer = end.dup()
                fds[1] = writer
                if pipeline.errors[number]:
                    fds[2] = writer
            proc = self.fork(_runner(command), fds, pgid=group)
            if self.interactive and not group:
                group = proc.pgid
            procs.append(proc)
            for stream in (before, writer):
                if stream is not None:
                    stream.close()
            before = reader
        yield from self.charge(PROCESS_COST * len(procs))
        codes = yield from self.foreground(procs, text)
        self.pipe_status = codes
        if self.state.options.get("pipefail"):
            return next((code for code in reversed(codes) if code), 0)
        return codes[-1]

    def fork(self, body: Callable[[Shell], Code], fds: Fds, *, pgid: int = 0) -> Process:
        """Start a subshell that runs `body`; too many at once, or in all, end the whole line."""
        self.ledger.forks += 1
        if self.ledger.stopped or self.ledger.forks > MAX_FORKS or len(self.executor.tasks) >= MAX_TASKS:
            if not self.ledger.stopped:
                self.ledger.stopped = True
                self.complain("fork: retry: Resource temporarily unavailable")
            raise Exit(254) if self.subshell else BudgetExceeded("fork: Resource temporarily unavailable")
        proc = processes.add(
            self.world,
            host=self.host.name,
            program="bash",
            argv=["bash"],
            ppid=self.proc.pid,
            user=self.proc.user,
            cwd=self.proc.cwd,
            env=self.proc.env,
            mnt=self.proc.mnt,
            netns=self.proc.netns,
            container=self.proc.container,
            tty=self.proc.tty,
            pgid=pgid or (0 if self.interactive else self.proc.pgid),
        )
        state = self.state.copy()
        proc.umask = state.umask

        def main(task: Task) -> Steps:
            child = Shell(self.executor, task, state, parent=self)
            child.from_argument = self.from_argument
            try:
                try:
                    return (yield from child.finish((yield from body(child))))
                except Exit as ended:
                    return (yield from child.finish(ended.code))
            except Exit as ended:
                return ended.code
            except Jump:
                return child.state.status
            except ExpansionError as failed:
                child.complain(str(failed))
                return 1

        return self.executor.begin(proc, fds, main)

    def substitute(self, body: ListNode) -> Generator[Wait, Any, str]:
        """The output of `$(…)` without its last newlines."""
        quick = self._file_substitution(body)
        if quick is not None:
            redirected, opened = yield from self.open_redirects(quick.redirects, self.fds)
            data = redirected[0].take() if redirected[0].ready else b""
            for stream in opened:
                stream.close()
        else:
            capture = streams.Capture()
            fds = dict(self.fds)
            fds[1] = capture
            yield from self.charge(PROCESS_COST)
            proc = self.fork(lambda shell: shell.run_list(body), fds, pgid=self.proc.pgid)
            self.substituted = (yield from self.foreground([proc], ""))[0]
            data = bytes(capture.data)
        return data.replace(b"\0", b"").decode("utf-8", "surrogateescape").rstrip("\n")

    def _file_substitution(self, body: ListNode) -> Simple | None:
        if len(body.items) != 1 or body.items[0].rest or len(body.items[0].first.commands) != 1:
            return None
        command = body.items[0].first.commands[0]
        if (
            isinstance(command, Simple)
            and not command.words
            and not command.assigns
            and len(command.redirects) == 1
            and command.redirects[0].op == "<"
        ):
            return command
        return None

    def pipe_substitution(self, part: ProcessSub) -> streams.Stream:
        """Start a process substitution; our end of its pipe."""
        reader, writer = streams.pipe()
        fds = dict(self.fds)
        mine: streams.Stream
        mine, theirs = (reader, writer) if part.direction == "<" else (writer, reader)
        fds[1 if part.direction == "<" else 0] = theirs
        mine.refs += 1
        self.fork(lambda shell: shell.run_list(part.body), fds)
        mine.refs -= 1
        return mine

    def process_substitution(self, part: ProcessSub) -> Generator[Wait, Any, str]:
        """`<(…)` as a word: what it prints, complete, behind `/dev/fd/N`."""
        fd = next(n for n in range(63, 0, -1) if n not in self.fds)
        if part.direction == ">":
            self.fds[fd] = self.pipe_substitution(part).dup()
        else:
            capture = streams.Capture()
            inner = dict(self.fds)
            inner[1] = capture
            proc = self.fork(lambda shell: shell.run_list(part.body), inner)
            yield from self.executor.wait(proc)
            self.fds[fd] = streams.Buffer(bytes(capture.data)).dup()
        self.temporary.append(fd)
        return f"/dev/fd/{fd}"

    # -- commands -------------------------------------------------------------------------------------------------------
    def guarded(self, command: Command) -> Code:
        """Run a command; failures of expansions and redirections become messages."""
        try:
            if isinstance(command, Simple):
                status = yield from self.run_simple(command)
            else:
                status = yield from self.run_compound(command)
        except RedirectError as failed:
            self.complain(str(failed))
            status = 1
        except ReadonlyError as failed:
            self.complain(str(failed))
            status = 1
            if not self.interactive and isinstance(command, Simple) and not command.words:
                raise Exit(1) from None
        except ExpansionError as failed:
            if str(failed):
                self.complain(str(failed))
            self.state.status = status = 1
            if not self.interactive:
                raise Exit(127 if failed.fatal and not self.subshell else 1) from None
            raise Interrupted from None
        self.state.status = status
        return status

    def run_simple(self, command: Simple) -> Code:
        """A simple command: expand, assign, redirect, find, run."""
        self.line = command.line + self.line_base
        self.substituted = None
        mark = len(self.temporary)
        try:
            words, arrays = yield from self._command_words(command)
            if not words:
                return (yield from self._assign_only(command))
            if self.state.options.get("xtrace"):
                self.err(f"+ {' '.join(_traced(word) for word in words)}\n")
            self.last_argument = words[-1]
            status = yield from self._dispatch(command, words)
            for name, literal, append, kind in arrays:
                yield from self.assign_array(name, literal, append, kind)
            return status
        finally:
            for fd in self.temporary[mark:]:
                stream = self.fds.pop(fd, None)
                if stream is not None:
                    stream.close()
            del self.temporary[mark:]

    def _command_words(self, command: Simple) -> Generator[Wait, Any, tuple[list[str], list[tuple[str, ArrayLit, bool, str]]]]:
        """The words of a command; arguments of declaring builtins that assign are not split, arrays are kept apart."""
        arrays: list[tuple[str, ArrayLit, bool, str]] = []
        first = command.words[0] if command.words else []
        if not (len(first) == 1 and isinstance(first[0], Lit) and first[0].text in DECLARERS):
            return (yield from self.expand_words(command.words)), arrays
        words = [first[0].text]
        for word in command.words[1:]:
            head = word[0] if word else None
            if len(word) == 2 and isinstance(word[1], ArrayLit) and isinstance(head, Lit):
                name = head.text.rstrip("=").rstrip("+")
                kind = "A" if any(item.startswith("-") and "A" in item for item in words) else "a"
                arrays.append((name, word[1], head.text.endswith("+="), kind))
                words += ["-a"] if kind == "a" and "-a" not in words and words[0] != "export" else []
                words.append(name)
            elif isinstance(head, Lit) and not head.quoted and ASSIGN.match(head.text) and "=" in head.text:
                words.append((yield from self.expand_text(word)))
            else:
                words += yield from self.expand_words([word])
        if arrays and words[0] != "export":
            words = [words[0], *[w for w in words[1:] if w.startswith("-")], *[w for w in words[1:] if not w.startswith("-")]]
        return words, arrays

    def _assign_only(self, command: Simple) -> Code:
        for assign in command.assigns:
            yield from self.expand_assign(assign)
            if self.state.options.get("xtrace"):
                self.err(f"+ {assign.name}={_traced(self.scalar(assign.name) or '') if self.scalar(assign.name) else ''}\n")
        _, opened = yield from self.open_redirects(command.redirects, self.fds)
        for stream in opened:
            stream.close()
        yield from self.charge(BUILTIN_COST // 10)
        return self.substituted or 0

    def _dispatch(self, command: Simple, words: list[str]) -> Code:
        name = words[0]
        fds, opened = yield from self.open_redirects(command.redirects, self.fds)
        saved: dict[str, Var | None] = {}
        try:
            special = name in self.state.functions or name in builtins.BUILTINS
            if special or command.assigns:
                for assign in command.assigns:
                    old = self.state.vars.get(assign.name)
                    saved.setdefault(assign.name, None if old is None else Var(old.kind, old.value, dict(old.items), old.flags))
                    yield from self.expand_assign(assign)
                    var = self.state.vars[assign.name]
                    if "x" not in var.flags:
                        var.flags += "x"
            if name in self.state.functions:
                yield from self.charge(BUILTIN_COST)
                return (yield from self.with_fds(fds, lambda: self.call_function(name, words[1:])))
            if name in builtins.BUILTINS:
                yield from self.charge(BUILTIN_COST)
                if name == "exec":
                    return (yield from self.exec_builtin(words, fds))
                return (yield from self.with_fds(fds, lambda: self.run_builtin(name, words)))
            return (yield from self.run_external(words, fds))
        finally:
            for stream in opened:
                stream.close()
            for key, old in saved.items():
                if old is None:
                    self.state.vars.pop(key, None)
                else:
                    self.state.vars[key] = old

    def with_fds(self, fds: Fds, work: Callable[[], Code]) -> Code:
        """Run something with other descriptors and put the old ones back."""
        if fds == self.fds:
            return (yield from work())
        before = self.task.fds
        self.task.fds = {fd: stream.dup() for fd, stream in fds.items()}
        try:
            return (yield from work())
        finally:
            current, self.task.fds = self.task.fds, before
            for stream in current.values():
                stream.close()

    def run_builtin(self, name: str, words: list[str]) -> Code:
        """Run a builtin with the shell's present descriptors."""
        try:
            result = builtins.BUILTINS[name](self, words)
            if isinstance(result, GeneratorType):
                result = yield from result
            return int(result or 0)
        except Ended as ended:
            return ended.code
        except OSError as failed:
            where = f"{failed.filename}: " if failed.filename else ""
            self.complain(f"{name}: {where}{failed.strerror or failed}")
            return 1
        except (NotSimulated, BadInput) as failed:
            self.err(f"{name}: {failed}\n")
            return 1

    def find_command(self, name: str) -> tuple[str, Inode]:
        """The executable of a command name."""
        path = self.state.get("PATH")
        return resolve(self.host, self.proc.mnt, name, cwd=self.proc.cwd, path="" if path is None else path, user=self.proc.user)

    def run_external(self, words: list[str], fds: Fds) -> Code:
        """Run a program and wait for it."""
        name = words[0]
        try:
            found = self.find_command(name)
        except OSError as failed:
            yield from self.charge(BUILTIN_COST)
            return self.cannot_run(name, failed, fds)
        script = found[1].kind == "file" and self.tree.read(found[0])[:2] != b"#!"
        if script:
            words = ["/bin/bash", name if "/" in name else found[0], *words[1:]]
            found = resolve(self.host, self.proc.mnt, "/bin/bash", cwd="/", path="")
        yield from self.charge(PROCESS_COST)
        try:
            proc = self.executor.spawn_like(
                self.proc,
                words,
                fds,
                env=self.state.environment(),
                cwd=self.proc.cwd,
                found=found,
                pgid=-1 if self.interactive else 0,
            )
        except BlockingIOError:
            self.complain("fork: retry: Resource temporarily unavailable")
            return 254
        codes = yield from self.foreground([proc], " ".join(words))
        return codes[0]

    def cannot_run(self, name: str, failed: OSError, fds: Fds) -> int:
        """Say why a command cannot run: 127 or 126."""
        before, self.task.fds = self.task.fds, fds
        try:
            if "/" in name:
                if failed.strerror == "Is a directory":
                    self.complain(f"{name}: Is a directory")
                    return 126
                self.complain(f"{name}: {failed.strerror}")
                return 127 if failed.errno == 2 else 126
            if failed.errno == 13:
                self.complain(f"{name}: Permission denied")
                return 126
            if name in known.KNOWN and self.proc.mnt == "host":
                self.err(f"{name}: not simulated in Slipway yet\n")
            else:
                self.complain(f"{name}: command not found" if name else ": command not found")
            return 127
        finally:
            self.task.fds = before

    def exec_builtin(self, words: list[str], fds: Fds) -> Code:
        """`exec`: replace the shell, or change its descriptors."""
        if len(words) == 1:
            new = {fd: stream.dup() for fd, stream in fds.items()}
            for stream in self.task.fds.values():
                stream.close()
            self.task.fds = new
            return 0
        code = yield from self.run_external(words[1:], fds)
        raise Exit(code)


def _runner(command: Command) -> Callable[[Shell], Code]:
    return lambda shell: shell.guarded(command)


def _traced(word: str) -> str:
    return word if word and shell_quote(word) == word else quote(word)


__all__ = ["Break", "CommandSub", "Continue", "Shell"]
