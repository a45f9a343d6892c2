"""Options of openssl's commands (apps/lib/opt.c) and how files that cannot be loaded are told (crypto/store)."""

from __future__ import annotations

from typing import NamedTuple

from ...host.invocation import Call
from ...kernel.errors import NotSimulated


class Wrong(Exception):
    """A wrong option; the text is told on standard error and the status is 1."""


class Options(NamedTuple):
    """What was given: values by option, flags in order, and the words that are no options."""

    values: dict[str, list[str]]
    flags: list[str]
    rest: list[str]

    def text(self, name: str, default: str = "") -> str:
        """The last value of an option."""
        return self.values[name][-1] if name in self.values else default

    def on(self, name: str) -> bool:
        """Whether a flag was given."""
        return name in self.flags


def parse(command: str, words: list[str], valued: str, plain: str, *, not_yet: str = "", other: str = "option") -> Options:
    """Read options with one or two dashes.  `valued`, `plain` and `not_yet` list names; `other` is what an unknown name is called, "" takes any."""
    with_value, without, refused = valued.split(), plain.split(), not_yet.split()
    found = Options({}, [], [])
    at = 0
    while at < len(words):
        word, at = words[at], at + 1
        if not word.startswith("-") or word == "-" or found.rest:
            found.rest.append(word)
            continue
        name = word.removeprefix("-").removeprefix("-")
        if name in with_value:
            if at >= len(words):
                raise Wrong(f"{command}: Option {word} needs a value\n{command}: Use -help for summary.\n")
            found.values.setdefault(name, []).append(words[at])
            found.flags.append(name)
            at += 1
        elif name in without:
            found.flags.append(name)
        elif name in refused:
            raise NotSimulated(f"openssl {command} -{name}")
        elif other:
            raise Wrong(f"{command}: Unknown {other}: {name}\n{command}: Use -help for summary.\n")
    return found


def number(command: str, text: str) -> int:
    """A number, with 0x in base sixteen; raises Wrong."""
    try:
        return int(text, 16 if text.lower().startswith("0x") else 10)
    except ValueError:
        raise Wrong(f'{command}: Can\'t parse "{text}" as a number\n') from None


def thread(call: Call) -> str:
    """The thread that error lines begin with."""
    return f"40{call.world.rng('openssl').bits64() >> 40:06X}7F0000"


def cannot_open(call: Call, path: str, why: str | None, mode: str = "reading") -> str:
    """What is told of a file that cannot be opened."""
    mark = thread(call)
    return (f'Can\'t open "{path}" for {mode}, {why}\n{mark}:error:80000002:system library:BIO_new_file:{why}:../crypto/bio/bss_file.c:67:'
            f"calling fopen({path}, {mode[0]})\n{mark}:error:10000080:BIO routines:BIO_new_file:no such file:../crypto/bio/bss_file.c:75:\n")  # fmt: skip


def unreadable(call: Call, what: str, source: str, why: str | None, ending: bool = True) -> int:
    """Tell that a file could not be opened (`why`), or that it holds no such thing; the status is 1."""
    mark = thread(call)
    if why:
        call.err(
            f"Could not open file or uri for loading {what} from {source}\n"
            f"{mark}:error:16000069:STORE routines:ossl_store_get0_loader_int:unregistered scheme:"
            f"../crypto/store/store_register.c:237:scheme=file\n{mark}:error:80000002:system library:file_open:{why}:"
            f"../providers/implementations/storemgmt/file_store.c:266:calling stat({source})\n"
        )
    else:
        call.err(
            f"Could not read {what} from {source}\n{mark}:error:1608010C:STORE routines:ossl_store_handle_load_result:"
            "unsupported:../crypto/store/store_result.c:149:\n"
        )
    if ending:
        call.err(f"Unable to load {what}\n")
    return 1
