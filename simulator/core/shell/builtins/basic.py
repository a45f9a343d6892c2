"""Builtins about directories, options, aliases and history."""

from __future__ import annotations

import posixpath
import re
from typing import Any

from ...host import users
from ..coreutils import modes
from ..expand import quote
from ..state import sorted_items

OPTIONS = {
    "a": "allexport", "B": "braceexpand", "e": "errexit", "f": "noglob", "h": "hashall", "m": "monitor", "n": "noexec", "u": "nounset",
    "v": "verbose", "x": "xtrace", "C": "noclobber", "E": "errtrace", "T": "functrace", "P": "physical", "b": "notify", "H": "histexpand",
}  # fmt: skip
LONG = set(OPTIONS.values()) | {
    "pipefail",
    "posix",
    "vi",
    "emacs",
    "history",
    "ignoreeof",
    "interactive-comments",
    "nolog",
    "onecmd",
    "keyword",
    "privileged",
}
SHOPTS = """autocd assoc_expand_once cdable_vars cdspell checkhash checkjobs checkwinsize cmdhist compat31 compat32 compat40 compat41
compat42 compat43 compat44 complete_fullquote direxpand dirspell dotglob execfail expand_aliases extdebug extglob extquote failglob
force_fignore globasciiranges globskipdots globstar gnu_errfmt histappend histreedit histverify hostcomplete huponexit inherit_errexit
interactive_comments lastpipe lithist localvar_inherit localvar_unset login_shell mailwarn no_empty_cmd_completion nocaseglob
nocasematch noexpand_translation nullglob patsub_replacement progcomp progcomp_alias promptvars restricted_shell shift_verbose
sourcepath varredir_close xpg_echo""".split()


ON = frozenset(
    """checkwinsize cmdhist complete_fullquote extquote force_fignore globasciiranges globskipdots hostcomplete interactive_comments
patsub_replacement progcomp promptvars sourcepath""".split()
)


def colon(shell: Any, words: list[str]) -> int:
    """`:` and `true`."""
    return 0


def false(shell: Any, words: list[str]) -> int:
    """`false`."""
    return 1


def cd(shell: Any, words: list[str]) -> int:
    """`cd [-L|-P] [dir]`."""
    args = [word for word in words[1:] if word not in ("-L", "-P", "--", "-e")]
    physical = "-P" in words[1:]
    if len(args) > 1:
        shell.complain("cd: too many arguments")
        return 1
    show = False
    if not args:
        target = shell.state.get("HOME")
        if not target:
            shell.complain("cd: HOME not set")
            return 1
    elif args[0] == "-":
        target = shell.state.get("OLDPWD")
        if not target:
            shell.complain("cd: OLDPWD not set")
            return 1
        show = True
    else:
        target = args[0]
    return _change(shell, target, show, physical)


def _change(shell: Any, target: str, show: bool = False, physical: bool = False) -> int:
    found = posixpath.normpath(posixpath.join(shell.state.cwd, target)) if target else shell.state.cwd
    if target and not target.startswith(("/", ".", "..")) and shell.state.get("CDPATH"):
        for folder in shell.state.get("CDPATH").split(":"):
            if folder and shell.tree.isdir(posixpath.join(folder, target)):
                found, show = posixpath.normpath(posixpath.join(folder, target)), True
                break
    found = "/" + found.lstrip("/")
    try:
        node = shell.tree.lookup(found)
    except OSError as failed:
        shell.complain(f"cd: {target}: {failed.strerror}")
        return 1
    if node.kind != "dir":
        shell.complain(f"cd: {target}: Not a directory")
        return 1
    if not users.may(node, shell.uid, shell.gid, users.EXECUTE):
        shell.complain(f"cd: {target}: Permission denied")
        return 1
    if physical:
        found = shell.tree.realpath(found)
    state = shell.state
    state.old_cwd = state.cwd
    state.export("OLDPWD", state.cwd)
    state.cwd = shell.proc.cwd = found
    state.export("PWD", found)
    if show:
        shell.out(found + "\n")
    return 0


def pwd(shell: Any, words: list[str]) -> int:
    """`pwd [-LP]`."""
    shell.out((shell.tree.realpath(shell.state.cwd) if "-P" in words else shell.state.cwd) + "\n")
    return 0


def _stack(shell: Any) -> list[str]:
    return [shell.state.cwd, *shell.state.dirs]


