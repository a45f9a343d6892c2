"""xAPI: statements of what happens, none without a store, none lost while it is away."""

from __future__ import annotations

import base64
import datetime
import json
import uuid
from typing import Any

import pytest
from django.utils import timezone

from lessons.grading.models import Grade
from lessons.models import Enrollment, Exercise, LessonProgress
from lessons.outbox.models import Delivery
from lessons.outbox.services import deliver_due
from tests.api.test_api import Receiver
from tests.api.test_api import receiver as receiver
from tests.lessons.conftest import course as course
from tests.lessons.conftest import exercise as exercise


@pytest.fixture
def store(receiver: Receiver, settings: Any) -> Receiver:
    settings.SLIPWAY_LRS_URL = f"http://127.0.0.1:{receiver.port}/xapi/"
    settings.SLIPWAY_LRS_KEY, settings.SLIPWAY_LRS_SECRET = "key", "secret"
    settings.SLIPWAY_SITE_URL = "https://slipway.example"
    return receiver


def everything(learner: Any, exercise: Exercise) -> None:
    Enrollment.objects.create(user=learner, course=exercise.course)
    lesson = exercise.lesson
    row = LessonProgress.objects.create(user=learner, lesson=lesson, version=lesson.version)
    row.read_at = timezone.now()
    row.save()
    Grade.objects.create(user=learner, course=exercise.course, exercise=exercise, points=7, max_points=10, evidence={})


def test_what_happens_is_said(store: Receiver, learner: Any, exercise: Exercise) -> None:
    everything(learner, exercise)
    assert deliver_due() == 3
    said = [json.loads(body) for _headers, body in store.got]
    assert [one["verb"]["display"]["en-US"] for one in said] == ["registered", "completed", "scored"]
    for (headers, _body), one in zip(store.got, said, strict=True):
        uuid.UUID(one["id"])
        assert headers["x-experience-api-version"] == "1.0.3"
        assert base64.b64decode(headers["authorization"].removeprefix("Basic ")) == b"key:secret"
        assert one["actor"] == {
            "objectType": "Agent",
            "account": {"homePage": "https://slipway.example", "name": str(learner.pk)},
        }
        assert one["object"]["id"].startswith("https://slipway.example/xapi/")
        assert learner.username not in json.dumps(one)
    assert said[2]["result"]["score"] == {"raw": 7, "min": 0.0, "max": 10, "scaled": 0.7}
    assert set(said[0]["object"]["definition"]["name"]) == {"ko-KR", "en-US"}


def test_nothing_is_lost_while_the_store_is_away(store: Receiver, learner: Any, exercise: Exercise) -> None:
    everything(learner, exercise)
    store.answers = [503, 503, 503, 409]
    deliver_due()
    assert {delivery.state for delivery in Delivery.objects.all()} == {"retrying"}
    deliver_due(now=timezone.now() + datetime.timedelta(hours=1))
    assert {delivery.state for delivery in Delivery.objects.all()} == {"delivered"}  # one of them was there already: 409
    idents = [json.loads(body)["id"] for _headers, body in store.got]
    assert sorted(idents[:3]) == sorted(idents[3:])


def test_without_a_store_nothing_is_written(learner: Any, exercise: Exercise) -> None:
    everything(learner, exercise)
    assert not Delivery.objects.exists()
