"""`kubectl api-resources` and `api-versions` (`kubectl/pkg/cmd/apiresources`)."""

from __future__ import annotations

from typing import Any

from ....kube.api.kinds import KindInfo
from ...cobra import Command, Flag
from ..errors import CommandError, UsageError
from ..printers import Output
from ..session import Session
from ..table import columns

Obj = dict[str, Any]


def run_resources(s: Session) -> int:
    """`kubectl api-resources`."""
    values = s.values
    if values.args:
        raise UsageError(s.command, f"unexpected arguments: [{' '.join(values.args)}]")
    if values.text("sort-by") not in ("", "name", "kind"):
        raise CommandError("--sort-by accepts only name or kind")
    output = values.text("output")
    if output not in ("", "wide", "name", "json", "yaml", "kyaml"):
        raise CommandError(
            f'unable to match a printer suitable for the output format "{output}", allowed formats are: json,kyaml,name,wide,yaml'
        )
    s.discover()
    rows = [item for item in _served(s) if _wanted(s, item)]
    if values.text("sort-by") == "kind":
        rows.sort(key=lambda item: item.kind)
    elif values.text("sort-by") == "name":
        rows.sort(key=lambda item: item.plural)
    if output in ("json", "yaml", "kyaml"):
        Output(s, typed=True).print(_list(rows))
    elif output == "name":
        s.out("".join(item.group_resource + "\n" for item in rows))
    else:
        s.out(columns(_table(rows, output == "wide", values.on("no-headers"))))
    return 0


def _served(s: Session) -> list[KindInfo]:
    """What the server has, by group in the order that discovery prints: core first, then by group name."""
    core = [item for item in s.mapper.all() if not item.group]
    rest = [item for item in s.mapper.all() if item.group]
    return sorted(core, key=lambda item: item.plural) + sorted(rest, key=lambda item: (item.group, item.plural))


def _wanted(s: Session, item: KindInfo) -> bool:
    values = s.values
    if "api-group" in values.changed and item.group != values.text("api-group"):
        return False
    if "namespaced" in values.changed and item.namespaced != values.on("namespaced"):
        return False
    if any(verb not in item.verbs for verb in values.items("verbs")):
        return False
    return all(category in item.categories for category in values.items("categories"))


def _table(rows: list[KindInfo], wide: bool, no_headers: bool) -> list[list[str]]:
    headers = ["NAME", "SHORTNAMES", "APIVERSION", "NAMESPACED", "KIND"] + (["VERBS", "CATEGORIES"] if wide else [])
    out = [] if no_headers else [headers]
    for item in rows:
        row = [item.plural, ",".join(item.short_names), item.api_version, "true" if item.namespaced else "false", item.kind]
        out.append(row + ([",".join(sorted(item.verbs)), ",".join(item.categories)] if wide else []))
    return out


def _list(rows: list[KindInfo]) -> Obj:
    resources = []
    for item in rows:
        one: Obj = {"name": item.plural, "singularName": item.singular_name, "namespaced": item.namespaced}
        if item.group:
            one["group"] = item.group
        one |= {"version": item.version, "kind": item.kind, "verbs": sorted(item.verbs)}
        if item.short_names:
            one["shortNames"] = list(item.short_names)
        if item.categories:
            one["categories"] = list(item.categories)
        resources.append(one)
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": "", "resources": resources}


def run_versions(s: Session) -> int:
    """`kubectl api-versions`."""
    if s.values.args:
        raise UsageError(s.command, f"unexpected arguments: [{' '.join(s.values.args)}]")
    s.discover()
    found = {"v1"}
    for group in s.call("GET", "/apis").get("groups") or ():
        found.update(item["groupVersion"] for item in group["versions"])
    s.out("".join(name + "\n" for name in sorted(found)))
    return 0


RESOURCES = Command(
    "api-resources [flags]",
    short="Print the supported API resources on the server",
    long="Print the API resources that the server supports.",
    example="""# Print the supported API resources
kubectl api-resources

# Print the supported API resources with more information
kubectl api-resources -o wide

# Print the supported API resources sorted by a column
kubectl api-resources --sort-by=name

# Print the supported namespaced resources
kubectl api-resources --namespaced=true

# Print the supported non-namespaced resources
kubectl api-resources --namespaced=false

# Print the supported API resources with a specific APIGroup
kubectl api-resources --api-group=rbac.authorization.k8s.io""",
    flags=(
        Flag(name="api-group", usage="Only this API group."),
        Flag(name="cached", support="inert", kind="bool", usage="Use the cached list of resources if available."),
        Flag(name="categories", kind="strings", usage="Only resources of these categories."),
        Flag(name="namespaced", kind="bool", default=True, usage="Only namespaced resources, or with =false only the others."),
        Flag(name="no-headers", kind="bool", usage="Print no headings."),
        Flag(name="output", short="o", usage="Output format. One of: (json, yaml, kyaml, name, wide)."),
        Flag(name="show-managed-fields", kind="bool", usage="Keep managedFields in JSON and YAML output."),
        Flag(name="sort-by", usage="Sort by 'name' or 'kind'."),
        Flag(name="verbs", kind="strings", usage="Only resources with all of these verbs."),
    ),
    run=run_resources,
)  # fmt: skip

VERSIONS = Command(
    "api-versions",
    short='Print the supported API versions on the server, in the form of "group/version"',
    long='Print the API versions that the server supports, each as "group/version".',
    example="# Print the supported API versions\nkubectl api-versions",
    run=run_versions,
)
