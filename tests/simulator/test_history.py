"""The past of a cluster: every earlier moment can be looked at and gone on from, and nothing that was typed is lost."""

from __future__ import annotations

import gc
import uuid
from typing import Any

import pytest
from django.test import TestCase
from django.urls import reverse

from simulator import garbage, history, keyframes, selectors, services, worlds
from simulator.models import ClusterSession, JournalEntry, Keyframe, Snapshot
from simulator.services import advance, append_input

pytestmark = [pytest.mark.django_db, pytest.mark.postgres]
SECOND = 1_000_000_000
LINES = [
    "kubectl create deployment web --image=nginx --replicas=2",
    "kubectl get pods",
    "x=4",
    "echo $((x * 10)) > /tmp/forty; cat /tmp/forty",
    "kubectl scale deployment web --replicas=3",
]


@pytest.fixture(autouse=True)
def _no_worlds() -> None:
    worlds.cache.clear()


@pytest.fixture
def session(learner: Any) -> ClusterSession:
    found = services.session_for(learner, "three-nodes", "harbour")
    advance(found.pk)
    return found


def put(session: ClusterSession, kind: str, **data: Any) -> ClusterSession:
    with TestCase.captureOnCommitCallbacks(execute=False):
        append_input(session, kind=kind, data=data)
    advance(session.pk)
    session.refresh_from_db()
    return session


def line(session: ClusterSession, text: str) -> ClusterSession:
    return put(session, "line", terminal="controlplane", text=text)


def shown(session: ClusterSession) -> list[list[Any]]:
    return selectors.output_after(session.pk, 0)


def world(session: ClusterSession) -> Any:
    warm = advance(session.pk)
    assert warm is not None
    return warm


def branch(session: ClusterSession, moment: history.Moment) -> ClusterSession:
    with TestCase.captureOnCommitCallbacks(execute=False):
        found = history.branch(session, moment)
    advance(found.pk)
    found.refresh_from_db()
    return found


def test_every_moment_can_be_gone_back_to_and_is_what_it_was(session: ClusterSession) -> None:
    then = []
    for text in LINES:
        line(session, text)
        put(session, "skip", ns=7 * SECOND)
        then.append((session.last_seq, session.advanced_to, session.digest, shown(session), selectors.trace_after(session.pk, 0)))
    at_the_end = then[-1]
    current = session
    for seq, at, digest, output, trace in reversed(then):
        worlds.cache.clear()
        moment = history.Moment(seq, at)
        looked = services.look(current, seq, at)
        assert looked["digest"] == digest
        current = branch(current, moment)
        assert world(current).sandbox.digest() == digest
        assert (current.last_seq, current.applied_seq, current.advanced_to) == (seq, seq, at)
        assert shown(current) == output
        assert selectors.trace_after(current.pk, 0) == trace
        assert current.terminals["controlplane"]["prompt"]
    back = history.take_up(session)
    worlds.cache.clear()
    assert (back.last_seq, shown(back), world(back).sandbox.digest()) == (at_the_end[0], at_the_end[3], at_the_end[2])


def test_what_is_typed_after_going_back_continues_there(session: ClusterSession) -> None:
    for text in ("x=1", "x=2"):
        line(session, text)
    earlier = branch(session, history.before_last(session))
    line(earlier, "echo x is $x")
    assert shown(earlier)[-1][4] == "x is 1\n"
    cursors = [chunk[0] for chunk in shown(earlier)]
    assert cursors == list(range(1, len(cursors) + 1))


def test_undo_takes_back_one_input_at_a_time_and_never_the_set_up(session: ClusterSession) -> None:
    put(session, "open", terminal="setup", host="controlplane")
    put(session, "line", terminal="setup", text="touch /root/given")
    line(session, "rm /root/given")
    put(session, "resize", terminal="controlplane", columns=90, rows=30)
    first = branch(session, history.before_last(session))
    assert first.last_seq == 2
    assert "rm /root/given" not in "".join(chunk[4] for chunk in shown(first))
    with pytest.raises(history.NoPast):
        history.before_last(first)


def test_background_output_up_to_the_last_moment_is_kept(session: ClusterSession) -> None:
    line(session, "(sleep 5; echo later) &")
    put(session, "skip", ns=10 * SECOND)
    line(session, "echo now")
    before = branch(session, history.before_last(session))
    text = "".join(chunk[4] for chunk in shown(before))
    assert "later\n" in text and "echo now" not in text


