"""What views, consumers and lessons call.  Keyword-only where it changes something; every change is a journal row.

The worker's side is `simulator.advancing`; this side never holds a world.
"""

from __future__ import annotations

import contextlib
import functools
import logging
import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NoReturn

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, OperationalError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from . import advancing, doorbell, engine, frames, mailbox, mishaps, selectors, statements, tasks, trials, worlds
from .advancing import advance
from .models import ClusterSession, ClusterView, JournalEntry, OutputBatch, Snapshot, TraceBatch
from .packing import without_nul

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser

__all__ = [
    "BadScenario",
    "EvaluationTimeout",
    "Refused",
    "advance",
    "append_input",
    "ask",
    "evaluate",
    "fork",
    "open_stream",
    "reset",
    "schedule",
    "session_for",
    "set_speed",
    "tell_stream",
    "trial",
]

logger = logging.getLogger(__name__)

#: A reset cluster gets another seed; few of them, because worlds share what their scenario and seed begin with.
SEEDS = 4


class BadScenario(ValueError):
    """There is no such scenario."""


class EvaluationTimeout(Exception):
    """The checks did not end in time; nothing was decided, ask again."""


class Refused(Exception):
    """An input that was not written; `reason` is a word of the protocol."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


def schedule(
    session_id: uuid.UUID, until: int | None = None, row: list[Any] | None = None, *, priority: int = tasks.TYPED
) -> bool:
    """Ask the cluster's worker to bring it up to date; False when the broker is away (whoever watches asks again).

    `row` is the journal row that was just committed, as `JournalEntry.carried` makes it: it saves the worker reading it.
    """
    try:
        tasks.send(tasks.advance, session_id, until, row, priority=priority)
    except tasks.BROKER_AWAY as error:
        logger.warning("session %s: the broker cannot be reached: %s", session_id, error)
        return False
    return True


# -- sessions --------------------------------------------------------------------------------------------------------------


def session_for(user: AbstractBaseUser, scenario: str, slot: str = "") -> ClusterSession:
    """The user's cluster of a scenario and slot, made when there is none."""
    slot = without_nul(slot)[:128]
    found = selectors.live_session(user, scenario, slot) if scenario.isprintable() else None
    if found is not None:
        return found
    if scenario not in engine.scenarios():
        raise BadScenario(_("There is no scenario named %(name)s.") % {"name": scenario[:64]})
    return _create(user.pk, scenario, slot, seed=1)


def _create(owner_id: Any, scenario: str, slot: str, *, seed: int) -> ClusterSession:
    try:
        with transaction.atomic():
            session = ClusterSession.objects.create(
                owner_id=owner_id, scenario=scenario, slot=slot, seed=seed, engine_version=engine.version()
            )
            transaction.on_commit(functools.partial(schedule, session.pk))
    except IntegrityError:  # two requests at once: both get the one that was first
        return ClusterSession.objects.get(owner_id=owner_id, scenario=scenario, slot=slot, archived_at__isnull=True)
    return session


def reset(session: ClusterSession) -> ClusterSession:
    """Archive a cluster (its journal and evidence stay) and begin its scenario anew, with another seed."""
    with transaction.atomic():
        ClusterSession.objects.filter(
            owner_id=session.owner_id, scenario=session.scenario, slot=session.slot, archived_at__isnull=True
        ).update(archived_at=timezone.now())
        worlds.forget_snapshots(session)
        successor = _create(session.owner_id, session.scenario, session.slot, seed=session.seed % SEEDS + 1)
        transaction.on_commit(functools.partial(doorbell.ring, session.pk, {"type": "cluster.ended", "reason": "archived"}))
    return successor


#: What a fork takes over from its source's row.
_COPIED = (
    *("scenario", "seed", "engine_version", "frozen_reason", "last_seq", "booted", "applied_seq", "advanced_to", "epoch"),
    *("next_due", "output_cursor", "trace_cursor", "terminals", "digest", "digest_seq", "digest_at", "base_seq", "base_at"),
)


def fork(session: ClusterSession, *, owner: AbstractBaseUser | None = None) -> ClusterSession:
    """A copy of a cluster, past and all, that goes its own way in a slot of its own."""
    with transaction.atomic():
        session = ClusterSession.objects.select_for_update().get(pk=session.pk)
        values = {name: getattr(session, name) for name in _COPIED}
        copy = ClusterSession.objects.create(
            owner_id=owner.pk if owner else session.owner_id, slot=f"fork-{uuid.uuid4().hex[:12]}", forked_from=session, **values
        )
        for model in (JournalEntry, OutputBatch, TraceBatch, Snapshot, ClusterView):
            _copy_rows(model, session, copy)
        transaction.on_commit(functools.partial(schedule, copy.pk))
    return copy


