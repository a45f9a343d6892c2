"""A person's data: all of it in one file for them, and all of it gone when they or the owner ask for that.

Nothing is kept of who is deleted: statistics are made from the rows of those who are there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.db import transaction
from django.db.models import Q

from lessons.desk.models import Certificate, ColumnMark, Message, RosterEntry, Signal, Watching
from lessons.grading.models import Adjustment, Grade, GradeEvent, Regrade
from lessons.labs.models import CheckRun, ExerciseAttempt, ExercisePass
from lessons.models import Enrollment, LessonProgress, Membership
from lessons.quizzes import clusters
from lessons.quizzes.models import Extension, InlineAnswer, QuizAttempt, Response
from simulator.models import ClusterSession, JournalEntry

if TYPE_CHECKING:
    from django.contrib.auth.models import User


#: What other applications keep about somebody: by its name in the file the model, whose it is, and the fields.  Secrets and hashes are left out.
ALSO: dict[str, tuple[str, ...]] = {
    "saved answers": ("quizzes.SavedAnswer", "attempt__user", "question", "answer", "edited_at", "at"),
    "extensions": (
        "quizzes.Extension",
        "user",
        "opens_at",
        "due_at",
        "closes_at",
        "extra_minutes",
        "extra_attempts",
        "reason",
        "at",
    ),
    "adjustments": ("grading.Adjustment", "user", "exercise__slug", "quiz__chapter__slug", "kind", "points", "reason", "at"),
    "changes of grades": ("grading.GradeEvent", "user", "kind", "before", "after", "reason", "at"),
    "question sets": ("interchange.QuestionSet", "owner", "slug", "title", "source", "created_at"),
    "API tokens": ("api.Token", "user", "name", "hint", "scopes", "created_at", "expires_at", "used_at", "revoked_at"),
    "webhooks": ("api.Webhook", "created_by", "url", "events", "created_at"),
    "kubeconfigs": ("simulator.EdgeToken", "session__owner", "session", "created_at", "used_at", "revoked_at"),
    "learning platforms": ("lti.Person", "user", "platform", "sub"),
    "links of platforms": ("lti.RegistrationLink", "made_by", "created_at", "used_at"),
    "rosters": ("desk.RosterEntry", "joined", "cohort__name", "email", "name", "role", "added_at"),
    "preferences": ("desk.Preference", "user", "zone"),
    "watching": ("desk.Watching", "watcher", "session__owner__username", "began_at", "seen_at"),
    "addresses": ("account.EmailAddress", "user", "email", "verified", "primary"),
    "sign-in elsewhere": ("socialaccount.SocialAccount", "user", "provider", "uid", "date_joined", "last_login", "extra_data"),
    "second factors": ("mfa.Authenticator", "user", "type", "created_at", "last_used_at"),
    "administration": ("admin.LogEntry", "user", "action_time", "object_repr", "change_message"),
}


def _rows(query: Any, *fields: str) -> list[dict[str, Any]]:
    return list(query.values(*fields))


def _decided(model: type[Adjustment] | type[GradeEvent], user: User, course: Any) -> Any:
    """What staff of a course decided about somebody's grades."""
    return model.objects.filter(Q(quiz__chapter__course=course) | Q(exercise__course=course), user=user)


def _roster(user: User) -> Any:
    """Where somebody is expected or was, by any of their addresses."""
    known = apps.get_model("account.EmailAddress").objects.filter(user=user).values_list("email", flat=True)
    named = Q(joined=user)
    for address in {user.email, *known} - {""}:
        named |= Q(email__iexact=address)
    return RosterEntry.objects.filter(named)


def everything(user: User) -> dict[str, Any]:
    """All that is kept about somebody, JSON-shaped (times as datetimes, which `DjangoJSONEncoder` writes)."""
    journal = JournalEntry.objects.filter(session__owner=user).order_by("session", "seq")
    return {
        "account": {
            "username": user.get_username(),
            "email": user.email,
            "name": user.get_full_name(),
            "joined": user.date_joined,
        },
        "cohorts": _rows(Membership.objects.filter(user=user), "cohort__name", "role", "joined_at"),
        "courses": _rows(Enrollment.objects.filter(user=user), "course__slug", "created_at", "last_at"),
        "lessons": _rows(LessonProgress.objects.filter(user=user), "lesson__slug", "opened_at", "last_at", "read_at"),
        "exercises": _rows(
            ExerciseAttempt.objects.filter(user=user),
            *("exercise__slug", "number", "started_at", "hints_shown", "failed_checks", "gave_up_at", "passed_at"),
        ),
        "checks": _rows(CheckRun.objects.filter(attempt__user=user), "attempt__exercise__slug", "at", "verdicts", "evidence"),
        "passes": _rows(ExercisePass.objects.filter(user=user), "exercise__slug", "points", "max_points", "at"),
        "quizzes": _rows(
            QuizAttempt.objects.filter(user=user),
            *("quiz__chapter__slug", "number", "started_at", "submitted_at", "points", "max_points"),
        ),
        "answers": _rows(
            Response.objects.filter(attempt__user=user),
            *("attempt__quiz__chapter__slug", "attempt__number", "question__slug", "answer", "saved_at", "points", "max_points"),
        ),
        "answers in lessons": _rows(
            InlineAnswer.objects.filter(user=user), "question__slug", "answer", "fraction", "tries", "at"
        ),
        "grades": _rows(
            Grade.objects.filter(user=user), "exercise__slug", "quiz__chapter__slug", "points", "max_points", "evidence"
        ),
        "columns": _rows(ColumnMark.objects.filter(user=user), "column__name", "points"),
        "clusters": _rows(ClusterSession.objects.filter(owner=user), "id", "scenario", "slot", "created_at", "archived_at"),
        "commands": _rows(journal, "session", "seq", "kind", "data", "created_at"),
        "signals": _rows(Signal.objects.filter(user=user), "kind", "note", "at", "cleared_at"),
        "messages": _rows(Message.objects.filter(learner=user), "text", "at", "read_at"),
        "watched": _rows(Watching.objects.filter(session__owner=user), "watcher__username", "began_at", "seen_at"),
        "certificates": _rows(Certificate.objects.filter(user=user), "number", "issued_at", "facts"),
        **{
            name: _rows(apps.get_model(model).objects.filter(**{whose: user}), *fields)
            for name, (model, whose, *fields) in ALSO.items()
        },
    }


