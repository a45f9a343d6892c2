"""`kubectl kustomize` (`kubectl/pkg/cmd/kustomize`)."""

from __future__ import annotations

from ... import goyaml
from ...cobra import Command, Flag
from ..errors import CommandError
from ..kustomize import build
from ..session import Session


def run(s: Session) -> int:
    """Print what a kustomization builds."""
    args = s.values.args
    if len(args) > 1:
        raise CommandError("specify one path to kustomization.yaml")
    objects = build(s, args[0] if args else ".")
    text = "---\n".join(goyaml.dump(item) for item in objects)
    if s.values.text("output"):
        s.inv.write_file(s.values.text("output"), text.encode())
    else:
        s.out(text)
    return 0


COMMAND = Command(
    "kustomize DIR",
    short="Build a kustomization target from a directory or URL",
    long="Build a set of KRM resources using a 'kustomization.yaml' file. DIR must be a directory with one; the working directory without it.",
    example="# The current working directory\nkubectl kustomize\n\n# Another one\nkubectl kustomize /home/config/production",
    flags=(
        Flag(name="output", short="o", usage="Write to this file."),
        Flag(
            name="load-restrictor",
            support="no",
            default="LoadRestrictionsRootOnly",
            usage="Whether files outside the directory may be read.",
        ),
        Flag(name="enable-helm", support="no", kind="bool", usage="Enable the Helm chart inflator."),
        Flag(name="env", short="e", kind="array", usage="Environment of functions."),
    ),
    run=run,
)
