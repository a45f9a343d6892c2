"""Grades with their evidence, what instructors change about them, and the record of every change.

A `Grade` is computed from work and can be computed again at any time.  An `Adjustment` is what a person decided about it for a
cohort.  `lessons.grading.selectors` puts both together; `GradeEvent` is the audit trail of both.
"""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from lessons.models import Cohort, Course, Exercise, Quiz, Version
from lessons.quizzes.models import Assignment

_ONE_THING = models.Q(exercise__isnull=True, quiz__isnull=False) | models.Q(exercise__isnull=False, quiz__isnull=True)


class Grade(models.Model):
    """Points for an exercise or a quiz.  `evidence` names the rows it was computed from.

    A quiz that was given to a cohort has a grade for each assignment; one taken freely has its own (`assignment` null).
    `complete` is false while something of it waits to be marked.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="grades")
    course = models.ForeignKey(Course, on_delete=models.CASCADE, related_name="grades")
    exercise = models.ForeignKey(Exercise, on_delete=models.CASCADE, null=True, related_name="grades")
    quiz = models.ForeignKey(Quiz, on_delete=models.CASCADE, null=True, related_name="grades")
    assignment = models.ForeignKey(Assignment, on_delete=models.CASCADE, null=True, related_name="grades")
    complete = models.BooleanField(default=True)
    points = models.FloatField()
    max_points = models.FloatField()
    evidence = models.JSONField()
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["user", "exercise"], condition=models.Q(exercise__isnull=False), name="grade_exercise_once"
            ),
            models.UniqueConstraint(
                fields=["user", "quiz"], condition=models.Q(quiz__isnull=False, assignment=None), name="grade_quiz_once"
            ),
            models.UniqueConstraint(
                fields=["user", "assignment"], condition=models.Q(assignment__isnull=False), name="grade_assignment_once"
            ),
            models.CheckConstraint(condition=_ONE_THING, name="grade_of_one_thing"),
        ]

    def __str__(self) -> str:
        return f"{self.user}: {self.points}/{self.max_points}"


class Adjustment(models.Model):
    """What staff decided about one grade of one learner in a cohort, with the reason that the learner reads."""

    class Kind(models.TextChoices):
        """Other points, or no grade at all."""

        OVERRIDE = "override", _("set by hand")
        EXCUSED = "excused", _("excused")

    cohort = models.ForeignKey(Cohort, on_delete=models.CASCADE, related_name="adjustments")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="adjustments")
    exercise = models.ForeignKey(Exercise, on_delete=models.CASCADE, null=True, related_name="+")
    quiz = models.ForeignKey(Quiz, on_delete=models.CASCADE, null=True, related_name="+")
    kind = models.CharField(max_length=8, choices=Kind.choices)
    points = models.FloatField(null=True)
    reason = models.CharField(max_length=500)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["cohort", "user", "exercise"], condition=models.Q(exercise__isnull=False), name="adjustment_exercise_once"
            ),
            models.UniqueConstraint(
                fields=["cohort", "user", "quiz"], condition=models.Q(quiz__isnull=False), name="adjustment_quiz_once"
            ),
            models.CheckConstraint(condition=_ONE_THING, name="adjustment_of_one_thing"),
            models.CheckConstraint(
                condition=models.Q(kind="override", points__isnull=False) | models.Q(kind="excused", points=None),
                name="adjustment_points",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user}: {self.kind}"


class GradeGroup(models.Model):
    """Items of a cohort that count together: a share of the total, of which the lowest few may be dropped."""

    cohort = models.ForeignKey(Cohort, on_delete=models.CASCADE, related_name="grade_groups")
    name = models.CharField(max_length=80)
    weight = models.FloatField(default=1.0)
    drop_lowest = models.PositiveSmallIntegerField(default=0)
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering: ClassVar = ["position", "id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["cohort", "name"], name="grade_group_once"),
            models.CheckConstraint(condition=models.Q(weight__gte=0), name="grade_group_weight"),
        ]

    def __str__(self) -> str:
        return self.name


class GradeItem(models.Model):
    """How one quiz or exercise counts in a cohort; without a row it counts once, outside every group."""

    cohort = models.ForeignKey(Cohort, on_delete=models.CASCADE, related_name="grade_items")
    group = models.ForeignKey(GradeGroup, on_delete=models.SET_NULL, null=True, blank=True, related_name="items")
    exercise = models.ForeignKey(Exercise, on_delete=models.CASCADE, null=True, related_name="+")
    quiz = models.ForeignKey(Quiz, on_delete=models.CASCADE, null=True, related_name="+")
    weight = models.FloatField(default=1.0)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["cohort", "exercise"], condition=models.Q(exercise__isnull=False), name="grade_item_exercise_once"
            ),
            models.UniqueConstraint(
                fields=["cohort", "quiz"], condition=models.Q(quiz__isnull=False), name="grade_item_quiz_once"
            ),
            models.CheckConstraint(condition=_ONE_THING, name="grade_item_of_one_thing"),
            models.CheckConstraint(condition=models.Q(weight__gte=0), name="grade_item_weight"),
        ]

    def __str__(self) -> str:
        return f"{self.quiz or self.exercise} in {self.cohort}"


class GradeEvent(models.Model):
    """One change of a grade, by a person or a regrade.  Rows are only ever added."""

    cohort = models.ForeignKey(Cohort, on_delete=models.CASCADE, null=True, related_name="grade_events")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="grade_events")
    exercise = models.ForeignKey(Exercise, on_delete=models.CASCADE, null=True, related_name="+")
    quiz = models.ForeignKey(Quiz, on_delete=models.CASCADE, null=True, related_name="+")
    #: override, excuse, clear, regrade, hand, extension, reopen
    kind = models.CharField(max_length=12)
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)
    reason = models.CharField(max_length=500, blank=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering: ClassVar = ["-at", "-id"]

    def __str__(self) -> str:
        return f"{self.user}: {self.kind}"


class Regrade(models.Model):
    """What was handed in to a quiz marked again: by which text, what it would change, and when it was published.

    `changes` is the preview as its author saw it: publishing applies exactly that, or refuses when the work has changed since.
    """

    cohort = models.ForeignKey(Cohort, on_delete=models.CASCADE, related_name="regrades")
    quiz = models.ForeignKey(Quiz, on_delete=models.CASCADE, related_name="regrades")
    version = models.ForeignKey(Version, on_delete=models.PROTECT, related_name="+")
    reason = models.CharField(max_length=500)
    #: only answers to this question; empty: to all
    question = models.CharField(max_length=100, blank=True)
    #: answers about worlds are replayed even where neither the question nor the engine is another
    everything = models.BooleanField(default=False)
    changes = models.JSONField(default=list)
    #: how many answers were marked again, and how many of them in a world
    marked = models.PositiveIntegerField(default=0)
    replayed = models.PositiveIntegerField(default=0)
    #: questions that cannot be marked by the mended text, and why
    skipped = models.JSONField(default=list)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    at = models.DateTimeField(default=timezone.now)
    prepared_at = models.DateTimeField(null=True)
    published_at = models.DateTimeField(null=True)

    class Meta:
        ordering: ClassVar = ["-at", "-id"]

    def __str__(self) -> str:
        return f"regrade of {self.quiz} for {self.cohort}"
