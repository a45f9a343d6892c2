"""Every command of kubectl: one row a command, under the headings of the help screen (`kubectl/pkg/cmd/cmd.go`).

What exists in the real tool and only says so here is declared with `simulated=False` (commands) or `support="no"` (flags).
"""

from __future__ import annotations

from ..cobra import Command
from . import create
from .commands import (
    apply,
    auth,
    config,
    debug,
    delete,
    describe,
    diff,
    discovery,
    edit,
    events,
    execs,
    explain,
    expose,
    forward,
    get,
    kuberc,
    kustomize,
    logs,
    metadata,
    misc,
    nodes,
    patch,
    rollout,
    run,
    scale,
    taint,
    top,
    version,
    wait,
)
from .commands import set as set_command
from .flagsets import GLOBAL

#: Headings of `kubectl --help` and the commands below each, in order.
GROUPS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("Basic Commands (Beginner):", ("create", "expose", "run", "set")),
    ("Basic Commands (Intermediate):", ("explain", "get", "edit", "delete")),
    ("Deploy Commands:", ("rollout", "scale", "autoscale")),
    ("Cluster Management Commands:", ("certificate", "cluster-info", "top", "cordon", "uncordon", "drain", "taint")),
    ("Troubleshooting and Debugging Commands:",
     ("describe", "logs", "attach", "exec", "port-forward", "proxy", "cp", "auth", "debug", "events")),
    ("Advanced Commands:", ("diff", "apply", "patch", "replace", "wait", "kustomize")),
    ("Settings Commands:", ("label", "annotate", "completion")),
    ("Subcommands provided by plugins:", ()),
)  # fmt: skip

#: How often the discovery cache is asked before a command gives up; the rest ask five times.
TRIES: dict[str, int] = {"explain": 2, "api-resources": 1, "auth can-i": 2, "run": 1}

COMMANDS: tuple[Command, ...] = (
    create.COMMAND,
    get.COMMAND,
    describe.COMMAND,
    apply.COMMAND,
    delete.COMMAND,
    run.COMMAND,
    scale.COMMAND,
    scale.AUTOSCALE,
    expose.COMMAND,
    patch.COMMAND,
    patch.REPLACE,
    logs.COMMAND,
    execs.EXEC,
    execs.ATTACH,
    execs.CP,
    forward.FORWARD,
    forward.PROXY,
    debug.COMMAND,
    set_command.COMMAND,
    diff.COMMAND,
    edit.COMMAND,
    kustomize.COMMAND,
    explain.COMMAND,
    config.COMMAND,
    rollout.COMMAND,
    wait.COMMAND,
    auth.AUTH,
    auth.CERTIFICATE,
    top.TOP,
    events.COMMAND,
    nodes.CORDON,
    nodes.UNCORDON,
    nodes.DRAIN,
    taint.TAINT,
    misc.OPTIONS,
    misc.COMPLETION,
    misc.ALPHA,
    misc.PLUGIN,
    kuberc.COMMAND,
    metadata.LABEL,
    metadata.ANNOTATE,
    version.INFO,
    version.COMMAND,
    discovery.RESOURCES,
    discovery.VERSIONS,
)

ROOT = Command(
    "kubectl",
    short="kubectl controls the Kubernetes cluster manager",
    long="kubectl controls the Kubernetes cluster manager.\n\n Find more information at: https://kubernetes.io/docs/reference/kubectl/",
    persistent=GLOBAL,
    commands=COMMANDS,
)
