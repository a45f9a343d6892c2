"""Phases: a command as a list of steps that can be skipped, or run alone as `kubeadm COMMAND phase …` (cmd/phases/workflow).

A `Workflow` is built once for all worlds; what a run knows is the `data` that `prepare` makes and every phase is given.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from ..cobra import ArgsCheck, Command
from ..flags import Flag
from .run import Failure, Run, Steps

#: A phase's action, given the run's data.
Action = Callable[[Any], Steps]


class Phase(msgspec.Struct):
    """One step.  `flags` are the names of the command's flags that it takes when it runs alone; `all_siblings` makes it `all`."""

    name: str
    short: str = ""
    long: str = ""
    example: str = ""
    aliases: tuple[str, ...] = ()
    run: Action | None = None
    flags: tuple[str, ...] = ()
    local: tuple[Flag, ...] = ()
    phases: tuple[Phase, ...] = ()
    all_siblings: bool = False
    hidden: bool = False
    args: ArgsCheck | None = None
    needs: tuple[str, ...] = ()

    @property
    def word(self) -> str:
        """The name without its arguments."""
        return self.name.split(" ")[0].lower()


class Workflow:
    """The phases of a command."""

    def __init__(
        self,
        phases: tuple[Phase, ...],
        prepare: Callable[[Run, bool], Any],
        *,
        skipped: Callable[[Any], list[str]] = lambda data: [],
    ) -> None:
        self.phases = phases
        #: Makes the data of a run; told whether one phase runs alone.  May be a generator.
        self.prepare = prepare
        #: The phases that a run's configuration leaves out.
        self.skipped = skipped

    def walk(self) -> Iterator[tuple[Phase, str, int]]:
        """(phase, full name, level) of all that can run, in order."""
        yield from _walk(self.phases, "", 0)

    def help(self, use: str) -> str:
        """The list of phases in a command's description."""
        rows = [(phase, level) for phase, _, level in self.walk() if not phase.hidden]
        shown = [("/" if level else "") + phase.word for phase, level in rows]
        width = max(len(text) for text in shown)
        lines = [f'The "{use}" command executes the following phases:', "```"]
        for (phase, level), text in zip(rows, shown, strict=True):
            lines.append("  " * level + text + " " * (width - len(text) + 2) + phase.short)
        return "\n".join([*lines, "```"])

    def chosen(self, only: str, skip: list[str]) -> list[tuple[Phase, str]]:
        """What runs, given the one phase wanted ("" for all) and those skipped; raises Failure for a name that does not exist."""
        names = [full for _, full, _ in self.walk()]
        for name in skip:
            if name not in names:
                raise Failure(f"invalid phase name: {name}")
        out = []
        for phase, full, _ in self.walk():
            if only and full != only and not full.startswith(only + "/"):
                continue
            if any(full == name or full.startswith(name + "/") for name in skip):
                continue
            out.append((phase, full))
        return out

    def go(self, run: Run, data: Any, only: str = "") -> Steps:
        """Run the phases."""
        skip = run.values.items("skip-phases") if run.values.has("skip-phases") else []
        chosen = self.chosen(only, skip or self.skipped(data))
        self._check_needs(chosen)
        for phase, full in chosen:
            if phase.run is None:
                continue
            try:
                yield from phase.run(data)
            except Failure as failed:
                raise Failure(f"error execution phase {full}: {failed}") from None

    def _check_needs(self, chosen: list[tuple[Phase, str]]) -> None:
        seen: set[str] = set()
        for phase, _ in chosen:
            missing = [name for name in phase.needs if name not in seen]
            if missing:
                raise Failure(
                    f'unresolved dependencies:\n\tmissing [{" ".join(missing)}] phase(s) needed by "{phase.name}" phase'
                )
            seen.add(phase.name)


def _walk(phases: tuple[Phase, ...], above: str, level: int) -> Iterator[tuple[Phase, str, int]]:
    for phase in phases:
        if phase.all_siblings:
            continue
        full = f"{above}/{phase.word}" if above else phase.word
        yield phase, full, level
        yield from _walk(phase.phases, full, level + 1)


def bind(command: Command, workflow: Workflow, extra: tuple[Flag, ...] = ()) -> Command:
    """Give a command its `phase` subcommands, the list of them in its description, and `--skip-phases`."""
    from . import options

    flags = {flag.name: flag for flag in (*extra, *command.flags)}
    below = Command(
        "phase",
        short=f'Use this command to invoke single phase of the "{command.name}" workflow',
        args=_none,
        run=NEEDS_SUBCOMMAND,
    )
    for phase in workflow.phases:
        if not phase.hidden:
            below.add(_phase_command(phase, "", workflow, command, flags))
    command.add(below)
    command.long = f"{command.long or command.short}\n\n{workflow.help(command.use)}\n"
    command.flags.add(options.SKIP_PHASES)
    return command


def _none(command: Command, args: list[str]) -> str:
    return f'unknown command "{args[0]}" for "{command.path}"' if args else ""


#: The `run` of a command that only holds others.
NEEDS_SUBCOMMAND = "subcommand"


def _phase_command(phase: Phase, above: str, workflow: Workflow, root: Command, flags: dict[str, Flag]) -> Command:
    full = f"{above}/{phase.word}" if above else phase.word
    selector = above if phase.all_siblings else full

    def alone(run: Run) -> Steps:
        data = workflow.prepare(run, True)
        if hasattr(data, "send"):
            data = yield from data
        yield from workflow.go(run, data, selector)

    made = Command(
        phase.name.lower(),
        short=phase.short,
        long=phase.long,
        example=phase.example,
        aliases=phase.aliases,
        flags=tuple(flags[name] for name in phase.flags if name in flags) + phase.local,
        args=_none if phase.phases else (phase.args or root.args),
        run=NEEDS_SUBCOMMAND if phase.phases else alone,
    )
    for child in phase.phases:
        if not child.hidden:
            made.add(_phase_command(child, full, workflow, root, flags))
    return made
