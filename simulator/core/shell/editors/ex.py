"""The commands after `:`: ranges, files, `:s`, `:g`, `:set` (Vim's ex_docmd.c is the reference for their messages)."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Generator
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from ...host.program import Wait
from . import patterns
from .buffer import MAX_TEXT, Buffer
from .normal import Abort
from .state import EditorState

if TYPE_CHECKING:
    from .vi import Vi

Step = Generator[Wait, Any, None]
#: Short names of options, and how they are spelt out.
OPTIONS = {
    "nu": "number", "rnu": "relativenumber", "et": "expandtab", "ai": "autoindent", "ic": "ignorecase", "scs": "smartcase",
    "hls": "hlsearch", "is": "incsearch", "ts": "tabstop", "sw": "shiftwidth", "sts": "softtabstop", "ru": "ruler", "sc": "showcmd",
    "so": "scrolloff", "cul": "cursorline", "cuc": "cursorcolumn", "smd": "showmode", "si": "smartindent", "bg": "background",
    "ff": "fileformat", "sta": "smarttab", "ul": "undolevels", "syn": "syntax",
}  # fmt: skip
#: Commands: what is enough of each name, and the whole.
NAMES = (
    ("w", "write"), ("wq", "wq"), ("x", "xit"), ("exi", "exit"), ("q", "quit"), ("qa", "qall"), ("quita", "quitall"), ("wa", "wall"),
    ("wqa", "wqall"), ("xa", "xall"), ("cq", "cquit"), ("e", "edit"), ("ene", "enew"), ("r", "read"), ("s", "substitute"), ("g", "global"),
    ("v", "vglobal"), ("d", "delete"), ("y", "yank"), ("pu", "put"), ("m", "move"), ("t", "t"), ("co", "copy"), ("j", "join"),
    ("norm", "normal"), ("se", "set"), ("setl", "setlocal"), ("setg", "setglobal"), ("sy", "syntax"), ("filet", "filetype"),
    ("colo", "colorscheme"), ("noh", "nohlsearch"), ("u", "undo"), ("red", "redo"), ("sor", "sort"), ("ret", "retab"), ("n", "next"),
    ("prev", "previous"), ("N", "Next"), ("f", "file"), ("p", "print"), ("nu", "number"), ("k", "k"), ("ma", "mark"), ("up", "update"),
    ("reg", "registers"), ("di", "display"), ("sav", "saveas"), ("ec", "echo"), ("h", "help"), ("ls", "ls"), ("ve", "version"),
    ("a", "append"), ("i", "insert"), ("c", "change"), ("wn", "wnext"),
)  # fmt: skip


class Quit(Exception):
    """The editor is left with a status."""

    def __init__(self, code: int = 0) -> None:
        super().__init__(code)
        self.code = code


def _name(text: str) -> str:
    for short, whole in NAMES:
        if text == short or (text.startswith(short) and whole.startswith(text)):
            return whole
    return ""


class Ex(EditorState):
    """Command lines of an editor."""

    # -- lines of commands ----------------------------------------------------------------------------------------------
    def execute(self: Vi, text: str) -> Step:  # type: ignore[misc]
        """Run one command line; messages go to the bottom line."""
        before = (self.row, self.col)
        with suppress(Abort):
            yield from self._execute(text.strip().lstrip(":").strip())
        self.finish_change(before)
        self.clamp()

    def _execute(self: Vi, text: str) -> Step:  # type: ignore[misc]
        if not text or text.startswith('"'):
            return
        whole = text
        first, last, text = self._range(text)
        match = re.match(r"(s(?=[^A-Za-z])|&&?|[A-Za-z]+|[!<>=@#~])(!?)\s*(.*)\Z", text, re.DOTALL)
        if not text:
            row = last if last is not None else self.row
            self.to((max(row, 0), 0))
            from .motions import first_text

            self.col = first_text(self.line)
            return
        if match is None:
            raise self.fail(f"E492: Not an editor command: {whole}")
        word, bang, rest = match.groups()
        if word == "!" or (word == "" and bang):
            yield from self._filter(rest if not bang else bang + rest, first, last)
            return
        if word in "<>":
            steps = len(text) - len(text.lstrip(word))
            for _ in range(max(steps, 1)):
                self.apply_lines(word, *self._lines(first, last))
            self.to((self._lines(first, last)[1], 0))
            return
        name = "substitute" if word in ("s", "&", "&&") else _name(word)
        if not name and re.match(r"[kd][a-z ]?\Z", word):
            name, rest = ("k", word[1:]) if word[0] == "k" else ("delete", rest)
        if name == "" and re.match(r"g.", text):
            name, rest = "global", text[1:]
        handler: Callable[..., Step | None] | None = HANDLERS.get(name)
        if handler is None:
            if name:
                raise self.fail(f"not simulated in Slipway yet: {name}")
            raise self.fail(f"E492: Not an editor command: {whole}")
        found = handler(self, rest, bang == "!", first, last)
        if found is not None:
            yield from found

    def _range(self: Vi, text: str) -> tuple[int | None, int | None, str]:  # type: ignore[misc]
        if text.startswith("%"):
            return 0, len(self.lines) - 1, text[1:].lstrip()
        places: list[int] = []
        here = self.row
        while True:
            at, text = self._address(text, here)
            if at is not None:
                places.append(at)
            elif text[:1] in (",", ";"):
                places.append(here)
            if text[:1] in (",", ";") and (places or at is None):
                if text[0] == ";" and places:
                    here = places[-1]
                text = text[1:]
                if not re.match(r"\s*[\d.$'/?+\-\\]", text):
                    places.append(self.row)
                    break
                continue
            break
        if not places:
            return None, None, text.lstrip()
        first, last = (places[-2], places[-1]) if len(places) > 1 else (places[0], places[0])
        if first > last:
            first, last = last, first
        if last >= len(self.lines):
            raise self.fail("E16: Invalid range")
        return first if len(places) > 1 else last, last, text.lstrip()

    def _address(self: Vi, text: str, here: int) -> tuple[int | None, str]:  # type: ignore[misc]
        text = text.lstrip()
        row: int | None = None
        match = re.match(r"\d+|[.$]|'[a-z<>'\[\]]", text)
        if match:
            word = match.group()
            text = text[match.end() :]
            if word.isdigit():
                row = int(word[:9]) - 1
            elif word == ".":
                row = here
            elif word == "$":
                row = len(self.lines) - 1
            else:
                mark = self.marks.get(word[1])
                if mark is None:
                    raise self.fail("E20: Mark not set")
                row = mark[0]
        elif text[:1] in ("/", "?"):
            mark_sign = text[0]
            body = re.match(rf"{re.escape(mark_sign)}((?:\\.|[^{re.escape(mark_sign)}\\])*){re.escape(mark_sign)}?", text)
            assert body is not None
            text = text[body.end() :]
            pattern = self.compiled(body.group(1) or self.last_search[0])
            size = len(self.lines)
            order = range(1, size + 1)
            row = next(
                (n for n in ((here + (d if mark_sign == "/" else -d)) % size for d in order) if pattern.search(self.lines[n])),
                None,
            )
            if row is None:
                raise self.fail(f"E486: Pattern not found: {body.group(1)}")
        while True:
            step = re.match(r"\s*([+-])\s*(\d*)", text)
            if not step:
                return row, text
            row = (here if row is None else row) + (1 if step.group(1) == "+" else -1) * int(step.group(2)[:9] or 1)
            text = text[step.end() :]

    def _lines(self: Vi, first: int | None, last: int | None) -> tuple[int, int]:  # type: ignore[misc]
        if last is None:
            return self.row, self.row
        return max(first if first is not None else last, 0), max(last, 0)

    # -- files ----------------------------------------------------------------------------------------------------------
    def open_file(self: Vi, name: str, *, force: bool = False) -> None:  # type: ignore[misc]
        """Read a file into the buffer and say what was read."""
        del force
        self.name, self.row, self.col, self.top = name, 0, 0, 0
        self.marks = {}
        try:
            node = self.call.lookup(name)
            if node.kind == "dir":
                self.buffer = Buffer()
                self.message = f'"{name}" is a directory'
                return
            data = self.call.read_file(name)
        except FileNotFoundError:
            self.buffer = Buffer()
            folder = posixpath.dirname(self.call.path(name))
            self.message = f'"{name}" [New]' if self.call.isdir(folder) else f'"{name}" [New DIRECTORY]'
            return
        except PermissionError:
            self.buffer = Buffer()
            self.message = f'"{name}" [Permission Denied]'
            return
        except OSError as failed:
            self.buffer = Buffer()
            self.message = f'"{name}" {failed.strerror}'
            return
        if len(data) > MAX_TEXT:
            self.buffer = Buffer()
            raise self.fail(f'"{name}" is larger than {MAX_TEXT // 1024 // 1024} MiB: not simulated in Slipway')
        text = data.decode("utf-8", "surrogateescape")
        dos = "\r\n" in text and text.count("\r\n") == text.count("\n")
        self.options["fileformat"] = "dos" if dos else "unix"
        self.buffer = Buffer(text.replace("\r\n", "\n") if dos else text)
        lines = 0 if not data else len(self.buffer.lines)
        notes = "[readonly] " if self.readonly else ""
        notes += "[noeol] " if data and not text.endswith("\n") else ""
        notes += "[dos] " if dos else ""
        self.message = f'"{name}" {notes}{lines}L, {len(data)}B'

    def write(self: Vi, name: str, bang: bool, first: int | None, last: int | None, *, append: bool = False) -> None:  # type: ignore[misc]
        """Write the buffer, or lines of it, to a file."""
        target = name or self.name
        if not target:
            raise self.fail("E32: No file name")
        if self.readonly and not bang and target == self.name:
            raise self.fail("E45: 'readonly' option is set (add ! to override)")
        if self.call.isdir(target):
            raise self.fail(f'E502: "{target}" is a directory')
        whole = last is None
        there = self.call.exists(target)
        if there and name and name != self.name and not bang and not append:
            raise self.fail("E13: File exists (add ! to override)")
        if whole:
            text, size = self.buffer.text, 0 if self.lines == [""] and not self.buffer.text else len(self.lines)
        else:
            start, end = self._lines(first, last)
            text, size = "\n".join(self.lines[start : end + 1]) + "\n", end - start + 1
        if self.options["fileformat"] == "dos":
            text = text.replace("\n", "\r\n")
        data = text.encode("utf-8", "surrogateescape")
        try:
            self.call.write_file(target, data, append=append)
        except FileNotFoundError:
            raise self.fail(f'"{target}" E212: Can\'t open file for writing') from None
        except OSError:
            if self.call.exists(target) and not bang:
                raise self.fail(f"\"{target}\" E45: 'readonly' option is set (add ! to override)") from None
            raise self.fail(f'"{target}" E212: Can\'t open file for writing') from None
        if whole and not append and target == (self.name or target):
            self.name = self.name or target
            self.buffer.commit((self.row, self.col))
            self.buffer.mark_saved()
        self.message = f'"{target}" {"" if there else "[New] "}{size}L, {len(data)}B {"appended" if append else "written"}'

    def leave(self: Vi, bang: bool, code: int = 0) -> None:  # type: ignore[misc]
        """`:q`."""
        if self.buffer.modified and not bang:
            raise self.fail("E37: No write since last change (add ! to override)")
        left = len(self.names) - 1 - self.file_at
        if left > 0 and not bang and not code:
            raise self.fail(f"E173: {left} more file{'s' if left != 1 else ''} to edit")
        raise Quit(code)

    # -- text -----------------------------------------------------------------------------------------------------------
    def substitute(self: Vi, rest: str, first: int | None, last: int | None) -> Step:  # type: ignore[misc]
        """`:s/pattern/text/flags`."""
        start, end = self._lines(first, last)
        if not rest or rest[0].isalnum():
            if self.last_substitute is None:
                raise self.fail("E35: No previous regular expression")
            pattern, by, _ = self.last_substitute
            flags = rest
        else:
            mark = rest[0]
            parts = re.split(rf"(?<!\\){re.escape(mark)}", rest[1:])
            pattern = (parts[0] or self.last_search[0]).replace("\\" + mark, mark)
            by = parts[1].replace("\\" + mark, mark) if len(parts) > 1 else ""
            flags = parts[2].strip() if len(parts) > 2 else ""
        if not pattern:
            raise self.fail("E35: No previous regular expression")
        self.last_substitute = (pattern, by, flags)
        self.last_search = (pattern, True)
        searched = pattern + ("\\c" if "i" in flags else "\\C" if "I" in flags else "")
        compiled = self.compiled(searched)
        changed = 0
        touched: list[int] = []
        ask = "c" in flags
        row = start
        self.buffer.touch()
        while row <= min(end, len(self.lines) - 1):
            found, stop = yield from self._substitute_line(row, compiled, by, "g" in flags, ask, "n" in flags)
            if found:
                changed += found[0]
                touched.append(row)
                row += found[1]
                end += found[1]
            ask = ask and stop != "all"
            if stop == "quit":
                break
            row += 1
        if not changed:
            if "e" not in flags and not (first is None and ask):
                raise self.fail(f"E486: Pattern not found: {pattern}")
            return
        if "n" not in flags:
            from .motions import first_text

            at = min(touched[-1], len(self.lines) - 1)
            self.to((at, first_text(self.lines[at])))
        if changed > 2 or "n" in flags:
            what = "match" if "n" in flags else "substitution"
            plural = {"match": "matches", "substitution": "substitutions"}[what] if changed != 1 else what
            self.message = f"{changed} {plural} on {len(touched)} line{'s' if len(touched) != 1 else ''}"

    def _substitute_line(  # type: ignore[misc]
        self: Vi, row: int, pattern: re.Pattern[str], by: str, every: bool, ask: bool, count_only: bool
    ) -> Generator[Wait, Any, tuple[tuple[int, int] | None, str]]:
        line = self.lines[row]
        out, at, number, stop = "", 0, 0, ""
        for match in pattern.finditer(line):
            if ask and stop != "all":
                self.to((row, match.start()))
                self.message = f"replace with {by} (y/n/a/q/l/^E/^Y)?"
                answer = yield from self.key()
                self.message = ""
                if answer in ("q", "<Esc>", "<C-c>"):
                    stop = "quit"
                    break
                if answer == "n" or answer not in ("y", "a", "l"):
                    if not every:
                        break
                    continue
                stop = {"a": "all", "l": "quit"}.get(answer, "")
            number += 1
            out += line[at : match.start()] + patterns.substitute(match, by)
            at = match.end()
            if not every or stop == "quit":
                break
        if not number:
            return None, stop
        if count_only:
            return (number, 0), stop
        new = (out + line[at:]).split("\n")
        self.lines[row : row + 1] = new
        return (number, len(new) - 1), stop

    def global_(self: Vi, rest: str, invert: bool, first: int | None, last: int | None) -> Step:  # type: ignore[misc]
        """`:g/pattern/command` and `:v`."""
        mark = rest[:1]
        if not mark or mark.isalnum():
            raise self.fail("E148: Regular expression missing from global")
        parts = re.split(rf"(?<!\\){re.escape(mark)}", rest[1:], maxsplit=1)
        pattern = self.compiled(parts[0] or self.last_search[0])
        self.last_search = (parts[0] or self.last_search[0], True)
        command = parts[1] if len(parts) > 1 and parts[1] else "p"
        start, end = (0, len(self.lines) - 1) if last is None else self._lines(first, last)
        chosen = [n for n in range(start, min(end, len(self.lines) - 1) + 1) if (pattern.search(self.lines[n]) is None) == invert]
        if not chosen:
            raise self.fail(
                f"E486: Pattern not found: {parts[0]}" if not invert else f"E538: Pattern found in every line: {parts[0]}"
            )
        self.buffer.touch()
        moved = 0
        for row in chosen:
            if not 0 <= row + moved < len(self.lines):
                break
            size = len(self.lines)
            self.to((row + moved, 0))
            try:
                yield from self._execute(command)
            except Abort:
                if not self.message.startswith("E486"):
                    raise
                self.message = ""
            moved += 0 if re.match(r"(m|t|co)", command) else len(self.lines) - size

    def _filter(self: Vi, command: str, first: int | None, last: int | None) -> Step:  # type: ignore[misc]
        """`:!command`, and lines through a command."""
        command = re.sub(r"(?<!\\)%", lambda _: self.name, command)
        if last is not None:
            start, end = self._lines(first, last)
            data = ("\n".join(self.lines[start : end + 1]) + "\n").encode("utf-8", "surrogateescape")
            code, out, err = yield from self.call.capture(["/bin/sh", "-c", command], stdin=data)
            text = (out + err).decode("utf-8", "surrogateescape")
            self.guard()
            self.lines[start : end + 1] = text.removesuffix("\n").split("\n") if text else []
            if not self.lines:
                self.lines.append("")
            self.to((min(start, len(self.lines) - 1), 0))
            self.message = f"{end - start + 1} lines filtered" if end - start > 1 else ""
            if code:
                self.message = f"shell returned {code}"
            return
        self.screen.leave()
        self.screen.write(f":!{command}\n")
        code = yield from self.call.run(["/bin/sh", "-c", command])
        self.screen.write(f"\n{f'shell returned {code}' + chr(10) * 2 if code else ''}Press ENTER or type command to continue")
        if self.screen.device is not None:
            self.screen.device.raw = (self.call.proc.key, "raw")
            yield from self.screen.key()
        self.screen.enter()

    # -- options --------------------------------------------------------------------------------------------------------
    def set_option(self: Vi, text: str) -> None:  # type: ignore[misc]
        """`:set` with its words."""
        if not text or text == "all":
            self.message = "  ".join(
                (f"{name}" if value is True else f"{name}={value}")
                for name, value in self.options.items()
                if value not in (False, "", 0)
            )
            return
        for word in text.split():
            match = re.match(r"(no|inv)?([a-z]+)([!?&]|[-+^]?[=:](.*))?\Z", word)
            name = ""
            value: bool | None = True
            if match:
                plain = (match.group(1) or "") + match.group(2)
                if OPTIONS.get(plain, plain) in self.options:
                    name = OPTIONS.get(plain, plain)
                else:
                    name = OPTIONS.get(match.group(2), match.group(2))
                    value = {None: True, "no": False, "inv": None}[match.group(1)]
            if match is None or name not in self.options:
                if match is not None and match.group(2) in KNOWN_OPTIONS:
                    continue
                raise self.fail(f"E518: Unknown option: {word}")
            after = match.group(3) or ""
            old = self.options[name]
            if after == "?" or (after == "" and not isinstance(old, bool)):
                self.message = f"  {name}={old}" if not isinstance(old, bool) else f"{'  ' if old else 'no'}{name}"
            elif after.startswith("!") or value is None:
                self.options[name] = not old
            elif match.group(4) is not None:
                if isinstance(old, bool):
                    raise self.fail(f"E474: Invalid argument: {word}")
                if isinstance(old, int):
                    if not re.fullmatch(r"-?\d{1,4}", match.group(4)):
                        raise self.fail(f"E521: Number required after =: {word}")
                    number = int(match.group(4))
                    if name == "tabstop" and number < 1:
                        raise self.fail(f"E487: Argument must be positive: {word}")
                    self.options[name] = {"+": old + number, "-": old - number}.get(after[0], number)
                else:
                    self.options[name] = match.group(4)
            elif after == "":
                self.options[name] = value


#: Options of Vim that change nothing that can be seen here: they are taken without a word.
KNOWN_OPTIONS = frozenset(
    """compatible cp nocompatible backspace bs clipboard cb encoding enc fileencoding fenc hidden hid history hi laststatus ls modeline ml
