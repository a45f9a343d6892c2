"""Addresses for verifiers; without a language, since credentials keep them."""

from __future__ import annotations

from django.urls import path

from lessons.badges import views

app_name = "badges"
urlpatterns = [
    path("issuer.json", views.issuer, name="issuer"),
    path("jwks.json", views.jwks, name="jwks"),
    path("keys/<slug:kid>.json", views.key, name="key"),
    path("image.svg", views.image, name="image"),
    path("courses/<slug:course>.json", views.achievement, name="achievement"),
    path("credentials/<slug:number>", views.credential, name="credential"),
    path("credentials/<slug:number>.svg", views.image, name="baked"),
]
