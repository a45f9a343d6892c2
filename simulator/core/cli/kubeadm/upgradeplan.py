"""`kubeadm upgrade plan` and `kubeadm upgrade diff` (cmd/upgrade/plan.go, diff.go; phases/upgrade/compute.go)."""

from __future__ import annotations

import difflib
from collections.abc import Generator
from typing import Any

from ...host.program import Wait
from ...kube.client import KubeClient
from ...kube.kubeadm import images, manifests
from ..cobra import Command
from ..tabwriter import align
from . import fetching, online, options, preflight, releases, upgradedata, validation
from .cluster import COMPONENTS
from .initphases import component_pod
from .printing import Printer
from .releases import Release
from .run import MANIFESTS, Failure, Run, Steps, go_error

Json = dict[str, Any]
_LINE = "_____________________________________________________________________\n\n"
_STATES = """
The table below shows the current state of component configs as understood by this version of kubeadm.
Configs that have a "yes" mark in the "MANUAL UPGRADE REQUIRED" column require manual config upgrade or
resetting to kubeadm defaults before a successful upgrade can be performed. The version to manually
upgrade to is denoted in the "PREFERRED VERSION" column.

"""


def _table(rows: list[list[str]]) -> str:
    return align("".join("\t".join(row) + "\n" for row in rows), minwidth=10, padding=3)


def _text(plan: Json) -> str:
    """The plan as people read it."""
    out = "".join(_available(item) for item in plan["availableUpgrades"])
    states = plan["configVersions"]
    if not states:
        return out + "No information available on component configs.\n"
    rows = [["API GROUP", "CURRENT VERSION", "PREFERRED VERSION", "MANUAL UPGRADE REQUIRED"]]
    rows += [
        [
            item["group"],
            item["currentVersion"] or "-",
            item["preferredVersion"] or "-",
            "yes" if item["manualUpgradeRequired"] else "no",
        ]
        for item in states
    ]
    return out + _STATES + _table(rows) + _LINE


def _available(item: Json) -> str:
    parts = item["components"]
    version = next(part["newVersion"] for part in parts if part["name"] == "kube-apiserver")
    tool = next(part for part in parts if part["name"] == "kubeadm")
    pre = releases.parse(version).pre
    flag = "" if not pre else " --allow-release-candidate-upgrades" if pre.startswith("rc") else " --allow-experimental-upgrades"
    head = [["COMPONENT", "NODE", "CURRENT", "TARGET"]]

    def rows(*, kubelet: bool) -> list[list[str]]:
        return head + [
            [part["name"], part["nodeName"], part["currentVersion"], part["newVersion"]]
            for part in parts
            if (part["name"] == "kubelet") == kubelet and part["name"] != "kubeadm"
        ]

    out = (
        "Components that must be upgraded manually after you have upgraded the control plane with 'kubeadm upgrade apply':\n"
        f"{_table(rows(kubelet=True))}\nUpgrade to the latest {item['description']}:\n\n{_table(rows(kubelet=False))}\n"
        "You can now apply the upgrade by executing the following command:\n\n"
        f"\tkubeadm upgrade apply {version}{flag}\n\n"
    )
    if tool["currentVersion"] != tool["newVersion"]:
        out += f"Note: Before you can perform this upgrade, you have to update kubeadm to {tool['newVersion']}.\n\n"
    return out + _LINE


