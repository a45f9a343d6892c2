"""Normal mode's commands that are not motions or operators: one function a key, in the table at the end."""

from __future__ import annotations

import re
from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any

from ...host.program import Wait
from . import motions
from .motions import Span

if TYPE_CHECKING:
    from .vi import Vi

Did = Generator[Wait, Any, bool]


class Abort(Exception):
    """The command is given up (Esc, or it cannot be done): what was left of a macro is dropped."""


def _nothing() -> Did:
    yield from ()
    return False


def insert(vi: Vi, n: int, count: int | None) -> Did:
    """`i`."""
    return (yield from vi.start_insert(vi.col, count=n))


def append(vi: Vi, n: int, count: int | None) -> Did:
    """`a`."""
    return (yield from vi.start_insert(min(vi.col + 1, len(vi.line)), count=n))


def insert_first(vi: Vi, n: int, count: int | None) -> Did:
    """`I`."""
    col = len(vi.line) - len(vi.line.lstrip(" \t"))
    return (yield from vi.start_insert(col, count=n))


def append_last(vi: Vi, n: int, count: int | None) -> Did:
    """`A`."""
    return (yield from vi.start_insert(len(vi.line), count=n))


def open_line(vi: Vi, below: bool, n: int) -> Did:
    """`o` and `O`."""
    vi.guard()
    indent = vi.line[: len(vi.line) - len(vi.line.lstrip(" \t"))] if vi.options["autoindent"] and not vi.options["paste"] else ""
    at = vi.row + (1 if below else 0)
    vi.lines.insert(at, indent)
    vi.row = at
    return (yield from vi.start_insert(len(indent), count=n, opened=True))


def replace_mode(vi: Vi, n: int, count: int | None) -> Did:
    """`R`."""
    return (yield from vi.start_insert(vi.col, mode="replace"))


def cut(vi: Vi, back: bool, n: int) -> Did:
    """`x` and `X`."""
    yield from ()
    start, end = (max(vi.col - n, 0), vi.col) if back else (vi.col, min(vi.col + n, len(vi.line)))
    if start >= end:
        raise Abort
    vi.keep(vi.line[start:end], "c", deleted=True)
    vi.guard()
    vi.lines[vi.row] = vi.line[:start] + vi.line[end:]
    vi.col = start
    return True


def substitute(vi: Vi, n: int, count: int | None) -> Did:
    """`s`."""
    end = min(vi.col + n, len(vi.line))
    vi.mode = "insert"
    return (yield from vi.apply("c", Span((vi.row, vi.col), (vi.row, end))))


def whole_line(op: str) -> Callable[[Vi, int, int | None], Did]:
    """`S`, `Y`: an operator to whole lines."""

    def command(vi: Vi, n: int, count: int | None) -> Did:
        last = min(vi.row + n - 1, len(vi.lines) - 1)
        return (yield from vi.apply(op, Span((vi.row, 0), (last, 0), linewise=True)))

    return command


def to_end(op: str) -> Callable[[Vi, int, int | None], Did]:
    """`D`, `C`: an operator up to the end of the line."""

    def command(vi: Vi, n: int, count: int | None) -> Did:
        row = min(vi.row + n - 1, len(vi.lines) - 1)
        if op == "c":
            vi.mode = "insert"
        span = Span((vi.row, vi.col), (row, len(vi.lines[row])))
        if op == "d" and row > vi.row and not vi.line[: vi.col].strip():
            span = Span((vi.row, 0), (row, 0), linewise=True)
        return (yield from vi.apply(op, span))

    return command


def replace_char(vi: Vi, n: int, count: int | None) -> Did:
    """`r`."""
    c = yield from vi.key()
    if c in ("<Esc>", "<C-c>") or vi.col + n > len(vi.line):
        raise Abort
    vi.guard()
    if c == "<CR>":
        vi.lines[vi.row : vi.row + 1] = [vi.line[: vi.col], vi.line[vi.col + n :]]
        vi.to((vi.row + 1, 0))
        return True
    c = {"<Tab>": "\t"}.get(c, c)
    if len(c) != 1:
        raise Abort
    vi.lines[vi.row] = vi.line[: vi.col] + c * n + vi.line[vi.col + n :]
    vi.col += n - 1
    return True


def swap_case(vi: Vi, n: int, count: int | None) -> Did:
    """`~`."""
    yield from ()
    if not vi.line:
        raise Abort
    vi.guard()
    end = min(vi.col + n, len(vi.line))
    vi.lines[vi.row] = vi.line[: vi.col] + vi.line[vi.col : end].swapcase() + vi.line[end:]
    vi.col = end
    return True


def join(vi: Vi, n: int, count: int | None) -> Did:
    """`J`."""
    yield from ()
    vi.join(max(n, 2))
    return True


def put(before: bool) -> Callable[[Vi, int, int | None], Did]:
    """`p`, `P`."""

    def command(vi: Vi, n: int, count: int | None) -> Did:
        yield from ()
        vi.put(min(n, 1000), before)
        return True

    return command


