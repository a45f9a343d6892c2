"""`kubectl edit` (`kubectl/pkg/cmd/edit/edit.go`)."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from ....host.program import Wait
from ...cobra import Command, Flag
from ..builder import Builder
from ..editing import Editing
from ..errors import CommandError, raise_all
from ..flagsets import field_manager_flag, file_arguments, file_flags, print_flags, record_flag, validate_flag, validation
from ..session import Session


def run(s: Session) -> Generator[Wait, Any, int]:
    """Edit objects until the server takes them, nothing changes any more, or the editor gives up."""
    values = s.values
    directive = validation(s)
    builder = Builder(
        s, args=values.args, **file_arguments(s), latest=True, allow_empty=True, subresource=values.text("subresource")
    )
    infos = builder.infos()
    raise_all(builder.errors)
    if not infos:
        raise CommandError("edit cancelled, no objects found")
    yield from Editing(s, "normal", infos, manager=values.text("field-manager") or "kubectl-edit", directive=directive).run()
    return 0


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
        Flag(name="output-patch", kind="bool", usage="Print the patch."),
        Flag(name="save-config", kind="bool", usage="Store the object in its own annotation."),
        Flag(name="subresource", usage="Edit this subresource."),
        Flag(name="windows-line-endings", kind="bool", usage="Use CR LF line ends."),
        field_manager_flag("kubectl-edit"),
        record_flag(),
    ),
    run=run,
)
