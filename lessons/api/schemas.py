"""What the API answers.  Times are ISO 8601 in UTC; points are numbers; texts are in the language asked for by `Accept-Language`."""

from __future__ import annotations

import datetime
import uuid
from typing import Annotated, Generic, Literal, TypeVar

from ninja import Schema
from pydantic import Field

T = TypeVar("T")


class Problem(Schema):
    """Why a request was refused."""

    code: Literal["unauthorized", "forbidden", "not_found", "invalid", "rate_limited", "conflict"]
    message: str
    #: of `invalid`: the fields that are wrong
    fields: list[str] = []


class Page(Schema, Generic[T]):
    """One page of a list; `next` is the `after` of the next one, null at the end."""

    items: list[T]
    next: int | None


class ExerciseOut(Schema):
    """An exercise of a lesson."""

    slug: str
    title: str
    points: float


class LessonOut(Schema):
    """A lesson of a chapter."""

    slug: str
    title: str
    minutes: int
    exercises: list[ExerciseOut]


class QuizOut(Schema):
    """A chapter's quiz."""

    title: str
    questions: int
    points: float


class ChapterOut(Schema):
    """A chapter of a course."""

    slug: str
    number: int
    title: str
    lessons: list[LessonOut]
    quiz: QuizOut | None


class CourseOut(Schema):
    """A course in a list."""

    id: int
    slug: str
    title: str
    about: str


class CourseDetail(CourseOut):
    """A course with everything in it."""

    chapters: list[ChapterOut]


class CohortOut(Schema):
    """A cohort in which one is staff."""

    id: int
    name: str
    course: str
    role: str
    created_at: datetime.datetime


class MemberOut(Schema):
    """Somebody in a cohort."""

    id: int
    user: int
    username: str
    email: str
    role: str
    joined_at: datetime.datetime


class ProgressOut(Schema):
    """A learner's progress in a course."""

    user: int
    username: str
    course: str
    lessons_read: list[str]
    exercises_passed: list[str]
    lessons_done: int
    lessons: int


class GradeOut(Schema):
    """One grade; exactly one of `exercise` and `quiz` (a chapter's slug) is set."""

    id: int
    user: int
    username: str
    course: str
    exercise: str | None
    quiz: str | None
    points: float
    max_points: float
    updated_at: datetime.datetime


class ClusterOut(Schema):
    """A simulated cluster."""

    id: uuid.UUID
    owner: int
    scenario: str
    slot: str
    created_at: datetime.datetime
    touched_at: datetime.datetime
    inputs: int
    virtual_nanoseconds: int


class Entry(Schema):
    """Something in a terminal: a line that was typed (`input`), or output (`fd` 1, error output 2, echo 0)."""

    kind: Literal["input", "output"]
    at: int
    terminal: str
    fd: int | None
    text: str


class Transcript(Schema):
    """What was typed and shown, in virtual time; `next` is the `after` of the next page."""

    cluster: uuid.UUID
    entries: list[Entry]
    next: int | None


class Me(Schema):
    """Who the token acts for, and what for."""

    id: int
    username: str
    scopes: list[str]


EventName = Literal["grade.changed", "lesson.read", "learner.enrolled"]


_PORT = r"(:(6553[0-5]|655[0-2][0-9]|65[0-4][0-9]{2}|6[0-4][0-9]{3}|[1-5][0-9]{4}|[1-9][0-9]{0,3}))?"
#: What a webhook's address looks like; no user, no fragment.
ADDRESS = rf"^(https://[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?|http://(localhost|127\.0\.0\.1|\[::1\])){_PORT}(/[!-\"$-~]*)?$"


class WebhookIn(Schema):
    """An address to be told: https, or http on this machine; a host that is not one of INTEGRATION_HOSTS is refused with 403."""

    url: Annotated[str, Field(min_length=8, max_length=500, pattern=ADDRESS)]
    events: Annotated[list[EventName], Field(min_length=1, max_length=3)]


class WebhookOut(Schema):
    """A webhook."""

    id: int
    url: str
    events: list[EventName]
    created_at: datetime.datetime


class WebhookMade(WebhookOut):
    """A new webhook with the secret that signs its events; it is not shown again."""

    secret: str