def undo(vi: Vi, n: int, count: int | None) -> Did:
    """`u`."""
    yield from ()
    for _ in range(min(n, 500)):
        change = vi.buffer.undo()
        if change is None:
            vi.message = "Already at oldest change"
            return False
        _told(vi, len(change.old) - len(change.new), "before", len(vi.buffer.done) + 1)
        row = min(change.at, len(vi.lines) - 1)
        vi.to(change.cursor if change.cursor[0] == row else (row, motions.first_text(vi.lines[row])))
    return False


def redo(vi: Vi, n: int, count: int | None) -> Did:
    """Ctrl-R."""
    yield from ()
    for _ in range(min(n, 500)):
        change = vi.buffer.redo()
        if change is None:
            vi.message = "Already at newest change"
            return False
        _told(vi, len(change.new) - len(change.old), "after", len(vi.buffer.done))
        row = min(change.at, len(vi.lines) - 1)
        vi.to((row, motions.first_text(vi.lines[row])))
    return False


def _told(vi: Vi, grown: int, when: str, number: int) -> None:
    size = abs(grown)
    what = f"{size} {'more' if grown > 0 else 'fewer'} lines" if size > 1 else "1 line less" if grown < 0 else "1 more line"
    vi.message = f"{what if size else '1 change'}; {when} #{number}  0 seconds ago"


def repeat(vi: Vi, n: int, count: int | None) -> Did:
    """`.`."""
    yield from ()
    if not vi.dot:
        raise Abort
    keys = list(vi.dot)
    if count is not None:
        digits = 0
        while digits < len(keys) and keys[digits].isdigit() and (digits or keys[digits] != "0"):
            digits += 1
        keys = [*str(count), *keys[digits:]]
    vi.replay = keys + vi.replay
    vi.read = None
    return False


def record(vi: Vi, n: int, count: int | None) -> Did:
    """`q`."""
    if vi.recording is not None:
        name, keys = vi.recording
        vi.registers[name] = ("c", "".join(_written(key) for key in keys[:-1]))
        vi.recording = None
        return False
    name = yield from vi.key()
    if len(name) != 1 or not name.isalnum():
        raise Abort
    vi.recording = (name, [])
    return False


def _written(key: str) -> str:
    table = {"<Esc>": "\x1b", "<CR>": "\r", "<Tab>": "\t", "<BS>": "\x7f"}
    if key in table:
        return table[key]
    match = re.fullmatch(r"<C-([a-z])>", key)
    return chr(ord(match.group(1)) - 96) if match else key if len(key) == 1 else ""


def play(vi: Vi, n: int, count: int | None) -> Did:
    """`@`."""
    from .screen import decode

    name = yield from vi.key()
    name = vi.last_macro if name == "@" else name
    if name == ":":
        yield from vi.execute(vi.last_ex)
        return False
    if name not in vi.registers:
        raise Abort
    vi.last_macro = name
    vi.replay = decode(vi.registers[name][1]) * min(n, 1000) + vi.replay
    vi.read = None
    return False


