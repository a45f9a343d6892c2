"""Static pods replaced one after the other, with their certificates renewed and a way back (phases/upgrade/staticpods.go)."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from ...host import files
from ...host.program import Sleep, Wait
from ...kernel import clock
from ...kernel.clock import SECOND
from ...kernel.errors import ConnectError
from ...kube.api.errors import ApiError
from ...kube.client import KubeClient
from ...kube.kubeadm import images, manifests
from ..flag_kinds import format_duration
from . import cluster, etcdmembers, releases, renewal
from .initphases import HEALTH, component_pod, print_files, write_manifest
from .run import KUBERNETES_DIR, MANIFESTS, RETRY, Failure, Run, Steps, reason, temporary_dir
from .upgradedata import SYSTEM, UpgradeData, tag_of

_CERTIFICATES = {
    "etcd": ("etcd-server", "etcd-peer", "etcd-healthcheck-client"),
    "kube-apiserver": ("apiserver", "apiserver-kubelet-client", "front-proxy-client"),
    "kube-controller-manager": ("controller-manager.conf",),
    "kube-scheduler": ("scheduler.conf",),
}


def timestamped(run: Run, name: str, folder: str = KUBERNETES_DIR) -> str:
    """`<folder>/tmp/<name>-<date>` (`CreateTimestampDir`)."""
    path = f"{folder}/tmp/{name}-{clock.to_datetime(run.world.wall):%Y-%m-%d-%H-%M-%S}"
    run.mkdir(path, 0o700)
    return path


class StaticUpgrade:
    """One run: where the new and the old manifests are."""

    def __init__(self, data: UpgradeData) -> None:
        self.data, self.run, self.config = data, data.run, data.config
        self.fresh = temporary_dir(self.run, "kubeadm-upgraded-manifests")
        self.backup = timestamped(self.run, "kubeadm-backup-manifests")
        self.etcd_backup = timestamped(self.run, "kubeadm-backup-etcd")
        self.moved: list[str] = []

    def go(self) -> Steps:
        """`StaticPodControlPlane`."""
        run, data, config = self.run, self.data, self.config
        hashes = {}
        for name in cluster.COMPONENTS:
            hashes[name] = yield from self._hash(name, "")
        members = None
        if not config.external_etcd:
            try:
                members = yield from etcdmembers.connect(run, data.client, config, config.pki)
            except Failure as failed:
                raise Failure(f"failed to create etcd client: {failed}") from None
        run.say(f'[upgrade/staticpods] Writing new Static Pod manifests to "{self.fresh}"')
        for name in cluster.COMPONENTS:
            write_manifest(run, self.fresh, name, component_pod(run, config, name), data.patches)
        if members is not None and data.etcd_upgrade:
            yield from self._etcd(members)
        for name in cluster.COMPONENTS:
            yield from self._component(name, hashes[name])
        if data.renew_certs:
            for name in ("admin.conf", "super-admin.conf"):
                if name == "admin.conf" or run.exists(f"{KUBERNETES_DIR}/{name}"):
                    self._renew(name, f"failed to upgrade the {name} certificates")
        run.remove(self.fresh)
        if members is None or not data.etcd_upgrade:
            run.remove(self.etcd_backup)

    # -- one component --------------------------------------------------------------------------------------------------
    def _component(self, name: str, before: str) -> Steps:
        run = self.run
        run.say(f'[upgrade/staticpods] Preparing for "{name}" upgrade')
        real, new, old = (f"{folder}/{name}.yaml" for folder in (MANIFESTS, self.fresh, self.backup))
        same = run.read(real) == run.read(new)
        if same and not (name == "etcd" and self._differs("kube-apiserver")):
            run.say(f"[upgrade/staticpods] Current and new manifests of {name} are equal, skipping upgrade")
            return
        self.moved.append(name)
        if self.data.renew_certs:
            names = _CERTIFICATES[name]
            if name == "kube-apiserver" and not self.config.external_etcd:
                names += ("apiserver-etcd-client",)
            for item in names:
                run.say(f"[upgrade/staticpods] Renewing {item} certificate")
                self._renew(item, f'failed to renew certificates for component "{name}"')
        if same and self.data.renew_certs:
            run.say(f'[upgrade/staticpods] Restarting the {name} static pod and backing up its manifest to "{old}"')
        else:
            run.say(f'[upgrade/staticpods] Moving new manifest to "{real}" and backing up old manifest to "{old}"')
        self._move(real, old)
        self._move(new, real)
        patience = self.data.timeout("upgradeManifests")
        run.say("[upgrade/staticpods] Waiting for the kubelet to restart the component")
        run.say(f"[upgrade/staticpods] This can take up to {format_duration(patience)}")
        try:
            if not same:
                yield from self._hash(name, before)
            yield from self._running(name)
        except Failure as failed:
            raise self._back(str(failed), etcd=name == "etcd") from None
        run.say(f'[upgrade/staticpods] Component "{name}" upgraded successfully!')

    def _differs(self, name: str) -> bool:
        return self.run.read(f"{MANIFESTS}/{name}.yaml") != self.run.read(f"{self.fresh}/{name}.yaml")

    def _move(self, old: str, new: str) -> None:
        files.rename_file(self.run.world, self.run.host, old, new)

    def _renew(self, name: str, what: str) -> None:
        item = next(found for found in renewal.renewables(self.config) if found.name == name)
        try:
            done = renewal.renew(self.run, self.config, item)
        except Failure as failed:
            raise self._back(f"{what}: {failed}", etcd=False) from None
        if not done:
            self.run.say(f"[upgrade/staticpods] External CA detected, {name} certificate can't be renewed")

    def _back(self, text: str, *, etcd: bool) -> Failure:
        """Put the old manifests back (`rollbackOldManifests`)."""
        for name in self.moved:
            if (name != "etcd" or etcd) and self.run.exists(f"{self.backup}/{name}.yaml"):
                self.run.remove(f"{MANIFESTS}/{name}.yaml")
                self._move(f"{self.backup}/{name}.yaml", f"{MANIFESTS}/{name}.yaml")
        head = "couldn't upgrade control plane. kubeadm has tried to recover everything into the earlier state. Errors faced"
        return Failure(f"{head}: {text}")

    # -- waiting --------------------------------------------------------------------------------------------------------
    def _hash(self, name: str, before: str) -> Generator[Wait, Any, str]:
        """The hash of a static pod's source, once it is there and differs from `before`."""
        run, deadline, last = self.run, self.run.world.now + self.data.timeout("upgradeManifests"), ""
        pod = f"{name}-{self.config.node}"
        while True:
            try:
                found = self.data.client.get("pods", SYSTEM, pod)
                held = str((found["metadata"].get("annotations") or {}).get("kubernetes.io/config.hash") or "")
                if held and held != before:
                    return held
                last = f"static Pod hash for component {name} on Node {self.config.node} did not change after {self._patience}"
            except (ApiError, ConnectError) as error:
                last = f"failed to obtain static Pod hash for component {name} on Node {self.config.node}: {reason(error, self.data.client)}"
            if run.world.now + RETRY > deadline:
                raise Failure(last)
            yield Sleep(RETRY)

    @property
    def _patience(self) -> str:
        return format_duration(self.data.timeout("upgradeManifests"))

    def _running(self, name: str) -> Steps:
        """`WaitForPodsWithLabel`."""
        run, deadline, count = self.run, self.run.world.now + self.data.timeout("upgradeManifests"), -1
        label = f"component={name}"
        while True:
            try:
                pods = self.data.client.list("pods", SYSTEM, label_selector=label).items
                if len(pods) != count:
                    run.say(f"[apiclient] Found {len(pods)} Pods for label selector {label}")
                    count = len(pods)
                if pods and all((pod.get("status") or {}).get("phase") == "Running" for pod in pods):
                    return
            except (ApiError, ConnectError):
                pass
            if run.world.now + RETRY > deadline:
                raise Failure(f"error waiting for Pods with label selector {label}: context deadline exceeded")
            yield Sleep(RETRY)

    # -- etcd -----------------------------------------------------------------------------------------------------------
    def _etcd(self, members: etcdmembers.Members) -> Steps:
        """`performEtcdStaticPodUpgrade`."""
        run, config = self.run, self.config
        well, problem = yield from members.healthy()
        if not well:
            raise Failure(f"etcd cluster is not healthy: {problem}")
        folder = config.cluster["etcd"]["local"]["dataDir"]
        _copy(run, folder, f"{self.etcd_backup}{folder}")
        wanted = images.etcd_tag(config.cluster, run.version)
        held = tag_of(cluster.static_pod(run, "etcd")["spec"]["containers"][0]["image"])
        try:
            if releases.parse(wanted) < releases.parse(held):
                run.say(
                    f'[upgrade/etcd] Non fatal issue encountered during upgrade: the desired etcd version "{wanted}" is older than the currently '
                    f'installed "{held}". Skipping etcd upgrade'
                )
                return
        except ValueError as error:
            raise Failure(f'failed comparing the current etcd version "{held}" to the desired one "{wanted}": {error}') from None
        before = yield from self._hash("etcd", "")
        patience = config.timeout(HEALTH) // SECOND
        pod = manifests.etcd(config.cluster, config.node, config.ip, patience=patience, tool=run.version)
        write_manifest(run, self.fresh, "etcd", pod, self.data.patches)
        yield from self._component("etcd", before)
        run.say("[upgrade/etcd] Waiting for etcd to become available")
        for _ in range(10):
            if (yield from members.healthy())[0]:
                return
            yield Sleep(15 * SECOND)
        raise self._back("timeout waiting for etcd cluster to be available", etcd=True)


