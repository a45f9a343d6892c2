"""The discovery cache of kubectl on disk (`client-go/discovery/cached/disk/cached_discovery.go`), for custom resources.

What an earlier call learnt of the server's API groups is used for six hours, so a resource whose definition has been deleted meanwhile is
still asked for, and a new version of one is not seen.  A name that the cache does not know makes kubectl ask the server and write anew.  The
built-in groups never change in a world and have no files here.
"""

from __future__ import annotations

import json
import posixpath
import re
from typing import TYPE_CHECKING, Any

from ...host import files
from ...kernel.clock import SECOND

if TYPE_CHECKING:
    from .session import Session

Obj = dict[str, Any]
#: Discovery documents: the resources of each `group/version`, preferred versions first.
Documents = dict[str, list[Obj]]
LIFE = 6 * 3600 * SECOND


def folder(s: Session) -> str:
    """`~/.kube/cache/discovery/172.30.1.2_6443`, or below --cache-dir."""
    home = s.inv.env.get("HOME") or "/root"
    base = s.values.text("cache-dir") if "cache-dir" in s.values.changed else posixpath.join(home, ".kube/cache")
    host = s.connection.server.split("://", 1)[-1].split("/", 1)[0]
    return posixpath.join(base, "discovery", re.sub(r"[^A-Za-z0-9.-]", "_", host))


def live(s: Session, built_in: frozenset[str]) -> Documents:
    """What the server has now beyond its built-in groups."""
    out: Documents = {}
    groups = s.call("GET", "/apis")
    for group in groups.get("groups") or () if isinstance(groups, dict) else ():
        if group["name"] in built_in:
            continue
        preferred = (group.get("preferredVersion") or group["versions"][0])["version"]
        for version in sorted((item["version"] for item in group["versions"]), key=lambda version: version != preferred):
            answer = s.call("GET", f"/apis/{group['name']}/{version}")
            out[f"{group['name']}/{version}"] = list(answer.get("resources") or ())
    return out


def load(s: Session) -> Documents:
    """The documents of the cache; none when it is too old, or cannot be read."""
    path = posixpath.join(folder(s), "servergroups.json")
    try:
        if not s.inv.exists(path) or s.world.wall - s.inv.lookup(path).mtime > LIFE:
            return {}
        names = [
            version["groupVersion"] for group in json.loads(s.inv.read_file(path))["groups"] for version in group["versions"]
        ]
        read = {name: s.inv.read_file(posixpath.join(folder(s), name, "serverresources.json")) for name in names}
        return {name: json.loads(text)["resources"] for name, text in read.items()}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def store(s: Session, documents: Documents) -> None:
    """Write the cache anew; where it cannot be written there is none."""
    base = folder(s)
    if not documents and not s.inv.exists(base):
        return
    groups: dict[str, list[str]] = {}
    for name in documents:
        groups.setdefault(name.partition("/")[0], []).append(name)
    listed = [{"name": group, "versions": [{"groupVersion": name, "version": name.partition("/")[2]} for name in names]}
              for group, names in groups.items()]  # fmt: skip
    try:
        for name, resources in documents.items():
            body = {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": name, "resources": resources}
            _write(s, posixpath.join(base, name, "serverresources.json"), body)
        _write(s, posixpath.join(base, "servergroups.json"), {"kind": "APIGroupList", "apiVersion": "v1", "groups": listed})
    except OSError:
        return


def _write(s: Session, path: str, body: Obj) -> None:
    files.make_dir(
        s.world, s.inv.host, s.inv.path(posixpath.dirname(path)), parents=True, mnt=s.inv.proc.mnt, uid=s.inv.uid, gid=s.inv.gid
    )
    s.inv.write_file(path, (json.dumps(body, separators=(",", ":")) + "\n").encode(), mode=0o640)
