"""What the desk keeps: signals and messages, who watches whom, shared replays, announcements, dates, columns from elsewhere, certificates."""

from __future__ import annotations

import secrets
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from lessons.models import Chapter, Cohort, Course, Lesson
from simulator.models import ClusterSession

USER = settings.AUTH_USER_MODEL


class Signal(models.Model):
    """A learner says "help me" or "I am done"; it stands until somebody clears it."""

    class Kind(models.TextChoices):
        """What is said."""

        HELP = "help", _("Help me")
        DONE = "done", _("I am done")

    user = models.ForeignKey(USER, on_delete=models.CASCADE, related_name="signals")
    course = models.ForeignKey(Course, on_delete=models.CASCADE, related_name="+")
    lesson = models.ForeignKey(Lesson, on_delete=models.SET_NULL, null=True, related_name="+")
    kind = models.CharField(max_length=8, choices=Kind.choices)
    note = models.CharField(max_length=300, blank=True, default="")
    at = models.DateTimeField(default=timezone.now)
    cleared_at = models.DateTimeField(null=True)
    cleared_by = models.ForeignKey(USER, on_delete=models.SET_NULL, null=True, related_name="+")

    class Meta:
        ordering: ClassVar = ["-at", "-id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user", "course"], condition=models.Q(cleared_at=None), name="signal_stands_once"),
        ]

    def __str__(self) -> str:
        return f"{self.user}: {self.kind}"


class Message(models.Model):
    """A note from staff of a cohort to one of its learners."""

    cohort = models.ForeignKey(Cohort, on_delete=models.CASCADE, related_name="messages")
    learner = models.ForeignKey(USER, on_delete=models.CASCADE, related_name="desk_messages")
    sender = models.ForeignKey(USER, on_delete=models.SET_NULL, null=True, related_name="+")
    text = models.CharField(max_length=1000)
    at = models.DateTimeField(default=timezone.now)
    read_at = models.DateTimeField(null=True)

    class Meta:
        ordering: ClassVar = ["-at", "-id"]

    def __str__(self) -> str:
        return f"to {self.learner}"


class Watching(models.Model):
    """Somebody of the staff looks at a learner's live cluster.  Kept: who watched when is no secret from the learner."""

    session = models.ForeignKey(ClusterSession, on_delete=models.CASCADE, related_name="watchings")
    watcher = models.ForeignKey(USER, on_delete=models.CASCADE, related_name="+")
    cohort = models.ForeignKey(Cohort, on_delete=models.CASCADE, related_name="+")
    began_at = models.DateTimeField(default=timezone.now)
    #: Renewed while the page is open; long ago means gone.
    seen_at = models.DateTimeField(default=timezone.now)
    asked_at = models.DateTimeField(null=True)  # to type along
    granted_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["session", "watcher"], name="watching_once")]

    def __str__(self) -> str:
        return f"{self.watcher} watches {self.session_id}"


class ReplayLink(models.Model):
    """A replay shared by a signed link that expires and can be closed."""

    session = models.ForeignKey(ClusterSession, on_delete=models.CASCADE, related_name="replay_links")
    cohort = models.ForeignKey(Cohort, on_delete=models.CASCADE, related_name="+")
    made_by = models.ForeignKey(USER, on_delete=models.SET_NULL, null=True, related_name="+")
    made_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)

    class Meta:
        ordering: ClassVar = ["-made_at", "-id"]

    def __str__(self) -> str:
        return f"replay of {self.session_id} until {self.expires_at}"


class Announcement(models.Model):
    """A word to everybody in a cohort, from a time on."""

    cohort = models.ForeignKey(Cohort, on_delete=models.CASCADE, related_name="announcements")
    author = models.ForeignKey(USER, on_delete=models.SET_NULL, null=True, related_name="+")
    text = models.CharField(max_length=2000)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering: ClassVar = ["-at", "-id"]

    def __str__(self) -> str:
        return self.text[:60]


class ChapterDates(models.Model):
    """When a chapter opens for a cohort, and when it should be done."""

    cohort = models.ForeignKey(Cohort, on_delete=models.CASCADE, related_name="dates")
    chapter = models.ForeignKey(Chapter, on_delete=models.CASCADE, related_name="+")
    opens_at = models.DateTimeField(null=True)
    due_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["cohort", "chapter"], name="chapter_dates_once")]

    def __str__(self) -> str:
        return f"{self.chapter} for {self.cohort}"


class Column(models.Model):
    """A column of the gradebook whose marks come from elsewhere."""

    cohort = models.ForeignKey(Cohort, on_delete=models.CASCADE, related_name="columns")
    name = models.CharField(max_length=80)
    max_points = models.FloatField()
    #: how much it counts beside the others
    weight = models.FloatField(default=1.0)

    class Meta:
        ordering: ClassVar = ["pk"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["cohort", "name"], name="column_name_once")]

    @property
    def title(self) -> str:
        """Its name, as exercises and quizzes have titles."""
        return self.name

    def __str__(self) -> str:
        return self.name


class ColumnMark(models.Model):
    """One learner's mark in a column from elsewhere."""

    column = models.ForeignKey(Column, on_delete=models.CASCADE, related_name="marks")
    user = models.ForeignKey(USER, on_delete=models.CASCADE, related_name="+")
    points = models.FloatField()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["column", "user"], name="column_mark_once")]

    def __str__(self) -> str:
        return f"{self.user}: {self.points}"


class RosterEntry(models.Model):
    """Somebody who is expected: joins with this role as soon as they log in with the address."""

    cohort = models.ForeignKey(Cohort, on_delete=models.CASCADE, related_name="roster")
    email = models.EmailField()
    name = models.CharField(max_length=80, blank=True, default="")
    role = models.CharField(max_length=12)
    added_at = models.DateTimeField(default=timezone.now)
    joined = models.ForeignKey(USER, on_delete=models.SET_NULL, null=True, related_name="+")

    class Meta:
        ordering: ClassVar = ["email"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["cohort", "email"], name="roster_email_once")]

    def __str__(self) -> str:
        return self.email


def new_number() -> str:
    """A certificate's number: 60 bits in letters that are not confused."""
    return "-".join("".join(secrets.choice("23456789ABCDEFGHJKMNPQRSTVWXYZ") for _ in range(4)) for _ in range(3))


class Preference(models.Model):
    """What somebody set for themselves.  `zone` is an IANA name; nothing means their browser's."""

    user = models.OneToOneField(USER, on_delete=models.CASCADE, related_name="preference")
    zone = models.CharField(max_length=64, blank=True, default="")

    def __str__(self) -> str:
        return f"{self.user}: {self.zone or 'as the browser'}"


class Certificate(models.Model):
    """What somebody has done in a course, as it stood when it was issued."""

    user = models.ForeignKey(USER, on_delete=models.CASCADE, related_name="certificates")
    course = models.ForeignKey(Course, on_delete=models.CASCADE, related_name="+")
    number = models.CharField(max_length=16, unique=True, default=new_number)
    name = models.CharField(max_length=120)
    issued_at = models.DateTimeField(default=timezone.now)
    facts = models.JSONField()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["user", "course"], name="certificate_once")]

    def __str__(self) -> str:
        return self.number
