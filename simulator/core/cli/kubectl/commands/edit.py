"""`kubectl edit` (`kubectl/pkg/cmd/util/editor/editoptions.go`).

The editor is KUBE_EDITOR or EDITOR, run by the shell with the file's path; `vi` when neither is set.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from ....host.program import Wait
from ....kube.api.errors import ApiError
from ... import goyaml
from ...cobra import Command, Flag
from ...flags import quote
from ..builder import Builder, Info
from ..errors import CommandError, Silent, message_of, raise_all
from ..flagsets import field_manager_flag, file_arguments, file_flags, print_flags, record_flag, validate_flag
from ..jsontext import indented
from ..patches import send, update_diff
from ..printers import Output, without_managed_fields
from ..session import Session

Obj = dict[str, Any]
HEAD = """# Please edit the object below. Lines beginning with a '#' will be ignored,
# and an empty file will abort the edit. If an error occurs while saving this file will be
# reopened with the relevant failures.
#
"""
MAX_ROUNDS = 10


def run(s: Session) -> Generator[Wait, Any, int]:
    """Edit until the server takes it, nothing changes any more, or the editor gives up."""
    values = s.values
    builder = Builder(s, args=values.args, **file_arguments(s), latest=True, subresource=values.text("subresource"), eager=False)
    infos = builder.infos()
    raise_all(builder.errors)
    as_json = values.text("output") == "json"
    output = Output(s)
    for info in infos:
        yield from _edit(s, info, as_json, output)
    return 0


def _edit(s: Session, info: Info, as_json: bool, output: Output) -> Generator[Wait, Any, None]:
    live = info.obj or {}
    shown = live if s.values.on("show-managed-fields") else without_managed_fields(live)
    body = indented(shown, 4) + "\n" if as_json else goyaml.dump(shown)
    notes: list[str] = []
    original, content = body, body
    path = f"/tmp/kubectl-edit-{s.world.rng('kubectl-edit').between(10**7, 4 * 10**9)}.{'json' if as_json else 'yaml'}"
    for _ in range(MAX_ROUNDS):
        before = content
        s.inv.write_file(
            path,
            (("" if as_json else HEAD.removesuffix("#\n") + "".join(f"# {line}\n" for line in notes) + "#\n") + content).encode(),
        )
        yield from _editor(s, path)
        content = _stripped(s.inv.read_file(path).decode("utf-8", "replace"), as_json)
        if notes and content == before:
            _give_up(s, path)
        if content == original:
            _remove(s, path)
            s.err("Edit cancelled, no changes made.\n")
            return
        if not content.strip() and not notes:
            pass
        try:
            result = _save(s, info, live, content, path)
        except (ApiError, CommandError) as error:
            notes = _notes(s, info, error)
            continue
        _remove(s, path)
        output.done(result, "edited")
        return
    _give_up(s, path)


def _editor(s: Session, path: str) -> Generator[Wait, Any, None]:
    command = s.inv.env.get("KUBE_EDITOR") or s.inv.env.get("EDITOR") or "vi"
    code = yield from s.inv.run(["/bin/bash", "-c", f"{command} {path}"])
    if code:
        raise CommandError(f"there was a problem with the editor {quote(command)}")


def _stripped(text: str, as_json: bool) -> str:
    return text if as_json else "".join(line for line in text.splitlines(True) if not line.startswith("#"))


def _save(s: Session, info: Info, live: Obj, content: str, path: str) -> Obj:
    try:
        edited = goyaml.load(content)
    except goyaml.YamlError as error:
        raise CommandError(str(error)) from None
    if not isinstance(edited, dict):
        raise CommandError("no object was found")
    for key in ("apiVersion", "kind"):
        if edited.get(key) != live.get(key):
            _changed_identity(s, path)
    if (edited.get("metadata") or {}).get("name") != live["metadata"]["name"]:
        _changed_identity(s, path)
    before = live if s.values.on("show-managed-fields") else without_managed_fields(live)
    patch, form = update_diff(info.mapping, before, edited)
    manager = s.values.text("field-manager") or "kubectl-edit"
    return send(s, info.mapping, info.namespace, info.name, patch, form, manager=manager, directive="Strict")


def _changed_identity(s: Session, path: str) -> None:
    s.err(f'A copy of your changes has been stored to "{path}"\nerror: At least one of apiVersion, kind and name was changed\n')
    raise Silent(1)


def _notes(s: Session, info: Info, error: Exception) -> list[str]:
    """What the next round of the editor shows above the object, and what the terminal is told."""
    label = f'{info.mapping.kind.group_resource} "{info.name}"'
    if isinstance(error, ApiError) and error.reason == "Invalid":
        s.err(f"error: {label} is invalid\n")
        causes = (error.status.get("details") or {}).get("causes") or ()
        told = "\n".join(f"* {item.get('field', '')}: {item.get('message', '')}" for item in causes)
        return [f"{label} was not valid:", *told.split("\n")]
    if isinstance(error, ApiError) and error.reason not in ("BadRequest",):
        s.err(f"error: {label} could not be patched: {error.message}\n")
        return [f"{label} could not be patched: {error.message}"]
    s.err(f"error: {label} is invalid\n")
    return [f"{label} was not valid:", f"* {message_of(error)}"]


def _give_up(s: Session, path: str) -> None:
    s.err(f'A copy of your changes has been stored to "{path}"\nerror: Edit cancelled, no valid changes were saved.\n')
    raise Silent(1)


def _remove(s: Session, path: str) -> None:
    from ....host import files

    files.remove_file(s.world, s.inv.host, s.inv.path(path), mnt=s.inv.proc.mnt)


COMMAND = Command(
    "edit (RESOURCE/NAME | -f FILENAME)",
    short="Edit a resource on the server",
    long="""Edit a resource from the default editor.

 The editor is the one of KUBE_EDITOR or EDITOR, or 'vi'. What is saved is sent to the server; if it refuses, the file is opened again.""",
    example="""# The service named registry
kubectl edit svc/registry

# With another editor
KUBE_EDITOR="nano" kubectl edit svc/registry""",
    flags=(
        *print_flags(),
        *file_flags("Files, directories or URLs that name what to edit"),
        validate_flag(),
        Flag(name="output-patch", support="no", kind="bool", usage="Print the patch."),
        Flag(name="save-config", kind="bool", usage="Store the object in its own annotation."),
        Flag(name="subresource", usage="Edit this subresource."),
        Flag(name="windows-line-endings", support="inert", kind="bool", usage="Use CR LF line ends."),
        field_manager_flag("kubectl-edit"),
        record_flag(),
    ),
    run=run,
)