def _copy_rows(model: Any, source: ClusterSession, target: ClusterSession) -> None:
    rows = []
    for row in model.objects.filter(session=source).iterator(chunk_size=500):
        if model is not ClusterView:
            row.pk = None
        row.session = target
        row._state.adding = True
        rows.append(row)
    model.objects.bulk_create(rows, batch_size=500)


def thaw(session: ClusterSession) -> bool:
    """Let a cluster that another version of the simulator could not go on with be tried again by this one; was it one?"""
    why = session.frozen_reason
    if not why or session.archived_at or mishaps.binding(why, engine.version()):
        return False
    if not ClusterSession.objects.filter(pk=session.pk, frozen_reason=why).update(frozen_reason=""):
        return False
    session.frozen_reason = ""
    schedule(session.pk)
    return True


def set_speed(session: ClusterSession, value: int) -> None:
    """Virtual seconds a second while somebody watches, for everybody who does."""
    if value not in frames.SPEEDS:
        raise ValueError(f"speed {value}")
    ClusterSession.objects.filter(pk=session.pk).update(speed=value)
    doorbell.ring(session.pk, {"type": "cluster.speed", "value": value})


# -- inputs ----------------------------------------------------------------------------------------------------------------


def append_input(
    session: ClusterSession,
    *,
    kind: str,
    data: dict[str, Any],
    client_id: uuid.UUID | None = None,
    at: int | None = None,
    by: AbstractBaseUser | None = None,
) -> JournalEntry:
    """Write one input to the journal and ring for the worker; a repeated `client_id` gives the row that is there.

    The row that comes back is known by its session and `seq` (it has no primary key when it is new).

    Raises `frames.BadFrame` for data that no row may hold and `Refused` when the session takes no more.
    """
    if by is not None and by.pk != session.owner_id:
        raise PermissionDenied
    data = frames.check_input(kind, data, str(client_id) if client_id else None)
    client_id = client_id or uuid.uuid4()
    for _try in range(3):
        try:
            with _whole():
                return _append(session.pk, kind, data, client_id, at)
        except IntegrityError:  # this input is there already, or the same one came over two connections at once
            found = JournalEntry.objects.filter(session_id=session.pk, client_id=client_id).first()
            if found is not None:
                schedule(session.pk)
                return found
        except OperationalError:  # the connection broke; the next one writes the row, or finds it written
            if transaction.get_connection().in_atomic_block or _try == 2:
                raise
            transaction.get_connection().close()
    raise OperationalError(f"session {session.pk}: the journal could not be written")


def _whole() -> contextlib.AbstractContextManager[Any]:
    """A transaction, where what is inside is not one statement and nobody has begun one."""
    connection = transaction.get_connection()
    one = connection.vendor == "postgresql" and not connection.in_atomic_block
    return contextlib.nullcontext() if one else transaction.atomic()


_JOURNAL_COLUMNS = tuple(field.attname for field in JournalEntry._meta.concrete_fields if not field.primary_key)


def _append(session_id: uuid.UUID, kind: str, data: dict[str, Any], client_id: uuid.UUID, at: int | None) -> JournalEntry:
    open_ = {"pk": session_id, "archived_at": None, "frozen_reason": ""}
    limit, wanted = settings.SLIPWAY_JOURNAL_LIMIT, ("applied_seq", "advanced_to")
    row = JournalEntry(
        session_id=session_id, at=max(at or 0, 0), kind=kind, data=data, client_id=client_id, created_at=timezone.now()
    )
    values = {name: getattr(row, name) for name in _JOURNAL_COLUMNS if name != "seq"}
    if at is None:
        values["at"] = statements.Column("advanced_to")
    new = statements.Insert(JournalEntry, values)
    found = statements.numbered(ClusterSession, "last_seq", limit, wanted, open_, new, "seq")
    if found is None:
        _refuse(ClusterSession.objects.get(pk=session_id))
    row.seq, applied, advanced_to = found
    if at is None:
        row.at = advanced_to
    # several rows that wait are read and stored at one go, which is cheaper than carrying each
    carried = row.carried() if row.seq == applied + 1 else None
    transaction.on_commit(functools.partial(schedule, session_id, None, carried))
    return row


def _refuse(session: ClusterSession) -> NoReturn:
    """Say why the session takes no other input."""
    if session.archived_at:
        raise Refused("archived", _("This cluster was reset; there is a newer one."))
    if session.frozen_reason:
        raise Refused("frozen", mishaps.frozen(session.frozen_reason) + " " + _("Reset it to begin anew."))
    raise Refused("full", _("This cluster has taken all the inputs it can hold. Reset it to begin anew."))


