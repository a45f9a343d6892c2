"""Subshells and what is made of their output: `$(…)`, `<(…)`."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any

from ..host import processes, streams
from ..host.executor import MAX_TASKS, Task
from ..host.process import Process
from ..host.program import Steps, Wait
from ..kernel.errors import BudgetExceeded
from .budget import MAX_FORKS, PROCESS_COST, Code
from .control import Discard, Exit, Interrupted, Jump
from .expand import ExpansionError
from .params import ReadonlyError
from .redirect import Fds, RedirectError
from .running import Running
from .syntax import Command, ListNode, ProcessSub, Simple


class Substitution(Running):
    """Subshells and substitutions."""

    def fork(self, body: Callable[[Any], Code], fds: Fds, *, pgid: int = 0, deeper: int = 0) -> Process:
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
            argv=list(self.proc.argv),
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
            child = type(self)(self.executor, task, state, parent=self)
            child.from_argument = self.from_argument
            child.level += deeper
            child.inherited = list(self.state.jobs)
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
            proc = self.fork(lambda shell: shell.run_substituted(body), fds, pgid=self.proc.pgid, deeper=1)
            self.substituted = (yield from self.foreground([proc], ""))[0]
            data = bytes(capture.data)
        if b"\0" in data:
            self.complain("warning: command substitution: ignored null byte in input")
        return data.replace(b"\0", b"").decode("utf-8", "surrogateescape").rstrip("\n")

    def run_substituted(self, body: ListNode) -> Code:
        """The body of `$(…)`: without `set -e`, unless `inherit_errexit` is on."""
        if not self.state.shopts.get("inherit_errexit"):
            self.state.options.pop("errexit", None)
        return (yield from self.run_alone(body))

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
            if not self.interactive and not failed.fatal and not self.subshell and not self.state.options.get("errexit"):
                raise Discard(1) from None
            if not self.interactive:
                raise Exit(127 if failed.fatal and not self.subshell and not self.state.options.get("errexit") else 1) from None
            raise Interrupted from None
        self.state.status = status
        return status
