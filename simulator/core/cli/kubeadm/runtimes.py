"""kubeadm's view of the container runtime: connecting, pulling, removing (util/runtime/runtime.go)."""

from __future__ import annotations

from collections.abc import Generator, Iterable

from ...host.program import Wait, WaitTopic
from ...kernel.errors import BadInput, ConnectError
from ...runtime import containerd, cri
from ..flag_kinds import quote
from .run import Failure, Run

CONTAINERD = ("/run/containerd/containerd.sock", "/var/run/containerd/containerd.sock")
PULL_TRIES = 5


def _path(socket: str) -> str:
    return socket.removeprefix("unix://")


def connect(run: Run, socket: str) -> None:
    """Reach the runtime, or raise Failure in gRPC's words."""
    path = _path(socket)
    detail = ""
    if path not in CONTAINERD:
        detail = "connect: connection refused" if run.exists(path) else "connect: no such file or directory"
    else:
        try:
            containerd.connect(run.world, run.host.name)
        except ConnectError as error:
            detail = f"connect: {error.detail}"
    if detail:
        raise Failure(
            "failed to create new CRI runtime service: validate service connection: validate CRI v1 runtime API for endpoint "
            f'"{socket}": rpc error: code = Unavailable desc = connection error: desc = "transport: Error while dialing: dial unix {path}: '
            f'{detail}"'
        )


def has_image(run: Run, image: str) -> bool:
    """Whether the runtime has an image."""
    return cri.image_status(run.world, run.host.name, image) is not None


def pull(run: Run, image: str) -> Generator[Wait, object, None]:
    """Pull an image, as often as kubeadm tries; raises Failure."""
    host, last = run.host.name, ""
    for _ in range(PULL_TRIES):
        try:
            record = cri.pull_image(run.world, host, image)
            while not cri.pull_done(run.world, host, record):
                yield WaitTopic((f"pull:{host}:{record.id}",))
            return
        except (cri.CriError, ConnectError, BadInput) as error:
            last = str(error)
    raise Failure(f"failed to pull image {image}: {last}")


def remove_pods(run: Run) -> None:
    """Stop and remove every pod sandbox."""
    try:
        for sandbox in list(cri.list_pod_sandboxes(run.world, run.host.name)):
            cri.stop_pod_sandbox(run.world, run.host.name, sandbox.id)
            cri.remove_pod_sandbox(run.world, run.host.name, sandbox.id)
    except (cri.CriError, ConnectError) as error:
        run.warn("cleanupnode.go:99", f"[reset] Failed to remove containers: {error}\n")


def sandbox_image(run: Run) -> str:
    """The sandbox image of containerd's configuration, or ""."""
    try:
        text = run.read("/etc/containerd/config.toml").decode("utf-8", "replace")
    except OSError:
        return ""
    for line in text.splitlines():
        name, equals, value = line.partition("=")
        if equals and name.strip() in ("sandbox", "sandbox_image"):
            return value.strip().strip("\"'")
    return ""


def warn_of_sandbox(run: Run, wanted: str) -> None:
    """containerd's sandbox image should be kubeadm's."""
    own = sandbox_image(run)
    if own and own != wanted:
        run.warn(
            "checks.go:830",
            f"detected that the sandbox image {quote(own)} of the container runtime is inconsistent with that used by kubeadm. It is "
            f"recommended to use {quote(wanted)} as the CRI sandbox image.",
        )


def names(items: Iterable[str]) -> list[str]:
    """Each once, in order."""
    return list(dict.fromkeys(items))
