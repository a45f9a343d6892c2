"""Which worker serves which queues: agreed by all that live, without anybody who decides (ADR 16).

Each worker leaves a sign of life in Redis and reads who else did; from the same names all compute the same share-out, so a queue whose worker is
gone for good has another one some seconds later, and a worker that comes takes its share.  While they do not agree yet, two may serve one queue or
nobody does for a moment: results are stored on the condition that nobody else did, and whoever watches asks again.

Signs of life are keys that Redis lets expire, so workers' clocks do not matter.
"""

from __future__ import annotations

import hashlib
import math
import os
from collections import Counter
from collections.abc import Collection, Sequence
from typing import Any

#: Seconds between two signs of life, and after which a worker that gave none is gone.
BEAT = 2.0
GONE = 7

_MEMBERS = "slipway:members"


def _score(queue: str, worker: str) -> bytes:
    return hashlib.blake2b(f"{queue} {worker}".encode(), digest_size=8).digest()


def share_out(queues: Sequence[str], workers: Collection[str]) -> dict[str, list[str]]:
    """Each worker's queues: rendezvous hashing with a bound, so that loads differ little and few queues move when workers come and go.

    With more workers than queues those left over each help at one.
    """
    names = sorted(workers)
    shares: dict[str, list[str]] = {name: [] for name in names}
    if not names:
        return shares
    most, load = math.ceil(len(queues) / len(names)), Counter[str]()
    for queue in queues:
        best = max((name for name in names if load[name] < most), key=lambda name: _score(queue, name))
        shares[best].append(queue)
        load[best] += 1
    idle = [name for name in names if not shares[name]]
    for number, name in enumerate(idle):
        shares[name].append(queues[number % len(queues)])
    return shares


class Membership:
    """One worker among the others, under a name that is its own and stays when it is started again."""

    def __init__(self, connection: Any, name: str, queues: Sequence[str]) -> None:
        self._redis, self.name, self._queues = connection, name, list(queues)
        self._seen: set[str] = set()

    def beat(self, *, serves: bool = True) -> list[str]:
        """Give a sign of life; returns the queues to serve.  `serves` says of them that somebody does, which `/readyz` and `/metrics` ask.

        Who was there at the last look counts once more: after a flush of Redis the first one to look would find itself alone.
        """
        with self._redis.pipeline(transaction=False) as pipe:
            pipe.sadd(_MEMBERS, self.name)
            pipe.set(self._key(self.name), os.getpid(), ex=GONE)
            pipe.smembers(_MEMBERS)
            names = sorted(member.decode() for member in pipe.execute()[2])
        signs = self._redis.mget([self._key(name) for name in names])
        seen = {name for name, sign in zip(names, signs, strict=True) if sign is not None}
        gone = set(names) - seen
        if gone:
            self._redis.srem(_MEMBERS, *gone)
        counted, self._seen = seen | self._seen, seen
        mine = share_out(self._queues, counted)[self.name]
        if serves:
            with self._redis.pipeline(transaction=False) as pipe:
                for queue in mine:
                    pipe.set(f"slipway:worker:{queue}", os.getpid(), ex=GONE)
                pipe.execute()
        return mine

    def leave(self) -> None:
        """Say that this worker goes, so that the others need not wait for it."""
        with self._redis.pipeline(transaction=False) as pipe:
            pipe.srem(_MEMBERS, self.name)
            pipe.delete(self._key(self.name))
            pipe.execute()

    @staticmethod
    def _key(name: str) -> str:
        return f"slipway:member:{name}"
