"""Logs, exec and attach: what flows between a container and the terminal (`polymorphichelpers/logsforobject.go`, `cmd/exec/exec.go`)."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any

from ...host import executor
from ...host.program import Wait, WaitTopic
from ...kernel.clock import SECOND
from ...kernel.http import Request
from .describe.doc import selector_text
from .errors import CommandError, Plain, UsageError
from .mapper import Mapping
from .session import Session

Obj = dict[str, Any]
DEFAULT_CONTAINER = "kubectl.kubernetes.io/default-container"


#: Phases of a pod that has ended.
ENDED = ("Succeeded", "Failed")


def log_path(s: Session, pod: Obj) -> str:
    """The path of a pod's log subresource."""
    meta = pod["metadata"]
    return s.kind("pods").path(meta["namespace"], meta["name"], "log")


def pods_of(s: Session, mapping: Mapping, obj: Obj, verb: str) -> list[Obj]:
    """The pods behind an object, most active first (`GetFirstPod`, `SelectorsForObject`); `verb` is what errors say was asked."""
    kind, spec = mapping.kind.kind, obj.get("spec") or {}
    if kind == "Pod":
        return [obj]
    if kind in ("Service", "ReplicationController"):
        selector = selector_text({"matchLabels": spec.get("selector") or {}})
    elif kind in ("Deployment", "ReplicaSet", "StatefulSet", "DaemonSet", "Job"):
        selector = selector_text(spec.get("selector"))
    else:
        raise CommandError(f"{verb} *{go_type(mapping)}: selector for *{go_type(mapping)} not implemented")
    if selector == "<none>":
        why = f"invalid service '{obj['metadata']['name']}': Service is defined without a selector"
        raise CommandError(f"{verb} *{go_type(mapping)}: {why}")
    found = s.list(s.kind("pods"), obj["metadata"]["namespace"], labels=selector)
    return sorted(found, key=_activity)


def go_type(mapping: Mapping) -> str:
    """The Go type of a kind as messages show it: `v1.Service`; custom ones are unstructured."""
    return "unstructured.Unstructured" if mapping.kind.custom else f"{mapping.version}.{mapping.kind.kind}"


def _activity(pod: Obj) -> tuple[int, int, str]:
    status = pod.get("status") or {}
    ready = any(item["type"] == "Ready" and item["status"] == "True" for item in status.get("conditions") or ())
    order = {"Running": 0, "Pending": 1, "Unknown": 2}.get(status.get("phase", ""), 3)
    return order, 0 if ready else 1, pod["metadata"]["name"]


def default_container(s: Session, pod: Obj, quiet: bool = False) -> str:
    """The container that is meant when none is named; says so when there are several."""
    names = [item["name"] for item in pod["spec"].get("containers") or ()]
    chosen = (pod["metadata"].get("annotations") or {}).get(DEFAULT_CONTAINER)
    if chosen in names:
        return str(chosen)
    if len(container_names(pod)) > 1 and not quiet:
        s.err(f'Defaulted container "{names[0]}" out of: {all_container_names(pod)}\n')
    return str(names[0])


def all_container_names(pod: Obj) -> str:
    """`app, dbg (ephem), setup (init)`: what messages list of a pod."""
    spec, marks = pod["spec"], {"containers": "", "ephemeralContainers": " (ephem)", "initContainers": " (init)"}
    return ", ".join(item["name"] + mark for key, mark in marks.items() for item in spec.get(key) or ())


def check_container(pod: Obj, name: str, prefix: str = "") -> None:
    """Refuse a container that the pod has not got."""
    if name not in container_names(pod):
        text = f"container {name} is not valid for pod {pod['metadata']['name']} out of: {all_container_names(pod)}"
        raise CommandError(prefix + text)


def container_names(pod: Obj) -> list[str]:
    """Every container of a pod: init, regular, ephemeral."""
    spec = pod["spec"]
    return [item["name"] for key in ("initContainers", "containers", "ephemeralContainers") for item in spec.get(key) or ()]