magic ma more term ttyfast tf visualbell vb errorbells eb swapfile swf backup bk writebackup wb wildmenu wmnu wildmode wim textwidth tw
wrapscan ws showmatch sm splitbelow sb splitright spr title lazyredraw lz ttimeout ttimeoutlen ttm timeoutlen tm updatetime ut list
listchars lcs foldmethod fdm foldenable fen formatoptions fo undofile udf termguicolors tgc signcolumn scl autoread ar whichwrap ww
report viminfo vi spell cindent cin indentexpr inde""".split()
)


def _text_command(work: Callable[[Vi, int, int, str], None]) -> Callable[[Vi, str, bool, int | None, int | None], None]:
    def command(vi: Vi, rest: str, bang: bool, first: int | None, last: int | None) -> None:
        start, end = vi._lines(first, last)
        work(vi, start, end, rest)

    return command


def _register(vi: Vi, rest: str) -> str:
    match = re.match(r"([a-zA-Z\"])?\s*(\d+)?\Z", rest.strip())
    if match is None:
        raise vi.fail(f"E488: Trailing characters: {rest}")
    vi.register = match.group(1) or '"'
    return match.group(2) or ""


def _delete(vi: Vi, start: int, end: int, rest: str) -> None:
    count = _register(vi, rest)
    vi.apply_lines("d", start if not count else end, end if not count else min(end + int(count) - 1, len(vi.lines) - 1))


def _yank(vi: Vi, start: int, end: int, rest: str) -> None:
    _register(vi, rest)
    at = (vi.row, vi.col)
    vi.apply_lines("y", start, end)
    vi.to(at)


def _target(vi: Vi, rest: str) -> int:
    row, left = vi._address(rest, vi.row)
    if row is None or left.strip() or not -1 <= row < len(vi.lines):
        raise vi.fail("E14: Invalid address" if rest else "E471: Argument required")
    return row


def _move(vi: Vi, start: int, end: int, rest: str) -> None:
    to = _target(vi, rest)
    if start <= to < end:
        raise vi.fail("E134: Cannot move a range of lines into itself")
    vi.guard()
    block = vi.lines[start : end + 1]
    del vi.lines[start : end + 1]
    at = to + 1 - (len(block) if to >= end else 0)
    vi.lines[at:at] = block
    vi.to((at + len(block) - 1, 0))


def _copy(vi: Vi, start: int, end: int, rest: str) -> None:
    to = _target(vi, rest)
    vi.guard()
    block = vi.lines[start : end + 1]
    vi.lines[to + 1 : to + 1] = block
    vi.to((to + len(block), 0))


def _join(vi: Vi, start: int, end: int, rest: str) -> None:
    vi.to((start, 0))
    vi.join(max(end - start + 1, 2))


def _sort(vi: Vi, rest: str, bang: bool, first: int | None, last: int | None) -> None:
    start, end = (0, len(vi.lines) - 1) if last is None else vi._lines(first, last)
    vi.guard()

    def number(line: str) -> tuple[int, int]:
        match = re.search(r"-?\d+", line)
        return (1, int(match.group()[:30])) if match else (0, 0)

    chosen = sorted(vi.lines[start : end + 1], key=number if "n" in rest else (str.lower if "i" in rest else None), reverse=bang)
    vi.lines[start : end + 1] = list(dict.fromkeys(chosen)) if "u" in rest else chosen


def _retab(vi: Vi, rest: str, bang: bool, first: int | None, last: int | None) -> None:
    tab = int(vi.options["tabstop"])
    vi.guard()
    for row, line in enumerate(vi.lines):
        body = line.lstrip(" \t")
        if "\t" in line[: len(line) - len(body)] or bang:
            vi.lines[row] = vi.indentation(len(line[: len(line) - len(body)].expandtabs(tab))) + body


def _write(vi: Vi, rest: str, bang: bool, first: int | None, last: int | None) -> Step | None:
    if rest.startswith("!"):
        return _pipe_out(vi, rest[1:], first, last)
    vi.write(rest.removeprefix(">>").strip(), bang, first, last, append=rest.startswith(">>"))
    return None


def _pipe_out(vi: Vi, command: str, first: int | None, last: int | None) -> Step:
    """`:w !command`: the text as its standard input (`:w !sudo tee %`)."""
    command = re.sub(r"(?<!\\)%", lambda _: vi.name, command)
    start, end = (0, len(vi.lines) - 1) if last is None else vi._lines(first, last)
    data = ("\n".join(vi.lines[start : end + 1]) + "\n").encode("utf-8", "surrogateescape")
    vi.screen.leave()
    code = yield from vi.call.run(["/bin/sh", "-c", command.strip()], stdin=data)
    vi.screen.write(f"\n{f'shell returned {code}' + chr(10) * 2 if code else ''}Press ENTER or type command to continue")
    if vi.screen.device is not None:
        vi.screen.device.raw = (vi.call.proc.key, "raw")
        yield from vi.screen.key()
    vi.screen.enter()


def _write_quit(vi: Vi, rest: str, bang: bool, first: int | None, last: int | None) -> None:
    vi.write(rest, bang, first, last)
    vi.leave(bang)


def _exit(vi: Vi, rest: str, bang: bool, first: int | None, last: int | None) -> None:
    if vi.buffer.modified or rest:
        vi.write(rest, bang, first, last)
    vi.leave(bang)


def _update(vi: Vi, rest: str, bang: bool, first: int | None, last: int | None) -> None:
    if vi.buffer.modified:
        vi.write(rest, bang, first, last)


def _edit(vi: Vi, rest: str, bang: bool, first: int | None, last: int | None) -> None:
    if vi.buffer.modified and not bang:
        raise vi.fail("E37: No write since last change (add ! to override)")
    if not rest and not vi.name:
        return
    vi.open_file(rest or vi.name)


def _read(vi: Vi, rest: str, bang: bool, first: int | None, last: int | None) -> Step:
    if rest.startswith("!") or bang:
        _, out, err = yield from vi.call.capture(["/bin/sh", "-c", rest.lstrip("!")])
        data = out + err
    else:
        try:
            data = vi.call.read_file(rest or vi.name)
        except OSError:
            raise vi.fail(f"E484: Can't open file {rest}") from None
    vi.guard()
    at = (last if last is not None else vi.row) + 1
    lines = data.decode("utf-8", "surrogateescape").removesuffix("\n").split("\n")
    vi.lines[at:at] = lines
    vi.to((at, 0))
    if not rest.startswith("!"):
        vi.message = f'"{rest or vi.name}" {len(lines)}L, {len(data)}B'


def _normal(vi: Vi, rest: str, bang: bool, first: int | None, last: int | None) -> Step:
    from .screen import decode

    rows = [vi.row] if last is None else list(range(vi._lines(first, last)[0], vi._lines(first, last)[1] + 1))
    for row in rows:
        if row >= len(vi.lines):
            break
        if last is not None:
            vi.to((row, 0))
        waiting, vi.replay = vi.replay, [*decode(rest), "<Esc>"]
        read, vi.read = vi.read, None
        try:
            while len(vi.replay) > (0 if vi.mode != "normal" else 1):
                yield from vi.normal()
        finally:
            vi.replay, vi.read, vi.mode = waiting, read, "normal"


def _next_file(step: int) -> Callable[[Vi, str, bool, int | None, int | None], None]:
    def command(vi: Vi, rest: str, bang: bool, first: int | None, last: int | None) -> None:
        at = vi.file_at + step
        if not 0 <= at < len(vi.names):
            raise vi.fail("E165: Cannot go beyond last file" if step > 0 else "E164: Cannot go before first file")
        if vi.buffer.modified and not bang:
            raise vi.fail("E37: No write since last change (add ! to override)")
        vi.file_at = at
        vi.open_file(vi.names[at])

    return command


def _undo(vi: Vi, rest: str, bang: bool, first: int | None, last: int | None) -> Step:
    from .normal import undo

    yield from undo(vi, 1, None)


def _redo(vi: Vi, rest: str, bang: bool, first: int | None, last: int | None) -> Step:
    from .normal import redo

    yield from redo(vi, 1, None)


def _mark(vi: Vi, rest: str, bang: bool, first: int | None, last: int | None) -> None:
    if not re.fullmatch("[a-zA-Z]", rest.strip()):
        raise vi.fail("E471: Argument required" if not rest.strip() else "E488: Trailing characters")
    vi.marks[rest.strip()] = (vi._lines(first, last)[1], 0)


def _file(vi: Vi, rest: str, bang: bool, first: int | None, last: int | None) -> Step:
    if rest:
        vi.name = rest
    yield from _status(vi)


def _status(vi: Vi) -> Step:
    """Ctrl-G's line."""
    from .normal import status

    yield from status(vi, 1, None)


