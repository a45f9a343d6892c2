"""xAPI statements (version 1.0.3): made when something happens, kept in the outbox until the record store has them.

An actor is an account of this site: its user number, no name and no address.  A statement's id is made from what it says, so
that a second delivery is the same statement to the store.
"""

from __future__ import annotations

import base64
import uuid
from typing import Any

import orjson
from django.conf import settings
from django.db.models.signals import post_save
from django.utils import timezone

from lessons.grading.models import Grade
from lessons.models import Enrollment, LessonProgress
from lessons.outbox import http
from lessons.outbox import services as outbox
from lessons.outbox.models import Delivery

_VERBS = {
    "registered": "http://adlnet.gov/expapi/verbs/registered",
    "completed": "http://adlnet.gov/expapi/verbs/completed",
    "scored": "http://adlnet.gov/expapi/verbs/scored",
}
_TYPES = {
    "course": "http://adlnet.gov/expapi/activities/course",
    "lesson": "http://adlnet.gov/expapi/activities/lesson",
    "exercise": "http://adlnet.gov/expapi/activities/interaction",
    "quiz": "http://adlnet.gov/expapi/activities/assessment",
}


def connect() -> None:
    """Listen; nothing is written unless a store is configured."""
    post_save.connect(_grade, sender=Grade, dispatch_uid="xapi.grade")
    post_save.connect(_read, sender=LessonProgress, dispatch_uid="xapi.read")
    post_save.connect(_enrolled, sender=Enrollment, dispatch_uid="xapi.enrolled")


def statement(user_id: int, verb: str, kind: str, path: str, title: Any, **more: Any) -> dict[str, Any]:
    """One statement about an activity of this site."""
    site = settings.SLIPWAY_SITE_URL.rstrip("/")
    names = {"ko-KR": title["ko"], "en-US": title["en"]} if isinstance(title, dict) else {"en-US": str(title)}
    said: dict[str, Any] = {
        "actor": {"objectType": "Agent", "account": {"homePage": site, "name": str(user_id)}},
        "verb": {"id": _VERBS[verb], "display": {"en-US": verb}},
        "object": {
            "objectType": "Activity",
            "id": f"{site}/xapi/{kind}/{path}",
            "definition": {"type": _TYPES[kind], "name": names},
        },
        "timestamp": timezone.now().isoformat(),
        **more,
    }
    ident = uuid.uuid5(uuid.NAMESPACE_URL, orjson.dumps(said, option=orjson.OPT_SORT_KEYS).decode())
    return {"id": str(ident), **said}


def _put(said: dict[str, Any]) -> None:
    outbox.put("xapi", "lrs", said)


def _grade(instance: Grade, **_kwargs: Any) -> None:
    if not settings.SLIPWAY_LRS_URL:
        return
    course = instance.course.slug
    if instance.exercise is not None:
        kind, path, title = "exercise", f"{course}/{instance.exercise.slug}", instance.exercise.data.get("title")
    elif instance.quiz is not None:
        kind, path, title = "quiz", f"{course}/{instance.quiz.chapter.slug}", instance.quiz.data.get("title")
    else:
        return
    score: dict[str, float] = {"raw": instance.points, "min": 0.0, "max": instance.max_points}
    if instance.max_points > 0:
        score["scaled"] = round(max(-1.0, min(1.0, instance.points / instance.max_points)), 5)
    score = score if 0 <= instance.points <= instance.max_points else {"scaled": score.get("scaled", 0.0)}
    _put(statement(instance.user_id, "scored", kind, path, title or path, result={"score": score}))


def _read(instance: LessonProgress, **_kwargs: Any) -> None:
    if settings.SLIPWAY_LRS_URL and instance.read_at is not None:
        lesson = instance.lesson
        path = f"{lesson.chapter.course.slug}/{lesson.slug}"
        title = lesson.data.get("title") or path
        _put(statement(instance.user_id, "completed", "lesson", path, title, result={"completion": True}))


def _enrolled(instance: Enrollment, created: bool, **_kwargs: Any) -> None:
    if settings.SLIPWAY_LRS_URL and created:
        course = instance.course
        _put(statement(instance.user_id, "registered", "course", course.slug, course.data.get("title") or course.slug))


def send(delivery: Delivery) -> http.Answer:
    """Store one statement.  A store that has it already (409) has taken it."""
    if not settings.SLIPWAY_LRS_URL:
        raise outbox.GiveUp("no record store is configured")
    said = delivery.payload
    secret = f"{settings.SLIPWAY_LRS_KEY}:{settings.SLIPWAY_LRS_SECRET}".encode()
    headers = {
        "Content-Type": "application/json",
        "X-Experience-API-Version": "1.0.3",
        "Authorization": "Basic " + base64.b64encode(secret).decode(),
    }
    address = f"{settings.SLIPWAY_LRS_URL.rstrip('/')}/statements?statementId={said['id']}"
    answer = http.send("PUT", address, body=orjson.dumps(said), headers=headers)
    return http.Answer(204, answer.headers, answer.body) if answer.status == 409 else answer
