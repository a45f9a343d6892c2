"""Addresses of the instructor's desk, below `cohorts/<pk>/`."""

from __future__ import annotations

from django.urls import path, re_path

from lessons.dashboards import gradebook, items

urlpatterns = [
    path("items/", items.items, name="items"),
    path("items/quizzes/<int:quiz>/", items.quiz_items, name="items-quiz"),
    path("items/quizzes/<int:quiz>/table.csv", items.quiz_items_csv, name="items-quiz-csv"),
    path("items/exercises/<int:exercise>/", items.exercise_items, name="items-exercise"),
    path("gradebook/", gradebook.gradebook, name="gradebook"),
    re_path(r"^gradebook/grades\.(?P<kind>csv|xlsx)$", gradebook.gradebook_file, name="gradebook-file"),
    path("gradebook/columns/", gradebook.column_import, name="column-import"),
    path("gradebook/columns/<int:column>/remove/", gradebook.column_remove, name="column-remove"),
]
