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
        """Owners and instructors see everything and manage; assistants see and help; observers see; learners learn."""

        OWNER = "owner", _("Owner")
        INSTRUCTOR = "instructor", _("Instructor")
        ASSISTANT = "assistant", _("Assistant")
        OBSERVER = "observer", _("Observer")
        LEARNER = "learner", _("Learner")

    #: Who works with learners; observers only read.  None of them counts in statistics.
    STAFF: ClassVar = (Role.OWNER, Role.INSTRUCTOR, Role.ASSISTANT)
    READERS: ClassVar = (*STAFF, Role.OBSERVER)
    MANAGERS: ClassVar = (Role.OWNER, Role.INSTRUCTOR)

    cohort = models.ForeignKey(Cohort, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=12, choices=Role.choices)
    joined_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["cohort", "user"], name="membership_once")]

    def __str__(self) -> str:
        return f"{self.user}: {self.role} of {self.cohort}"


def new_code() -> str:
    """An invite's code for a blackboard: 40 bits in letters and digits that are not confused."""
    return "".join(secrets.choice("23456789ABCDEFGHJKMNPQRSTVWXYZ") for _ in range(8))


class Invite(models.Model):
    """A link, and a code to type, that make whoever uses them a member.  Revoking it lets nobody else in and keeps who came."""

    cohort = models.ForeignKey(Cohort, on_delete=models.CASCADE, related_name="invites")
    token = models.CharField(max_length=40, unique=True, default=new_token)
    role = models.CharField(max_length=12, choices=Membership.Role.choices, default=Membership.Role.LEARNER)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    revoked_at = models.DateTimeField(null=True)
    code = models.CharField(max_length=8, null=True, unique=True, default=new_code)
    #: Only for e-mail addresses at this domain, where one is given.
    email_domain = models.CharField(max_length=120, blank=True, default="")
    expires_at = models.DateTimeField(null=True)

    class Meta:
        ordering: ClassVar = ["-created_at", "-id"]

    def __str__(self) -> str:
        return f"invite to {self.cohort}"

    @property
    def is_open(self) -> bool:
        """Whether it lets anybody in."""
        return self.revoked_at is None and (self.expires_at is None or self.expires_at > timezone.now())

    def admits(self, email: str) -> bool:
        """Whether somebody with this address may come in by it."""
        domain = self.email_domain.casefold().lstrip("@")
        return not domain or email.casefold().rpartition("@")[2] == domain

    def get_absolute_url(self) -> str:
        """The page that the link opens."""
        return reverse("lessons:join", args=[self.token])
