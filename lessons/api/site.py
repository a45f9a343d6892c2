"""The API itself: `/api/v1/`, its description at `/api/v1/openapi.json`.

Lists are pages: `?after=` the `next` of the page before, `?limit=` up to 200.  Everything that one may not see is 404, as on
the site's pages.
"""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, ValidationError

from lessons.api.access import Refusal
from lessons.api.operations import router
from lessons.api.schemas import Problem

api = NinjaAPI(
    title="Slipway",
    version="1",
    description=(__doc__ or "").strip(),
    docs_url=None,
    urls_namespace="api",
    openapi_url="openapi.json",
)
api.add_router("", router)


def _problem(request: HttpRequest, status: int, code: Any, message: str, fields: list[str] | None = None) -> HttpResponse:
    return api.create_response(request, Problem(code=code, message=message, fields=fields or []), status=status)


@api.exception_handler(Refusal)
def _refused(request: HttpRequest, error: Any) -> HttpResponse:
    answer = _problem(request, error.status, error.code, error.message)
    for name, value in error.headers.items():
        answer[name] = value
    return answer


@api.exception_handler(AuthenticationError)
def _unknown(request: HttpRequest, error: Any) -> HttpResponse:
    answer = _problem(request, 401, "unauthorized", "a token is needed: Authorization: Bearer slw_…")
    answer["WWW-Authenticate"] = "Bearer"
    return answer


@api.exception_handler(Http404)
def _missing(request: HttpRequest, error: Any) -> HttpResponse:
    return _problem(request, 404, "not_found", "there is no such thing, or it is not yours to see")


@api.exception_handler(ValidationError)
def _invalid(request: HttpRequest, error: Any) -> HttpResponse:
    fields = [".".join(str(part) for part in item.get("loc", ())) for item in error.errors]
    return _problem(request, 422, "invalid", "; ".join(str(item.get("msg", "")) for item in error.errors)[:500], fields)
