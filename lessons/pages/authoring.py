"""What a course's pages ask while somebody writes it: has it changed, and what is wrong with it?"""

from __future__ import annotations

from dataclasses import asdict

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from lessons.authoring import note


@require_safe
@never_cache
def authoring(request: HttpRequest, course: str) -> HttpResponse:
    """The note of the watch on this course as JSON (`stamp`, `problems`); 204 when nobody watches it."""
    said = note(course)
    return HttpResponse(status=204) if said is None else JsonResponse(asdict(said))
