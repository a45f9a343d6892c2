"""What `kubeadm upgrade` knows of the cluster before it changes it: client, configuration, health, versions (cmd/upgrade/common.go)."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any

from ...host.program import Sleep, Wait
from ...kernel.clock import MS, SECOND
from ...kernel.errors import ConnectError
from ...kube.api.errors import ApiError
from ...kube.client import KubeClient
from ...kube.kubeadm import images
from . import cluster, config, documents, fetching, preflight, releases, validation
from .config import InitConfig
from .discovery import timeout
from .releases import Release
from .run import ADMIN_CONF, KUBELET_CONF, MANIFESTS, Failure, Run, Steps, dry_run_dir, go_error, reason

Json = dict[str, Any]
SYSTEM = "kube-system"


def load(run: Run) -> Json:
    """The UpgradeConfiguration of --config, or an empty one, with defaults."""
    path = run.values.text("config") if run.values.has("config") else ""
    body: Json = {}
    if path:
        try:
            text = run.read(path).decode("utf-8", "replace")
        except OSError as error:
            raise Failure(f'unable to load config from file "{path}": {go_error(error)}') from None
        body = config.single(run, documents.split(text), "UpgradeConfiguration", strict=False, allow_deprecated=False)
    return config.default_upgrade(body)


def client_of(run: Run, path: str) -> KubeClient:
    """`getClient`."""
    try:
        return run.admin_client(path)
    except Failure as failed:
        raise Failure(f'couldn\'t create a Kubernetes client from file "{path}": {failed}') from None


class UpgradeData:
    """One run of `upgrade apply` or `upgrade node`."""

    def __init__(self, run: Run, section: str) -> None:
        self.run, values = run, run.values
        validation.mixed_arguments(run)
        self.body = load(run)
        self.settings: Json = self.body[section]
        self.whole = section == "apply"
        self.control_plane = self.whole or fetching.is_control_plane(run)

        def on(flag: str, key: str) -> bool:
            if values.has(flag) and (flag in values.changed or self.settings.get(key) is None):
                return values.on(flag)
            return bool(self.settings.get(key))

        self.version = str(self.settings.get("kubernetesVersion") or "")
        if self.whole:
            self.version = target(run, self.version)
        asked = values.items("ignore-preflight-errors") if values.has("ignore-preflight-errors") else []
        self.ignored = validation.ignored_checks(asked, self.settings.get("ignorePreflightErrors") or ())
        self.force = on("force", "forceUpgrade")
        self.dry_run = on("dry-run", "dryRun")
        self.dry_run_dir = ""
        if self.dry_run:
            self.dry_run_dir = dry_run_dir(run, "KUBEADM_UPGRADE_DRYRUN_DIR", f"kubeadm-upgrade-{section}-dryrun")
        self.etcd_upgrade = on("etcd-upgrade", "etcdUpgrade")
        self.renew_certs = on("certificate-renewal", "certificateRenewal")
        self.experimental = on("allow-experimental-upgrades", "allowExperimentalUpgrades")
        self.candidates = on("allow-release-candidate-upgrades", "allowRCUpgrades")
        self.print_config = on("print-config", "printConfig")
        self.interactive = not (self.force or self.dry_run or on("yes", "yes"))
        given = values.text("patches") if values.has("patches") else ""
        self.patches = given or str((self.settings.get("patches") or {}).get("directory") or "")
        path = values.text("kubeconfig") if values.has("kubeconfig") and "kubeconfig" in values.changed else ""
        self.kubeconfig = path or (ADMIN_CONF if self.control_plane else KUBELET_CONF)
        if self.dry_run and run.exists(self.kubeconfig):
            run.say(f'[dryrun] Creating a real client from "{self.kubeconfig}"')
        self.client = client_of(run, self.kubeconfig)
        self.config: InitConfig

    def fetch(self) -> Generator[Wait, Any, UpgradeData]:
        """The cluster's configuration."""
        try:
            self.config = yield from fetching.fetch(
                self.run, self.client, "upgrade", registration=True, endpoint=self.control_plane, components=True
            )
        except fetching.NotFound as failed:
            if not self.whole:
                raise Failure(f"unable to fetch the kubeadm-config ConfigMap: {failed}") from None
            self.run.say(
                '[upgrade] In order to upgrade, a ConfigMap called "kubeadm-config" in the "kube-system" namespace must exist.'
            )
            self.run.say(
                "[upgrade/config] Use 'kubeadm init phase upload-config kubeadm --config your-config-file' to re-upload it."
            )
            raise Failure(
                '[upgrade] FATAL: the ConfigMap "kubeadm-config" in the "kube-system" namespace was not found'
            ) from None
        except Failure as failed:
            head = "[upgrade] FATAL" if self.whole else "unable to fetch the kubeadm-config ConfigMap"
            raise Failure(f"{head}: {failed}") from None
        if self.whole:
            self.config.cluster["kubernetesVersion"] = self.version
        registration = self.config.init["nodeRegistration"]
        registration["imagePullPolicy"] = self.settings.get("imagePullPolicy")
        self.config.init["timeouts"] = self.body.get("timeouts")
        if self.print_config:
            print_configuration(self.run, self.config)
        return self

    @property
    def kubelet_dir(self) -> str:
        """Where the kubelet's files are written."""
        return self.dry_run_dir if self.dry_run else "/var/lib/kubelet"

    def timeout(self, name: str) -> int:
        """One of the timeouts, ns."""
        return timeout(self.body, name)


