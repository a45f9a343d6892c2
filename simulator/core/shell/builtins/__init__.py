"""The builtins of bash: a literal table from name to function of (shell, words)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .. import coreutils  # noqa: F401  (its `echo`, `printf`, `test` are shared with the builtins)
from ..coreutils import echo as _echo
from ..coreutils import printf as _printf
from ..coreutils import testing as _testing
from . import basic, compgen, flow, jobs, reading, variables
from .signals import SIGNAL_NAMES, SIGNAL_NUMBERS


class _As:
    """A shell seen by a command: the same descriptors and files, other arguments."""

    def __init__(self, shell: Any, argv: list[str]) -> None:
        self._shell = shell
        self.argv = argv

    def __getattr__(self, name: str) -> Any:
        return getattr(self._shell, name)


def _shared(command: Callable[[Any], Any]) -> Callable[[Any, list[str]], Any]:
    return lambda shell, words: command(_As(shell, words))


def _printf_builtin(shell: Any, words: list[str]) -> int:
    """`printf -v NAME` assigns; everything else is the command's."""
    if len(words) > 2 and words[1] == "-v":
        text, code = _printf.render(_As(shell, [words[0], *words[3:]]), words[3:])
        name, _, index = words[2].partition("[")
        shell.assign(name, text.decode("utf-8", "surrogateescape"), index=index.rstrip("]") if index else None)
        return code
    return _printf.printf(_As(shell, words))


def _compgen(shell: Any, words: list[str]) -> int:
    return compgen.compgen(shell, words)


BUILTINS: dict[str, Callable[[Any, list[str]], Any]] = {
    ":": basic.colon,
    ".": flow.source,
    "[": _shared(_testing.bracket),
    "alias": basic.alias,
    "bg": jobs.bg,
    "break": flow.break_,
    "builtin": flow.builtin,
    "caller": flow.caller,
    "cd": basic.cd,
    "command": flow.command,
    "complete": basic.colon,
    "compgen": _compgen,
    "continue": flow.continue_,
    "declare": variables.declare,
    "dirs": basic.dirs,
    "disown": jobs.disown,
    "echo": _shared(_echo.builtin_echo),
    "enable": basic.enable,
    "eval": flow.eval_,
    "exec": flow.exec_,
    "exit": flow.exit_,
    "export": variables.export,
    "false": basic.false,
    "fg": jobs.fg,
    "getopts": variables.getopts,
    "hash": basic.hash_,
    "help": basic.help_,
    "history": basic.history,
    "jobs": jobs.jobs,
    "kill": jobs.kill,
    "let": variables.let,
    "local": variables.local,
    "logout": flow.exit_,
    "mapfile": reading.mapfile,
    "popd": basic.popd,
    "printf": _printf_builtin,
    "pushd": basic.pushd,
    "pwd": basic.pwd,
    "read": reading.read,
    "readarray": reading.mapfile,
    "readonly": variables.readonly,
    "return": flow.return_,
    "set": basic.set_,
    "shift": variables.shift,
    "shopt": basic.shopt,
    "source": flow.source,
    "suspend": flow.suspend,
    "test": _shared(_testing.test),
    "times": basic.times,
    "trap": flow.trap,
    "true": basic.colon,
    "type": flow.type_,
    "typeset": variables.declare,
    "ulimit": basic.ulimit,
    "umask": basic.umask,
    "unalias": basic.unalias,
    "unset": variables.unset,
    "wait": jobs.wait,
}

__all__ = ["BUILTINS", "SIGNAL_NAMES", "SIGNAL_NUMBERS"]
