"""Make, reset and fork over HTTP: the owner, a stranger, and nobody."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.urls import reverse

from simulator import services, views
from simulator.models import ClusterSession

pytestmark = [pytest.mark.django_db, pytest.mark.postgres, pytest.mark.usefixtures("standin")]


def test_a_cluster_is_made_once(client: Any, learner: Any) -> None:
    client.force_login(learner)
    first = client.post(reverse("simulator:session"), {"scenario": "three-nodes", "slot": "intro"}).json()
    again = client.post(reverse("simulator:session"), {"scenario": "three-nodes", "slot": "intro"}).json()
    assert first == again
    assert first["ws"] == f"/ws/cluster/{first['id']}/"
    assert ClusterSession.objects.get().owner == learner


def test_an_unknown_scenario_is_named(client: Any, learner: Any) -> None:
    client.force_login(learner)
    answer = client.post(reverse("simulator:session"), {"scenario": "no-such"})
    assert answer.status_code == 400
    assert "no-such" in answer.json()["message"]


@pytest.mark.parametrize("name", ["reset", "fork"])
@pytest.mark.parametrize(("who", "status"), [("owner", 200), ("stranger", 404), ("nobody", 302), ("unknown", 404)])
def test_only_the_owner_may(client: Any, learner: Any, stranger: Any, name: str, who: str, status: int) -> None:
    session = services.session_for(learner, "three-nodes")
    if who != "nobody":
        client.force_login(stranger if who == "stranger" else learner)
    session_id = uuid.uuid4() if who == "unknown" else session.pk
    answer = client.post(reverse(f"simulator:{name}", args=[session_id]))
    assert answer.status_code == status
    assert ClusterSession.objects.count() == (2 if status == 200 else 1)


def test_changing_needs_post_and_a_token(learner: Any) -> None:
    from django.test import Client

    client = Client(enforce_csrf_checks=True)
    client.force_login(learner)
    assert client.get(reverse("simulator:session")).status_code == 405
    assert client.post(reverse("simulator:session"), {"scenario": "three-nodes"}).status_code == 403


def test_one_account_gets_no_end_of_clusters(learner: Any, client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(views, "MOST_CLUSTERS", 2)
    client.force_login(learner)
    answers = [client.post("/clusters/", {"scenario": "three-nodes", "slot": f"s{n}"}) for n in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[2].json()["reason"] == "too-many"
    first = ClusterSession.objects.filter(owner=learner).first()
    assert first is not None
    assert client.post(f"/clusters/{first.pk}/fork/").status_code == 429
    assert client.post("/clusters/", {"scenario": "three\0nodes", "slot": "\0"}).status_code == 429
    monkeypatch.undo()
    assert client.post("/clusters/", {"scenario": "three\0nodes", "slot": "\0"}).status_code == 400
    assert client.post("/clusters/", {"scenario": "three-nodes", "slot": "a\0b"}).status_code == 200
