"""Commands about charts and repositories: repo, search, show, pull, create, lint, package, dependency, version, env (helm `cmd/helm`)."""

from __future__ import annotations

import posixpath
import re
from typing import Any

from ...kernel.clock import to_datetime
from .. import goyaml
from . import actions, charts, given, repositories, scaffold
from .charts import Chart, ChartError
from .cluster import HelmError
from .printing import structured, table
from .session import Helm
from .sprig import satisfies

Obj = dict[str, Any]


# -- repositories -----------------------------------------------------------------------------------------------------------
def repo_add(helm: Helm) -> int:
    """`helm repo add NAME URL`."""
    name, url = helm.values.args
    if "/" in name:
        raise HelmError(f"repository name ({name}) contains '/', please specify a different name without '/'")
    rows = repositories.added(helm.call)
    held = next((row for row in rows if row["name"] == name), None)
    if held is not None and not helm.values.on("force-update"):
        if held["url"] != url:
            raise HelmError(f"repository name ({name}) already exists, please specify a different name")
        helm.out(f'"{name}" already exists with the same configuration, skipping\n')
        return 0
    if repositories.offers(url) is None:
        if not url.startswith(("http://", "https://")):
            raise HelmError(f"could not find protocol handler for: {url.partition('://')[0] if '://' in url else ''}")
        raise HelmError(repositories.absent(url))
    helm.err(repositories.stand_in(url))
    row = {
        "caFile": "",
        "certFile": "",
        "insecure_skip_tls_verify": False,
        "keyFile": "",
        "name": name,
        "pass_credentials_all": False,
        "password": "",
        "url": url,
        "username": "",
    }
    repositories.save(helm.call, [*[one for one in rows if one["name"] != name], row])
    helm.out(f'"{name}" has been added to your repositories\n')
    return 0


def repo_list(helm: Helm) -> int:
    """`helm repo list`."""
    rows = repositories.added(helm.call)
    form = helm.values.text("output")
    if not rows and form == "table":
        raise HelmError("no repositories to show")
    if form in ("json", "yaml"):
        helm.out(structured(form, [{"name": row["name"], "url": row["url"]} for row in rows]))
        return 0
    helm.out(table(("NAME", "URL"), [(row["name"], row["url"]) for row in rows]))
    return 0


def repo_remove(helm: Helm) -> int:
    """`helm repo remove NAME …`."""
    rows = repositories.added(helm.call)
    if not rows:
        raise HelmError("no repositories configured")
    for name in helm.values.args:
        if not any(row["name"] == name for row in rows):
            raise HelmError(f'no repo named "{name}" found')
        rows = [row for row in rows if row["name"] != name]
        repositories.save(helm.call, rows)
        helm.out(f'"{name}" has been removed from your repositories\n')
    return 0


def repo_update(helm: Helm) -> int:
    """`helm repo update [NAME …]`."""
    rows = repositories.added(helm.call)
    if not rows:
        raise HelmError("no repositories found. You must add one before updating")
    names = helm.values.args
    for name in names:
        if not any(row["name"] == name for row in rows):
            raise HelmError(f"no repositories found matching '{name}'.  Nothing will be updated")
    helm.out("Hang tight while we grab the latest from your chart repositories...\n")
    for row in rows:
        if not names or row["name"] in names:
            helm.out(f'...Successfully got an update from the "{row["name"]}" chart repository\n')
    helm.out("Update Complete. ⎈Happy Helming!⎈\n")
    return 0


