"""Addresses of the instructor's desk, below `cohorts/<pk>/`."""

from __future__ import annotations

from django.urls import path, re_path

from lessons.dashboards import gradebook, items, live, people, replay

urlpatterns = [
    path("items/", items.items, name="items"),
    path("items/quizzes/<int:quiz>/", items.quiz_items, name="items-quiz"),
    path("items/quizzes/<int:quiz>/table.csv", items.quiz_items_csv, name="items-quiz-csv"),
    path("items/exercises/<int:exercise>/", items.exercise_items, name="items-exercise"),
    path("gradebook/", gradebook.gradebook, name="gradebook"),
    re_path(r"^gradebook/grades\.(?P<kind>csv|xlsx)$", gradebook.gradebook_file, name="gradebook-file"),
    path("gradebook/columns/", gradebook.column_import, name="column-import"),
    path("gradebook/columns/<int:column>/remove/", gradebook.column_remove, name="column-remove"),
    path("wall/", live.wall, name="wall"),
    path("signals/<int:signal>/clear/", live.signal_clear, name="signal-clear"),
    path("learners/<int:user>/message/", live.message, name="message"),
    path("learners/<int:user>/sessions/<uuid:session>/watch/", live.watch, name="watch"),
    path("learners/<int:user>/sessions/<uuid:session>/watch/ask/", live.watch_ask, name="watch-ask"),
    path("learners/<int:user>/sessions/<uuid:session>/replay/", replay.replay, name="replay"),
    path("learners/<int:user>/sessions/<uuid:session>/replay/data/", replay.replay_data, name="replay-data"),
    path("learners/<int:user>/sessions/<uuid:session>/replay/look/", replay.replay_look, name="replay-look"),
    path("learners/<int:user>/sessions/<uuid:session>/share/", replay.replay_share, name="replay-share"),
    path("learners/<int:user>/sessions/<uuid:session>/help/", replay.help_fork, name="help-fork"),
    path("help/<uuid:session>/", replay.help_bench, name="help-bench"),
    path("replays/<int:link>/close/", replay.replay_close, name="replay-close"),
    path("learners/<int:user>/data.json", people.learner_data, name="learner-data"),
    path("learners/<int:user>/delete/", people.learner_delete, name="learner-delete"),
    path("plan/", people.plan, name="plan"),
    path("plan/dates/", people.dates_save, name="dates-save"),
    path("plan/announcements/", people.announce, name="announce"),
    path("plan/announcements/<int:announcement>/remove/", people.announcement_remove, name="announcement-remove"),
    path("plan/preview/", people.preview, name="preview"),
    path("roster/", people.roster_upload, name="roster-upload"),
    path("roster/<int:entry>/remove/", people.roster_remove, name="roster-remove"),
    path("members/<int:member>/role/", people.member_role, name="member-role"),
]
