"""What the exercise's box on a page shows: its checks with the last verdicts, hints, the solution."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _

from lessons.labs import services
from lessons.labs.models import CheckRun, ExerciseAttempt, ExercisePass
from lessons.models import Exercise
from lessons.models.content import in_language
from lessons.reasons import in_time
from lessons.reasons import said as said_of
from simulator import selectors as clusters
from simulator.models import ClusterSession

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser, User

#: The shape beside a state's word (`.st` classes of the stylesheet).
SHAPES = {"passed": "ok", "failed": "bad", "waiting": "none", "error": "wait", "todo": "todo"}


#: How the evaluator writes a value that is not there (simulator/core/lab/conditions.py).
NOTHING = "∅"


@dataclass(slots=True)
class CheckRow:
    """One check as the page shows it."""

    title: str
    state: str
    word: str
    expected: str = ""
    found: str = ""
    message: str = ""
    evidence: list[dict[str, Any]] = field(default_factory=list)

    @property
    def shape(self) -> str:
        """The class of its state word."""
        return SHAPES.get(self.state, "wait")


@dataclass(slots=True)
class Panel:
    """One exercise on a page."""

    exercise: Exercise
    data: dict[str, Any]
    rows: list[CheckRow]
    attempt: ExerciseAttempt | None = None
    run: CheckRun | None = None
    passed: ExercisePass | None = None
    solution_open: bool = False
    trouble: str = ""
    cluster: ClusterSession | None = None

    @property
    def own_cluster(self) -> bool:
        """Whether the exercise names a scenario of its own."""
        return "scenario" in self.data

    @property
    def ws(self) -> str:
        """The WebSocket of its own cluster, once that was started."""
        return clusters.websocket_path(self.cluster) if self.cluster else ""

    @property
    def hosts(self) -> list[str]:
        """The terminals of its lesson."""
        return list(self.exercise.lesson.data["hosts"])

    @property
    def title(self) -> str:
        """The exercise's title."""
        return in_language(self.data["title"])

    @property
    def goal(self) -> str:
        """What is to be true."""
        return in_language(self.data["goal"])

    @property
    def steps(self) -> list[str]:
        """An order of work."""
        return [in_language(step) for step in self.data.get("steps", [])]

    @property
    def hints(self) -> list[str]:
        """The hints shown so far."""
        shown = self.attempt.hints_shown if self.attempt else 0
        return [in_language(hint["text"]) for hint in self.data["hints"][:shown]]

    @property
    def hints_left(self) -> int:
        """How many hints have not been shown."""
        return len(self.data["hints"]) - len(self.hints)

    @property
    def next_cost(self) -> float:
        """Percent that the next hint takes."""
        return services.hint_cost(self.data, len(self.hints)) if self.hints_left else 0

    @property
    def offer_hint(self) -> bool:
        """Whether failed checks suggest a hint."""
        attempt = self.attempt
        return bool(attempt and not self.passed and attempt.failed_checks >= services.OFFER_HINT_AFTER and self.hints_left)

    @property
    def solution(self) -> list[dict[str, str]]:
        """The commands of the solution with their hosts."""
        return _typed(self.data["solution"]["commands"])

    @property
    def alternatives(self) -> list[dict[str, Any]]:
        """Other ways that pass as well: title, steps, why."""
        return [
            {"title": in_language(other["title"]), "steps": _typed(other["commands"]), "why": in_language(other.get("why", ""))}
            for other in self.data.get("alternatives", [])
        ]

    @property
    def why(self) -> str:
        """The remark that goes with the solution."""
        return in_language(self.data["solution"].get("why", ""))

    @property
    def done(self) -> int:
        """Checks that passed in the last run."""
        return self.run.passed if self.run else 0


def _typed(steps: list[Any]) -> list[dict[str, str]]:
    """Steps as the page shows them: what is typed where, or how long to wait."""
    out = []
    for step in steps:
        step = {"run": step} if isinstance(step, str) else step
        out.append({"host": step.get("host", "controlplane"), "run": step.get("run", ""), "wait": step.get("wait", "")})
    return out


def words() -> dict[str, str]:
    """The word for each state."""
    return {"passed": _("passed"), "failed": _("failed"), "waiting": _("not yet"), "error": _("not decided"), "todo": _("to do")}


def rows_of(data: dict[str, Any], run: CheckRun | None) -> list[CheckRow]:
    """Every check with its last verdict."""
    return check_rows(data["checks"], run.verdicts if run else [])


def check_rows(checks: list[dict[str, Any]], given: list[dict[str, Any]]) -> list[CheckRow]:
    """Checks with their verdicts."""
    verdicts = {item["id"]: item for item in given}
    said = words()
    out = []
    for check in checks:
        verdict = verdicts.get(check["id"], {"state": "todo"})
        state = str(verdict.get("state", "error"))
        row = CheckRow(in_language(check["title"]), state, said.get(state, said["error"]))
        if state in ("failed", "error"):
            row.expected = in_time(in_language(check.get("expected") or verdict.get("expected") or ""))
            found = str(verdict.get("found") or "")
            found = said_of(found) if state == "error" else found
            row.found = _("nothing there") if found == NOTHING else found
            row.message = in_language(verdict.get("message") or check["message"]) if state == "failed" else ""
            row.evidence = [item for item in verdict.get("evidence") or [] if isinstance(item, dict)][:6]
        out.append(row)
    return out


def panel(user: User | AnonymousUser, exercise: Exercise, *, solution: bool = False, trouble: str = "") -> Panel:
    """The box of one exercise for one reader; nobody logged in sees it without a past."""
    if not user.is_authenticated:
        return Panel(exercise, exercise.data, rows_of(exercise.data, None), trouble=trouble)
    attempts = ExerciseAttempt.objects.filter(user=user, exercise=exercise, version_id=exercise.version_id)
    attempt = attempts.order_by("-number").first()
    run = attempt.runs.order_by("-at", "-id").first() if attempt else None
    passed = ExercisePass.objects.filter(user=user, exercise=exercise).first()
    shown = Panel(exercise, exercise.data, rows_of(exercise.data, run), attempt, run, passed, trouble=trouble)
    if shown.own_cluster:
        shown.cluster = clusters.live_session(user, exercise.data["scenario"], services.exercise_slot(exercise))
    shown.solution_open = solution or bool(attempt and attempt.gave_up_at)
    return shown
