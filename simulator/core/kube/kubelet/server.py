"""The kubelet's HTTPS server on 10250 and its health endpoint on 10248 (`pkg/kubelet/server/server.go`).

In-process form of `/exec` and `/attach`: the answer has status 101 and `obj` an `ExecTarget` as a dict; whoever holds the terminal
(kubectl) then runs `executor.exec_in` with it.  `/portForward` answers likewise with a `PortForwardTarget`.  `/containerLogs` answers with a body, or with a stream when `follow=true`.
"""

from __future__ import annotations

from typing import Any

import msgspec

from ...kernel import clock
from ...kernel.errors import ConnectError
from ...kernel.http import Request, Response
from ...runtime import cri, execs, logs
from ...runtime.state import Container, namespace
from . import access, figures, status
from .context import Kubelet
from .options import complete, setting
from .state import PodState

Obj = dict[str, Any]


def _text(code: int, text: str) -> Response:
    return Response(status=code, headers={"content-type": "text/plain; charset=utf-8"}, body=text.encode())


def handle(kubelet: Kubelet, request: Request) -> Response:
    """Answer one request."""
    parts = [p for p in request.path.split("/") if p]
    head = parts[0] if parts else ""
    config = kubelet.state.config
    if request.port and request.port == int(setting(config, "healthzPort")):
        return _text(200, "ok") if head == "healthz" else _text(404, "404 page not found\n")
    open_port = bool(config.get("readOnlyPort")) and request.port == int(config.get("readOnlyPort") or 0)
    if request.port == int(setting(config, "port")) and request.scheme == "http":
        return Response(status=400, body=b"Client sent an HTTP request to an HTTPS server.\n")
    if not open_port:
        refused = access.check(kubelet, request)
        if refused is not None:
            return refused
    if head == "healthz":
        return _text(200, "ok")
    if head == "pods":
        return _pods(kubelet)
    if head == "runningpods":
        return _pods(kubelet, running=True)
    if head == "configz":
        body = msgspec.json.encode({"kubeletconfig": complete(config)})
        return Response(status=200, headers={"content-type": "application/json"}, body=body)
    if head == "metrics" and len(parts) == 1:
        return figures.metrics(kubelet)
    if parts == ["metrics", "resource"]:
        return figures.resource(kubelet)
    if parts[:2] == ["stats", "summary"]:
        return figures.summary(kubelet)
    if head == "logs" and not open_port:
        if not setting(config, "enableSystemLogHandler"):
            return _text(405, "logs endpoint is disabled.\n")
        return figures.logs(kubelet, "/".join(parts[1:]))
    if open_port:
        return _text(404, "404 page not found\n")
    if not setting(config, "enableDebuggingHandlers"):
        return _text(405, "Debug endpoints are disabled.\n")
    if head == "containerLogs" and len(parts) == 4:
        return _logs(kubelet, parts[1], parts[2], parts[3], request)
    if head in ("exec", "attach") and len(parts) in (4, 5):
        return _exec(kubelet, parts[1], parts[2], parts[-1], request, head)
    if head == "portForward" and len(parts) in (3, 4):
        return _port_forward(kubelet, parts[1], parts[2])
    return _text(404, "404 page not found\n")


def find_pod(kubelet: Kubelet, space: str, name: str) -> PodState | None:
    """The pod of that namespace and name."""
    for pod in kubelet.state.pods.values():
        if pod.name == name and pod.namespace == space:
            return pod
    return None


def _pods(kubelet: Kubelet, running: bool = False) -> Response:
    """The pods of this node, or only those whose containers run."""
    items = []
    for pod in sorted(kubelet.state.pods.values(), key=lambda p: (p.namespace, p.name)):
        if running and not any(
            (r := status.record(kubelet, t)) is not None and r.state == "RUNNING" for t in pod.tracks.values()
        ):
            continue
        items.append({**pod.pod, "status": pod.status or pod.pod.get("status") or {}})
    body = {"kind": "PodList", "apiVersion": "v1", "metadata": {}, "items": items}
    return Response(status=200, headers={"content-type": "application/json"}, body=msgspec.json.encode(body), obj=body)


def _container(kubelet: Kubelet, pod: PodState, name: str, previous: bool) -> Container | str:
    """The runtime's record for a log request, or the message of what is wrong (`validateContainerLogStatus`)."""
    track = pod.tracks.get(name)
    record = status.record(kubelet, track)
    if track is None or record is None:
        entry = next((s for s in pod.status.get("containerStatuses") or () if s["name"] == name), None)
        reason = ((entry or {}).get("state") or {}).get("waiting", {}).get("reason", "")
        if previous:
            return f'previous terminated container "{name}" in pod "{pod.name}" not found'
        if reason in ("ErrImagePull", "ImagePullBackOff"):
            verb = "image can't be pulled" if reason == "ErrImagePull" else "trying and failing to pull image"
            return f'container "{name}" in pod "{pod.name}" is waiting to start: {verb}'
        if reason:
            return f'container "{name}" in pod "{pod.name}" is waiting to start: {reason}'
        return f'container "{name}" in pod "{pod.name}" is not available'
    if previous:
        if record.state == "EXITED" and track.reason == "CrashLoopBackOff":
            return record
        space = namespace(kubelet.world, kubelet.proc.host, "k8s.io").containers.values()
        older = [
            c
            for c in space
            if c.sandbox
            and c.labels.get("io.kubernetes.pod.uid") == pod.uid
            and c.name == name
            and c.attempt == record.attempt - 1
        ]
        return older[0] if older else f'previous terminated container "{name}" in pod "{pod.name}" not found'
    return record


