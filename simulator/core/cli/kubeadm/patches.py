"""`--patches`: files of patches for manifests and the kubelet's configuration (util/patches/patches.go)."""

from __future__ import annotations

import re
from typing import Any

from ...kube.api import patch as patching
from ...kube.api import schema, strategic
from ...kube.api.errors import ApiError
from .. import goyaml
from .run import Failure, Run

Json = dict[str, Any]
TARGETS = (
    "etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubeletconfiguration", "corednsdeployment",
)  # fmt: skip
TYPES = {
    "strategic": "application/strategic-merge-patch+json",
    "merge": "application/merge-patch+json",
    "json": "application/json-patch+json",
}
_NAME = re.compile(r"(?P<target>" + "|".join(TARGETS) + r")(?P<suffix>[^+.]*)(?:\+(?P<type>[^.]*))?\.(?P<extension>json|yaml)")


def _sort(run: Run, folder: str) -> tuple[list[str], list[str]]:
    """(files of patches, other files) of a directory."""
    known, ignored = [], []
    for name in sorted(run.names(folder)):
        if run.tree.isdir(f"{folder}/{name}"):
            continue
        match = _NAME.fullmatch(name)
        if match is None:
            suffix = name.rpartition(".")[2]
            why = (
                'the file extension must be one of [.json .yaml]' if suffix not in ("json", "yaml")
                else f"unknown target, must be one of [{' '.join(TARGETS)}]"
            )  # fmt: skip
            run.say(f'[patches] Ignoring file "{name}": {why}')
            ignored.append(name)
        elif match["type"] not in (None, *TYPES):
            raise Failure(f'unknown patch type "{match["type"]}" from file "{name}", known types: [json merge strategic]')
        elif not run.read(f"{folder}/{name}"):
            run.say(f'[patches] Ignoring empty file: "{name}"')
            ignored.append(name)
        else:
            known.append(name)
    return known, ignored


def _files(run: Run, folder: str) -> list[str]:
    """The patches of a directory, which a run reports once."""
    key = f"patches:{folder}"
    first = key not in run.checked
    run.checked.add(key)
    if not first:
        return [name for name in sorted(run.names(folder)) if _NAME.fullmatch(name) and run.read(f"{folder}/{name}")]
    run.say(f'[patches] Reading patches from path "{folder}"')
    known, ignored = _sort(run, folder)
    if known:
        run.say(f"[patches] Found the following patch files: [{' '.join(known)}]")
    if ignored:
        run.say(f"[patches] Ignored the following files: [{' '.join(ignored)}]")
    return known


def apply(run: Run, folder: str, target: str, obj: Json) -> Json:
    """The object with the folder's patches for `target`, in the order of their names; raises Failure."""
    where = run.inv.path(folder)
    if not run.tree.isdir(where):
        raise Failure(f"lstat {folder}: no such file or directory")
    for name in _files(run, where):
        match = _NAME.fullmatch(name)
        if match is None or match["target"] != target:
            continue
        kind = match["type"] or "strategic"
        for part in goyaml.split_documents(run.read(f"{where}/{name}").decode("utf-8", "replace")):
            try:
                change = goyaml.load(part)
            except goyaml.YamlError as error:
                raise Failure(f"could not convert patch to JSON: {error}") from None
            if change is None:
                continue
            obj = _apply(kind, obj, change, target)
            run.say(f'[patches] Applied patch of type "{TYPES[kind]}" to target "{target}"')
    return obj


def _apply(kind: str, obj: Json, change: Any, target: str) -> Json:
    try:
        if kind == "json":
            changed = patching.apply_json(obj, change)
        elif kind == "merge" or target == "kubeletconfiguration":
            changed = patching.merge(obj, change)
        else:
            name = "io.k8s.api.apps.v1.Deployment" if target == "corednsdeployment" else "io.k8s.api.core.v1.Pod"
            changed = strategic.strategic_merge(obj, change, schema.type_of(name))
    except (ApiError, ValueError, TypeError, KeyError) as error:
        raise Failure(f"could not apply the following patch of type {TYPES[kind]} to target {target}: {error}") from None
    found: Json = changed
    return found
