"""Use my terminal: kubeconfigs for the learner's own kubectl, each good for one cluster and revocable."""

from __future__ import annotations

import uuid

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from lessons.permissions import person
from simulator import edgetokens, selectors
from simulator.models import ClusterSession, EdgeToken


def _cluster(request: HttpRequest, pk: uuid.UUID) -> ClusterSession:
    try:
        return selectors.owned_session(person(request), pk)
    except ClusterSession.DoesNotExist:
        raise Http404(_("There is no such cluster.")) from None


@require_safe
@login_required
@never_cache
def page(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """The kubeconfigs that were made for a cluster, and how to use one."""
    cluster = _cluster(request, pk)
    tokens = EdgeToken.objects.filter(session=cluster, revoked_at=None)
    return render(request, "pages/own_terminal.html", {"cluster": cluster, "tokens": tokens, "secure": request.is_secure()})


@require_POST
@login_required
@never_cache
def new(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Make a kubeconfig and hand it out: its token is not kept."""
    cluster = _cluster(request, pk)
    if cluster.archived_at or cluster.frozen_reason:
        return redirect("lessons:own-terminal", pk=pk)
    base = f"{request.scheme}://{request.get_host()}"
    config = edgetokens.kubeconfig(base, cluster, edgetokens.issue(cluster))
    response = HttpResponse(config, content_type="application/yaml")
    response["Content-Disposition"] = f'attachment; filename="slipway-{cluster.scenario}.kubeconfig"'
    return response


@require_POST
@login_required
def revoke(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """Take back one kubeconfig (`token`), or all."""
    cluster = _cluster(request, pk)
    given = request.POST.get("token", "")
    edgetokens.revoke(cluster, int(given) if given.isdecimal() and len(given) < 12 else None)
    return redirect("lessons:own-terminal", pk=pk)
