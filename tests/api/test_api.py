"""The API: who may read what, pages, limits, tokens, webhooks from grade to signed request, and schemathesis on all of it."""

from __future__ import annotations

import base64
import datetime
import hashlib
import hmac
import io
import json
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
import schemathesis
from django.core.management import CommandError, call_command
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from django.db.models import Q
from django.test import Client
from django.utils import timezone
from hypothesis import HealthCheck, Phase, given, settings

from lessons.api.models import SCOPES, Token, Webhook
from lessons.grading.models import Grade
from lessons.models import Enrollment, Exercise, LessonProgress
from lessons.outbox import http
from lessons.outbox import services as outbox
from lessons.outbox.models import Delivery
from simulator.models import ClusterSession, JournalEntry, OutputBatch
from simulator.packing import pack
from tests.lessons.conftest import People
from tests.lessons.conftest import course as course
from tests.lessons.conftest import exercise as exercise
from tests.lessons.conftest import people as people


def caller(user: Any, *scopes: str) -> Any:
    """GET as a program of somebody."""
    _token, secret = Token.make(user.pk, "test", list(scopes or SCOPES))
    client = Client(headers={"authorization": f"Bearer {secret}"})
    return lambda path, **query: client.get(f"/api/v1{path}", query)


def test_the_description_is_openapi_31() -> None:
    described = Client().get("/api/v1/openapi.json").json()
    assert described["openapi"].startswith("3.1")
    for path, operations in described["paths"].items():
        for method, operation in operations.items():
            assert operation["summary"], (path, method)
            assert operation["description"], (path, method)
            assert {"401", "403", "422", "429"} <= set(operation["responses"]), (path, method)
            assert operation["security"]


def test_no_token_wrong_token_old_token(people: People) -> None:
    assert Client().get("/api/v1/me").status_code == 401
    assert Client(headers={"authorization": "Bearer slw_nonsense"}).get("/api/v1/me").json()["code"] == "unauthorized"
    _token, secret = Token.make(people.learner.pk, "t", ["grades:read"])
    client = Client(headers={"authorization": f"Bearer {secret}"})
    assert client.get("/api/v1/me").json() == {"id": people.learner.pk, "username": "learner", "scopes": ["grades:read"]}
    assert secret not in json.dumps(list(Token.objects.values()), default=str)
    Token.objects.update(expires_at=timezone.now() - datetime.timedelta(seconds=1))
    assert client.get("/api/v1/me").status_code == 401
    Token.objects.update(expires_at=None, revoked_at=timezone.now())
    assert client.get("/api/v1/me").status_code == 401
    Token.objects.update(revoked_at=None)
    people.learner.is_active = False
    people.learner.save()
    assert client.get("/api/v1/me").status_code == 401


def test_scopes(people: People) -> None:
    get = caller(people.owner, "courses:read")
    assert get("/courses").status_code == 200
    answer = get("/cohorts")
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    assert "cohorts:read" in answer.json()["message"]


def test_everybody_in_relation_to_a_cohort(people: People) -> None:
    cohort, foreign = people.cohort.pk, people.foreign_cohort.pk
    paths = [f"/cohorts/{cohort}/{what}" for what in ("members", "progress", "grades")]
    for user, status in {
        people.owner: 200, people.instructor: 200, people.assistant: 200, people.foreign_instructor: 404, people.learner: 404,
        people.stranger: 404,
    }.items():  # fmt: skip
        get = caller(user)
        assert [get(path).status_code for path in paths] == [status] * 3, user
        managed = 200 if user in (people.owner, people.instructor) else 404
        assert get(f"/cohorts/{cohort}/webhooks").status_code == managed
    assert [row["id"] for row in caller(people.foreign_instructor)("/cohorts").json()["items"]] == [foreign]
    assert caller(people.learner)("/cohorts").json()["items"] == []