def search_repo(helm: Helm) -> int:
    """`helm search repo [WORD]`."""
    rows = repositories.added(helm.call)
    if not rows:
        raise HelmError("no repositories configured")
    words = [word.lower() for word in helm.values.args]
    constraint = helm.values.text("version")
    found: list[tuple[str, repositories.Offer]] = []
    for row in sorted(rows, key=lambda one: str(one["name"])):
        held: dict[str, list[repositories.Offer]] = {}
        for offer in repositories.newest(list(repositories.offers(row["url"]) or ())):
            if constraint and not satisfies(constraint, offer.version):
                continue
            held.setdefault(offer.name, []).append(offer)
        for name, versions in sorted(held.items()):
            if all(word in f"{row['name']}/{name}\v{versions[0].description}".lower() for word in words):
                found += [(f"{row['name']}/{name}", one) for one in (versions if helm.values.on("versions") else versions[:1])]
    form = helm.values.text("output")
    if form in ("json", "yaml"):
        helm.out(
            structured(
                form,
                [
                    {"name": name, "version": one.version, "app_version": one.app_version, "description": one.description}
                    for name, one in found
                ],
            )
        )
        return 0
    if not found:
        if helm.values.on("fail-on-no-result"):
            raise HelmError("no results found")
        helm.out("No results found\n")
        return 0
    titles = ("NAME", "CHART VERSION", "APP VERSION", "DESCRIPTION")
    helm.out(
        table(
            titles,
            [(name, one.version, one.app_version, one.description) for name, one in found],
            helm.values.number("max-col-width"),
        )
    )
    return 0


# -- charts -----------------------------------------------------------------------------------------------------------------
def _shown(helm: Helm) -> Chart:
    return given.chart_of(helm.call, helm.values.args[0], helm.values)


def show_chart(helm: Helm) -> int:
    """`helm show chart CHART`."""
    helm.out(goyaml.dump(_shown(helm).meta) + "\n")
    return 0


def show_values(helm: Helm) -> int:
    """`helm show values CHART`."""
    helm.out(_shown(helm).values_text + "\n")
    return 0


def show_readme(helm: Helm) -> int:
    """`helm show readme CHART`."""
    for name, data in _shown(helm).files.items():
        if name.lower() in ("readme.md", "readme.txt", "readme"):
            helm.out(data.decode("utf-8", "replace") + "\n")
    return 0


def show_crds(helm: Helm) -> int:
    """`helm show crds CHART`."""
    for text in _shown(helm).crds.values():
        helm.out(("" if text.startswith("---") else "---\n") + text + "\n")
    return 0


def show_all(helm: Helm) -> int:
    """`helm show all CHART`."""
    show_chart(helm)
    helm.out("---\n")
    show_values(helm)
    if any(name.lower().startswith("readme") for name in _shown(helm).files):
        helm.out("---\n")
        show_readme(helm)
    return 0


def _write(helm: Helm, folder: str, raw: dict[str, bytes]) -> None:
    for path, data in raw.items():
        where = helm.call.path(posixpath.join(folder, path))
        helm.call.tree.mkdir(posixpath.dirname(where), True, now=helm.call.world.wall)
        helm.call.write_file(where, data)


def create(helm: Helm) -> int:
    """`helm create NAME`."""
    where = helm.values.args[0]
    name = where.rstrip("/").rpartition("/")[2]
    if not re.fullmatch(r"[a-zA-Z0-9._-]+", name):
        raise HelmError('chart name must match the regular expression "^[a-zA-Z0-9._-]+$"')
    helm.out(f"Creating {where}\n")
    if helm.call.exists(where) and not helm.call.isdir(where):
        raise HelmError(f"file {helm.call.path(where)} already exists and is not a directory")
    _write(helm, where, scaffold.files(name))
    helm.call.tree.mkdir(helm.call.path(where) + "/charts", True, now=helm.call.world.wall)
    return 0


def package(helm: Helm) -> int:
    """`helm package PATH …`."""
    for where in helm.values.args:
        if not helm.call.isdir(where):
            raise HelmError(f"path {where} not found" if not helm.call.exists(where) else "Chart.yaml file is missing")
        try:
            chart = charts.build(charts.read(helm.call.tree, helm.call.path(where)))
        except ChartError as bad:
            raise HelmError(str(bad)) from None
        lacking = charts.missing(chart)
        if lacking:
            raise HelmError(f"found in Chart.yaml, but missing in charts/ directory: {', '.join(lacking)}")
        for flag, key in (("version", "version"), ("app-version", "appVersion")):
            if helm.values.text(flag):
                chart.meta[key] = helm.values.text(flag)
                chart.raw["Chart.yaml"] = goyaml.dump(chart.meta).encode()
        folder = helm.values.text("destination")
        if not helm.call.isdir(folder):
            helm.call.tree.mkdir(helm.call.path(folder), True, now=helm.call.world.wall)
        path = posixpath.join(helm.call.path(folder), f"{chart.label}.tgz")
        helm.call.write_file(path, charts.pack(chart))
        helm.out(f"Successfully packaged chart and saved it to: {path}\n")
    return 0


