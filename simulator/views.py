"""Make, reset and fork clusters over HTTP.  Everything here belongs to the one who asks; another's cluster is a 404."""

from __future__ import annotations

import uuid

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, JsonResponse, QueryDict
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from . import history, selectors, services
from .models import ClusterSession


def _answer(session: ClusterSession) -> JsonResponse:
    return JsonResponse({"id": str(session.pk), "ws": selectors.websocket_path(session), "scenario": session.scenario})


#: Live clusters of one account beyond which it gets no other by asking: pages of lessons make far fewer.
MOST_CLUSTERS = 500


def _owned(request: HttpRequest, session_id: uuid.UUID) -> ClusterSession:
    assert request.user.is_authenticated
    try:
        return selectors.owned_session(request.user, session_id)
    except ClusterSession.DoesNotExist:
        raise Http404(_("There is no such cluster.")) from None


def _full(request: HttpRequest) -> JsonResponse | None:
    """The refusal of one cluster more to an account that has very many."""
    if ClusterSession.objects.filter(owner_id=request.user.pk, archived_at=None).count() < MOST_CLUSTERS:
        return None
    words = _("You have %(count)d clusters, which is as many as one account may have.") % {"count": MOST_CLUSTERS}
    return JsonResponse({"reason": "too-many", "message": words}, status=429)


@require_POST
@login_required
def session(request: HttpRequest) -> JsonResponse:
    """Get or create the caller's cluster of a scenario and slot."""
    assert request.user.is_authenticated
    if (full := _full(request)) is not None:
        return full
    try:
        found = services.session_for(request.user, request.POST.get("scenario", ""), request.POST.get("slot", ""))
    except services.BadScenario as error:
        return JsonResponse({"reason": "bad-scenario", "message": str(error)}, status=400)
    return _answer(found)


@require_POST
@login_required
def reset(request: HttpRequest, session_id: uuid.UUID) -> JsonResponse:
    """Archive a cluster and start its scenario anew."""
    return _answer(services.reset(_owned(request, session_id)))


@require_POST
@login_required
def fork(request: HttpRequest, session_id: uuid.UUID) -> JsonResponse:
    """A copy that goes its own way."""
    if (full := _full(request)) is not None:
        return full
    return _answer(services.fork(_owned(request, session_id)))


# -- the past (simulator.history) -------------------------------------------------------------------------------------------


def _no(error: Exception) -> JsonResponse:
    return JsonResponse({"reason": "no-past", "message": str(error)}, status=409)


def _moment(session: ClusterSession, given: QueryDict) -> history.Moment | None:
    """The moment that a request names: `before`, the number of an input, or `at`, virtual nanoseconds; None when it is neither."""
    for name, find in (("before", history.moment_before), ("at", history.moment_at)):
        text = given.get(name, "")
        if text.isdecimal() and len(text) <= 18:
            return find(session, int(text))
    return None


def _bad_time() -> JsonResponse:
    message = _("at: not a virtual time in nanoseconds, and before: not the number of an input")
    return JsonResponse({"reason": "bad-time", "message": message}, status=400)


@require_GET
@login_required
def past(request: HttpRequest, session_id: uuid.UUID) -> JsonResponse:
    """The moments of a cluster's past, and the branches that were left."""
    found = _owned(request, session_id)
    return JsonResponse({"now": found.advanced_to, "moments": history.moments(found), "branches": history.branches(found)})


@require_GET
@login_required
def look(request: HttpRequest, session_id: uuid.UUID) -> JsonResponse:
    """The map at a moment of the past, through a lens where the request names one."""
    found = _owned(request, session_id)
    try:
        moment = _moment(found, request.GET)
        if moment is None:
            return _bad_time()
        lens, about = request.GET.get("lens", "")[:32], request.GET.get("about", "")[:253]
        return JsonResponse(services.look(found, moment.seq, moment.at, lens=lens, about=about))
    except history.NoPast as error:
        return _no(error)
    except services.EvaluationTimeout as error:
        return JsonResponse({"reason": "busy", "message": str(error)}, status=503)


@require_POST
@login_required
def undo(request: HttpRequest, session_id: uuid.UUID) -> JsonResponse:
    """Go back to just before the last input."""
    found = _owned(request, session_id)
    try:
        return _answer(history.branch(found, history.before_last(found)))
    except history.NoPast as error:
        return _no(error)
    except services.EvaluationTimeout as error:
        return JsonResponse({"reason": "busy", "message": str(error)}, status=503)


@require_POST
@login_required
def branch(request: HttpRequest, session_id: uuid.UUID) -> JsonResponse:
    """Go on from a moment of the past."""
    found = _owned(request, session_id)
    try:
        moment = _moment(found, request.POST)
        if moment is None:
            return _bad_time()
        seen = services.look(found, moment.seq, moment.at)
        return _answer(history.branch(found, history.Moment(moment.seq, seen["at"])))
    except history.NoPast as error:
        return _no(error)
    except services.EvaluationTimeout as error:
        return JsonResponse({"reason": "busy", "message": str(error)}, status=503)


@require_POST
@login_required
def take_up(request: HttpRequest, session_id: uuid.UUID) -> JsonResponse:
    """Come back to a cluster that was left."""
    return _answer(history.take_up(_owned(request, session_id)))
