"""Docker under the kubelet: dockershim, which was part of the kubelet up to v1.23, and cri-dockerd, which took its place outside of it.

`RuntimeState.shim` says which of the two a host's kubelet uses ("" for containerd's own CRI).  Pods' containers are then Docker's: named
`k8s_<container>_<pod>_<namespace>_<uid>_<attempt>`, listed by `docker ps`, in containerd's namespace `moby`
(kubernetes v1.23 `pkg/kubelet/dockershim/naming.go`, Mirantis/cri-dockerd).
"""

from __future__ import annotations

import contextlib

import msgspec

from ..host import files, processes
from ..host.process import Process
from ..host.program import Exited
from ..kernel import clock
from ..kernel.errors import ConnectError
from ..kernel.world import World
from . import images
from .programs.basics import Quiet
from .state import Container, Sandbox, namespace, runtime

SOCKETS = {"dockershim": "/run/dockershim.sock", "cri-dockerd": "/run/cri-dockerd.sock"}
VERSION = "0.3.21"


def connect(world: World, host: str) -> None:
    """Dial Docker through the shim in use; raises ConnectError."""
    from .engine import dockerd

    shim = runtime(world, host).shim
    if shim == "cri-dockerd" and not processes.by_program(world, host, "cri-dockerd"):
        raise ConnectError("refused", f"unix://{SOCKETS[shim]}", "no such file or directory")
    dockerd.connect(world, host)


def use(world: World, host: str, shim: str) -> None:
    """The kubelet begins with this shim (or none).  What ran under the other runtime is no longer its own: it is cleared away."""
    state = runtime(world, host)
    if bool(state.shim) != bool(shim):
        from . import sandboxes

        for sandbox in list(state.sandboxes.values()):
            sandboxes.remove(world, host, sandbox)
    if shim == state.shim:
        return
    state.shim = shim
    with contextlib.suppress(OSError):
        if shim == "dockershim":
            files.make_socket(world, host, SOCKETS[shim])
        elif files.host_of(world, host).fs.exists(SOCKETS["dockershim"]):
            files.remove_file(world, host, SOCKETS["dockershim"])


def flavour(world: World, host: str) -> tuple[str, str]:
    """(name, version) of the container runtime as the node tells it."""
    if runtime(world, host).shim:
        from .engine import dockerd

        return "docker", dockerd.VERSION
    from . import containerd

    return "containerd", containerd.VERSION


def name_of(container: Container, sandbox: Sandbox | None) -> str:
    """Docker's name of a pod's container."""
    labels = container.labels
    pod = sandbox.name if sandbox is not None else labels.get("io.kubernetes.pod.name", "")
    space = sandbox.namespace if sandbox is not None else labels.get("io.kubernetes.pod.namespace", "")
    uid = sandbox.uid if sandbox is not None else labels.get("io.kubernetes.pod.uid", "")
    return f"k8s_{container.name}_{pod}_{space}_{uid}_{container.attempt}"


def docker_view(world: World, host: str) -> dict[str, Container]:
    """Pods' containers and pause containers as Docker lists them; copies, to be read (what is done to them goes by id and pid)."""
    state = runtime(world, host)
    if not state.shim:
        return {}
    out: dict[str, Container] = {}
    for container in namespace(world, host, "k8s.io").containers.values():
        if container.sandbox:
            build = images.find(world, container.build)
            command = (
                container.argv[len(build.entrypoint) :]
                if tuple(container.argv[: len(build.entrypoint)]) == build.entrypoint
                else container.argv
            )
            view = msgspec.structs.replace(container, name=name_of(container, state.sandboxes.get(container.sandbox)), sandbox="")
            view.options = {
                "engine": "docker",
                "ref": container.image,
                "network_mode": f"container:{container.sandbox}",
                "cmd": command,
                "entrypoint": container.argv[: len(container.argv) - len(command)],
            }
            out[container.id] = view
    for sandbox in state.sandboxes.values():
        pause = Container(
            id=sandbox.id, namespace="k8s.io", image="registry.k8s.io/pause:3.10.2", image_id=images.find(world, "registry.k8s.io/pause:3.10.2").digest("config"),
            build="registry.k8s.io/pause:3.10.2", argv=["/pause"], name=f"k8s_POD_{sandbox.name}_{sandbox.namespace}_{sandbox.uid}_{sandbox.attempt}", hostname=sandbox.hostname,
            labels={**sandbox.labels, "io.kubernetes.docker.type": "podsandbox"}, created_at=sandbox.created_at, started_at=sandbox.created_at, state="RUNNING" if sandbox.pid else "EXITED", pid=sandbox.pid,
            shim_pid=sandbox.shim_pid, netns=sandbox.netns, shared_netns=True, finished_at=sandbox.created_at,
            options={"engine": "docker", "ref": "registry.k8s.io/pause:3.10.2", "network_mode": "host" if sandbox.host_network else "none", "entrypoint": ["/pause"], "cmd": []},
        )  # fmt: skip
        out[sandbox.id] = pause
    return out


class CriDockerd(Quiet):
    """The program `cri-dockerd`."""

    def start(self, world: World, proc: Process) -> None:
        """Reach Docker, open the socket."""
        from .engine import dockerd

        stamp = clock.rfc3339(world.wall)
        if "--version" in proc.argv:
            processes.write(world, proc, f"cri-dockerd {VERSION} (9f3c28b)\n")
            raise Exited(0)

        def say(text: str, level: str = "info") -> None:
            processes.log(world, proc, f'time="{stamp}" level={level} msg="{text}"')

        say(f"Starting cri-dockerd {VERSION} (9f3c28b)")
        try:
            dockerd.connect(world, proc.host)
        except ConnectError:
            say(
                "failed to get docker version from dockerd: Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?",
                "fatal",
            )
            raise Exited(1) from None
        for text in (
            "Get docker client with request timeout 0s",
            "Hairpin mode is set to none",
            "Docker cri networking managed by network plugin cni",
            "Setting cgroupDriver systemd",
            "Starting the GRPC backend for the Docker CRI interface.",
        ):
            say(text)
        files.make_socket(world, proc.host, SOCKETS["cri-dockerd"], mode=0o660)
        world.ring(f"cri:{proc.host}")

    def stop(self, world: World, proc: Process, signal: int) -> int:
        """The socket goes with an orderly end."""
        if signal != 9:
            with contextlib.suppress(OSError):
                files.remove_file(world, proc.host, SOCKETS["cri-dockerd"])
        world.ring(f"cri:{proc.host}")
        return 137 if signal == 9 else 0
