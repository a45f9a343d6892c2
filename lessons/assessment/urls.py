"""Addresses of quizzes and grades under a cohort."""

from __future__ import annotations

from django.urls import path

from lessons.assessment import editing, marking, regrading, views

_QUIZ = "assignments/<number:quiz>/"
urlpatterns = [
    path("my-grades/", views.my_grades, name="my-grades"),
    path("weights/", views.weights, name="weights"),
    path("weights/<number:group>/delete/", views.group_delete, name="group-delete"),
    path("grades/<number:user>/<str:kind>/<number:item>/", views.grade, name="grade"),
    path("assignments/", views.assignments, name="assignments"),
    path("assignments/new/", views.quiz_new, name="quiz-new"),
    path(_QUIZ, views.assignment, name="assignment"),
    path(_QUIZ + "remove/", views.quiz_remove, name="quiz-remove"),
    path(_QUIZ + "learners/<number:user>/", views.extension, name="extension"),
    path(_QUIZ + "marking/", marking.by_hand, name="by-hand"),
    path(_QUIZ + "marking/<number:response>/", marking.mark, name="mark"),
    path(_QUIZ + "regrades/", regrading.begin, name="regrade-new"),
    path(_QUIZ + "regrades/<number:regrade>/", regrading.preview, name="regrade"),
    path(_QUIZ + "regrades/<number:regrade>/publish/", regrading.publish, name="regrade-publish"),
    path(_QUIZ + "questions/", editing.question_list, name="questions"),
    path(_QUIZ + "questions/download/", editing.download, name="questions-download"),
    path(_QUIZ + "questions/take-over/", editing.take_over, name="questions-take-over"),
    path(_QUIZ + "questions/<slug:slug>/", editing.question, name="question"),
]
