"""Addresses of the course, under the page's language."""

from __future__ import annotations

from django.urls import include, path

from lessons.dashboards import replay
from lessons.dashboards import views as dashboards
from lessons.pages import course, lesson, own_terminal, quiz

app_name = "lessons"
urlpatterns = [
    path("", course.landing, name="landing"),
    path("progress/", course.progress_page, name="progress"),
    path("courses/<slug:course>/", course.course_page, name="course"),
    path("", include("lessons.pages.reference_urls")),
    path("courses/<slug:course>/<slug:chapter>/quiz/", quiz.quiz_page, name="quiz"),
    path("courses/<slug:course>/<slug:chapter>/quiz/start/", quiz.quiz_start, name="quiz-start"),
    path("courses/<slug:course>/<slug:chapter>/figures/<str:name>", lesson.figure, name="figure"),
    path("courses/<slug:course>/<slug:chapter>/<slug:lesson>/", lesson.lesson_page, name="lesson"),
    path("courses/<slug:course>/<slug:chapter>/<slug:lesson>/read/", lesson.lesson_read, name="lesson-read"),
    path("own-terminal/<uuid:pk>/", own_terminal.page, name="own-terminal"),
    path("own-terminal/<uuid:pk>/new/", own_terminal.new, name="own-terminal-new"),
    path("own-terminal/<uuid:pk>/revoke/", own_terminal.revoke, name="own-terminal-revoke"),
    path("questions/<number:pk>/answer/", lesson.question_answer, name="question-answer"),
    path("exercises/<number:pk>/check/", lesson.exercise_check, name="exercise-check"),
    path("exercises/<number:pk>/hint/", lesson.exercise_hint, name="exercise-hint"),
    path("exercises/<number:pk>/solution/", lesson.exercise_solution, name="exercise-solution"),
    path("exercises/<number:pk>/cluster/", lesson.exercise_cluster, name="exercise-cluster"),
    path("quiz-attempts/<number:pk>/", quiz.attempt_page, name="quiz-attempt"),
    path("quiz-attempts/<number:pk>/save/", quiz.attempt_save, name="quiz-save"),
    path("quiz-attempts/<number:pk>/time/", quiz.attempt_time, name="quiz-time"),
    path("quiz-attempts/<number:pk>/world/<slug:question>/", quiz.attempt_world, name="quiz-world"),
    path("quiz-attempts/<number:pk>/submit/", quiz.attempt_submit, name="quiz-submit"),
    path("quiz-attempts/<number:pk>/result/", quiz.attempt_result, name="quiz-result"),
    path("cohorts/<number:pk>/quizzes/<number:quiz>/", quiz.own_quiz_page, name="own-quiz"),
    path("cohorts/<number:pk>/quizzes/<number:quiz>/start/", quiz.own_quiz_start, name="own-quiz-start"),
    path("cohorts/", dashboards.cohorts, name="cohorts"),
    path("cohorts/new/", dashboards.cohort_new, name="cohort-new"),
    path("cohorts/<number:pk>/", dashboards.dashboard, name="dashboard"),
    path("cohorts/<number:pk>/members/", dashboards.members, name="members"),
    path("cohorts/<number:pk>/invites/", dashboards.invite_new, name="invite-new"),
    path("cohorts/<number:pk>/invites/<number:invite>/revoke/", dashboards.invite_revoke, name="invite-revoke"),
    path("cohorts/<number:pk>/learners/<number:user>/", dashboards.learner, name="learner"),
    path("cohorts/<number:pk>/learners/<number:user>/lessons/<number:lesson>/", dashboards.learner_lesson, name="learner-lesson"),
    path("cohorts/<number:pk>/learners/<number:user>/quizzes/<number:quiz>/", dashboards.learner_quiz, name="learner-quiz"),
    path("cohorts/<number:pk>/", include("lessons.dashboards.urls")),
    path("", include("lessons.desk.urls")),
    path("replays/<str:token>/", replay.shared, name="shared-replay"),
    path("replays/<str:token>/data/", replay.shared_data, name="shared-replay-data"),
    path("replays/<str:token>/look/", replay.shared_look, name="shared-replay-look"),
    path("cohorts/<number:pk>/", include("lessons.assessment.urls")),
    path("join/<str:token>/", dashboards.join, name="join"),
]
