"""The gradebook's page, its exports, and columns from elsewhere."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from lessons.dashboards import marks
from lessons.desk import gradebook as books
from lessons.desk.columns import BadFile, import_column
from lessons.desk.table import csv_text, xlsx_bytes
from lessons.models import Cohort
from lessons.permissions import managed_cohort, person, readable_cohort, role_in


class ColumnForm(forms.Form):
    """A column from elsewhere and its file."""

    name = forms.CharField(
        label=gettext_lazy("Name of the column"), max_length=80, widget=forms.TextInput(attrs={"class": "field"})
    )
    most = forms.FloatField(label=gettext_lazy("Most points"), min_value=0.01, max_value=100_000, initial=10)
    weight = forms.FloatField(label=gettext_lazy("Weight"), min_value=0, max_value=1000, initial=1)
    file = forms.FileField(
        label=gettext_lazy("CSV file"), help_text=gettext_lazy("A learner (user name or e-mail) and points on each line.")
    )


def _narrow(request: HttpRequest, cohort: Cohort) -> tuple[books.Book, dict[str, str]]:
    given = {name: request.GET.get(name, "")[:80] for name in ("show", "who", "only", "sort")}
    found = books.narrowed(books.book(cohort), show=given["show"], who=given["who"], only=given["only"])
    return books.ordered(found, given["sort"] or "name"), given


@require_safe
@login_required
def gradebook(request: HttpRequest, pk: int) -> HttpResponse:
    """Learners × items with sums."""
    cohort = readable_cohort(person(request), pk)
    return _page(request, cohort, ColumnForm())


def _page(
    request: HttpRequest, cohort: Cohort, form: ColumnForm, problems: list[str] | None = None, status: int = 200
) -> HttpResponse:
    found, given = _narrow(request, cohort)
    kept = {name: value for name, value in given.items() if value and name != "sort"}

    def sorting(key: str) -> tuple[str, str]:
        now = given["sort"] or "name"
        # a first click shows the best marks first, and names from A
        first, second = (key, f"-{key}") if key == "name" else (f"-{key}", key)
        turn = second if now == first else first
        state = {key: "ascending", f"-{key}": "descending"}.get(now, "")
        return "?" + urlencode({**kept, "sort": turn}), state

    medians = found.medians()
    pages = max(1, -(-len(found.lines) // marks.PAGE))
    wanted = request.GET.get("page", "")
    page = min(max(1, int(wanted[:6]) if wanted.isascii() and wanted.isdecimal() else 1), pages)
    writer = marks.Writer(found)
    context: dict[str, Any] = {
        "cohort": cohort,
        "book": found,
        "heads": [(head, *sorting(head.key), medians.get(head.key)) for head in found.heads],
        "by_name": sorting("name"),
        "by_sum": sorting("sum"),
        "rows": [writer.row(line) for line in found.lines[(page - 1) * marks.PAGE : page * marks.PAGE]],
        "page": page,
        "pages": pages,
        "given": given,
        "query": urlencode({**kept, **({"sort": given["sort"]} if given["sort"] else {})}),
        "shows": [(name, books.words(name)) for name in ("exercises", "quizzes", "columns")],
        "columns": cohort.columns.all(),
        "manages": role_in(person(request), cohort) in ("owner", "instructor"),
        "form": form,
        "problems": problems or [],
        "tab": "gradebook",
    }
    return render(request, "dashboards/gradebook.html", context, status=status)


@require_safe
@login_required
def gradebook_file(request: HttpRequest, pk: int, kind: str) -> HttpResponse:
    """The gradebook as CSV or XLSX, with the filters and order of the page's address; without names where it says `names=no`."""
    cohort = readable_cohort(person(request), pk)
    found, _given = _narrow(request, cohort)
    rows = books.export_rows(found, named=request.GET.get("names") != "no")
    if kind == "csv":
        response = HttpResponse(csv_text(rows), content_type="text/csv; charset=utf-8")
    else:
        response = HttpResponse(
            xlsx_bytes(cohort.name, rows), content_type="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
        )
    response["Content-Disposition"] = f'attachment; filename="grades-{cohort.pk}.{kind}"'
    return response


@require_POST
@login_required
def column_import(request: HttpRequest, pk: int) -> HttpResponse:
    """A column from a file: all of it, or the lines that are wrong."""
    cohort = managed_cohort(person(request), pk)
    form = ColumnForm(request.POST, request.FILES)
    if not form.is_valid():
        return _page(request, cohort, form, status=422)
    data = form.cleaned_data
    try:
        column = import_column(cohort, data["name"].strip(), data["most"], data["weight"], data["file"].read(600_000))
    except BadFile as error:
        return _page(request, cohort, form, error.problems, status=422)
    messages.success(request, _("The column %(name)s holds %(n)s marks.") % {"name": column.name, "n": column.marks.count()})
    return redirect("lessons:gradebook", cohort.pk)


@require_POST
@login_required
def column_remove(request: HttpRequest, pk: int, column: int) -> HttpResponse:
    """Take a column away with its marks."""
    cohort = managed_cohort(person(request), pk)
    get_object_or_404(cohort.columns, pk=column).delete()
    messages.success(request, _("The column is gone."))
    return redirect("lessons:gradebook", cohort.pk)
