"""The formulas of item analysis, on plain lists of numbers.  None stands for a figure that these data cannot give.

Sources: facility and discrimination as in Crocker and Algina, "Introduction to Classical and Modern Test Theory" (1986), chapter 14;
the correction for an item's own part in the total is Henrysson's (1963); reliability is Cronbach's alpha (1951); the upper and lower
27 percent are Kelley's (1939).  docs/desk.md has them written out with worked examples, which tests/statistics repeats.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence

Numbers = Sequence[float]
#: Scores of one person (a row) on every item (a column).
Table = Sequence[Numbers]

#: Kelley's share of people in the upper and in the lower group.
GROUP = 0.27


def facility(scores: Numbers, most: float) -> float | None:
    """How easy: the mean score as a share of the points there were."""
    return statistics.fmean(scores) / most if scores and most > 0 else None


def variance(scores: Numbers) -> float | None:
    """The sample variance (n − 1)."""
    return statistics.variance(scores) if len(scores) > 1 else None


def deviation(scores: Numbers) -> float | None:
    """The sample standard deviation."""
    found = variance(scores)
    return None if found is None else math.sqrt(found)


def correlation(first: Numbers, second: Numbers) -> float | None:
    """Pearson's product-moment correlation; None where one of them does not vary."""
    if len(first) != len(second):
        raise ValueError(f"{len(first)} and {len(second)} values")
    if len(first) < 2 or _level(first) or _level(second):
        return None
    return max(-1.0, min(1.0, statistics.correlation(first, second)))


def _level(scores: Numbers) -> bool:
    """Do they not vary (but for rounding)?"""
    return max(scores) - min(scores) < 1e-12


def discrimination(item: Numbers, totals: Numbers) -> float | None:
    """Corrected item-total correlation: of the item's scores with the totals without them."""
    rest = [total - score for score, total in zip(item, totals, strict=True)]
    return correlation(item, rest)


def alpha(table: Table) -> float | None:
    """Cronbach's alpha of people × items: k/(k − 1) · (1 − Σ s²(item) / s²(total))."""
    if len(table) < 2 or len(table[0]) < 2:
        return None
    items = list(zip(*table, strict=True))
    whole = statistics.variance([math.fsum(row) for row in table])
    if whole < 1e-12:
        return None
    count = len(items)
    return count / (count - 1) * (1 - math.fsum(statistics.variance(item) for item in items) / whole)


def alpha_without(table: Table, place: int) -> float | None:
    """Alpha of the other items: where it is higher, this one does not measure what they do."""
    return alpha([[*row[:place], *row[place + 1 :]] for row in table])


def places(people: Sequence[Mapping[str, float]], banks: Mapping[str, str]) -> list[list[float]]:
    """People × items of a quiz that draws: `people` are scores by question, `banks` the bank of each question that is drawn from one.

    A question that everybody was asked is an item by itself.  Of the others the first, second … from a bank is one, whichever question it
    was: a bank is a stratum from which each person's questions are sampled.  What not everybody has is left out.
    """
    common = [name for name in (people[0] if people else ()) if all(name in row for row in people)]
    drawn = [_by_bank([name for name in row if name not in common], banks) for row in people]
    rows: list[list[float]] = [[row[name] for name in common] for row in people]
    for bank in sorted({name for own in drawn for name in own}):
        for place in range(min(len(own.get(bank, ())) for own in drawn)):
            for row, own, out in zip(people, drawn, rows, strict=True):
                out.append(row[own[bank][place]])
    return rows


def _by_bank(names: Sequence[str], banks: Mapping[str, str]) -> dict[str, list[str]]:
    out: dict[str, list[str]] = {}
    for name in names:
        if name in banks:
            out.setdefault(banks[name], []).append(name)
    return out


def error_of_measurement(totals: Numbers, reliability: float | None) -> float | None:
    """The standard error of measurement: s · √(1 − alpha)."""
    spread = deviation(totals)
    return None if spread is None or reliability is None else spread * math.sqrt(max(0.0, 1 - reliability))


def groups(totals: Numbers) -> tuple[list[int], list[int]]:
    """Who (by place) is in the upper and who in the lower 27 percent by total; at least one each, and nobody in both."""
    order = sorted(range(len(totals)), key=lambda place: (totals[place], place))
    size = min(max(1, round(GROUP * len(order))), len(order) // 2)
    return (order[len(order) - size :], order[:size]) if size else ([], [])


def histogram(scores: Numbers, most: float, bins: int = 10) -> list[int]:
    """How many scores are in each of `bins` equal parts of 0 to `most`; the full score is in the last."""
    counts = [0] * bins
    for score in scores:
        place = int(score / most * bins + 1e-9) if most > 0 else 0
        counts[max(0, min(bins - 1, place))] += 1
    return counts