class _Planner:
    """What can be upgraded to (`GetAvailableUpgrades`)."""

    def __init__(self, run: Run, client: KubeClient, printer: Printer, offline: str, *, etcd: bool) -> None:
        self.run, self.client, self.printer, self.offline, self.etcd = run, client, printer, offline, etcd

    def latest(self, label: str, description: str) -> str:
        """The version of a label, or the one that the command line names."""
        return self.offline or online.label_version(self.run, label, description)

    def upgrades(self, *, experimental: bool, candidates: bool) -> list[Json]:
        """Each as the plan prints it."""
        run, say = self.run, self.printer.say
        say("[upgrade] Fetching available versions to upgrade to\n")
        self.servers = upgradedata.component_versions(self.client, "kube-apiserver")
        if len(self.servers) > 1:
            text = ", ".join(f"{version} on nodes [{' '.join(nodes)}]" for version, nodes in sorted(self.servers.items()))
            run.warn(
                "compute.go:88",
                f"Different API server versions in the cluster were discovered: {text}. Please upgrade your control plane nodes to the same "
                "version of Kubernetes",
            )
        if not self.servers:
            raise Failure("couldn't determine the version of the cluster")
        now = max((releases.parse(version) for version in self.servers), key=lambda item: item.key)
        own = releases.parse(run.version)
        self.before = str(now)
        say(f"[upgrade/versions] Cluster version: {now}\n[upgrade/versions] kubeadm version: {run.version}\n")
        try:
            stable = self.latest("stable", "stable version")
            say(f"[upgrade/versions] Target version: {stable}\n")
        except Failure as failed:
            run.warn("compute.go:117", f"[upgrade/versions] WARNING: {failed}\n")
            run.warn(
                "compute.go:118",
                "[upgrade/versions] WARNING: Falling back to current kubeadm version as latest stable version",
            )
            stable = run.version
        self.nodes = {name: upgradedata.component_versions(self.client, name) for name in (*COMPONENTS, "etcd")}
        self.kubelets, self.dns = upgradedata.kubelet_versions(self.client), upgradedata.dns_version(self.client)
        out: list[Json] = []
        target = releases.parse(stable)
        minor = now < target
        if not target < now:
            minor = self._patch(out, now, own, target, minor)
        if minor:
            out.append(self._plan("stable version", stable, stable))
        if experimental or candidates:
            self._unstable(out, now, experimental=experimental, candidates=candidates)
        say("\n")
        return out

    def _patch(self, out: list[Json], now: Release, own: Release, target: Release, minor: bool) -> bool:
        """A newer patch of the cluster's own branch; whether a minor upgrade is left."""
        branch = f"{now.major}.{now.minor}"
        description = f"version in the v{branch} series"
        try:
            text = self.latest(f"stable-{branch}", description)
        except Failure as failed:
            self.run.warn("compute.go:185", f"[upgrade/versions] WARNING: {failed}\n")
            return minor
        self.printer.say(f"[upgrade/versions] Latest {description}: {text}\n")
        newest = releases.parse(text)
        if now < newest:
            out.append(self._plan(description, text, text if own < newest else self.run.version))
        return newest < target

    def _unstable(self, out: list[Json], now: Release, *, experimental: bool, candidates: bool) -> None:
        newest = self.latest("latest", "experimental version")
        self.printer.say(f"[upgrade/versions] Latest experimental version: {newest}\n")
        found = releases.parse(newest)
        previous = self.latest(f"latest-1.{found.minor - 1}", "previous version")
        self.printer.say(f"[upgrade/versions] Latest previous version: {previous}\n")
        before = releases.parse(previous)
        if candidates and before.pre.startswith("rc") and now < before:
            out.append(self._plan("release candidate version", previous, previous))
        if experimental and now < found:
            text = previous if found.pre == "alpha.0" else newest
            out.append(self._plan("experimental version", text, text))

    def _plan(self, description: str, version: str, tool: str) -> Json:
        parts: list[Json] = []

        def add(name: str, current: str, new: str, node: str = "") -> None:
            parts.append({"name": name, "currentVersion": current, "newVersion": new, "nodeName": node})

        def each(name: str, versions: dict[str, list[str]], new: str) -> None:
            for old in sorted(versions):
                for node in versions[old]:
                    add(name, old, new, node)

        if len(self.kubelets) > 1 or (self.kubelets and version not in self.kubelets):
            each("kubelet", self.kubelets, version)
        for name in COMPONENTS:
            each(name, self.nodes[name], version)
        add("kube-proxy", self.before, version)
        add("CoreDNS", self.dns, images.tags_of(self.run.version)[2])
        add("kubeadm", self.run.version, tool)
        if self.etcd:
            each("etcd", self.nodes["etcd"], images.etcd_tag({"kubernetesVersion": version}, self.run.version))
        return {"description": description, "components": parts}


def _corefile(run: Run, client: KubeClient, ignored: set[str]) -> None:
    """`RunCoreDNSMigrationCheck`: the plugins that kubeadm knows need no migration between these versions."""
    preflight.report(run, [("CoreDNSUnsupportedPlugins", lambda: ([], [])), ("CoreDNSMigration", lambda: ([], []))], ignored)


