"""Make, reset and fork clusters over HTTP.  Everything here belongs to the one who asks; another's cluster is a 404."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, JsonResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from . import history, selectors, services
from .models import ClusterSession


def _answer(session: ClusterSession) -> JsonResponse:
    return JsonResponse({"id": str(session.pk), "ws": selectors.websocket_path(session), "scenario": session.scenario})


def _owned(request: HttpRequest, session_id: uuid.UUID) -> ClusterSession:
    assert request.user.is_authenticated
    try:
        return selectors.owned_session(request.user, session_id)
    except ClusterSession.DoesNotExist:
        raise Http404(_("There is no such cluster.")) from None


@require_POST
@login_required
def session(request: HttpRequest) -> JsonResponse:
    """Get or create the caller's cluster of a scenario and slot."""
    assert request.user.is_authenticated
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
    return _answer(services.fork(_owned(request, session_id)))


# -- the past (simulator.history) -------------------------------------------------------------------------------------------


def _no(error: Exception) -> JsonResponse:
    return JsonResponse({"reason": "no-past", "message": str(error)}, status=409)


def _time(request: HttpRequest, given: Any) -> int | None:
    """Virtual nanoseconds of a request, or None when they are not a time."""
    text = str(given.get("at", ""))
    return int(text) if text.isdecimal() and len(text) <= 18 else None


def _bad_time() -> JsonResponse:
    return JsonResponse({"reason": "bad-time", "message": _("at: not a virtual time in nanoseconds")}, status=400)


@require_GET
@login_required
def past(request: HttpRequest, session_id: uuid.UUID) -> JsonResponse:
    """The moments of a cluster's past, and the branches that were left."""
    found = _owned(request, session_id)
    return JsonResponse({"now": found.advanced_to, "moments": history.moments(found), "branches": history.branches(found)})


@require_GET
@login_required
def look(request: HttpRequest, session_id: uuid.UUID) -> JsonResponse:
    """The map at a virtual time of the past."""
    found, at = _owned(request, session_id), _time(request, request.GET)
    if at is None:
        return _bad_time()
    moment = history.moment_at(found, at)
    try:
        return JsonResponse(services.look(found, moment.seq, moment.at))
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


@require_POST
@login_required
def branch(request: HttpRequest, session_id: uuid.UUID) -> JsonResponse:
    """Go on from a virtual time of the past."""
    found, at = _owned(request, session_id), _time(request, request.POST)
    if at is None:
        return _bad_time()
    try:
        return _answer(history.branch(found, history.moment_at(found, at)))
    except history.NoPast as error:
        return _no(error)


@require_POST
@login_required
def take_up(request: HttpRequest, session_id: uuid.UUID) -> JsonResponse:
    """Come back to a cluster that was left."""
    return _answer(history.take_up(_owned(request, session_id)))
