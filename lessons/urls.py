"""Addresses of the course, under the page's language."""

from __future__ import annotations

from django.urls import URLPattern

app_name = "lessons"
urlpatterns: list[URLPattern] = []