def target(run: Run, configured: str) -> str:
    """The version that the command line, or else the configuration, asks for."""
    if not configured:
        given = [word for word in run.args if word]
        if len(given) > 1:
            raise Failure("too many arguments. Required arguments: [version]")
        if not given:
            raise Failure("missing one or more required arguments. Required arguments: [version]")
    return run.args[0] if len(run.args) == 1 else configured


def print_configuration(run: Run, cfg: InitConfig) -> None:
    """`--print-config`."""
    run.say("[upgrade/config] Configuration used:")
    for line in documents.dump("ClusterConfiguration", cfg.cluster).splitlines():
        run.say(f"\t{line}")


# -- health -----------------------------------------------------------------------------------------------------------------------


def check_health(run: Run, client: KubeClient, cfg: InitConfig, ignored: set[str], *, dry_run: bool) -> Steps:
    """Whether pods can be made, control planes are ready and manifests are there (`CheckClusterHealth`)."""
    problem = "" if dry_run else (yield from _create_job(run, client, cfg))
    nodes, missing = _unready(client), []
    for name in cluster.COMPONENTS:
        path = f"{MANIFESTS}/{name}.yaml"
        if dry_run:
            run.say(f"[dryrun] would check if {path} exists")
        elif not run.exists(path):
            missing.append(path)

    def found(text: str) -> Callable[[], tuple[list[str], list[str]]]:
        return lambda: ([], [text] if text else [])

    checks = [
        ("CreateJob", found(problem)),
        ("ControlPlaneNodesReady", found(nodes)),
        ("StaticPodManifest", found(f"manifest files not found: [{' '.join(missing)}]" if missing else "")),
    ]
    preflight.report(run, checks, ignored)


def _unready(client: KubeClient) -> str:
    label = "node-role.kubernetes.io/control-plane"
    try:
        nodes = client.list("nodes", label_selector=f"{label}=").items
    except (ApiError, ConnectError) as error:
        return f'could not list nodes labeled with "{label}": {reason(error, client)}'
    names = [
        node["metadata"]["name"]
        for node in nodes
        for item in (node.get("status") or {}).get("conditions") or ()
        if item["type"] == "Ready" and item["status"] != "True"
    ]
    return f"there are NotReady control-planes in the cluster: [{' '.join(names)}]" if names else ""


def _create_job(run: Run, client: KubeClient, cfg: InitConfig) -> Generator[Wait, Any, str]:
    """A job that runs the sandbox image; "" or what is wrong."""
    try:
        nodes = [node for node in client.list("nodes").items if not (node.get("spec") or {}).get("unschedulable")]
    except (ApiError, ConnectError) as error:
        return f"could not check if there is at least one Node that can schedule a test Pod: {reason(error, client)}"
    if not nodes:
        run.warn(
            "health.go:143", 'The preflight check "CreateJob" was skipped because there are no schedulable Nodes in the cluster.'
        )
        return ""
    name = f"upgrade-health-check-{run.world.wall // MS}"
    container = {"name": "upgrade-health-check", "image": images.pause(cfg.cluster, run.version), "args": ["-v"]}
    pod = {
        "restartPolicy": "Never",
        "securityContext": {"runAsUser": 999, "runAsGroup": 999, "runAsNonRoot": True},
        "tolerations": [{"key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"}],
        "containers": [container],
    }
    job = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name, "namespace": SYSTEM},
        "spec": {"backoffLimit": 0, "ttlSecondsAfterFinished": 65, "activeDeadlineSeconds": 65, "template": {"spec": pod}},
    }
    try:
        client.create("jobs", SYSTEM, job)
    except (ApiError, ConnectError) as error:
        return f'could not create Job "{name}" in the namespace "{SYSTEM}": {reason(error, client)}'
    deadline = run.world.now + 60 * SECOND
    while run.world.now < deadline:
        yield Sleep(SECOND)
        try:
            found = client.get("jobs", SYSTEM, name)
        except (ApiError, ConnectError):
            continue
        if any(item["type"] == "Complete" for item in (found.get("status") or {}).get("conditions") or ()):
            return ""
    return f'Job "{name}" in the namespace "{SYSTEM}" did not complete in 1m0s: no condition of type Complete'


# -- versions ---------------------------------------------------------------------------------------------------------------------


def tag_of(image: str) -> str:
    """The tag of an image, as a version."""
    return image.rpartition(":")[2].replace("_", "+", 1) if ":" in image.rpartition("/")[2] else ""


