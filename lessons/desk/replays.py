"""A session's past as a page plays it: what was typed and printed when, what caused what, and the moments worth jumping to."""

from __future__ import annotations

import datetime
from typing import Any

from django.core import signing
from django.utils import timezone

from lessons.desk.models import ReplayLink
from lessons.labs.models import CheckRun
from simulator import history, selectors
from simulator.models import ClusterSession

#: Pieces of output and events of the trace that a page gets, the latest.
OUTPUT = 20_000
TRACE = 3_000
#: Days that a link may live.
DAYS = (1, 7, 30)
_SALT = "lessons.desk.replay"


def data(session: ClusterSession) -> dict[str, Any]:
    """Everything but the map, which is asked for by moment (`simulator.services.look`)."""
    chunks = selectors.output_after(session.pk, 0, OUTPUT)
    events = selectors.trace_after(session.pk, 0, TRACE)
    keys = ("seq", "at", "actor", "action", "ref", "cause", "detail")
    return {
        "scenario": session.scenario,
        "epoch": str(session.epoch),
        "end": session.advanced_to,
        "moments": _moments(session, chunks),
        # how the cluster was set up is told to nobody who looks at it: a link may reach whoever is to find it out
        "chunks": [[at, terminal, fd, text] for _cursor, at, terminal, fd, text in chunks if terminal != history.SET_UP],
        "events": [
            dict(zip(keys, event, strict=True)) for event in events if (event[2], event[4]) != ("terminal", history.SET_UP)
        ],
        "cut": len(chunks) >= OUTPUT or len(events) >= TRACE,
    }


def _moments(session: ClusterSession, chunks: list[list[Any]]) -> list[dict[str, Any]]:
    """Inputs and runs of the checks in order; each says whether it failed."""
    found = history.moments(session)
    errors = sorted((at, terminal) for _cursor, at, terminal, fd, _text in chunks if fd == 2)
    starts = [moment["at"] or 0 for moment in found] + [session.advanced_to + 1]
    for place, moment in enumerate(found):
        first, end = starts[place], max(starts[place] + 1, starts[place + 1])
        moment["failed"] = moment["kind"] == "line" and any(first <= at < end for at, _terminal in errors)
    runs = (
        CheckRun.objects.filter(evidence__session=str(session.pk))
        .select_related("attempt__exercise__version")
        .order_by("at", "id")
    )
    checks = [
        {
            "seq": run.evidence.get("journal_seq", 0),
            "at": run.evidence.get("now", 0),
            "kind": "check",
            "text": run.attempt.exercise.title,
            "passed": run.passed,
            "total": run.total,
            "failed": run.passed < run.total,
        }
        for run in runs
    ]
    return sorted([*found, *checks], key=lambda moment: (moment["at"] or 0, moment["kind"] == "check", moment["seq"]))


# -- links --------------------------------------------------------------------------------------------------------------------


def share(session: ClusterSession, *, cohort: Any, by: Any, days: int) -> ReplayLink:
    """A link that lives so many days; raises ValueError for another number than offered."""
    if days not in DAYS:
        raise ValueError(f"{days} days")
    expires = timezone.now() + datetime.timedelta(days=days)
    return ReplayLink.objects.create(session=session, cohort=cohort, made_by=by, expires_at=expires)


def signed(link: ReplayLink) -> str:
    """What stands in the address."""
    return signing.dumps(link.pk, salt=_SALT)


def opened(token: str) -> ReplayLink | None:
    """The link of an address, while it is open; None when it is forged, expired or closed."""
    try:
        pk = signing.loads(token, salt=_SALT)
    except signing.BadSignature:
        return None
    row = ReplayLink.objects.filter(pk=pk, closed_at=None, expires_at__gt=timezone.now()).select_related("session").first()
    return row if row is not None and row.session is not None else None
