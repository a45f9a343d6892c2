"""Kinds of learners, and how a class of any size is made up of them.  Everything is drawn from the class's seed."""

from __future__ import annotations

import random
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Kind:
    """How somebody of this kind works; shares and chances are 0 to 1."""

    name: str
    #: how often one of them is in a class, relative to the others
    weight: int
    #: chance of a right answer to a quiz question of middling difficulty
    ability: float
    #: chance of a wrong way before the right one in an exercise
    mistakes: float
    #: chance that a hint is asked for after a failed check
    hints: float
    #: share of the course's lessons that they come through
    reach: tuple[float, float]
    #: real seconds between two commands, on average
    pace: float
    #: chance that an exercise is left out
    skips: float = 0.0
    #: chance of looking at the solution after two failed checks
    gives_up: float = 0.0
    #: attempts at a quiz that was not passed
    tries: int = 1
    #: days after the others
    days_late: int = 0
    #: whether the last exercise that they come to is failed over and over
    stuck: bool = False


QUICK = Kind("quick", 5, 0.92, 0.08, 0.05, (0.8, 1.0), 8.0)
STEADY = Kind("steady", 9, 0.78, 0.25, 0.3, (0.6, 0.95), 16.0, skips=0.05, tries=2)
STRUGGLING = Kind("struggling", 6, 0.55, 0.65, 0.7, (0.35, 0.7), 28.0, skips=0.1, gives_up=0.35, tries=3)
GUESSING = Kind("guessing", 3, 0.38, 0.5, 0.2, (0.5, 0.8), 6.0, skips=0.45, gives_up=0.5, tries=3)
READING = Kind("reading", 3, 0.68, 0.2, 0.2, (0.4, 0.9), 20.0, skips=0.8)
GONE = Kind("gone", 2, 0.6, 0.4, 0.3, (0.05, 0.2), 18.0, skips=0.2)
STUCK = Kind("stuck", 0, 0.6, 0.6, 0.5, (0.4, 0.6), 24.0, stuck=True)
LATE = Kind("late", 0, 0.72, 0.3, 0.3, (0.5, 0.7), 18.0, days_late=4)
ABSENT = Kind("absent", 0, 0.5, 0.5, 0.5, (0.0, 0.0), 18.0)

DRAWN = (QUICK, STEADY, STRUGGLING, GUESSING, READING, GONE)


def kinds(learners: int, seed: int) -> list[Kind]:
    """A kind for each learner: from three learners on one is stuck, one late; from eight on one never came."""
    rng = random.Random(f"class/{seed}")
    fixed = [STUCK, LATE][: max(0, learners - 1)] + ([ABSENT] if learners >= 8 else [])
    found = fixed + rng.choices(DRAWN, [kind.weight for kind in DRAWN], k=learners - len(fixed))
    rng.shuffle(found)
    return found
