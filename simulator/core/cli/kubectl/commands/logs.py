"""`kubectl logs` (`kubectl/pkg/cmd/logs/logs.go`)."""

from __future__ import annotations

import re
from collections.abc import Generator
from typing import Any

from ....host.program import Wait
from ....kernel.clock import parse_rfc3339
from ....kube.api.errors import ApiError
from ...cobra import Command, Flag
from ...flags import quote
from ..builder import Builder
from ..errors import CommandError, UsageError, is_not_found
from ..flagsets import selector_flag
from ..session import Session
from ..streams import check_container, container_names, default_container, follow_log, pod_timeout, pods_of, read_log

Obj = dict[str, Any]
USAGE = (
    "expected 'logs [-f] [-p] (POD | TYPE/NAME) [-c CONTAINER]'.\nPOD or TYPE/NAME is a required argument for the logs command"
)


def run(s: Session) -> Generator[Wait, Any, int]:
    """Print the logs of each container that is meant."""
    values = s.values
    args, selector = values.args, values.text("selector")
    if len(args) > 2 or (not args and not selector):
        raise UsageError(s.command, USAGE)
    if len(args) == 1 and selector:
        raise UsageError(s.command, "only a selector (-l) or a POD name is allowed")
    pod_timeout(s)
    container = args[1] if len(args) == 2 else values.text("container")
    query = _query(s, bool(selector))
    pods = _pods(s, args, selector)
    _validate(s, container, query)
    wanted = [(pod, name) for pod in pods for name in _containers(s, pod, container)]
    if values.on("follow") and len(wanted) > max(values.number("max-log-requests"), 1):  # one stream is never too many
        raise CommandError(f"you are attempting to follow {len(wanted)} log streams, but maximum allowed concurrency is "
                           f"{values.number('max-log-requests')}, use --max-log-requests to increase the limit")  # fmt: skip
    for pod, name in wanted:
        prefix = f"[pod/{pod['metadata']['name']}/{name}] " if values.on("prefix") or values.on("all-pods") else ""
        try:
            if values.on("follow"):
                yield from follow_log(s, pod, {**query, "container": name}, prefix)
            else:
                text = read_log(s, pod, {**query, "container": name})
                s.out("".join(prefix + line + "\n" for line in text.splitlines()) if prefix else text)
        except ApiError as error:
            if not values.on("ignore-errors"):
                raise
            s.out(f"error: {error.message}\n")
    return 0


def _pods(s: Session, args: list[str], selector: str) -> list[Obj]:
    if selector:
        found = Builder(s, args=["pods"], selector=selector, eager=False).infos()
        if not found:
            s.err(f"No resources found in {s.namespace} namespace.\n")
        return [info.obj for info in found if info.obj is not None]
    words = [args[0]] if "/" in args[0] else ["pods", args[0]]
    try:
        info = Builder(s, args=words, eager=False).infos()[0]
    except ApiError as error:
        if is_not_found(error):
            raise CommandError(f'error from server (NotFound): {error.message} in namespace "{s.namespace}"') from None
        raise
    found_pods = pods_of(s, info.mapping, info.obj or {}, "cannot get the logs from")
    if s.values.on("all-pods"):
        return found_pods
    if not found_pods:
        raise CommandError("timed out waiting for the condition")
    if len(found_pods) > 1:
        s.err(f"Found {len(found_pods)} pods, using pod/{found_pods[0]['metadata']['name']}\n")
    return found_pods[:1]


def _containers(s: Session, pod: Obj, container: str) -> list[str]:
    if s.values.on("all-containers"):
        return container_names(pod)
    if container:
        check_container(pod, container)
        return [container]
    return [default_container(s, pod)]


def _query(s: Session, selected: bool) -> dict[str, str]:
    values = s.values
    out: dict[str, str] = {}
    for flag, key in (("previous", "previous"), ("timestamps", "timestamps")):
        if values.on(flag):
            out[key] = "true"
    tail = values.number("tail")
    if selected and tail == -1 and "tail" not in values.changed:
        tail = 10
    if tail != -1:
        out["tailLines"] = str(tail)
    if values.number("limit-bytes"):
        out["limitBytes"] = str(values.number("limit-bytes"))
    if values.number("since"):
        out["sinceSeconds"] = str(round(values.number("since") / 10**9))
    if values.text("since-time"):
        try:
            parse_rfc3339(values.text("since-time"))
        except ValueError:
            raise CommandError(go_time_error(values.text("since-time"))) from None
        out["sinceTime"] = values.text("since-time")
    return out


