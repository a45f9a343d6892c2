"""The pods of each controlling owner with what the loops of sets count about them, kept as changes come in.

A ReplicaSet of a thousand pods is reconciled after every change of one of them: what it asks (how many are active, ready, terminating,
with which labels) is counted here once a change, not once a pod and reconciliation.  A group is warm: it is made of the informer's copy when
it is first asked for.
"""

from __future__ import annotations

from collections.abc import Iterable

from ..api.objects import Obj, controller_of, key_of, labels_of
from ..informer import Informer
from . import common

Labels = tuple[tuple[str, str], ...]


class Group:
    """Pods by key, and the counts over them."""

    __slots__ = ("active", "active_labels", "labels", "pods", "ready", "terminating")

    def __init__(self, pods: Iterable[Obj] = ()) -> None:
        self.pods: dict[str, Obj] = {}
        self.active = self.ready = self.terminating = 0
        #: How many pods, and how many active ones, have a set of labels.
        self.labels: dict[Labels, int] = {}
        self.active_labels: dict[Labels, int] = {}
        for pod in pods:
            self.put(key_of(pod), pod)

    def put(self, key: str, pod: Obj) -> None:
        """Add a pod, or a newer version of one."""
        self.drop(key)
        self.pods[key] = pod
        self._count(pod, 1)

    def drop(self, key: str) -> None:
        """Take a pod out; one that is not there is no matter."""
        old = self.pods.pop(key, None)
        if old is not None:
            self._count(old, -1)

    def _count(self, pod: Obj, by: int) -> None:
        labels = tuple(labels_of(pod).items())
        active = common.is_active(pod)
        _add(self.labels, labels, by)
        if active:
            self.active += by
            _add(self.active_labels, labels, by)
            if common.is_ready(pod):
                self.ready += by
        if common.is_terminating(pod):
            self.terminating += by

    def listed(self, *, active: bool = False) -> list[Obj]:
        """The pods (the active ones), sorted by key."""
        pods = [self.pods[key] for key in sorted(self.pods)]
        return [pod for pod in pods if common.is_active(pod)] if active else pods


def _add(counts: dict[Labels, int], labels: Labels, by: int) -> None:
    left = counts.get(labels, 0) + by
    if left:
        counts[labels] = left
    else:
        del counts[labels]


class Groups:
    """The groups of a controller's owners, by UID."""

    def __init__(self) -> None:
        self._groups: dict[str, Group] = {}
        self._member: dict[str, str] = {}

    def changed(self, kind: str, pod: Obj) -> None:
        """A pod has been added, changed or deleted (the informer's copy has it already)."""
        key = key_of(pod)
        ref = controller_of(pod) if kind != "DELETED" else None
        uid = str(ref.get("uid") or "") if ref is not None else ""
        before = self._member.get(key, "")
        if before and before != uid:
            self._groups[before].drop(key)
            del self._member[key]
        group = self._groups.get(uid)
        if group is not None:
            group.put(key, pod)
            self._member[key] = uid

    def of(self, uid: str, pods: Informer) -> Group:
        """The group of the owner with that UID."""
        group = self._groups.get(uid)
        if group is None:
            group = self._groups[uid] = Group(pod for pod in pods.by_owner(uid) if common.owned_by(pod, uid))
            for key in group.pods:
                self._member[key] = uid
        return group

    def forget(self, uid: str) -> None:
        """The owner has gone."""
        group = self._groups.pop(uid, None)
        for key in group.pods if group is not None else ():
            del self._member[key]
