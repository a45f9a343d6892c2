"""Commands about releases: install, upgrade, uninstall, rollback, list, status, history, get, template, test (helm `cmd/helm`)."""

from __future__ import annotations

import re
from collections.abc import Generator
from datetime import UTC, datetime
from typing import Any

from ...host.program import Wait
from ...kernel.clock import to_datetime
from ...kube.api import regexp
from .. import goyaml
from . import actions, charts, given
from .cluster import Cluster, HelmError, Piece, manifest
from .printing import structured, table
from .releases import Release, Storage, shown
from .session import Helm

Obj = dict[str, Any]
Steps = Generator[Wait, Any, int]


def _name_and_chart(helm: Helm) -> tuple[str, str]:
    args = helm.values.args
    if helm.values.on("generate-name"):
        if len(args) > 1:
            raise HelmError(
                f"expected at most one argument, unexpected arguments: {', '.join(args[1:])}"
                if len(args) > 2
                else "cannot set --generate-name and also specify a name"
            )
        base = re.sub(r"\.tgz$", "", args[0].rstrip("/").rpartition("/")[2]) or "chart"
        return f"{base}-{helm.call.world.wall // 1_000_000_000}", args[0]
    if len(args) > 2:
        raise HelmError(f"expected at most two arguments, unexpected arguments: {', '.join(args[2:])}")
    if len(args) == 1:
        raise HelmError("must either provide a name or specify --generate-name")
    return args[0], args[1]


def _when(text: str) -> str:
    """`Mon Nov  2 09:00:38 2026`."""
    stamp = re.match(r"(\d+)-(\d+)-(\d+)T(\d+):(\d+):(\d+)", text)
    if stamp is None:
        return text
    when = datetime(*[int(part) for part in stamp.groups()], tzinfo=UTC)  # type: ignore[misc,arg-type]
    return f"{when:%a %b} {when.day:>2} {when:%H:%M:%S %Y}"


def _print(helm: Helm, release: Release, *, test: bool = False) -> int:
    """What install, upgrade and status say of a release."""
    form = helm.values.text("output")
    if form in ("json", "yaml"):
        helm.out(structured(form, _as_object(release)))
        return 0
    if form != "table":
        raise HelmError(f'invalid argument "{form}" for "-o, --output" flag: invalid format type')
    lines = [
        f"NAME: {release.name}",
        f"LAST DEPLOYED: {_when(release.last)}",
        f"NAMESPACE: {release.namespace}",
        f"STATUS: {release.status}",
        f"REVISION: {release.revision}",
    ]
    if helm.values.has("show-desc") and helm.values.on("show-desc"):
        lines.append(f"DESCRIPTION: {release.description}")
    if not test:
        lines.append("TEST SUITE: None")
    text = "\n".join(lines) + "\n"
    if helm.command.name in ("install", "upgrade") and helm.values.text("dry-run") not in ("", "none", "false"):
        text += (
            "HOOKS:\n"
            + "".join(f"---\n# Source: {hook['path']}\n{hook['manifest']}\n" for hook in release.hooks)
            + f"MANIFEST:\n{release.manifest}\n"
        )
    if release.notes.strip() and not (helm.values.has("hide-notes") and helm.values.on("hide-notes")):
        text += f"NOTES:\n{release.notes.strip()}\n"
    helm.out(text)
    return 0


def _as_object(release: Release) -> Obj:
    info = {
        "first_deployed": release.first,
        "last_deployed": release.last,
        "deleted": "",
        "description": release.description,
        "status": release.status,
        "notes": release.notes,
    }
    return {
        "name": release.name,
        "info": info,
        "config": release.config,
        "manifest": release.manifest,
        "version": release.revision,
        "namespace": release.namespace,
    }


def install(helm: Helm) -> Steps:
    """`helm install NAME CHART`."""
    try:
        name, where = _name_and_chart(helm)
        chart = given.chart_of(helm.call, where, helm.values)
        release = yield from actions.install(helm, name, chart, given.merged(helm.call, helm.values, helm.inputs), helm.namespace)
    except HelmError as error:
        raise HelmError(f"INSTALLATION FAILED: {error}") from None
    return _print(helm, release)


