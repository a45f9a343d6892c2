"""Marks from elsewhere: a CSV file with a learner and points on each line becomes a column of the gradebook, whole or not at all."""

from __future__ import annotations

import csv
import io
import math

from django.db import transaction
from django.utils.translation import gettext as _

from lessons.desk.models import Column, ColumnMark
from lessons.models import Cohort, Membership

#: Bytes of a file and lines in it.
MOST_BYTES = 512_000
MOST_LINES = 5_000
#: Problems named before the rest is counted.
MOST_PROBLEMS = 20
#: What the first cell of a head says.
HEADS = ("learner", "user", "username", "name", "email", "e-mail", "학습자", "이름", "이메일")


class BadFile(ValueError):
    """What is wrong with a file, line by line."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        more = len(problems) - MOST_PROBLEMS
        self.problems = problems[:MOST_PROBLEMS] + ([_("… and %(n)s more lines") % {"n": more}] if more > 0 else [])


def read_lines(blob: bytes) -> list[tuple[int, list[str]]]:
    """The numbered lines of a CSV file in UTF-8 (with or without a mark), separated by comma, semicolon or tab; raises `BadFile`."""
    if len(blob) > MOST_BYTES:
        raise BadFile([_("The file is larger than %(n)s kB.") % {"n": MOST_BYTES // 1000}])
    try:
        text = blob.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise BadFile([_("The file is not text in UTF-8.")]) from None
    if "\0" in text:
        raise BadFile([_("The file is not text in UTF-8.")])
    head = text.partition("\n")[0]
    separator = max(";\t,", key=head.count)  # a tie: decimal commas between semicolons
    try:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
        lines = []
        for row in reader:
            if any(cell.strip() for cell in row):
                lines.append((reader.line_num, [cell.strip() for cell in row]))
            if len(lines) > MOST_LINES:
                raise BadFile([_("The file has more than %(n)s lines.") % {"n": MOST_LINES}])
    except csv.Error as error:
        raise BadFile([_("line %(n)s: %(why)s") % {"n": reader.line_num, "why": error}]) from None
    if not lines:
        raise BadFile([_("The file is empty.")])
    return lines


def points_of(text: str) -> float | None:
    """The number that a cell says; None when it is none."""
    try:
        value = float(text.replace(",", ".") if text.count(",") == 1 and "." not in text else text)
    except ValueError:
        return None
    return value if math.isfinite(value) and abs(value) < 1e9 else None


def import_column(cohort: Cohort, name: str, most: float, weight: float, blob: bytes) -> Column:
    """Make a column, or fill it anew, from lines `learner,points`; a learner is a user name or an e-mail address.  Raises `BadFile`."""
    lines = read_lines(blob)
    members = cohort.memberships.filter(role=Membership.Role.LEARNER).select_related("user")
    names: dict[str, int] = {}
    for row in members:
        names[row.user.username.casefold()] = row.user_id
        if row.user.email:
            names.setdefault(row.user.email.casefold(), row.user_id)
    marks: dict[int, float] = {}
    problems = []
    for place, (number, cells) in enumerate(lines):
        where = _("line %(n)s:") % {"n": number}
        who = names.get(cells[0].casefold())
        value = points_of(cells[1]) if len(cells) > 1 else None
        if place == 0 and value is None and (who is None or cells[0].casefold() in HEADS) and cells[-1]:
            continue  # a head
        if len(cells) < 2:
            problems.append(f"{where} " + _("a learner and points are needed"))
        elif who is None:
            problems.append(f"{where} " + _("%(who)s is no learner of this cohort") % {"who": cells[0][:80]})
        elif cells[1] == "":
            continue  # no mark yet
        elif value is None:
            problems.append(f"{where} " + _("%(points)s is not a number") % {"points": cells[1][:40]})
        elif not 0 <= value <= most:
            problems.append(
                f"{where} " + _("%(points)s is not between 0 and %(most)s") % {"points": cells[1], "most": f"{most:g}"}
            )
        elif who in marks:
            problems.append(f"{where} " + _("%(who)s is there twice") % {"who": cells[0][:80]})
        else:
            marks[who] = value
    if problems:
        raise BadFile(problems)
    with transaction.atomic():
        column, _made = Column.objects.update_or_create(cohort=cohort, name=name, defaults={"max_points": most, "weight": weight})
        column.marks.all().delete()
        ColumnMark.objects.bulk_create([ColumnMark(column=column, user_id=user, points=value) for user, value in marks.items()])
    return column
