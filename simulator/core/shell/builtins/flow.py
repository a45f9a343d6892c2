"""Builtins that steer the shell: exit, return, loops, eval, source, trap, command, type."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Generator
from typing import Any

from ..control import Break, Continue, Exit, Return
from ..expand import quote
from ..reserved import RESERVED
from ..state import Var
from .signals import SIGNAL_NAMES, number, table


def suspend(shell: Any, words: list[str]) -> int:
    """`suspend`: a shell that has no job control, and a login shell, refuse."""
    shell.complain(f"suspend: cannot suspend{'' if shell.interactive else ': no job control'}")
    return 1


def _level(shell: Any, words: list[str]) -> int:
    if shell.loops == 0:
        shell.complain(f"{words[0]}: only meaningful in a `for', `while', or `until' loop")
        return 0
    if len(words) > 1:
        if not words[1].lstrip("-").isdigit():
            shell.complain(f"{words[0]}: {words[1]}: numeric argument required")
            raise Exit(128)
        if int(words[1]) < 1:
            shell.complain(f"{words[0]}: {words[1]}: loop count out of range")
            raise Break(shell.loops)
        return int(words[1])
    return 1


def break_(shell: Any, words: list[str]) -> int:
    """`break [n]`."""
    level = _level(shell, words)
    if level:
        raise Break(min(level, shell.loops))
    return 0


def continue_(shell: Any, words: list[str]) -> int:
    """`continue [n]`."""
    level = _level(shell, words)
    if level:
        raise Continue(min(level, shell.loops))
    return 0


def _code(shell: Any, words: list[str], name: str) -> int:
    if len(words) == 1:
        return int(shell.state.status)
    text = words[1]
    if not text.lstrip("+-").isdigit():
        shell.complain(f"{name}: {text}: numeric argument required")
        return 2
    return int(text) & 0xFF


def exit_(shell: Any, words: list[str]) -> int:
    """`exit [n]`."""
    login = bool(shell.proc.argv) and shell.proc.argv[0].startswith("-")
    if words[0] == "logout" and not login:
        shell.complain("logout: not login shell: use `exit'")
        return 1
    if shell.interactive and not shell.subshell:
        shell.err("logout\n" if login else "exit\n")
    raise Exit(_code(shell, words, words[0]))


def return_(shell: Any, words: list[str]) -> int:
    """`return [n]`."""
    if not shell.function_stack and not shell.sourcing:
        shell.complain("return: can only `return' from a function or sourced script")
        return 2
    raise Return(_code(shell, words, "return"))


def eval_(shell: Any, words: list[str]) -> Generator[Any, Any, int]:
    """`eval args`."""
    args = words[2:] if words[1:2] == ["--"] else words[1:]
    shell.depth += 1
    try:
        if shell.depth > 40:
            from ...kernel.errors import BudgetExceeded

            raise BudgetExceeded("eval: nested more than 40 deep")
        shell.level += 1
        shell.evaluating += 1
        code: int = yield from shell.run_source(" ".join(args), line=shell.line)
        return code
    finally:
        shell.level -= 1
        shell.evaluating -= 1
        shell.depth -= 1


def source(shell: Any, words: list[str]) -> Generator[Any, Any, int]:
    """`source file [args]`."""
    args = words[2:] if words[1:2] == ["--"] else words[1:]
    if not args:
        shell.complain(f"{words[0]}: filename argument required")
        shell.err(f"{words[0]}: usage: {words[0]} filename [arguments]\n")
        return 2
    name = args[0]
    try:
        if "/" not in name:
            for folder in (shell.state.get("PATH") or "").split(":"):
                where = posixpath.join(folder, name)
                if folder and shell.tree.exists(where) and shell.lookup(where).kind == "file":
                    name = where
                    break
        if shell.isdir(name):
            shell.complain(f"{words[0]}: {args[0]}: is a directory")
            return 1
        stream = shell.fds.get(int(name[8:])) if re.fullmatch(r"/dev/fd/\d{1,3}", name) else None
        if stream is None and name == "/dev/stdin":
            stream = shell.fds.get(0)
        data = b"".join(iter(lambda: stream.take(65536), b"")) if stream is not None else shell.read_file(name)
        text = data.decode("utf-8", "surrogateescape")
    except OSError as failed:
        shell.complain(
            f"{args[0]}: {failed.strerror}" if "/" in args[0] or failed.errno != 2 else f"{args[0]}: No such file or directory"
        )
        return 1
    saved = shell.state.positional
    if len(args) > 1:
        shell.state.positional = args[1:]
    shell.sourcing += 1
    shell.depth += 1
    shell.level += 1
    shell.sources = [*shell.sources, name]
    shell.call_lines = [*shell.call_lines, shell.line]
    shell.function_stack = [*shell.function_stack, "source"]
    evaluating, shell.evaluating = shell.evaluating, 0
    interactive, shell.interactive = shell.interactive, shell.interactive
    try:
        if shell.depth > 40:
            shell.complain(f"{args[0]}: sourced too deeply")
            return 1
        code: int
        try:
            code = yield from shell.run_source(text)
        except Return as ended:
            code = ended.code
        yield from shell.run_trap("RETURN")
        return code
    finally:
        shell.level -= 1
        shell.sources = shell.sources[:-1]
        shell.call_lines = shell.call_lines[:-1]
        shell.function_stack = shell.function_stack[:-1]
        shell.evaluating = evaluating
        shell.sourcing -= 1
        shell.depth -= 1
        shell.interactive = interactive
        if len(args) > 1:
            shell.state.positional = saved


def exec_(shell: Any, words: list[str]) -> int:
    """`exec` is done by the interpreter."""
    return 0


def trap(shell: Any, words: list[str]) -> int:
    """`trap [action] signals`."""
    traps = shell.state.traps
    args = words[1:]
    if args and args[0] == "--":
        args = args[1:]
    if not args or args[0] == "-p":
        for name in sorted(traps, key=lambda n: number(n) or 0):
            if len(args) < 2 or name in args[1:]:
                shell.out(
                    f"trap -- {quote(traps[name])} {name if name in ('EXIT', 'ERR', 'DEBUG', 'RETURN') else 'SIG' + name}\n"
                )
        return 0
    if args[0] == "-l":
        shell.out(table())
        return 0
    action, names = (args[0], args[1:]) if len(args) > 1 else ("-", args)
    status = 0
    for text in names:
        upper = text.upper()
        if upper in ("ERR", "DEBUG", "RETURN"):
            name = upper
        else:
            found = number(text)
            if found is None:
                shell.complain(f"trap: {text}: invalid signal specification")
                status = 1
                continue
            name = SIGNAL_NAMES.get(found, str(found))
        if action == "-":
            traps.pop(name, None)
        else:
            traps[name] = action
    return status


def command(shell: Any, words: list[str]) -> Any:
    """`command [-vV] name args`."""
    from . import BUILTINS

    at, flags = 1, ""
    while at < len(words) and words[at].startswith("-") and len(words[at]) > 1:
        flags += words[at][1:]
        at += 1
        if words[at - 1] == "--":
            break
    rest = words[at:]
    if not rest:
        return 0
    if "v" in flags or "V" in flags:
        codes = [_describe(shell, [name], verbose="V" in flags, who="command") for name in rest]
        return min(codes)
    if rest[0] == "exec":
        return shell.exec_builtin(rest, shell.fds)
    if rest[0] in BUILTINS:
        return shell.run_builtin(rest[0], rest)
    return shell.run_external(rest, shell.fds)


def builtin(shell: Any, words: list[str]) -> Any:
    """`builtin name args`."""
    from . import BUILTINS

    if len(words) < 2:
        return 0
    if words[1] not in BUILTINS:
        shell.complain(f"builtin: {words[1]}: not a shell builtin")
        return 1
    return shell.run_builtin(words[1], words[1:])


def _describe(shell: Any, names: list[str], *, verbose: bool, who: str) -> int:
    from . import BUILTINS

    status = 0
    for name in names:
        if name in shell.state.aliases and shell.expands_aliases:
            value = shell.state.aliases[name]
            shell.out(f"{name} is aliased to `{value}'\n" if verbose else f"alias {name}={quote(value)}\n")
        elif name in RESERVED:
            shell.out(f"{name} is a shell keyword\n" if verbose else f"{name}\n")
        elif name in shell.state.functions:
            shell.out(f"{name} is a function\n{name} () \n{shell.state.functions[name]}\n" if verbose else f"{name}\n")
        elif name in BUILTINS:
            shell.out(f"{name} is a shell builtin\n" if verbose else f"{name}\n")
        else:
            try:
                path = shell.find_command(name)[0]
                shown = name if "/" in name else path
                shell.out(f"{name} is {shown}\n" if verbose else f"{shown}\n")
            except OSError:
                status = 1
                if verbose:
                    shell.complain(f"{who}: {name}: not found")
    return status


def type_(shell: Any, words: list[str]) -> int:
    """`type [-tpaP] names`."""
    from . import BUILTINS

    flags = "".join(word[1:] for word in words[1:] if word.startswith("-"))
    names = [word for word in words[1:] if not word.startswith("-")]
    if flags == "a":
        return max((_all(shell, name) for name in names), default=0)
    if not flags:
        return _describe(shell, names, verbose=True, who="type")
    status = 0
    for name in names:
        kind, path = "", ""
        if "P" in flags:
            pass
        elif name in shell.state.aliases and shell.expands_aliases:
            kind = "alias"
        elif name in RESERVED:
            kind = "keyword"
        elif name in shell.state.functions:
            kind = "function"
        elif name in BUILTINS:
            kind = "builtin"
        if not kind:
            try:
                path, kind = shell.find_command(name)[0], "file"
            except OSError:
                status = 1 if not kind else status
                if not kind:
                    continue
        if "t" in flags:
            shell.out(kind + "\n")
        elif path:
            shell.out(path + "\n")
    return status


def _all(shell: Any, name: str) -> int:
    """`type -a name`: everything that a name can mean, in the order in which bash looks."""
    from . import BUILTINS

    found = False
    known = (shell.state.aliases if shell.expands_aliases else {}, RESERVED, shell.state.functions, BUILTINS)
    if any(name in table for table in known):
        _describe(shell, [name], verbose=True, who="type")
        found = True
    for folder in (shell.state.get("PATH") or "").split(":"):
        path = posixpath.join(folder or ".", name)
        try:
            shell.find_command(path)
        except OSError:
            continue
        shell.out(f"{name} is {path}\n")
        found = True
    if not found:
        shell.complain(f"type: {name}: not found")
    return int(not found)


def caller(shell: Any, words: list[str]) -> int:
    """`caller [n]`: line, function and file of a call."""
    frames = shell.call_lines
    level = int(words[1]) if len(words) > 1 and words[1].isdigit() else -1
    at = max(level, 0)
    if at >= len(frames):
        return 1
    line = frames[len(frames) - 1 - at]
    sources = [*([] if len(shell.sources) > len(frames) else ["NULL"]), *shell.sources]
    source = sources[-2 - at] if len(sources) >= 2 + at else "NULL"
    if level < 0:
        shell.out(f"{line} {source}\n")
        return 0
    names = [*([] if shell.sources[:1] != [shell.state.name] else ["main"]), *shell.function_stack]
    if len(names) < 2 + at:
        return 1
    shell.out(f"{line} {names[-2 - at]} {source}\n")
    return 0


__all__ = ["Var"]
