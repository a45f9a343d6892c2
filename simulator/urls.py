"""Addresses of the simulator's few requests, under `/clusters/` (docs/protocol.md)."""

from __future__ import annotations

from django.urls import path

from . import views

app_name = "simulator"

urlpatterns = [
    path("", views.session, name="session"),
    path("<uuid:session_id>/reset/", views.reset, name="reset"),
    path("<uuid:session_id>/fork/", views.fork, name="fork"),
    path("<uuid:session_id>/undo/", views.undo, name="undo"),
    path("<uuid:session_id>/past/", views.past, name="past"),
    path("<uuid:session_id>/past/look/", views.look, name="look"),
    path("<uuid:session_id>/branch/", views.branch, name="branch"),
    path("<uuid:session_id>/take-up/", views.take_up, name="take-up"),
]
