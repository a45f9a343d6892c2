"""The `kubectl` command: finds the subcommand, parses, runs, tells errors (`kubectl/pkg/cmd/cmd.go`, `component-base/cli/run.go`)."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from ...host.program import Sleep, Steps
from ...kernel.errors import NotSimulated
from ...kube.api.errors import ApiError
from ..cobra import Command, UsageError
from ..cobra_help import kubectl_flags, kubectl_help, kubectl_usage
from ..flags import FlagError, FlagSet, HelpRequested, Values
from . import kuberc, wirelog
from .errors import Aggregate, CommandError, ConfigurationInvalid, Exit, Fatal, Silent, UrlError, tell
from .registry import GROUPS, ROOT, TRIES
from .session import Session

#: Its argument `-` is a list of variables on standard input.
ENV = "kubectl set env"
TOLD = (CommandError, ApiError, UrlError, Aggregate, Exit, Silent, ConfigurationInvalid)


def help_text(command: Command) -> str:
    """`--help` of any command."""
    if command.name == "options":
        return "The following options can be passed to any command:\n\n" + kubectl_flags(FlagSet(ROOT.persistent))
    return kubectl_help(command, GROUPS if command is ROOT else ())


def main(inv: Any) -> Steps:
    """Run kubectl; registered as the command `kubectl`."""
    args = inv.argv[1:]
    if args[:1] in (["__complete"], ["__completeNoDesc"]):
        from . import complete

        return complete.main(inv, args[1:], described=args[0] == "__complete")
    helping = args[:1] == ["help"]
    if helping:
        args = [*args[1:], "--help"]
    try:
        args = kuberc.apply(inv, ROOT, args)
    except CommandError as error:
        return _fail(inv, f"error occurred while applying preferences {error}")
    try:
        command, rest = ROOT.find(args)
    except UsageError as error:
        if helping:
            topics = " ".join(f"`{word}`" for word in args[:-1])
            inv.err(f"Unknown help topic [{topics}]\n{kubectl_usage(ROOT, GROUPS)}")
            return 0
        plugin = _plugin(inv, args)
        if plugin is not None:
            code: int = yield from inv.run(plugin)
            return code
        return _fail(inv, f"error: {error}")
    try:
        values = command.parse(rest)
    except HelpRequested:
        inv.out(help_text(command))
        return 0
    except FlagError as error:
        return _fail(inv, f"error: {error}\nSee '{command.path} --help' for usage.")
    for warning in values.warnings:
        inv.err(warning + "\n")
    try:
        command.validate(values)
    except UsageError as error:
        return _fail(inv, f"error: {error}")
    refused = _refused(command, values)
    if refused:
        return _fail(inv, f"error: {NotSimulated(refused)}")
    session = Session(inv, command, values)
    session.tries = TRIES.get(command.path.removeprefix("kubectl "), 5)
    code = yield from _run(session)
    spent = session.elapsed()
    if spent:
        yield Sleep(spent)
    if code == 0 and values.on("warnings-as-errors") and session.warned:
        count = len(session.warned)
        return _fail(inv, f"error: {count} warning{'s' if count > 1 else ''} received")
    return code


def _refused(command: Command, values: Values) -> str:
    """The first flag given that is not simulated, with its command; or ""."""
    for flag in command.all_flags():
        if flag.support == "no" and flag.name in values.changed:
            return f"{command.path} --{flag.name}"
    return ""


def _run(session: Session) -> Generator[Any, Any, int]:
    """Run the command of a session and tell its error."""
    command, inv = session.command, session.inv
    try:
        if any("/dev/stdin" in word for word in inv.argv):
            inv.piped = yield from inv.read()
        elif (session.values.has("filename") and "-" in session.values.items("filename")) or (
            command.path == ENV and "-" in session.values.args
        ):
            session.stdin = yield from inv.read()
        if command.run is None:
            inv.out(help_text(command))
            return 0
        result = command.run(session)
        if not command.simulated:  # its `run` has checked the command line
            raise NotSimulated(command.path)
        if isinstance(result, Generator):
            result = yield from result
        return int(result or 0)
    except NotSimulated as error:
        return _fail(inv, f"error: {error}")
    except Fatal as error:
        session.klog("F", error.source, str(error))
        return error.code
    except TOLD as error:
        if isinstance(error, ApiError):
            wirelog.refusal(session, error.status)
        text, code = tell(error)
        inv.err(text)
        return code + 1 if command.name == "diff" and not isinstance(error, Silent) else code
    except OSError as error:
        return _fail(inv, f"error: {error.filename or ''}: {(error.strerror or str(error)).lower()}")


def _fail(inv: Any, text: str) -> int:
    inv.err(text if text.endswith("\n") else text + "\n")
    return 1


def _plugin(inv: Any, args: list[str]) -> list[str] | None:
    """The longest `kubectl-a-b` of the leading words that is on the PATH (`HandlePluginCommand`)."""
    words = []
    for arg in args:
        if arg.startswith("-"):
            break
        words.append(arg.replace("-", "_"))
    while words:
        for folder in inv.env.get("PATH", "/usr/local/bin:/usr/bin:/bin").split(":"):
            path = f"{folder}/kubectl-{'-'.join(words)}"
            if inv.exists(path) and not inv.isdir(path):
                return [path, *args[len(words) :]]
        words.pop()
    return None
