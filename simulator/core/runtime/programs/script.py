"""Waiting shell scripts as main processes, kept as plain data: `sh -c "…; sleep N; …"`, `sh -c "while true; do …; sleep N; done"`.

Such a script would be a waiting coroutine, and a world with one could not be stored.  Where nothing but the sleep waits and no
variable lives on from one part to the next, its parts are run by the shell one after the other and the sleep is a timer.
Everything else stays a coroutine of the executor.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from ...host import executor, processes, streams
from ...host.process import Process
from ...kernel.world import World
from .basics import Quiet

_LOOP = re.compile(
    r"\s*(?:(?P<first>.*?)[;\n]\s*)?while\s+(?:true|:)\s*[;\n]\s*do\s+(?P<body>.*?)[;\n]\s*sleep\s+(?P<time>\S+?)\s*[;\n]\s*done\s*;?\s*",
    re.S,
)
_ONCE = re.compile(r"\s*(?P<body>.*?)[;\n]\s*sleep\s+(?P<time>\S+?)\s*(?:[;\n]\s*(?P<last>.*?))?\s*;?\s*", re.S)
#: What would wait by itself, or carry something from one part to the next.
_COMPLEX = re.compile(
    r"\b(sleep|while|until|for|if|case|wait|read|trap|exec|tail|nc|set|cd|export|local|function)\b|=|&(?!&)|\(\)|<<|`|\{|\|\|"
)


class Plan(msgspec.Struct, frozen=True):
    """A script in parts: `first` once, then `body` and a sleep (for ever when `loop`), then `last`."""

    first: str
    body: str
    sleep: int
    loop: bool
    last: str = ""


def plan(argv: list[str]) -> Plan | None:
    """The parts of a script, or None when it is not of this simple kind."""
    from .signals import parse_sleep

    if len(argv) != 3 or argv[1] != "-c" or argv[0].rpartition("/")[2] not in ("sh", "ash", "bash"):
        return None
    for pattern, loop in ((_LOOP, True), (_ONCE, False)):
        match = pattern.fullmatch(argv[2])
        if match is None:
            continue
        found = match.groupdict()
        parts = [str(found.get(name) or "").strip() for name in ("first", "body", "last")]
        span = parse_sleep([found["time"]])
        if span is None or any(_COMPLEX.search(part) for part in parts) or "&&" in parts[1][-2:]:
            return None
        return Plan(parts[0], parts[1], span, loop, parts[2])
    return None


class Script(Quiet):
    """The program `container-script`: runs the parts; where it stands is in its timers."""

    def start(self, world: World, proc: Process) -> None:
        """Run the first part."""
        found = plan(proc.argv)
        assert found is not None
        self._part(world, proc, "first" if found.first else "body")

    def _part(self, world: World, proc: Process, name: str) -> None:
        from ..stdio import LogStream

        found = plan(proc.argv)
        assert found is not None
        out: streams.Stream = streams.Null()
        err: streams.Stream = out
        if proc.sink.startswith("cri:"):
            out = LogStream(world, proc.host, proc.container, "stdout")
            err = LogStream(world, proc.host, proc.container, "stderr")
        child = executor.get(world).spawn(
            proc.host,
            [proc.argv[0], "-c", getattr(found, name) or ":"],
            {0: streams.Null(), 1: out, 2: err},
            user=proc.user,
            cwd=proc.cwd,
            env=dict(proc.env),
            mnt=proc.mnt,
            netns=proc.netns,
            ppid=proc.pid,
            container=proc.container,
        )
        processes.watch_exit(world, child, proc.target, name)
        world.at(world.now, "co:", None)

    def timer(self, world: World, proc: Process, payload: Any) -> None:
        """`[part, pid, code]` when a part has ended; `wake` when the sleep is over."""
        found = plan(proc.argv)
        assert found is not None
        if payload == "wake":
            if found.loop:
                self._part(world, proc, "body")
            elif found.last:
                self._part(world, proc, "last")
            else:
                processes.exit(world, proc, 0)
            return
        name, _, code = payload
        if name == "first":
            self._part(world, proc, "body")
        elif name == "last":
            processes.exit(world, proc, code)
        elif found.sleep >= 0:
            world.after(found.sleep, proc.target, "wake")
