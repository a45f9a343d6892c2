"""What the kubelet checks between its configuration and its main loop, in the real order and words (`cmd/kubelet/app/server.go: run`).

Client configuration, client CA, the runtime's socket, swap, reserved resources; then it listens.  Each failure ends the process
with `failed to run Kubelet: …`, and systemd starts it again.
"""

from __future__ import annotations

import posixpath
from typing import Any

from ...host import files, processes, x509
from ...host.program import Exited
from ...kernel import clock, network
from ...kernel.errors import BadInput, ConnectError
from ...runtime import containerd, cri, shims
from ...runtime.config import systemd_cgroup
from .. import component
from ..api import quantity
from ..client import KubeClient
from . import bootstrap as bootstrap_tls
from . import config as settings
from . import legacy
from .context import Kubelet
from .options import setting

Obj = dict[str, Any]


class StartError(Exception):
    """The kubelet cannot run; the text follows `failed to run Kubelet: `."""


def begin(kubelet: Kubelet, flags: dict[str, str]) -> None:
    """Everything up to the main loop; raises Exited."""
    log = kubelet.log
    log("I", "server.go:545", "Kubelet version", kubeletVersion=kubelet.version)
    log("I", "server.go:547", "Golang settings", GOGC="", GOMAXPROCS="", GOTRACEBACK="")
    try:
        _client(kubelet, flags)
        _client_ca(kubelet)
        _runtime(kubelet)
        _swap(kubelet)
        _reserved(kubelet)
    except StartError as failed:
        raise settings.fail(kubelet.world, kubelet.proc, f"failed to run Kubelet: {failed}") from None
    _announce(kubelet)
    _listen(kubelet)


def _client(kubelet: Kubelet, flags: dict[str, str]) -> None:
    path, bootstrap = kubelet.state.kubeconfig, flags.get("bootstrap-kubeconfig", "")
    rotate = bool(kubelet.state.config.get("rotateCertificates"))
    if not path:
        kubelet.log("I", "server.go:709", "Standalone mode, no API client")
        return
    if rotate:
        kubelet.log("I", "server.go:991", "Client rotation is on, will bootstrap in background")
    problem = _kubeconfig_problem(kubelet, path)
    if not problem:
        if rotate:
            bootstrap_tls.keep(kubelet, path)
        return
    if not bootstrap:
        raise StartError(("unable to load kubeconfig: " if rotate else "invalid kubeconfig: ") + problem)
    if problem != "absent":
        kubelet.log("E", "bootstrap.go:241", "Unhandled Error", err=problem)
    missing = _kubeconfig_problem(kubelet, bootstrap, bootstrap=True)
    if missing:
        text = f"stat {bootstrap}: no such file or directory" if missing == "absent" else missing
        raise StartError(f"unable to load bootstrap kubeconfig: {text}")
    bootstrap_tls.begin(kubelet, bootstrap)


def _kubeconfig_problem(kubelet: Kubelet, path: str, bootstrap: bool = False) -> str:
    """Why a kubeconfig gives no usable client, `absent`, or "" (`bootstrap.go: isClientConfigStillValid`)."""

    def read(name: str) -> bytes:
        where = name if name.startswith("/") else posixpath.join(posixpath.dirname(path), name)
        return component.read_file(kubelet.world, kubelet.proc, where)

    try:
        text = read(path)
    except OSError:
        return "absent"
    head = f"unable to read existing bootstrap client config from {path}: "
    try:
        client = KubeClient.from_kubeconfig(kubelet.world, kubelet.proc.netns, text, user_agent="kubelet", read_file=read)
    except OSError as failed:
        kind = "client-cert" if "pki/kubelet" in str(failed.filename) else "certificate-authority"
        where = failed.filename or path
        named = f"unable to read {kind} {where} for {_names(text, kind)} due to open {where}: no such file or directory"
        return head + f"invalid configuration: {named}" if not bootstrap else named
    except BadInput as failed:
        return (head if not bootstrap else f'error loading config file "{path}": ') + str(failed)
    if bootstrap:
        return ""
    credentials = client.credentials
    if credentials.token and not credentials.cert:
        return ""
    try:
        subject = x509.load_cert(credentials.cert)
    except ValueError:
        return (
            f"unable to load TLS configuration from existing bootstrap client config read from {path}: "
            "tls: failed to find any PEM data in certificate input"
        )
    end = subject.not_valid_after_utc
    if int(end.timestamp()) * clock.SECOND < kubelet.world.wall + kubelet.host.skew:
        shown = end.strftime("%Y-%m-%d %H:%M:%S +0000 UTC")
        return f"part of the existing bootstrap client certificate in {path} is expired: {shown}"
    return ""


def _names(text: bytes, kind: str) -> str:
    import yaml

    data = yaml.safe_load(text)
    rows = data.get("users" if kind == "client-cert" else "clusters") or [{}]
    return str(rows[0].get("name") or "")


def _client_ca(kubelet: Kubelet) -> None:
    path = setting(kubelet.state.config, "authentication", "x509", "clientCAFile")
    if not path:
        return
    try:
        data = component.read_file(kubelet.world, kubelet.proc, str(path))
    except OSError:
        raise StartError(f"open {path}: no such file or directory") from None
    if not data:
        raise StartError(f'missing content for CA bundle "client-ca-bundle::{path}"')
    try:
        x509.load_cert(data)
    except ValueError:
        text = (
            f'unable to load client CA from "client-ca-bundle::{path}": data does not contain any valid RSA or ECDSA certificates'
        )
        raise StartError(text) from None


def socket_of(endpoint: str) -> str:
    """The path of a `unix://` endpoint; a bare path means the same."""
    return endpoint.removeprefix("unix://")


