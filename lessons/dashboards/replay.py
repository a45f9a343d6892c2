"""Replays of learners' sessions: the page, its data, the map of a moment, and links to share."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from lessons.desk import replays
from lessons.desk.live import session_of
from lessons.desk.models import ReplayLink
from lessons.models import Cohort, Membership
from lessons.permissions import learner_of, managed_cohort, person, readable_cohort, role_in, staffed_cohort
from simulator import history
from simulator import services as simulator
from simulator.models import ClusterSession


def find(cohort: Cohort, user: int, session: uuid.UUID) -> ClusterSession:
    """A learner's session in a cohort's course, else 404."""
    found = session_of(cohort, user, session)
    if found is None:
        raise Http404
    return found


def _look(request: HttpRequest, session: ClusterSession) -> JsonResponse:
    text = request.GET.get("at", "")
    if not (text.isascii() and text.isdecimal() and len(text) <= 18):
        return JsonResponse({"message": _("at: not a virtual time in nanoseconds")}, status=400)
    moment = history.moment_at(session, int(text))
    lens, about = request.GET.get("lens", "")[:32], request.GET.get("about", "")[:253]
    try:
        return JsonResponse(simulator.look(session, moment.seq, moment.at, lens=lens, about=about))
    except simulator.EvaluationTimeout as error:
        return JsonResponse({"message": str(error)}, status=503)


@require_safe
@login_required
def replay(request: HttpRequest, pk: int, user: int, session: uuid.UUID) -> HttpResponse:
    """The replay of one session."""
    cohort = readable_cohort(person(request), pk)
    who = learner_of(cohort, user)
    found = find(cohort, user, session)
    place = [cohort.pk, user, found.pk]
    role = role_in(person(request), cohort)
    links = ReplayLink.objects.filter(session=found, cohort=cohort, closed_at=None, expires_at__gt=timezone.now())
    context: dict[str, Any] = {
        "cohort": cohort,
        "who": who,
        "session": found,
        "data_url": reverse("lessons:replay-data", args=place),
        "look_url": reverse("lessons:replay-look", args=place),
        "helps": role in Membership.STAFF,
        "manages": role in Membership.MANAGERS,
        "links": [(link, _address(request, link)) for link in links],
        "days": replays.DAYS,
    }
    return render(request, "dashboards/replay.html", context)


def _address(request: HttpRequest, link: ReplayLink) -> str:
    path = reverse("lessons:shared-replay", args=[replays.signed(link)])
    return request.build_absolute_uri(path.removeprefix(f"/{get_language()}"))


@require_safe
@login_required
def replay_data(request: HttpRequest, pk: int, user: int, session: uuid.UUID) -> JsonResponse:
    """What the page plays."""
    return JsonResponse(replays.data(find(readable_cohort(person(request), pk), user, session)))


@require_safe
@login_required
def replay_look(request: HttpRequest, pk: int, user: int, session: uuid.UUID) -> JsonResponse:
    """The map at a virtual time."""
    return _look(request, find(readable_cohort(person(request), pk), user, session))


@require_POST
@login_required
def replay_share(request: HttpRequest, pk: int, user: int, session: uuid.UUID) -> HttpResponse:
    """Make a link for whoever gets it."""
    cohort = managed_cohort(person(request), pk)
    found = find(cohort, user, session)
    days = request.POST.get("days", "7")
    if days not in {str(number) for number in replays.DAYS}:
        raise Http404
    replays.share(found, cohort=cohort, by=person(request), days=int(days))
    messages.success(request, _("Whoever has the link sees this replay, without a name, until it expires or you close it."))
    return redirect("lessons:replay", cohort.pk, user, found.pk)


@require_POST
@login_required
def replay_close(request: HttpRequest, pk: int, link: int) -> HttpResponse:
    """Close a link."""
    cohort = managed_cohort(person(request), pk)
    row = get_object_or_404(ReplayLink.objects.select_related("session"), pk=link, cohort=cohort)
    ReplayLink.objects.filter(pk=row.pk, closed_at=None).update(closed_at=timezone.now())
    messages.success(request, _("The link is closed."))
    return redirect("lessons:replay", cohort.pk, row.session.owner_id, row.session_id)


@require_POST
@login_required
def help_fork(request: HttpRequest, pk: int, user: int, session: uuid.UUID) -> HttpResponse:
    """A copy of the learner's cluster for oneself: try there what would help, and touch nothing of theirs."""
    cohort = staffed_cohort(person(request), pk)
    copy = simulator.fork(find(cohort, user, session), owner=person(request))
    return redirect("lessons:help-bench", cohort.pk, copy.pk)


@require_safe
@login_required
def help_bench(request: HttpRequest, pk: int, session: uuid.UUID) -> HttpResponse:
    """The copy at work."""
    cohort = staffed_cohort(person(request), pk)
    rows = ClusterSession.objects.filter(owner=person(request), forked_from__isnull=False).select_related("forked_from__owner")
    found = get_object_or_404(rows, pk=session)
    source = found.forked_from
    assert source is not None
    learner_of(cohort, source.owner_id)
    hosts = sorted({str(view.get("host", name)) for name, view in found.terminals.items()}) or ["controlplane"]
    context = {"cohort": cohort, "who": source.owner, "session": found, "hosts": hosts, "source": source}
    return render(request, "dashboards/help_bench.html", context)


# -- for whoever has a link ---------------------------------------------------------------------------------------------------


def _shared(token: str) -> ClusterSession:
    link = replays.opened(token)
    if link is None:
        raise Http404
    return link.session


@require_safe
def shared(request: HttpRequest, token: str) -> HttpResponse:
    """A shared replay, without a name."""
    link = replays.opened(token)
    if link is None:
        return render(request, "dashboards/replay_gone.html", status=404)
    context = {
        "session": link.session,
        "shared": link,
        "data_url": reverse("lessons:shared-replay-data", args=[token]),
        "look_url": reverse("lessons:shared-replay-look", args=[token]),
    }
    return render(request, "dashboards/replay.html", context)


@require_safe
def shared_data(request: HttpRequest, token: str) -> JsonResponse:
    """What the shared page plays."""
    return JsonResponse(replays.data(_shared(token)))


@require_safe
def shared_look(request: HttpRequest, token: str) -> JsonResponse:
    """The shared page's map."""
    return _look(request, _shared(token))
