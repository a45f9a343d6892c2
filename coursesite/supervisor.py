"""Starts the site's processes, starts those again that end by themselves, and stops all of them in order.

A process that ends is started again at once, then after 0.5, 1, 2 … 30 s; one that ran for half a minute counts anew.
"""

from __future__ import annotations

import pwd
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from . import children

BACKOFF = (0.0, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0)
#: After so many seconds of running a process counts as healthy.
HEALTHY = 30.0
#: Logs are begun anew above this size; one older file is kept.
LOG_LIMIT = 20 * 1024 * 1024


@dataclass(slots=True)
class Child:
    """One process to keep running."""

    name: str
    argv: list[str]
    log: Path
    patience: float = 10.0
    #: The signal that ends it in good order, and who runs it (root may hand it to somebody else).
    how: int = signal.SIGTERM
    user: pwd.struct_passwd | None = None
    cwd: Path | None = None
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    failures: int = 0
    due: float | None = 0.0


@dataclass(slots=True)
class Supervisor:
    """Keeps children running until a signal comes."""

    env: Mapping[str, str]
    cwd: Path
    children: list[Child] = field(default_factory=list)
    say: Callable[[str], None] = lambda text: print(text, file=sys.stderr, flush=True)
    stopping: bool = False
    #: Asked at each turn; False ends everything (a store that cannot be started again, say).
    watch: Callable[[], bool] = lambda: True

    def add(
        self,
        name: str,
        argv: list[str],
        log: Path,
        *,
        patience: float = 10.0,
        how: int = signal.SIGTERM,
        user: pwd.struct_passwd | None = None,
        cwd: Path | None = None,
    ) -> Child:
        """Another process."""
        log.parent.mkdir(parents=True, exist_ok=True)
        self.children.append(Child(name=name, argv=argv, log=log, patience=patience, how=how, user=user, cwd=cwd))
        return self.children[-1]

    def turn(self, now: float) -> None:
        """Look after every child once."""
        for child in self.children:
            if child.process is not None and child.process.poll() is not None:
                self._ended(child, now)
            if child.process is None and child.due is not None and now >= child.due:
                self._start(child, now)

    def _start(self, child: Child, now: float) -> None:
        rotate(child.log)
        child.process = children.start(
            child.argv, log=child.log, env=self.env, cwd=child.cwd or self.cwd, how=child.how, user=child.user
        )
        child.started, child.due = now, None

    def _ended(self, child: Child, now: float) -> None:
        assert child.process is not None
        code = child.process.returncode
        child.process = None
        if now - child.started >= HEALTHY:
            child.failures = 0
        pause = BACKOFF[min(child.failures, len(BACKOFF) - 1)]
        child.failures += 1
        child.due = now + pause
        how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with {code}"
        self.say(f"{child.name} {how}; starting it again{f' in {pause:g} s' if pause else ''} (log: {child.log})")

    def run(self) -> None:
        """Until Ctrl-C or SIGTERM."""

        def on_signal(_number: int, _frame: FrameType | None) -> None:
            self.stopping = True

        before = {number: signal.signal(number, on_signal) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
        try:
            while not self.stopping and self.watch():
                self.turn(time.monotonic())
                time.sleep(0.1)
        finally:
            self.stop()
            for number, handler in before.items():
                signal.signal(number, handler)

    def stop(self) -> None:
        """Stop all, the first one first; all are told before any is waited for."""
        self.end(self.children)

    @staticmethod
    def end(some: Sequence[Child]) -> None:
        """Stop some of them; they stay stopped."""
        for child in some:
            child.due = None
            if child.process is not None and child.process.poll() is None:
                child.process.send_signal(child.how)
        for child in some:
            if child.process is not None:
                children.stop(child.process, patience=child.patience, how=child.how)
                child.process = None


def rotate(log: Path) -> None:
    """Begin a log anew when it has grown long."""
    if log.exists() and log.stat().st_size > LOG_LIMIT:
        log.replace(log.with_suffix(log.suffix + ".1"))