def _logs(kubelet: Kubelet, space: str, name: str, container: str, request: Request) -> Response:
    pod = find_pod(kubelet, space, name)
    if pod is None:
        return _text(404, f'pod "{name}" does not exist\n')
    found = _container(kubelet, pod, container, request.param("previous") in ("true", "1"))
    if isinstance(found, str):
        return _text(400, found)
    tail = int(request.param("tailLines", "-1") or -1)
    limit = int(request.param("limitBytes", "-1") or -1)
    since = 0
    if request.param("sinceSeconds"):
        since = kubelet.world.wall - int(request.param("sinceSeconds")) * clock.SECOND
    elif request.param("sinceTime"):
        since = clock.parse_rfc3339(request.param("sinceTime"))
    stamps = request.param("timestamps") in ("true", "1")
    stream = {"Stdout": "stdout", "Stderr": "stderr"}.get(request.param("stream"), "")
    if request.param("follow") in ("true", "1"):
        follower = logs.LogFollower(kubelet.world, kubelet.proc.host, found, timestamps=stamps, since=since, tail=tail)
        return Response(status=200, headers={"content-type": "text/plain"}, stream=follower)
    lines = logs.read(kubelet.world, kubelet.proc.host, found.log_path)
    chosen = logs.select(lines, tail=tail, since=since, limit_bytes=limit, stream=stream)
    return _text(200, "".join(logs.render(line, stamps) for line in chosen))


def _exec(kubelet: Kubelet, space: str, name: str, container: str, request: Request, verb: str) -> Response:
    pod = find_pod(kubelet, space, name)
    if pod is None:
        return _text(404, "pod does not exist")
    track = pod.tracks.get(container)
    record = status.record(kubelet, track)
    if track is None or record is None:
        return _text(404 if track is None else 500, f'container not found ("{container}")')
    try:
        record = cri.exec_target(kubelet.world, kubelet.proc.host, record.id)
    except cri.CriError as failed:
        if failed.code == "NotFound" or record.state != "RUNNING":
            return _text(500, f'container not found ("{container}")')
        return _text(500, str(failed))
    except ConnectError as failed:
        return _text(
            500,
            f'rpc error: code = Unavailable desc = connection error: desc = "transport: Error while dialing: {failed.detail}"',
        )
    argv = list(request.query.get("command") or ())
    problem = execs.exec_error(kubelet.world, kubelet.proc.host, record, argv) if verb == "exec" else ""
    target: Obj = {
        "kind": "ExecTarget",
        "verb": verb,
        "host": kubelet.proc.host,
        "container": record.id,
        "netns": record.netns or kubelet.proc.host,
        "user": execs.user_of(record),
        "cwd": record.cwd,
        "env": dict(record.env),
        "argv": argv,
        "tty": request.param("tty") in ("true", "1"),
        "stdin": request.param("stdin") in ("true", "1"),
        "error": "",
    }
    if verb == "attach":
        target["once"] = bool(_spec_of(pod, container).get("stdinOnce"))
    if problem:
        session = kubelet.world.rng("exec").hex(64)
        target["error"] = (
            f'error: Internal error occurred: error executing command in container: failed to exec in container: failed to start exec "{session}": '
            f"OCI runtime exec failed: exec failed: unable to start container process: {problem}"
        )
    return Response(status=101, obj=target)


def _spec_of(pod: PodState, container: str) -> Obj:
    spec = pod.pod.get("spec") or {}
    listed = [item for key in ("containers", "initContainers", "ephemeralContainers") for item in spec.get(key) or ()]
    return next((item for item in listed if item["name"] == container), {})


def _port_forward(kubelet: Kubelet, space: str, name: str) -> Response:
    """`getPortForward`: the network namespace whose loopback the client's bytes are to reach."""
    pod = find_pod(kubelet, space, name)
    if pod is None:
        return _text(404, "pod does not exist")
    records = [status.record(kubelet, pod.tracks[key]) for key in sorted(pod.tracks)]
    running = [found for found in records if found is not None and found.state == "RUNNING"]
    if not running:
        return _text(
            500, f"unable to do port forwarding: pod is not running. Current status={pod.status.get('phase', 'Pending')}"
        )
    return Response(
        status=101,
        obj={
            "kind": "PortForwardTarget",
            "verb": "port-forward",
            "host": kubelet.proc.host,
            "netns": running[0].netns or kubelet.proc.host,
        },
    )
