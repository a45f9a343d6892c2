"""Builtins about variables: declare, export, local, read, mapfile, getopts, unset, shift, let."""

from __future__ import annotations

import re
from typing import Any

from .. import attributes
from ..state import Var

NAME = re.compile(r"[A-Za-z_]\w*\Z")
TARGET = re.compile(r"([A-Za-z_]\w*)(\[(.*)\])?(\+)?(=)(.*)\Z", re.DOTALL)


def _show(name: str, var: Var) -> str:
    return attributes.declaration(name, var) + "\n"


def _flags(words: list[str]) -> tuple[str, str, list[str]]:
    on, off, at = "", "", 1
    while at < len(words) and len(words[at]) > 1 and words[at][0] in "-+":
        if words[at] == "--":
            at += 1
            break
        if words[at][0] == "-":
            on += words[at][1:]
        else:
            off += words[at][1:]
        at += 1
    return on, off, words[at:]


def _leads_to_itself(shell: Any, name: str, base: str, target: str, local: bool) -> bool:
    """Whether a name reference would name itself: refused outside functions, a warning in them (variables.c)."""
    if target.partition("[")[0] != base:
        return False
    if local:
        shell.complain(f"{name}: warning: {base}: circular name reference")
        return False
    shell.complain(f"{name}: {base}: nameref variable self references not allowed")
    return True


def _declare(shell: Any, name: str, words: list[str], on: str, off: str, args: list[str], *, local: bool) -> int:
    status = 0
    for arg in args:
        match = TARGET.match(arg)
        base = match.group(1) if match else arg
        if not NAME.match(base):
            shell.complain(f"{name}: `{arg}': not a valid identifier")
            status = 1
            continue
        if match and base in shell.state.vars and "r" in shell.state.vars[base].flags and not local:
            shell.complain(f"{base}: readonly variable" if name != "declare" else f"declare: {base}: readonly variable")
            status = 1
            continue
        if "n" in on and match and _leads_to_itself(shell, name, base, match.group(6), local):
            status = 1
            continue
        var = shell.make_local(base) if local else shell.state.vars.get(base)
        if var is None:
            var = shell.state.vars[base] = Var()
        if ("a" in on and var.kind == "A") or ("A" in on and var.kind == "a"):
            kinds = ("associative", "indexed") if var.kind == "A" else ("indexed", "associative")
            shell.complain(f"{name}: {base}: cannot convert {kinds[0]} to {kinds[1]} array")
            status = 1
            continue
        if "A" in on and var.kind != "A":
            var.kind, var.items, var.value, var.unset = "A", {}, None, True
        elif "a" in on and var.kind == "s":
            var.kind, var.items, var.unset = "a", ({} if var.value is None else {"0": var.value}), var.value is None
            var.value = None
        if "n" in on:
            var.kind, var.value, var.flags = "s", match.group(6) if match else var.value, "n"
            continue
        if "n" in off:
            var.flags = var.flags.replace("n", "")
        for flag in "xilutc":
            if flag in on and flag not in var.flags:
                var.flags += flag
            if flag in off:
                var.flags = var.flags.replace(flag, "")
        if match:
            shell.assign(base, match.group(6), index=match.group(3), append=bool(match.group(4)))
        if "r" in on and "r" not in var.flags:
            shell.state.vars[base].flags += "r"
    return status


def declare(shell: Any, words: list[str]) -> int:
    """`declare`/`typeset`."""
    on, off, args = _flags(words)
    if "f" in on or "F" in on:
        for name in args or sorted(shell.state.functions):
            if name not in shell.state.functions:
                return 1
            shell.out(
                f"declare -f {name}\n"
                if "F" in on and not args
                else f"{name}\n"
                if "F" in on
                else f"{name} () \n{shell.state.functions[name]}\n"
            )
        return 0
    if "p" in on or not args:
        status = 0
        for name in args or sorted(shell.state.vars):
            var = shell.state.vars.get(name)
            if var is None:
                shell.complain(f"{words[0]}: {name}: not found")
                status = 1
            elif args or all(flag in var.flags + var.kind for flag in on.replace("p", "")):
                shell.out(_show(name, var))
        return status
    return _declare(shell, words[0], words, on.replace("g", ""), off, args, local=bool(shell.locals) and "g" not in on)


def local(shell: Any, words: list[str]) -> int:
    """`local`."""
    if not shell.locals:
        shell.complain("local: can only be used in a function")
        return 1
    on, off, args = _flags(words)
    return _declare(shell, "local", words, on, off, args, local=True)


