"""What Helm does to the cluster: create, update and delete the objects of a manifest in its order, hooks, and waiting (helm `pkg/kube`, `pkg/action`)."""

from __future__ import annotations

import re
from collections.abc import Callable, Generator
from typing import Any

import msgspec

from ...host.program import Sleep, Wait
from ...kernel.clock import SECOND
from ...kube.api.errors import ApiError
from .. import goyaml
from ..kubectl.mapper import Mapping
from ..kubectl.patches import send, type_of
from ..kubectl.session import Session
from ..kubectl.threeway import json_merge, strategic

Obj = dict[str, Any]
Steps = Generator[Wait, Any, None]
#: The order of creation (releaseutil/kind_sorter.go); deletion is the other way round, kinds that are not here come last.
ORDER = (
    "PriorityClass Namespace NetworkPolicy ResourceQuota LimitRange PodSecurityPolicy PodDisruptionBudget ServiceAccount Secret SecretList ConfigMap StorageClass PersistentVolume "
    "PersistentVolumeClaim CustomResourceDefinition ClusterRole ClusterRoleList ClusterRoleBinding ClusterRoleBindingList Role RoleList RoleBinding RoleBindingList Service DaemonSet Pod "
    "ReplicationController ReplicaSet Deployment HorizontalPodAutoscaler StatefulSet Job CronJob IngressClass Ingress APIService MutatingWebhookConfiguration ValidatingWebhookConfiguration"
).split()
NAME, NAMESPACE, MANAGED = "meta.helm.sh/release-name", "meta.helm.sh/release-namespace", "app.kubernetes.io/managed-by"


class HelmError(Exception):
    """What ends a command; the text follows `Error: `."""


class Piece(msgspec.Struct):
    """One object of a manifest: where it comes from, its text, and itself."""

    source: str
    text: str
    obj: Obj

    @property
    def kind(self) -> str:
        """Its kind."""
        return str(self.obj.get("kind", ""))

    @property
    def name(self) -> str:
        """Its name."""
        return str((self.obj.get("metadata") or {}).get("name", ""))

    @property
    def annotations(self) -> Obj:
        """Its annotations."""
        return (self.obj.get("metadata") or {}).get("annotations") or {}


def pieces(rendered: dict[str, str]) -> list[Piece]:
    """The objects of rendered templates; raises HelmError for what is no YAML."""
    out: list[Piece] = []
    for source, text in sorted(rendered.items()):
        if source.endswith("NOTES.txt"):
            continue
        for document in re.split(r"(?m)^---[ \t]*(?:#.*)?$", text):
            body = document.strip()
            if not body:
                continue
            try:
                obj = goyaml.load(body)
            except (goyaml.YamlError, ValueError) as bad:
                raise HelmError(f"YAML parse error on {source}: error converting YAML to JSON: {bad}") from None
            if obj is None:
                continue
            if not isinstance(obj, dict):
                raise HelmError(
                    f"YAML parse error on {source}: error unmarshaling JSON: while decoding JSON: json: cannot unmarshal string into Go value of type releaseutil.SimpleHead"
                )
            out.append(Piece(source, body, obj))
    return out


def in_order(found: list[Piece]) -> list[Piece]:
    """As Helm installs them."""
    place = {kind: at for at, kind in enumerate(ORDER)}
    return sorted(found, key=lambda one: (place.get(one.kind, len(ORDER)), "" if one.kind in place else one.kind))


def manifest(found: list[Piece]) -> str:
    """The manifest's text with the source of each object."""
    return "".join(f"---\n# Source: {one.source}\n{one.text}\n" for one in found)


def parse(text: str) -> list[Piece]:
    """The objects of a stored manifest."""
    out = []
    for part in re.split(r"(?m)^---$", text):
        match = re.match(r"\s*# Source: (\S+)\n(.*)", part, re.DOTALL)
        if match is not None:
            obj = goyaml.load(match[2])
            if isinstance(obj, dict):
                out.append(Piece(match[1], match[2].strip(), obj))
    return out


def hooks_of(found: list[Piece]) -> tuple[list[Piece], list[Piece]]:
    """(objects of the release, hooks)."""
    hooks = [one for one in found if "helm.sh/hook" in one.annotations]
    return [one for one in found if "helm.sh/hook" not in one.annotations], hooks