def test_a_program_in_the_foreground_is_there_again(session: ClusterSession) -> None:
    line(session, "cat")
    line(session, "one")
    line(session, "two")
    before = branch(session, history.before_last(session))
    assert before.terminals["controlplane"]["busy"]
    line(before, "three")
    assert [chunk[4] for chunk in shown(before)][-4:] == ["one\n", "one\n", "three\n", "three\n"]


def test_snapshots_on_the_way_are_kept_but_few(session: ClusterSession) -> None:
    for number in range(90):
        line(session, f"echo {number}")
    kept = list(Snapshot.objects.filter(session=session).order_by("journal_seq").values_list("journal_seq", flat=True))
    assert 2 <= len(kept) <= 6
    assert kept[-1] >= 80
    gaps = [b - a for a, b in zip([0, *kept], kept)]
    assert max(gaps) <= 50


def test_a_long_past_is_looked_at_through_keyframes_and_is_the_same_without(
    session: ClusterSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keyframes, "ROWS", 6)
    line(session, "kubectl create deployment web --image=nginx")
    for number in range(22):
        line(session, f"echo {number} >> /tmp/numbers")
    frames = list(Keyframe.objects.filter(session=session).order_by("journal_seq"))
    seqs = [frame.journal_seq for frame in frames]
    assert max(b - a for a, b in zip([0, *seqs], [*seqs, 23])) <= 6, seqs
    assert [frame.base_id for frame in frames] == [None, *[frames[0].pk] * (len(frames) - 1)]
    assert len(bytes(frames[1].blob)) < len(bytes(frames[0].blob)) / 2
    moments = [history.moment_before(session, seq) for seq in (9, 13, 19, 22)]

    def digests(of: ClusterSession) -> list[str]:
        return [services.look(of, moment.seq, moment.at)["digest"] for moment in moments]

    through = digests(session)
    Keyframe.objects.filter(pk=frames[2].pk).update(blob=b"damaged")
    assert digests(session) == through
    assert not Keyframe.objects.filter(pk=frames[2].pk).exists(), "what cannot be read is removed"
    went_on = branch(session, moments[1])
    left = Keyframe.objects.filter(session=went_on).values_list("journal_seq", flat=True)
    assert sorted(left) == [seq for seq in seqs if seq <= moments[1].seq]
    assert not Keyframe.objects.filter(session=session).exists()
    assert digests(session) == through


def test_an_input_that_sets_much_going_is_followed_by_a_keyframe(
    session: ClusterSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keyframes, "SPENT", 0.0)
    for number in range(4):
        line(session, f"echo {number}")
    assert list(Keyframe.objects.filter(session=session).order_by("journal_seq").values_list("journal_seq", flat=True)) == [
        1,
        2,
        3,
        4,
    ]


