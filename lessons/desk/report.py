"""An item analysis as rows of a table: what the page's CSV links and `manage.py itemanalysis` print alike."""

from __future__ import annotations

from lessons.desk.analysis import Analysis, Answer, Item
from lessons.desk.anonymous import alias
from lessons.desk.table import Cell

HEAD = (
    *("quiz", "number", "question", "type", "points", "learners", "blank", "facility", "discrimination", "deviation"),
    *("alpha_without", "median_seconds", "flags", "answers"),
)


def rows(found: Analysis) -> list[list[Cell]]:
    """The head, a row for each question, and last one for the quiz as a whole (`question` is `*`)."""
    quiz = found.quiz
    name = f"{quiz.chapter.course.slug}/{quiz.slug if quiz.cohort_id else quiz.chapter.slug}"
    out: list[list[Cell]] = [list(HEAD)]
    out += [_item(name, item) for item in found.items]
    blank = sum(item.blank for item in found.items)
    mean = None if found.mean is None or not found.most else _round(found.mean / found.most)
    seconds = None if found.minutes is None else _round(found.minutes * 60, 1)
    whole = f"alpha={_said(found.alpha)}; mean={_said(found.mean)}; median={_said(found.median)}; sem={_said(found.error)}"
    bins = " ".join(map(str, found.histogram))
    figures: list[Cell] = [found.most, found.people, blank, mean, None, _round(found.deviation), _round(found.alpha), seconds]
    out.append([name, None, "*", None, *figures, None, f"{whole}; histogram={bins}"])
    return out


def scores(found: Analysis) -> list[list[Cell]]:
    """The table that the figures are made of, without names: a row for each attempt, its points for each question (empty: not asked)."""
    whose = found.cohort or found.quiz.chapter.course
    slugs = [item.slug for item in found.items]
    out: list[list[Cell]] = [["learner", "attempt", *slugs, "sum"]]
    for user, number, points in found.scores:
        given = [points[slug] for slug in slugs]
        out.append([alias(whose, user), number, *given, round(sum(value or 0.0 for value in given), 4)])
    return [out[0], *sorted(out[1:], key=lambda row: (str(row[0]), row[1] or 0))]


def _item(name: str, item: Item) -> list[Cell]:
    return [
        *(name, item.number, item.slug, item.kind, item.points, item.people, item.blank, _round(item.facility)),
        *(_round(item.discrimination), _round(item.deviation), _round(item.alpha_without), _round(item.seconds, 1)),
        *(" ".join(item.flags), " | ".join(map(_answer, item.answers))),
    ]


def _answer(answer: Answer) -> str:
    return f"{'*' if answer.right else ''}{answer.words}: {answer.count} (upper {answer.upper}, lower {answer.lower})"


def _round(value: float | None, digits: int = 4) -> float | None:
    return None if value is None else round(value, digits)


def _said(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}"
