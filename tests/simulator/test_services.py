"""Journal, advance, replay: what is stored, once, whatever happens in between."""

from __future__ import annotations

import re
import uuid
from typing import Any

import pytest
import redis
from django.core.exceptions import PermissionDenied
from django.db import OperationalError
from django.test import TestCase
from django.utils import translation

from simulator import advancing, engine, frames, mishaps, selectors, services, storing, tasks, worlds
from simulator.models import ClusterSession, JournalEntry, Snapshot
from simulator.services import advance, append_input

pytestmark = [pytest.mark.django_db, pytest.mark.postgres, pytest.mark.usefixtures("standin")]
SECOND = 1_000_000_000


def line(session: ClusterSession, text: str, **more: Any) -> JournalEntry:
    with TestCase.captureOnCommitCallbacks(execute=False):
        row = append_input(session, kind="line", data={"terminal": "t1", "text": text}, **more)
    return JournalEntry.objects.get(session=session, seq=row.seq)


def printed(session: ClusterSession) -> str:
    return "".join(chunk[4] for chunk in selectors.output_after(session.pk, 0))


@pytest.fixture
def session(learner: Any) -> ClusterSession:
    return services.session_for(learner, "three-nodes")


def test_an_input_is_written_before_it_takes_effect_and_its_output_follows(session: ClusterSession) -> None:
    row = line(session, "echo hello")
    assert (row.seq, row.applied_at) == (1, None)
    advance(session.pk)
    row.refresh_from_db()
    session.refresh_from_db()
    assert row.applied_at is not None
    assert printed(session) == "welcome to three-nodes\n$ echo hello\nhello\n"
    assert session.applied_seq == session.last_seq == 1
    assert session.terminals["t1"] == {"host": "controlplane", "prompt": "controlplane$ ", "busy": False, "continuation": False}


def test_advancing_again_changes_nothing(session: ClusterSession) -> None:
    line(session, "count")
    for _ in range(3):
        advance(session.pk)
    worlds.cache.clear()
    advance(session.pk)
    assert printed(session).count("$ count") == 1


def test_the_same_client_id_gives_the_same_row(session: ClusterSession) -> None:
    client_id = uuid.uuid4()
    first = line(session, "echo one", client_id=client_id)
    again = line(session, "echo one", client_id=client_id)
    assert first.pk == again.pk
    advance(session.pk)
    assert line(session, "echo one", client_id=client_id).pk == first.pk
    advance(session.pk)
    assert printed(session).count("one\n") == 2  # the echo of the line, and its output


def test_a_world_rebuilt_from_rows_equals_the_one_that_was_lost(session: ClusterSession) -> None:
    for text in ("echo a", "sleep 30 late", "count"):
        line(session, text)
    advance(session.pk)
    advance(session.pk, until=5 * SECOND)
    line(session, "count")
    warm = advance(session.pk, until=9 * SECOND)
    assert warm is not None
    digest, busy = warm.sandbox.digest(), warm.sandbox.terminals()["t1"].busy
    worlds.cache.clear()
    session.refresh_from_db()
    rebuilt = worlds.load(session)
    rebuilt.sandbox.advance(warm.sandbox.now)
    assert rebuilt.sandbox.digest() == digest
    assert busy
    assert rebuilt.sandbox.terminals()["t1"].busy


def test_output_of_a_program_that_waited_appears_once_after_its_worker_was_lost(session: ClusterSession) -> None:
    line(session, "sleep 3 rested")
    advance(session.pk)
    worlds.cache.clear()  # the coroutine dies with its worker
    advance(session.pk, until=2 * SECOND)
    assert "rested\n" not in printed(session).replace("sleep 3 rested\n", "")
    worlds.cache.clear()
    advance(session.pk, until=20 * SECOND)
    worlds.cache.clear()
    advance(session.pk, until=30 * SECOND)
    assert printed(session).replace("$ sleep 3 rested\n", "").count("rested") == 1


def test_passing_of_time_that_nobody_sees_writes_nothing(session: ClusterSession, django_assert_num_queries: Any) -> None:
    advance(session.pk, until=2 * SECOND)
    with django_assert_num_queries(1):  # the session, whose row says that there is no newer input
        advance(session.pk, until=3 * SECOND)


