"""Addresses of the learner's side of the desk."""

from __future__ import annotations

from django.urls import path

from lessons.desk import pages
from lessons.desk.preferences import preferences

urlpatterns = [
    path("lessons/<number:lesson>/signal/", pages.signal, name="signal"),
    path("messages/<number:pk>/read/", pages.message_read, name="message-read"),
    path("watchings/<number:pk>/", pages.watching, name="watching"),
    path("join/", pages.join_by_code, name="join-code"),
    path("courses/<slug:course>/certificate/", pages.certificate, name="certificate"),
    path("certificates/<str:number>/", pages.certificate_check, name="certificate-check"),
    path("preferences/", preferences, name="preferences"),
    path("my-data/", pages.my_data, name="my-data"),
    path("my-data/slipway-data.json", pages.my_data_file, name="my-data-file"),
    path("my-data/delete/", pages.my_data_delete, name="my-data-delete"),
]
