"""Quizzes as learners take them: attempts, responses with their marks, and answers to questions asked in passing."""

from __future__ import annotations

import secrets
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from lessons.models import Cohort, Question, Quiz, Version


def new_seed() -> str:
    """Decides the order of questions and choices of one attempt."""
    return secrets.token_hex(8)


class Assignment(models.Model):
    """A quiz given to a cohort: when it may be taken, for how long, how often, and what of it counts.

    `version` is the cohort's own text of the quiz once an instructor has edited it; without one the course's text is asked.
    Empty fields mean no limit, or what the quiz's file says (`attempts`).
    """

    class Counts(models.TextChoices):
        """Which of several attempts makes the grade."""

        BEST = "best", _("the best attempt")
        LAST = "last", _("the last attempt")
        FIRST = "first", _("the first attempt")
        AVERAGE = "average", _("the average of all attempts")

    class Late(models.TextChoices):
        """What happens to work that is submitted after the due date and before closing."""

        ACCEPT = "accept", _("counts in full")
        PERCENT = "percent", _("loses a share of its points for each day begun")
        REFUSE = "refuse", _("no attempt can be started or submitted")

    cohort = models.ForeignKey(Cohort, on_delete=models.CASCADE, related_name="assignments")
    quiz = models.ForeignKey(Quiz, on_delete=models.CASCADE, related_name="assignments")
    version = models.ForeignKey(Version, on_delete=models.PROTECT, null=True, related_name="+")
    opens_at = models.DateTimeField(null=True, blank=True)
    due_at = models.DateTimeField(null=True, blank=True)
    closes_at = models.DateTimeField(null=True, blank=True)
    #: minutes for one attempt, by the server's clock from its start
    minutes = models.PositiveSmallIntegerField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(null=True, blank=True)
    counts = models.CharField(max_length=8, choices=Counts.choices, default=Counts.BEST)
    late = models.CharField(max_length=8, choices=Late.choices, default=Late.ACCEPT)
    #: percent of the earned points that each day begun takes, and the most that lateness takes
    late_percent = models.PositiveSmallIntegerField(default=10)
    late_most = models.PositiveSmallIntegerField(default=100)
    access_code = models.CharField(max_length=40, blank=True)
    #: `{phase: [what is shown]}`, see `lessons.quizzes.review`
    review = models.JSONField(default=dict, blank=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering: ClassVar = ["quiz__chapter__number", "id"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["cohort", "quiz"], name="assignment_once")]

    def __str__(self) -> str:
        return f"{self.quiz} for {self.cohort}"


class Extension(models.Model):
    """What one learner is granted beyond an assignment; it takes effect at once, also in the middle of an attempt."""

    assignment = models.ForeignKey(Assignment, on_delete=models.CASCADE, related_name="extensions")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="extensions")
    opens_at = models.DateTimeField(null=True, blank=True)
    due_at = models.DateTimeField(null=True, blank=True)
    closes_at = models.DateTimeField(null=True, blank=True)
    extra_minutes = models.PositiveSmallIntegerField(default=0)
    extra_attempts = models.PositiveSmallIntegerField(default=0)
    reason = models.CharField(max_length=300)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["assignment", "user"], name="extension_once")]

    def __str__(self) -> str:
        return f"{self.user}: {self.assignment}"