def test_two_workers_with_one_cluster_store_its_results_once(session: ClusterSession) -> None:
    line(session, "echo first")
    advance(session.pk)
    stale = worlds.cache.get(session.pk)
    assert stale is not None
    worlds.cache.clear()
    line(session, "echo second")
    advance(session.pk)  # another worker
    worlds.cache.clear()
    worlds.cache.put(stale)  # and the first one comes back with its old world
    line(session, "echo third")
    advance(session.pk)
    text = printed(session)
    assert [text.count(f"{word}\n") for word in ("first", "second", "third")] == [2, 2, 2]
    assert worlds.cache.get(session.pk) is not stale


def test_a_race_lost_at_the_last_moment_is_run_again_on_the_winners_state(session: ClusterSession, monkeypatch: Any) -> None:
    advance(session.pk)
    line(session, "count")
    original = advancing._run_row
    raced: list[int] = []

    def race(warm: worlds.Warm, row: JournalEntry, done: Any) -> None:
        original(warm, row, done)
        if not raced:
            raced.append(row.seq)
            ClusterSession.objects.filter(pk=session.pk).update(version=warm.version + 7)

    monkeypatch.setattr(advancing, "_run_row", race)
    advance(session.pk)
    assert raced == [1]
    assert printed(session).count("$ count") == 1


def test_a_database_that_is_busy_does_not_count_against_an_input(session: ClusterSession, monkeypatch: Any) -> None:
    advance(session.pk)
    line(session, "count")
    original = storing.store
    failures = iter([True] * (advancing.MAX_ATTEMPTS + 2))

    def busy(*args: Any) -> None:
        if next(failures, False):
            raise OperationalError("database is locked")
        original(*args)

    monkeypatch.setattr(advancing, "store", busy)
    for _ in range(advancing.MAX_ATTEMPTS + 2):
        with pytest.raises(OperationalError):
            advance(session.pk)
    advance(session.pk)
    row = JournalEntry.objects.get(session=session)
    assert (row.quarantined, row.attempts) == ("", 1)
    assert printed(session).count("$ count") == 1


def test_an_input_that_breaks_the_simulator_is_set_aside_and_the_rest_goes_on(session: ClusterSession) -> None:
    for text in ("echo before", "boom", "echo after"):
        line(session, text)
    advance(session.pk)
    rows = list(JournalEntry.objects.filter(session=session).order_by("seq"))
    assert [bool(row.quarantined) for row in rows] == [False, True, False]
    assert rows[1].attempts == advancing.MAX_ATTEMPTS
    assert printed(session).count("after") == 2
    assert "boom" not in printed(session)
    worlds.cache.clear()
    line(session, "echo later")
    advance(session.pk)  # and replays skip it
    assert printed(session).count("later") == 2


def test_an_input_without_an_end_is_set_aside_at_once_and_the_cluster_is_as_before(
    session: ClusterSession, settings: Any
) -> None:
    settings.SLIPWAY_INPUT_SECONDS = 0.2
    for text in ("echo before", "loop", "echo after"):
        line(session, text)
    advance(session.pk)
    rows = list(JournalEntry.objects.filter(session=session).order_by("seq"))
    assert [row.quarantined for row in rows] == ["", "endless", ""]
    with translation.override("ko"):
        assert "끝" in mishaps.set_aside(rows[1].quarantined)
    assert printed(session) == "welcome to three-nodes\n$ echo before\nbefore\n$ echo after\nafter\n"
    session.refresh_from_db()
    assert worlds.load(session).sandbox.digest() == session.digest


def test_a_row_that_rang_and_does_not_end_is_set_aside_as_well(session: ClusterSession, settings: Any) -> None:
    advance(session.pk)
    settings.SLIPWAY_INPUT_SECONDS = 0.2
    row = line(session, "loop")
    advancing.run_inputs(session.pk, row.carried())  # it rides along with its doorbell, and the world is in memory
    assert JournalEntry.objects.get(session=session).quarantined == "endless"
    line(session, "echo on")
    advance(session.pk)
    assert printed(session).endswith("$ echo on\non\n")


def test_time_that_does_not_pass_freezes_its_cluster_after_some_times(session: ClusterSession, settings: Any) -> None:
    line(session, "stuck")
    advance(session.pk)
    settings.SLIPWAY_INPUT_SECONDS = 0.05
    for _ in range(advancing.MAX_ATTEMPTS + 1):
        advancing.pass_time(session.pk, 60 * SECOND)
    session.refresh_from_db()
    assert mishaps.read(session.frozen_reason) == (mishaps.BROKE, {"error": "time", "now": "standin-1"})
    with translation.override("ko"), pytest.raises(services.Refused) as refused:
        line(session, "echo no")
    assert not re.search("[A-Za-z]{3}", str(refused.value))


