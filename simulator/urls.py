"""Addresses of the simulator's few requests, under `/clusters/` (docs/protocol.md)."""

from __future__ import annotations

from django.urls import path

from . import views

app_name = "simulator"

urlpatterns = [
    path("", views.session, name="session"),
    path("<uuid:session_id>/reset/", views.reset, name="reset"),
    path("<uuid:session_id>/fork/", views.fork, name="fork"),
]
