"""The editor's loop of `edit`, `apply edit-last-applied` and `create --edit` (`kubectl/pkg/cmd/util/editor/editoptions.go`).

Objects are written to a file, an editor changes it, and what it saved is sent: as patches (`edit`), as annotations (`edit-last-applied`)
or as new objects (`create --edit`).  What the server finds invalid is shown above the objects in the next round; the loop ends when a round
changes nothing.  The editor is KUBE_EDITOR or EDITOR, `vi` when neither is set; a shell runs it only where the text has quotes.
"""

from __future__ import annotations

import re
from collections.abc import Generator
from typing import Any, Literal

from ...host import files
from ...host.program import Wait
from ...host.tasks import resolve
from ...kube.api.errors import ApiError
from .. import goyaml
from ..flags import quote
from .builder import Info
from .create.base import LAST_APPLIED, with_last_applied
from .errors import CommandError, Silent, message_of
from .jsontext import compact, indented
from .manifests import flatten, parse
from .patches import merge_diff, send, update_diff
from .printers import Output, go_syntax, without_managed_fields
from .recording import recorded
from .session import Session

Obj = dict[str, Any]
Mode = Literal["normal", "apply", "create"]
HEAD = """# Please edit the object below. Lines beginning with a '#' will be ignored,
# and an empty file will abort the edit. If an error occurs while saving this file will be
# reopened with the relevant failures.
#
"""
HEAD_APPLIED = """# Please edit the 'last-applied-configuration' annotations below.
# Lines beginning with a '#' will be ignored, and an empty file will abort the edit.
#
"""
MAX_ROUNDS = 10


#: Forms that objects can be edited in.
FORMATS = ("json", "kyaml", "yaml")


