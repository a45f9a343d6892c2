"""Tab completion of the tools of this package: words of their command trees, and for kubectl names through the API.

`tables["complete"]` maps a command to `hook(world, terminal state, words, current)`; what a hook returns stands instead of the
word, None means paths.  What its requests leave in trace and random streams
`shell.completion` takes back (cobra `completions.go`, `kubectl/pkg/util/completion/completion.go`).
"""

from __future__ import annotations

import posixpath

from ..host import files, processes, users
from ..host.machine import hosts
from ..host.process import Process
from ..kernel.errors import BadInput, ConnectError, NotSimulated
from ..kernel.world import World
from ..kube.api.errors import ApiError
from ..shell.terminal import TerminalState
from .cobra import Command, UsageError
from .etcdctl.root import ROOT as ETCDCTL
from .kubectl.errors import CommandError, ConfigurationInvalid, NoMatch, UrlError
from .kubectl.session import Session
from .nerdctl.tree import ROOT as NERDCTL

UNREACHABLE = (ApiError, BadInput, CommandError, ConfigurationInvalid, ConnectError, NoMatch, NotSimulated, UrlError, OSError)


class Looker:
    """What `Session` needs of an invocation, of the terminal's login shell, and without any output."""

    def __init__(self, world: World, state: TerminalState) -> None:
        self.world, self.state = world, state
        self.host = hosts(world)[state.host]
        self.tree = files.tree(self.host)
        self.env = state.shell.environment()
        self.cwd = state.shell.cwd
        self.argv: list[str] = []
        found = processes.find(world, state.host, state.pid)
        if found is None:
            raise BadInput("the terminal has no shell")
        self.proc: Process = found

    def path(self, text: str) -> str:
        """A path of the command line."""
        return posixpath.normpath(posixpath.join(self.cwd, text))

    def read_file(self, path: str) -> bytes:
        """A file that the user may read."""
        where = self.path(path)
        users.check(self.tree, where, self.state.user, users.READ)
        return self.tree.read(where)

    def exists(self, path: str) -> bool:
        """Whether there is such a file."""
        return self.tree.exists(self.path(path))

    def isdir(self, path: str) -> bool:
        """Whether it is a directory."""
        return self.tree.isdir(self.path(path))

    def out(self, text: str | bytes) -> None:
        """A question prints nothing."""

    err = out


def flags_of(command: Command, current: str) -> list[str]:
    """`--flag` of everything that a command takes; the letters too after a lone `-`."""
    shown = [flag for flag in command.all_flags() if not flag.hidden and not flag.deprecated]
    names = ["--" + flag.name for flag in shown]
    if current == "-":
        names += ["-" + flag.short for flag in shown if flag.short]
    return sorted(names)


def subcommands(command: Command) -> list[str]:
    """The names of what can follow."""
    return sorted(child.name for child in command.commands if child.available or (not child.simulated and not child.hidden))


def _awaited(command: Command, words: list[str], current: str) -> tuple[str, str]:
    """(flag, what stands before its value in the word) when the word is a flag's value; ("", "") otherwise."""
    if current.startswith("--") and "=" in current:
        name = current[2:].partition("=")[0]
        return (name, f"--{name}=") if command.all_flags().lookup(name) is not None else ("", "")
    last = words[-1] if words else ""
    if last.startswith("--") and "=" not in last:
        flag = command.all_flags().lookup(last[2:])
    elif len(last) == 2 and last[0] == "-":
        flag = command.all_flags().by_short.get(last[1])
    else:
        flag = None
    return (flag.name, "") if flag is not None and not flag.no_opt else ("", "")


def _tree(root: Command, words: list[str], current: str) -> list[str] | None:
    """Subcommands and flags, and paths where neither fits."""
    try:
        command, rest = root.find(words[1:])
    except UsageError:
        return None
    if current.startswith("-"):
        return flags_of(command, current)
    return subcommands(command) if command.commands and not command._words(rest) else None


def etcdctl(world: World, state: TerminalState, words: list[str], current: str) -> list[str] | None:
    """The hook of etcdctl."""
    return _tree(ETCDCTL, words, current)


def nerdctl(world: World, state: TerminalState, words: list[str], current: str) -> list[str] | None:
    """The hook of nerdctl."""
    return _tree(NERDCTL, words, current)


def kubectl(world: World, state: TerminalState, words: list[str], current: str) -> list[str] | None:
    """The hook of kubectl."""
    try:
        return _kubectl(world, state, words, current)
    except UNREACHABLE:
        return []


def _kubectl(world: World, state: TerminalState, words: list[str], current: str) -> list[str] | None:
    """What `kubectl __complete` answers to the same words; paths where it leaves them to the shell."""
    from .kubectl.complete import DEFAULT, EXTENSIONS, NO_SPACE, candidates

    answer = candidates(Looker(world, state), words[1:], current)
    if answer is None:
        return []
    found, directive, before = answer
    if directive == EXTENSIONS or (not found and directive in (DEFAULT, NO_SPACE)):
        return None
    return sorted(before + name for name, _ in found)  # as readline shows them


def _globals(words: list[str]) -> list[str]:
    """The flags among `words` that say where and as whom: a line that is being typed need not parse as a whole."""
    found: list[str] = []
    for at, word in enumerate(words):
        name, equals, _ = word.partition("=")
        if name in ("-n", "--namespace", "--context", "--kubeconfig", "--cluster", "--user", "--as", "-s", "--server", "--token"):
            found += [word] if equals else words[at : at + 2] if at + 1 < len(words) else []
        elif word.startswith("-n") and not word.startswith("--") and len(word) > 2:
            found.append(word)
    return found


def names(session: Session, resource: str) -> list[str]:
    """The names of the objects of a type, in the namespace of the line."""
    mapping = session.mapper.find(resource)
    if mapping is None:
        return []
    path = mapping.kind.path(session.namespace if mapping.kind.namespaced else "")
    answer = session.client.call("GET", path)
    return sorted(item["metadata"]["name"] for item in answer["items"])


def _containers(session: Session, given: list[str]) -> list[str]:
    if not given:
        return []
    pod = session.client.get("pods", session.namespace, given[0].rpartition("/")[2])
    return [one["name"] for key in ("initContainers", "containers") for one in pod["spec"].get(key) or ()]
