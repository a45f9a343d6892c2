"""Addresses of the instructor's desk, below `cohorts/<pk>/`."""

from __future__ import annotations

from django.urls import path, re_path

from lessons.dashboards import gradebook, items, live, people, replay

urlpatterns = [
    path("items/", items.items, name="items"),
    path("items/quizzes/<number:quiz>/", items.quiz_items, name="items-quiz"),
    path("items/quizzes/<number:quiz>/table.csv", items.quiz_items_csv, name="items-quiz-csv"),
    path("items/exercises/<number:exercise>/", items.exercise_items, name="items-exercise"),
    path("gradebook/", gradebook.gradebook, name="gradebook"),
    re_path(r"^gradebook/grades\.(?P<kind>csv|xlsx)$", gradebook.gradebook_file, name="gradebook-file"),
    path("gradebook/columns/", gradebook.column_import, name="column-import"),
    path("gradebook/columns/<number:column>/remove/", gradebook.column_remove, name="column-remove"),
    path("wall/", live.wall, name="wall"),
    path("signals/<number:signal>/clear/", live.signal_clear, name="signal-clear"),
    path("learners/<number:user>/message/", live.message, name="message"),
    path("learners/<number:user>/sessions/<uuid:session>/watch/", live.watch, name="watch"),
    path("learners/<number:user>/sessions/<uuid:session>/watch/ask/", live.watch_ask, name="watch-ask"),
    path("learners/<number:user>/sessions/<uuid:session>/replay/", replay.replay, name="replay"),
    path("learners/<number:user>/sessions/<uuid:session>/replay/data/", replay.replay_data, name="replay-data"),
    path("learners/<number:user>/sessions/<uuid:session>/replay/look/", replay.replay_look, name="replay-look"),
    path("learners/<number:user>/sessions/<uuid:session>/share/", replay.replay_share, name="replay-share"),
    path("learners/<number:user>/sessions/<uuid:session>/help/", replay.help_fork, name="help-fork"),
    path("help/<uuid:session>/", replay.help_bench, name="help-bench"),
    path("replays/<number:link>/close/", replay.replay_close, name="replay-close"),
    path("learners/<number:user>/data.json", people.learner_data, name="learner-data"),
    path("learners/<number:user>/delete/", people.learner_delete, name="learner-delete"),
    path("plan/", people.plan, name="plan"),
    path("plan/dates/", people.dates_save, name="dates-save"),
    path("plan/announcements/", people.announce, name="announce"),
    path("plan/announcements/<number:announcement>/remove/", people.announcement_remove, name="announcement-remove"),
    path("plan/preview/", people.preview, name="preview"),
    path("roster/", people.roster_upload, name="roster-upload"),
    path("roster/<number:entry>/remove/", people.roster_remove, name="roster-remove"),
    path("members/<number:member>/role/", people.member_role, name="member-role"),
]
