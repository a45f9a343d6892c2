"""`kubeadm reset` (cmd/reset.go, cmd/phases/reset)."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from ...host import systemd, unitfiles
from ...host.program import Wait
from ...kube.client import KubeClient
from ..cobra import Command
from . import config, documents, etcdmembers, fetching, options, preflight, runtimes, validation
from .cluster import static_pod
from .config import InitConfig
from .run import ADMIN_CONF, KUBELET_DIR, KUBERNETES_DIR, MANIFESTS, Failure, Run, Steps, go_error
from .workflow import Phase, Workflow, bind

Json = dict[str, Any]
_AFTER = """
The reset process does not perform cleanup of CNI plugin configuration,
network filtering rules and kubeconfig files.

For information on how to perform this cleanup manually, please see:
    https://k8s.io/docs/reference/setup-tools/kubeadm/kubeadm-reset/

"""
PKI = f"{KUBERNETES_DIR}/pki"
_FILES = ("admin", "super-admin", "kubelet", "bootstrap-kubelet", "controller-manager", "scheduler")


def confirm(run: Run, action: str) -> Steps:
    """Ask whether to go on (`InteractivelyConfirmAction`)."""
    run.out(f"[{action}] Are you sure you want to proceed? [y/N]: ")
    answer = (yield from run.inv.read_line()).decode("utf-8", "replace").strip("\r\n")
    if answer.lower() not in ("y", "yes"):
        raise Failure("won't proceed; the user didn't answer (Y|y) in order to continue")


class ResetData:
    """The options of one run, and what the cluster says as far as it can be asked."""

    def __init__(self, run: Run) -> None:
        self.run, values = run, run.values
        validation.mixed_arguments(run)
        detect = values.has("cri-socket")
        body: Json = {}
        path = values.text("config") if values.has("config") else ""
        if path:
            try:
                text = run.read(path).decode("utf-8", "replace")
            except OSError as error:
                raise Failure(f'unable to read config from "{path}" : {go_error(error)}') from None
            body = config.single(run, documents.split(text), "ResetConfiguration", strict=False, allow_deprecated=False)
        elif detect:
            body["criSocket"] = values.text("cri-socket")
        self.given_socket = str(body.get("criSocket") or "")
        self.body = config.default_reset(run, dict(body), detect=detect)

        def on(flag: str, key: str) -> bool:
            return values.on(flag) if values.has(flag) and flag in values.changed else bool(body.get(key))

        self.force, self.dry_run, self.clean_tmp = (
            on("force", "force"),
            on("dry-run", "dryRun"),
            on("cleanup-tmp-dir", "cleanupTmpDir"),
        )
        asked = values.items("ignore-preflight-errors") if values.has("ignore-preflight-errors") else []
        self.ignored = validation.ignored_checks(asked, body.get("ignorePreflightErrors") or ())
        changed = values.has("cert-dir") and "cert-dir" in values.changed
        self.folder = values.text("cert-dir") if changed else str(self.body["certificatesDir"])
        self.client: KubeClient | None = None
        self.config: InitConfig | None = None

    def ask(self) -> Generator[Wait, Any, None]:
        """The cluster's configuration, when an administrator's kubeconfig is there."""
        run, values = self.run, self.run.values
        path = values.text("kubeconfig") if values.has("kubeconfig") else ADMIN_CONF
        try:
            self.client = run.admin_client(path)
        except Failure:
            run.info("reset.go:142", f"[reset] Could not obtain a client set from the kubeconfig file: {path}")
            return
        try:
            self.config = yield from fetching.fetch(
                run, self.client, "reset", registration=True, endpoint=fetching.is_control_plane(run), components=True
            )
        except Failure as failed:
            run.warn("reset.go:138", f"[reset] Unable to fetch the kubeadm-config ConfigMap from cluster: {failed}")


def _prepare(run: Run, alone: bool) -> Generator[Wait, Any, ResetData]:
    data = ResetData(run)
    yield from data.ask()
    return data


def _preflight(data: ResetData) -> Steps:
    run = data.run
    if not data.force and not data.dry_run:
        run.warn(
            "preflight.go:55", "[reset] WARNING: Changes made to this host by 'kubeadm init' or 'kubeadm join' will be reverted."
        )
        yield from confirm(run, "reset")
    run.say("[preflight] Running pre-flight checks")
    preflight.root_only(run, data.ignored)


def _data_dir(data: ResetData) -> str:
    """Where etcd's data is; raises Failure for an etcd elsewhere."""
    if data.config is not None and not data.config.external_etcd:
        return str(data.config.cluster["etcd"]["local"]["dataDir"])
    data.run.warn("removeetcdmember.go:106", "[reset] No kubeadm config, using etcd pod spec to get data directory")
    if not data.run.exists(f"{MANIFESTS}/etcd.yaml"):
        return "/var/lib/etcd"
    pod = static_pod(data.run, "etcd")
    for volume in (pod.get("spec") or {}).get("volumes") or ():
        if volume.get("name") == "etcd-data":
            return str((volume.get("hostPath") or {}).get("path") or "")
    raise Failure("invalid etcd pod manifest")