def go_time_error(text: str) -> str:
    """What Go's `time.Parse` says of a text that is no RFC 3339 time."""
    left = text
    for pattern, wanted in _LAYOUT:
        match = re.match(pattern, left)
        if match is None:
            return f'parsing time "{text}" as "2006-01-02T15:04:05Z07:00": cannot parse {quote(left)} as "{wanted}"'
        left = left[match.end() :]
    return f'parsing time "{text}": extra text: {quote(left)}'


#: The parts of RFC 3339 in order, and how Go names each in its layout.
_LAYOUT = ((r"\d{4}", "2006"), ("-", "-"), (r"\d\d", "01"), ("-", "-"), (r"\d\d", "02"), ("T", "T"), (r"\d\d", "15"), (":", ":"), (r"\d\d", "04"),
           (":", ":"), (r"\d\d(?:\.\d+)?", "05"), (r"Z|[-+]\d\d:\d\d", "Z07:00"))  # fmt: skip


def _validate(s: Session, container: str, query: dict[str, str]) -> None:
    values = s.values
    if "sinceTime" in query and "sinceSeconds" in query:
        raise CommandError("at most one of `sinceTime` or `sinceSeconds` may be specified")
    if values.on("all-containers") and container:
        raise CommandError(f"--all-containers=true should not be specified with container name {container}")
    if "container" in values.changed and len(values.args) == 2:
        raise CommandError("only one of -c or an inline [CONTAINER] arg is allowed")
    if values.number("limit-bytes") < 0:
        raise CommandError("--limit-bytes must be greater than 0")
    if values.number("since") < 0:
        raise CommandError("--since must be greater than 0")
    if values.number("tail") < -1:
        raise CommandError("--tail must be greater than or equal to -1")


COMMAND = Command(
    "logs [-f] [-p] (POD | TYPE/NAME) [-c CONTAINER]",
    short="Print the logs for a container in a pod",
    long="Print the logs for a container in a pod or specified resource. With one container its name may be left out.",
    example="""# Pod nginx, which has one container
kubectl logs nginx

# Every container of it
kubectl logs nginx --all-containers=true

# Pods by label
kubectl logs -l app=nginx

# The container before the last restart
kubectl logs -p -c ruby web-1

# Follow
kubectl logs -f -c ruby web-1

# The last 20 lines, or the last hour
kubectl logs --tail=20 nginx
kubectl logs --since=1h nginx

# A container of a deployment
kubectl logs deployment/nginx -c nginx-1""",
    flags=(
        Flag(name="all-pods", kind="bool", usage="Logs of all pods; each line gets a prefix."),
        Flag(name="all-containers", kind="bool", usage="Logs of all containers of the pods."),
        Flag(name="follow", short="f", kind="bool", usage="Print new lines as they come."),
        Flag(name="timestamps", kind="bool", usage="Print the time of each line"),
        Flag(name="limit-bytes", kind="int64", usage="Print at most so many bytes."),
        Flag(name="previous", short="p", kind="bool", usage="Print the log of the container before its last restart."),
        Flag(name="tail", kind="int64", default=-1, usage="Print so many of the last lines; -1 for all, 10 with a selector."),
        Flag(name="ignore-errors", kind="bool", usage="Go on after an error"),
        Flag(name="since-time", usage="Print lines after this date (RFC3339)."),
        Flag(name="since", kind="duration", usage="Print lines newer than 5s, 2m, or 3h."),
        Flag(name="container", short="c", usage="The container"),
        Flag(
            name="insecure-skip-tls-verify-backend",
            support="inert",
            kind="bool",
            usage="Do not verify the kubelet's certificate.",
        ),
        Flag(name="pod-running-timeout", kind="duration", default=20 * 10**9, usage="How long to wait for a pod to run"),
        selector_flag(),
        Flag(name="max-log-requests", kind="int", default=5, usage="How many logs may be followed at once."),
        Flag(name="prefix", kind="bool", usage="Print pod and container before each line"),
    ),
    run=run,
)