def test_of_too_many_keyframes_the_ones_between_the_shortest_ways_go(
    session: ClusterSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    line(session, "echo whole")
    warm = world(session)
    Keyframe.objects.filter(session=session).delete()
    base = None
    for seq, cost in enumerate((0, 90, 10, 20, 300, 40), start=1):
        base = base or Keyframe.objects.create(session=session, journal_seq=1, at=1, engine_version="", blob=b"", cost=0)
        if seq > 1:
            Keyframe.objects.create(session=session, journal_seq=seq, at=seq, engine_version="", blob=b"", cost=cost, base=base)
    monkeypatch.setattr(keyframes, "KEPT", 4)
    keyframes._thin_out(warm)
    left = Keyframe.objects.filter(session=session).order_by("journal_seq").values_list("journal_seq", "cost")
    assert list(left) == [(1, 0), (4, 120), (5, 300), (6, 40)]


def test_a_look_leaves_the_collector_as_it_was(session: ClusterSession) -> None:
    line(session, "echo one")
    for on in (True, False):
        (gc.enable if on else gc.disable)()
        try:
            with garbage.thrown_away():
                assert not gc.isenabled()
            assert gc.isenabled() is on
        finally:
            gc.enable()


def test_a_frozen_or_left_session_is_not_branched(session: ClusterSession) -> None:
    line(session, "x=1")
    branch(session, history.Moment(0, 0))
    with pytest.raises(history.NoPast, match="newer"):
        history.branch(session, history.Moment(0, 0))


class TestOverHttp:
    def test_undo_branch_and_come_back(self, client: Any, learner: Any, session: ClusterSession) -> None:
        client.force_login(learner)
        line(session, "echo one")
        line(session, "echo two")
        undone = client.post(reverse("simulator:undo", args=[session.pk])).json()
        assert undone["ws"] == f"/ws/cluster/{undone['id']}/"
        past = client.get(reverse("simulator:past", args=[undone["id"]])).json()
        assert [moment["text"] for moment in past["moments"]] == ["echo one"]
        assert [one["id"] for one in past["branches"]] == [str(session.pk)]
        assert past["branches"][0]["last"] == "echo two"
        back = client.post(reverse("simulator:take-up", args=[session.pk])).json()
        assert back["id"] == str(session.pk)
        live = selectors.live_session(learner, "three-nodes", "harbour")
        assert live is not None and live.pk == session.pk
        looked = client.get(reverse("simulator:look", args=[session.pk]), {"at": 0}).json()
        assert {host["name"] for host in looked["view"]["hosts"]} == {"controlplane", "node01", "node02"}

    def test_going_on_from_a_time_or_from_before_an_input(self, client: Any, learner: Any, session: ClusterSession) -> None:
        client.force_login(learner)
        line(session, "kubectl create deployment web --image=nginx")
        line(session, "echo two")
        row = JournalEntry.objects.get(session=session, seq=1)
        before = client.get(reverse("simulator:look", args=[session.pk]), {"before": 1}).json()
        during = client.get(reverse("simulator:look", args=[session.pk]), {"at": row.applied_at}).json()
        assert (before["seq"], before["at"], during["seq"]) == (0, row.applied_at, 1)
        lens = client.get(reverse("simulator:look", args=[session.pk]), {"before": 1, "lens": "etcd"}).json()["lens"]
        assert (lens["at"], "lens" in before) == (before["at"], False)
        assert "/registry/deployments/default/web" not in lens["history"]["keys"]
        assert during["at"] > before["at"], "the command and its first answer are one step"
        branched = client.post(reverse("simulator:branch", args=[session.pk]), {"at": row.applied_at}).json()
        fresh = ClusterSession.objects.get(pk=branched["id"])
        assert "deployment.apps/web created" in shown(fresh)[-1][4]
        assert world(fresh).sandbox.digest() == during["digest"]

    @pytest.mark.parametrize("before", ["0", "9"])
    def test_an_input_that_is_not_there_is_said(self, client: Any, learner: Any, session: ClusterSession, before: str) -> None:
        client.force_login(learner)
        answer = client.get(reverse("simulator:look", args=[session.pk]), {"before": before})
        assert (answer.status_code, answer.json()["reason"]) == (409, "no-past")

    def test_nothing_to_undo_is_said(self, client: Any, learner: Any, session: ClusterSession) -> None:
        client.force_login(learner)
        answer = client.post(reverse("simulator:undo", args=[session.pk]))
        assert (answer.status_code, answer.json()["reason"]) == (409, "no-past")

    @pytest.mark.parametrize("at", ["", "-1", "x", "9" * 40, "1e9"])
    def test_a_time_that_is_none_is_named(self, client: Any, learner: Any, session: ClusterSession, at: str) -> None:
        client.force_login(learner)
        for method, name in ((client.get, "look"), (client.post, "branch")):
            answer = method(reverse(f"simulator:{name}", args=[session.pk]), {"at": at})
            assert (answer.status_code, answer.json()["reason"]) == (400, "bad-time")

    @pytest.mark.parametrize(
        ("method", "name"), [("post", "undo"), ("get", "past"), ("get", "look"), ("post", "branch"), ("post", "take-up")]
    )
    @pytest.mark.parametrize(("who", "status"), [("stranger", 404), ("nobody", 302), ("unknown", 404)])
    def test_only_the_owner_may(
        self, client: Any, learner: Any, stranger: Any, session: ClusterSession, method: str, name: str, who: str, status: int
    ) -> None:
        if who != "nobody":
            client.force_login(stranger if who == "stranger" else learner)
        session_id = uuid.uuid4() if who == "unknown" else session.pk
        answer = getattr(client, method)(reverse(f"simulator:{name}", args=[session_id]), {"at": 0})
        assert answer.status_code == status
        assert ClusterSession.objects.count() == 1
        assert JournalEntry.objects.count() == 0