def upgrade(helm: Helm) -> Steps:
    """`helm upgrade RELEASE CHART [--install]`."""
    name, where = helm.values.args
    if helm.values.on("install"):
        before = Storage(helm.s).history(helm.namespace, name)
        if not before or before[-1].status == "uninstalled":
            if helm.values.text("output") == "table":
                helm.out(f'Release "{name}" does not exist. Installing it now.\n')
            helm.values = _Both(helm.values)  # type: ignore[assignment]
            try:
                chart = given.chart_of(helm.call, where, helm.values)
                release = yield from actions.install(
                    helm, name, chart, given.merged(helm.call, helm.values, helm.inputs), helm.namespace
                )
            except HelmError as error:
                raise HelmError(str(error)) from None
            return _print(helm, release)
    try:
        chart = given.chart_of(helm.call, where, helm.values)
        release = yield from actions.upgrade(helm, name, chart, given.merged(helm.call, helm.values, helm.inputs), helm.namespace)
    except HelmError as error:
        raise HelmError(f"UPGRADE FAILED: {error}") from None
    if helm.values.text("output") == "table":
        helm.out(f'Release "{name}" has been upgraded. Happy Helming!\n')
    return _print(helm, release)


class _Both:
    """upgrade's values where install asks: flags that only install has are off."""

    def __init__(self, values: Any) -> None:
        self._values = values

    def __getattr__(self, name: str) -> Any:
        return getattr(self._values, name)

    def on(self, name: str) -> bool:
        """A boolean flag, off where it is not declared."""
        return bool(self._values.has(name) and self._values.on(name))


def uninstall(helm: Helm) -> Steps:
    """`helm uninstall NAME …`."""
    for name in helm.values.args:
        try:
            kept = yield from actions.uninstall(helm, name, helm.namespace)
        except HelmError as error:
            if helm.values.on("ignore-not-found") and "not found" in str(error):
                continue
            raise
        if kept:
            helm.out("These resources were kept due to the resource policy:\n" + "".join(f"{one}\n" for one in kept) + "\n")
        helm.out(f'release "{name}" uninstalled\n')
    return 0


def rollback(helm: Helm) -> Steps:
    """`helm rollback NAME [REVISION]`."""
    args = helm.values.args
    if len(args) > 1 and not args[1].isdigit():
        raise HelmError(f'could not convert revision to a number: strconv.Atoi: parsing "{args[1]}": invalid syntax')
    yield from actions.roll_back(helm, args[0], int(args[1]) if len(args) > 1 else 0, helm.namespace)
    helm.out("Rollback was a success! Happy Helming!\n")
    return 0


def _states(helm: Helm) -> set[str]:
    wanted = {name for name in ("deployed", "failed", "superseded", "uninstalled", "uninstalling") if helm.values.on(name)}
    if helm.values.on("pending"):
        wanted |= {"pending-install", "pending-upgrade", "pending-rollback"}
    if helm.values.on("all"):
        return {
            "deployed",
            "failed",
            "superseded",
            "uninstalled",
            "uninstalling",
            "pending-install",
            "pending-upgrade",
            "pending-rollback",
        }
    return wanted or {"deployed", "failed"}