def _plan(run: Run) -> Steps:
    values, printer = run.values, Printer(run, _text)
    validation.mixed_arguments(run)
    try:
        body = upgradedata.load(run)
    except Failure as failed:
        raise Failure(f"[upgrade/upgrade config] FATAL: {failed}") from None
    settings = body["plan"]
    client = upgradedata.client_of(run, values.text("kubeconfig"))
    ignored = validation.ignored_checks(values.items("ignore-preflight-errors"), settings.get("ignorePreflightErrors") or ())
    printer.say("[preflight] Running pre-flight checks.\n")
    preflight.root_only(run, ignored)
    _corefile(run, client, ignored)
    cfg = yield from _fetched(run, client, printer)
    version = run.args[0] if len(run.args) == 1 else str(settings.get("kubernetesVersion") or "")
    printer.say("[upgrade] Running cluster health checks\n")
    try:
        yield from upgradedata.check_health(run, client, cfg, ignored, dry_run=False)
    except Failure as failed:
        raise Failure(f"[upgrade/health] FATAL: {failed}") from None

    def on(flag: str, key: str) -> bool:
        return values.on(flag) if flag in values.changed or settings.get(key) is None else bool(settings[key])

    if on("print-config", "printConfig"):
        upgradedata.print_configuration(run, cfg)
    if version:
        try:
            releases.parse(version)
        except ValueError as error:
            raise Failure(f"[upgrade/versions] FATAL: Couldn't parse version stable version: {error}") from None
    planner = _Planner(run, client, printer, version, etcd=on("etcd-upgrade", "etcdUpgrade"))
    try:
        found = planner.upgrades(
            experimental=on("allow-experimental-upgrades", "allowExperimentalUpgrades"),
            candidates=on("allow-release-candidate-upgrades", "allowRCUpgrades"),
        )
    except Failure as failed:
        raise Failure(f"[upgrade/versions] FATAL: {failed}") from None
    if found:
        printer.show("UpgradePlan", {"configVersions": _states(cfg), "availableUpgrades": found})


def _states(cfg: Any) -> list[Json]:
    held = {"kubeproxy.config.k8s.io": ("v1alpha1", cfg.proxy), "kubelet.config.k8s.io": ("v1beta1", cfg.kubelet)}
    return [
        {
            "group": group,
            "currentVersion": version if found else "",
            "preferredVersion": version,
            "manualUpgradeRequired": False,
        }
        for group, (version, found) in held.items()
    ]


def _fetched(run: Run, client: KubeClient, printer: Printer) -> Generator[Wait, Any, Any]:
    try:
        return (
            yield from fetching.fetch(
                run,
                client,
                "upgrade/config",
                registration=True,
                endpoint=fetching.is_control_plane(run),
                components=True,
                say=printer.say,
            )
        )
    except Failure as failed:
        raise Failure(f"[upgrade/init config] FATAL: {failed}") from None


def _diff(run: Run) -> Steps:
    for name in COMPONENTS:
        path = f"{MANIFESTS}/{name}.yaml"
        if not run.exists(path):
            raise Failure(f'the manifest file "{path}" does not exist: stat {path}: no such file or directory')
    validation.mixed_arguments(run)
    settings = upgradedata.load(run)["diff"]
    client = upgradedata.client_of(run, run.values.text("kubeconfig"))
    cfg = yield from fetching.fetch(
        run, client, "upgrade/diff", registration=True, endpoint=fetching.is_control_plane(run), components=False
    )
    version = str(settings.get("kubernetesVersion") or cfg.cluster["kubernetesVersion"] or "")
    version = run.args[0] if len(run.args) == 1 else version
    try:
        releases.parse(version)
    except ValueError as error:
        raise Failure(str(error)) from None
    cfg.cluster["kubernetesVersion"] = version
    given = "context-lines" in run.values.changed
    context = run.values.number("context-lines") if given else int(settings.get("contextLines") or 3)
    for name in COMPONENTS:
        path = f"{MANIFESTS}/{name}.yaml"
        try:
            old = run.read(path).decode("utf-8", "replace")
        except OSError as error:
            raise Failure(go_error(error)) from None
        new = manifests.dump(component_pod(run, cfg, name)).decode()
        for line in difflib.unified_diff(old.splitlines(True), new.splitlines(True), path, "new manifest", n=context):
            run.out(line if line.endswith("\n") else line + "\n")


PLAN = Command(
    "plan [version] [flags]",
    short="Check which versions are available to upgrade to and validate whether your current cluster is upgradeable.",
    long="Check which versions are available to upgrade to and validate whether your current cluster is upgradeable. This command can only run "
    'on the control plane nodes where the kubeconfig file "admin.conf" exists. To skip the internet check, pass in the optional [version] '
    "parameter.",
    flags=(*options.OUTPUT, *options.UPGRADE_PLAN),
    run=_plan,
)
DIFF = Command(
    "diff [version]",
    short="Show what differences would be applied to existing static pod manifests. See also: kubeadm upgrade apply --dry-run",
    flags=options.UPGRADE_DIFF,
    run=_diff,
)
