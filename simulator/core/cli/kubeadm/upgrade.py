"""`kubeadm upgrade apply` and `node`, and the tables of their phases (cmd/upgrade, cmd/phases/upgrade)."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from ...host import systemd
from ...host.program import Wait
from ...kube.kubeadm import addons
from ..cobra import Command, no_args
from ..flag_kinds import format_duration
from . import cluster, config, kubeconfigs, kubeletfiles, options, preflight, releases, upgradedata, upgradeplan, upgradestatic
from .initphases import dns_objects, proxy_objects, upload_kubeadm, upload_kubelet
from .reset import confirm
from .run import KUBELET_CONF, KUBERNETES_DIR, Failure, Run, Steps
from .upgradedata import UpgradeData
from .workflow import NEEDS_SUBCOMMAND, Phase, Workflow, bind

_PULLING = (
    "[upgrade/preflight] Pulling images required for setting up a Kubernetes cluster\n"
    "[upgrade/preflight] This might take a minute or two, depending on the speed of your internet connection\n"
    "[upgrade/preflight] You can also perform this action beforehand using 'kubeadm config images pull'"
)


def _apply_preflight(data: UpgradeData) -> Steps:
    run, cfg = data.run, data.config
    run.say("[upgrade/preflight] Running preflight checks")
    preflight.root_only(run, data.ignored)
    preflight.report(run, preflight.upgrade_checks(run, cfg), data.ignored)
    run.say("[upgrade] Running cluster health checks")
    yield from upgradedata.check_health(run, data.client, cfg, data.ignored, dry_run=data.dry_run)
    config.normalise_version(run, cfg.cluster)
    version = str(cfg.cluster["kubernetesVersion"])
    try:
        releases.parse(version)
    except ValueError:
        raise Failure(f'unable to parse normalized version "{version}" as a semantic version') from None
    upgradedata.enforce_policies(data)
    if data.interactive:
        yield from confirm(run, "upgrade")
    if data.dry_run:
        run.say("[dryrun] Would pull the required images (like 'kubeadm config images pull')")
        return
    run.say(_PULLING)
    yield from preflight.pull_images(run, cfg, data.ignored)


def _node_preflight(data: UpgradeData) -> Steps:
    run = data.run
    run.say("[upgrade/preflight] Running pre-flight checks")
    preflight.root_only(run, data.ignored)
    preflight.report(run, preflight.upgrade_checks(run, data.config), data.ignored)
    if not data.control_plane:
        run.say("[upgrade/preflight] Skipping prepull. Not a control plane node.")
    elif data.dry_run:
        run.say("[upgrade/preflight] Would pull the required images (like 'kubeadm config images pull')")
    else:
        run.say(_PULLING)
        yield from preflight.pull_images(run, data.config, data.ignored)


def _control_plane(data: UpgradeData) -> Steps:
    run, version = data.run, data.config.cluster["kubernetesVersion"]
    if not data.control_plane:
        run.say("[upgrade/control-plane] Skipping phase. Not a control plane node.")
        return
    if not data.whole:
        run.say(f'[upgrade/control-plane] Upgrading your Static Pod-hosted control plane instance to version "{version}"...')
    if data.dry_run:
        run.out(f'[dryrun] Would upgrade your static Pod-hosted control plane to version "{version}"')
        upgradestatic.dry_run(data)
        return
    if data.whole:
        patience = format_duration(data.timeout("upgradeManifests"))
        run.say(
            f'[upgrade/control-plane] Upgrading your static Pod-hosted control plane to version "{version}" (timeout: {patience})...'
        )
    try:
        yield from upgradestatic.StaticUpgrade(data).go()
    except Failure as failed:
        raise Failure(f"couldn't complete the static pod upgrade: {failed}") from None
    run.say("[upgrade/control-plane] The control plane instance for this node was successfully upgraded!")


def _upload_kubeadm(data: UpgradeData) -> Steps:
    if data.dry_run:
        data.run.say("[dryrun] Would upload the kubeadm ClusterConfiguration to a ConfigMap")
        return
    yield from upload_kubeadm(data.run, data.config, data.client)


def _upload_kubelet(data: UpgradeData) -> Steps:
    if data.dry_run:
        data.run.say("[dryrun] Would upload the kubelet configuration to a ConfigMap")
        data.run.say("[dryrun] Would write the CRISocket annotation for the control-plane node")
        return
    yield from upload_kubelet(data.run, data.config, data.client)
    yield from _forget_socket(data)


def _forget_socket(data: UpgradeData) -> Steps:
    """The socket is the node's own business now (`RemoveCRISocketAnnotation`)."""

    def change(node: dict[str, Any]) -> dict[str, Any]:
        return {"metadata": {"annotations": {"kubeadm.alpha.kubernetes.io/cri-socket": None}}, "spec": node.get("spec") or {}}

    yield from cluster.patch_node(data.run, data.client, data.config.node, change)