def test_time_that_kills_its_worker_each_time_freezes_its_cluster(
    session: ClusterSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    advance(session.pk)

    def dies(*_: Any) -> bool:
        raise SystemExit

    monkeypatch.setattr(advancing, "_pass_time", dies)
    for _ in range(advancing.MAX_ATTEMPTS):
        with pytest.raises(SystemExit):
            advancing.pass_time(session.pk, 60 * SECOND, again=True)
    advancing.pass_time(session.pk, 60 * SECOND, again=True)
    session.refresh_from_db()
    assert mishaps.read(session.frozen_reason) == (mishaps.BROKE, {"error": "time", "now": "standin-1"})


def test_an_answer_that_cannot_be_handed_over_costs_no_effect(session: ClusterSession, monkeypatch: pytest.MonkeyPatch) -> None:
    advance(session.pk)

    def away(*_: Any) -> None:
        raise redis.ConnectionError

    monkeypatch.setattr("simulator.mailbox.put", away)
    warm = worlds.cache.get(session.pk)
    assert warm is not None
    storing.announce(warm, storing.Done(answers={"x": {}}))


def test_time_that_was_delivered_twice_and_passes_is_not_held_against_it(session: ClusterSession) -> None:
    advance(session.pk)
    for number in range(2 * advancing.MAX_ATTEMPTS):
        advancing.pass_time(session.pk, (number + 5) * SECOND, again=True)
    session.refresh_from_db()
    assert session.frozen_reason == ""


def test_an_input_that_the_world_refuses_is_part_of_history(session: ClusterSession) -> None:
    append_input(session, kind="fault", data={"name": "no-such"})
    line(session, "budget")
    line(session, "echo on")
    advance(session.pk)
    rows = list(JournalEntry.objects.filter(session=session).order_by("seq"))
    assert [row.refusal for row in rows] == ["no fault no-such", "too much", ""]
    assert rows[0].applied_at is not None
    assert printed(session).endswith("on\n")


def test_snapshots_are_taken_and_used_and_a_damaged_one_is_passed_over(session: ClusterSession) -> None:
    for number in range(advancing.SNAPSHOT_ROWS + 2):
        line(session, f"echo {number}")
    warm = advance(session.pk)
    assert warm is not None
    assert Snapshot.objects.filter(session=session).count() >= 1
    digest = warm.sandbox.digest()
    session.refresh_from_db()
    assert worlds.load(session).sandbox.digest() == digest
    Snapshot.objects.filter(session=session).update(blob=b"rubbish")
    assert worlds.load(session).sandbox.digest() == digest
    assert not Snapshot.objects.filter(session=session).exists()


def test_no_snapshot_while_a_program_waits(session: ClusterSession) -> None:
    line(session, "sleep 900 x")
    advance(session.pk)
    advancing.rest(session.pk)
    assert not Snapshot.objects.filter(session=session).exists()


def test_leaving_stores_the_clock_and_a_snapshot(session: ClusterSession) -> None:
    line(session, "echo x")
    advance(session.pk)
    advance(session.pk, until=8 * SECOND)
    advancing.rest(session.pk)
    session.refresh_from_db()
    assert session.advanced_to == 8 * SECOND
    assert Snapshot.objects.get(session=session).at == 8 * SECOND


def test_the_cache_keeps_the_worlds_used_last(learner: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(worlds.cache, "limit", 2)
    sessions = [services.session_for(learner, "three-nodes", slot) for slot in ("a", "b", "c")]
    for each in sessions:
        line(each, "echo x")
        advance(each.pk)
    assert len(worlds.cache) == 2
    assert worlds.cache.get(sessions[0].pk) is None
    assert Snapshot.objects.filter(session=sessions[0]).count() == 1


def test_another_engine_that_replays_alike_takes_the_session_over(
    session: ClusterSession, standin: Any, monkeypatch: Any
) -> None:
    line(session, "count")
    advance(session.pk)
    worlds.cache.clear()
    ClusterSession.objects.filter(pk=session.pk).update(engine_version="older")
    line(session, "count")
    advance(session.pk)
    session.refresh_from_db()
    assert (session.engine_version, session.frozen_reason) == ("standin-1", "")


@pytest.mark.parametrize("version", ["older", "standin-1"])
def test_a_session_that_replays_differently_is_frozen(session: ClusterSession, version: str) -> None:
    line(session, "count")
    advance(session.pk)
    worlds.cache.clear()
    ClusterSession.objects.filter(pk=session.pk).update(engine_version=version, digest="something else")
    line(session, "echo never")
    assert advance(session.pk) is None
    session.refresh_from_db()
    assert version in session.frozen_reason
    with pytest.raises(services.Refused) as refused:
        line(session, "echo no")
    assert refused.value.reason == "frozen"
    assert "never" not in printed(session)
    with translation.override("ko"):
        told = mishaps.frozen(session.frozen_reason)
    assert "1" in told and not re.search("[A-Za-z]{3}", told)


def test_a_frozen_cluster_is_tried_again_by_another_version(
    session: ClusterSession, standin: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    line(session, "count")
    advance(session.pk)
    line(session, "count")
    with monkeypatch.context() as broken:
        broken.setattr(worlds, "load", lambda _session: 1 / 0)
        worlds.cache.clear()
        assert advance(session.pk) is None
    session.refresh_from_db()
    assert mishaps.read(session.frozen_reason)[1]["error"] == "ZeroDivisionError"
    assert not services.thaw(session)  # this version has tried
    engine.version.cache_clear()
    monkeypatch.setattr(engine.engine(), "ENGINE_VERSION", "standin-2")
    try:
        assert services.thaw(session)
        assert not services.thaw(session)
        advance(session.pk)
    finally:
        engine.version.cache_clear()
    session.refresh_from_db()
    assert (session.engine_version, session.frozen_reason, session.applied_seq) == ("standin-2", "", 2)


def test_reset_archives_and_begins_anew_with_another_seed(session: ClusterSession, learner: Any) -> None:
    line(session, "echo x")
    advance(session.pk)
    fresh = services.reset(session)
    assert fresh.pk != session.pk
    assert fresh.seed != session.seed
    assert services.session_for(learner, "three-nodes").pk == fresh.pk
    assert JournalEntry.objects.filter(session=session).count() == 1
    with pytest.raises(services.Refused) as refused:
        line(session, "echo y")
    assert refused.value.reason == "archived"


def test_a_fork_has_the_past_and_goes_its_own_way(session: ClusterSession) -> None:
    line(session, "count")
    advance(session.pk)
    copy = services.fork(session)
    line(copy, "count")
    line(session, "echo only here")
    advance(copy.pk)
    advance(session.pk)
    assert printed(copy).startswith(printed(session).split("$ echo")[0])
    assert printed(copy).count("$ count") == 2
    assert "only here" not in printed(copy)


def test_the_journal_is_bounded(session: ClusterSession, settings: Any) -> None:
    settings.SLIPWAY_JOURNAL_LIMIT = 2
    line(session, "echo 1")
    line(session, "echo 2")
    with pytest.raises(services.Refused) as refused:
        line(session, "echo 3")
    assert refused.value.reason == "full"


def test_only_the_owner_writes(session: ClusterSession, stranger: Any, learner: Any) -> None:
    with pytest.raises(PermissionDenied):
        line(session, "echo x", by=stranger)
    assert line(session, "echo x", by=learner).seq == 1
    with pytest.raises(ClusterSession.DoesNotExist):
        selectors.owned_session(stranger, session.pk)


def test_one_cluster_a_scenario_and_slot(learner: Any, stranger: Any, session: ClusterSession) -> None:
    assert services.session_for(learner, "three-nodes").pk == session.pk
    assert services.session_for(learner, "three-nodes", "lesson-2").pk != session.pk
    assert services.session_for(stranger, "three-nodes").pk != session.pk
    with pytest.raises(services.BadScenario):
        services.session_for(learner, "no-such")


def test_long_output_is_bounded_from_the_newest(session: ClusterSession) -> None:
    line(session, "big 300")
    advance(session.pk)
    chunks = selectors.output_after(session.pk, 0, limit=10)
    assert len(chunks) == 10
    assert chunks[-1][4].startswith("000299")
    assert [chunk[0] for chunk in chunks] == list(range(chunks[0][0], chunks[0][0] + 10))


def test_inputs_take_effect_at_their_time_or_at_the_worlds_if_that_is_later(session: ClusterSession) -> None:
    advance(session.pk, until=10 * SECOND)
    early = line(session, "echo early", at=4 * SECOND)
    late = line(session, "echo late", at=12 * SECOND)
    advance(session.pk)
    early.refresh_from_db()
    late.refresh_from_db()
    assert (early.applied_at, late.applied_at) == (10 * SECOND, 12 * SECOND)


def test_output_may_hold_any_bytes(session: ClusterSession) -> None:
    line(session, "odd")
    advance(session.pk)
    assert printed(session).endswith("a\0b\ufffdc\n")


def test_history_is_what_was_typed(session: ClusterSession) -> None:
    for text in ("echo 1", "", "echo 2"):
        line(session, text)
    assert selectors.history(session.pk) == {"t1": ["echo 1", "echo 2"]}


@pytest.mark.parametrize(
    ("kind", "data", "reason"),
    [
        ("line", {"terminal": "t1"}, "bad-frame"),
        ("line", {"terminal": "t1", "text": 7}, "bad-frame"),
        ("line", {"terminal": "t1", "text": "a\nb"}, "bad-frame"),
        ("line", {"terminal": "t1", "text": "a\0b"}, "bad-frame"),
        ("line", {"terminal": "t1", "text": "\ud800"}, "bad-frame"),
        ("line", {"terminal": "t1", "text": "x" * 8193}, "too-long"),
        ("line", {"terminal": "t1", "text": "한" * 3000}, "too-long"),
        ("line", {"terminal": "../etc", "text": "x"}, "bad-frame"),
        ("line", {"terminal": "t1", "text": "x", "host": "y"}, "bad-frame"),
        ("key", {"terminal": "t1", "key": "ctrl-alt-del"}, "bad-frame"),
        ("skip", {"ns": -1}, "bad-frame"),
        ("skip", {"ns": 10**18}, "bad-frame"),
        ("resize", {"terminal": "t1", "columns": 1, "rows": 1}, "bad-frame"),
        ("exec", {}, "unknown-kind"),
        ("__class__", {}, "unknown-kind"),
    ],
)
def test_bad_data_is_refused_with_a_reason(session: ClusterSession, kind: str, data: dict[str, Any], reason: str) -> None:
    with pytest.raises(frames.BadFrame) as refused:
        append_input(session, kind=kind, data=data)
    assert refused.value.reason == reason
    assert not JournalEntry.objects.filter(session=session).exists()


def test_a_row_that_rides_along_takes_effect_like_one_that_is_read(session: ClusterSession) -> None:
    advance(session.pk)
    row = line(session, "count")
    advancing.run_inputs(session.pk, row.carried())
    advancing.run_inputs(session.pk, row.carried())  # delivered twice
    row.refresh_from_db()
    session.refresh_from_db()
    assert (session.applied_seq, row.attempts) == (1, 1) and row.applied_at is not None
    assert printed(session).count("$ count") == 1


def test_a_row_that_rides_along_has_no_effect_without_its_journal_row(session: ClusterSession) -> None:
    advance(session.pk)
    row = line(session, "echo ghost")
    carried = row.carried()
    JournalEntry.objects.filter(session=session).delete()
    advancing.run_inputs(session.pk, carried)
    assert "ghost" not in printed(session)
    session.refresh_from_db()
    assert session.applied_seq == 0


def test_a_row_that_rides_along_too_early_waits_for_those_before_it(session: ClusterSession) -> None:
    advance(session.pk)
    line(session, "echo one")
    second = line(session, "echo two")
    advancing.run_inputs(session.pk, second.carried())
    assert printed(session).endswith("$ echo one\none\n$ echo two\ntwo\n")
    session.refresh_from_db()
    assert session.applied_seq == 2


def test_only_small_rows_that_nothing_waits_before_ride_along(session: ClusterSession, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[Any] = []
    monkeypatch.setattr(services, "schedule", lambda _session, _until=None, row=None: sent.append(row))
    advance(session.pk)
    with TestCase.captureOnCommitCallbacks(execute=True):
        for text in ("echo one", "echo two"):
            append_input(session, kind="line", data={"terminal": "t1", "text": text})
    advance(session.pk)
    with TestCase.captureOnCommitCallbacks(execute=True):
        append_input(session, kind="line", data={"terminal": "t1", "text": "x" * 8_100})
    assert [row and row[0] for row in sent] == [1, None, None]


def test_a_broker_that_answers_and_refuses_costs_no_input(session: ClusterSession, monkeypatch: pytest.MonkeyPatch) -> None:
    """Redis says so when its disk is full (MISCONF), its memory is, or it has become a replica; kombu passes that on as it is."""

    def refuse(*_args: Any, **_options: Any) -> None:
        raise redis.ResponseError("MISCONF Errors writing to the AOF file: No space left on device")

    monkeypatch.setattr(tasks.advance, "apply_async", refuse)
    with TestCase.captureOnCommitCallbacks(execute=True):
        row = append_input(session, kind="line", data={"terminal": "t1", "text": "echo kept"})
    again = append_input(session, kind="line", data={"terminal": "t1", "text": "echo kept"}, client_id=row.client_id)
    assert again.seq == row.seq == 1
    advance(session.pk)
    assert printed(session).endswith("\nkept\n")
