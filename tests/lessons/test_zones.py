"""Times are shown and read in the zone of whoever asks."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from django.test import Client

from lessons.models import Quiz
from lessons.quizzes.models import Assignment
from tests.lessons.conftest import People

pytestmark = pytest.mark.django_db
DUE = datetime.datetime(2027, 3, 1, 15, 30, tzinfo=datetime.UTC)


@pytest.fixture
def given(people: People, quiz: Quiz) -> Assignment:
    """A quiz due at half past three in the afternoon, UTC."""
    return Assignment.objects.create(cohort=people.cohort, quiz=quiz, due_at=DUE)


def as_(user: Any, zone: str = "") -> Client:
    client = Client()
    client.force_login(user)
    if zone:
        client.cookies["slipway_zone"] = zone
    return client


def test_a_due_date_is_shown_by_the_readers_clock(people: People, quiz: Quiz, given: Assignment) -> None:
    page = quiz.get_absolute_url()
    assert "15:30" in as_(people.learner).get(page).content.decode()
    assert "2 Mar 2027, 00:30" in as_(people.learner, "Asia/Seoul").get(page, HTTP_ACCEPT_LANGUAGE="en").content.decode()
    for odd in ("Nowhere/Atoll", "../../etc/passwd", "x" * 5000):
        assert "15:30" in as_(people.learner, odd).get(page).content.decode()


def test_what_somebody_chose_holds_on_every_device(people: People, quiz: Quiz, given: Assignment) -> None:
    client = as_(people.learner, "Asia/Seoul")
    client.post("/en/preferences/", {"name": " 김\u200b하늘 ", "own_zone": "America/New_York"})
    people.learner.refresh_from_db()
    assert people.learner.get_full_name() == "김하늘"
    assert "10:30" in client.get(quiz.get_absolute_url()).content.decode()
    assert "10:30" in as_(people.learner, "Asia/Seoul").get(quiz.get_absolute_url()).content.decode()
    assert client.post("/en/preferences/", {"name": "", "own_zone": "Nowhere/Atoll"}).status_code == 422


def test_a_form_is_read_in_the_zone_in_which_it_was_shown(people: People, quiz: Quiz, given: Assignment) -> None:
    path = f"/en/cohorts/{people.cohort.pk}/assignments/{quiz.pk}/"
    owner = as_(people.owner, "Asia/Seoul")
    shown = owner.get(path).content.decode()
    assert 'name="zone" value="Asia/Seoul"' in shown
    assert 'value="2027-03-02T00:30"' in shown
    terms = {"counts": "best", "late": "accept", "late_percent": "10", "late_most": "100", "due_at": "2027-03-03T00:30"}
    owner.cookies["slipway_zone"] = "Europe/Berlin"  # the browser has crossed a continent since
    assert owner.post(path, {**terms, "zone": "Asia/Seoul"}).status_code == 302
    given.refresh_from_db()
    assert given.due_at == datetime.datetime(2027, 3, 2, 15, 30, tzinfo=datetime.UTC)
    assert owner.post(path, terms).status_code == 302
    given.refresh_from_db()
    assert given.due_at == datetime.datetime(2027, 3, 2, 23, 30, tzinfo=datetime.UTC)