def read_log(s: Session, pod: Obj, query: dict[str, str]) -> str:
    """A log as it is now."""
    answer = s.request("GET", log_path(s, pod), query=query, accept="text/plain")
    return answer.body.decode("utf-8", "replace")


def follow_log(s: Session, pod: Obj, query: dict[str, str], prefix: str = "") -> Generator[Wait, Any, None]:
    """Print a log as it grows, until the container ends."""
    answer = s.request("GET", log_path(s, pod), query={**query, "follow": "true"}, accept="text/plain")
    if answer.stream is None:
        s.out(_prefixed(answer.body.decode("utf-8", "replace"), prefix))
        return
    stream = answer.stream
    try:
        while True:
            for item in stream.poll():
                s.out(_prefixed(item.decode("utf-8", "replace"), prefix))
            if stream.closed:
                return
            yield WaitTopic((stream.topic, s.kind("pods").topic), s.world.now + 5 * SECOND)
    finally:
        stream.close()


def _prefixed(text: str, prefix: str) -> str:
    return "".join(prefix + line + "\n" for line in text.splitlines()) if prefix else text


def execute(
    s: Session, pod: Obj, container: str, words: list[str], *, stdin: bool = False, tty: bool = False
) -> Generator[Wait, Any, int]:
    """Run a command in a container with this command's descriptors; returns its exit status."""
    target = open_exec(s, pod, container, words, stdin=stdin, tty=tty)
    code = yield from executor.exec_in(
        s.inv, target["host"], target["argv"], mnt=target["container"], netns=target["netns"], env=dict(target["env"]), user=target["user"],
        cwd=target["cwd"] or "/", container=target["container"], stdin=stdin,
    )  # fmt: skip
    return code


def open_exec(
    s: Session, pod: Obj, container: str, words: list[str], *, stdin: bool = False, tty: bool = False, verb: str = "exec"
) -> Obj:
    """Ask the server for an exec (or, without words, to `attach`); the answer says where to run what.  Raises what the kubelet refuses."""
    meta = pod["metadata"]
    path = s.kind("pods").path(meta["namespace"], meta["name"], verb)
    query = {"container": [container], "stdout": ["true"], "stderr": ["true"]} | ({"command": words} if words else {})
    query.update({"stdin": ["true"]} if stdin else {})
    query.update({"tty": ["true"]} if tty else {})
    answer = s.checked(Request(method="POST", path=path, query=query, headers={"accept": "*/*"}))
    target: Obj = answer.obj or {}
    if target.get("error"):
        raise Plain(str(target["error"]))
    return target


def until(s: Session, pod: Obj, done: Callable[[Obj], bool], timeout: int) -> Generator[Wait, Any, Obj]:
    """Wait until a condition holds of a pod, and return it as it is then."""
    kind, meta = s.kind("pods"), pod["metadata"]
    deadline = s.world.now + timeout
    while True:
        found: Obj = s.call("GET", kind.path(meta["namespace"], meta["name"]))
        if done(found):
            return found
        if s.world.now >= deadline:
            raise CommandError("timed out waiting for the condition")
        yield WaitTopic((kind.topic,), deadline)


def phase_of(pod: Obj) -> str:
    """`Pending`, `Running` …; "" before there is one."""
    return str((pod.get("status") or {}).get("phase") or "")


def pod_timeout(s: Session) -> int:
    """`--pod-running-timeout`, which has to be one (`cmdutil.GetPodRunningTimeoutFlag`)."""
    timeout = s.values.number("pod-running-timeout")
    if timeout <= 0:
        text = "--pod-running-timeout must be higher than zero"
        raise CommandError(text) if s.command.name in ("logs", "run") else UsageError(s.command, text)
    return timeout


def running(s: Session, pod: Obj, timeout: int) -> Generator[Wait, Any, Obj]:
    """Wait until a pod runs or has ended."""
    return (yield from until(s, pod, lambda found: phase_of(found) in ("Running", *ENDED), timeout))
