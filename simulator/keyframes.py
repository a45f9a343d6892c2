"""Keyframes: worlds on the way of a long session, so close to each other that looking back to any moment replays a few inputs only.

They are a cache beside the snapshots and smaller: the first of a stretch is whole, those after it are what differs from it (zstd with
the whole one as dictionary: a third of a snapshot).  Nothing else rests on them: whoever finds none, or one that cannot be read, has the
snapshots and the journal.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import IntegrityError, transaction

from . import engine, statements
from .core.kernel import snapshot as images
from .models import ClusterSession, Keyframe

if TYPE_CHECKING:
    from .worlds import Warm

#: A keyframe is due when the inputs and the time since the last one took so many seconds of CPU, which is what a replay takes …
SPENT = 0.15
#: … or after so many inputs or so much virtual time, or a part of each: not all that a replay does was counted where it happened.
ROWS = 20
NS = 180 * 1_000_000_000
#: Inputs after which a stretch begins anew with a whole one: the differences grow with the distance.
STRETCH = 60
#: Keyframes of one session: enough for 500 inputs; past that those go between which a replay takes least.
KEPT = 120


def due(warm: Warm) -> bool:
    """Whether the world has gone far enough since its last keyframe."""
    far = (warm.applied_seq - warm.keyframe_seq) / ROWS + (warm.sandbox.now - warm.keyframe_at) / NS
    return far >= 1 or warm.spent >= SPENT


def store(warm: Warm) -> bool:
    """Keep the world as it is now, unless a program waits in it; False when it was not possible.  It must be drained and stored."""
    sandbox = warm.sandbox
    cost = round(warm.spent * 1000)
    warm.keyframe_seq, warm.keyframe_at, warm.spent = warm.applied_seq, sandbox.now, 0.0
    if not sandbox.can_snapshot():
        return False
    version = engine.version()
    base = Keyframe.objects.filter(session_id=warm.session_id, base=None).order_by("-journal_seq", "-at").first()
    if base is not None and (base.journal_seq, base.at) == (warm.applied_seq, sandbox.now):
        return True
    if base is not None and (base.engine_version != version or not 0 <= warm.applied_seq - base.journal_seq < STRETCH):
        base = None
    values = {"session_id": warm.session_id, "journal_seq": warm.applied_seq, "at": sandbox.now, "engine_version": version}
    values |= {"base_id": base.pk if base else None, "blob": _packed(sandbox.image(), base), "cost": cost}
    # where another worker has the cluster, this is not what its rows say
    mine = statements.Update(ClusterSession, {"version": warm.version}, {"pk": warm.session_id, "version": warm.version})
    try:
        statements.together(mine, [statements.Insert(Keyframe, values, key=("session_id", "journal_seq", "at"))])
    except (statements.NotThere, IntegrityError):
        return False
    if base is None:  # once a stretch is often enough
        with transaction.atomic():
            _thin_out(warm)
    return True


def nearest(session: ClusterSession, seq: int, at: int) -> Keyframe | None:
    """The last keyframe of a time and a row, made by this version of the simulator."""
    return (
        Keyframe.objects.filter(
            session=session, engine_version=engine.version(), journal_seq__range=(session.base_seq, seq), at__lte=at
        )
        .select_related("base")
        .order_by("-journal_seq", "-at")
        .first()
    )


def image(keyframe: Keyframe) -> bytes:
    """The snapshot that a keyframe stands for; raises `BadInput` for one that cannot be read."""
    base = images.unpacked(bytes(keyframe.base.blob)) if keyframe.base else b""
    return images.closed(images.unpacked(bytes(keyframe.blob), base))


def hand_over(source: ClusterSession, target: ClusterSession, seq: int, at: int) -> None:
    """The keyframes of a beginning go to the session that goes on from it; the later ones are forgotten."""
    Keyframe.objects.filter(session=source, journal_seq__lte=seq, at__lte=at).update(session=target)
    forget(source)


def forget(session: ClusterSession) -> None:
    """Throw away all keyframes of a session."""
    Keyframe.objects.filter(session=session).delete()


def _packed(image: bytes, base: Keyframe | None) -> bytes:
    return images.packed(image, images.unpacked(bytes(base.blob)) if base else b"")


def _thin_out(warm: Warm) -> None:
    """Beyond `KEPT`, the keyframe without which the way to the next one takes least goes; a whole one only when nothing is told by it."""
    rows = list(Keyframe.objects.filter(session_id=warm.session_id).order_by("journal_seq", "at").defer("blob"))
    while len(rows) > KEPT:
        told = {row.base_id for row in rows}
        free = [n for n in range(1, len(rows) - 1) if rows[n].pk not in told]
        index = min(free, key=lambda n: rows[n].cost + rows[n + 1].cost)
        gone, following = rows.pop(index), rows[index]
        following.cost += gone.cost
        following.save(update_fields=["cost"])
        gone.delete()