class Cluster:
    """The objects of one release."""

    def __init__(self, s: Session, name: str, namespace: str) -> None:
        self.s, self.name, self.namespace = s, name, namespace

    def mapping(self, piece: Piece) -> Mapping:
        """The resource of an object; raises HelmError for kinds that nobody serves."""
        try:
            return self.s.mapper.for_object(piece.obj)
        except Exception as error:
            if isinstance(error, ApiError):
                raise
            text = f'unable to build kubernetes objects from release manifest: resource mapping not found for name: "{piece.name}" namespace: "{self.space(piece)}" from "": '
            text += f'no matches for kind "{piece.kind}" in version "{piece.obj.get("apiVersion", "")}"\nensure CRDs are installed first'
            raise HelmError(text) from None

    def space(self, piece: Piece) -> str:
        """The namespace of an object."""
        return str((piece.obj.get("metadata") or {}).get("namespace") or self.namespace)

    def live(self, piece: Piece) -> Obj | None:
        """The object as the cluster has it."""
        mapping = self.mapping(piece)
        try:
            found: Obj = self.s.call("GET", mapping.path(self.space(piece), piece.name))
            return found
        except ApiError as error:
            if error.code == 404:
                return None
            raise

    def owned(self, piece: Piece) -> Obj:
        """The object with the marks of the release (setMetadataVisitor)."""
        obj = dict(piece.obj)
        meta = dict(obj.get("metadata") or {})
        meta["labels"] = {**(meta.get("labels") or {}), MANAGED: "Helm"}
        meta["annotations"] = {**(meta.get("annotations") or {}), NAME: self.name, NAMESPACE: self.namespace}
        if self.mapping(piece).kind.namespaced:
            meta.setdefault("namespace", self.namespace)
        return {**obj, "metadata": meta}

    def check_owner(self, found: list[Piece]) -> None:
        """What is there already must belong to the release (existingResourceConflict)."""
        for piece in found:
            live = self.live(piece)
            if live is None:
                continue
            meta = live["metadata"]
            why = []
            if (meta.get("labels") or {}).get(MANAGED) != "Helm":
                held = (meta.get("labels") or {}).get(MANAGED)
                why.append(
                    f'label validation error: missing key "{MANAGED}": must be set to "Helm"'
                    if held is None
                    else f'label validation error: key "{MANAGED}" must equal "Helm": current value is "{held}"'
                )
            for key, wanted in ((NAME, self.name), (NAMESPACE, self.namespace)):
                held = (meta.get("annotations") or {}).get(key)
                if held is None:
                    why.append(f'annotation validation error: missing key "{key}": must be set to "{wanted}"')
                elif held != wanted:
                    why.append(f'annotation validation error: key "{key}" must equal "{wanted}": current value is "{held}"')
            if why:
                place = f' in namespace "{meta["namespace"]}"' if meta.get("namespace") else ' in namespace ""'
                raise HelmError(
                    f'{piece.kind} "{piece.name}"{place} exists and cannot be imported into the current release: invalid ownership metadata; '
                    + "; ".join(why)
                )

    def create(self, piece: Piece) -> Obj:
        """Create an object."""
        obj = self.owned(piece)
        made: Obj = self.s.call("POST", self.mapping(piece).path(self.space(piece)), query={"fieldManager": "helm"}, obj=obj)
        return made

    def update(self, old: list[Piece], new: list[Piece]) -> None:
        """Bring the cluster from one manifest to another: three-way merges, new objects, and what is gone is deleted."""
        before = {(one.kind, self.space(one), one.name): one for one in old}
        for piece in new:
            live = self.live(piece)
            if live is None:
                self.create(piece)
                continue
            self._patch(piece, before.get((piece.kind, self.space(piece), piece.name), piece), live)
        kept = {(one.kind, self.space(one), one.name) for one in new}
        self.delete([one for key, one in before.items() if key not in kept])

    def _patch(self, piece: Piece, old: Piece, live: Obj) -> None:
        mapping = self.mapping(piece)
        kind = type_of(mapping)
        base, wanted = self.owned(old), self.owned(piece)
        patch = strategic(base, wanted, live, kind) if kind is not None else json_merge(base, wanted, live)
        if patch:
            send(
                self.s,
                mapping,
                self.space(piece),
                piece.name,
                patch,
                "strategic" if kind is not None else "merge",
                manager="helm",
            )

    def delete(self, found: list[Piece]) -> list[str]:
        """Delete objects, the last of the order first; those that ask to be kept are named."""
        kept = []
        for piece in reversed(in_order(found)):
            if piece.annotations.get("helm.sh/resource-policy") == "keep":
                kept.append(f"[{piece.kind}] {piece.name}")
                continue
            try:
                self.s.call(
                    "DELETE", self.mapping(piece).path(self.space(piece), piece.name), query={"propagationPolicy": "Background"}
                )
            except ApiError as error:
                if error.code != 404:
                    raise
        return kept

    # -- hooks ------------------------------------------------------------------------------------------------------------
    def run_hooks(self, hooks: list[Piece], event: str, timeout: int) -> Steps:
        """The hooks of an event by weight, one after the other; raises HelmError when one fails or does not end."""
        chosen = [one for one in hooks if event in [word.strip() for word in str(one.annotations["helm.sh/hook"]).split(",")]]
        for piece in sorted(
            chosen, key=lambda one: (int(str(one.annotations.get("helm.sh/hook-weight") or 0)), one.kind, one.name)
        ):
            policy = str(piece.annotations.get("helm.sh/hook-delete-policy") or "before-hook-creation")
            if "before-hook-creation" in policy:
                self.delete([piece])
                yield from self._until(lambda piece=piece: self.live(piece) is None, timeout, piece)  # type: ignore[misc]
            self.create(piece)
            failed = ""
            end = self.s.world.now + timeout
            while piece.kind in ("Job", "Pod"):
                failed, done = self._ended(piece)
                if done:
                    break
                if self.s.world.now >= end:
                    failed = "timed out waiting for the condition"
                    break
                yield Sleep(SECOND)
            if ("hook-failed" if failed else "hook-succeeded") in policy:
                self.delete([piece])
            if failed:
                raise HelmError(failed)

    def _ended(self, piece: Piece) -> tuple[str, bool]:
        """(why it failed, whether it has ended)."""
        live = self.live(piece) or {}
        status = live.get("status") or {}
        if piece.kind == "Pod":
            phase = status.get("phase")
            return (f"pod {piece.name} failed" if phase == "Failed" else "", phase in ("Succeeded", "Failed"))
        for condition in status.get("conditions") or ():
            if condition.get("status") == "True" and condition.get("type") == "Complete":
                return "", True
            if condition.get("status") == "True" and condition.get("type") == "Failed":
                return f"job {piece.name} failed: {condition.get('reason', '')}", True
        return "", False

    def _until(self, ready: Callable[[], bool], timeout: int, piece: Piece) -> Steps:
        end = self.s.world.now + timeout
        while not ready():
            if self.s.world.now >= end:
                raise HelmError("timed out waiting for the condition")
            yield Sleep(SECOND)

    # -- waiting ----------------------------------------------------------------------------------------------------------
    def wait(self, found: list[Piece], timeout: int) -> Steps:
        """Until everything is ready (kube/ready.go); raises HelmError after the timeout."""
        end = self.s.world.now + timeout
        while not all(self.ready(piece) for piece in found):
            if self.s.world.now >= end:
                raise HelmError("context deadline exceeded")
            yield Sleep(2 * SECOND)

    def ready(self, piece: Piece) -> bool:
        """Whether one object is ready."""
        live = self.live(piece)
        if live is None:
            return False
        spec, status = live.get("spec") or {}, live.get("status") or {}
        if piece.kind == "Deployment":
            wanted, seen = spec.get("replicas", 1), status.get("observedGeneration", 0) >= live["metadata"].get("generation", 1)
            return bool(seen and status.get("updatedReplicas", 0) >= wanted and status.get("readyReplicas", 0) >= wanted)
        if piece.kind in ("StatefulSet", "ReplicaSet"):
            return bool(status.get("readyReplicas", 0) >= spec.get("replicas", 1))
        if piece.kind == "DaemonSet":
            return bool("numberReady" in status and status["numberReady"] >= status.get("desiredNumberScheduled", 0))
        if piece.kind == "Pod":
            return any(c["type"] == "Ready" and c["status"] == "True" for c in status.get("conditions") or ())
        if piece.kind == "PersistentVolumeClaim":
            return bool(status.get("phase") == "Bound")
        if piece.kind == "Service" and spec.get("type") == "LoadBalancer":
            return bool((status.get("loadBalancer") or {}).get("ingress"))
        return True


def lookup(s: Session) -> Callable[..., Any]:
    """The template function `lookup`: an object or a list of them, empty when there is none."""

    def find(version: str, kind: str, namespace: str, name: str) -> Obj:
        try:
            mapping = s.mapper.for_object({"apiVersion": version, "kind": kind})
            found: Obj = s.call("GET", mapping.path(namespace, name))
        except Exception as error:
            if isinstance(error, ApiError) and error.code != 404:
                raise ValueError(str(error)) from None
            return {}
        return found

    return find


__all__ = ["Cluster", "HelmError", "Piece", "hooks_of", "in_order", "lookup", "manifest", "parse", "pieces"]