def component_versions(client: KubeClient, name: str) -> dict[str, list[str]]:
    """Version → nodes of a component's static pods."""
    try:
        pods = client.list("pods", SYSTEM, label_selector=f"component={name},tier=control-plane").items
    except (ApiError, ConnectError) as error:
        raise Failure(f"couldn't list pods in cluster: {reason(error, client)}") from None
    out: dict[str, list[str]] = {}
    for pod in pods:
        out.setdefault(tag_of(pod["spec"]["containers"][0]["image"]), []).append(str(pod["spec"].get("nodeName") or ""))
    return out


def kubelet_versions(client: KubeClient) -> dict[str, list[str]]:
    """Version → nodes of the kubelets."""
    out: dict[str, list[str]] = {}
    try:
        for node in client.list("nodes").items:
            out.setdefault(node["status"]["nodeInfo"]["kubeletVersion"], []).append(node["metadata"]["name"])
    except (ApiError, ConnectError):
        raise Failure("couldn't list all nodes in cluster") from None
    return out


def dns_version(client: KubeClient) -> str:
    """The DNS add-on's version, "" without one."""
    try:
        found = client.list("deployments", SYSTEM, label_selector="k8s-app=kube-dns").items
    except (ApiError, ConnectError) as error:
        raise Failure(f"couldn't retrieve DNS addon deployments: {reason(error, client)}") from None
    return tag_of(found[0]["spec"]["template"]["spec"]["containers"][0]["image"]) if found else ""


def server_version(client: KubeClient) -> str:
    """What the API server says of itself."""
    try:
        return str(client.call("GET", "/version")["gitVersion"])
    except (ApiError, ConnectError) as error:
        raise Failure(f"Couldn't fetch cluster version from the API Server: {reason(error, client)}") from None


def enforce_policies(data: UpgradeData) -> None:
    """Refuse what is too far from the cluster, the kubelets or this kubeadm (`EnforceVersionPolicies`)."""
    run, text = data.run, str(data.config.cluster["kubernetesVersion"])
    run.say(f'[upgrade/preflight] You have chosen to upgrade the cluster version to "{text}"')
    fatal, skippable = _policy_problems(data, text)
    if fatal:
        raise Failure(
            f"the version argument is invalid due to these fatal errors:\n\n{_bulleted(fatal)}\nPlease fix the misalignments highlighted above "
            "and try upgrading again"
        )
    if skippable and not data.force:
        raise Failure(
            f"the version argument is invalid due to these errors:\n\n{_bulleted(skippable)}\nCan be bypassed if you pass the --force flag"
        )
    if skippable:
        run.out(
            f"[upgrade/preflight] Found {len(skippable)} potential version compatibility errors but skipping since the --force flag is set: "
            f"\n\n{_bulleted(skippable)}"
        )


def _bulleted(problems: list[str]) -> str:
    return "".join(f"\t- {text}\n" for text in problems)


def _policy_problems(data: UpgradeData, text: str) -> tuple[list[str], list[str]]:
    run = data.run
    fatal: list[str] = []
    skippable: list[str] = []
    try:
        held = server_version(data.client)
    except Failure as failed:
        return [f"Unable to fetch cluster version: {failed}"], []
    run.say(f"[upgrade/versions] Cluster version: {held}")
    run.say(f"[upgrade/versions] kubeadm version: {run.version}")
    wanted, now, own = releases.parse(text), releases.parse(held), releases.parse(run.version)
    far = fatal if not wanted.pre else skippable
    if wanted < Release(own.major, own.minor - 1, 0):
        fatal.append(
            f'Specified version to upgrade to "{text}" is equal to or lower than the minimum supported version "{held}". Please specify a '
            "higher version to upgrade to"
        )
    if wanted.minor > now.minor + 1:
        far.append(f'Specified version to upgrade to "{text}" is too high; kubeadm can upgrade only 1 minor version at a time')
    if wanted.minor < now.minor - 1:
        far.append(f'Specified version to downgrade to "{text}" is too low; kubeadm can downgrade only 1 minor version at a time')
    if own < wanted and wanted.minor > own.minor:
        far.append(
            f'Specified version to upgrade to "{text}" is at least one minor release higher than the kubeadm minor release ({wanted.minor} > '
            f"{own.minor}). Such an upgrade is not supported"
        )
    elif own < wanted:
        skippable.append(
            f'Specified version to upgrade to "{text}" is higher than the kubeadm version "{run.version}". Upgrade kubeadm first using the tool '
            "you used to install kubeadm"
        )
    if own.major > wanted.major or own.minor > wanted.minor:
        skippable.append(
            f"Kubeadm version {run.version} can only be used to upgrade to Kubernetes version {own.major}.{own.minor}"
        )
    if wanted.pre and not (data.experimental or (wanted.pre.startswith("rc") and data.candidates)):
        skippable.append(
            f'Specified version to upgrade to "{text}" is an unstable version and such upgrades weren\'t allowed via setting the --allow-*-upgrades '
            "flags"
        )
    try:
        old = [version for version in kubelet_versions(data.client) if wanted.minor > releases.parse(version).minor + 3]
    except Failure as failed:
        skippable.append(f"Unable to fetch kubelet version: {failed}")
        old = []
    if old:
        skippable.append(f"There are kubelets in this cluster that are too old that have these versions [{' '.join(old)}]")
    return fatal, skippable