def _kubeconfig(data: UpgradeData) -> Steps:
    """A control plane's kubelet speaks with its own API server (`UpdateKubeletKubeconfigServer`)."""
    run, cfg = data.run, data.config
    if not data.control_plane:
        run.say("[upgrade/kubeconfig] Skipping phase. Not a control plane node.")
        return
    if run.exists(KUBELET_CONF):
        found = kubeconfigs.load(run, KUBELET_CONF)
        _, entry = kubeconfigs.current_cluster(found)
        if entry.get("server") == cfg.server != cfg.local_server:
            if data.dry_run:
                run.say(
                    f'[dryrun] Would change the Server URL from "{cfg.server}" to "{cfg.local_server}" in {KUBELET_CONF} and try to restart '
                    "kubelet"
                )
            else:
                entry["server"] = cfg.local_server
                run.write(KUBELET_CONF, kubeconfigs.dump(found), 0o600)
                systemd.restart_unit(run.world, run.host, "kubelet.service")
    yield from run.pause(1, 5)
    run.say("[upgrade/kubeconfig] The kubeconfig files for this node were successfully upgraded!")


def _kubelet_config(data: UpgradeData) -> Steps:
    run, cfg = data.run, data.config
    folder = upgradestatic.timestamped(run, "kubeadm-kubelet-config", data.dry_run_dir if data.dry_run else KUBERNETES_DIR)
    run.warn(
        "postupgrade.go:98",
        f"Using temporary directory {folder} for kubelet config. To override it set the environment variable KUBEADM_UPGRADE_DRYRUN_DIR",
    )
    if data.dry_run:
        run.say(f"[dryrun] Would back up kubelet config file to {folder}/config.yaml")
    else:
        run.say(f"[upgrade] Backing up kubelet config file to {folder}/config.yaml")
        try:
            run.write(f"{folder}/config.yaml", run.read("/var/lib/kubelet/config.yaml"))
        except OSError as error:
            raise Failure(f"error backing up the kubelet config file: open {error.filename}: no such file or directory") from None
    if not run.exists(f"{data.kubelet_dir}/instance-config.yaml"):
        kubeletfiles.write_instance(run, cfg, data.kubelet_dir)
    kubeletfiles.write_config(run, cfg, data.kubelet_dir, data.patches)
    if not data.dry_run and data.control_plane:
        yield from _forget_socket(data)
    run.say("[upgrade/kubelet-config] The kubelet configuration for this node was successfully upgraded!")


def _bootstrap_token(data: UpgradeData) -> Steps:
    run, client = data.run, data.client
    if data.dry_run:
        run.say("[dryrun] Would configure bootstrap token and cluster-info RBAC rules")
        return
    run.say("[upgrade/bootstrap-token] Configuring bootstrap token and cluster-info RBAC rules")
    from .initphases import bootstrap_rules

    timeout = data.timeout("kubernetesAPICall")
    yield from bootstrap_rules(run, client, timeout)
    yield from cluster.apply(run, client, addons.cluster_info_rules(), timeout=timeout)


def _skips_addon(data: UpgradeData, name: str, section: str) -> bool:
    run, head = data.run, f"[upgrade/addon] Skipping the addon/{name} phase."
    if not data.control_plane:
        run.say(f"{head} Not a control plane node.")
        return True
    if (data.config.cluster.get(section) or {}).get("disabled"):
        run.say(f"{head} The addon is disabled.")
        return True
    try:
        behind = upgradestatic.behind(data.client, data.config.node)
    except Failure as failed:
        raise Failure(f"failed to determine whether all the control plane instances have been upgraded: {failed}") from None
    if behind:
        run.say(
            f"[upgrade/addon] Skipping upgrade of addons because control plane instances [{' '.join(behind)}] have not been upgraded"
        )
    return bool(behind)


def _coredns(data: UpgradeData) -> Steps:
    if _skips_addon(data, "coredns", "dns"):
        return
    if data.dry_run:
        data.run.say("[dryrun] Would install the essential addon")
        return
    from .initphases import install_dns

    held = data.client.list("deployments", "kube-system", label_selector="k8s-app=kube-dns").items
    replicas = int(held[0]["spec"].get("replicas", 2)) if held else 2
    objects = dns_objects(data.run, data.config, replicas)
    if held:  # the Corefile may be the owner's by now
        objects = [(resource, obj) for resource, obj in objects if resource != "configmaps"]
    yield from install_dns(data.run, data.config, data.client, objects)


def _kube_proxy(data: UpgradeData) -> Steps:
    if _skips_addon(data, "kube-proxy", "proxy"):
        return
    if data.dry_run:
        data.run.say("[dryrun] Would install the essential addon")
        return
    timeout = data.timeout("kubernetesAPICall")
    yield from cluster.apply(data.run, data.client, proxy_objects(data.config), timeout=timeout)
    data.run.say("[addons] Applied essential addon: kube-proxy")


def _post(data: UpgradeData) -> Steps:
    """No flag of the kubelet has to go in this release."""
    return
    yield


