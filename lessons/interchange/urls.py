"""Addresses of question sets."""

from __future__ import annotations

from django.urls import path

from lessons.interchange import views

app_name = "interchange"
urlpatterns = [
    path("", views.sets, name="sets"),
    path("<slug:slug>/", views.question_set, name="set"),
    path("<slug:slug>/delete/", views.delete, name="delete"),
    path("<slug:slug>/put-up/", views.put_up, name="put-up"),
    path("<slug:slug>/files/<str:form>/", views.download, name="download"),
]
