"""What apt's commands share: their options, the lock that needs root, sizes as apt shows them."""

from __future__ import annotations

from ...host.executor import Ended
from ...host.invocation import Call
from ...kernel import network
from ...kernel.errors import ConnectError
from ...shell.coreutils.names import AGAIN, resolve


def words_of(call: Call) -> tuple[set[str], list[str]]:
    """Options and words of a command line."""
    flags: set[str] = set()
    words: list[str] = []
    args = list(call.argv[1:])
    while args:
        word = args.pop(0)
        if word in ("-o", "-c", "-t", "--option", "--default-release") and args:
            args.pop(0)
        elif word.startswith("--"):
            flags.add(word)
        elif word.startswith("-") and len(word) > 1:
            flags.update(f"-{letter}" for letter in word[1:] if letter not in "=")
        else:
            words.append(word)
    return flags, words


def need_root(call: Call, lists: bool = False) -> None:
    """End the command for anybody but root, in apt's words; `lists` when it is the package lists that are locked."""
    if call.uid == 0:
        return
    if lists:
        call.err(
            "Reading package lists... Done\n"
            "E: Could not open lock file /var/lib/apt/lists/lock - open (13: Permission denied)\n"
            "E: Unable to lock directory /var/lib/apt/lists/\n"
        )
    else:
        call.err(
            "E: Could not open lock file /var/lib/dpkg/lock-frontend - open (13: Permission denied)\n"
            "E: Unable to acquire the dpkg frontend lock (/var/lib/dpkg/lock-frontend), are you root?\n"
        )
    raise Ended(100)


def size_text(kib: int) -> str:
    """KiB as apt shows a size, in powers of ten."""
    size = kib * 1024 / 1000
    return f"{size / 1000:.1f} MB" if size >= 1000 else f"{size:.1f} kB" if size < 100 else f"{size:.0f} kB"


def outside(call: Call, host: str) -> bool:
    """Whether a host of the Internet can be reached: the interface is up, and from a container name servers answer.

    The simulated Internet's names are in no zone, so an answer that there is no such name is one that the name servers work.
    """
    try:
        namespace = network.network(call.world).namespaces.get(call.proc.netns)
    except ConnectError:
        return False
    if namespace is not None and network.network(call.world).down.get(namespace.host):
        return False
    return call.proc.mnt == "host" or resolve(call, host).error != AGAIN