_COMMON = ("config", "kubeconfig", "dry-run")
_STATIC = (*_COMMON, "certificate-renewal", "etcd-upgrade", "patches")
_HIDDEN = Phase("kubeconfig", "Upgrade kubeconfig files for this node", run=_kubeconfig, flags=_COMMON, hidden=True)
_SHARED = (
    Phase(
        "addon",
        "Upgrade the default kubeadm addons",
        phases=(
            Phase("all", "Upgrade all the addons", flags=(*_COMMON, "patches"), all_siblings=True),
            Phase("coredns", "Upgrade the CoreDNS addon", run=_coredns, flags=(*_COMMON, "patches")),
            Phase("kube-proxy", "Upgrade the kube-proxy addon", run=_kube_proxy, flags=_COMMON),
        ),
    ),
    Phase("post-upgrade", "Run post upgrade tasks", run=_post, flags=_COMMON),
)
_KUBELET_CONFIG = Phase(
    "kubelet-config",
    "Upgrade the kubelet configuration for this node",
    "Upgrade the kubelet configuration for this node by downloading it from the kubelet-config ConfigMap stored in the cluster",
    run=_kubelet_config,
    flags=(*_COMMON, "patches"),
)
APPLY_PHASES = (
    Phase(
        "preflight",
        "Run preflight checks before upgrade",
        run=_apply_preflight,
        flags=(
            *_COMMON, "force", "ignore-preflight-errors", "allow-experimental-upgrades", "allow-release-candidate-upgrades", "yes",
        ),
    ),
    Phase("control-plane", "Upgrade the control plane", run=_control_plane, flags=_STATIC),
    Phase(
        "upload-config",
        "Upload the kubeadm and kubelet configurations to ConfigMaps",
        aliases=("uploadconfig",),
        phases=(
            Phase("all", "Upload all the configurations to ConfigMaps", flags=_COMMON, all_siblings=True),
            Phase(
                "kubeadm", "Upload the kubeadm ClusterConfiguration to a ConfigMap", run=_upload_kubeadm, flags=_COMMON
            ),
            Phase("kubelet", "Upload the kubelet configuration to a ConfigMap", run=_upload_kubelet, flags=_COMMON),
        ),
    ),
    _HIDDEN,
    _KUBELET_CONFIG,
    Phase(
        "bootstrap-token", "Configures bootstrap token and cluster-info RBAC rules", run=_bootstrap_token, flags=_COMMON
    ),
    *_SHARED,
)  # fmt: skip
NODE_PHASES = (
    Phase(
        "preflight",
        "Run upgrade node pre-flight checks",
        "Run pre-flight checks for kubeadm upgrade node.",
        run=_node_preflight,
        flags=("config", "ignore-preflight-errors"),
    ),
    Phase("control-plane", "Upgrade the control plane instance deployed on this node, if any", run=_control_plane, flags=_STATIC),
    _HIDDEN,
    _KUBELET_CONFIG,
    *_SHARED,
)


def _prepare_apply(run: Run, alone: bool) -> Generator[Wait, Any, UpgradeData]:
    return (yield from UpgradeData(run, "apply").fetch())


def _prepare_node(run: Run, alone: bool) -> Generator[Wait, Any, UpgradeData]:
    return (yield from UpgradeData(run, "node").fetch())


def _skipped(data: UpgradeData) -> list[str]:
    return [str(name) for name in data.settings.get("skipPhases") or ()]


APPLY = Workflow(APPLY_PHASES, _prepare_apply, skipped=_skipped)
NODE = Workflow(NODE_PHASES, _prepare_node, skipped=_skipped)


def _apply(run: Run) -> Steps:
    data = yield from _prepare_apply(run, False)
    yield from APPLY.go(run, data)
    if data.dry_run:
        run.say("[upgrade/successful] Finished dryrunning successfully!")
        return
    run.say("")
    version = data.config.cluster["kubernetesVersion"]
    run.say(f'[upgrade] SUCCESS! A control plane node of your cluster was upgraded to "{version}".\n')
    run.say("[upgrade] Now please proceed with upgrading the rest of the nodes by following the right order.")


def _node(run: Run) -> Steps:
    data = yield from _prepare_node(run, False)
    yield from NODE.go(run, data)
    if data.dry_run:
        run.say("[upgrade/successful] Finished dryrunning successfully!")


COMMAND = Command(
    "upgrade",
    short="Upgrade your cluster smoothly to a newer version with this command",
    run=NEEDS_SUBCOMMAND,
    commands=(
        bind(
            Command(
                "apply [version]",
                short="Upgrade your Kubernetes cluster to the specified version",
                flags=options.UPGRADE_APPLY,
                flags_in_use_line=False,
                run=_apply,
            ),
            APPLY,
        ),
        upgradeplan.DIFF,
        bind(
            Command(
                "node",
                short="Upgrade commands for a node in the cluster",
                flags=options.UPGRADE_NODE,
                args=no_args,
                run=_node,
            ),
            NODE,
        ),
        upgradeplan.PLAN,
    ),
)