def _tilde(shell: Any, path: str) -> str:
    home = shell.state.get("HOME") or ""
    return "~" + path[len(home) :] if home and (path == home or path.startswith(home + "/")) else path


def dirs(shell: Any, words: list[str]) -> int:
    """`dirs`."""
    if "-c" in words:
        shell.state.dirs.clear()
        return 0
    names = [_tilde(shell, path) for path in _stack(shell)]
    if "-v" in words:
        shell.out("".join(f"{n:2}  {name}\n" for n, name in enumerate(names)))
    else:
        shell.out(("\n" if "-p" in words else " ").join(names) + "\n")
    return 0


def pushd(shell: Any, words: list[str]) -> int:
    """`pushd dir`."""
    turn = re.fullmatch(r"([-+])(\d+)", words[1]) if len(words) > 1 else None
    if turn:
        stack = _stack(shell)
        count = int(turn.group(2))
        if count >= len(stack):
            shell.complain(f"pushd: {words[1]}: directory stack index out of range")
            return 1
        at = count if turn.group(1) == "+" else len(stack) - 1 - count
        stack = stack[at:] + stack[:at]
        code = _change(shell, stack[0])
        if code == 0:
            shell.state.dirs = stack[1:]
            dirs(shell, ["dirs"])
        return code
    if len(words) < 2:
        if not shell.state.dirs:
            shell.complain("pushd: no other directory")
            return 1
        target = shell.state.dirs.pop(0)
    else:
        target = words[1]
    before = shell.state.cwd
    code = _change(shell, target)
    if code == 0:
        shell.state.dirs.insert(0, before)
        dirs(shell, ["dirs"])
    return code


def popd(shell: Any, words: list[str]) -> int:
    """`popd`."""
    turn = re.fullmatch(r"([-+])(\d+)", words[1]) if len(words) > 1 else None
    if len(words) > 1 and not turn and words[1] != "-n":
        shell.complain(f"popd: {words[1]}: invalid argument")
        shell.err("popd: usage: popd [-n] [+N | -N]\n")
        return 2
    if not shell.state.dirs:
        shell.complain("popd: directory stack empty")
        return 1
    if turn:
        count, size = int(turn.group(2)), len(shell.state.dirs) + 1
        at = count if turn.group(1) == "+" else size - 1 - count
        if not 0 <= at < size:
            shell.complain(f"popd: {words[1]}: directory stack index out of range")
            return 1
        if at > 0:
            del shell.state.dirs[at - 1]
            dirs(shell, ["dirs"])
            return 0
    code = _change(shell, shell.state.dirs.pop(0))
    if code == 0:
        dirs(shell, ["dirs"])
    return code


def set_(shell: Any, words: list[str]) -> int:
    """`set`: options and positional parameters."""
    state = shell.state
    if len(words) == 1:
        for name in sorted(state.vars):
            var = state.vars[name]
            if var.kind != "s":
                inner = " ".join(f'[{key}]="{value}"' for key, value in sorted_items(var))
                shell.out(f"{name}=({inner})\n")
            elif var.value is not None:
                plain = re.match(r"[-\w@%+=:,./]*\Z", var.value)
                shell.out(f"{name}={var.value if plain else quote(var.value)}\n")
        for name in sorted(state.functions):
            shell.out(f"{name} () \n{state.functions[name]}\n")
        return 0
    at = 1
    while at < len(words):
        word = words[at]
        if word == "--":
            state.positional = words[at + 1 :]
            return 0
        if word in ("-", "+") or not word or word[0] not in "-+":
            state.positional = words[at + (word == "-") :]
            return 0
        on = word[0] == "-"
        for letter in word[1:]:
            if letter == "o":
                at += 1
                if at >= len(words):
                    _show_options(shell, on)
                    return 0
                if words[at] not in LONG:
                    shell.complain(f"set: {words[at]}: invalid option name")
                    return 2
                state.options[words[at]] = on
            elif letter in OPTIONS:
                state.options[OPTIONS[letter]] = on
            else:
                shell.complain(f"set: {word[0]}{letter}: invalid option")
                shell.err("set: usage: set [-abefhkmnptuvxBCEHPT] [-o option-name] [--] [-] [arg ...]\n")
                return 2
        at += 1
    return 0