class Editing:
    """One session of the editor over one object or several."""

    def __init__(self, s: Session, mode: Mode, infos: list[Info], *, manager: str, directive: str = "Strict") -> None:
        self.s, self.mode, self.infos, self.manager, self.directive = s, mode, infos, manager, directive
        self.as_json = s.values.text("output") == "json"
        self.output = Output(s)
        if self.output.given and self.output.name not in FORMATS:
            raise CommandError(
                f"unable to match a printer suitable for the output format {quote(self.output.format)}, allowed formats are: {','.join(FORMATS)}"
            )
        #: What the server said of the last round, in the words of the file's head.
        self.notes: list[str] = []
        self.retryable = self.absent = False

    def run(self) -> Generator[Wait, Any, None]:
        """Rounds until everything is saved, nothing changed, or the editor gives up; raises what ends the command."""
        original = content = self._body()
        path, failed = "", False
        for _ in range(MAX_ROUNDS):
            before, last = content, path
            path = self._write(content)
            yield from self._editor(path)
            content = self._read(path)
            if failed and content == before:
                raise self._kept(path, CommandError("Edit cancelled, no valid changes were saved."))
            self._remove(last)
            problem = self._validate(content)
            if problem:
                failed, self.notes = True, problem
                continue
            if content == original:
                self._remove(path)
                self.s.err("Edit cancelled, no changes made.\n")
                return
            self.notes = []
            try:
                self._save(content)
            except (CommandError, ApiError) as error:
                raise self._kept(path, error) from None
            if self.retryable:
                self.s.err(f"You can run `kubectl replace -f {path}` to try this update again.\n")
                raise Silent(1)
            if self.absent:
                self.s.err(f"The edits you made on deleted resources have been saved to {quote(path)}\n")
                raise Silent(1)
            if not self.notes:
                self._remove(path)
                return
            failed = True
        raise self._kept(path, CommandError("Edit cancelled, no valid changes were saved."))

    # -- the file -------------------------------------------------------------------------------------------------------
    def _shown(self, info: Info) -> Obj:
        obj = info.obj or {}
        return obj if self.s.values.on("show-managed-fields") else without_managed_fields(obj)

    def _body(self) -> str:
        shown = [self._shown(info) for info in self.infos]
        whole = shown[0] if len(shown) == 1 else {"apiVersion": "v1", "items": shown, "kind": "List", "metadata": {}}
        return indented(whole, 4) + "\n" if self.as_json else goyaml.dump(whole)

    def _write(self, content: str) -> str:
        ending = "json" if self.as_json else "yaml"
        path = f"/tmp/kubectl-edit-{self.s.world.rng('kubectl-edit').between(10**7, 4 * 10**9)}.{ending}"
        head = HEAD_APPLIED if self.mode == "apply" else HEAD
        notes = "".join("# " + line.replace("\n", "\n# ") + "\n" for line in self.notes) + ("#\n" if self.notes else "")
        text = content if self.as_json else head + notes + content
        if self.s.values.has("windows-line-endings") and self.s.values.on("windows-line-endings"):
            text = text.replace("\n", "\r\n")
        self.s.inv.write_file(path, text.encode(), mode=0o600)
        return path

    def _read(self, path: str) -> str:
        text = str(self.s.inv.read_file(path).decode("utf-8", "replace")).replace("\r\n", "\n")
        return text if self.as_json else "".join(line for line in text.splitlines(True) if not line.lstrip().startswith("#"))

    def _remove(self, path: str) -> None:
        inv = self.s.inv
        if path and inv.exists(path):
            files.remove_file(self.s.world, inv.host, inv.path(path), mnt=inv.proc.mnt)

    def _kept(self, path: str, error: Exception) -> Exception:
        """Say where the changes are, and hand back the error that ends the command."""
        if self.s.inv.exists(path):
            self.s.err(f"A copy of your changes has been stored to {quote(path)}\n")
        return error

    def _editor(self, path: str) -> Generator[Wait, Any, None]:
        inv = self.s.inv
        command = inv.env.get("KUBE_EDITOR") or inv.env.get("EDITOR") or "vi"
        if re.search(r"[\"'\\]", command):
            argv, shown = ["/bin/bash", "-c", f"{command} {path}"], f"/bin/bash -c {command}"
        else:
            argv, shown = [*command.split(" "), path], command
            try:
                resolve(inv.host, inv.proc.mnt, argv[0], cwd=inv.cwd, path=inv.env.get("PATH", ""), user=inv.proc.user)
            except OSError:
                raise CommandError(f"unable to launch the editor {quote(shown)}") from None
        if (yield from inv.run(argv)):
            raise CommandError(f"there was a problem with the editor {quote(shown)}")

    # -- what was saved -------------------------------------------------------------------------------------------------
    def _objects(self, content: str) -> list[Obj]:
        return [document.obj for item in parse(content, "edited-file") for document in flatten(item, "edited-file")]

    def _validate(self, content: str) -> list[str]:
        """What the client itself finds wrong with the file: syntax, and objects without a kind."""
        try:
            if not self._objects(content):
                raise CommandError("no object was found")
        except CommandError as error:
            why = str(error).split("error validating data: ")[-1].split("; if you choose")[0]
            info = self.infos[0]
            label = f"{info.mapping.kind.group_resource} {quote(info.name)}"
            self.s.err(f"error: {label} is invalid\n")
            return [f"{label} was not valid:", f'* <nil>: Invalid value: "The edited file failed validation": {why}']
        return []

    def _save(self, content: str) -> None:
        self.retryable = self.absent = False
        for edited in self._objects(content):
            namespace = str((edited.get("metadata") or {}).get("namespace") or "")
            if namespace and self.mode != "create" and namespace != self.s.namespace:
                raise CommandError(f"the namespace from the provided object {quote(namespace)} does not match the namespace {quote(self.s.namespace)}. "
                                   f"You must pass '--namespace={namespace}' to perform this operation.")  # fmt: skip
            if self.s.values.has("save-config") and self.s.values.on("save-config"):
                edited = with_last_applied(edited)
            edited = recorded(self.s, edited)
            if self.mode == "create":
                self._create(edited)
                continue
            uid = (edited.get("metadata") or {}).get("uid", "")
            info = next((item for item in self.infos if ((item.obj or {}).get("metadata") or {}).get("uid", "") == uid), None)
            if info is None:
                if not namespace and any(item.namespace for item in self.infos):  # the reader gives one to what has none
                    edited = {**edited, "metadata": {**(edited.get("metadata") or {}), "namespace": self.s.namespace}}
                raise CommandError(f"no original object found for &unstructured.Unstructured{{Object:{go_syntax(edited)}}}")
            if edited == self._shown(info):
                self.output.done(edited, "skipped")
            elif self.mode == "apply":
                self._annotate(info, edited)
            else:
                self._patch(info, edited)

    def _create(self, edited: Obj) -> None:
        mapping = self.s.mapper.for_object(edited)
        namespace = (edited.get("metadata") or {}).get("namespace") or self.s.namespace
        query = {"fieldManager": self.manager, "fieldValidation": self.directive}
        path = mapping.path(namespace if mapping.kind.namespaced else "")
        self.output.done(self.s.call("POST", path, query=query, obj=edited), "created")

    def _annotate(self, info: Info, edited: Obj) -> None:
        text = compact(edited) + "\n"
        patch = {"metadata": {"annotations": {LAST_APPLIED: text}}}
        send(self.s, info.mapping, info.namespace, info.name, patch, "merge", manager=self.manager, directive=self.directive)
        self.output.done(edited, "edited")

    def _patch(self, info: Info, edited: Obj) -> None:
        before = self._shown(info)
        same = all(edited.get(key) == before.get(key) for key in ("apiVersion", "kind"))
        if not same or (edited.get("metadata") or {}).get("name") != info.name:
            raise CommandError("At least one of apiVersion, kind and name was changed")
        s, values = self.s, self.s.values
        subresource = values.text("subresource") if values.has("subresource") else ""
        patch, form = (
            (merge_diff(before, edited), "merge") if info.mapping.kind.custom else update_diff(info.mapping, before, edited)
        )
        if values.has("output-patch") and values.on("output-patch"):
            s.out(f"Patch: {compact(patch)}\n")
        try:
            result = send(s, info.mapping, info.namespace, info.name, patch, form, manager=self.manager, subresource=subresource,
                          directive=self.directive)  # fmt: skip
        except ApiError as error:
            self._failed(info, error)
            return
        info.obj = result
        self.output.done(result, "edited")

    def _failed(self, info: Info, error: ApiError) -> None:
        label = f"{info.mapping.kind.group_resource} {quote(info.name)}"
        if error.reason == "Invalid":
            causes = (error.status.get("details") or {}).get("causes") or ()
            self.notes += [
                f"{label} was not valid:",
                *(f"* {item.get('field', '')}: {item.get('message', '')}" for item in causes),
            ]
            self.s.err(f"error: {label} is invalid\n")
        elif error.reason == "NotFound":
            self.absent = True
            self.s.err(f"error: {label} could not be found on the server\n")
        else:
            self.retryable = True
            self.s.err(f"error: {label} could not be patched: {message_of(CommandError(error.message))}\n")
