"""Moodle's grades for answers: a fixed list of shares, so that thirds add up to a whole.

A question bank of Moodle knows these shares and no others (`question_bank::fraction_options_full`), positive and negative.
"""

from __future__ import annotations

#: percent, as Moodle writes them
FIXED = (
    100.0, 90.0, 83.33333, 80.0, 75.0, 70.0, 66.66667, 60.0, 50.0, 40.0, 33.33333, 30.0, 25.0, 20.0, 16.66667, 14.28571, 12.5,
    11.11111, 10.0, 5.0, 0.0,
)  # fmt: skip

#: How far a written percentage may be from a fixed one and still mean it: `33.3` is a third, `34` is not.
NEAR = 0.05


def nearest(fraction: float) -> float:
    """The fixed share closest to `fraction`, with its sign."""
    percent = abs(fraction) * 100
    found = min(FIXED, key=lambda item: abs(item - percent))
    return (-found if fraction < 0 else found) / 100


def is_fixed(fraction: float) -> bool:
    """Whether Moodle has a share for it."""
    return abs(nearest(fraction) - fraction) * 100 < NEAR


def settled(fraction: float) -> float:
    """`fraction` as the fixed share that it means (33.33% is a third), else as it is."""
    return round(nearest(fraction), 7) if is_fixed(fraction) else fraction


def percent(fraction: float) -> str:
    """A share as GIFT writes it: `50`, `33.33333`, `-12.5`."""
    return f"{fraction * 100:.5f}".rstrip("0").rstrip(".") or "0"