def test_a_course_whole(people: People, course: Any) -> None:
    found = caller(people.learner)(f"/courses/{course.slug}").json()
    assert found["title"] == course.title
    assert [lesson["slug"] for chapter in found["chapters"] for lesson in chapter["lessons"]]
    assert found["chapters"][0]["quiz"]["questions"] > 0
    assert caller(people.learner)("/courses/none").status_code == 404


def test_progress_and_grades(people: People, course: Any, exercise: Exercise) -> None:
    Enrollment.objects.create(user=people.learner, course=course)
    LessonProgress.objects.create(
        user=people.learner, lesson=exercise.lesson, version=exercise.lesson.version, read_at=timezone.now()
    )
    Grade.objects.create(user=people.learner, course=course, exercise=exercise, points=8, max_points=10, evidence={})
    rows = caller(people.instructor)(f"/cohorts/{people.cohort.pk}/progress").json()["items"]
    by_name = {row["username"]: row for row in rows}
    assert set(by_name) == {"learner", "other_learner"}  # staff are no learners
    assert by_name["learner"]["lessons_read"] == [exercise.lesson.slug]
    (grade,) = caller(people.instructor)(f"/cohorts/{people.cohort.pk}/grades").json()["items"]
    assert (grade["exercise"], grade["quiz"], grade["points"]) == (exercise.slug, None, 8.0)
    assert caller(people.learner)("/me/grades").json()["items"] == [grade]
    assert caller(people.other_learner)("/me/grades").json()["items"] == []
    assert caller(people.learner)("/me/progress").json()[0]["lessons_read"] == [exercise.lesson.slug]


def test_pages_go_through_everything_once(people: People) -> None:
    get = caller(people.instructor)
    seen, after = [], 0
    while True:
        found = get(f"/cohorts/{people.cohort.pk}/members", after=after, limit=2).json()
        seen += [row["username"] for row in found["items"]]
        if found["next"] is None:
            break
        after = found["next"]
    assert sorted(seen) == ["assistant", "instructor", "learner", "other_learner", "owner"]


def test_clusters_and_transcripts(people: People, course: Any) -> None:
    make = ClusterSession.objects.create
    mine = make(owner=people.learner, scenario="three-nodes", slot=f"{course.slug}/ships", seed=1, engine_version="1", last_seq=2)
    make(owner=people.learner, scenario="three-nodes", slot="another-course/x", seed=1, engine_version="1")
    for seq, text in enumerate(("kubectl get pods", "date"), 1):
        data = {"terminal": "t1", "text": text}
        JournalEntry.objects.create(
            session=mine, seq=seq, at=seq * 10, kind="line", data=data, applied_at=seq * 10, output_before=seq - 1
        )
    chunks = [[1, 11, "t1", 1, "No resources\n"], [2, 21, "t1", 1, "Mon\n"]]
    OutputBatch.objects.create(session=mine, first=1, last=2, chunks=pack(chunks))
    path = f"/clusters/{mine.pk}/transcript"
    entries = caller(people.instructor)(path).json()["entries"]
    assert [(row["kind"], row["text"]) for row in entries] == [
        ("input", "kubectl get pods"), ("output", "No resources\n"), ("input", "date"), ("output", "Mon\n"),
    ]  # fmt: skip
    first = caller(people.learner)(path, limit=1).json()
    assert [row["text"] for row in first["entries"]] == ["kubectl get pods", "No resources\n"]
    second = caller(people.learner)(path, limit=1, after=first["next"]).json()
    assert [row["text"] for row in second["entries"]] == ["date", "Mon\n"]
    assert second["next"] is None
    assert len(caller(people.learner)("/clusters").json()["items"]) == 2
    assert len(caller(people.instructor)("/clusters").json()["items"]) == 1  # the other one belongs to another course
    for user in (people.stranger, people.other_learner, people.foreign_instructor):
        assert caller(user)(path).status_code == 404


