"""`kubectl options`, `completion`, `plugin`, `alpha` (`kubectl/pkg/cmd/options`, `completion`, `plugin`, `alpha.go`)."""

from __future__ import annotations

from ....kernel.errors import NotSimulated
from ...cobra import Command, Flag
from ...flags import quote
from ..errors import CommandError, UsageError
from ..groups import group_run
from ..session import Session


def run_options(s: Session) -> int:
    """`kubectl options`."""
    from ..root import help_text

    s.out(help_text(s.command))
    return 0


def run_completion(s: Session) -> int:
    """`kubectl completion`: the shell here completes by itself, so the script has nothing to define."""
    args = s.values.args
    if not args:
        raise UsageError(s.command, "Shell not specified.")
    if len(args) > 1:
        raise UsageError(s.command, "Too many arguments. Expected only the shell type.")
    if args[0] not in ("bash", "zsh", "fish", "powershell"):
        raise UsageError(s.command, f"Unsupported shell type {quote(args[0])}.")
    if args[0] != "bash":
        raise NotSimulated(f"kubectl completion {args[0]}")
    s.out("# The terminal of Slipway completes kubectl without a script.\n:\n")
    return 0


def run_alpha(s: Session) -> int:
    """`kubectl alpha`: there is none in this version."""
    s.err("No alpha commands are available in this version of kubectl\n")
    return 0


def run_plugins(s: Session) -> int:
    """`kubectl plugin list`."""
    found = []
    for folder in dict.fromkeys(s.inv.env.get("PATH", "/usr/local/bin:/usr/bin:/bin").split(":")):
        if folder and s.inv.isdir(folder):
            found += [f"{folder}/{name}" for name in s.inv.tree.listdir(s.inv.path(folder)) if name.startswith("kubectl-")]
    if not found:
        raise CommandError("unable to find any kubectl plugins in your PATH")
    s.out("The following compatible plugins are available:\n\n")
    for path in found:
        s.out((path.rsplit("/", 1)[1] if s.values.on("name-only") else path) + "\n")
    return 0


OPTIONS = Command("options [flags]", short="Print the list of flags inherited by all commands", long="Print the list of flags inherited by all commands",
                  example="# Print flags inherited by all commands\nkubectl options", run=run_options)  # fmt: skip
COMPLETION = Command(
    "completion SHELL",
    short="Output shell completion code for the specified shell (bash, zsh, fish, or powershell)",
    long="Output shell completion code for the specified shell (bash, zsh, fish, or powershell).",
    example="# In this shell\nsource <(kubectl completion bash)",
    run=run_completion,
)
ALPHA = Command(
    "alpha [flags]",
    short="Commands for features in alpha",
    long="These commands correspond to alpha features.",
    hidden=True,
    run=run_alpha,
)
PLUGIN = Command(
    "plugin [flags]",
    short="Provides utilities for interacting with plugins",
    long="Provides utilities for interacting with plugins.\n\n A plugin is an executable on the PATH whose name begins with kubectl-.",
    example="# Every plug-in\nkubectl plugin list",
    commands=(
        Command("list [flags]", example="# Every plug-in\nkubectl plugin list\n\n# Their names\nkubectl plugin list --name-only", short="List all visible plugin executables on a user's PATH", long="List all available plugin files on a user's PATH.",
                flags=(Flag(name="name-only", kind="bool", usage="Print only the names"),), run=run_plugins),
    ),
    run=group_run("stderr", 1),
)  # fmt: skip
