"""The command `helm`: its command line, and how its errors are told."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from ...host.program import Sleep, Wait
from ...kernel.errors import NotSimulated
from ...kube.api.errors import ApiError
from ...shell.coreutils.common import device_fd, read_path
from ..cobra import FlagError, HelpRequested, UsageError
from ..cobra_help import stock_help
from ..kubectl.errors import CommandError, UrlError
from . import commands, local
from .cluster import HelmError
from .session import Helm
from .tree import ROOT

Steps = Generator[Wait, Any, int]


def main(inv: Any) -> Steps:
    """Run helm; registered as the command `helm`."""
    args = list(inv.argv[1:])
    if args[:1] == ["help"]:
        args = [*args[1:], "--help"]
    try:
        command, rest = ROOT.find(args)
        values = command.parse(rest)
        command.validate(values)
    except HelpRequested:
        inv.out(stock_help(ROOT.find(args)[0]))
        return 0
    except UsageError as error:
        text = str(error)
        inv.err(f"Error: {text}\n" + ("Run 'helm --help' for usage.\n" if text.startswith("unknown command") else ""))
        return 1
    except FlagError as error:
        inv.err(f"Error: {error}\n")
        return 1
    if command.run is None:
        inv.out(stock_help(command))
        return 0
    refused = next((flag.name for flag in command.all_flags() if flag.support == "no" and flag.name in values.changed), "")
    if refused or not command.simulated:
        inv.err(f"Error: {NotSimulated(command.path + (f' --{refused}' if refused else ''))}\n")
        return 1
    helm = Helm(inv, command, values)
    for path in values.items("values") if values.has("values") else ():
        if path == "-" or device_fd(path) is not None:
            helm.inputs[path] = yield from (inv.read() if path == "-" else read_path(inv, path))
    run = getattr(commands, command.run, None) or getattr(local, command.run)
    try:
        code = run(helm)
        if isinstance(code, Generator):
            code = yield from code
    except UrlError as error:
        inv.err(f"Error: {'Kubernetes cluster unreachable: ' if command.name not in ('template', 'lint') else ''}{error}\n")
        code = 1
    except (HelmError, CommandError, NotSimulated) as error:
        inv.err(f"Error: {error}\n")
        code = 1
    except ApiError as error:
        inv.err(f"Error: {error.message}\n")
        code = 1
    except OSError as error:
        inv.err(f"Error: open {error.filename or ''}: {(error.strerror or str(error)).lower()}\n")
        code = 1
    spent = helm.s.elapsed() if "s" in helm.__dict__ else 0
    if spent:
        yield Sleep(spent)
    return int(code or 0)