def _show_options(shell: Any, table: bool) -> None:
    for name in sorted(LONG):
        on = shell.state.options.get(name, name in ("braceexpand", "hashall", "interactive-comments"))
        shell.out(f"{name:<15}\t{'on' if on else 'off'}\n" if table else f"set {'-' if on else '+'}o {name}\n")


def shopt(shell: Any, words: list[str]) -> int:
    """`shopt [-suq] [names]`."""
    flags = "".join(word[1:] for word in words[1:] if word.startswith("-"))
    names = [word for word in words[1:] if not word.startswith("-")]
    shopts = shell.state.shopts
    status = 0
    if "o" in flags:
        if "s" in flags or "u" in flags:
            return max((set_(shell, ["set", "-o" if "s" in flags else "+o", name]) for name in names), default=0)
        for name in names:
            on = shell.state.options.get(name, name in ("braceexpand", "hashall"))
            if "q" not in flags:
                shell.out(f"{name:<15}\t{'on' if on else 'off'}\n")
            status |= int(not on)
        return status
    for name in names or SHOPTS:
        if name not in SHOPTS:
            shell.complain(f"shopt: {name}: invalid shell option name")
            return 1
        if names and ("s" in flags or "u" in flags):
            shopts[name] = "s" in flags
            continue
        on = shopts.get(name, name in ON or (name == "expand_aliases" and shell.interactive))
        if "p" in flags:
            shell.out(f"shopt -{'s' if on else 'u'} {name}\n")
        elif "q" not in flags and (names or not flags or ("s" in flags) == on):
            shell.out(f"{name:<15}\t{'on' if on else 'off'}\n")
        if names and not on:
            status = 1
    return status


def alias(shell: Any, words: list[str]) -> int:
    """`alias [name[=value]…]`."""
    aliases = shell.state.aliases
    status = 0
    for word in [word for word in words[1:] if word != "-p"] or sorted(aliases):
        name, equals, value = word.partition("=")
        if equals:
            aliases[name] = value
        elif name in aliases:
            shell.out(f"alias {name}={quote(aliases[name])}\n")
        else:
            shell.complain(f"alias: {name}: not found")
            status = 1
    return status


def unalias(shell: Any, words: list[str]) -> int:
    """`unalias name…`."""
    if len(words) > 1 and words[1] == "-a":
        shell.state.aliases.clear()
        return 0
    status = 0
    for name in words[1:]:
        if shell.state.aliases.pop(name, None) is None:
            shell.complain(f"unalias: {name}: not found")
            status = 1
    return status


def history(shell: Any, words: list[str]) -> int:
    """`history [n]`, `-c`, `-d n`, `-s words`; `-a` appends what is new to the file, `-w` writes all, `-r` reads it."""
    lines = shell.state.history
    flag = words[1] if len(words) > 1 and words[1].startswith("-") else ""
    if flag == "-c":
        lines.clear()
        shell.state.history_saved = 0
        return 0
    if flag == "-d" and len(words) > 2 and words[2].isdigit() and 0 < int(words[2]) <= len(lines):
        del lines[int(words[2]) - 1]
        shell.state.history_saved = min(shell.state.history_saved, len(lines))
        return 0
    if flag == "-s":
        lines.append(" ".join(words[2:]))
        return 0
    if flag in ("-a", "-w", "-r", "-n"):
        return _history_file(shell, flag, words[2] if len(words) > 2 else "")
    if flag:
        return 0
    if len(words) > 1 and not words[1].isdigit():
        shell.complain(f"history: {words[1]}: numeric argument required")
        return 1
    count = int(words[1]) if len(words) > 1 else len(lines)
    first = max(len(lines) - count, 0)
    for number, line in enumerate(lines[first:], first + 1):
        shell.out(f"{number:5}  {line}\n")
    return 0


def _history_file(shell: Any, flag: str, name: str) -> int:
    """The history file (`HISTFILE`; ~/.bash_history in an interactive shell) and the list of this shell."""
    state = shell.state
    path = name or state.get("HISTFILE") or (f"{state.get('HOME') or '/root'}/.bash_history" if state.history else "")
    if not path:
        return 0
    try:
        if flag in ("-r", "-n"):
            if shell.tree.exists(path):
                state.history += shell.read_file(path).decode("utf-8", "replace").splitlines()
                state.history_saved = len(state.history)
            return 0
        lines = state.history[state.history_saved :] if flag == "-a" else state.history
        if lines or flag == "-w":
            shell.write_file(path, "".join(f"{line}\n" for line in lines).encode(), append=flag == "-a")
        if flag == "-a":
            state.history_saved = len(state.history)
    except OSError as failed:
        shell.complain(f"history: {path}: cannot create: {failed.strerror}")
        return 1
    return 0


