"""`compgen`: what a word could be completed to, by kind (bash's complete.def)."""

from __future__ import annotations

import posixpath
from typing import Any

from .. import patterns
from ..reserved import RESERVED
from .signals import SIGNAL_NAMES

#: Letters that stand for an action of `-A`.
LETTERS = {
    "a": "alias", "b": "builtin", "c": "command", "d": "directory", "e": "export", "f": "file", "g": "group", "j": "job",
    "k": "keyword", "s": "service", "u": "user", "v": "variable",
}  # fmt: skip
VALUED = "oAGWFCXPS"
ORDER = tuple("if then else elif fi case esac for select while until do done in function time { } ! [[ ]] coproc".split())
USAGE = (
    "compgen: usage: compgen [-abcdefgjksuv] [-o option] [-A action] [-G globpat] [-W wordlist] [-F function] [-C command] "
    "[-X filterpat] [-P prefix] [-S suffix] [word]\n"
)


def _paths(shell: Any, word: str, *, directories: bool) -> list[str]:
    head, slash, base = word.rpartition("/")
    folder = posixpath.normpath(posixpath.join(shell.state.cwd, head + slash or "."))
    if not shell.tree.isdir(folder):
        return []
    names = [name for name in shell.tree.listdir(folder) if name.startswith(base) and (base[:1] == "." or name[:1] != ".")]
    return [head + slash + name for name in sorted(names) if not directories or shell.tree.isdir(posixpath.join(folder, name))]


def _programs(shell: Any) -> list[str]:
    found: list[str] = []
    for folder in (shell.state.get("PATH") or "").split(":"):
        if folder and shell.tree.isdir(folder):
            found += shell.tree.listdir(folder)
    return found


def _column(shell: Any, path: str) -> list[str]:
    """The first fields of /etc/passwd or /etc/group."""
    try:
        return [line.partition(":")[0] for line in shell.tree.read(path).decode().splitlines() if line]
    except OSError:
        return []


def _of(shell: Any, action: str, word: str) -> list[str] | None:
    """The words of an action; None for one that bash has not."""
    from . import BUILTINS

    state = shell.state
    if action in ("file", "directory"):
        return _paths(shell, word, directories=action == "directory")
    keywords = [name for name in ORDER if name in RESERVED or name in ("in", "time", "]]", "coproc")]
    tables: dict[str, Any] = {
        "alias": lambda: sorted(state.aliases),
        "builtin": lambda: sorted(BUILTINS),
        "command": lambda: [*sorted(state.aliases), *keywords, *sorted(state.functions), *sorted(BUILTINS), *_programs(shell)],
        "export": lambda: sorted(name for name, var in state.vars.items() if "x" in var.flags),
        "function": lambda: sorted(state.functions),
        "group": lambda: _column(shell, "/etc/group"),
        "hostname": list,
        "job": list,
        "running": list,
        "stopped": list,
        "service": list,
        "keyword": lambda: keywords,
        "signal": lambda: [name if name == "EXIT" else f"SIG{name}" for _, name in sorted(SIGNAL_NAMES.items())],
        "shopt": lambda: sorted(state.shopts),
        "setopt": lambda: sorted(state.options),
        "user": lambda: _column(shell, "/etc/passwd"),
        "variable": lambda: sorted(
            {*state.vars, "BASH_VERSINFO", "BASH_VERSION", "HOSTNAME", "OSTYPE", "RANDOM", "SECONDS", "UID"}
        ),
        "arrayvar": lambda: sorted(name for name, var in state.vars.items() if var.kind == "a"),
    }
    return [name for name in tables[action]() if name.startswith(word)] if action in tables else None


def compgen(shell: Any, words: list[str]) -> int:
    """`compgen [-A action] [-W words] [-P prefix] [-S suffix] [-X pattern] [word]`; 1 when nothing fits."""
    actions: list[str] = []
    given: dict[str, str] = {}
    args = words[1:]
    while args and args[0].startswith("-") and len(args[0]) > 1:
        text = args.pop(0)[1:]
        if text == "-":
            break
        while text:
            letter, text = text[0], text[1:]
            if letter in LETTERS:
                actions.append(LETTERS[letter])
            elif letter in VALUED:
                if not text and not args:
                    shell.complain(f"compgen: -{letter}: option requires an argument")
                    shell.err(USAGE)
                    return 2
                value = text or args.pop(0)
                text = ""
                if letter == "A":
                    actions.append(value)
                else:
                    given[letter] = value
            else:
                shell.complain(f"compgen: -{letter}: invalid option")
                shell.err(USAGE)
                return 2
    word = args[0] if args else ""
    found: list[str] = []
    for action in actions:
        some = _of(shell, action, word)
        if some is None:
            shell.complain(f"compgen: {action}: invalid action name")
            return 2
        found += some
    if "W" in given:
        found += [one for one in given["W"].split() if one.startswith(word)]
    if "G" in given:
        found += [one for one in _paths(shell, "", directories=False) if patterns.matches(given["G"], one)]
    if "X" in given:
        drop, keep = given["X"].removeprefix("!"), given["X"].startswith("!")
        found = [one for one in found if patterns.matches(drop, one) == keep]
    shell.out("".join(f"{given.get('P', '')}{one}{given.get('S', '')}\n" for one in found))
    return int(not found)
