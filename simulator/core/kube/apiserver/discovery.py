"""Discovery: `/api`, `/apis` and their versions, legacy and aggregated (`apiserver/pkg/endpoints/discovery`)."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

from ..api import packs
from ..api.kinds import KindInfo, Subresource, version_order
from . import aggregation
from .server import Server

Obj = dict[str, Any]


def groups(server: Server) -> list[tuple[str, tuple[str, ...]]]:
    """Every named group with its versions, preferred first; custom groups after the built-in ones."""
    custom: dict[str, set[str]] = {}
    for kind in server.custom_kinds():
        custom.setdefault(kind.group, set()).update(kind.versions)
    for (group, version), service in (aggregation.remote(server) if server.ready else {}).items():
        if aggregation.available(service):
            custom.setdefault(group, set()).add(version)
    return [
        *packs.groups_of(server.version),
        *((group, tuple(sorted(custom[group], key=version_order))) for group in sorted(custom)),
    ]


def built_in(server: Server, group: str) -> bool:
    """Whether the paths of a group belong to the server's own web services: all below `/api` and `/apis/<group>` (`director`)."""
    return not group or any(group == name for name, _ in packs.groups_of(server.version))


def kinds_of(server: Server, group: str, version: str) -> list[KindInfo]:
    """The kinds of a group version, sorted by plural."""
    held = [kind for kind in packs.kinds_of(server.version) if kind.group == group and version in kind.versions]
    held += [kind for kind in server.custom_kinds() if kind.group == group and version in kind.versions]
    return sorted(held, key=lambda kind: kind.plural)


def api_versions(server: Server) -> Obj:
    """`/api`."""
    address = f"{server.config.advertise_address}:{server.config.secure_port}"
    where = [{"clientCIDR": "0.0.0.0/0", "serverAddress": address}]
    return {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": where}


def _versions(group: str, versions: tuple[str, ...]) -> Obj:
    listed = [{"groupVersion": f"{group}/{version}", "version": version} for version in versions]
    return {"name": group, "versions": listed, "preferredVersion": listed[0]}


def group_list(server: Server) -> Obj:
    """`/apis`."""
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": [_versions(g, v) for g, v in groups(server)]}


def group(server: Server, name: str) -> Obj | None:
    """`/apis/<group>`."""
    for held, versions in groups(server):
        if held == name:
            return {"kind": "APIGroup", "apiVersion": "v1", **_versions(held, versions)}
    return None


def storage_hash(kind: KindInfo) -> str:
    """A stable stand-in for the hash of the storage version."""
    return base64.b64encode(hashlib.sha256(f"{kind.group}/{kind.version}/{kind.kind}".encode()).digest()[:8]).decode()


def _resource(kind: KindInfo) -> Obj:
    out: Obj = {"name": kind.plural, "singularName": kind.singular_name, "namespaced": kind.namespaced, "kind": kind.kind}
    out["verbs"] = list(kind.verbs)
    if kind.short_names:
        out["shortNames"] = list(kind.short_names)
    if kind.categories:
        out["categories"] = list(kind.categories)
    if "list" in kind.verbs and kind.kind != "ComponentStatus":
        out["storageVersionHash"] = storage_hash(kind)
    return out


def _subresource(kind: KindInfo, sub: Subresource) -> Obj:
    out: Obj = {"name": f"{kind.plural}/{sub.name}", "singularName": "", "namespaced": kind.namespaced}
    if sub.version:
        out["group"], out["version"] = sub.group, sub.version
    out["kind"] = sub.kind or kind.kind
    out["verbs"] = list(sub.verbs)
    return out


def resource_list(server: Server, group_name: str, version: str) -> Obj | None:
    """`/api/v1` or `/apis/<group>/<version>`."""
    held = kinds_of(server, group_name, version)
    if not held:
        elsewhere = aggregation.resources(server, group_name, version)
        head = {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": f"{group_name}/{version}"}
        return {**head, "resources": elsewhere} if elsewhere else None
    out: list[Obj] = []
    for kind in held:
        out.append(_resource(kind))
        out += [_subresource(kind, sub) for sub in kind.subresources]
    group_version = f"{group_name}/{version}" if group_name else version
    listed: Obj = {"kind": "APIResourceList"}
    if group_name:
        listed["apiVersion"] = "v1"
    return {**listed, "groupVersion": group_version, "resources": out}


# -- aggregated ---------------------------------------------------------------------------------------------------------


def _gvk(group_name: str, version: str, kind: str) -> Obj:
    return {"group": group_name, "version": version, "kind": kind}


def _entry(kind: KindInfo, version: str) -> Obj:
    out: Obj = {
        "resource": kind.plural,
        "responseKind": _gvk(kind.group, version, kind.kind),
        "scope": "Namespaced" if kind.namespaced else "Cluster",
        "singularResource": kind.singular_name,
        "verbs": list(kind.verbs),
    }
    if kind.short_names:
        out["shortNames"] = list(kind.short_names)
    if kind.categories:
        out["categories"] = list(kind.categories)
    if kind.subresources:
        out["subresources"] = [
            {
                "subresource": sub.name,
                "responseKind": _gvk(sub.group if sub.version else kind.group, sub.version or version, sub.kind or kind.kind),
                "verbs": list(sub.verbs),
            }
            for sub in kind.subresources
        ]
    return out


def _elsewhere(item: Obj, group_name: str, version: str) -> Obj:
    """An entry of another server's legacy discovery."""
    return {
        "resource": item["name"],
        "responseKind": _gvk(item.get("group") or group_name, item.get("version") or version, item["kind"]),
        "scope": "Namespaced" if item.get("namespaced") else "Cluster",
        "singularResource": item.get("singularName", ""),
        "verbs": list(item.get("verbs") or ()),
    }


def aggregated(server: Server, *, core: bool, version: str = "v2") -> Obj:
    """`APIGroupDiscoveryList` of the core group or of all the others."""
    wanted: list[tuple[str, tuple[str, ...]]] = [("", ("v1",))] if core else groups(server)
    items = []
    for name, versions in wanted:
        listed = []
        for each in versions:
            held = [_entry(kind, each) for kind in kinds_of(server, name, each)]
            if not held and name:
                held = [_elsewhere(item, name, each) for item in aggregation.resources(server, name, each)]
            listed.append({"version": each, "resources": held, "freshness": "Current"})
        meta: Obj = {"name": name} if name else {}
        meta["creationTimestamp"] = None
        items.append({"metadata": meta, "versions": listed})
    return {"kind": "APIGroupDiscoveryList", "apiVersion": f"apidiscovery.k8s.io/{version}", "metadata": {}, "items": items}
