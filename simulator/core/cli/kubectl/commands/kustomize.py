"""`kubectl kustomize` (`kubectl/pkg/cmd/kustomize`)."""

from __future__ import annotations

from ... import goyaml
from ...cobra import Command, Flag
from ..errors import CommandError
from ..kustomize import build
from ..session import Session

RESTRICTORS = ("LoadRestrictionsRootOnly", "LoadRestrictionsNone")


def run(s: Session) -> int:
    """Print what a kustomization builds."""
    args = s.values.args
    if len(args) > 1:
        raise CommandError("specify one path to kustomization.yaml")
    restrictor = s.values.text("load-restrictor")
    if restrictor not in RESTRICTORS:
        raise CommandError(f"illegal flag value --load-restrictor {restrictor}; legal values: [{' '.join(RESTRICTORS)}]")
    objects = build(s, args[0] if args else ".")
    text = "---\n".join(goyaml.dump(item) for item in objects)
    if s.values.text("output"):
        s.inv.write_file(s.values.text("output"), text.encode())
    else:
        s.out(text)
    return 0


COMMAND = Command(
    "kustomize DIR [flags]",
    short="Build a kustomization target from a directory or URL",
    long="Build a set of KRM resources using a 'kustomization.yaml' file. DIR must be a directory with one; the working directory without it.",
    example="# The current working directory\nkubectl kustomize\n\n# Another one\nkubectl kustomize /home/config/production",
    flags=(
        Flag(name="output", short="o", usage="Write to this file."),
        Flag(
            name="load-restrictor",
            default="LoadRestrictionsRootOnly",
            usage="Whether files outside the directory may be read.",
        ),
        Flag(name="enable-helm", support="no", kind="bool", usage="Enable the Helm chart inflator."),
        Flag(name="env", short="e", kind="array", usage="Environment of functions."),
        Flag(name="as-current-user", support="no", kind="bool", usage="Run functions as the current user."),
        Flag(name="enable-alpha-plugins", support="no", kind="bool", usage="Allow programs and functions as plug-ins."),
        Flag(name="helm-api-versions", support="no", kind="array", usage="API versions for Helm."),
        Flag(name="helm-command", support="no", default="helm", usage="The helm program."),
        Flag(name="helm-debug", support="no", kind="bool", usage="Debugging output of Helm."),
        Flag(name="helm-kube-version", support="no", usage="Kubernetes version for Helm."),
        Flag(name="mount", support="no", kind="array", usage="Storage of functions."),
        Flag(name="network", support="no", kind="bool", usage="Allow functions the network."),
        Flag(name="network-name", support="no", default="bridge", usage="The network of functions."),
    ),
    run=run,
)
