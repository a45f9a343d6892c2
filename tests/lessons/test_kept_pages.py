"""Pages that are kept for people without a log-in (`lessons.pages.kept`): the same page, no work, and never yesterday's."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from lessons import authoring, freshness
from lessons.models import Lesson, Version
from lessons.pages import kept, plans


@pytest.fixture
def address(ships: Lesson, settings: Any, monkeypatch: pytest.MonkeyPatch) -> str:
    settings.PAGES_KEPT = True
    cache.clear()
    monkeypatch.setattr(kept, "_pages", kept.Pages())
    monkeypatch.setattr(plans, "_plans", kept.Pages())
    return ships.get_absolute_url().replace("/ko/", "/en/")


def queries(client: Client, address: str) -> tuple[str, int]:
    with CaptureQueriesContext(connection) as made:
        answer = client.get(address)
    assert answer.status_code == 200
    return answer.content.decode(), len(made)


def bare(text: str) -> str:
    return re.sub(r"[0-9A-Za-z_+/-]{22,}={0,2}", "…", text)


def test_the_second_stranger_costs_no_query_and_sees_the_same(address: str) -> None:
    first, many = queries(Client(), address)
    second, none = queries(Client(), address)
    assert (many > 5, none) == (True, 0)
    assert first != second and bare(first) == bare(second)
    assert "\x01" not in second


def test_nonce_and_token_are_of_each_answer_alone(address: str) -> None:
    seen: set[str] = set()
    for _ in range(3):
        client = Client(enforce_csrf_checks=True)
        answer = client.get(address)
        text = answer.content.decode()
        nonces = set(re.findall(r'nonce="([^"]+)"', text))
        assert len(nonces) == 1 and f"'nonce-{nonces.pop()}'" in answer["Content-Security-Policy"]
        tokens = set(kept._TOKENS.findall(text))
        assert tokens and not tokens & seen
        seen |= tokens
        posted = client.post("/en/accounts/login/", {"csrfmiddlewaretoken": tokens.pop(), "login": "x"})
        assert posted.status_code == 200  # the form is shown again; a wrong token would be refused with 403
    assert Client(enforce_csrf_checks=True).post("/en/accounts/login/", {"login": "x"}).status_code == 403


def test_languages_and_people_with_a_log_in_get_their_own(address: str, people: Any) -> None:
    english, _ = queries(Client(), address)
    korean, _ = queries(Client(), address.replace("/en/", "/ko/"))
    assert '<html lang="ko">' in korean and '<html lang="en">' in english
    client = Client()
    client.force_login(people.learner)
    own, many = queries(client, address)
    assert many > 5 and people.learner.username in own
    again, none = queries(Client(), address)
    assert none == 0 and people.learner.username not in again


def test_what_is_published_is_seen_at_once(address: str, ships: Lesson, django_capture_on_commit_callbacks: Any) -> None:
    queries(Client(), address)
    body = {name: [{"html": "<p>All new.</p>"}] for name in ("ko", "en")}
    Lesson.objects.filter(pk=ships.pk).update(
        version=Version.objects.create(kind="lesson", digest="new", data=ships.version.data, body=body)
    )
    with django_capture_on_commit_callbacks(execute=True):
        freshness.renew()
    text, many = queries(Client(), address)
    assert many > 5 and "All new." in text


def test_publishing_says_so(ships: Lesson, settings: Any, django_capture_on_commit_callbacks: Any) -> None:
    from lessons.loading.publish import publish
    from lessons.loading.reader import read_course
    from tests.lessons.conftest import SAMPLE

    before = freshness.stamp()
    with django_capture_on_commit_callbacks(execute=True):
        publish(read_course(SAMPLE))
        assert freshness.stamp() == before  # nobody else sees it yet
    assert freshness.stamp() != before


def test_nothing_is_kept_where_it_could_be_wrong(address: str, people: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    queries(Client(), address + "?x=1")
    client = Client()
    client.force_login(people.learner)
    queries(client, address)
    monkeypatch.setattr(authoring, "note", lambda slug: authoring.Note("1", []) if slug else None)
    queries(Client(), address)
    assert not kept._pages._pages
    monkeypatch.undo()


def test_without_a_cache_pages_are_made_anew(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_args: Any, **_more: Any) -> Any:
        raise OSError("away")

    monkeypatch.setattr(cache, "get", away)
    assert queries(Client(), address)[1] > 5
    assert queries(Client(), address)[1] > 5


def test_there_is_room_for_so_much_and_for_so_long() -> None:
    pages = kept.Pages(room=10)
    for number in range(4):
        pages.put(number, "four", 4, now=0.0)
    assert [pages.get(number, 1.0) for number in range(4)] == [None, None, "four", "four"]
    pages.put(3, "more", 4, now=50.0)
    assert (pages.get(3, kept.KEEP + 1), pages.get(2, kept.KEEP + 1)) == ("more", None)


def test_what_pages_are_made_of_is_read_once_for_everybody(address: str, people: Any, ships: Lesson) -> None:
    def visit(user: Any) -> tuple[str, int]:
        client = Client()
        client.force_login(user)
        queries(client, address)  # the first visit makes their cluster
        return queries(client, address)

    text, many = visit(people.learner)
    kept_plan = plans._plans.get((freshness.stamp(), *address.strip("/").split("/")[2:]), 0.0)
    assert isinstance(kept_plan, plans.Plan) and kept_plan.lesson.pk == ships.pk
    other, as_many = visit(people.other_learner)
    assert (
        as_many == many and bare(other.replace(people.other_learner.username, people.learner.username))[:400] == bare(text)[:400]
    )
    plans._plans = kept.Pages(room=0)  # nothing can be kept
    assert visit(people.learner)[1] >= many + 6