def _copy(run: Run, source: str, target: str) -> None:
    """`cp -r`."""
    run.mkdir(target, 0o700)
    for name in run.names(source):
        if run.tree.isdir(f"{source}/{name}"):
            _copy(run, f"{source}/{name}", f"{target}/{name}")
        else:
            run.write(f"{target}/{name}", run.read(f"{source}/{name}"), 0o600)


def dry_run(data: UpgradeData) -> None:
    """Show the manifests that would be written (`DryRunStaticPodUpgrade`)."""
    for name in cluster.COMPONENTS:
        write_manifest(data.run, data.dry_run_dir, name, component_pod(data.run, data.config, name), data.patches)
    print_files(data.run, [(f"{data.dry_run_dir}/{name}.yaml", f"{MANIFESTS}/{name}.yaml") for name in cluster.COMPONENTS])


def behind(client: KubeClient, node: str) -> list[str]:
    """Nodes whose API server has another image than this one's (`UnupgradedControlPlaneInstances`)."""
    try:
        pods = client.list("pods", SYSTEM, label_selector="component=kube-apiserver").items
    except (ApiError, ConnectError) as error:
        raise Failure(f"failed to list kube-apiserver Pod from cluster: {reason(error, client)}") from None
    found = {str(pod["spec"].get("nodeName")): str(pod["spec"]["containers"][0]["image"]) for pod in pods}
    if node not in found:
        raise Failure(f"cannot find kube-apiserver image for current control plane instance {node}")
    return sorted(name for name, image in found.items() if image != found[node])
