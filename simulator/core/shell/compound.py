"""Compound commands: groups, subshells, if, loops, case, functions, `((…))`, `[[…]]` (execute_cmd.c)."""

from __future__ import annotations

import re
from collections.abc import Callable, Generator
from typing import Any

from ..host import pidspace, streams
from ..host.process import Process
from ..host.program import Wait
from ..kernel.errors import BudgetExceeded
from . import conditions, patterns
from .control import Break, Continue, Return
from .expand import ExpansionError, quote
from .jobs import Jobs
from .parser import Parser
from .redirect import RedirectError
from .state import ShellState, Var
from .syntax import (
    AndOr,
    Arith,
    Case,
    CFor,
    Command,
    Cond,
    Coproc,
    For,
    Function,
    Group,
    If,
    ListNode,
    Pipeline,
    Simple,
    Subshell,
    While,
    Word,
)

MAX_CALLS = 50
Code = Generator[Wait, Any, int]


class BadRegex(Exception):
    """The pattern of `=~` is wrong."""


class Compound(Jobs):
    """Compound commands for the interpreter."""

    quiet: int
    loops: int
    calls: int
    locals: list[dict[str, Var | None]]
    parsed: dict[str, Command]

    # -- provided by the interpreter ------------------------------------------------------------------------------------
    def run_list(self, node: ListNode) -> Code:
        """Run a list."""
        raise NotImplementedError

    def run_pipeline(self, pipeline: Pipeline, text: str = "") -> Code:
        """Run a pipeline."""
        raise NotImplementedError

    def guarded(self, command: Command) -> Code:
        """Run a command."""
        raise NotImplementedError

    def run_and_or(self, item: AndOr) -> Code:
        """Run an and-or list."""
        raise NotImplementedError

    def fork(self, body: Callable[[Any], Code], fds: dict[int, streams.Stream], *, pgid: int = 0) -> Process:
        """Start a subshell."""
        raise NotImplementedError

    def with_fds(self, fds: dict[int, streams.Stream], work: Callable[[], Code]) -> Code:
        """Run with other descriptors."""
        raise NotImplementedError

    def charge(self, cost: int) -> Generator[Wait, Any, None]:
        """Account for a step."""
        raise NotImplementedError

    # -- dispatch -------------------------------------------------------------------------------------------------------
    def run_compound(self, command: Command) -> Code:
        """Run a compound command with its redirections."""
        if isinstance(command, Subshell):
            return (yield from self._subshell(command))
        handler = _HANDLERS[type(command)]
        if not command.redirects:
            return (yield from handler(self, command))
        fds, opened = yield from self.open_redirects(command.redirects, self.fds)
        try:
            return (yield from self.with_fds(fds, lambda: handler(self, command)))
        finally:
            for stream in opened:
                stream.close()

    def _subshell(self, command: Subshell) -> Code:
        fds, opened = yield from self.open_redirects(command.redirects, self.fds)
        yield from self.charge(1_000_000)
        self.command_text = "( … )" if not command.text else command.text
        self.line = command.line + self.line_base if command.line else self.line
        proc = self.fork(lambda shell: shell.run_alone(command.body), fds)
        for stream in opened:
            stream.close()
        return (yield from self.foreground([proc], "( … )"))[0]

    def start_background(self, item: AndOr, simple: Any, fds: dict[int, streams.Stream]) -> Generator[Wait, Any, Process]:
        """A background job: a single program runs by itself, anything else in a subshell."""
        yield from self.charge(1_000_000)
        if isinstance(simple, Simple) and simple.words and not simple.assigns:
            proc = yield from self._direct(simple, fds)
            if proc is not None:
                return proc
        return self.fork(lambda shell: shell.run_and_or(item), fds)

    def _direct(self, simple: Simple, fds: dict[int, streams.Stream]) -> Generator[Wait, Any, Process | None]:
        from . import builtins

        try:
            words = yield from self.expand_words(simple.words)
        except ExpansionError:
            return None  # a subshell will say so
        if not words or words[0] in builtins.BUILTINS or words[0] in self.state.functions:
            return None
        try:
            found = self.find_command(words[0])
        except OSError:
            return None
        if found[1].kind != "exec":
            return None
        try:
            new, opened = yield from self.open_redirects(simple.redirects, fds)
        except (RedirectError, ExpansionError):
            return None  # a subshell will say so
        try:
            pgid = -1 if self.interactive else 0
            return self.executor.spawn_like(
                self.proc, words, new, env=self.state.environment(), cwd=self.proc.cwd, found=found, pgid=pgid
            )
        finally:
            for stream in opened:
                stream.close()

    line_base: int
    #: Whether what is run next takes this process's place.
    replaced: bool

    def run_alone(self, node: ListNode) -> Code:
        """Run a list after which this process ends (provided by the interpreter)."""
        raise NotImplementedError

    def trace(self, text: str) -> None:
        """A line of `set -x`."""
        raise NotImplementedError

    def before(self, text: str, line: int) -> Generator[Wait, Any, None]:
        """What happens before each command."""
        raise NotImplementedError

    def run_trap(self, name: str) -> Code:
        """Run a trap."""
        raise NotImplementedError

    def find_command(self, name: str) -> Any:
        """The executable of a command name."""
        raise NotImplementedError

    # -- the commands ---------------------------------------------------------------------------------------------------
    def _group(self, command: Group) -> Code:
        return (yield from self.run_list(command.body))

    def _test(self, node: ListNode) -> Code:
        self.quiet += 1
        try:
            return (yield from self.run_list(node))
        finally:
            self.quiet -= 1

    def _if(self, command: If) -> Code:
        for test, body in command.branches:
            if (yield from self._test(test)) == 0:
                return (yield from self.run_list(body))
        if command.otherwise is not None:
            return (yield from self.run_list(command.otherwise))
        return 0

    def _body(self, body: ListNode) -> Generator[Wait, Any, tuple[int, bool]]:
        """One turn of a loop: (status, whether the loop ends)."""
        try:
            return (yield from self.run_list(body)), False
        except Break as jump:
            if jump.levels > 1 and self.loops > 1:
                raise Break(jump.levels - 1) from None
            return 0, True
        except Continue as jump:
            if jump.levels > 1 and self.loops > 1:
                raise Continue(jump.levels - 1) from None
            return 0, False

    def _while(self, command: While) -> Code:
        status, done = 0, False
        self.loops += 1
        try:
            while not done:
                try:
                    test = yield from self._test(command.test)
                except Break as jump:
                    if jump.levels > 1 and self.loops > 1:
                        raise Break(jump.levels - 1) from None
                    return 0
                if (test == 0) == command.until:
                    return status
                yield from self.charge(10_000)
                status, done = yield from self._body(command.body)
            return status
        finally:
            self.loops -= 1

    def _for(self, command: For) -> Code:
        words = list(self.state.positional) if command.words is None else (yield from self.expand_words(command.words))
        if command.select:
            return (yield from self._select(command, words))
        status = 0
        self.loops += 1
        try:
            for word in words:
                yield from self.before(command.head, command.line)
                if self.state.options.get("xtrace"):
                    self.trace(command.head)
                held = self.state.vars.get(command.name)
                if held is not None and "n" in held.flags:  # the reference itself goes from name to name
                    held.value = word
                else:
                    self.assign(command.name, word)
                yield from self.charge(10_000)
                status, done = yield from self._body(command.body)
                if done:
                    break
            return status
        finally:
            self.loops -= 1

    def _select(self, command: For, words: list[str]) -> Code:
        status = 0
        self.loops += 1
        try:
            menu = True
            while words:
                if menu:
                    self.err(self._menu(words))
                self.err(self.state.get("PS3") or "#? ")
                line = yield from self.read_line()
                if not line:
                    self.out("\n")
                    return 1
                menu = not line.strip()
                text = line.decode(errors="replace").strip()
                self.assign("REPLY", text)
                chosen = int(text) if text.isdigit() else 0
                self.assign(command.name, words[chosen - 1] if 0 < chosen <= len(words) else "")
                if text:
                    status, done = yield from self._body(command.body)
                    if done:
                        break
            return status
        finally:
            self.loops -= 1

    def _menu(self, words: list[str]) -> str:
        """The numbered words of `select`, in columns as wide as the terminal lets them be."""
        digits = len(str(len(words)))
        cell = max(len(word) for word in words) + digits + 2 + 2
        columns = int(self.state.get("COLUMNS") or self.columns)
        across = max(columns // cell, 1)
        rows = -(-len(words) // across)
        if rows == 1:
            rows = len(words)
        lines = []
        for row in range(rows):
            cells = [f"{n + 1:{digits}}) {words[n]}" for n in range(row, len(words), rows)]
            lines.append("".join(text.ljust(cell) for text in cells[:-1]) + cells[-1])
        return "\n".join(lines) + "\n"

    def _coproc(self, command: Coproc) -> Code:
        """Start a coprocess: its ends of two pipes are `${NAME[0]}` (to read) and `${NAME[1]}` (to write)."""
        from_it, its_out = streams.pipe()
        its_in, to_it = streams.pipe()
        for end in (from_it, its_out, its_in, to_it):
            end.dup()
        proc = self.fork(lambda shell: shell.guarded(command.body), {**self.fds, 0: its_in, 1: its_out})
        its_out.close()
        its_in.close()
        read_fd, write_fd = self._free(2)
        self.fds[read_fd], self.fds[write_fd] = from_it, to_it
        self.state.vars[command.name] = Var("a", None, {"0": str(read_fd), "1": str(write_fd)})
        self.assign(f"{command.name}_PID", str(pidspace.number(self.host, self.proc, proc.pid)))
        self.state.last_background = proc.pid
        self.add_job([proc], "coproc", "Running")
        yield from self.charge(1_000_000)
        return 0

    def _free(self, count: int) -> list[int]:
        return [n for n in range(63, 9, -1) if n not in self.fds][:count]

    def _cfor(self, command: CFor) -> Code:
        yield from self._arith_word(command.init)
        status = 0
        self.loops += 1
        try:
            while True:
                test = yield from self.expand_text(command.test)
                if test.strip() and not self.arithmetic(test):
                    return status
                yield from self.charge(10_000)
                status, done = yield from self._body(command.body)
                if done:
                    return status
                yield from self._arith_word(command.step)
        finally:
            self.loops -= 1

    def _arith_word(self, word: Word) -> Generator[Wait, Any, int]:
        text = yield from self.expand_text(word)
        if self.state.options.get("xtrace"):
            self.trace(f"(( {text.strip()} ))")
        return self.arithmetic(text)

    def _arith(self, command: Arith) -> Code:
        yield from self.charge(10_000)
        yield from self.before(command.text, command.line)
        try:
            return int((yield from self._arith_word(command.expr)) == 0)
        except ExpansionError as failed:
            self.complain(f"((: {failed}")
            return 1

    def _case(self, command: Case) -> Code:
        yield from self.before(f"{command.head} ", command.line)
        if self.state.options.get("xtrace"):
            self.trace(command.head)
        text = yield from self.expand_text(command.word)
        nocase = self.state.shopts.get("nocasematch", False)
        status, through = 0, False
        for tests, body, end in command.clauses:
            if not through:
                for test in tests:
                    pattern = yield from self.expand_pattern(test)
                    if patterns.matches(pattern, text, self.state.shopts.get("extglob", False), nocase):
                        through = True
                        break
            if through:
                status = yield from self.run_list(body)
                if end == ";;":
                    return status
                through = end == ";&"
        return status

    def _function(self, command: Function) -> Code:
        yield from self.charge(10_000)
        self.state.functions[command.name] = command.source
        self.state.origins[command.name] = (command.line + self.line_base, self.sources[-1] if self.sources else "")
        return 0

    def call_function(self, name: str, args: list[str]) -> Code:
        """Call a function: positional parameters and locals are its own."""
        source = self.state.functions[name]
        body = self.parsed.get(source)
        if body is None:
            body = self.parsed[source] = Parser(source).function_body()
        if self.calls >= MAX_CALLS:
            self.complain(f"{name}: maximum function nesting level exceeded ({MAX_CALLS})")
            raise BudgetExceeded(f"{name}: functions call each other more than {MAX_CALLS} deep")
        state: ShellState = self.state
        saved, state.positional = state.positional, args
        loops, self.loops = self.loops, 0
        self.calls += 1
        self.locals.append({})
        self.function_stack = [*self.function_stack, name]
        self.replaced = False
        line, origin = state.origins.get(name, (1, ""))
        base, self.line_base = self.line_base, line - 1
        self.call_lines = [*self.call_lines, self.line]
        origin = origin or ("environment" if self.from_argument else "")
        self.sources = [*self.sources, origin] if origin else self.sources
        entered = state.traps.get("RETURN")
        try:
            try:
                status = yield from self.guarded(body)
            except Return as ended:
                status = ended.code
            if state.traps.get("RETURN") and (state.traps["RETURN"] != entered or state.options.get("functrace")):
                yield from self.run_trap("RETURN")
            return status
        finally:
            self.line_base = base
            self.call_lines = self.call_lines[:-1]
            self.sources = self.sources[:-1] if origin else self.sources
            self.function_stack = self.function_stack[:-1]
            for key, old in self.locals.pop().items():
                if old is None:
                    state.vars.pop(key, None)
                else:
                    state.vars[key] = old
            self.calls -= 1
            self.loops = loops
            state.positional = saved

    def make_local(self, name: str) -> Var:
        """A variable of the running function."""
        scope = self.locals[-1]
        if name not in scope:
            scope[name] = self.state.vars.get(name)
            old = scope[name]
            self.state.vars[name] = Var(flags="x" if old is not None and "x" in old.flags else "")
        return self.state.vars[name]

    # -- [[ … ]] --------------------------------------------------------------------------------------------------------
    def _cond(self, command: Cond) -> Code:
        yield from self.charge(10_000)
        yield from self.before(command.text, command.line)
        try:
            return int(not (yield from self._condition(command.tree)))
        except BadRegex:
            return 2

    def _condition(self, tree: Any) -> Generator[Wait, Any, bool]:
        kind = tree[0]
        if kind == "not":
            return not (yield from self._condition(tree[1]))
        if kind in ("and", "or"):
            left = yield from self._condition(tree[1])
            if left == (kind == "or"):
                return left
            return (yield from self._condition(tree[2]))
        if kind == "unary":
            text = yield from self.expand_text(tree[2])
            if self.state.options.get("xtrace"):
                self.trace(f"[[ {tree[1]} {text if text else quote(text)} ]]")
            if tree[1] == "-v":
                name, bracket, index = text.partition("[")
                if bracket:
                    return self.scalar(name, index.rstrip("]")) is not None
                return self.scalar(text) is not None
            if tree[1] == "-o":
                return self.state.options.get(text, False)
            return conditions.unary(self, tree[1], text)
        op, left_word, right_word = tree[1:]
        left_text = yield from self.expand_text(left_word)
        if op in ("==", "=", "!="):
            pattern = yield from self.expand_pattern(right_word)
            if self.state.options.get("xtrace"):
                self.trace(f"[[ {left_text if left_text else quote(left_text)} {op} {pattern if pattern else quote(pattern)} ]]")
            return bool(patterns.matches(pattern, left_text, True, self.state.shopts.get("nocasematch", False)) == (op != "!="))
        right = yield from self.expand_text(right_word)
        if self.state.options.get("xtrace"):
            self.trace(f"[[ {left_text if left_text else quote(left_text)} {op} {right if right else quote(right)} ]]")
        if op == "=~":
            return self._regex(left_text, right)
        if op in ("<", ">"):
            return left_text < right if op == "<" else left_text > right
        if op in ("-nt", "-ot", "-ef"):
            return conditions.binary(self, left_text, op, right)
        a, b = self.arithmetic(left_text), self.arithmetic(right)
        return {"-eq": a == b, "-ne": a != b, "-lt": a < b, "-le": a <= b, "-gt": a > b, "-ge": a >= b}[op]

    def _regex(self, text: str, pattern: str) -> bool:
        from .coreutils import regexes

        try:
            found = regexes.compile_ere(pattern, ignore_case=self.state.shopts.get("nocasematch", False)).search(text)
        except (regexes.BadPattern, re.error):
            raise BadRegex from None
        groups = [found.group(0), *(g or "" for g in found.groups())] if found else []
        self.state.vars["BASH_REMATCH"] = Var("a", None, {str(n): value for n, value in enumerate(groups)})
        return found is not None


_HANDLERS: dict[type, Callable[[Any, Any], Code]] = {
    Group: Compound._group,
    If: Compound._if,
    While: Compound._while,
    For: Compound._for,
    CFor: Compound._cfor,
    Case: Compound._case,
    Function: Compound._function,
    Arith: Compound._arith,
    Cond: Compound._cond,
    Coproc: Compound._coproc,
}