def list_(helm: Helm) -> int:
    """`helm list`."""
    namespace = "" if helm.values.on("all-namespaces") else helm.namespace
    last: dict[tuple[str, str], Release] = {}
    for release in Storage(helm.s).all(namespace):
        key = (release.namespace, release.name)
        if key not in last or last[key].revision < release.revision:
            last[key] = release
    states = _states(helm)
    found = sorted(
        (one for one in last.values() if one.status in states),
        key=lambda one: (one.last,) if helm.values.on("date") else (one.name, one.namespace),
    )
    if helm.values.text("filter"):
        pattern = regexp.compile(helm.values.text("filter"))
        found = [one for one in found if pattern.search(one.name)]
    if helm.values.on("reverse"):
        found.reverse()
    found = found[helm.values.number("offset") :][: helm.values.number("max") or None]
    if helm.values.on("short"):
        helm.out("".join(one.name + "\n" for one in found))
        return 0
    rows = [
        (one.name, one.namespace, str(one.revision), shown(one.last), one.status, one.chart.label, one.chart.app_version)
        for one in found
    ]
    form = helm.values.text("output")
    titles = ("name", "namespace", "revision", "updated", "status", "chart", "app_version")
    if form in ("json", "yaml"):
        helm.out(structured(form, [dict(zip(titles, row, strict=True)) for row in rows]))
        return 0
    helm.out(
        table((), rows)
        if helm.values.on("no-headers")
        else table(("NAME", "NAMESPACE", "REVISION", "UPDATED", "STATUS", "CHART", "APP VERSION"), rows)
    )
    return 0


def _release(helm: Helm, name: str) -> Release:
    """The revision that is asked for, or the last; raises HelmError."""
    found = Storage(helm.s).history(helm.namespace, name)
    wanted = helm.values.number("revision") if helm.values.has("revision") else 0
    for one in reversed(found):
        if not wanted or one.revision == wanted:
            return one
    raise HelmError("release: not found")


def status(helm: Helm) -> int:
    """`helm status NAME`."""
    return _print(helm, _release(helm, helm.values.args[0]))


def history(helm: Helm) -> int:
    """`helm history NAME`."""
    found = Storage(helm.s).history(helm.namespace, helm.values.args[0])
    if not found:
        raise HelmError("release: not found")
    found = found[-helm.values.number("max") :]
    rows = [
        (str(one.revision), _when(one.last), one.status, one.chart.label, one.chart.app_version, one.description) for one in found
    ]
    form = helm.values.text("output")
    if form in ("json", "yaml"):
        helm.out(
            structured(
                form,
                [
                    {
                        "revision": one.revision,
                        "updated": one.last,
                        "status": one.status,
                        "chart": one.chart.label,
                        "app_version": one.chart.app_version,
                        "description": one.description,
                    }
                    for one in found
                ],
            )
        )
        return 0
    helm.out(table(("REVISION", "UPDATED", "STATUS", "CHART", "APP VERSION", "DESCRIPTION"), rows))
    return 0


def get_values(helm: Helm) -> int:
    """`helm get values NAME [--all]`."""
    release = _release(helm, helm.values.args[0])
    found = charts.effective(release.chart, release.config) if helm.values.on("all") else release.config
    form = helm.values.text("output")
    if form in ("json", "yaml"):
        helm.out(structured(form, found or None if form == "json" else found))
        return 0
    helm.out("COMPUTED VALUES:\n" if helm.values.on("all") else "USER-SUPPLIED VALUES:\n")
    helm.out(goyaml.dump(found or (None if not helm.values.on("all") else {})))
    return 0


def get_manifest(helm: Helm) -> int:
    """`helm get manifest NAME`."""
    helm.out(_release(helm, helm.values.args[0]).manifest + "\n")
    return 0


def get_notes(helm: Helm) -> int:
    """`helm get notes NAME`."""
    notes = _release(helm, helm.values.args[0]).notes
    if notes.strip():
        helm.out(f"NOTES:\n{notes.strip()}\n")
    return 0


def get_hooks(helm: Helm) -> int:
    """`helm get hooks NAME`."""
    for hook in _release(helm, helm.values.args[0]).hooks:
        helm.out(f"---\n# Source: {hook['path']}\n{hook['manifest']}\n")
    return 0


def get_metadata(helm: Helm) -> int:
    """`helm get metadata NAME`."""
    one = _release(helm, helm.values.args[0])
    rows = {
        "name": one.name,
        "chart": one.chart.name,
        "version": one.chart.version,
        "appVersion": one.chart.app_version,
        "namespace": one.namespace,
        "revision": one.revision,
        "status": one.status,
        "deployedAt": one.last,
    }
    form = helm.values.text("output")
    if form in ("json", "yaml"):
        helm.out(structured(form, rows))
        return 0
    titles = {"appVersion": "APP_VERSION", "deployedAt": "DEPLOYED_AT"}
    helm.out("".join(f"{titles.get(key, key.upper())}: {value}\n" for key, value in rows.items()))
    return 0


