"""xargs: command lines built from standard input (findutils 4.9)."""

from __future__ import annotations

import re

from ...host.executor import DEFAULT_PATH, resolve
from ...host.invocation import Call
from .common import Code, Options, parse, read_path, whole

#: What a command line may hold when `-s` does not say (xargs' own default, 128 KiB less room for the environment).
ROOM = 131072 - 2048
LONG = """null:0 max-args=n arg-file=a max-lines?L max-chars=s exit:x replace?I no-run-if-empty:r delimiter=d max-procs=P verbose:t eof?E
interactive:p"""


class _Unmatched(Exception):
    """A quote that nothing closes; its text is `single` or `double`, `before` the words that stood before it."""

    def __init__(self, kind: str, before: list[str]) -> None:
        super().__init__(kind)
        self.before = before


def xargs(call: Call) -> Code:
    """`xargs [-0rtxp] [-a file] [-d delim] [-E eof] [-I repl] [-L lines] [-n args] [-P procs] [-s chars] [command [args]]`."""
    call.argv = [call.argv[0], *_old_style(call.argv[1:])]
    options, command = parse(call, "n:I:0d:rtL:P:s:xa:pE:", LONG, permute=False)
    if "I" in options and not options["I"]:
        options["I"] = "{}"
    try:
        source = (yield from read_path(call, options["a"])) if "a" in options else (yield from call.read())
    except OSError as failed:
        call.err(f"xargs: Cannot open input file ‘{options['a']}’: {failed.strerror}\n")
        return 1
    command = command or ["echo"]
    try:
        lines = _lines(source.decode("utf-8", "surrogateescape"), options)
        batches = _batches(call, command, lines, options)
    except _Unmatched as quote:
        call.err(f"xargs: unmatched {quote} quote; by default quotes are special to xargs unless you use the -0 option\n")
        if quote.before and "I" not in options:  # what came before the quote is run all the same
            yield from call.run([*command, *quote.before], stdin=b"")
        return 1
    code = 0
    for argv in batches:
        if argv is None:
            call.err("xargs: argument line too long\n")
            return 1
        if "p" in options:
            call.err("xargs: failed to open /dev/tty for reading: No such device or address\n")
            return 1
        if "t" in options:
            call.err(" ".join(argv) + "\n")
        try:
            resolve(call.host, call.proc.mnt, argv[0], cwd=call.cwd, path=call.env.get("PATH", DEFAULT_PATH), user=call.proc.user)
        except OSError as failed:
            call.err(f"xargs: {argv[0]}: {failed.strerror}\n")
            return 127 if failed.errno == 2 else 126
        status = yield from call.run(argv, stdin=b"")
        if status == 255:
            call.err(f"xargs: {argv[0]}: exited with status 255; aborting\n")
            return 124
        code = 123 if status else code
    return code


def _old_style(words: list[str]) -> list[str]:
    """`-i`, `-l` and `-e`, whose arguments must be joined, as their newer names."""
    found: list[str] = []
    for number, word in enumerate(words):
        if not word.startswith("-"):
            return [*found, *words[number:]]
        if word.startswith("-i"):
            word = f"-I{word[2:] or '{}'}"
        elif re.fullmatch(r"-l\d*", word):
            word = f"-L{word[2:] or '1'}"
        elif word.startswith("-e"):
            word = f"--eof={word[2:]}"
        found.append(word)
    return found


def _lines(text: str, options: Options) -> list[list[str]]:
    """The arguments of the input, line by line; with `-0` or `-d` each item is a line of one."""
    if "0" in options or "d" in options:
        mark = "\0" if "0" in options else {"\\n": "\n", "\\t": "\t", "\\0": "\0"}.get(options["d"], options["d"][:1] or "\0")
        return [[item] for item in text.removesuffix(mark).split(mark)] if text else []
    found: list[list[str]] = []
    for line in _words(text, whole_lines="I" in options):
        for number, word in enumerate(line):
            if options.get("E") and word == options["E"]:
                return [*found, line[:number]] if number else found
        found.append(line)
    return found


def _words(text: str, *, whole_lines: bool) -> list[list[str]]:
    """Words with quotes and backslashes taken away; a line that ends in a blank goes on in the next."""
    found: list[list[str]] = []
    line: list[str] = []
    word: list[str] | None = None
    at = 0
    while at < len(text):
        char = text[at]
        if char in "'\"":
            end = text.find(char, at + 1)
            if end < 0 or "\n" in text[at:end]:
                raise _Unmatched("single" if char == "'" else "double", [word for row in [*found, line] for word in row])
            word = [*(word or []), text[at + 1 : end]]
            at = end
        elif char == "\\" and at + 1 < len(text):
            at += 1
            word = [*(word or []), text[at]]
        elif char == "\n" or (char in " \t" and not (whole_lines and word)):
            if word is not None:
                line.append("".join(word))
                word = None
            if char == "\n" and line and (whole_lines or text[at - 1] not in " \t"):
                found.append(line)
                line = []
        else:
            end = at
            while end < len(text) and (text[end] not in " \t\n'\"\\" or (whole_lines and text[end] in " \t")):
                end += 1
            word = word or []
            word.append(text[at:end])
            at = end - 1
        at += 1
    if word is not None:
        line.append("".join(word))
    return [*found, line] if line else found


def _batches(call: Call, command: list[str], lines: list[list[str]], options: Options) -> list[list[str] | None]:
    """The command lines to run; None where one is too long for `-s`."""
    room = (
        whole(call, options["s"], "invalid number \"{}\" for -s option\nTry 'xargs --help' for more information.")
        if "s" in options
        else ROOM
    )
    if "I" in options:
        return [[word.replace(options["I"], line[0]) for word in command] for line in lines]
    if not lines:
        return [] if "r" in options else [command]
    base = sum(len(word.encode("utf-8", "surrogateescape")) + 1 for word in command)
    most_args = (
        max(whole(call, options["n"], "invalid number \"{}\" for -n option\nTry 'xargs --help' for more information."), 1)
        if "n" in options
        else 0
    )
    most_lines = (
        max(whole(call, options["L"] or "1", "invalid number \"{}\" for -L option\nTry 'xargs --help' for more information."), 1)
        if "L" in options
        else 0
    )
    batches: list[list[str] | None] = []
    args: list[str] = []
    used, taken = base, 0
    for line in lines:
        for word in line:
            size = len(word.encode("utf-8", "surrogateescape")) + 1
            if args and (used + size > room or (most_args and len(args) >= most_args)):
                batches.append([*command, *args])
                args, used, taken = [], base, 0
            if base + size > room:
                return [*batches, None]
            args.append(word)
            used += size
        taken += 1
        if most_lines and taken >= most_lines:
            batches.append([*command, *args])
            args, used, taken = [], base, 0
    return [*batches, [*command, *args]] if args else batches
