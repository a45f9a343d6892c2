"""Item analysis of a quiz: read the attempts that count, put them into a table of people × items, and apply the formulas.

First attempts by default: later ones were made with feedback seen.  An item that an attempt did not ask (a bank drew another) is
missing, not wrong; a question that was asked and left blank is 0.
"""

from __future__ import annotations

import itertools
import statistics
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from lessons.desk.counting import everybody, learner_ids
from lessons.models import Cohort, Quiz
from lessons.models.content import in_language
from lessons.quizzes.models import Assignment, QuizAttempt, Response
from lessons.quizzes.types import TYPES
from lessons.statistics import flags as flagging
from lessons.statistics import formulas
from lessons.versions import fill

WHICH = ("first", "last", "best", "all")
#: Different answers listed of one question.
ANSWERS = 12
#: Types whose answers are choices that can be listed also when nobody took them.
_CHOICES = ("single", "multiple", "truefalse")
#: Longer between two saves than this, and somebody was away: not time spent on a question (seconds).
AWAY = 1800.0


@dataclass(slots=True)
class Answer:
    """One answer that was given, or could have been."""

    words: str
    right: bool
    count: int = 0
    upper: int = 0
    lower: int = 0
    people: list[int] = field(default_factory=list)


@dataclass(slots=True)
class Item:
    """One question with its figures."""

    slug: str
    question_id: int
    number: int
    kind: str
    text: str
    points: float
    people: int
    blank: int
    facility: float | None
    deviation: float | None
    discrimination: float | None
    alpha_without: float | None
    seconds: float | None
    answers: list[Answer]
    flags: list[str]


@dataclass(slots=True)
class Analysis:
    """A whole quiz."""

    quiz: Quiz
    cohort: Cohort | None
    which: str
    people: int
    most: float
    mean: float | None
    median: float | None
    deviation: float | None
    alpha: float | None
    error: float | None
    minutes: float | None
    histogram: list[int]
    items: list[Item]
    #: of each attempt that counts: whose it is, its number, its points by question (None: not asked)
    scores: list[tuple[int, int, dict[str, float | None]]]

    @property
    def enough(self) -> bool:
        """Whether the figures that compare people are more than chance."""
        return self.people >= flagging.ENOUGH


@dataclass(slots=True)
class _Row:
    """One attempt that counts."""

    attempt: QuizAttempt
    specs: dict[str, dict[str, Any]]
    responses: dict[str, Response] = field(default_factory=dict)

    def score(self, slug: str) -> float | None:
        response = self.responses.get(slug)
        if response is None:
            return None
        return float(response.points or 0.0)

    @property
    def total(self) -> float:
        """The sum of its questions, not rounded as the attempt's points are: a question's points are taken from it again."""
        return sum(float(response.points or 0.0) for response in self.responses.values())


def attempts_that_count(quiz: Quiz, cohort: Cohort | None, which: str) -> list[QuizAttempt]:
    """Submitted attempts of learners: of each the first, last or best one, or all."""
    people: Any = learner_ids(cohort) if cohort else everybody(quiz.chapter.course)
    rows = QuizAttempt.objects.filter(quiz=quiz, user__in=people, submitted_at__isnull=False).select_related("version")
    rows = rows.defer("version__data", "version__body", "layout")
    ordered = rows.order_by("user_id", "number")
    if which == "all":
        return list(ordered)
    out = []
    for _user, own in itertools.groupby(ordered, key=lambda row: row.user_id):
        mine = list(own)
        best = max(mine, key=lambda row: ((row.points or 0) / (row.max_points or 1), -row.number))
        out.append({"first": mine[0], "last": mine[-1], "best": best}[which])
    return out


def analyse(quiz: Quiz, *, cohort: Cohort | None = None, which: str = "first") -> Analysis:
    """The figures of a quiz, for a cohort's learners or for everybody but staff."""
    attempts = attempts_that_count(quiz, cohort, which)
    fill(attempts)
    texts: dict[int, dict[str, dict[str, Any]]] = {}
    for attempt in attempts:
        if attempt.version_id not in texts:
            texts[attempt.version_id] = {spec["id"]: spec for spec in attempt.version.data.get("questions", [])}
    rows = [_Row(attempt, texts[attempt.version_id]) for attempt in attempts]
    asked_now = _asked_now(quiz, cohort)
    by_attempt = {row.attempt.pk: row for row in rows}
    found = (
        Response.objects.filter(attempt__in=list(by_attempt))
        .select_related("question")
        .order_by("question__position")
        .defer("mark")
    )
    questions: dict[str, tuple[int, int, dict[str, Any]]] = {}
    for response in found:
        by_attempt[response.attempt_id].responses[response.question.slug] = response
        slug = response.question.slug
        if slug not in questions:
            spec = asked_now.get(slug) or by_attempt[response.attempt_id].specs.get(slug) or response.question.data
            questions[slug] = (response.question_id, response.question.position, spec)
    totals = [row.total for row in rows]
    most = max((float(row.attempt.max_points or 0) for row in rows), default=0.0)
    slugs = sorted(questions, key=lambda slug: (questions[slug][1], slug))
    common = [slug for slug in slugs if all(slug in row.responses for row in rows)]
    table = [[row.score(slug) or 0.0 for slug in common] for row in rows]
    banks = {slug: spec["bank"] for slug, (_pk, _place, spec) in questions.items() if spec.get("bank")}
    alpha = formulas.alpha(
        formulas.places([{slug: row.score(slug) or 0.0 for slug in slugs if slug in row.responses} for row in rows], banks)
    )
    spent = _seconds(rows)
    items = []
    for number, slug in enumerate(slugs, 1):
        without = formulas.alpha_without(table, common.index(slug)) if slug in common else None
        items.append(_item(rows, slug, number, questions[slug], without, spent.get(slug, [])))
    minutes = [
        (row.attempt.submitted_at - row.attempt.started_at).total_seconds() / 60 for row in rows if row.attempt.submitted_at
    ]
    return Analysis(
        quiz,
        cohort,
        which,
        len(rows),
        most,
        statistics.fmean(totals) if totals else None,
        statistics.median(totals) if totals else None,
        formulas.deviation(totals),
        alpha,
        formulas.error_of_measurement(totals, alpha),
        statistics.median(minutes) if minutes else None,
        formulas.histogram(totals, most),
        items,
        [(row.attempt.user_id, row.attempt.number, {slug: row.score(slug) for slug in slugs}) for row in rows],
    )


