"""The interpreter: lists, pipelines, simple commands; compound commands are in compound.py, jobs in jobs.py.

Everything that may wait is a generator.  A subshell is a task of its own with a copy of the state.  Each command costs a
little virtual time (`BUILTIN_COST`, `PROCESS_COST`), paid in portions of `DEBT`, so that a loop that never waits still lets
time pass; `MAX_STEPS` commands a line are the budget.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator
from types import GeneratorType
from typing import Any

from ..host import pidspace, streams
from ..host.executor import Ended, resolve
from ..host.filesystem import Inode
from ..host.process import Process
from ..host.program import Wait
from ..kernel.errors import BadInput, NotSimulated
from . import builtins, known
from .budget import BUILTIN_COST, PROCESS_COST, Code
from .control import Break, Continue, Discard, Exit, Jump, Return
from .expand import quote, shell_quote
from .lexer import ASSIGN, Incomplete, ShellSyntaxError
from .parser import Parser
from .redirect import Fds
from .reserved import DECLARERS
from .state import Var, sorted_items
from .substitution import Substitution
from .syntax import (
    AndOr,
    ArrayLit,
    Assign,
    Case,
    CFor,
    Command,
    CommandSub,
    For,
    Group,
    If,
    ListNode,
    Lit,
    Pipeline,
    Simple,
    While,
)


class Shell(Substitution):
    """One running shell."""

    # -- messages -------------------------------------------------------------------------------------------------------

    # -- time and signals -----------------------------------------------------------------------------------------------

    # -- whole texts ----------------------------------------------------------------------------------------------------
    def run_source(self, text: str, *, aliases: bool = False, line: int = 1) -> Code:
        """Parse and run a text, whose first line has number `line`, command by command; the status of the last."""
        base, self.line_base = self.line_base, line - 1
        try:
            return (yield from self._run_source(text, aliases))
        finally:
            self.line_base = base

    def _run_source(self, text: str, aliases: bool) -> Code:
        status = 0
        whole = self.depth == 0 and not self.subshell and not self.function_stack and not self.trapping
        try:
            parser = Parser(text, self.state.aliases if aliases or self.state.shopts.get("expand_aliases") else {})
            parser.final = True
            while True:
                parser.extglob = self.state.shopts.get("extglob", False)
                if parser.aliases is not self.state.aliases and self.state.shopts.get("expand_aliases"):
                    parser.aliases = self.state.aliases
                start = parser.pos
                node = parser.next_command()
                if self.state.options.get("verbose") and node is not None:
                    self.err(parser.src[start : parser.pos].strip("\n") + "\n")
                if self.state.options.get("noexec") and node is not None:
                    continue
                for line, wanted in parser.unended:
                    self.line = text.count("\n") + 1
                    self.complain(f"warning: here-document at line {line} delimited by end-of-file (wanted `{wanted}')")
                parser.unended.clear()
                if node is None:
                    return status
                self.replaced = whole and self.from_argument and not self.state.traps and parser.ended() and _is_single(node)
                try:
                    status = yield from self.run_list(node)
                except Discard as failed:
                    if self.subshell or parser.pos >= len(parser.src.rstrip()):
                        raise
                    status = self.state.status = failed.code
        except ShellSyntaxError as failed:
            line = parser.src.count("\n", 0, parser.pos) + 1 + self.line_base
            self._syntax_error(str(failed), text, line)
        except Incomplete as failed:
            line = text.count("\n") + (0 if text.endswith("\n") else 1) + self.line_base
            if failed.want in ("'", '"', "`", ")", "}"):
                self._syntax_error(f"unexpected EOF while looking for matching `{failed.want}'", text, line)
            else:
                self.line = line + 1
                self._syntax_error("syntax error: unexpected end of file", "", line + 1)
        self.state.status = 2
        return 2

    def _syntax_error(self, message: str, text: str, line: int) -> None:
        at = line - self.line_base
        source = text.split("\n")[at - 1] if 0 < at <= text.count("\n") + 1 else ""
        if self.interactive:
            self.err(f"bash: {message}\n")
            return
        name = self.sources[-1] if self.sources else self.state.name
        if self.evaluating:
            name += ": eval"
        elif not self.sources and self.from_argument:
            name += ": -c"
        self.err(f"{name}: line {line}: {message}\n")
        if "near unexpected" in message:
            self.err(f"{name}: line {line}: `{source}'\n")

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
            except Discard as ended:
                status = ended.code
            except Jump:
                status = self.state.status
            status = yield from self.finish(status)
        except Exit as ended:
            status = ended.code
        return status & 0xFF

    def run_alone(self, node: ListNode) -> Code:
        """Run a list after which this process ends: a single command takes its place."""
        self.replaced = _is_single(node) and not self.state.traps
        return (yield from self.run_list(node))

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
            self._report_time(self.world.now + self.debt - started, pipeline.posix)
        if status and not self.quiet and not pipeline.negate:
            if (
                self.state.traps.get("ERR")
                and (not self.function_stack or self.state.options.get("errtrace"))
                and (len(pipeline.commands) > 1 or not isinstance(pipeline.commands[0], (Group, If, While, For, CFor, Case)))
            ):
                yield from self.run_trap("ERR")
            if self.state.options.get("errexit"):
                raise Exit(status)
        return status

    pipe_fresh = False
    #: Whether this process runs one command and nothing after it: bash calls exec then, without another fork.
    replaced = False
    #: How many `eval` are running.
    evaluating = 0

    def _report_time(self, elapsed: int, posix: bool = False) -> None:
        """What `time` says of so many nanoseconds; `-p` in POSIX's form."""
        seconds = elapsed / 1e9
        if posix:
            self.err(f"real {seconds:.2f}\nuser 0.00\nsys 0.00\n")
            return
        form = self.state.get("TIMEFORMAT")
        if form is not None:
            spent = {"R": seconds, "U": min(self.steps, 9) / 1000, "S": min(self.steps // 2, 9) / 1000, "P": 0.0, "%": 0.0}

            def one(match: re.Match[str]) -> str:
                digits, long, kind = match.groups()
                value, places = spent[kind], min(int(digits or 3), 3)
                if kind == "%":
                    return "%"
                return f"{int(value // 60)}m{value % 60:.{places}f}s" if long else f"{value:.{places}f}"

            self.err(re.sub(r"%(\d?)(l?)([RUSP%])", one, form) + "\n" if form else "")
            return
        text = f"{int(seconds // 60)}m{seconds % 60:.3f}s"
        self.err(f"\nreal\t{text}\nuser\t0m0.00{min(self.steps, 9)}s\nsys\t0m0.00{min(self.steps // 2, 9)}s\n")

    def _pipes(self, pipeline: Pipeline, text: str) -> Code:
        procs: list[Process] = []
        before: streams.Stream | None = None
        group = 0
        last_here = self.state.shopts.get("lastpipe") and not self.interactive
        first = pipeline.commands[0]
        self.line = getattr(first, "line", 0) + self.line_base if getattr(first, "line", 0) else self.line
        for number, command in enumerate(pipeline.commands):
            if last_here and number == len(pipeline.commands) - 1:
                break
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
        here: list[int] = []
        if last_here and before is not None:
            fds = {**self.fds, 0: before}
            here.append((yield from self.with_fds(fds, lambda: self.guarded(pipeline.commands[-1]))))
            before.close()
        codes = (yield from self.foreground(procs, text)) + here
        self.pipe_status = codes
        if self.state.options.get("pipefail"):
            return next((code for code in reversed(codes) if code), 0)
        return codes[-1]

    # -- commands -------------------------------------------------------------------------------------------------------

    def run_simple(self, command: Simple) -> Code:
        """A simple command: expand, assign, redirect, find, run."""
        yield from self.before(command.text, command.line)
        self.substituted = None
        mark = len(self.temporary)
        try:
            words, arrays = yield from self._command_words(command)
            if not words:
                return (yield from self._assign_only(command))
            if self.state.options.get("xtrace"):
                self.trace(" ".join(_traced(word) for word in words))
                if words[0] in ("export", "readonly"):  # bash shows what they assign once more
                    for word in words[1:]:
                        name, equals, value = word.partition("=")
                        if equals:
                            self.trace(f"{name}={_traced(value) if value else ''}")
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
            self.trace_assign(assign)
        _, opened = yield from self.open_redirects(command.redirects, self.fds)
        for stream in opened:
            stream.close()
        yield from self.charge(BUILTIN_COST // 10)
        return self.substituted or 0

    def trace_assign(self, assign: Assign) -> None:
        """The `set -x` line of an assignment that was done."""
        if not self.state.options.get("xtrace"):
            return
        sign = "+=" if assign.append else "="
        if assign.value and isinstance(assign.value[0], ArrayLit):
            var = self.state.vars.get(self.nameref(assign.name)[0])
            items = sorted_items(var) if var is not None else []
            keyed = any(key is not None for key, _ in assign.value[0].items)
            inner = " ".join(f"[{key}]={_traced(value)}" if keyed else _traced(value) for key, value in items)
            self.trace(f"{assign.name}{sign}({inner})")
            return
        value = self.assigned
        index = "" if assign.index is None else "[" + "".join(getattr(part, "text", "") for part in assign.index) + "]"
        self.trace(f"{assign.name}{index}{sign}{_traced(value) if value else ''}")

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
                    self.trace_assign(assign)
                    var = self.state.vars.get(assign.name)  # None of those that are computed: SECONDS, RANDOM
                    if var is not None and "x" not in var.flags:
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
        path = self.state.get("PATH") or ""
        known = self.hashed.get((name, path))
        if known is not None and self.proc.user == "root":
            try:
                node = self.tree.lookup(known)
                if node.kind != "dir" and node.mode & 0o111:
                    return known, node
            except OSError:
                del self.hashed[name, path]
        found = resolve(self.host, self.proc.mnt, name, cwd=self.proc.cwd, path=path, user=self.proc.user)
        if "/" not in name and found[0].startswith("/") and "." not in path.split(":"):
            self.hashed[name, path] = found[0]
        return found

    def run_external(
        self, words: list[str], fds: Fds, env: dict[str, str] | None = None, shown: str = "", *, replace: bool = False
    ) -> Code:
        """Run a program and wait for it; `shown` is its argument zero (`exec -a`), with `replace` it stands for this process."""
        name = words[0]
        try:
            found = self.find_command(name)
        except OSError as failed:
            yield from self.charge(BUILTIN_COST)
            return self.cannot_run(name, failed, fds)
        script = found[1].kind == "file" and self.tree.read(found[0])[:2] != b"#!"
        if found[1].kind == "file" and not script and not self._interpreter_exists(found[0]):
            before, self.task.fds = self.task.fds, fds
            self.complain(f"{name}: cannot execute: required file not found")
            self.task.fds = before
            return 127
        if script:
            words = ["/bin/bash", name if "/" in name else found[0], *words[1:]]
            found = resolve(self.host, self.proc.mnt, "/bin/bash", cwd="/", path="")
        yield from self.charge(PROCESS_COST)
        program, self.proc.program = self.proc.program, pidspace.REPLACED if self.replaced or replace else self.proc.program
        try:
            proc = self.executor.spawn_like(
                self.proc,
                [shown, *words[1:]] if shown and not script else words,
                fds,
                env=self.state.environment() if env is None else env,
                cwd=self.proc.cwd,
                found=found,
                pgid=-1 if self.interactive else 0,
            )
        except BlockingIOError:
            self.complain("fork: retry: Resource temporarily unavailable")
            return 254
        try:
            codes = yield from self.foreground([proc], " ".join(words))
        finally:
            self.proc.program = program
        return codes[0]

    def _interpreter_exists(self, path: str) -> bool:
        """Whether what a script's `#!` line names is there."""
        words = self.tree.read(path)[2:256].split(b"\n")[0].decode(errors="replace").split()
        return bool(words) and self.exists(words[0])

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
            elif self.interactive and name in known.HINTS and self.proc.mnt == "host":
                self.err(known.HINTS[name])
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
        args = words[1:]
        env: dict[str, str] | None = None
        shown = ""
        while args and args[0].startswith("-"):
            option = args.pop(0)
            if option == "-c":
                env = {}
            elif option == "-a" and args:
                shown = args.pop(0)
        if not args:
            return 0
        try:
            self.find_command(args[0])
        except OSError as failed:
            if "/" not in args[0] and failed.errno == 2:
                self.complain(f"exec: {args[0]}: not found")
                raise Exit(127) from None
            if "/" in args[0]:
                self.complain(f"{args[0]}: {failed.strerror}")
                raise Exit(127 if failed.errno == 2 else 126) from None
        code = yield from self.run_external(args, fds, env, shown, replace=True)
        self.state.traps.pop("EXIT", None)
        raise Exit(code)


def _is_single(node: ListNode) -> bool:
    """Whether a list is one simple command in the foreground."""
    item = node.items[0] if len(node.items) == 1 else None
    return (
        item is not None
        and not item.background
        and not item.rest
        and len(item.first.commands) == 1
        and isinstance(item.first.commands[0], Simple)
    )


def _runner(command: Command) -> Callable[[Shell], Code]:
    def run(shell: Shell) -> Code:
        shell.replaced = isinstance(command, Simple) and not shell.state.traps
        return shell.guarded(command)

    return run


def _traced(word: str) -> str:
    if word and shell_quote(word) == word:
        return word
    if re.search(r"[\s|&;()<>$`\\\"'*?\[\]#~=%!{}]", word) and not re.search(r"[\x00-\x08\x0b-\x1f\x7f]", word):
        return "'" + word.replace("'", "'\\''") + "'"
    return quote(word)


__all__ = ["Break", "CommandSub", "Continue", "Shell"]
