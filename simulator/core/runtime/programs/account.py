"""What programs of images that speak to the API server share: their pod's service account, and klog's stamp."""

from __future__ import annotations

from ...host import files
from ...host.process import Process
from ...kernel import clock
from ...kernel.world import World
from ...kube.client import Credentials, KubeClient

ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"


def server_of(proc: Process) -> str:
    """Where the API server is, as the kubelet tells it to every container."""
    host = proc.env.get("KUBERNETES_SERVICE_HOST", "127.0.0.1")
    return f"https://{host}:{proc.env.get('KUBERNETES_SERVICE_PORT', '443')}"


def client_of(world: World, proc: Process, agent: str) -> KubeClient:
    """A client with the token that the kubelet has mounted (`rest.InClusterConfig`)."""

    def mounted(name: str) -> bytes:
        try:
            return files.read_file(world, proc.host, f"{ACCOUNT}/{name}", mnt=proc.mnt)
        except OSError:
            return b""

    return KubeClient(
        world, proc.netns, server_of(proc), Credentials(ca=mounted("ca.crt"), token=mounted("token").decode().strip()), agent
    )


def stamp(world: World, level: str) -> str:
    """`I1102 09:00:00.000000       1`."""
    return level + clock.to_datetime(world.wall).strftime("%m%d %H:%M:%S.%f") + "       1"
