"""What the commands share: options as getopt_long reads them, input files, sizes, messages."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from typing import Any

from ...host.executor import Ended
from ...host.invocation import Call
from ...host.program import Wait
from ...kernel.errors import NotSimulated
from . import about, harmless, realoptions

Code = Generator[Wait, Any, int]
Options = dict[str, str]


def usage(call: Call, message: str, code: int = 1) -> Ended:
    """Print a usage error; the caller raises what this returns."""
    name = call.argv[0].rpartition("/")[2]
    lead = f"{name}: " if name in ("diff", "cmp") else ""  # diffutils' way
    if name in ("grep", "egrep", "fgrep"):
        name, lead = "grep", "Usage: grep [OPTION]... PATTERNS [FILE]...\n"
    call.err(f"{name}: {message}\n{lead}Try '{name} --help' for more information.\n")
    return Ended(code)


def whole(call: Call, text: str, message: str, code: int = 1) -> int:
    """A number that an option asks for; anything else ends the command with a message of its own (`{}` stands for what was given)."""
    if text.isascii() and text.isdigit() and len(text) < 16:
        return int(text)
    call.err(f"{name_of(call)}: {message.format(text)}\n")
    raise Ended(code)


def unknown(call: Call, option: str, message: str, code: int) -> Ended:
    """An option that is not handled here: one of the real tool's own, or one that nobody has.  The caller raises it."""
    name = name_of(call)
    if realoptions.exists(name, option):
        refused = NotSimulated(f"option '{option}'")
        call.err(f"{name}: {refused}\n")
        return Ended(1)
    return usage(call, message, code)


def parse(call: Call, short: str, long: str = "", *, code: int = 1, permute: bool = True) -> tuple[Options, list[str]]:
    """Options and operands.  `short` is getopt's (`an:`); `long` is words `name=x` (takes an argument, is letter x),
    `name:x` (no argument), `name` (no argument, its own key), `name?x` (optional argument).  Unknown options end the command as GNU's do."""
    takes: dict[str, bool] = {}
    for at, letter in enumerate(short):
        if letter != ":":
            takes[letter] = short[at + 1 : at + 2] == ":"
    longs: dict[str, tuple[str, str]] = {}
    for word in long.split():
        for mark in "=:?":
            name, found, key = word.partition(mark)
            if found:
                longs[name] = (key or name, mark)
                break
        else:
            longs[word] = (word, ":")
    options: Options = {}
    rest: list[str] = []
    args = list(call.argv[1:])
    while args:
        word = args.pop(0)
        if word == "--":
            rest += args
            break
        if word.startswith("--"):
            _long(call, word[2:], longs, options, args, code)
        elif word.startswith("-") and len(word) > 1:
            _short(call, word[1:], takes, options, args, code)
        else:
            rest.append(word)
            if not permute:
                rest += args
                break
    return options, rest


def _long(call: Call, word: str, longs: dict[str, tuple[str, str]], options: Options, args: list[str], code: int) -> None:
    name, equals, value = word.partition("=")
    fits = [full for full in longs if full == name] or [full for full in longs if full.startswith(name)]
    if not fits and (taken := harmless.long(name_of(call), name)) is not None:
        if taken == "=" and not equals and args:
            args.pop(0)
        return
    if not fits and name in ("help", "version") and (said := about.said(name_of(call), name, longs)):
        call.out(said)
        raise Ended(0)
    if not fits:
        raise unknown(call, f"--{name}", f"unrecognized option '--{word}'", code)
    if len(fits) > 1:
        raise usage(call, f"option '--{name}' is ambiguous", code)
    key, mark = longs[fits[0]]
    if mark == ":":
        if equals:
            raise usage(call, f"option '--{fits[0]}' doesn't allow an argument", code)
        options[key] = options.get(key, "") + "1" if key in options and not options[key].strip("1") else "1"
    elif mark == "?":
        options[key] = value
    else:
        if not equals:
            if not args:
                raise usage(call, f"option '--{fits[0]}' requires an argument", code)
            value = args.pop(0)
        options[key] = value


def _short(call: Call, letters: str, takes: dict[str, bool], options: Options, args: list[str], code: int) -> None:
    while letters:
        letter, letters = letters[0], letters[1:]
        if letter not in takes and (taken := harmless.short(name_of(call), letter)) is not None:
            if taken == ":":
                letters = letters or (args.pop(0) if args else "")
                return
            continue
        if letter not in takes:
            raise unknown(call, f"-{letter}", f"invalid option -- '{letter}'", code)
        if not takes[letter]:
            options[letter] = options.get(letter, "") + "1"
            continue
        if not letters:
            if not args:
                raise usage(call, f"option requires an argument -- '{letter}'", code)
            letters = args.pop(0)
        options[letter] = letters
        return


