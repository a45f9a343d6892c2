"""Worlds that are made for one answer, and Python's collector of cyclic garbage.

A world is a hundred thousand objects that point at each other.  Made and thrown away for each look at the past, it would make the
collector walk again and again through what is being made, grow old in a later generation, and be found only by a collection of
everything, which takes longer than the look.  So the collector waits until the answer is out, and then looks at the young ones alone.
"""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator


@contextlib.contextmanager
def thrown_away() -> Iterator[None]:
    """For a block that makes a world, answers from it and keeps nothing of it; it must have sent its answer before it ends."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.collect(0)
        if was_on:
            gc.enable()


def leave_alone_what_is_there() -> None:
    """What is in memory now stays: collecting garbage need not walk through it, nor look up for each few hundred new objects."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 10, 10)
