"""Lifecycle hooks: exec, httpGet and sleep handlers (`pkg/kubelet/lifecycle/handlers.go`).

A postStart hook holds the sync that started the container until it is over; a preStop hook delays TERM by the time of its `sleep`
handler or, for exec, until its command ends.
"""

from __future__ import annotations

import json
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


def post_start(kubelet: Kubelet, pod: PodState, container: Obj, track: Track) -> str | None:
    """Run the postStart hook: "" when it went well, what the kubelet says when it failed, None while it runs (`track.hook`)."""
    handler = (container.get("lifecycle") or {}).get("postStart")
    record = find_container(kubelet.world, kubelet.proc.host, track.id)
    if not handler or record is None:
        return ""
    if "exec" in handler:
        argv = [str(w) for w in handler["exec"].get("command") or ()]
        problem = execs.exec_error(kubelet.world, kubelet.proc.host, record, argv)
        if problem:
            return _failed(pod, container, handler, problem, "")
        run = run_exec(kubelet, record, argv)
        if not run.done:
            track.hook = "runs"
            processes.watch_exit(kubelet.world, run.proc, kubelet.proc.target, ["poststart", pod.uid, container["name"]])
            return None
        if run.proc.exit_code:
            stderr = run.stderr.decode(errors="replace")
            problem = f"command '{' '.join(argv)}' exited with {run.proc.exit_code}: {stderr}"
            return _failed(pod, container, handler, problem, run.stdout.decode(errors="replace") + stderr)
    elif "httpGet" in handler:
        try:
            http_get(kubelet, pod, container, handler["httpGet"], f"kube-lifecycle/{MINOR}")  # whatever it answers
        except ConnectError as error:
            return _failed(pod, container, handler, f'Get "{_url(pod, container, handler["httpGet"])}": {error}', "")
    elif "sleep" in handler:
        seconds = int(handler["sleep"].get("seconds") or 0)
        if seconds:
            track.hook = "runs"
            kubelet.world.after(seconds * SECOND, kubelet.proc.target, [["poststart", pod.uid, container["name"]], 0, 0])
            return None
    return ""


def _url(pod: PodState, container: Obj, action: Obj) -> str:
    scheme = str(action.get("scheme") or "HTTP").lower()
    return f"{scheme}://{action.get('host') or pod.ip}:{_port(container, action['port'])}/{str(action.get('path') or '/').lstrip('/')}"


def _failed(pod: PodState, container: Obj, handler: Obj, problem: str, output: str) -> str:
    where = f'for Container "{container["name"]}" in Pod "{pod.full_name}({pod.uid})" failed - error: {problem}'
    if "exec" in handler:
        return f"Exec lifecycle hook ([{' '.join(handler['exec'].get('command') or ())}]) {where}, message: {json.dumps(output)}"
    return f"HTTP lifecycle hook ({handler['httpGet'].get('path') or '/'}) {where}"


def ended(kubelet: Kubelet, pod: PodState, container: Obj, track: Track) -> str | None:
    """What came of a postStart hook that was waited for, as `post_start` says it."""
    if track.hook == "runs":
        record = find_container(kubelet.world, kubelet.proc.host, track.id)
        if record is not None and record.state == "RUNNING":
            return None
        track.hook = "137"  # its container has gone under it
    code, track.hook = track.hook, ""
    if code == "0":
        return ""
    handler = container["lifecycle"]["postStart"]
    if "exec" not in handler:
        seconds = handler["sleep"].get("seconds") or 0
        where = f'for Container "{container["name"]}" in Pod "{pod.full_name}({pod.uid})" failed'
        return f"Sleep lifecycle hook ({seconds}) {where} - error: container terminated before sleep hook finished"
    argv = " ".join(str(w) for w in handler["exec"].get("command") or ())
    return _failed(pod, container, handler, f"command '{argv}' exited with {code}: ", "")


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
            began = ["prestop", pod.uid, container["name"], kubelet.world.now]
            processes.watch_exit(kubelet.world, run.proc, kubelet.proc.target, began)
            return -1
    elif "httpGet" in handler:
        try:
            http_get(kubelet, pod, container, handler["httpGet"], f"kube-lifecycle/{MINOR}")
        except ConnectError:
            kubelet.pod_event(pod, "Warning", "FailedPreStopHook", "PreStopHook failed", container["name"])
    return 0
