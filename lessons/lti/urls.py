"""Addresses for platforms; without a language, since platforms keep them."""

from __future__ import annotations

from django.urls import path

from lessons.lti import views

app_name = "lti"
urlpatterns = [
    path("login/", views.login, name="login"),
    path("launch/", views.launch, name="launch"),
    path("jwks.json", views.jwks, name="jwks"),
    path("register/<str:secret>/", views.register, name="register"),
    path("choose/", views.choose, name="choose"),
    path("platforms/", views.platforms, name="platforms"),
    path("platforms/act/", views.act, name="act"),
]
