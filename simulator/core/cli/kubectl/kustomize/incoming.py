"""What a kustomization takes in: files, directories, components, the objects of generators (`accumulateResources`)."""

from __future__ import annotations

import posixpath
from typing import Any

from ....kernel.errors import NotSimulated
from ....kube.api.objects import clone
from ....runtime.addons import pages as addons
from ...flags import quote
from ..errors import CommandError
from ..manifests import download, parse
from ..session import Session
from . import origins
from .configuration import Config
from .items import Item, Obj
from .variables import Var


def is_remote(item: str) -> bool:
    """Whether a resource is an address or a repository."""
    return "://" in item or item.startswith(("github.com/", "git@"))


def definitions(item: str) -> tuple[Obj, ...]:
    """The objects of a folder in a repository: those that are there (runtime/addons); raises NotSimulated."""
    found = addons.kustomization(item)
    if found is None:
        raise NotSimulated(f"kustomize resource {item}")
    return found


class Incoming:
    """The part of a kustomization that reads; `Kustomization` is the whole."""

    s: Session
    path: str
    top: str
    items: list[Item]
    config: Config
    vars: list[Var]

    def __init__(self, session: Session, path: str, parent: Any = None) -> None:
        raise NotImplementedError

    def _resource(self, item: str) -> None:
        where = posixpath.normpath(posixpath.join(self.path, item))
        if self.s.inv.isdir(where):
            self._directory(where, item)
            return
        if is_remote(item):
            plain = item.startswith(("http://", "https://")) and item.partition("?")[0].endswith((".yaml", ".yml", ".json"))
            found = parse(download(self.s, item).decode("utf-8", "replace"), item, v3=True) if plain else definitions(item)
            self.items += [Item(clone(obj), origin=origins.origin(item)) for obj in found]
            return
        if not self.s.inv.exists(where):
            lost = f"evalsymlink failure on '{where}' : lstat {where}: no such file or directory"
            raise CommandError(f"accumulating resources: accumulation err='accumulating resources from '{item}': {lost}': must build at directory: not a "
                               f"valid directory: {lost}")  # fmt: skip
        self._outside(item, where)
        origin = origins.origin(posixpath.relpath(where, self.top))
        new = [
            Item(clone(obj), origin=origin)
            for obj in parse(self.s.inv.read_file(where).decode("utf-8", "replace"), item, v3=True)
        ]
        for one in new:
            if any(one.id == old.id for old in self.items):
                raise CommandError(
                    f"accumulating resources: accumulation err='merging resources from '{item}': may not add resource with an already registered id: {one.id}': "
                    f"must build at directory: '{where}': file is not directory"
                )
            self.items.append(one)

    def _outside(self, item: str, where: str) -> None:
        """Files outside the directory are refused (`LoadRestrictionsRootOnly`)."""
        values = self.s.values
        anywhere = values.has("load-restrictor") and values.text("load-restrictor") == "LoadRestrictionsNone"
        if not anywhere and not where.startswith(self.path.rstrip("/") + "/"):
            raise CommandError(
                f"accumulating resources: accumulation err='accumulating resources from '{item}': security; file '{where}' is not in or below '{self.path}'': "
                f"must build at directory: '{where}': file is not directory"
            )

    def _directory(self, where: str, item: str) -> None:
        if self.path == where or self.path.startswith(where.rstrip("/") + "/"):
            raise CommandError(f"accumulating resources: accumulation err='accumulating resources from '{item}': '{where}' must resolve to a file': "
                               f"cycle detected: candidate root '{where}' contains visited root '{self.path}'")  # fmt: skip
        inner: Any = type(self)(self.s, where, self)
        if inner.component:
            raise CommandError(f"accumulating resources: accumulation err='accumulating resources from '{item}': '{where}' must resolve to a file': "
                               f"expected kind != 'Component' for path '{where}'")  # fmt: skip
        inner.build([])
        for one in inner.items:
            if any(one.id == old.id for old in self.items):
                raise CommandError(
                    f"accumulating resources: accumulation err='accumulating resources from '{item}': '{where}' must resolve to a file': "
                    f"recursed merging from path '{where}': may not add resource with an already registered id: {one.id}"
                )
        self.items += inner.items
        self._take(inner)

    def _component(self, item: str) -> None:
        where = posixpath.normpath(posixpath.join(self.path, item))
        if not self.s.inv.isdir(where):
            if self.s.inv.exists(where):
                why = f"must build at directory: '{where}': file is not directory"
            else:
                why = f"must build at directory: not a valid directory: evalsymlink failure on '{where}' : lstat {where}: no such file or directory"
            raise CommandError(f"accumulating components: loader.New {quote(why)}")
        inner: Any = type(self)(self.s, where, self)
        if not inner.component:
            told = f"expected kind 'Component' for path '{where}' but got '{inner.spec.get('kind') or 'Kustomization'}'"
            raise CommandError(f"accumulating components: accumulateDirectory: {quote(told)}")
        try:
            inner.build(self.items)
        except CommandError as error:
            told = f"recursed accumulation of path '{where}': {error}"
            raise CommandError(f"accumulating components: accumulateDirectory: {quote(told)}") from None
        self.items = inner.items
        self._take(inner)

    def _take(self, inner: Any) -> None:
        """The places and variables of what is taken in (`MergeAccumulator`)."""
        self.config.merge(inner.config)
        for one in inner.vars:
            if any(one.name == old.name for old in self.vars):
                raise CommandError(f"var '{one.name}' already encountered")
        self.vars += inner.vars

    def file(self, path: str) -> bytes:
        """A file of the directory; raises CommandError."""
        where = posixpath.normpath(posixpath.join(self.path, path))
        try:
            return bytes(self.s.inv.read_file(where))
        except OSError:
            raise CommandError(f"evalsymlink failure on '{where}' : lstat {where}: no such file or directory") from None

    def _absorb(self, new: Item, behavior: str) -> None:
        """Add, merge or replace (`resWrangler.appendReplaceOrMerge`)."""
        found = [item for item in self.items if item.is_called(new.id)]
        told = f'resid.ResId{{Gvk:resid.Gvk{{Group:"", Version:"v1", Kind:{quote(new.id.kind)}, isClusterScoped:false}}, Name:{quote(new.id.name)}, Namespace:{quote(new.id.namespace)}}}'  # fmt: skip
        if not found:
            if behavior in ("merge", "replace"):
                raise CommandError(
                    f"merging from generator &{{0xc000a3c510 <nil>}}: id {told} does not exist; cannot merge or replace"
                )
            self.items.append(new)
            return
        if behavior not in ("merge", "replace"):
            raise CommandError(
                f"merging from generator &{{0xc000a3c510 <nil>}}: id {told} exists; behavior must be merge or replace"
            )
        old, meta = found[0], new.obj["metadata"]
        for key in ("labels", "annotations"):
            both = {**(old.obj["metadata"].get(key) or {}), **(meta.get(key) or {})}
            if both:
                meta[key] = both
        meta.update({key: value for key, value in old.obj["metadata"].items() if key in ("name", "namespace")})
        if behavior == "merge":
            for key in ("data", "binaryData"):
                data = {**(old.obj.get(key) or {}), **(new.obj.get(key) or {})}
                new.obj.update({key: data} if data else {})
        old.obj, old.hashed = new.obj, old.hashed or new.hashed