def scroll(vi: Vi, key: str, n: int, count: int | None) -> Did:
    """Ctrl-F, Ctrl-B, Ctrl-D, Ctrl-U, Ctrl-E, Ctrl-Y."""
    yield from ()
    last = len(vi.lines) - 1
    height = vi.height
    by = {
        "f": (height - 2) * n,
        "b": -(height - 2) * n,
        "d": count or height // 2,
        "u": -(count or height // 2),
        "e": n,
        "y": -n,
    }[key]
    if (by > 0 and vi.row == last and key != "e") or (by < 0 and vi.row == 0):
        raise Abort
    vi.top = min(max(vi.top + by, 0), last)
    if key in "du":
        vi.to((min(max(vi.row + by, 0), last), vi.col))
    elif key in "ey":
        vi.row = min(max(vi.row, vi.top), vi.top + height - 1)
    else:
        vi.to((min(vi.top if by > 0 else min(vi.top + height - 1, last), last), 0))
        vi.col = motions.first_text(vi.line)
    vi.top = min(vi.top, vi.row)
    return False


def scrolling(key: str) -> Callable[[Vi, int, int | None], Did]:
    """The command of a scroll key."""
    return lambda vi, n, count: scroll(vi, key, n, count)


def z_command(vi: Vi, n: int, count: int | None) -> Did:
    """`zz`, `zt`, `zb` and their like."""
    key = yield from vi.key()
    if key in "tzb.-" or key == "<CR>":
        offset = {"z": vi.height // 2, ".": vi.height // 2, "b": vi.height - 1, "-": vi.height - 1}.get(key, 0)
        vi.top = max(vi.row - offset, 0)
    return False


def big_z(vi: Vi, n: int, count: int | None) -> Did:
    """`ZZ` and `ZQ`."""
    key = yield from vi.key()
    if key == "Z":
        yield from vi.execute("x")
    elif key == "Q":
        yield from vi.execute("q!")
    return False


def set_mark(vi: Vi, n: int, count: int | None) -> Did:
    """`m`."""
    name = yield from vi.key()
    if len(name) != 1 or not (name.isalpha() or name in "'`"):
        raise Abort
    vi.marks["'" if name == "`" else name] = (vi.row, vi.col)
    return False


def colon(vi: Vi, n: int, count: int | None) -> Did:
    """`:`."""
    start = "" if count is None else "." if count == 1 else f".,.+{count - 1}"
    text = yield from vi.prompt(":", start)
    vi.message = ""
    if text is None:
        return False
    if text.strip():
        vi.last_ex = text
    yield from vi.execute(text)
    return False


def visual(mode: str) -> Callable[[Vi, int, int | None], Did]:
    """`v`, `V`, Ctrl-V."""

    def command(vi: Vi, n: int, count: int | None) -> Did:
        yield from ()
        vi.mode = mode
        vi.visual_start = (vi.row, vi.col)
        return False

    return command


def status(vi: Vi, n: int, count: int | None) -> Did:
    """Ctrl-G."""
    yield from ()
    name = f'"{vi.name}"' if vi.name else '"[No Name]"'
    flags = " [Modified]" if vi.buffer.modified else ""
    percent = (vi.row + 1) * 100 // len(vi.lines)
    size = len(vi.lines)
    vi.message = f"{name}{flags} {size} line{'s' if size != 1 else ''} --{percent}%--"
    return False


def increment(sign: int) -> Callable[[Vi, int, int | None], Did]:
    """Ctrl-A, Ctrl-X."""

    def command(vi: Vi, n: int, count: int | None) -> Did:
        yield from ()
        match = next((m for m in re.finditer(r"-?\d+", vi.line) if m.end() > vi.col), None)
        if match is None:
            raise Abort
        vi.guard()
        value = str(int(match.group()) + sign * n)
        vi.lines[vi.row] = vi.line[: match.start()] + value + vi.line[match.end() :]
        vi.col = match.start() + len(value) - 1
        return True

    return command


def suspend(vi: Vi, n: int, count: int | None) -> Did:
    """Ctrl-Z."""
    yield from vi.screen.suspend()
    return False


def redraw(vi: Vi, n: int, count: int | None) -> Did:
    """Ctrl-L."""
    vi.screen.drawn = []
    vi.screen.write("\x1b[2J")
    return _nothing()


def jump_back(vi: Vi, n: int, count: int | None) -> Did:
    """Ctrl-O: where the last jump started."""
    yield from ()
    if "'" in vi.marks:
        here = (vi.row, vi.col)
        vi.to(vi.marks["'"])
        vi.marks["'"] = here
    return False


def again(vi: Vi, n: int, count: int | None) -> Did:
    """`&`: the last substitution."""
    yield from vi.execute("s")
    return True


def insert_paste(vi: Vi, text: str) -> Did:
    """A paste in normal mode is put behind the cursor, as Vim does."""
    yield from ()
    vi.guard()
    vi.registers['"'] = ("c", text)
    vi.register = '"'
    vi.put(1, not vi.line)
    return True


def not_here(vi: Vi, n: int, count: int | None) -> Did:
    """Keys of Vim that open something that is not there."""
    vi.message = "not simulated in Slipway yet"
    return _nothing()


SIMPLE: dict[str, Callable[[Vi, int, int | None], Did]] = {
    "i": insert, "a": append, "I": insert_first, "A": append_last, "<Insert>": insert,
    "o": lambda vi, n, count: open_line(vi, True, n), "O": lambda vi, n, count: open_line(vi, False, n),
    "R": replace_mode, "x": lambda vi, n, count: cut(vi, False, n), "<Del>": lambda vi, n, count: cut(vi, False, n),
    "X": lambda vi, n, count: cut(vi, True, n), "s": substitute, "S": whole_line("c"), "Y": whole_line("y"), "D": to_end("d"),
    "C": to_end("c"), "r": replace_char, "~": swap_case, "J": join, "p": put(False), "P": put(True), "u": undo, "U": not_here,
    "<C-r>": redo, ".": repeat, "q": record, "@": play, "z": z_command, "Z": big_z, "m": set_mark, ":": colon,
    "<C-f>": scrolling("f"), "<PageDown>": scrolling("f"), "<C-b>": scrolling("b"), "<PageUp>": scrolling("b"), "<C-d>": scrolling("d"),
    "<C-u>": scrolling("u"), "<C-e>": scrolling("e"), "<C-y>": scrolling("y"), "v": visual("visual"), "V": visual("visual-line"),
    "<C-v>": visual("visual-block"), "<C-g>": status, "<C-a>": increment(1), "<C-x>": increment(-1), "<C-z>": suspend,
    "<C-l>": redraw, "<C-o>": jump_back, "&": again, "K": not_here, "Q": not_here, "<F1>": not_here,
}  # fmt: skip