def endpoint_error(kubelet: Kubelet, endpoint: str) -> str:
    """Why the runtime at an endpoint does not answer, or ""."""
    scheme, sep, _ = endpoint.partition("://")
    if sep and scheme != "unix":
        return f'protocol "{scheme}" not supported'
    path = socket_of(endpoint)
    tree = files.tree(kubelet.host)
    real = posixpath.normpath(path.replace("/var/run/", "/run/", 1) if path.startswith("/var/run/") else path)
    why = ""
    if real == containerd.SOCKET:
        try:
            containerd.connect(kubelet.world, kubelet.proc.host)
        except ConnectError as failed:
            why = failed.detail
    elif real == shims.SOCKETS["cri-dockerd"]:
        running = processes.by_program(kubelet.world, kubelet.proc.host, "cri-dockerd")
        why = "" if running else "connection refused" if tree.exists(real) else "no such file or directory"
    else:
        why = "connection refused" if tree.exists(real) else "no such file or directory"
    if not why:
        return ""
    return cri.unavailable(why, path)


def _runtime(kubelet: Kubelet) -> None:
    world, host = kubelet.world, kubelet.proc.host
    if legacy.arguments(kubelet.proc)[1]:
        shims.use(world, host, "dockershim")
        try:
            shims.connect(world, host)
        except ConnectError:
            raise StartError(
                "failed to get docker version: Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?"
            ) from None
        kubelet.log("I", "docker_service.go:242", "Hairpin mode is set", hairpinMode="hairpin-veth")
        return
    endpoint = str(setting(kubelet.state.config, "containerRuntimeEndpoint"))
    why = endpoint_error(kubelet, endpoint)
    if why.startswith("protocol"):
        raise StartError(why)
    if why:
        raise StartError(f'validate service connection: validate CRI v1 runtime API for endpoint "{endpoint}": {why}')
    path = socket_of(endpoint).replace("/var/run/", "/run/", 1)
    shims.use(world, host, "cri-dockerd" if path == shims.SOCKETS["cri-dockerd"] else "")
    docker = path == shims.SOCKETS["cri-dockerd"]  # docker on a machine with systemd uses its driver
    driver = "systemd" if docker or systemd_cgroup(world, host) else "cgroupfs"
    kubelet.log("I", "server.go:1454", "Using cgroup driver setting received from the CRI runtime", cgroupDriver=driver)


def _swap(kubelet: Kubelet) -> None:
    if not kubelet.host.swap:
        return
    if setting(kubelet.state.config, "failSwapOn"):
        raise StartError("running with swap on is not supported, please disable swap or set --fail-swap-on flag to false")
    if not setting(kubelet.state.config, "memorySwap", "swapBehavior"):
        kubelet.log(
            "I", "server.go:875", "NoSwap is set due to memorySwapBehavior not specified", memorySwapBehavior="", FailSwapOn=False
        )


def _reserved(kubelet: Kubelet) -> None:
    for key, flag in (("kubeReserved", "kube-reserved"), ("systemReserved", "system-reserved")):
        for name, amount in (kubelet.state.config.get(key) or {}).items():
            try:
                value = quantity.nano(str(amount))
            except (ValueError, BadInput):
                raise StartError(
                    f'--{flag} value failed to parse: failed to parse quantity "{amount}" for "{name}" resource: '
                    "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
                ) from None
            if value < 0:
                raise StartError(f'--{flag} value failed to parse: resource quantity for "{name}" cannot be negative: {amount}')


def _announce(kubelet: Kubelet) -> None:
    """The lines of a start that went well."""
    log, state = kubelet.log, kubelet.state
    log("I", "container_manager_linux.go:275", "Creating Container Manager object based on Node Config")
    log("I", "topology_manager.go:138", "Creating topology manager with none policy")
    if state.kubeconfig:
        log("I", "kubelet.go:496", "Attempting to sync node with API server")
    if state.config.get("staticPodPath"):
        log("I", "kubelet.go:397", "Adding static pod path", path=state.config["staticPodPath"])
    if state.kubeconfig:
        log("I", "kubelet.go:408", "Adding apiserver pod source")
    log(
        "I",
        "kuberuntime_manager.go:291",
        "Container runtime initialized",
        containerRuntime="containerd",
        version=f"v{shims.flavour(kubelet.world, kubelet.proc.host)[1]}",
        apiVersion="v1",
    )
    log("I", "server.go:1291", "Started kubelet")


def _listen(kubelet: Kubelet) -> None:
    """Open the ports; the health port's loss is only logged."""
    world, proc, config = kubelet.world, kubelet.proc, kubelet.state.config
    address, port = str(setting(config, "address")), int(setting(config, "port"))
    kubelet.log("I", "server.go:193", "Starting to listen", address=address, port=port)
    try:
        network.listen(world, proc.netns, port, host=proc.host, pid=proc.pid, address=address)
    except OSError:
        text = f"listen tcp {address}:{port}: bind: address already in use"
        kubelet.log("E", "server.go:209", "Failed to listen and serve", err=text)
        raise Exited(1) from None
    read_only = int(config.get("readOnlyPort") or 0)
    health, local = int(setting(config, "healthzPort")), str(setting(config, "healthzBindAddress"))
    for number, where, what in ((read_only, address, "server.go:245"), (health, local, "server.go:951")):
        if not number:
            continue
        try:
            network.listen(world, proc.netns, number, host=proc.host, pid=proc.pid, address=where)
        except OSError:
            text = f"listen tcp {where}:{number}: bind: address already in use"
            kubelet.log(
                "E", what, "Failed to start healthz server" if number == health else "Failed to listen and serve", err=text
            )
