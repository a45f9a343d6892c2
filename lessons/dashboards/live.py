"""The live wall, watching one learner, messages, and signals that are cleared."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from lessons.dashboards import selectors
from lessons.dashboards.replay import find
from lessons.desk import bells, live
from lessons.desk.models import Message, Signal, Watching
from lessons.permissions import learner_of, person, staffed_cohort
from simulator.models import ClusterSession, OutputBatch
from simulator.packing import unpack

#: Lines of a terminal on the wall, and clusters on it.
LINES = 12
CLUSTERS = 60


@require_safe
@login_required
def wall(request: HttpRequest, pk: int) -> HttpResponse:
    """Everybody who is active, with the last lines of their terminal.  Looking at the wall is no watching: it shows what the
    evidence shows anyway; opening one does, and the learner is told."""
    cohort = staffed_cohort(person(request), pk)
    found = selectors.board(cohort)
    here = [item for item in found.active if item.session][:CLUSTERS]
    tails = _tails([uuid.UUID(item.session) for item in here])
    troubled = {item.user.pk: item for item in reversed(found.stuck)}
    signals = {item.user_id: item for item in found.signals}
    tiles = [(item, tails.get(item.session, ""), troubled.get(item.user.pk), signals.get(item.user.pk)) for item in here]
    context = {"cohort": cohort, "tiles": tiles, "reading": [item for item in found.active if not item.session], "tab": "wall"}
    template = "dashboards/_wall.html" if request.headers.get("X-Part") == "board" else "dashboards/wall.html"
    return render(request, template, context)


def _tails(sessions: list[uuid.UUID]) -> dict[str, str]:
    """The last lines of each cluster's output, whatever the terminal; one query."""
    rows = ClusterSession.objects.filter(pk__in=sessions).values_list("pk", "output_cursor")
    cursors = dict(rows)
    text: dict[str, list[str]] = {}
    batches = (
        OutputBatch.objects.filter(session__in=sessions).order_by("session", "first").values_list("session_id", "last", "chunks")
    )
    for session, last, blob in batches:
        if last > cursors[session] - 60:
            text.setdefault(str(session), []).extend(str(chunk[4]) for chunk in unpack(blob))
    return {session: "\n".join("".join(parts).rstrip("\n").split("\n")[-LINES:]) for session, parts in text.items()}


@require_safe
@login_required
def watch(request: HttpRequest, pk: int, user: int, session: uuid.UUID) -> HttpResponse:
    """Look at one learner's terminal and map, live; the learner sees it."""
    cohort = staffed_cohort(person(request), pk)
    who = learner_of(cohort, user)
    found = find(cohort, user, session)
    row = live.watch(found, person(request), cohort)
    hosts = sorted({str(view.get("host", name)) for name, view in found.terminals.items()}) or ["controlplane"]
    context = {"cohort": cohort, "who": who, "session": found, "watching": row, "hosts": hosts, "tab": "wall"}
    return render(request, "dashboards/watch.html", context)


@require_POST
@login_required
def watch_ask(request: HttpRequest, pk: int, user: int, session: uuid.UUID) -> HttpResponse:
    """Ask the learner to let one type along."""
    cohort = staffed_cohort(person(request), pk)
    found = find(cohort, user, session)
    row = get_object_or_404(Watching, session=found, watcher=person(request))
    live.ask(row)
    if request.headers.get("X-Part"):
        return HttpResponse(status=204)
    messages.success(request, _("%(who)s was asked. You can type as soon as they allow it.") % {"who": found.owner})
    return redirect("lessons:watch", cohort.pk, user, found.pk)


@require_POST
@login_required
def message(request: HttpRequest, pk: int, user: int) -> HttpResponse:
    """Write to a learner; it appears on their next page, and at once on an open lesson."""
    cohort = staffed_cohort(person(request), pk)
    who = learner_of(cohort, user)
    text = " ".join(request.POST.get("text", "").replace("\0", "").split())[:1000]
    if text:
        Message.objects.create(cohort=cohort, learner=who, sender=person(request), text=text)
        if request.headers.get("X-Part"):
            return HttpResponse(status=204)
        messages.success(request, _("Sent to %(who)s.") % {"who": who})
    else:
        messages.error(request, _("A message needs words."))
    back: Any = request.POST.get("session", "")
    try:
        return redirect("lessons:watch", cohort.pk, user, uuid.UUID(back))
    except ValueError:
        return redirect("lessons:learner", cohort.pk, user)


@require_POST
@login_required
def signal_clear(request: HttpRequest, pk: int, signal: int) -> HttpResponse:
    """A signal was seen to."""
    cohort = staffed_cohort(person(request), pk)
    row = get_object_or_404(Signal, pk=signal, course=cohort.course, cleared_at=None)
    learner_of(cohort, row.user_id)
    Signal.objects.filter(pk=row.pk).update(cleared_at=timezone.now(), cleared_by=person(request))
    bells.ring(row.user_id, row.course_id)
    return redirect("lessons:dashboard", cohort.pk)
