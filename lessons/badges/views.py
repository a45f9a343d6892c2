"""Addresses that verifiers ask, downloads, and the page where anybody has a credential checked."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import get_language
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.http import require_http_methods, require_safe

from lessons.badges import credentials
from lessons.badges.models import Key
from lessons.desk.models import Certificate
from lessons.models import Course

LANGUAGES = ("en", "ko")


def _open(data: dict[str, Any], kind: str = "application/json") -> JsonResponse:
    """For anybody, from anywhere: verifiers run in browsers too."""
    options = {"ensure_ascii": False, "indent": 1}
    answer = JsonResponse(data, content_type=kind, json_dumps_params=options)
    answer["Access-Control-Allow-Origin"] = "*"
    return answer


def _language(request: HttpRequest) -> str:
    asked = request.GET.get("lang", "")
    return asked if asked in LANGUAGES else "en"


def _complete(number: str) -> Certificate:
    row = get_object_or_404(Certificate.objects.select_related("course__version", "user"), number=number.upper())
    if not row.facts.get("complete"):
        raise Http404
    return row


@require_safe
def issuer(request: HttpRequest) -> HttpResponse:
    """Who we are."""
    return _open({"@context": list(credentials.CONTEXT), **credentials.issuer()})


@require_safe
def key(request: HttpRequest, kid: str) -> HttpResponse:
    """One public key, as a JWK."""
    return _open(get_object_or_404(Key, kid=kid).public, "application/jwk+json")


@require_safe
def jwks(request: HttpRequest) -> HttpResponse:
    """All public keys."""
    credentials.current()
    return _open({"keys": [row.public for row in Key.objects.all()]}, "application/jwk-set+json")


@require_safe
def achievement(request: HttpRequest, course: str) -> HttpResponse:
    """What a course's badge is for."""
    found = get_object_or_404(Course.objects.select_related("version"), slug=course)
    return _open({"@context": list(credentials.CONTEXT), **credentials.achievement(found, _language(request))})


@require_safe
def credential(request: HttpRequest, number: str) -> HttpResponse:
    """The signed credential of a completed course."""
    answer = HttpResponse(credentials.token(_complete(number), _language(request)), content_type="application/vc+jwt")
    answer["Content-Disposition"] = f'attachment; filename="slipway-{number}.jwt"'
    answer["Access-Control-Allow-Origin"] = "*"
    return answer


@require_safe
def image(request: HttpRequest, number: str = "") -> HttpResponse:
    """The badge; with a number, the one with the credential baked into it."""
    row = _complete(number) if number else None
    answer = HttpResponse(credentials.picture(row, _language(request)), content_type="image/svg+xml")
    if row is not None:
        answer["Content-Disposition"] = f'attachment; filename="slipway-{number}.svg"'
    return answer


@csrf_protect
@require_http_methods(["GET", "HEAD", "POST"])
def verify(request: HttpRequest) -> HttpResponse:
    """Anybody pastes or uploads a credential and is told whether it holds."""
    text = request.POST.get("credential", "")
    upload = request.FILES.get("file")
    if upload is not None:
        text = upload.read(credentials.LONGEST + 1).decode("utf-8", "replace")
    found = credentials.verify(text, request.POST.get("email", "")) if request.method == "POST" else None
    context = {"found": found, "text": request.POST.get("credential", ""), "email": request.POST.get("email", "")}
    return render(request, "badges/verify.html", context | {"language": get_language()})
