"""Make, reset and fork clusters over HTTP.  Everything here belongs to the one who asks; another's cluster is a 404."""

from __future__ import annotations

import uuid

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, JsonResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from . import selectors, services
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