def pull(helm: Helm) -> int:
    """`helm pull CHART [--untar]`."""
    for name in helm.values.args:
        chart = given.remote(helm.call, name, helm.values)
        if chart is None:
            repo, slash, _ = name.partition("/")
            raise HelmError(
                f"repo {repo} not found"
                if slash
                else f"non-absolute URLs should be in form of repo_name/path_to_chart, got: {name}"
            )
        if helm.values.on("untar"):
            folder = posixpath.join(helm.values.text("untardir"), chart.name)
            if helm.call.exists(folder):
                raise HelmError(f"failed to untar: a file or directory with the name {helm.call.path(folder)} already exists")
            _write(helm, folder, chart.raw)
            continue
        helm.call.write_file(posixpath.join(helm.values.text("destination"), f"{chart.label}.tgz"), charts.pack(chart))
    return 0


def lint(helm: Helm) -> int:
    """`helm lint [PATH …]`."""
    bad = 0
    paths = helm.values.args or ["."]
    for where in paths:
        messages = _lint(helm, where)
        strict = helm.values.on("strict")
        failed = any(level == "ERROR" or (strict and level == "WARNING") for level, _ in messages)
        bad += failed
        shown = [one for one in messages if not helm.values.on("quiet") or one[0] != "INFO"]
        if not helm.values.on("quiet") or shown:
            helm.out(f"==> Linting {where}\n" + "".join(f"[{level}] {text}\n" for level, text in shown) + "\n")
    summary = f"{len(paths)} chart(s) linted, {bad} chart(s) failed"
    if bad:
        raise HelmError(summary)
    if not helm.values.on("quiet"):
        helm.out(summary + "\n")
    return 0


