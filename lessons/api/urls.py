"""Pages of the API's tokens, under the page's language."""

from __future__ import annotations

from django.urls import path

from lessons.api import pages

app_name = "tokens"
urlpatterns = [
    path("", pages.tokens, name="list"),
    path("<number:pk>/revoke/", pages.revoke, name="revoke"),
]