class QuizAttempt(models.Model):
    """One go at one version of a quiz.  At most one is open for a learner and quiz; the database sees to it.

    `layout` holds what was drawn at the start (`lessons.quizzes.layout`), so that the attempt says the same for ever.
    """

    class Closed(models.TextChoices):
        """Who submitted it."""

        LEARNER = "learner", _("the learner")
        CLOCK = "clock", _("the clock")

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="quiz_attempts")
    quiz = models.ForeignKey(Quiz, on_delete=models.CASCADE, related_name="attempts")
    version = models.ForeignKey(Version, on_delete=models.PROTECT, related_name="+")
    assignment = models.ForeignKey(Assignment, on_delete=models.SET_NULL, null=True, related_name="quiz_attempts")
    number = models.PositiveSmallIntegerField()
    layout = models.JSONField(null=True)
    seed = models.CharField(max_length=32, default=new_seed)
    started_at = models.DateTimeField(default=timezone.now)
    saved_at = models.DateTimeField(null=True)
    done_at = models.DateTimeField(null=True)
    submitted_at = models.DateTimeField(null=True)
    closed_by = models.CharField(max_length=8, blank=True, choices=Closed.choices)
    points = models.FloatField(null=True)
    max_points = models.FloatField(null=True)

    class Meta:
        ordering: ClassVar = ["number"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user", "quiz", "number"], name="quiz_attempt_number"),
            models.UniqueConstraint(
                fields=["user", "quiz"], condition=models.Q(submitted_at=None), name="quiz_attempt_open_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user}: {self.quiz} #{self.number}"


class Response(models.Model):
    """The answer to one question of an attempt, and after submission its mark with the evidence for it.

    `revision` counts the answers that were kept; a page says which one it shows, so that two devices do not undo each other.
    """

    class State(models.TextChoices):
        """How far its mark is."""

        OPEN = "", _("not submitted")
        MARKED = "marked", _("marked")
        WORLD = "world", _("being marked")
        HAND = "hand", _("to be marked by hand")

    attempt = models.ForeignKey(QuizAttempt, on_delete=models.CASCADE, related_name="responses")
    question = models.ForeignKey(Question, on_delete=models.PROTECT, related_name="responses")
    answer = models.JSONField(null=True)
    flagged = models.BooleanField(default=False)
    revision = models.PositiveIntegerField(default=0)
    saved_at = models.DateTimeField(default=timezone.now)
    edited_at = models.DateTimeField(default=timezone.now)
    state = models.CharField(max_length=8, blank=True, default="", choices=State.choices)
    points = models.FloatField(null=True)
    max_points = models.FloatField(null=True)
    mark = models.JSONField(null=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["attempt", "question"], name="response_once")]

    def __str__(self) -> str:
        return f"{self.attempt}: {self.question}"


class SavedAnswer(models.Model):
    """Every answer that reached the server, also one that another device had overtaken (`kept` false): nothing is lost."""

    attempt = models.ForeignKey(QuizAttempt, on_delete=models.CASCADE, related_name="saved_answers")
    question = models.ForeignKey(Question, on_delete=models.PROTECT, related_name="+")
    answer = models.JSONField(null=True)
    revision = models.PositiveIntegerField()
    kept = models.BooleanField(default=True)
    edited_at = models.DateTimeField(default=timezone.now)
    at = models.DateTimeField(default=timezone.now)
    why = models.CharField(max_length=16, blank=True)
    #: The browser that sent it, by an id that the browser drew, and when it was changed there, in milliseconds of its own clock.
    device = models.CharField(max_length=36, blank=True)
    device_at = models.BigIntegerField(null=True)

    class Meta:
        ordering: ClassVar = ["id"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["attempt", "question", "revision"], condition=models.Q(kept=True), name="saved_answer_revision"
            )
        ]

    def __str__(self) -> str:
        return f"{self.attempt}: {self.question} r{self.revision}"


class Produced(models.Model):
    """What commands printed in a world, kept by the hash of scenario, seed, commands and engine: a question shows it."""

    digest = models.CharField(max_length=64, unique=True)
    data = models.JSONField()
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.digest[:12]


class InlineAnswer(models.Model):
    """The last answer to a question asked in a lesson; ungraded, kept so that the page shows it again."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="inline_answers")
    question = models.ForeignKey(Question, on_delete=models.CASCADE, related_name="inline_answers")
    version = models.ForeignKey(Version, on_delete=models.PROTECT, related_name="+")
    answer = models.JSONField()
    fraction = models.FloatField()
    tries = models.PositiveSmallIntegerField(default=1)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["user", "question"], name="inline_answer_once")]

    def __str__(self) -> str:
        return f"{self.user}: {self.question}"
