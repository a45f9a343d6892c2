"""Addresses of the reference pages: search, glossary, a chapter's commands, a chapter on paper; what pages ask while a course is written."""

from __future__ import annotations

from django.urls import path

from lessons.pages import reference
from lessons.pages.authoring import authoring

urlpatterns = [
    path("search/", reference.search_page, name="search"),
    path("courses/<slug:course>/authoring/", authoring, name="authoring"),
    path("courses/<slug:course>/glossary/", reference.glossary_page, name="glossary"),
    path("courses/<slug:course>/<slug:chapter>/commands/", reference.commands_page, name="commands"),
    path("courses/<slug:course>/<slug:chapter>/print/", reference.print_page, name="chapter-print"),
]
