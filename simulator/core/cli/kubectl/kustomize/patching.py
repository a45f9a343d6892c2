"""Entries of `patches`: strategic merges and JSON operations (`api/internal/builtins/PatchTransformer.go`)."""

from __future__ import annotations

import posixpath
import re

from ... import goyaml
from ...flags import quote
from ..errors import CommandError
from . import merging
from .incoming import Incoming
from .items import Item, Obj, Selector, id_of


class Patching(Incoming):
    """The part of a kustomization that patches."""

    def patch(self, one: Obj) -> None:
        """An entry of `patches`: a strategic merge of one object or of a target's, or JSON operations on a target's."""
        text, target = str(one.get("patch") or "").strip(), one.get("target")
        told = f"[patch: {quote(text)}]" if text else f"[path: {quote(str(one.get('path') or ''))}]"
        if not text and not one.get("path"):
            raise CommandError(
                f"trouble configuring builtin PatchTransformer with config: `\n{goyaml.dump(one)}`: must specify one of patch and path in\n{goyaml.dump(one)}"
            )
        if text and one.get("path"):
            raise CommandError(
                f"trouble configuring builtin PatchTransformer with config: `\n{goyaml.dump(one)}`: patch and path can't be set at the same time\n{goyaml.dump(one)}"
            )
        if not text:
            where = posixpath.normpath(posixpath.join(self.path, str(one["path"])))
            if not self.s.inv.exists(where):
                lost = f"evalsymlink failure on '{where}' : lstat {where}: no such file or directory"
                raise CommandError(
                    f"trouble configuring builtin PatchTransformer with config: `\n{goyaml.dump(one)}`: failed to get the patch file from path({one['path']}): {lost}"
                )
            text = self.s.inv.read_file(where).decode("utf-8", "replace")
        documents = [goyaml.load(part, v3=True) for part in re.split(r"(?m)^---.*$", text) if part.strip()]
        if len(documents) == 1 and isinstance(documents[0], list):
            if not target:
                raise CommandError(f"must specify a target for JSON patch {told}")
            for item in self._targets(target):
                item.keep()
                item.obj = merging.operated(item.obj, documents[0])
            return
        if not all(isinstance(document, dict) and document.get("kind") for document in documents):
            raise CommandError(
                f"trouble configuring builtin PatchTransformer with config: `\n{goyaml.dump(one)}`: unable to parse SM or JSON patch from {told}"
            )
        options = one.get("options") or {}
        if target:
            if len(documents) > 1:
                raise CommandError(
                    f"Multiple Strategic-Merge Patches in one `patches` entry is not allowed to set `patches.target` field: {told}"
                )
            for item in self._targets(target):
                self._merge(item, documents[0], options)
            return
        for document in documents:
            wanted = id_of(document)
            found = [item for item in self.items if item.is_called(wanted)]
            if len(found) != 1:
                why = f"multiple matches for Id {wanted}" if found else f"no matches for Id {wanted}"
                raise CommandError(
                    f"no resource matches strategic merge patch {quote(str(wanted))}: {why}; failed to find unique target for patch {wanted}"
                )
            self._merge(found[0], document, options)

    def _merge(self, item: Item, change: Obj, options: Obj) -> None:
        """A strategic merge patch on one object; its name and kind stay unless the options let them change."""
        before = item.id
        item.keep()
        wanted = {key: value for key, value in change.items() if key not in ("apiVersion", "kind")}
        wanted["metadata"] = {
            key: value for key, value in (change.get("metadata") or {}).items() if key not in ("name", "namespace")
        }
        if not wanted["metadata"]:
            wanted.pop("metadata")
        merged = merging.merge(item.obj, wanted, self.config.merge_keys)
        if merged is None:
            self.items.remove(item)
            return
        item.obj = merged
        if options.get("allowNameChange") and (change.get("metadata") or {}).get("name"):
            item.obj["metadata"]["name"] = change["metadata"]["name"]
        if options.get("allowKindChange"):
            item.obj["kind"] = change.get("kind", before.kind)

    def _targets(self, target: Obj) -> list[Item]:
        selector = Selector(target)
        return [item for item in self.items if selector.chooses(item)]
