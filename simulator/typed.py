"""Typing a set-up into a session: steps as exercises and questions have them, in a terminal of their own that is closed again.

Each line is given the time that it takes (`sleep 60`, a rollout that is waited for) before the next one, as where exercises are proved; who comes
to the cluster afterwards finds it set up.
"""

from __future__ import annotations

import uuid
from typing import Any

from . import engine, services
from .core.kernel.clock import MINUTE
from .core.lab.durations import duration
from .history import SET_UP
from .models import ClusterSession, JournalEntry

#: What a line of a set-up may take (virtual nanoseconds).
LONGEST = 10 * MINUTE


def set_up(session: ClusterSession, steps: list[Any]) -> None:
    """Type `steps` (`text`, `{run, host}`, `{wait: 30s}`) once; a session that was set up, or comes from one that was, is left alone.

    The ids of the rows make two calls at once harmless.
    """
    if session.base_seq or JournalEntry.objects.filter(session=session, data__terminal=SET_UP).exists():
        return
    rows: list[tuple[str, dict[str, Any]]] = []
    opened: str | None = None
    for step in steps:
        step = {"run": step} if isinstance(step, str) else step
        if "wait" in step:
            rows.append(("skip", {"ns": duration(step["wait"])}))
            continue
        host = step.get("host", engine.first_host(session.scenario))
        if opened != host:
            rows += [("close", {"terminal": SET_UP})] if opened else []
            rows.append(("open", {"terminal": SET_UP, "host": host}))
            opened = host
        for line in str(step["run"]).strip("\n").split("\n"):
            rows += [("line", {"terminal": SET_UP, "text": line}), ("skip", {"ns": LONGEST, "to": "idle", "terminal": SET_UP})]
    if opened:
        rows.append(("close", {"terminal": SET_UP}))
    for index, (kind, data) in enumerate(rows):
        services.append_input(session, kind=kind, data=data, client_id=uuid.uuid5(session.pk, f"setup/{index}"))
