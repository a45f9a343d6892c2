"""The command tree of kubeadm and how a run begins and ends (app/kubeadm.go, cmd/cmd.go)."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from ...host.invocation import Call
from ...host.program import Wait
from ...kernel.errors import BadInput, ConnectError
from ...kube.api.errors import ApiError
from ..cobra import Command, FlagError, HelpRequested, UsageError
from ..cobra_help import stock_help
from ..flags import Flag
from . import certs, completion, configs, init, join, reset, tokencommands, upgrade, usercommands, versions
from .run import Failure, Run, go_error
from .workflow import NEEDS_SUBCOMMAND

LONG = """

    ┌──────────────────────────────────────────────────────────┐
    │ KUBEADM                                                  │
    │ Easily bootstrap a secure Kubernetes cluster             │
    │                                                          │
    │ Please give us feedback at:                              │
    │ https://github.com/kubernetes/kubeadm/issues             │
    └──────────────────────────────────────────────────────────┘

Example usage:

    Create a two-machine cluster with one control-plane node
    (which controls the cluster), and one worker node
    (where your workloads, like Pods and Deployments run).

    ┌──────────────────────────────────────────────────────────┐
    │ On the first machine:                                    │
    ├──────────────────────────────────────────────────────────┤
    │ control-plane# kubeadm init                              │
    └──────────────────────────────────────────────────────────┘

    ┌──────────────────────────────────────────────────────────┐
    │ On the second machine:                                   │
    ├──────────────────────────────────────────────────────────┤
    │ worker# kubeadm join <arguments-returned-from-init>      │
    └──────────────────────────────────────────────────────────┘

    You can then repeat the second step on as many other machines as you like.
"""

_GLOBAL = (
    Flag(
        name="rootfs",
        usage="The path to the 'real' host root filesystem. This will cause kubeadm to chroot into the provided path.",
    ),
    Flag(name="v", short="v", kind="level", usage="number for the log level verbosity", type_name="Level"),
    Flag(
        name="vmodule",
        usage="comma-separated list of pattern=N settings for file-filtered logging",
        type_name="moduleSpec",
        support="inert",
    ),
)


def _help(run: Run) -> Generator[Wait, Any, None]:
    """`kubeadm help [command]`."""
    command, rest = ROOT.find(run.args)
    if rest and command is ROOT:
        run.inv.err(f"Unknown help topic {_list(run.args)}\n")
        run.inv.err(stock_help(ROOT).partition("Usage:")[1] + stock_help(ROOT).partition("Usage:")[2])
        return
    run.out(stock_help(command))
    return
    yield


def _list(words: list[str]) -> str:
    return "[" + " ".join(f"`{word}`" for word in words) + "]"


ROOT = Command(
    "kubeadm",
    short="kubeadm: easily bootstrap a secure Kubernetes cluster",
    long=LONG,
    persistent=_GLOBAL,
    commands=(
        Command("alpha", short="Kubeadm experimental sub-commands"),
        certs.COMMAND,
        completion.COMMAND,
        configs.COMMAND,
        Command("help [command]", short="Help about any command", long="", run=_help),
        init.COMMAND,
        join.COMMAND,
        reset.COMMAND,
        usercommands.COMMAND,
        tokencommands.COMMAND,
        upgrade.COMMAND,
        versions.COMMAND,
    ),
)


def main(inv: Call) -> Generator[Wait, Any, int]:
    """Run one kubeadm command line."""
    try:
        yield from _main(inv)
    except (UsageError, FlagError, Failure) as error:
        return _report(inv, str(error))
    except (ApiError, BadInput) as error:
        return _report(inv, str(error))
    except ConnectError as error:
        return _report(inv, f"dial tcp {error.address}: connect: connection refused")
    except OSError as error:
        return _report(inv, go_error(error))
    return 0


def _main(inv: Call) -> Generator[Wait, Any, None]:
    command, rest = ROOT.find(inv.argv[1:])
    try:
        values = command.parse(rest)
    except HelpRequested:
        inv.out(stock_help(command))
        return
    for warning in values.warnings:
        inv.err(f"{warning}\n")
    root = values.text("rootfs") if values.has("rootfs") else ""
    if command.run is None:
        inv.out(stock_help(command))
        return
    command.validate(values)
    if root and root != "/":
        _chroot(inv, root)
    if command.run == NEEDS_SUBCOMMAND:
        inv.out(stock_help(command))
        raise Failure("\nerror: subcommand is required")
    steps = command.run(Run(inv, values))
    if steps is not None:
        yield from steps


def _chroot(inv: Call, path: str) -> None:
    """kubeadm changes its root; here only to where it is already."""
    if not inv.isdir(path):
        raise Failure(f"unable to chroot to {path}: no such file or directory")
    if inv.uid != 0:
        raise Failure(f"unable to chroot to {path}: operation not permitted")
    raise Failure("--rootfs: not simulated in Slipway yet")


def _report(inv: Call, text: str) -> int:
    hint = "\nTo see the stack trace of this error execute with --v=5 or higher"
    inv.err(f"error: {text}{hint}\n")
    return 1
