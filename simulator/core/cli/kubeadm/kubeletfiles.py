"""The kubelet's configuration, instance configuration and environment file (phases/kubelet)."""

from __future__ import annotations

from typing import Any

from ...host import systemd
from ...kube.kubeadm import addons
from .. import goyaml
from . import cluster, patches
from .config import InitConfig
from .run import Failure, Run

Json = dict[str, Any]


def _arguments(run: Run, config: InitConfig, *, taints: bool) -> list[tuple[str, str]]:
    registration, found = config.init["nodeRegistration"], []
    if taints and registration.get("taints"):
        found.append(("register-with-taints", ",".join(cluster.taint_text(taint) for taint in registration["taints"])))
    if config.node != run.host.name:
        found.append(("hostname-override", config.node))
    return found


def write_env(run: Run, config: InitConfig, folder: str, *, taints: bool) -> None:
    """kubeadm-flags.env (`WriteKubeletDynamicEnvFile`)."""
    from ...kube.kubeadm.manifests import flags

    extra = {"extraArgs": config.init["nodeRegistration"].get("kubeletExtraArgs") or ()}
    words = flags("kubelet", _arguments(run, config, taints=taints), extra)[1:]
    path = f"{folder}/kubeadm-flags.env"
    run.say(f'[kubelet-start] Writing kubelet environment file with flags to file "{path}"')
    _write(run, path, f'KUBELET_KUBEADM_ARGS="{" ".join(words)}"\n')


def write_instance(run: Run, config: InitConfig, folder: str) -> None:
    """instance-config.yaml: what only this node has."""
    path = f"{folder}/instance-config.yaml"
    run.say(f'[kubelet-start] Writing kubelet configuration to file "{path}"')
    _write(run, path, f'containerRuntimeEndpoint: "{config.socket}"\n')


def _resolver(run: Run, kubelet: Json) -> Json:
    """systemd-resolved's own list of servers, where that runs (`Mutate`)."""
    if "resolvConf" in kubelet or not run.exists("/run/systemd/resolve/resolv.conf"):
        return kubelet
    return {**kubelet, "resolvConf": "/run/systemd/resolve/resolv.conf"}


def write_config(run: Run, config: InitConfig, folder: str, patch_dir: str) -> None:
    """config.yaml: the cluster's, patched, and with the node's own on top."""
    kubelet = _resolver(run, config.kubelet)
    config.kubelet = kubelet
    if patch_dir:
        try:
            kubelet = patches.apply(run, patch_dir, "kubeletconfiguration", kubelet)
        except Failure as failed:
            raise Failure(f"could not apply patches to the KubeletConfiguration: {failed}") from None
    run.say('[patches] Applied patch of type "application/strategic-merge-patch+json" to target "kubeletconfiguration"')
    path = f"{folder}/config.yaml"
    run.say(f'[kubelet-start] Writing kubelet configuration to file "{path}"')
    _write(run, path, goyaml.dump({**kubelet, "containerRuntimeEndpoint": config.socket}))


def _write(run: Run, path: str, text: str) -> None:
    try:
        run.write(path, text)
    except OSError as error:
        from .run import go_error

        raise Failure(f'failed to write kubelet configuration file "{path}": {go_error(error)}') from None


def uploaded(run: Run, config: InitConfig) -> list[tuple[str, Json]]:
    """What the cluster keeps."""
    text = goyaml.dump({**config.kubelet, "containerRuntimeEndpoint": ""})
    return addons.kubelet_config(text, supplied="KubeletConfiguration" in config.user_supplied)


def running(run: Run) -> bool:
    """Whether the kubelet's service runs."""
    return systemd.state(run.host, "kubelet.service").active == "active"
