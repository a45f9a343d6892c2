"""`kubectl __complete`: what the shell's completion function asks (cobra `completions.go`, `kubectl/pkg/util/completion/completion.go`).

One candidate a line, with its description behind a tab; the last line is the directive.  Which arguments a command takes is a row of a table.
"""

from __future__ import annotations

from typing import Any

from ...kernel.errors import BadInput, ConnectError, NotSimulated
from ...kube.api.errors import ApiError
from ..cobra import Command, Flag, UsageError
from .errors import CommandError, ConfigurationInvalid, NoMatch, UrlError
from .registry import ROOT
from .session import Session

UNREACHABLE = (ApiError, BadInput, CommandError, ConfigurationInvalid, ConnectError, NoMatch, NotSimulated, UrlError, OSError)
DEFAULT, NO_SPACE, NO_FILES, EXTENSIONS = 0, 2, 4, 8
DIRECTIVES = {
    DEFAULT: "ShellCompDirectiveDefault",
    NO_SPACE: "ShellCompDirectiveNoSpace",
    NO_FILES: "ShellCompDirectiveNoFileComp",
    NO_SPACE | NO_FILES: "ShellCompDirectiveNoSpace, ShellCompDirectiveNoFileComp",
    EXTENSIONS: "ShellCompDirectiveFilterFileExt",
}
WORKLOADS = ("deployment", "daemonset", "statefulset")
SCALED = ("deployment", "replicaset", "replicationcontroller", "statefulset")
#: Commands that take a type and names of it; with the types that they offer, empty for all.
TYPED: dict[str, tuple[str, ...]] = {
    "get": (), "describe": (), "delete": (), "edit": (), "label": (), "annotate": (), "patch": (), "debug": (), "set image": (),
    "taint": ("node",), "scale": SCALED, "autoscale": SCALED,
    "expose": ("pod", "service", "replicationcontroller", "deployment", "replicaset"), "rollout history": WORKLOADS, "rollout status": WORKLOADS,
    "rollout restart": WORKLOADS, "rollout undo": WORKLOADS, "rollout pause": ("deployment",), "rollout resume": ("deployment",),
}  # fmt: skip
#: Commands that take names of one type.
NAMED = {
    "create token": "serviceaccounts",
    "drain": "nodes",
    "cordon": "nodes",
    "uncordon": "nodes",
    "top node": "nodes",
    "top pod": "pods",
}
#: Commands that take a pod, or something that has pods.
PODS = ("attach", "exec", "logs", "port-forward")
OWNERS = (
    "daemonsets/",
    "deployments/",
    "pods/",
    "jobs/",
    "replicasets/",
    "replicationcontrollers/",
    "services/",
    "statefulsets/",
)
CONFIG = {"config use-context": "contexts", "config delete-context": "contexts", "config rename-context": "contexts",
          "config set-context": "contexts", "config delete-cluster": "clusters", "config delete-user": "users"}  # fmt: skip
FORMATS = ("json", "yaml", "kyaml", "name", "go-template", "go-template-file", "template", "templatefile", "jsonpath", "jsonpath-as-json",
           "jsonpath-file", "custom-columns", "custom-columns-file", "wide")  # fmt: skip


def main(inv: Any, args: list[str], *, described: bool) -> int:
    """Answer for the words after `__complete`, the last of which is being typed."""
    *words, current = args or [""]
    answer = candidates(inv, words, current)
    if answer is None:
        inv.out(":0\n")
        inv.err(
            f"[Debug] Cleared global flags for plugin completion\n[Debug] [Error] unable to find a command for arguments: [{' '.join(words)}]\n"
        )
        inv.err(f"Completion ended with directive: {DIRECTIVES[DEFAULT]}\n")
        return 0
    found, directive, _ = answer
    for candidate, text in found:
        inv.out(f"{candidate}\t{text}\n" if text and described else f"{candidate}\n")
    inv.out(f":{directive}\n")
    inv.err(f"Completion ended with directive: {DIRECTIVES[directive]}\n")
    return 0


Answer = tuple[list[tuple[str, str]], int, str]


def candidates(inv: Any, words: list[str], current: str) -> Answer | None:
    """What may stand for `current` behind `words`, with descriptions; the directive; and what of `current` stands before it (`--flag=`).
    None when the words name no command."""
    try:
        named = words[1:] if words[:1] == ["help"] else words
        command, rest = ROOT.find(named) if named else (ROOT, [])
    except UsageError:
        return None
    return _answer(inv, command, words, rest, current)


def _answer(inv: Any, command: Command, words: list[str], rest: list[str], current: str) -> Answer:
    from ..completing import _awaited, _globals

    plain = "--" in words  # nothing behind it is a flag
    flag, before = ("", "") if plain else _awaited(command, words, current)
    given = command._words(rest)
    if not flag and not plain and current.startswith("-") and "=" not in current:
        return _flags(command, rest, current), NO_FILES, ""
    if current.startswith("-") and not flag and "=" in current:
        short = command.all_flags().by_short.get(current[1:2])
        flag, before = (short.name, current[:3]) if short is not None and current[2:3] == "=" else ("", "")
    typed = current[len(before) :] if before else current
    required = [] if flag else [(f"--{one.name}", one.usage) for one in _missing(command, rest)]
    if not flag and command.commands and not given:
        if _set(command, rest) & {one.name for one in command.flags}:  # it is the command itself that is meant
            return [], DEFAULT, ""
        below = [(one.name, one.short) for one in command.commands if not one.hidden]
        if command is ROOT:
            below.append(("help", "Help about any command"))
        children = [one for one in sorted(set(below)) if one[0].startswith(typed)]  # fmt: skip
        return children, NO_FILES if below else DEFAULT, ""
    session = Session(inv, ROOT, ROOT.parse(_globals(words)))
    try:
        found, directive = _values(session, command, flag, given) if flag else _arguments(session, command, given, typed)
    except UNREACHABLE:
        found, directive = [], NO_FILES
    kept = found if directive == EXTENSIONS else [one for one in found if one.startswith(typed)]
    return [one for one in required if one[0].startswith(typed)] + [(one, "") for one in kept], directive, before