def name_of(call: Call) -> str:
    """The command's own name."""
    return call.argv[0].rpartition("/")[2]


#: What tools say of a file that cannot be opened, where it is not `NAME: REASON` (util-linux, coreutils 9.1).
_UNOPENED = {"fmt": "cannot open '{name}' for reading: {reason}", "rev": "cannot open {name}: {reason}"}
#: The same of a directory: it can be opened, and then cannot be read.
_UNREAD = {
    "base32": "read error: {reason}",
    "base64": "read error: {reason}",
    "column": "read failed: {reason}",
    "fmt": "read error",
    "rev": "{name}: 0: {reason}",
    "shuf": "read error: {reason}",
    "sort": "read failed: {name}: {reason}",
    "uniq": "error reading '{name}'",
}


def inputs(call: Call, names: list[str]) -> Generator[Wait, Any, tuple[list[tuple[str, bytes]], int]]:
    """The contents of the named files (standard input for none or `-`), and 1 when one could not be read."""
    found: list[tuple[str, bytes]] = []
    code = 0
    for name in names or ["-"]:
        if name == "-":
            found.append(("-", (yield from call.read())))
            continue
        try:
            found.append((name, (yield from read_path(call, name))))
        except OSError as failed:
            tool = name_of(call)
            words = (_UNREAD if isinstance(failed, IsADirectoryError) else _UNOPENED).get(tool, "{name}: {reason}")
            call.err(f"{tool}: {words.format(name=name, reason=failed.strerror)}\n")
            code = 1
    return found, code


def read_path(call: Call, name: str) -> Generator[Wait, Any, bytes]:
    """The content of a file, `/dev/stdin` and `/dev/fd/N` included."""
    fd = device_fd(name)
    if fd is not None and fd in call.fds:
        parts: list[bytes] = []
        while True:
            stream = yield from call.wait_input(fd)
            part = stream.take(65536)
            if not part:
                return b"".join(parts)
            parts.append(part)
    return call.read_file(name)


def device_fd(name: str) -> int | None:
    """The descriptor that `/dev/stdin` or `/dev/fd/N` names."""
    if name in ("/dev/stdin", "/dev/stdout", "/dev/stderr"):
        return {"/dev/stdin": 0, "/dev/stdout": 1, "/dev/stderr": 2}[name]
    if name.startswith("/dev/fd/") and name[8:].isdigit():
        return int(name[8:])
    return None


def lines(data: bytes) -> list[bytes]:
    """Lines with their newlines; the last may lack one."""
    return data.splitlines(keepends=True) if b"\r" not in data and b"\x0b" not in data and b"\x0c" not in data else _exact(data)


def _exact(data: bytes) -> list[bytes]:
    parts = data.split(b"\n")
    return [part + b"\n" for part in parts[:-1]] + ([parts[-1]] if parts[-1] else [])


def text_lines(data: bytes) -> list[str]:
    """Lines as text without newlines."""
    return data.decode("utf-8", "surrogateescape").removesuffix("\n").split("\n") if data else []


def chunks(data: bytes, size: int = 65536) -> Iterator[bytes]:
    """Pieces of a byte string."""
    for at in range(0, len(data), size):
        yield data[at : at + size]


def human(size: int, *, si: bool = False) -> str:
    """A size as `ls -h` and `df -h` round it (up)."""
    unit = 1000 if si else 1024
    if size < unit:
        return str(size)
    value: float = size
    for suffix in "KMGTPE":
        value /= unit
        if value < unit - 0.5 or suffix == "E":
            if value < 10:
                tenths = -int(-value * 10 // 1)
                if tenths < 100:
                    return f"{tenths / 10:.1f}{suffix}"
            return f"{-int(-value // 1)}{suffix}"
    return str(size)


def filter_command(work: Callable[[Call, list[bytes]], None]) -> Callable[[Call], Code]:
    """A command that handles each input's lines; options are the caller's business."""

    def command(call: Call) -> Code:
        _, names = parse(call, "")
        files, code = yield from inputs(call, names)
        for _, data in files:
            work(call, lines(data))
        return code

    return command