def _quiet(vi: Vi, rest: str, bang: bool, first: int | None, last: int | None) -> None:
    """Commands that change nothing that can be seen here (syntax, colours)."""


def _print(vi: Vi, rest: str, bang: bool, first: int | None, last: int | None) -> None:
    row = vi._lines(first, last)[1]
    vi.to((row, 0))
    vi.message = vi.line


def _put(vi: Vi, rest: str, bang: bool, first: int | None, last: int | None) -> None:
    vi.register = rest.strip()[:1] or '"'
    how, text = vi.registers.get(vi.register, ("", ""))
    if not how:
        raise vi.fail(f"E353: Nothing in register {vi.register}")
    vi.registers[vi.register] = ("l", text if text.endswith("\n") else text + "\n")
    vi.to((vi._lines(first, last)[1], 0))
    vi.put(1, bang)


def _quit(vi: Vi, rest: str, bang: bool, first: int | None, last: int | None) -> None:
    vi.leave(bang)


def _quit_all(vi: Vi, rest: str, bang: bool, first: int | None, last: int | None) -> None:
    if vi.buffer.modified and not bang:
        raise vi.fail(f'E162: No write since last change for buffer "{vi.name}"')
    raise Quit


def _write_all(vi: Vi, rest: str, bang: bool, first: int | None, last: int | None) -> None:
    if vi.buffer.modified:
        vi.write("", bang, None, None)