def _remove_member(data: ResetData) -> Steps:
    run = data.run
    try:
        folder = _data_dir(data)
    except Failure:
        run.say("[reset] No etcd config found. Assuming external etcd")
        run.say("[reset] Please, manually reset etcd to prevent further issues")
        return
    if data.config is not None:
        if data.dry_run:
            run.say("[dryrun] Would remove the etcd member on this node from the etcd cluster")
            run.say(f"[dryrun] Would delete contents of the etcd data directory: {folder}")
            return
        try:
            yield from _leave(data, data.config)
        except Failure as failed:
            run.warn(
                "removeetcdmember.go:73",
                f"[reset] Failed to remove etcd member: {failed}, please manually remove this etcd member using etcdctl",
            )
        else:
            _clean(run, folder)
            run.say(f"[reset] Deleted contents of the etcd data directory: {folder}")
    if not data.dry_run and (run.names(folder) or not run.exists(folder)):
        _clean(run, folder)
        run.say(f"[reset] Deleted contents of the etcd data directory: {folder}")


def _leave(data: ResetData, cfg: InitConfig) -> Steps:
    """`RemoveStackedEtcdMemberFromCluster`."""
    assert data.client is not None
    members = yield from etcdmembers.connect(data.run, data.client, cfg, cfg.pki)
    found = yield from members.members()
    if len(found) == 1 and f"https://{cfg.ip}:2379" in members.endpoints:
        data.run.info("local.go:90", "[etcd] This is the only remaining etcd member in the etcd cluster, skip removing it")
        return
    ident = yield from members.find(etcdmembers.peer_url(cfg))
    if ident is not None:
        yield from members.remove(ident)


def _clean(run: Run, folder: str) -> None:
    """Delete what a directory holds (`CleanDir`)."""
    for name in run.names(folder):
        run.remove(f"{folder}/{name}")


def _cleanup(data: ResetData) -> Steps:
    run, folders = data.run, [MANIFESTS]
    if data.dry_run:
        run.say("[dryrun] Would stop the kubelet service")
        run.say(f'[dryrun] Would unmount mounted directories in "{KUBELET_DIR}"')
        run.say("[dryrun] Would remove Kubernetes-managed containers")
    else:
        run.say("[reset] Stopping the kubelet service")
        try:
            systemd.stop_unit(run.world, run.host, "kubelet.service")
        except unitfiles.UnitNotFound:
            run.warn(
                "cleanupnode.go:70",
                "[reset] The kubelet service could not be stopped by kubeadm: [unit kubelet.service not loaded]\n",
            )
            run.warn("cleanupnode.go:71", "[reset] Please ensure kubelet is stopped manually")
        if run.exists(KUBELET_DIR):
            run.say(f'[reset] Unmounting mounted directories in "{KUBELET_DIR}"')
            folders.append(KUBELET_DIR)
        else:
            run.warn(
                "cleanupnode.go:83",
                f'[reset] Skipping unmount of directories in "{KUBELET_DIR}": lstat {KUBELET_DIR}: no such file or directory\n',
            )
        yield from run.pause(300, 900)
        runtimes.remove_pods(run)
        yield from run.pause(500, 2500)
    if data.folder != PKI:
        run.warn("cleanupnode.go:106", f'[reset] WARNING: Cleaning a non-default certificates directory: "{data.folder}"\n')
    folders.append(data.folder)
    if data.clean_tmp:
        folders.append(f"{KUBERNETES_DIR}/tmp")
    paths = [f"{KUBERNETES_DIR}/{name}.conf" for name in _FILES]
    head = "[dryrun] Would delete" if data.dry_run else "[reset] Deleting"
    run.say(f"{head} contents of directories: [{' '.join(folders)}]")
    run.say(f"{head} files: [{' '.join(paths)}]")
    if not data.dry_run:
        for folder in folders:
            _clean(run, folder)
        for path in paths:
            run.remove(path)


PHASES = (
    Phase(
        "preflight",
        "Run reset pre-flight checks",
        "Run pre-flight checks for kubeadm reset.",
        aliases=("pre-flight",),
        run=_preflight,
        flags=("ignore-preflight-errors", "force", "dry-run"),
    ),
    Phase(
        "remove-etcd-member",
        "Remove a local etcd member.",
        "Remove a local etcd member for a control plane node.",
        run=_remove_member,
        flags=("kubeconfig", "dry-run"),
    ),
    Phase(
        "cleanup-node",
        "Run cleanup node.",
        aliases=("cleanupnode",),
        run=_cleanup,
        flags=("cert-dir", "cri-socket", "cleanup-tmp-dir", "dry-run"),
    ),
)
WORKFLOW = Workflow(PHASES, _prepare, skipped=lambda data: [str(name) for name in data.body.get("skipPhases") or ()])


def _reset(run: Run) -> Steps:
    data = yield from _prepare(run, False)
    yield from WORKFLOW.go(run, data)
    run.out(_AFTER)


COMMAND = bind(
    Command(
        "reset",
        short="Performs a best effort revert of changes made to this host by 'kubeadm init' or 'kubeadm join'",
        flags=options.RESET,
        run=_reset,
    ),
    WORKFLOW,
)
