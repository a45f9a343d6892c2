"""Errors of kubectl and how they are told (`kubectl/pkg/cmd/util/helpers.go`: `CheckErr`, `StandardErrorMessage`, `MultilineError`)."""

from __future__ import annotations

from typing import Any

from ...kernel.errors import ConnectError
from ...kube.api.errors import ApiError
from ..cobra import Command
from ..flags import quote


class CommandError(Exception):
    """An error of the command itself; printed with `error: ` before it."""


class UsageError(CommandError):
    """A wrong call of a command: the message and where to find help."""

    def __init__(self, command: Command, message: str) -> None:
        super().__init__(f"{message}\nSee '{command.path} -h' for help and examples")


class Silent(Exception):
    """Exit with this status and no message."""

    def __init__(self, code: int) -> None:
        super().__init__(f"exit status {code}")
        self.code = code


class Exit(Exception):
    """Exit with this status and a message that is told as it is (`exec.CodeExitError`)."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code


class Fatal(Exception):
    """What ends a program by `klog.Exit` (status 1) or `klog.Fatal` (255): a line of klog, written at `source`."""

    def __init__(self, source: str, text: str, code: int = 1) -> None:
        super().__init__(text)
        self.source, self.code = source, code


class ConfigurationInvalid(Exception):
    """The kubeconfig contradicts itself; printed with `Error in configuration: ` before it."""


class Plain(CommandError):
    """An error that is told as it is."""


class NoMatch(CommandError):
    """No such resource type on the server."""

    def __init__(self, word: str) -> None:
        super().__init__(f"the server doesn't have a resource type {quote(word)}")
        self.word = word


class UrlError(Exception):
    """A request that got no answer (`url.Error`)."""

    def __init__(self, operation: str, url: str, why: str) -> None:
        super().__init__(f"{operation} {quote(url)}: {why}")
        self.operation, self.url, self.why = operation, url, why

    @property
    def host(self) -> str:
        """`172.30.1.2:6443`."""
        return self.url.split("://", 1)[-1].split("/", 1)[0]


class Aggregate(Exception):
    """Several errors, each told on a line of its own."""

    def __init__(self, errors: list[Exception]) -> None:
        super().__init__("; ".join(str(error) for error in errors))
        self.errors = errors


def raise_all(errors: list[Exception]) -> None:
    """Raise what was gathered: nothing, the one error, or all of them."""
    flat: list[Exception] = []
    for error in errors:
        flat += error.errors if isinstance(error, Aggregate) else [error]
    if len(flat) == 1:
        raise flat[0]
    if flat:
        raise Aggregate(flat)


def raise_listed(errors: list[Exception], *, files: bool) -> None:
    """Raise what was gathered as a list, even of one: what is wrong with `files` gets no `error: ` before it (`utilerrors.NewAggregate`)."""
    if files and len(errors) == 1 and isinstance(errors[0], CommandError):
        raise Plain(str(errors[0]))
    raise_all(errors)


def connect_why(error: ConnectError, timed_out: bool = False) -> str:
    """The text of Go's network errors."""
    where = error.address.replace("localhost:", "127.0.0.1:")
    if error.kind == "refused":
        return f"dial tcp {where}: connect: connection refused"
    if error.kind == "no-route":
        return f"dial tcp {where}: connect: no route to host"
    if error.kind == "dns":
        return f"dial tcp: lookup {where}: no such host"
    if error.kind == "tls":
        return error.detail or "tls: failed to verify certificate: x509: certificate signed by unknown authority"
    if error.kind == "timeout":
        return (
            "net/http: request canceled (Client.Timeout exceeded while awaiting headers)"
            if timed_out
            else f"dial tcp {where}: i/o timeout"
        )
    return error.detail or "EOF"


def with_source(verb: str, source: str, error: Exception) -> Exception:
    """`error when creating "x.yaml": …`."""
    if not source:
        return error
    if isinstance(error, ApiError):
        return ApiError({**error.status, "message": f"error when {verb} {quote(source)}: {error.message}"})
    return CommandError(f"error when {verb} {quote(source)}: {error}")


def is_not_found(error: Exception) -> bool:
    """A Status with reason NotFound."""
    return isinstance(error, ApiError) and error.reason == "NotFound"


def standard(error: Exception) -> str | None:
    """What a well-known error says, or None."""
    if isinstance(error, ApiError):
        if error.reason == "Unauthorized":
            return f"error: You must be logged in to the server ({error.message})"
        if error.reason:
            return f"Error from server ({error.reason}): {error.message}"
        return f"Error from server: {error.message}"
    if isinstance(error, UrlError):
        if "connection refused" in error.why:
            return f"The connection to the server {error.host} was refused - did you specify the right host or port?"
        return f"Unable to connect to the server: {error.why}"
    return None


def message_of(error: Exception) -> str:
    """One error among several."""
    told = standard(error)
    return str(error) if told is None else told


def _invalid(status: dict[str, Any]) -> str:
    """A Status with reason Invalid, its causes listed."""
    details = status.get("details")
    text = "The request is invalid"
    if not details:
        return f"{text}: {status['message']}" if status.get("message") else text
    causes = details.get("causes") or []
    if details.get("kind") or details.get("name"):
        text = f"The {details.get('kind', '')} {quote(details.get('name', ''))} is invalid"
    elif status.get("message") and not causes:
        text += f": {status['message']}"
    lines: list[str] = []
    for cause in causes:
        line = f"{cause.get('field', '')}: {cause.get('message', '')}"
        if line not in lines:
            lines.append(line)
    if not lines:
        return text
    if len(lines) == 1:
        return f"{text}: {lines[0]}\n"
    return f"{text}: \n" + "".join(f"* {line}\n" for line in lines)


def tell(error: Exception) -> tuple[str, int]:
    """What kubectl prints for an error before it ends, and its exit status."""
    if isinstance(error, Aggregate) and len(error.errors) == 1:
        error = error.errors[0]
    if isinstance(error, Exit):
        return str(error).rstrip("\n") + "\n", error.code
    if isinstance(error, Silent):
        return "", error.code
    if isinstance(error, ApiError) and error.reason == "Invalid":
        text = _invalid(error.status)
    elif isinstance(error, ConfigurationInvalid):
        text = f"Error in configuration: {error}"
    elif isinstance(error, Aggregate):
        text = "".join(message_of(item) + "\n" for item in error.errors)
    elif isinstance(error, Plain):
        text = str(error)
    else:
        told = standard(error)
        text = told if told is not None else str(error) if str(error).startswith("error: ") else f"error: {error}"
    return (text if text.endswith("\n") else text + "\n"), 1
