"""Probes: exec, HTTP, TCP and gRPC (`pkg/kubelet/prober`, `pkg/probe`).

Each probe of a running container has its own timer.  A result counts after its threshold; a failed liveness or startup probe kills
the container.  The kubelet's HTTP probe accepts 200–399.
"""

from __future__ import annotations

from typing import Any

from ...host import processes
from ...kernel import network
from ...kernel.clock import MS, SECOND
from ...kernel.errors import ConnectError
from ...kernel.versions import MINOR
from ...runtime import execs
from ...runtime.state import Container
from . import hooks, status
from .context import Kubelet
from .state import PodState, Probe, Track
from .units import all_containers

Obj = dict[str, Any]
KINDS = ("startup", "liveness", "readiness")
AGENT = f"kube-probe/{MINOR}"
#: A static pod's probe that succeeded this often in a row is asked at most every 5 s until it fails: the control plane's 1 s
#: readiness probes would otherwise be most of what an idle world does.  What a learner sees of it is a later `Ready: False`.
STEADY, STRETCHED = 30, 5 * SECOND
_TITLES = {"startup": "Startup", "liveness": "Liveness", "readiness": "Readiness"}


def begin(kubelet: Kubelet, pod: PodState, container: Obj, track: Track) -> None:
    """A container has started: set each probe's first time (initialDelaySeconds after the start, at once on the next tick)."""
    track.probes = {}
    for kind in KINDS:
        spec = container.get(f"{kind}Probe")
        if spec:
            probe = track.probes[kind] = Probe()
            probe.next_at = kubelet.world.now + int(spec.get("initialDelaySeconds") or 0) * SECOND + kubelet.rng(50, 950)
            _schedule(kubelet, pod, container["name"], kind, probe, track)


def _schedule(kubelet: Kubelet, pod: PodState, name: str, kind: str, probe: Probe, track: Track) -> None:
    kubelet.world.at(probe.next_at, kubelet.proc.target, ["probe", pod.uid, name, kind, track.id])


def fire(kubelet: Kubelet, uid: str, name: str, kind: str, ident: str) -> None:
    """A probe's timer."""
    pod = kubelet.state.pods.get(uid)
    track = pod.tracks.get(name) if pod is not None else None
    if pod is None or track is None or track.id != ident or pod.work != "sync":
        return
    record = status.record(kubelet, track)
    container = next((c for c in all_containers(pod.pod) if c["name"] == name), None)
    probe = track.probes.get(kind)
    if record is None or record.state != "RUNNING" or container is None or probe is None or probe.hold:
        return
    spec = container[f"{kind}Probe"]
    period = int(spec.get("periodSeconds") or 10) * SECOND
    started = "startup" not in track.probes or track.probes["startup"].result is True
    if kind == "startup" and started and probe.result is True:
        return
    if kind != "startup" and not started:
        probe.next_at = kubelet.world.now + min(period, SECOND)
        _schedule(kubelet, pod, name, kind, probe, track)
        return
    good, output = run(kubelet, pod, container, record, spec)
    if good and pod.source == "file" and probe.streak > STEADY and probe.result:
        period = max(period, STRETCHED)
    probe.next_at = kubelet.world.now + period
    _schedule(kubelet, pod, name, kind, probe, track)
    if not good:
        kubelet.pod_event(pod, "Warning", "Unhealthy", f"{_TITLES[kind]} probe {output}", name)
    _count(kubelet, pod, container, track, kind, probe, spec, good)


def _count(kubelet: Kubelet, pod: PodState, container: Obj, track: Track, kind: str, probe: Probe, spec: Obj, good: bool) -> None:
    probe.streak = probe.streak + 1 if probe.streak and probe.last == good else 1
    probe.last = good
    needed = int(spec.get("successThreshold") or 1) if good else int(spec.get("failureThreshold") or 3)
    if probe.streak < needed:
        return
    changed = probe.result is not good
    probe.result = good
    if good:
        if changed:
            if kind == "startup":
                for other in ("liveness", "readiness"):
                    if other in track.probes:
                        track.probes[other].next_at = kubelet.world.now
            from . import pleg

            pleg.changed(kubelet, pod)
            status.send(kubelet, pod)
        return
    if kind == "readiness":
        if changed:
            status.send(kubelet, pod)
        return
    probe.hold = True
    probe.streak = 0
    from . import stopping

    grace = spec.get("terminationGracePeriodSeconds")
    message = f"Container {container['name']} failed {kind} probe, will be restarted"
    stopping.kill_container(kubelet, pod, container, track, message, grace=None if grace is None else int(grace))