def _lint(helm: Helm, where: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    if not helm.call.isdir(where) and not helm.call.exists(where):
        return [("ERROR", f"unable to open {where}: stat {where}: no such file or directory")]
    try:
        raw = charts.read(helm.call.tree, helm.call.path(where)) if helm.call.isdir(where) else {}
        chart = charts.build(raw) if raw else charts.unpack(helm.call.read_file(where))
    except ChartError as bad:
        text = str(bad)
        return [
            (
                "ERROR",
                f"Chart.yaml: {text.removeprefix('validation: ')}"
                if "Chart" in text or "chart" in text
                else f"templates/: {text}",
            )
        ]
    if not chart.meta.get("icon"):
        found.append(("INFO", "Chart.yaml: icon is recommended"))
    if "values.yaml" not in chart.raw:
        found.append(("INFO", "values.yaml: file does not exist"))
    if not chart.templates:
        found.append(("WARNING", "templates/: directory not found"))
        return found
    try:
        actions.rendered(
            helm,
            chart,
            given.merged(helm.call, helm.values, helm.inputs),
            "test-release",
            helm.values.text("namespace") or "default",
            1,
            offline=True,
        )
    except HelmError as bad:
        found.append(("ERROR", f"templates/: {bad}"))
    return found


# -- dependencies -----------------------------------------------------------------------------------------------------------
def _chart_at(helm: Helm) -> tuple[str, Chart]:
    where = helm.values.args[0] if helm.values.args else "."
    try:
        return where, charts.build(charts.read(helm.call.tree, helm.call.path(where)))
    except (ChartError, OSError) as bad:
        raise HelmError(str(bad)) from None


def dependency_list(helm: Helm) -> int:
    """`helm dependency list CHART`."""
    where, chart = _chart_at(helm)
    wanted = chart.meta.get("dependencies") or []
    if not wanted:
        helm.err(f"WARNING: no dependencies at {posixpath.join(where, 'charts')}\n")
        return 0
    have = {child.name for child, _ in chart.children}
    helm.out(
        table(
            ("NAME", "VERSION", "REPOSITORY", "STATUS"),
            [
                (
                    one.get("name", ""),
                    str(one.get("version", "")),
                    one.get("repository", ""),
                    "ok" if one.get("name") in have else "missing",
                )
                for one in wanted
            ],
        )
        + "\n"
    )
    return 0


def dependency_update(helm: Helm) -> int:
    """`helm dependency update CHART`: what Chart.yaml names comes into charts/."""
    where, chart = _chart_at(helm)
    wanted = chart.meta.get("dependencies") or []
    rows = []
    for one in wanted:
        url = str(one.get("repository") or "")
        if url.startswith("file://"):
            child = charts.build(charts.read(helm.call.tree, helm.call.path(posixpath.join(where, url.removeprefix("file://")))))
        else:
            if url.startswith(("@", "alias:")):
                name = url.removeprefix("@").removeprefix("alias:")
                url = next((row["url"] for row in repositories.added(helm.call) if row["name"] == name), "")
            offers = [
                o
                for o in repositories.offers(url) or ()
                if o.name == one.get("name") and satisfies(str(one.get("version") or "*"), o.version)
            ]
            if not offers:
                raise HelmError(
                    f"can't get a valid version for repositories {one.get('name')}. Try changing the version constraint in Chart.yaml"
                    if repositories.offers(url)
                    else f"no repository definition for {url}. Please add the missing repos via 'helm repo add'"
                )
            child = repositories.chart(url, repositories.newest(offers)[0])
        rows.append((one, child))
    helm.out(f"Saving {len(rows)} charts\n")
    folder = helm.call.path(posixpath.join(where, "charts"))
    helm.call.tree.mkdir(folder, True, now=helm.call.world.wall)
    for one, child in rows:
        helm.out(f"Downloading {child.name} from repo {one.get('repository', '')}\n")
        helm.call.write_file(f"{folder}/{child.label}.tgz", charts.pack(child))
    helm.out("Deleting outdated charts\n")
    lock = {
        "dependencies": [
            {"name": child.name, "repository": one.get("repository", ""), "version": child.version} for one, child in rows
        ],
        "generated": to_datetime(helm.call.world.wall).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
    }
    helm.call.write_file(posixpath.join(where, "Chart.lock"), goyaml.dump(lock).encode())
    return 0


# -- the rest -----------------------------------------------------------------------------------------------------------------
def version(helm: Helm) -> int:
    """`helm version [--short]`."""
    if helm.values.on("short"):
        helm.out(f"{Helm.VERSION}+g8766e71\n")
        return 0
    helm.out(
        f'version.BuildInfo{{Version:"{Helm.VERSION}", GitCommit:"8766e718a0119851f10ddbe4577593a45fadf544", GitTreeState:"clean", GoVersion:"go1.24.9"}}\n'
    )
    return 0


def env(helm: Helm) -> int:
    """`helm env`."""
    home = helm.call.env.get("HOME", "/root")
    rows = {
        "HELM_BIN": "helm", "HELM_BURST_LIMIT": "100", "HELM_CACHE_HOME": f"{home}/.cache/helm", "HELM_CONFIG_HOME": f"{home}/.config/helm", "HELM_DATA_HOME": f"{home}/.local/share/helm", "HELM_DEBUG": "false",
        "HELM_KUBECONTEXT": "", "HELM_MAX_HISTORY": "10", "HELM_NAMESPACE": helm.namespace, "HELM_PLUGINS": f"{home}/.local/share/helm/plugins", "HELM_REGISTRY_CONFIG": f"{home}/.config/helm/registry/config.json",
        "HELM_REPOSITORY_CACHE": f"{home}/.cache/helm/repository", "HELM_REPOSITORY_CONFIG": repositories.config_path(helm.call),
    }  # fmt: skip
    helm.out("".join(f'{key}="{value}"\n' for key, value in rows.items()))
    return 0