def export(shell: Any, words: list[str]) -> int:
    """`export`."""
    on, _, args = _flags(words)
    if not args:
        for name in sorted(shell.state.vars):
            if "x" in shell.state.vars[name].flags:
                shell.out(_show(name, shell.state.vars[name]))
        return 0
    if "n" in on:
        for name in args:
            var = shell.state.vars.get(name.partition("=")[0])
            if var is not None:
                var.flags = var.flags.replace("x", "")
        return 0
    if "f" in on:
        return 0
    return _declare(shell, "export", words, "x", "", args, local=False)


def readonly(shell: Any, words: list[str]) -> int:
    """`readonly`."""
    on, _, args = _flags(words)
    if not args:
        for name in sorted(shell.state.vars):
            if "r" in shell.state.vars[name].flags:
                shell.out(_show(name, shell.state.vars[name]))
        return 0
    return _declare(shell, "readonly", words, "r" + on.replace("p", ""), "", args, local=False)


def unset(shell: Any, words: list[str]) -> int:
    """`unset [-fv] names`."""
    on, _, args = _flags(words)
    status = 0
    for arg in args:
        match = re.match(r"([A-Za-z_]\w*)\[(.*)\]\Z", arg)
        name = match.group(1) if match else arg
        name = name if "n" in on else shell.nameref(name)[0]
        var = shell.state.vars.get(name)
        if "f" not in on and var is not None:
            if "r" in var.flags:
                shell.complain(f"unset: {name}: cannot unset: readonly variable")
                status = 1
            elif match and var.kind != "s":
                if match.group(2) in ("@", "*"):
                    var.items.clear()
                else:
                    key = match.group(2).strip("\"'") if var.kind == "A" else str(shell._slot(var, match.group(2), name))
                    var.items.pop(key, None)
            else:
                del shell.state.vars[name]
        elif "v" not in on:
            shell.state.functions.pop(name, None)
    return status


def shift(shell: Any, words: list[str]) -> int:
    """`shift [n]`."""
    if len(words) > 1 and not words[1].lstrip("-").isdigit():
        shell.complain(f"shift: {words[1]}: numeric argument required")
        return 1
    count = int(words[1]) if len(words) > 1 else 1
    if count < 0:
        shell.complain(f"shift: {words[1]}: shift count out of range")
        return 1
    if count > len(shell.state.positional):
        return 1
    shell.state.positional = shell.state.positional[count:]
    return 0


def let(shell: Any, words: list[str]) -> int:
    """`let expr…`."""
    value = 0
    if len(words) < 2:
        shell.complain("let: expression expected")
        return 1
    for word in words[1:]:
        value = shell.arithmetic(word)
    return int(value == 0)


def getopts(shell: Any, words: list[str]) -> int:
    """`getopts optstring name [args]`."""
    if len(words) < 3:
        shell.err("getopts: usage: getopts optstring name [arg ...]\n")
        return 2
    spec, name = words[1], words[2]
    args = words[3:] or shell.state.positional
    given = shell.state.get("OPTIND") or "1"
    index = max(int(given[:9]), 1) if given.isascii() and given.isdigit() else 1
    within = shell.getopts_at if index == shell.getopts_index else 1
    silent = spec.startswith(":")
    quiet = silent or shell.state.get("OPTERR") == "0"
    if index > len(args) or not args[index - 1].startswith("-") or args[index - 1] in ("-", "--"):
        if index <= len(args) and args[index - 1] == "--":
            shell.state.set("OPTIND", str(index + 1))
        shell.assign(name, "?")
        shell.state.vars.pop("OPTARG", None)
        return 1
    word = args[index - 1]
    within = within if within < len(word) else 1  # the arguments may be others than last time
    letter = word[within]
    at = spec.find(letter, 1 if silent else 0) if letter != ":" else -1
    more = within + 1 < len(word)
    shell.state.vars.pop("OPTARG", None)
    found = letter
    if at < 0:
        found = "?"
        if silent:
            shell.state.set("OPTARG", letter)
        elif not quiet:
            shell.err(f"{shell.state.name}: illegal option -- {letter}\n")
    elif spec[at + 1 : at + 2] == ":":
        if more:
            shell.state.set("OPTARG", word[within + 1 :])
            more = False
        elif index < len(args):
            shell.state.set("OPTARG", args[index])
            index += 1
        else:
            found = ":" if silent else "?"
            if silent:
                shell.state.set("OPTARG", letter)
            elif not quiet:
                shell.err(f"{shell.state.name}: option requires an argument -- {letter}\n")
    if more:
        shell.getopts_at = within + 1
    else:
        index += 1
        shell.getopts_at = 1
    shell.state.set("OPTIND", str(index))
    shell.getopts_index = index
    shell.assign(name, found)
    return 0
