"""Completion of a line in a terminal: commands, paths, variables, and what `tables['complete']` hooks in (kubectl).

A hook is `hook(world, terminal state, words, current) -> list[str] | None`; it is found by the first word of the command.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from ..host import files, users
from ..host.executor import DEFAULT_PATH
from ..host.filesystem import Tree
from ..host.machine import hosts
from ..kernel.world import World
from .builtins import BUILTINS
from .terminal import TerminalState, section

Hook = Callable[[World, TerminalState, list[str], str], "list[str] | None"]
LIMIT = 500
SYSTEMCTL = (
    "cat",
    "daemon-reload",
    "disable",
    "enable",
    "is-active",
    "is-enabled",
    "is-failed",
    "list-units",
    "reload",
    "restart",
    "show",
    "start",
    "status",
    "stop",
)
WORD = re.compile(r"(?:\\.|'[^']*'?|\"(?:\\.|[^\"])*\"?|[^\s;|&<>()'\"\\])*\Z")


@contextmanager
def unnoticed(world: World) -> Iterator[None]:
    """Requests of a question leave no trace, no digest and no drawn random number, and no API server remembers them."""
    streams, trace, seq, digest = dict(world.rng_state), world.trace, world.trace_seq, world.digest
    servers = [(running, running.memory()) for running in world.sections.get("apiserver", {}).values()]
    world.trace = []
    try:
        yield
    finally:
        for running, memory in servers:
            running.remember(memory)
        world.trace, world.trace_seq, world.digest = trace, seq, digest
        world.rng_state.clear()
        world.rng_state.update(streams)


def _commands(tree: Tree, state: TerminalState) -> list[str]:
    names = set(BUILTINS) | set(state.shell.functions) | set(state.shell.aliases)
    for folder in (state.shell.get("PATH") or DEFAULT_PATH).split(":"):
        if folder and tree.isdir(folder):
            names.update(tree.listdir(folder))
    return sorted(names)


def _paths(tree: Tree, state: TerminalState, word: str, *, directories: bool = False, executable: bool = False) -> list[str]:
    head, slash, base = word.rpartition("/")
    shown = head + slash
    folder = head + slash or "."
    if folder.startswith("~"):
        home = state.shell.get("HOME") or users.home_of(tree, state.user)
        folder = home + folder[1:]
    where = posixpath.normpath(posixpath.join(state.shell.cwd, folder))
    try:
        names = tree.listdir(where)
    except OSError:
        return []
    found = []
    for name in names:
        if not name.startswith(base) or (name.startswith(".") and not base.startswith(".")):
            continue
        path = posixpath.join(where, name)
        if tree.isdir(path):
            found.append(shown + name + "/")
        elif not directories and (not executable or _runs(tree, path)):
            found.append(shown + name)
    return found


def _runs(tree: Tree, path: str) -> bool:
    try:
        return bool(tree.lookup(path).mode & 0o111)
    except OSError:
        return False


def complete(world: World, name: str, line: str, cursor: int) -> tuple[int, int, list[str]]:
    """(start, end, candidates): what may stand instead of `line[start:end]`.  A question; it changes nothing."""
    state = section(world).items[name]
    machine = hosts(world)[state.host]
    tree = files.tree(machine)
    before = line[: max(min(cursor, len(line)), 0)]
    match = WORD.search(before)
    word = match.group() if match else ""
    start = len(before) - len(word)
    plain = re.sub(r"\\(.)|['\"]", lambda m: m.group(1) or "", word)
    if re.search(r"\$\{?\w*\Z", plain) and "'" not in word:
        return _variables(state, word, start, len(before))
    words = re.split(r"&&|\|\||[;|&(]", before[:start])[-1].split()
    while words and re.match(r"\w+=", words[0]):
        words.pop(0)
    if words and words[0] in ("sudo", "watch", "time", "nohup", "exec", "xargs") and len(words) == 1:
        words = []
    redirected = before[:start].rstrip().endswith((">", "<"))
    if redirected:
        found = _paths(tree, state, plain)
    elif not words:
        found = (
            _paths(tree, state, plain, executable=True)
            if "/" in plain
            else [one for one in _commands(tree, state) if one.startswith(plain)]
        )
    else:
        found = _arguments(world, state, tree, words, plain)
    return start, len(before), [_quoted(one) for one in found[:LIMIT]]


def _variables(state: TerminalState, word: str, start: int, end: int) -> tuple[int, int, list[str]]:
    head, dollar, name = word.rpartition("$")
    brace = "{" if name.startswith("{") else ""
    name = name.removeprefix("{")
    found = sorted(one for one in state.shell.vars if one.startswith(name))
    return start, end, [head + dollar + brace + one + ("}" if brace else "") for one in found[:LIMIT]]


def _arguments(world: World, state: TerminalState, tree: Tree, words: list[str], plain: str) -> list[str]:
    command = state.shell.aliases.get(words[0], words[0]).split()[0] if words else ""
    hooks: dict[str, Any] = world.tables.get("complete", {})
    hook: Hook | None = hooks.get(command)
    if hook is not None:
        with unnoticed(world):
            found = hook(world, state, [command, *words[1:]], plain)
        if found is not None:
            return [one for one in found if one.startswith(plain)]
    if command == "ssh":
        return sorted(one for one in hosts(world) if one.startswith(plain))
    verbs = SYSTEMCTL if command == "systemctl" and len([word for word in words[1:] if not word.startswith("-")]) == 0 else ()
    if verbs and not plain.startswith("-"):
        return [one for one in verbs if one.startswith(plain)]
    if command == "systemctl" or (command == "journalctl" and words[-1] in ("-u", "--unit")):
        return sorted(one for one in hosts(world)[state.host].units if one.startswith(plain))
    return _paths(tree, state, plain, directories=command in ("cd", "rmdir", "pushd"))


def _quoted(text: str) -> str:
    return re.sub(r"([ '\"\\$&|;<>()*?#`!])", r"\\\1", text)
