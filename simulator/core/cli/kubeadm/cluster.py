"""What kubeadm does through the API: objects made or replaced, nodes patched, waiting for components (util/apiclient)."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Generator, Iterable
from typing import Any

from ...host.program import Sleep, Wait
from ...kernel import network
from ...kernel.clock import SECOND
from ...kernel.errors import ConnectError
from ...kernel.http import Request
from ...kube import component
from ...kube.api.errors import ApiError
from ...kube.client import KubeClient
from .. import goyaml
from ..flag_kinds import format_duration
from .config import CONTROL_PLANE_TAINT
from .run import MANIFESTS, RETRY, Failure, Run, Steps, reason

Json = dict[str, Any]
COMPONENTS = ("kube-apiserver", "kube-controller-manager", "kube-scheduler")
GO_TYPES = {
    "configmaps": "*v1.ConfigMap", "secrets": "*v1.Secret", "roles": "*v1.Role", "rolebindings": "*v1.RoleBinding",
    "clusterroles": "*v1.ClusterRole", "clusterrolebindings": "*v1.ClusterRoleBinding", "serviceaccounts": "*v1.ServiceAccount",
    "deployments": "*v1.Deployment", "daemonsets": "*v1.DaemonSet", "services": "*v1.Service",
}  # fmt: skip


def apply(run: Run, client: KubeClient, objects: Iterable[tuple[str, Json]], *, timeout: int = 60 * SECOND) -> Steps:
    """Create each object, or replace it (`CreateOrUpdate`), retrying as long as calls may take; raises Failure."""
    for resource, obj in objects:
        deadline = run.world.now + timeout
        while True:
            problem = _apply_one(client, resource, obj)
            if not problem:
                break
            if run.world.now + RETRY > deadline:
                raise Failure(problem)
            yield Sleep(RETRY)
        yield Sleep(client.take_latency())


def _apply_one(client: KubeClient, resource: str, obj: Json) -> str:
    """Make or replace an object; "" or why it did not work."""
    kind, namespace = GO_TYPES.get(resource, "object"), obj["metadata"].get("namespace")
    try:
        client.create(resource, namespace, _copy(obj))
        return ""
    except (ConnectError, ApiError) as error:
        known = ("AlreadyExists", "Invalid") if resource == "services" else ("AlreadyExists",)  # a taken address is Invalid
        if not isinstance(error, ApiError) or error.reason not in known:
            return f"unable to create {kind}: {reason(error, client)}"
    try:
        body = _copy(obj)
        if resource == "services":  # what the server gave it stays
            old = client.get(resource, namespace, obj["metadata"]["name"])
            body["metadata"]["resourceVersion"] = old["metadata"]["resourceVersion"]
        client.update(resource, body)
        return ""
    except (ConnectError, ApiError) as error:
        return f"unable to update {kind}: {reason(error, client)}"


def _copy(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _copy(item) for key, item in value.items()}
    return [_copy(item) for item in value] if isinstance(value, list) else value


def get_or_fail(run: Run, client: KubeClient, resource: str, namespace: str | None, name: str) -> Generator[Wait, Any, Json]:
    """One object, retried for ten seconds as kubeadm's short retries are; raises Failure."""
    deadline = run.world.now + 10 * SECOND
    while True:
        try:
            found = client.get(resource, namespace, name)
            yield Sleep(client.take_latency())
            return found
        except (ConnectError, ApiError) as error:
            if (isinstance(error, ApiError) and error.code in (401, 403, 404)) or run.world.now >= deadline:
                raise Failure(reason(error, client)) from None
        yield Sleep(RETRY)


# -- nodes --------------------------------------------------------------------------------------------------------------------

LABELS = ("node-role.kubernetes.io/control-plane", "node.kubernetes.io/exclude-from-external-load-balancers")


def taint_text(taint: Json) -> str:
    """`key=value:effect`."""
    value = f"={taint['value']}" if taint.get("value") else ""
    return f"{taint.get('key', '')}{value}:{taint.get('effect', '')}"


