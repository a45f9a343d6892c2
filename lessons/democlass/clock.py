"""The class's own clock: what services stamp on rows while a class is played is class time, not the time of the command.

Days of a course are played in seconds, and reports on time, lateness and silence must still be true of the class.  Services take the
time from `django.utils.timezone.now`, also as a default of model fields, which hold the function itself; so its clock is replaced, in
this process and for the length of a `with`, and never in a process that serves anybody.
"""

from __future__ import annotations

import contextlib
import datetime
from collections.abc import Iterator
from typing import Any

from django.utils import timezone


class ClassClock:
    """Class time; it stands still until somebody moves it."""

    def __init__(self, now: datetime.datetime) -> None:
        self.now = now

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.now += datetime.timedelta(seconds=seconds)

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """Django's clock shows class time."""
        clock = self

        class _Showing(datetime.datetime):
            @classmethod
            def now(cls, tz: datetime.tzinfo | None = None) -> Any:
                return clock.now.astimezone(tz) if tz else clock.now.replace(tzinfo=None)

        module: Any = timezone
        real = module.datetime
        module.datetime = _Showing
        try:
            yield
        finally:
            module.datetime = real