def _asked_now(quiz: Quiz, cohort: Cohort | None) -> dict[str, dict[str, Any]]:
    """The questions as they stand now, with a mended key: the cohort's own text where it has one."""
    given = Assignment.objects.filter(cohort=cohort, quiz=quiz, version__isnull=False).select_related("version").first()
    version = given.version if given and given.version else quiz.version
    return {spec["id"]: spec for spec in version.data.get("questions", [])}


def _item(
    rows: list[_Row], slug: str, number: int, question: tuple[int, int, dict[str, Any]], without: float | None, spent: list[float]
) -> Item:
    asked = [row for row in rows if slug in row.responses]
    scores = [row.score(slug) or 0.0 for row in asked]
    totals = [row.total for row in asked]
    points = max((float(row.responses[slug].max_points or 0) for row in asked), default=0.0)
    spec = question[2]
    answers = _answers(asked, slug, spec, totals)
    facility = formulas.facility(scores, points)
    discrimination = formulas.discrimination(scores, totals)
    choices = [flagging.Choice(item.right, item.count, item.upper, item.lower) for item in answers]
    listed = spec["type"] in _CHOICES
    return Item(
        slug,
        question[0],
        number,
        spec["type"],
        in_language(spec.get("text", slug)),
        points,
        len(asked),
        sum(row.responses[slug].answer is None for row in asked),
        facility,
        formulas.deviation(scores),
        discrimination,
        without,
        statistics.median(spent) if spent else None,
        answers,
        flagging.flags(
            len(asked), facility, discrimination, choices if listed else [], single=spec["type"] in ("single", "truefalse")
        ),
    )


def _answers(asked: list[_Row], slug: str, spec: dict[str, Any], totals: list[float]) -> list[Answer]:
    """What was answered how often: each choice of a choice question, else each different answer, the most frequent first."""
    upper, lower = (set(group) for group in formulas.groups(totals))
    found: dict[str, Answer] = {}
    listed = spec["type"] in _CHOICES
    if listed:
        for words, right in _choices(spec):
            found[words] = Answer(words, right)
    for place, row in enumerate(asked):
        response = row.responses[slug]
        own = row.specs.get(slug, spec)
        if response.answer is None or own["type"] not in TYPES:
            continue
        said = _said(own, response)
        full = (response.points or 0) >= (response.max_points or 0) > 0
        for words in said if listed else ["; ".join(said)]:
            answer = found.setdefault(words, Answer(words, full and not listed))
            answer.count += 1
            answer.upper += place in upper
            answer.lower += place in lower
            answer.people.append(row.attempt.user_id)
    if listed:
        return list(found.values())
    return sorted(found.values(), key=lambda answer: (-answer.count, answer.words))[:ANSWERS]


def _language() -> str:
    from django.utils.translation import get_language

    return (get_language() or "en").split("-")[0]


def _said(spec: dict[str, Any], response: Response) -> list[str]:
    said = TYPES[spec["type"]].said(spec, response.answer, _language())
    return [" ".join(str(words).split()) for words in said] or [str(response.answer)]


def _choices(spec: dict[str, Any]) -> list[tuple[str, bool]]:
    """Every choice of a question in words, and whether it is right."""
    kind = TYPES[spec["type"]]
    if spec["type"] == "truefalse":
        pairs = [(kind.said(spec, value, _language()), value is spec["answer"]) for value in (True, False)]
    else:
        pairs = [
            (kind.said(spec, [index], _language()), bool(choice.get("correct"))) for index, choice in enumerate(spec["choices"])
        ]
    return [(" ".join(words[0].split()), right) for words, right in pairs]


def _seconds(rows: list[_Row]) -> dict[str, list[float]]:
    """Seconds that went by before each answer was last saved, since the save before it (or the start): an estimate of its time."""
    out: dict[str, list[float]] = {}
    for row in rows:
        before = row.attempt.started_at
        saves = Counter(response.saved_at for response in row.responses.values() if response.answer is not None)
        saved = sorted((r.saved_at, slug) for slug, r in row.responses.items() if r.answer is not None)
        for at, slug in saved:
            seconds = (at - before).total_seconds()
            if saves[at] == 1 and 0 < seconds < AWAY:  # several answers in one save tell nothing of each
                out.setdefault(slug, []).append(seconds)
            before = max(before, at)
    return out