def mark_control_plane(run: Run, client: KubeClient, name: str, taints: list[Json] | None) -> Steps:
    """Labels and taints (`MarkControlPlane`)."""
    run.say(f"[mark-control-plane] Marking the node {name} as control-plane by adding the labels: [{' '.join(LABELS)}]")
    wanted = list(taints or ())
    if wanted:
        shown = " ".join(taint_text(taint) for taint in wanted)
        run.say(f"[mark-control-plane] Marking the node {name} as control-plane by adding the taints [{shown}]")

    def change(node: Json) -> Json:
        held = [taint for taint in (node.get("spec") or {}).get("taints") or () if taint not in wanted]
        return {"metadata": {"labels": dict.fromkeys(LABELS, "")}, "spec": {"taints": [*wanted, *held]}}

    yield from patch_node(run, client, name, change)


def patch_node(run: Run, client: KubeClient, name: str, change: Callable[[Json], Json]) -> Steps:
    """Patch a node with what `change` says of it, retrying (`PatchNode`)."""
    deadline = run.world.now + 60 * SECOND
    while True:
        try:
            node = client.get("nodes", None, name)
            patch = change(node)
            if (node.get("spec") or {}).get("taints") == (patch.get("spec") or {}).get("taints", []):
                patch.pop("spec", None)
            client.patch("nodes", None, name, patch, kind="merge")
            yield Sleep(client.take_latency())
            return
        except (ConnectError, ApiError) as error:
            last = error
        if run.world.now + RETRY > deadline:
            raise Failure(f'error patching Node "{name}": {reason(last, client)}')
        yield Sleep(RETRY)


# -- waiting ------------------------------------------------------------------------------------------------------------------


def wait_for_kubelet(run: Run, address: str, port: int, timeout: int) -> Steps:
    """Until the kubelet's health endpoint answers (`WaitForKubelet`); raises Failure."""
    if port == 0:
        run.say("[kubelet-check] Skipping the kubelet health check because the healthz port is set to 0")
        return
    start, url = run.world.now, f"http://{address}:{port}/healthz"
    run.say(f"[kubelet-check] Waiting for a healthy kubelet at {url}. This can take up to {format_duration(timeout)}")
    last = ""

    def healthy() -> bool:
        nonlocal last
        try:
            answer = network.http(
                run.world,
                run.inv.proc.netns,
                address,
                port,
                Request(method="GET", path="/healthz", scheme="http", source=run.inv.proc.netns),
            )
        except ConnectError as error:
            why = {"refused": "connect: connection refused"}.get(error.kind, "i/o timeout")
            last = f'error: Get "{url}": dial tcp {address}:{port}: {why}'
            return False
        last = f"status code: {answer.status}"
        return answer.status == 200

    done = yield from run.poll(healthy, RETRY, timeout)
    took = format_duration(run.world.now - start + run.world.rng("kubeadm").between(1_000_000, 9_000_000))
    if not done:
        run.say(f"[kubelet-check] The kubelet is not healthy after {took}")
        raise Failure(f"The HTTP call equal to 'curl -sSL {url}' returned {last}\n")
    run.say(f"[kubelet-check] The kubelet is healthy after {took}")


def static_pod(run: Run, name: str, folder: str = MANIFESTS) -> Json:
    """A manifest file; raises Failure."""
    path = f"{folder}/{name}.yaml"
    try:
        found = goyaml.load(run.read(path).decode("utf-8", "replace"))
    except OSError as error:
        raise Failure(f'failed to read manifest for "{path}": {reason(error)}') from None
    except goyaml.YamlError as error:
        raise Failure(f'failed to unmarshal manifest for "{path}": {error}') from None
    if not isinstance(found, dict):
        raise Failure(f'failed to parse Pod object defined in "{path}"')
    return found


def _argument(pod: Json, program: str, names: tuple[str, ...]) -> list[str]:
    values = [""] * len(names)
    for container in (pod.get("spec") or {}).get("containers") or ():
        command = container.get("command") or []
        if command and command[0] == program:
            for word in command:
                for at, name in enumerate(names):
                    if word.startswith((f"--{name}", f"-{name}")):
                        values[at] = word.partition("=")[2]
    return values


