"""`getopt`: a script's arguments put in order (util-linux 2.39)."""

from __future__ import annotations

from ...host.invocation import Call

#: getopt's own options that take a value.
VALUED = {"o": "options", "l": "longoptions", "n": "name", "s": "shell"}
PLAIN = {"a": "alternative", "q": "quiet", "Q": "quiet-output", "T": "test", "u": "unquoted", "h": "help", "V": "version"}


class _Wrong(Exception):
    """What an argument does wrong."""


def _own(args: list[str]) -> tuple[dict[str, str], list[str]]:
    """getopt's own options, and the words behind them."""
    found: dict[str, str] = {}
    at = 0
    while at < len(args) and args[at].startswith("-") and len(args[at]) > 1:
        word = args[at]
        at += 1
        if word == "--":
            break
        if word.startswith("--"):
            name, equals, value = word[2:].partition("=")
            key = next((letter for letter, full in {**VALUED, **PLAIN}.items() if full.startswith(name)), "")
            if not key:
                raise _Wrong(f"unrecognized option '--{name}'")
            rest, short = value if equals else "", False
        else:
            key, rest, short = word[1], word[2:], True
            equals = rest if key in VALUED else ""
        if key in VALUED:
            if not equals:
                if at >= len(args):
                    raise _Wrong(
                        f"option requires an argument -- '{key}'" if short else f"option '--{VALUED[key]}' requires an argument"
                    )
                rest = args[at]
                at += 1
            found[key] = f"{found[key]},{rest}" if key == "l" and key in found else rest
        elif key in PLAIN:
            found[key] = "1"
            if short and rest:
                at -= 1
                args = [*args[:at], "-" + rest, *args[at + 1 :]]
        else:
            raise _Wrong(f"invalid option -- '{key}'")
    return found, args[at:]


class _Reader:
    """The script's arguments read by its own options."""

    def __init__(self, short: str, longs: list[str], *, alternative: bool, quote: bool) -> None:
        self.posix, self.in_place = short.startswith("+"), short.startswith("-")
        self.short = short.lstrip("+-:")
        self.longs = {name.rstrip(":"): len(name) - len(name.rstrip(":")) for name in longs if name}
        self.alternative, self.quoting = alternative, quote
        self.out: list[str] = []
        self.wrong: list[str] = []

    def quoted(self, text: str) -> str:
        """An argument as `eval set --` reads it."""
        return "'" + text.replace("'", "'\\''") + "'" if self.quoting else text

    def read(self, args: list[str]) -> str:
        """The line that getopt prints."""
        rest: list[str] = []
        queue = list(args)
        while queue:
            word = queue.pop(0)
            if word == "--":
                rest += queue
                break
            if word.startswith("--") or (self.alternative and len(word) > 2 and word[0] == "-"):
                self.long(word.lstrip("-"), queue)
            elif word.startswith("-") and len(word) > 1:
                self.letters(word[1:], queue)
            elif self.posix:
                rest += [word, *queue]
                break
            elif self.in_place:
                self.out.append(self.quoted(word))
            else:
                rest.append(word)
        return " " + " ".join([*self.out, "--", *(self.quoted(word) for word in rest)])

    def long(self, text: str, queue: list[str]) -> None:
        name, equals, value = text.partition("=")
        fits = [full for full in self.longs if full == name] or [full for full in self.longs if full.startswith(name)]
        if len(fits) != 1:
            possible = "".join(f" '--{full}'" for full in fits)
            self.wrong.append(
                f"option '--{text}' is ambiguous; possibilities:{possible}" if fits else f"unrecognized option '--{text}'"
            )
            return
        takes = self.longs[fits[0]]
        if equals and not takes:
            self.wrong.append(f"option '--{fits[0]}' doesn't allow an argument")
        elif takes == 1 and not equals and not queue:
            self.wrong.append(f"option '--{fits[0]}' requires an argument")
        else:
            self.out.append(f"--{fits[0]}")
            if takes:
                self.out.append(self.quoted(value if equals or takes == 2 else queue.pop(0)))

    def letters(self, text: str, queue: list[str]) -> None:
        while text:
            letter, text = text[0], text[1:]
            at = self.short.find(letter) if letter != ":" else -1
            if at < 0:
                self.wrong.append(f"invalid option -- '{letter}'")
                continue
            self.out.append(f"-{letter}")
            if self.short[at + 1 : at + 2] != ":":
                continue
            if not text and self.short[at + 2 : at + 3] != ":":
                if not queue:
                    self.out.pop()
                    self.wrong.append(f"option requires an argument -- '{letter}'")
                    return
                text = queue.pop(0)
            self.out.append(self.quoted(text))
            return


def getopt(call: Call) -> int:
    """`getopt optstring words`, `getopt -o letters [-l names] [-n name] -- words`; 1 for a wrong option, 2 for getopt's own, 4 for `-T`."""
    try:
        own, rest = _own(call.argv[1:])
    except _Wrong as failed:
        call.err(f"getopt: {failed}\nTry 'getopt --help' for more information.\n")
        return 2
    if "T" in own:
        return 4
    if "V" in own:
        call.out("getopt from util-linux 2.39.3\n")
        return 0
    short = own.get("o")
    if short is None:
        if not rest:
            call.err("getopt: missing optstring argument\nTry 'getopt --help' for more information.\n")
            return 2
        short, rest = rest[0], rest[1:]
        own.setdefault("u", "1")
    reader = _Reader(short, own.get("l", "").replace(" ", ",").split(","), alternative="a" in own, quote="u" not in own)
    line = reader.read(rest)
    if "q" not in own:
        call.err("".join(f"{own.get('n', 'getopt')}: {text}\n" for text in reader.wrong))
    if "Q" not in own:
        call.out(line + "\n")
    return int(bool(reader.wrong))
