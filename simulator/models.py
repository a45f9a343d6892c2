"""A learner's cluster as rows: the session, its journal (the truth), and what was computed from it (caches and evidence).

`ClusterSession.version` is the one word that decides who may write results: a worker adds 1 to it in the transaction that
stores what it computed, on the condition that it still is what the worker saw.  A second worker with the same cluster in
memory finds it changed, throws its copy away and starts again from the rows.
"""

from __future__ import annotations

import uuid
from typing import Any

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

#: Journal rows up to this size (characters) ride along with their doorbell.
CARRIED_LIMIT = 8_000


class ClusterSession(models.Model):
    """One simulated cluster of one owner: scenario + seed + engine version + journal, and where the computation stands."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="cluster_sessions")
    scenario = models.CharField(max_length=64)
    #: Separates several clusters of one scenario and owner; a lesson page uses its slug.
    slot = models.CharField(max_length=128, blank=True, default="")
    seed = models.BigIntegerField()
    engine_version = models.CharField(max_length=32)
    created_at = models.DateTimeField(auto_now_add=True)
    touched_at = models.DateTimeField(auto_now=True)
    archived_at = models.DateTimeField(null=True, blank=True)
    #: Why nothing can be added any more (it no longer replays alike with this engine); empty when it can.
    frozen_reason = models.CharField(max_length=300, blank=True, default="")
    forked_from = models.ForeignKey("self", null=True, blank=True, on_delete=models.SET_NULL, related_name="forks")
    speed = models.PositiveSmallIntegerField(default=1)

    # where the journal stands: written by append_input
    last_seq = models.PositiveIntegerField(default=0)

    # where the computation stands: written by advance, guarded by version
    version = models.PositiveIntegerField(default=0)
    booted = models.BooleanField(default=False)
    applied_seq = models.PositiveIntegerField(default=0)
    advanced_to = models.BigIntegerField(default=0, help_text=_("Virtual nanoseconds since boot."))
    epoch = models.BigIntegerField(default=0, help_text=_("Unix time of boot in nanoseconds."))
    next_due = models.BigIntegerField(null=True, blank=True)
    output_cursor = models.PositiveIntegerField(default=0)
    trace_cursor = models.PositiveIntegerField(default=0)
    terminals = models.JSONField(default=dict)
    #: Digest of the world at virtual time `digest_at` with `digest_seq` rows applied: what a replay must reproduce.
    digest = models.CharField(max_length=128, blank=True, default="")
    digest_seq = models.PositiveIntegerField(default=0)
    digest_at = models.BigIntegerField(default=0)
    #: Rows up to this one were removed (`simulator.retention`): the world begins with the snapshot after it, at virtual time `base_at`.
    base_seq = models.PositiveIntegerField(default=0)
    base_at = models.BigIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["owner", "scenario", "slot"], condition=models.Q(archived_at__isnull=True), name="one_live_session_a_slot"
            ),
        ]
        indexes = [models.Index(fields=["owner", "-touched_at"], name="session_owner_touched")]

    def __str__(self) -> str:
        return f"{self.scenario}/{self.seed} ({self.id})"

    @property
    def pending(self) -> int:
        """Journal rows that have not taken effect yet."""
        return self.last_seq - self.applied_seq


class JournalEntry(models.Model):
    """One input: written before it takes effect, never changed but for the marks of its having taken effect."""

    session = models.ForeignKey(ClusterSession, on_delete=models.CASCADE, related_name="journal")
    seq = models.PositiveIntegerField()
    #: Virtual time at which it was given; it takes effect at `applied_at` = max(at, the world's now).
    at = models.BigIntegerField()
    kind = models.CharField(max_length=16)
    data = models.JSONField(default=dict)
    client_id = models.UUIDField(default=uuid.uuid4)
    created_at = models.DateTimeField(auto_now_add=True)
    applied_at = models.BigIntegerField(null=True, blank=True)
    #: The session's output and trace cursors just before it took effect: where its own output begins.
    output_before = models.PositiveIntegerField(null=True, blank=True)
    trace_before = models.PositiveIntegerField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    #: What the world said to an input that it would not take; the row still counts as applied.
    refusal = models.CharField(max_length=300, blank=True, default="")
    #: Set when the input could not be run and was set aside; replays skip it.
    quarantined = models.CharField(max_length=300, blank=True, default="")

    class Meta:
        ordering = ["session", "seq"]
        constraints = [
            models.UniqueConstraint(fields=["session", "seq"], name="journal_seq_once"),
            models.UniqueConstraint(fields=["session", "client_id"], name="journal_client_id_once"),
        ]

    def __str__(self) -> str:
        return f"{self.seq} {self.kind}"

    def carried(self) -> list[Any] | None:
        """The committed row as its doorbell carries it to the worker; None when it is too large for that."""
        size = sum(len(value) if isinstance(value, str) else len(str(value)) for value in self.data.values())
        return [self.seq, self.at, self.kind, self.data, str(self.client_id)] if size <= CARRIED_LIMIT else None

    @classmethod
    def from_carried(cls, session_id: uuid.UUID, carried: list[Any]) -> JournalEntry:
        """The reverse of `carried`; without a primary key: such a row is known by its session and `seq`."""
        seq, at, kind, data, client_id = carried
        return cls(session_id=session_id, seq=seq, at=at, kind=kind, data=data, client_id=uuid.UUID(client_id))


class OutputBatch(models.Model):
    """Terminal output of one advance: chunks `first`..`last` of the session, each `[cursor, at, terminal, fd, data]`."""

    session = models.ForeignKey(ClusterSession, on_delete=models.CASCADE, related_name="outputs")
    first = models.PositiveIntegerField()
    last = models.PositiveIntegerField()
    chunks = models.BinaryField()  # packed: output may hold bytes that a database's text may not (NUL)

    class Meta:
        ordering = ["session", "first"]
        constraints = [
            models.UniqueConstraint(fields=["session", "first"], name="output_first_once"),
            models.UniqueConstraint(fields=["session", "last"], name="output_last_once"),
        ]

    def __str__(self) -> str:
        return f"output {self.first}-{self.last}"


class TraceBatch(models.Model):
    """Trace events `first`..`last` (by seq) of one advance, packed by `simulator.packing`."""

    session = models.ForeignKey(ClusterSession, on_delete=models.CASCADE, related_name="traces")
    first = models.PositiveIntegerField()
    last = models.PositiveIntegerField()
    events = models.BinaryField()

    class Meta:
        ordering = ["session", "first"]
        constraints = [models.UniqueConstraint(fields=["session", "first"], name="trace_first_once")]

    def __str__(self) -> str:
        return f"trace {self.first}-{self.last}"


class ClusterView(models.Model):
    """The newest picture of the cluster for the ship map; `version` goes up when it changes."""

    session = models.OneToOneField(ClusterSession, on_delete=models.CASCADE, primary_key=True, related_name="view")
    version = models.PositiveIntegerField(default=0)
    data = models.JSONField(default=dict)

    def __str__(self) -> str:
        return f"view {self.version}"


class Snapshot(models.Model):
    """The world after `journal_seq` rows at virtual time `at`: a cache, never the truth."""

    session = models.ForeignKey(ClusterSession, on_delete=models.CASCADE, related_name="snapshots")
    journal_seq = models.PositiveIntegerField()
    at = models.BigIntegerField()
    engine_version = models.CharField(max_length=32)
    digest = models.CharField(max_length=128, blank=True, default="")
    blob = models.BinaryField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["session", "-journal_seq", "-at"]
        constraints = [models.UniqueConstraint(fields=["session", "journal_seq", "at"], name="snapshot_once")]

    def __str__(self) -> str:
        return f"snapshot after {self.journal_seq} at {self.at}"


class Keyframe(models.Model):
    """The world on its way, for looking back (`simulator.keyframes`): whole, or what differs from its `base`.  A cache, never the truth."""

    session = models.ForeignKey(ClusterSession, on_delete=models.CASCADE, related_name="keyframes")
    base = models.ForeignKey("self", on_delete=models.CASCADE, null=True, related_name="told")
    journal_seq = models.PositiveIntegerField()
    at = models.BigIntegerField()
    engine_version = models.CharField(max_length=32)
    blob = models.BinaryField()
    #: Milliseconds of CPU that it took from the keyframe before to this one: what a replay of that way takes.
    cost = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["session", "-journal_seq", "-at"]
        constraints = [models.UniqueConstraint(fields=["session", "journal_seq", "at"], name="keyframe_once")]

    def __str__(self) -> str:
        return f"keyframe after {self.journal_seq} at {self.at}"


class Beginning(models.Model):
    """How the worlds of a scenario and seed begin (`simulator.shelf`): a cache that spares workers the building."""

    engine_version = models.CharField(max_length=32)
    scenario = models.CharField(max_length=64)
    seed = models.BigIntegerField()
    blob = models.BinaryField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["engine_version", "scenario", "seed"], name="one_beginning")]

    def __str__(self) -> str:
        return f"{self.scenario}/{self.seed} as {self.engine_version} builds it"


class EdgeToken(models.Model):
    """The right to speak to the API server of one cluster with one's own tools; only the hash of the token is kept."""

    session = models.ForeignKey(ClusterSession, on_delete=models.CASCADE, related_name="edge_tokens")
    digest = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)
    used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"token {self.pk} of {self.session_id}"