def wait_for_components(run: Run, client: KubeClient, ip: str, timeout: int, folder: str = MANIFESTS) -> Steps:
    """Until all three components are healthy (`WaitForControlPlaneComponents`); raises Failure with what is wrong with each."""
    problems, pods = [], {}
    for name in COMPONENTS:
        try:
            pods[name] = static_pod(run, name, folder)
        except Failure as failed:
            problems.append(str(failed))
    if problems:
        raise Failure(problems[0] if len(problems) == 1 else f"[{', '.join(problems)}]")
    run.say(f"[control-plane-check] Waiting for healthy control plane components. This can take up to {format_duration(timeout)}")
    waiting: dict[str, tuple[str, str, int, str]] = {}
    for name, (address_flag, address, port, path) in {
        "kube-apiserver": ("advertise-address", ip, 6443, "livez"),
        "kube-controller-manager": ("bind-address", "127.0.0.1", 10257, "healthz"),
        "kube-scheduler": ("bind-address", "127.0.0.1", 10259, "livez"),
    }.items():
        given = _argument(pods[name], name, (address_flag, "secure-port"))
        where, at = given[0] or address, int(given[1]) if given[1].isdigit() else port
        url = f"https://{where}:{at}/{path}"
        waiting[name] = (url, where, at, path)
        run.say(f"[control-plane-check] Checking {name} at {url}")
    start, last = run.world.now, {}
    order = ("kube-scheduler", "kube-controller-manager", "kube-apiserver")
    while waiting:
        for name in order:
            if name not in waiting:
                continue
            url, where, at, path = waiting[name]
            last[name] = _probe(run, client, name, url, where, at, path)
            if not last[name]:
                took = run.world.now - start + run.world.rng("kubeadm").between(1_000_000, 90_000_000)
                run.say(f"[control-plane-check] {name} is healthy after {format_duration(took)}")
                del waiting[name]
        if not waiting:
            return
        if run.world.now + RETRY > start + timeout:
            break
        yield Sleep(RETRY)
    yield Sleep(max(start + timeout - run.world.now, 0))
    for name in (name for name in order if name in waiting):
        took = run.world.now - start + run.world.rng("kubeadm").between(1_000_000, 9_000_000)
        run.say(f"[control-plane-check] {name} is not healthy after {format_duration(took)}")
    texts = [last[name] for name in order if name in waiting]
    raise Failure(texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]")


def _probe(run: Run, client: KubeClient, name: str, url: str, host: str, port: int, path: str) -> str:
    """ "" when a component is healthy, else why not."""
    head = f"{name} check failed at {url}"
    request = Request(method="GET", path=f"/{path}", source=run.inv.proc.netns)
    try:
        if name == "kube-apiserver":
            answer = client.request(request)
        else:
            answer = network.http(run.world, run.inv.proc.netns, host, port, request)
    except ConnectError as error:
        shown = f"{client.server}/{path}?timeout=10s" if name == "kube-apiserver" else url
        return f'{head}: Get "{shown}": {component.dialled(error)}'
    if answer.status != 200:
        if name == "kube-apiserver":
            text = answer.body.decode("utf-8", "replace").strip() or "the server could not process the request"
            return f"{head}: an error on the server ({_quoted(text)}) has prevented the request from succeeding"
        return f"{head} with status: {answer.status}"
    return ""


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


CONTROL_PLANE_HELP = """
A control plane component may have crashed or exited when started by the container runtime.
To troubleshoot, list all containers using your preferred container runtimes CLI.
Here is one example how you may list all running Kubernetes containers by using crictl:
\t- 'crictl --runtime-endpoint {socket} ps -a | grep kube | grep -v pause'
\tOnce you have found the failing container, you can inspect its logs with:
\t- 'crictl --runtime-endpoint {socket} logs CONTAINERID'

"""
KUBELET_HELP = """
Unfortunately, an error has occurred, likely caused by:
\t- The kubelet is not running
\t- The kubelet is unhealthy due to a misconfiguration of the node in some way (required cgroups disabled)

If you are on a systemd-powered system, you can try to troubleshoot the error with the following commands:
\t- 'systemctl status kubelet'
\t- 'journalctl -xeu kubelet'

"""


def service_address(cidr: str, index: int) -> str:
    """The address of that index in the first service subnet."""
    return str(ipaddress.ip_network(cidr.split(",")[0], strict=False)[index])


__all__ = [
    "CONTROL_PLANE_HELP",
    "CONTROL_PLANE_TAINT",
    "KUBELET_HELP",
    "apply",
    "mark_control_plane",
    "patch_node",
    "wait_for_components",
    "wait_for_kubelet",
]