# -- questions -------------------------------------------------------------------------------------------------------------


def evaluate(session: ClusterSession, program: dict[str, Any], *, timeout: float = 20.0) -> dict[str, Any]:
    """Run an exercise's checks in the cluster's worker, on a copy of the world at the end of the journal."""
    return _ask(tasks.evaluate, advancing.evaluate, session.pk, program, timeout=timeout)


def trial(program: dict[str, Any], *, timeout: float = 20.0) -> dict[str, Any]:
    """Run commands and checks in a fresh world, in a worker (`simulator.trials`); raises `EvaluationTimeout`."""
    who_types_goes_first = tasks.SEEN
    return _ask(
        tasks.trial, lambda _id, what: trials.run(what), uuid.uuid4(), program, timeout=timeout, priority=who_types_goes_first
    )


def look(session: ClusterSession, seq: int, at: int, *, lens: str = "", about: str = "", timeout: float = 20.0) -> dict[str, Any]:
    """The map of a moment of the past, computed in the cluster's worker; raises `EvaluationTimeout` when it does not come.

    With `lens` the answer has also what that lens showed (`about` is what it is turned to).
    """
    return _ask(tasks.look, advancing.look, session.pk, seq, at, lens, about, timeout=timeout)


def ask(session: ClusterSession, call: dict[str, Any], *, at: int, timeout: float = 30.0) -> dict[str, Any]:
    """Send a request of a learner's own tool to the API server of their cluster (`simulator.core.lab.edge.Answer`).

    What may change something is a journal row; what only reads is asked of a copy.  Raises `Refused` and `EvaluationTimeout`.
    """
    if call["method"] in ("GET", "HEAD"):
        return _put(tasks.ask, advancing.ask, session.pk, call, at, timeout=timeout)
    return _answered(session, "http", call, at, timeout)


def open_stream(session: ClusterSession, ident: str, call: dict[str, Any], *, at: int, timeout: float = 30.0) -> dict[str, Any]:
    """Open an exec, attach or port-forward of a learner's own tool under an id; the answer has status 101 when it is open.

    What its client does then are rows as well (`tell_stream`); what the world says comes by `doorbell.stream(ident)`.
    """
    return _answered(session, "stream", {"id": ident, "open": call}, at, timeout)


def tell_stream(session: ClusterSession, ident: str, ops: list[dict[str, Any]], *, at: int, close: bool = False) -> int:
    """What a stream's client does, in order, as one row; returns its `seq`.  Raises `Refused` when the session takes no more."""
    return append_input(session, kind="stream", data={"id": ident, "ops": ops, "close": close}, at=at).seq


def _answered(session: ClusterSession, kind: str, data: dict[str, Any], at: int, timeout: float) -> dict[str, Any]:
    """Write a row that somebody waits to be answered."""
    client_id = uuid.uuid4()
    append_input(session, kind=kind, data=data, client_id=client_id, at=at)
    try:
        return dict(mailbox.take(mailbox.key_of(str(client_id)), timeout))
    except mailbox.NoAnswer as error:
        raise EvaluationTimeout(str(error)) from error


def settle(session: ClusterSession, *, timeout: float = 20.0) -> int:
    """Wait until all that was written has taken effect; returns the last row's `seq`.  Raises `EvaluationTimeout`."""
    return int(_ask(tasks.settle, advancing.settle, session.pk, timeout=timeout)["applied"])


def _ask(
    task: Any, directly: Callable[..., Any], session_id: uuid.UUID, *args: Any, timeout: float, priority: int = tasks.TYPED
) -> dict[str, Any]:
    """Put a question to the cluster's worker and wait for the answer; one that says "error" is none."""
    answer = _put(task, directly, session_id, *args, timeout=timeout, priority=priority)
    if "error" in answer:
        raise EvaluationTimeout(str(answer.get("message") or answer["error"]))
    return answer


def _put(
    task: Any, directly: Callable[..., Any], session_id: uuid.UUID, *args: Any, timeout: float, priority: int = tasks.TYPED
) -> dict[str, Any]:
    if settings.CELERY_TASK_ALWAYS_EAGER:
        answer: Any = directly(session_id, *args)
    else:
        key = mailbox.new_key()
        try:
            tasks.send(task, session_id, key, *args, priority=priority)
            answer = mailbox.take(key, timeout)
        except (mailbox.NoAnswer, *tasks.BROKER_AWAY) as error:
            raise EvaluationTimeout(str(error)) from error
    return dict(answer)
