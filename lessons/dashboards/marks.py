"""Rows of the gradebook as HTML.

Written here, not in a template, like those of the heat map (`lessons.dashboards.heat`): a page has thousands of cells.  Everything that comes
from people or lesson files is escaped.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from lessons.desk.gradebook import Book, Head, Line, Mark
from lessons.desk.templatetags.desk import figure
from lessons.templatetags.slipway import points

if TYPE_CHECKING:
    from django.contrib.auth.models import User

#: Learners on one page.
PAGE = 100


def full_name(user: User) -> str:
    """Somebody's name behind their user name, where they have set one."""
    name = escape(user.get_full_name())
    return f' <span class="meta full-name" title="{name}">{name}</span>' if name else ""


class Writer:
    """Writes rows; the words that cells share are translated once."""

    def __init__(self, found: Book) -> None:
        self.heads, self.base = found.heads, f"{found.cohort.get_absolute_url()}learners/"
        excused = f'<abbr title="{escape(_("excused: not counted"))}">{escape(_("exc."))}</abbr>'
        self.excused, self.none = excused, f'–<span class="vh"> {escape(_("not yet"))}</span>'
        self.dropped = f'<span class="vh"> {escape(_("dropped"))}</span>'
        self.pending = f'<span class="st wait"><span class="vh">{escape(_("to be marked"))}</span></span>'
        self.late = f' <abbr class="late" title="{escape(_("submitted late"))}">{escape(_("late"))}</abbr>'
        self.changed = escape(_("changed by hand:"))

    def row(self, line: Line) -> SafeString:
        """One learner."""
        base = f"{self.base}{line.user.pk}/"
        parts = [f'<tr><th scope="row"><a href="{base}">{escape(line.user.username)}</a>{full_name(line.user)}</th>']
        parts.append(f'<td class="num"><b>{points(line.total)}</b> <span class="meta">/ {points(line.of)}</span></td>')
        parts.append(f'<td class="num">{figure(line.percent, 0)}</td>')
        parts += [self.cell(base, head, line.marks[head.key]) for head in self.heads]
        parts.append("</tr>")
        return mark_safe("".join(parts))

    def cell(self, base: str, head: Head, mark: Mark) -> str:
        """One mark, which leads to its evidence."""
        if mark.excused:
            said = self.excused
        elif mark.points is None:
            said = self.none
        else:
            said = f"<s>{points(mark.points)}</s>{self.dropped}" if mark.dropped else points(mark.points)
        if head.evidence:
            said = f'<a class="cell" href="{base}{head.evidence}">{said}</a>'
        said += self.pending if mark.state == "pending" else ""
        said += self.late if mark.late else ""
        if mark.state == "override" or mark.excused:
            note = escape(mark.note)
            said += f'<span class="mk" title="{note}">†<span class="vh"> {self.changed} {note}</span></span>'
        return f'<td class="num{" ex" if mark.excused else ""}">{said}</td>'