def _write_quit_all(vi: Vi, rest: str, bang: bool, first: int | None, last: int | None) -> None:
    if vi.buffer.modified:
        vi.write("", bang, None, None)
    raise Quit


def _cquit(vi: Vi, rest: str, bang: bool, first: int | None, last: int | None) -> None:
    raise Quit(int(rest) if rest.isdigit() else 1)


def _save_as(vi: Vi, rest: str, bang: bool, first: int | None, last: int | None) -> None:
    vi.write(rest, bang, None, None)
    vi.name = rest or vi.name
    vi.buffer.mark_saved()


def _set(vi: Vi, rest: str, bang: bool, first: int | None, last: int | None) -> None:
    vi.set_option(rest)


def _substitute(vi: Vi, rest: str, bang: bool, first: int | None, last: int | None) -> Step:
    return vi.substitute(rest, first, last)


def _global(vi: Vi, rest: str, bang: bool, first: int | None, last: int | None) -> Step:
    return vi.global_(rest, bang, first, last)


def _vglobal(vi: Vi, rest: str, bang: bool, first: int | None, last: int | None) -> Step:
    return vi.global_(rest, True, first, last)


def _echo(vi: Vi, rest: str, bang: bool, first: int | None, last: int | None) -> None:
    vi.message = rest.strip("\"'")


HANDLERS: dict[str, Callable[[Vi, str, bool, int | None, int | None], Step | None]] = {
    "write": _write, "wq": _write_quit, "xit": _exit, "exit": _exit, "quit": _quit, "qall": _quit_all, "quitall": _quit_all,
    "wall": _write_all, "wqall": _write_quit_all, "xall": _write_quit_all, "cquit": _cquit, "edit": _edit, "read": _read,
    "substitute": _substitute, "global": _global, "vglobal": _vglobal, "delete": _text_command(_delete), "yank": _text_command(_yank),
    "move": _text_command(_move), "copy": _text_command(_copy), "t": _text_command(_copy), "join": _text_command(_join),
    "normal": _normal, "set": _set, "setlocal": _set, "setglobal": _set, "syntax": _quiet, "filetype": _quiet, "colorscheme": _quiet,
    "nohlsearch": _quiet, "undo": _undo, "redo": _redo, "sort": _sort, "retab": _retab, "next": _next_file(1),
    "previous": _next_file(-1), "Next": _next_file(-1), "file": _file, "print": _print, "number": _print, "k": _mark, "mark": _mark,
    "update": _update, "put": _put, "saveas": _save_as, "echo": _echo,
}  # fmt: skip
