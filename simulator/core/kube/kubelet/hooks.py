"""Lifecycle hooks: exec, httpGet and sleep handlers (`pkg/kubelet/lifecycle/handlers.go`).

An exec hook is started and runs on its own; a preStop hook delays TERM by the time of its `sleep` handler or, for exec and HTTP,
until the next look at it.
"""

from __future__ import annotations

from typing import Any

from ...host import executor, processes
from ...kernel import network
from ...kernel.clock import SECOND
from ...kernel.errors import ConnectError
from ...kernel.http import Request
from ...kernel.versions import MINOR
from ...runtime import execs
from ...runtime.state import Container, find_container
from .context import Kubelet
from .state import PodState, Track

Obj = dict[str, Any]


def _port(container: Obj, port: Any) -> int:
    if isinstance(port, int) or str(port).isdigit():
        return int(port)
    return next((int(p["containerPort"]) for p in container.get("ports") or () if p.get("name") == port), 0)


def http_get(kubelet: Kubelet, pod: PodState, container: Obj, action: Obj, agent: str) -> tuple[int, bytes]:
    """(status, body) of an HTTP action against a pod; raises ConnectError."""
    host = str(action.get("host") or pod.ip)
    port = _port(container, action["port"])
    path, _, query = str(action.get("path") or "/").partition("?")
    scheme = str(action.get("scheme") or "HTTP").lower()
    headers = {"host": f"{host}:{port}", "user-agent": agent, "accept": "*/*", "connection": "close"}
    headers |= {h["name"].lower(): h["value"] for h in action.get("httpHeaders") or ()}
    params: dict[str, list[str]] = {}
    for pair in query.split("&") if query else ():
        key, _, value = pair.partition("=")
        params.setdefault(key, []).append(value)
    request = Request(method="GET", path=path or "/", query=params, headers=headers, scheme=scheme)
    answer = network.http(kubelet.world, kubelet.proc.netns or kubelet.proc.host, host, port, request)
    return answer.status, answer.body


def run_exec(kubelet: Kubelet, container: Container, argv: list[str]) -> executor.Collected:
    """Start a command in a container."""
    return executor.run_in(
        kubelet.world,
        kubelet.proc.host,
        argv,
        mnt=container.id,
        netns=container.netns or kubelet.proc.host,
        user=execs.user_of(container),
        env=dict(container.env),
        cwd=container.cwd,
        container=container.id,
    )


def post_start(kubelet: Kubelet, pod: PodState, container: Obj, track: Track) -> None:
    """Run the postStart hook; a failing one kills the container."""
    handler = (container.get("lifecycle") or {}).get("postStart")
    record = find_container(kubelet.world, kubelet.proc.host, track.id)
    if not handler or record is None:
        return
    failed = ""
    if "exec" in handler:
        argv = [str(w) for w in handler["exec"].get("command") or ()]
        problem = execs.exec_error(kubelet.world, kubelet.proc.host, record, argv)
        if problem:
            failed = problem
        else:
            run = run_exec(kubelet, record, argv)
            if run.done and run.proc.exit_code:
                failed = f"command '{' '.join(argv)}' exited with {run.proc.exit_code}: {run.stderr.decode(errors='replace')}"
    elif "httpGet" in handler:
        try:
            status, _ = http_get(kubelet, pod, container, handler["httpGet"], f"kube-lifecycle/{MINOR}")
            failed = "" if status < 400 else f"HTTP probe failed with statuscode: {status}"
        except ConnectError as error:
            failed = str(error)
    if failed:
        kubelet.pod_event(pod, "Warning", "FailedPostStartHook", "PostStartHook failed", container["name"])
        track.reason, track.message = "PostStartHookError", failed
        from . import worker

        worker.kill_container(kubelet, pod, container, track, "FailedPostStartHook")
        track.kill_reason = ""  # it is started again by the next sync, as a container that ended by itself


def pre_stop(kubelet: Kubelet, pod: PodState, container: Obj, track: Track) -> int:
    """Run the preStop hook; returns how long (ns) TERM has to wait for it."""
    handler = (container.get("lifecycle") or {}).get("preStop")
    record = find_container(kubelet.world, kubelet.proc.host, track.id)
    if not handler or record is None or record.state != "RUNNING":
        return 0
    if "sleep" in handler:
        return int(handler["sleep"].get("seconds") or 0) * SECOND
    if "exec" in handler:
        argv = [str(w) for w in handler["exec"].get("command") or ()]
        words = argv[-1].split() if argv[:2] in (["/bin/sh", "-c"], ["sh", "-c"]) and len(argv) == 3 else argv
        if words[:1] == ["sleep"] and len(words) == 2 and words[1].isdigit():
            return int(words[1]) * SECOND
        if execs.exec_error(kubelet.world, kubelet.proc.host, record, argv):
            kubelet.pod_event(pod, "Warning", "FailedPreStopHook", "PreStopHook failed", container["name"])
            return 0
        run = run_exec(kubelet, record, argv)
        if run.done and run.proc.exit_code:
            kubelet.pod_event(pod, "Warning", "FailedPreStopHook", "PreStopHook failed", container["name"])
        elif not run.done:
            processes.watch_exit(kubelet.world, run.proc, kubelet.proc.target, ["prestop", pod.uid, container["name"]])
            return -1
    elif "httpGet" in handler:
        try:
            http_get(kubelet, pod, container, handler["httpGet"], f"kube-lifecycle/{MINOR}")
        except ConnectError:
            kubelet.pod_event(pod, "Warning", "FailedPreStopHook", "PreStopHook failed", container["name"])
    return 0