def umask(shell: Any, words: list[str]) -> int:
    """`umask [-S] [mode]`."""
    args = [word for word in words[1:] if not word.startswith("-")]
    if args and not args[0][:1].isdigit():
        mode = modes.new_mode(args[0], 0o777 & ~shell.state.umask, False)
        if mode is None:
            shell.complain(f"umask: `{args[0][:1]}': invalid symbolic mode character")
            return 1
        shell.state.umask = shell.proc.umask = ~mode & 0o777
        return 0
    if args:
        if not re.fullmatch("[0-7]{1,4}", args[0]):
            shell.complain(f"umask: {args[0]}: octal number out of range")
            return 1
        shell.state.umask = shell.proc.umask = int(args[0], 8) & 0o777
        return 0
    mask = shell.state.umask
    if "-S" in words:
        parts = []
        for who, shift in (("u", 6), ("g", 3), ("o", 0)):
            bits = ~(mask >> shift) & 7
            parts.append(f"{who}=" + "".join(c for c, bit in (("r", 4), ("w", 2), ("x", 1)) if bits & bit))
        shell.out(",".join(parts) + "\n")
    else:
        shell.out(f"umask {mask:04o}\n" if "-p" in words else f"{mask:04o}\n")
    return 0


def ulimit(shell: Any, words: list[str]) -> int:
    """`ulimit`: the soft limits of a default Ubuntu."""
    limits = {"-n": "1048576", "-u": "31424", "-s": "8192", "-c": "0"}
    if len(words) > 2 and words[1][:1] == "-":
        if not words[2].isdigit() and words[2] not in ("unlimited", "soft", "hard"):
            shell.complain(f"ulimit: {words[2]}: invalid number")
            return 1
        return 0
    shell.out(limits.get(words[1] if len(words) > 1 else "", "unlimited") + "\n")
    return 0


def enable(shell: Any, words: list[str]) -> int:
    """`enable [-a] [-n] [names]`: the builtins; none can be switched off here."""
    from . import BUILTINS

    flags = "".join(word[1:] for word in words[1:] if word.startswith("-"))
    names = [word for word in words[1:] if not word.startswith("-")]
    for name in names:
        if name not in BUILTINS:
            shell.complain(f"enable: {name}: not a shell builtin")
            return 1
    if names and "n" in flags:
        shell.err("enable -n: not simulated in Slipway yet\n")
        return 1
    if not names and "n" not in flags:
        shell.out("".join(f"enable {name}\n" for name in sorted(BUILTINS)))
    return 0


def times(shell: Any, words: list[str]) -> int:
    """`times`."""
    shell.out("0m0.012s 0m0.008s\n0m0.000s 0m0.000s\n")
    return 0


def hash_(shell: Any, words: list[str]) -> int:
    """`hash [-r] [-lt] [names]`: where commands were found (the hits of each are not counted)."""
    status = 0
    if "-r" in words[1:]:
        shell.hashed.clear()
        return 0
    for name in words[1:]:
        if name.startswith("-"):
            continue
        try:
            shell.find_command(name)
        except OSError:
            shell.complain(f"hash: {name}: not found")
            status = 1
        else:
            if "-t" in words[1:]:
                shell.out(f"{shell.find_command(name)[0]}\n")
    if len(words) == 1:
        path = shell.state.get("PATH") or ""
        found = [where for (_, searched), where in sorted(shell.hashed.items()) if searched == path]
        shell.out("hits\tcommand\n" + "".join(f"{1:4}\t{where}\n" for where in found) if found else "hash: hash table empty\n")
    return status


def help_(shell: Any, words: list[str]) -> int:
    """`help`: the names of the builtins."""
    from . import BUILTINS

    if len(words) > 1:
        if words[1] not in BUILTINS:
            shell.complain(
                f"help: no help topics match `{words[1]}'.  Try `help help' or `man -k {words[1]}' or `info {words[1]}'."
            )
            return 1
        shell.err(f"help {words[1]}: not simulated in Slipway yet\n")
        return 1
    shell.out("These shell commands are defined internally.\n\n" + "\n".join(f" {name}" for name in sorted(BUILTINS)) + "\n")
    return 0