def get_all(helm: Helm) -> int:
    """`helm get all NAME`."""
    one = _release(helm, helm.values.args[0])
    helm.out(
        f"NAME: {one.name}\nLAST DEPLOYED: {_when(one.last)}\nNAMESPACE: {one.namespace}\nSTATUS: {one.status}\nREVISION: {one.revision}\nCHART: {one.chart.name}\nVERSION: {one.chart.version}\nAPP_VERSION: {one.chart.app_version}\n"
    )
    helm.out(
        f"USER-SUPPLIED VALUES:\n{goyaml.dump(one.config or None)}\nCOMPUTED VALUES:\n{goyaml.dump(charts.effective(one.chart, one.config))}\n"
    )
    helm.out(
        "HOOKS:\n"
        + "".join(f"---\n# Source: {hook['path']}\n{hook['manifest']}\n" for hook in one.hooks)
        + f"MANIFEST:\n{one.manifest}\n"
    )
    if one.notes.strip():
        helm.out(f"\nNOTES:\n{one.notes.strip()}\n")
    return 0


def template(helm: Helm) -> int:
    """`helm template [NAME] CHART`: nothing is asked of the cluster."""
    args = helm.values.args
    name, where = (args[0], args[1]) if len(args) > 1 else ("release-name", args[0])
    chart = given.chart_of(helm.call, where, helm.values)
    given.check(chart)
    namespace = helm.values.text("namespace") or "default"
    objects, hooks, _ = actions.rendered(
        helm,
        chart,
        given.merged(helm.call, helm.values, helm.inputs),
        name,
        namespace,
        1,
        upgrade=helm.values.on("is-upgrade"),
        offline=True,
    )
    shown_hooks = (
        []
        if helm.values.on("no-hooks")
        else [one for one in hooks if not (helm.values.on("skip-tests") and "test" in str(one.annotations["helm.sh/hook"]))]
    )
    found: list[Piece] = [*objects, *shown_hooks]
    only = helm.values.items("show-only")
    if only:
        for path in only:
            if not any(one.source.partition("/")[2] == path for one in found):
                raise HelmError(f"could not find template {path} in chart")
        found = [one for one in found if one.source.partition("/")[2] in only]
    text = (
        "".join(f"---\n# Source: {path}\n{body}\n" for path, body in chart.crds.items()) if helm.values.on("include-crds") else ""
    )
    helm.out(text + manifest(found))
    return 0


def test(helm: Helm) -> Steps:
    """`helm test NAME`: the hooks of the event `test`."""
    release = _release(helm, helm.values.args[0])
    hooks = actions.hooks_from(release)
    chosen = [one for one in hooks if "test" in str(one.annotations["helm.sh/hook"]).split(",")]
    begun = helm.call.world.wall
    failed = ""
    try:
        yield from Cluster(helm.s, release.name, helm.namespace).run_hooks(hooks, "test", helm.values.number("timeout"))
    except HelmError as error:
        failed = str(error)
    lines = [
        f"NAME: {release.name}",
        f"LAST DEPLOYED: {_when(release.last)}",
        f"NAMESPACE: {release.namespace}",
        f"STATUS: {release.status}",
        f"REVISION: {release.revision}",
    ]
    for one in chosen:
        lines += [
            f"TEST SUITE:     {one.name}",
            f"Last Started:   {to_datetime(begun):%a %b %e %H:%M:%S %Y}",
            f"Last Completed: {to_datetime(helm.call.world.wall):%a %b %e %H:%M:%S %Y}",
            f"Phase:          {'Failed' if failed else 'Succeeded'}",
        ]
    if not chosen:
        lines.append("TEST SUITE: None")
    helm.out("\n".join(lines) + "\n")
    if release.notes.strip():
        helm.out(f"NOTES:\n{release.notes.strip()}\n")
    if failed:
        raise HelmError(failed)
    return 0
