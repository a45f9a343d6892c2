"""`kubectl wait` (`kubectl/pkg/cmd/wait/wait.go`, `condition.go`, `json.go`, `create.go`)."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any

from ....host.program import Sleep, Wait, WaitTopic
from ....kernel.clock import SECOND
from ....kube.api.errors import ApiError
from ...cobra import Command, Flag
from ...flags import quote
from ..builder import Builder, Info
from ..errors import CommandError, is_not_found, raise_all
from ..flagsets import (
    all_namespaces_flag,
    field_selector_flag,
    file_arguments,
    filename_flag,
    print_flags,
    recursive_flag,
    selector_flag,
)
from ..jsonpath import JSONPath, JSONPathError, go_value
from ..printers import Output
from ..session import Session
from ..table import sort_key
from ..waiting import WEEK, gone, look, until

Obj = dict[str, Any]
Check = Callable[[Obj], bool]


def _condition(text: str) -> Check:
    """`condition=Name[=value]`."""
    name, _, value = text.partition("=")
    wanted = value or "true"

    def check(obj: Obj) -> bool:
        status = obj.get("status") or {}
        generation, observed = obj["metadata"].get("generation"), status.get("observedGeneration")
        for item in status.get("conditions") or ():
            if str(item.get("type", "")).lower() != name.lower():
                continue
            seen = item.get("observedGeneration", observed)
            if seen is not None and generation is not None and seen < generation:
                return False
            return str(item.get("status", "")).lower() == wanted.lower()
        return False

    return check


def _json(text: str) -> Check:
    """`jsonpath={.path}[=value]`."""
    parts = [part.replace("\0", "==") for part in text.replace("==", "\0").split("=")]  # a doubled sign divides nothing
    if len(parts) > 2:
        raise CommandError(
            "jsonpath wait format must be --for=jsonpath='{.status.readyReplicas}'=3 or --for=jsonpath='{.status.readyReplicas}'"
        )
    try:
        expression = sort_key(parts[0]) if parts[0] else ""
    except JSONPathError as error:
        raise CommandError(str(error)) from None
    wanted = parts[1].strip("'\"") if len(parts) == 2 else None
    if wanted == "":
        raise CommandError("jsonpath wait has to have a value after equal sign, like --for=jsonpath='{.status.readyReplicas}'=3")
    if not expression:
        raise CommandError("jsonpath expression cannot be empty")
    try:
        path = JSONPath(expression, allow_missing=True)
    except JSONPathError as error:
        raise CommandError(str(error)) from None

    def check(obj: Obj) -> bool:
        found = path.find(obj)
        values = [value for results in found for value in results]
        if not values:
            return False
        if len(values) > 1:
            raise CommandError("given jsonpath expression matches more than one value")
        if isinstance(values[0], (dict, list)) and wanted is not None:
            raise CommandError("jsonpath leads to a nested object or list which is not supported")
        return wanted is None or go_value(values[0]) == wanted

    return check


def run(s: Session) -> Generator[Wait, Any, int]:
    """Wait for the condition on each object in turn."""
    values = s.values
    asked = values.items("for")
    if not asked:
        raise CommandError("unrecognized condition: []")
    wanted = [_wanted(text) for text in asked]
    kinds = [one for one in wanted if isinstance(one, str)]
    kind = "create" if "create" in kinds else "delete" if "delete" in kinds else ""
    timeout = values.number("timeout")
    deadline = s.world.now + (WEEK if timeout < 0 else timeout)
    output = Output(s)
    builder = Builder(s, args=values.args, **file_arguments(s), selector=values.text("selector"), fields=values.text("field-selector"),
                      all_namespaces=values.on("all-namespaces"), allow_empty=values.on("all"), fetch=kind == "")  # fmt: skip
    if kind == "create":
        yield from _created(s, builder, deadline)
    infos = builder.infos()
    errors: list[Exception] = list(builder.errors)
    fetched = s.world.now
    if not infos:
        raise_all(errors)
        if kind == "delete":
            return 0
        raise CommandError("no matching resources found")
    for info in infos:
        try:
            for one in wanted:
                yield from _one(s, info, one, deadline, output, fresh=s.world.now == fetched)
        except CommandError as error:
            errors.append(error)
    raise_all(errors)
    return 0


def _wanted(text: str) -> str | Check:
    """One `--for`: `delete`, `create`, or the check of an object."""
    if text.lower() in ("delete", "create"):
        return text.lower()
    if text.startswith("condition="):
        return _condition(text.removeprefix("condition="))
    if text.startswith("jsonpath="):
        return _json(text.removeprefix("jsonpath="))
    raise CommandError(f"unrecognized condition: {quote(text)}")


def _created(s: Session, builder: Builder, deadline: int) -> Generator[Wait, Any, None]:
    """Wait until what is asked for is there, looking twice a second."""
    builder.fetch, builder.eager = True, False
    while True:
        try:
            if builder.infos():
                return
        except ApiError as error:
            if not is_not_found(error):
                raise
        if s.world.now >= deadline:
            raise CommandError("timed out waiting for the condition")
        yield Sleep(min(SECOND // 2, max(1, deadline - s.world.now)))


def _one(
    s: Session, info: Info, wanted: str | Check, deadline: int, output: Output, *, fresh: bool
) -> Generator[Wait, Any, None]:
    if wanted == "delete":
        first = look(s, info)
        if first is None:
            return
        if not s.values.number("timeout"):
            raise CommandError(f"condition not met for {info.label}")
        yield from until(s, info, gone(first["metadata"]["uid"]), deadline)
        output.done(first, "condition met")
        return
    # another object was waited for meanwhile: this one may long be as it should be
    obj = info.obj if fresh and info.obj else look(s, info)
    if obj is None:
        raise CommandError(f"{info.mapping.kind.group_resource} {quote(info.name)} not found")
    while not isinstance(wanted, str) and not wanted(obj):
        if not s.values.number("timeout"):
            raise CommandError(f"condition not met for {info.label}")
        if s.world.now >= deadline:
            raise CommandError(f"timed out waiting for the condition on {info.label}")
        yield WaitTopic((info.mapping.kind.topic,), deadline)
        now = look(s, info)
        if now is None:
            raise CommandError(f"{info.mapping.kind.group_resource} {quote(info.name)} not found")
        obj = now
    output.done(obj, "condition met")


COMMAND = Command(
    "wait ([-f FILENAME] | resource.group/resource.name | resource.group [(-l label | --all)]) [--for=create|--for=delete|--for condition=available|"
    "--for=jsonpath='{}'[=value]]",
    short="Wait for a specific condition on one or many resources",
    long="""Wait for a specific condition on one or many resources.

 The conditions of the objects' status are looked at until the one is there, or the time is over.""",
    example="""# Until pod busybox1 is Ready
kubectl wait --for=condition=Ready pod/busybox1

# Until a field has a value
kubectl wait --for=jsonpath='{.status.phase}'=Running pod/busybox1

# Until it is created, or gone
kubectl wait --for=create secret/ca-certs --timeout=30s
kubectl wait --for=delete pod/busybox1 --timeout=60s""",
    flags=(
        *print_flags(),
        filename_flag("Files, directories or URLs that name what to wait for."),
        recursive_flag(default=True),
        selector_flag(),
        field_selector_flag(),
        Flag(name="all", kind="bool", usage="All resources of the given types in the namespace"),
        all_namespaces_flag(),
        Flag(name="local", kind="bool", usage="Do not ask the server."),
        Flag(
            name="for",
            kind="array",
            usage="create|delete|condition=condition-name[=condition-value]|jsonpath='{JSONPath expression}'=[JSONPath value].",
        ),
        Flag(
            name="timeout", kind="duration", default=30 * 10**9, usage="How long to wait; zero looks once, negative waits a week."
        ),
    ),
    run=run,
)