def run(kubelet: Kubelet, pod: PodState, container: Obj, record: Container, spec: Obj) -> tuple[bool, str]:
    """(success, `failed: <output>` or `errored and resulted in unknown state: <error>`) of one attempt."""
    if "httpGet" in spec:
        return _http(kubelet, pod, container, spec)
    if "tcpSocket" in spec:
        host = str(spec["tcpSocket"].get("host") or pod.ip)
        port = hooks._port(container, spec["tcpSocket"]["port"])
        try:
            network.connect(kubelet.world, kubelet.proc.netns or kubelet.proc.host, host, port)
            return True, ""
        except ConnectError as failed:
            return False, f"failed: dial tcp {host}:{port}: {_dial(failed)}"
    if "exec" in spec:
        argv = [str(w) for w in spec["exec"].get("command") or ()]
        problem = execs.exec_error(kubelet.world, kubelet.proc.host, record, argv)
        if problem:
            text = f'rpc error: code = Unknown desc = failed to exec in container: failed to start exec "{kubelet.world.rng("exec").hex(64)}": OCI runtime exec failed: exec failed: unable to start container process: {problem}'
            return False, f"errored and resulted in unknown state: {text}"
        found = hooks.run_exec(kubelet, record, argv)
        if not found.done:
            processes.kill(kubelet.world, found.proc, 9)
            seconds = int(spec.get("timeoutSeconds") or 1)
            return False, f'failed: command timed out: "{" ".join(argv)}" timed out after {seconds}s'
        if found.proc.exit_code == 0:
            return True, ""
        return False, "failed: " + (found.stdout + found.stderr).decode(errors="replace")
    return _grpc(kubelet, pod, spec)


def _grpc(kubelet: Kubelet, pod: PodState, spec: Obj) -> tuple[bool, str]:
    """The gRPC health protocol (`pkg/probe/grpc`): asked of programs that have `grpc_health`; others never finish the handshake."""
    port, service = int(spec["grpc"]["port"]), str(spec["grpc"].get("service") or "")
    where, seconds = f"{pod.ip}:{port}", int(spec.get("timeoutSeconds") or 1)
    late = f'failed: timeout: failed to connect service "{where}" within {seconds}s: context deadline exceeded'
    world = kubelet.world
    try:
        item = network.connect(world, kubelet.proc.netns or kubelet.proc.host, pod.ip, port)
    except ConnectError:
        return False, late
    proc = processes.find(world, item.host, item.pid)
    health = getattr(processes.program_of(world, proc.program), "grpc_health", None) if proc is not None else None
    if health is None:
        return False, late
    answer: str = health(world, proc, port, service)
    if answer == "SERVING":
        return True, ""
    if not answer:
        why = "rpc error: code = NotFound desc = unknown service"
        return False, f"failed: error: health rpc probe failed: {why}"
    return False, f'failed: service unhealthy (responded with "{answer}")'


def _http(kubelet: Kubelet, pod: PodState, container: Obj, spec: Obj) -> tuple[bool, str]:
    action = spec["httpGet"]
    scheme = str(action.get("scheme") or "HTTP").lower()
    host = str(action.get("host") or pod.ip)
    port = hooks._port(container, action["port"])
    where = f'Get "{scheme}://{host}:{port}{action.get("path") or "/"}"'
    try:
        code, _ = hooks.http_get(kubelet, pod, container, action, AGENT)
    except ConnectError as failed:
        if failed.kind == "timeout":
            return False, f"failed: {where}: context deadline exceeded (Client.Timeout exceeded while awaiting headers)"
        if failed.kind == "reset":
            return (
                False,
                f"failed: {where}: read tcp {kubelet.host.ip}:{40000 + kubelet.world.now // MS % 20000}->{host}:{port}: read: connection reset by peer",
            )
        return False, f"failed: {where}: dial tcp {host}:{port}: {_dial(failed)}"
    if 200 <= code < 400:
        return True, ""
    return False, f"failed: HTTP probe failed with statuscode: {code}"


def _dial(failed: ConnectError) -> str:
    return {"refused": "connect: connection refused", "no-route": "connect: no route to host"}.get(failed.kind, "i/o timeout")
