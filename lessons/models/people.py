"""People: enrolment, what they have read, cohorts and who is what in them."""

from __future__ import annotations

import secrets
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from lessons.models.content import Course, Lesson, Version


def new_token() -> str:
    """An invite's secret: 128 bits, safe in a link."""
    return secrets.token_urlsafe(16)


class Enrollment(models.Model):
    """Somebody takes a course; remembers where they were last."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="enrollments")
    course = models.ForeignKey(Course, on_delete=models.CASCADE, related_name="enrollments")
    last_lesson = models.ForeignKey(Lesson, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    last_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["user", "course"], name="enrollment_once")]

    def __str__(self) -> str:
        return f"{self.user} in {self.course}"


class LessonProgress(models.Model):
    """A lesson that somebody has opened and, with `read_at`, marked as read; `version` is what they read."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="lesson_progress")
    lesson = models.ForeignKey(Lesson, on_delete=models.CASCADE, related_name="progress")
    version = models.ForeignKey(Version, on_delete=models.PROTECT, related_name="+")
    opened_at = models.DateTimeField(auto_now_add=True)
    last_at = models.DateTimeField(default=timezone.now)
    read_at = models.DateTimeField(null=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["user", "lesson"], name="lesson_progress_once")]

    def __str__(self) -> str:
        return f"{self.user}: {self.lesson}"


class Cohort(models.Model):
    """A group that takes a course together."""

    course = models.ForeignKey(Course, on_delete=models.CASCADE, related_name="cohorts")
    name = models.CharField(max_length=80)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["-created_at", "-id"]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        """The dashboard."""
        return reverse("lessons:dashboard", args=[self.pk])


class Membership(models.Model):
    """What somebody is in a cohort."""

    class Role(models.TextChoices):
        """Owners and instructors see everything and manage; assistants see; learners learn."""

        OWNER = "owner", _("Owner")
        INSTRUCTOR = "instructor", _("Instructor")
        ASSISTANT = "assistant", _("Assistant")
        LEARNER = "learner", _("Learner")

    STAFF: ClassVar = (Role.OWNER, Role.INSTRUCTOR, Role.ASSISTANT)
    MANAGERS: ClassVar = (Role.OWNER, Role.INSTRUCTOR)

    cohort = models.ForeignKey(Cohort, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=12, choices=Role.choices)
    joined_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["cohort", "user"], name="membership_once")]

    def __str__(self) -> str:
        return f"{self.user}: {self.role} of {self.cohort}"


class Invite(models.Model):
    """A link that makes whoever opens it a member.  Revoking it lets nobody else in and keeps who came."""

    cohort = models.ForeignKey(Cohort, on_delete=models.CASCADE, related_name="invites")
    token = models.CharField(max_length=40, unique=True, default=new_token)
    role = models.CharField(max_length=12, choices=Membership.Role.choices, default=Membership.Role.LEARNER)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        ordering: ClassVar = ["-created_at", "-id"]

    def __str__(self) -> str:
        return f"invite to {self.cohort}"

    def get_absolute_url(self) -> str:
        """The page that the link opens."""
        return reverse("lessons:join", args=[self.token])