def test_a_limit_a_minute(people: People, settings: Any) -> None:
    settings.SLIPWAY_API_RATE = 3
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": "rate"}}
    get = caller(people.learner)
    answers = [get("/me") for _ in range(8)]  # a minute may end in between, and begin once
    assert [answer.status_code for answer in answers[:3]] == [200] * 3
    refused = answers[-1]
    assert refused.status_code == 429
    assert 0 < int(refused["Retry-After"]) <= 60


def test_the_command_makes_a_token(people: People) -> None:
    out = io.StringIO()
    call_command("apitoken", "learner", "my script", "grades:read", stdout=out)
    client = Client(headers={"authorization": f"Bearer {out.getvalue().strip()}"})
    assert client.get("/api/v1/me/grades").status_code == 200
    with pytest.raises(CommandError, match="no user"):
        call_command("apitoken", "nobody", "x", "grades:read")


# -- webhooks and the outbox --------------------------------------------------------------------------------------------------------


@dataclass
class Receiver:
    """Somebody's server: answers what the test says and keeps what it got."""

    answers: list[int] = field(default_factory=list)
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"


@pytest.fixture
def receiver(settings: Any) -> Iterator[Receiver]:
    found = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            self.do_POST()

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            found.got.append(({name.lower(): value for name, value in self.headers.items()}, body))
            self.send_response(found.answers.pop(0) if found.answers else 200)
            self.send_header("Location", "http://127.0.0.1:1/elsewhere")
            self.end_headers()

        def log_message(self, *args: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    found.port = server.server_port
    settings.SLIPWAY_INTEGRATION_HOSTS = [f"127.0.0.1:{found.port}"]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield found
    server.shutdown()
    thread.join()
    server.server_close()


def hook(people: People, receiver: Receiver) -> Webhook:
    return Webhook.objects.create(cohort=people.cohort, url=receiver.url, events=["grade.changed"], created_by=people.instructor)


def grade(people: People, exercise: Exercise, points: float = 8) -> Grade:
    values = {"points": points, "max_points": 10, "evidence": {}, "course": exercise.course}
    return Grade.objects.update_or_create(user=people.learner, exercise=exercise, defaults=values)[0]


def test_a_grade_reaches_the_receiver_signed(people: People, exercise: Exercise, receiver: Receiver) -> None:
    found = hook(people, receiver)
    grade(people, exercise)
    assert outbox.deliver_due() == 1
    ((headers, body),) = receiver.got
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    wanted = base64.b64encode(hmac.new(found.secret.encode(), signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{wanted}"
    said = json.loads(body)
    assert (said["type"], said["data"]["points"], said["user"]) == ("grade.changed", 8, people.learner.pk)
    assert outbox.deliver_due() == 0


def test_others_are_not_told(people: People, exercise: Exercise, receiver: Receiver) -> None:
    Webhook.objects.create(cohort=people.foreign_cohort, url=receiver.url, events=["grade.changed"], created_by=people.owner)
    Webhook.objects.create(cohort=people.cohort, url=receiver.url, events=["lesson.read"], created_by=people.owner)
    grade(people, exercise)
    assert not Delivery.objects.exists()


def test_failures_are_tried_again_with_longer_waits_until_they_are_given_up(
    people: People, exercise: Exercise, receiver: Receiver
) -> None:
    hook(people, receiver)
    grade(people, exercise)
    receiver.answers = [500] * 20
    now, waits = timezone.now() + datetime.timedelta(seconds=1), []
    while outbox.deliver_due(now=now):
        delivery = Delivery.objects.get()
        if delivery.failed_at:
            break
        waits.append((delivery.due_at - now).total_seconds())
        assert outbox.deliver_due(now=now) == 0  # not before it is due
        now = delivery.due_at
    assert len(waits) == len(outbox.WAITS)
    assert waits == sorted(waits)
    assert len({headers["webhook-id"] for headers, _body in receiver.got}) == 1
    assert (delivery.state, delivery.error) == ("failed", "answered 500")
    receiver.answers = []
    assert outbox.again(Q(channel="webhook")) == 1
    assert outbox.deliver_due() == 1
    assert Delivery.objects.get().state == "delivered"


def test_redirects_are_not_followed_and_gone_is_gone(people: People, exercise: Exercise, receiver: Receiver) -> None:
    hook(people, receiver)
    grade(people, exercise)
    receiver.answers = [302, 410]
    outbox.deliver_due()
    assert Delivery.objects.get().error == "answered 302"
    outbox.deliver_due(now=Delivery.objects.get().due_at)
    assert Delivery.objects.get().state == "failed"


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/latest", "https://other.example/", "http://hooks.example/", "ftp://hooks.example/", "file:///etc/passwd",
        "https://user@hooks.example/", "https://hooks.example@evil.example/", "https://hooks.example.evil.example/", "https://[::1/", "nonsense",
        "https://hooks.example:99999/",
    ],
)  # fmt: skip
def test_addresses_that_are_not_contacted(people: People, settings: Any, url: str) -> None:
    settings.SLIPWAY_INTEGRATION_HOSTS = ["hooks.example"]
    with pytest.raises(http.Refused):
        http.check(url)
    _token, secret = Token.make(people.instructor.pk, "t", ["webhooks"])
    answer = Client(headers={"authorization": f"Bearer {secret}"}).post(
        f"/api/v1/cohorts/{people.cohort.pk}/webhooks", {"url": url, "events": ["grade.changed"]}, content_type="application/json"
    )
    assert answer.status_code in (403, 422)  # a host that is not listed, an address that is none


def test_webhooks_by_the_api(people: People, settings: Any) -> None:
    settings.SLIPWAY_INTEGRATION_HOSTS = ["hooks.example"]
    _token, secret = Token.make(people.instructor.pk, "t", ["webhooks"])
    client, path = Client(headers={"authorization": f"Bearer {secret}"}), f"/api/v1/cohorts/{people.cohort.pk}/webhooks"
    made = client.post(path, {"url": "https://hooks.example/x", "events": ["grade.changed"]}, content_type="application/json")
    assert made.status_code == 201
    assert made.json()["secret"].startswith("whsec_")
    (listed,) = client.get(path).json()
    assert "secret" not in listed
    assert client.delete(f"{path}/{listed['id']}").status_code == 204
    assert client.delete(f"{path}/{listed['id']}").status_code == 404


# -- schemathesis -------------------------------------------------------------------------------------------------------------------


def test_schemathesis_finds_no_500_and_nothing_undocumented(
    people: People, course: Any, exercise: Exercise, settings: Any
) -> None:
    settings.SLIPWAY_API_RATE = 10**6
    settings.SLIPWAY_INTEGRATION_HOSTS = ["hooks.example"]
    grade(people, exercise)
    _token, secret = Token.make(people.instructor.pk, "t", list(SCOPES))
    request_started.disconnect(close_old_connections)  # as Django's own test client does: the test's transaction is open
    request_finished.disconnect(close_old_connections)
    try:
        described = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", get_wsgi_application())
        operations: list[Any] = [found.ok() for found in described.get_all_operations()]  # type: ignore[union-attr]
        assert len(operations) == len({(one.method, one.path) for one in operations}) > 10
        for operation in operations:
            play(operation, secret)
    finally:
        request_started.connect(close_old_connections)
        request_finished.connect(close_old_connections)


def play(operation: Any, secret: str) -> None:
    """Some drawn requests of one operation, each held against the description."""

    @given(case=operation.as_strategy())
    @settings_of
    def one(case: Any) -> None:
        case.call_and_validate(headers={"Authorization": f"Bearer {secret}"})

    one()


def settings_of(function: Any) -> Any:
    """Few and repeatable examples; SLIPWAY_API_EXAMPLES=200 asks for more, drawn anew each time."""
    wanted = os.environ.get("SLIPWAY_API_EXAMPLES")
    few = settings(
        max_examples=int(wanted or 5),
        deadline=None,
        derandomize=not wanted,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    return few(function)
