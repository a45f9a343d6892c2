"""Prompts: PS1, PS2, PS4 and their escapes (`decode_prompt_string` of bash's parse.y)."""

from __future__ import annotations

import re

from ..kernel.clock import to_datetime
from ..kernel.world import World
from .state import ShellState

#: Prompt escapes of the time of day, as strftime formats.
_TIMES = {"t": "%H:%M:%S", "T": "%I:%M:%S", "A": "%H:%M", "d": "%a %b %d"}


def prompt(state: ShellState, world: World, *, host: str, user: str, name: str = "PS1") -> str:
    """The prompt with its escapes (`\\h`, `\\w`, `\\u`, `\\$` …) and plain variables expanded."""
    text = state.get(name)
    if text is None:
        text = "\\s-\\v\\$ " if name == "PS1" else "> "
    text = escapes(text, state, world, host=host, user=user)
    return re.sub(r"\$\{?(\w+)\}?", lambda m: state.get(m.group(1)) or "", text)


def escapes(text: str, state: ShellState, world: World, *, host: str, user: str) -> str:
    """The backslash escapes of a prompt."""
    home = state.get("HOME") or ""
    cwd = state.cwd
    shown = "~" + cwd[len(home) :] if home not in ("", "/") and (cwd == home or cwd.startswith(home + "/")) else cwd
    table = {
        "h": host.split(".")[0], "H": host, "w": shown, "W": "~" if shown == "~" else (cwd.rpartition("/")[2] or "/"), "u": user,
        "$": "#" if user == "root" else "$", "s": "bash", "v": "5.2", "V": "5.2.21", "n": "\n", "r": "\r", "e": "\x1b", "a": "\a", "\\": "\\",
        "j": str(len(state.jobs)), "!": str(len(state.history) + 1), "#": str(len(state.history) + 1), "[": "", "]": "",
    }  # fmt: skip

    def escape(match: re.Match[str]) -> str:
        code = match.group(1)
        if code in _TIMES:
            return to_datetime(world.wall).strftime(_TIMES[code])
        return chr(int(code, 8)) if code.isdigit() else table.get(code, "\\" + code)

    return re.sub(r"\\([0-7]{3}|.)", escape, text)