def _set(command: Command, rest: list[str]) -> set[str]:
    """The names of the flags that stand in the line."""
    known = command.all_flags()
    out: set[str] = set()
    for word in rest:
        if word.startswith("--"):
            out.add(word[2:].partition("=")[0])
        elif len(word) > 1 and word[0] == "-" and word[1] in known.by_short:
            out.add(known.by_short[word[1]].name)
    return out


def _missing(command: Command, rest: list[str]) -> list[Flag]:
    there = _set(command, rest)
    return [flag for flag in command.all_flags() if flag.required and flag.name not in there]


def _flags(command: Command, rest: list[str], current: str) -> list[tuple[str, str]]:
    """Flags that begin so: those that must be given alone while they lack, else inherited ones and then the command's own."""
    missing = [(f"--{flag.name}", flag.usage) for flag in _missing(command, rest)]
    if any(name.startswith(current) for name, _ in missing):
        return [one for one in missing if one[0].startswith(current)]
    there = _set(command, rest)
    shown = [flag for flag in command.all_flags()
             if not flag.hidden and not flag.deprecated and (flag.name not in there or flag.kind in ("strings", "array"))]  # fmt: skip
    own = {flag.name for flag in command.flags}
    rows = [(flag.name in own, flag.name, flag.short, flag.usage.split("\n")[0]) for flag in shown]
    rows.append((True, "help", "h", f"help for {command.name}"))
    out: list[tuple[str, str]] = []
    for _, long, short, usage in sorted(set(rows)):
        out += [(name, usage) for name in (f"--{long}", f"-{short}" if short else "") if name and name.startswith(current)]
    return out


def _values(session: Session, command: Command, flag: str, given: list[str]) -> tuple[list[str], int]:
    """Values of a flag."""
    from ..completing import _containers, names

    own = any(one.name == flag for one in command.flags) or command.path == "kubectl config set-context"
    if flag == "namespace" and not own:
        return names(session, "namespaces"), NO_FILES
    if flag in ("context", "cluster", "user") and not own:
        return sorted(session.config.section(flag + "s")), NO_FILES
    if flag == "output" and command.path == "kubectl get":
        return list(FORMATS), NO_FILES
    if flag == "container" and command.name in ("exec", "attach"):
        return _containers(session, given), NO_FILES
    if flag == "filename":
        return ["json", "yaml", "yml"], EXTENSIONS
    return [], DEFAULT


def _arguments(session: Session, command: Command, given: list[str], current: str) -> tuple[list[str], int]:
    """Arguments of a command without subcommands, or behind the first."""
    from ..completing import _containers, names

    path = command.path.removeprefix("kubectl ")
    if path in TYPED:
        if given and "/" in given[0] and "/" not in current:  # another type and name follows; the slash invites the name
            return [one + "/" for one in TYPED[path] or _types(session)], NO_SPACE | NO_FILES
        return _typed(session, TYPED[path], given, current), NO_FILES
    if path in NAMED:
        return names(session, NAMED[path]) if not given else [], NO_FILES
    if path in PODS:
        if given:
            return _containers(session, given) if path == "logs" and len(given) == 1 else [], NO_FILES
        if "/" in current:
            return _below(session, current), NO_FILES
        return [*names(session, "pods"), *OWNERS], NO_FILES
    if path in CONFIG:
        return sorted(session.config.section(CONFIG[path])) if not given else [], NO_FILES
    if path == "completion":
        return ["bash", "zsh", "fish", "powershell"] if not given else [], NO_FILES
    if path == "cp":
        return _copied(session, current)
    return [], DEFAULT


def _typed(session: Session, offered: tuple[str, ...], given: list[str], current: str) -> list[str]:
    """Types, then names of the type; or both with a slash between."""
    from ..completing import names

    if "/" in current:
        return _below(session, current)
    if not given:
        return list(offered) or _types(session)
    used = set(given[1:])
    return [one for kind in given[0].split(",") for one in names(session, kind) if one not in used]


def _types(session: Session) -> list[str]:
    """Everything that can be got, by group."""
    kinds = [one for one in session.mapper.all() if "get" in one.verbs]
    return [one.group_resource for one in sorted(kinds, key=lambda one: (one.group, one.plural))]


def _below(session: Session, current: str) -> list[str]:
    from ..completing import names

    kind = current.partition("/")[0]
    return [f"{kind}/{one}" for one in names(session, kind)]


def _copied(session: Session, current: str) -> tuple[list[str], int]:
    """A pod and a colon, a namespace and a slash, or a path (`cmd/cp.go`)."""
    from ..completing import names

    if ":" in current:
        return [], NO_SPACE
    if current.startswith((".", "/")):
        return [], DEFAULT
    if "/" in current:
        space = current.partition("/")[0]
        answer = session.client.call("GET", session.kind("pods").path(space))
        return sorted(f"{space}/{item['metadata']['name']}:" for item in answer["items"]), NO_SPACE
    spaces = [one + "/" for one in names(session, "namespaces")]
    return [*spaces, *(one + ":" for one in names(session, "pods")), *(("./", "/") if not current else ())], NO_SPACE