def in_course(user: User, course: Any) -> dict[str, Any]:
    """What of `everything` belongs to one course: what its owner may hand out; the rest is none of theirs."""
    whole = everything(user)
    slugs = {name: set(rows) for name, rows in _slugs(course).items()}
    sessions: set[Any] = set(clusters.in_course(user.pk, course).values_list("pk", flat=True))
    keep: dict[str, tuple[str, set[Any]]] = {
        "lessons": ("lesson__slug", slugs["lessons"]),
        "exercises": ("exercise__slug", slugs["exercises"]),
        "checks": ("attempt__exercise__slug", slugs["exercises"]),
        "passes": ("exercise__slug", slugs["exercises"]),
        "quizzes": ("quiz__chapter__slug", slugs["chapters"]),
        "answers": ("attempt__quiz__chapter__slug", slugs["chapters"]),
        "clusters": ("id", sessions),
        "commands": ("session", sessions),
        "courses": ("course__slug", {course.slug}),
    }
    out: dict[str, Any] = {"account": {"username": whole["account"]["username"]}}
    for name, (key, values) in keep.items():
        out[name] = [row for row in whole[name] if row[key] in values]
    granted = Extension.objects.filter(user=user, assignment__cohort__course=course)
    return out | {
        "adjustments": _rows(_decided(Adjustment, user, course), *ALSO["adjustments"][2:]),
        "changes of grades": _rows(_decided(GradeEvent, user, course), *ALSO["changes of grades"][2:]),
        "extensions": _rows(granted, *ALSO["extensions"][2:]),
        "rosters": _rows(_roster(user).filter(cohort__course=course), *ALSO["rosters"][2:]),
    }


def _slugs(course: Any) -> dict[str, list[str]]:
    from lessons.models import Exercise, Lesson

    return {
        "lessons": list(Lesson.objects.filter(chapter__course=course).values_list("slug", flat=True)),
        "exercises": list(Exercise.objects.filter(course=course).values_list("slug", flat=True)),
        "chapters": list(course.chapters.values_list("slug", flat=True)),
    }


def _out_of_regrades(user: User, rows: Any) -> None:
    """Takes somebody's lines out of the previews of regrades, which name people."""
    for regrade in rows:
        kept = [change for change in regrade.changes if change["user"] != user.pk]
        if len(kept) != len(regrade.changes):
            regrade.changes = kept
            regrade.save(update_fields=["changes"])


class Staff(Exception):
    """Somebody who owns cohorts cannot be deleted before they are given to others."""


def forget(user: User) -> None:
    """Delete a person with all their work.  Raises `Staff` for the only owner of a cohort that others are in."""
    with transaction.atomic():
        for row in Membership.objects.filter(user=user, role=Membership.Role.OWNER).select_related("cohort"):
            others = row.cohort.memberships.exclude(user=user)
            if others.exists() and not others.filter(role=Membership.Role.OWNER).exists():
                raise Staff(row.cohort.name)
        _out_of_regrades(user, Regrade.objects.filter(quiz__attempts__user=user).distinct())
        ExercisePass.objects.filter(user=user).delete()  # a pass protects the run that it rests on
        _roster(user).delete()
        user.delete()


def forget_in_course(user: User, course: Any) -> None:
    """Delete somebody's work in a course and their place in its cohorts; the account stays."""
    with transaction.atomic():
        _out_of_regrades(user, Regrade.objects.filter(quiz__chapter__course=course))
        # read before the attempts go, which say what clusters of questions there are
        sessions = list(clusters.in_course(user.pk, course).values_list("pk", flat=True))
        ExercisePass.objects.filter(user=user, exercise__course=course).delete()
        ExerciseAttempt.objects.filter(user=user, exercise__course=course).delete()
        QuizAttempt.objects.filter(user=user, quiz__chapter__course=course).delete()
        InlineAnswer.objects.filter(user=user, question__chapter__course=course).delete()
        LessonProgress.objects.filter(user=user, lesson__chapter__course=course).delete()
        Grade.objects.filter(user=user, course=course).delete()
        for model in (Adjustment, GradeEvent):
            _decided(model, user, course).delete()
        Extension.objects.filter(user=user, assignment__cohort__course=course).delete()
        _roster(user).filter(cohort__course=course).delete()
        ColumnMark.objects.filter(user=user, column__cohort__course=course).delete()
        Signal.objects.filter(user=user, course=course).delete()
        Message.objects.filter(learner=user, cohort__course=course).delete()
        Certificate.objects.filter(user=user, course=course).delete()
        ClusterSession.objects.filter(pk__in=sessions).delete()
        Membership.objects.filter(user=user, cohort__course=course, role=Membership.Role.LEARNER).delete()
        Enrollment.objects.filter(user=user, course=course).delete()
