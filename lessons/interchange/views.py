"""Pages of question sets: bring a file in, read its report, take it away in another format, put it up.

Whoever teaches has sets of their own; whoever runs the site (`is_staff`) sees all and may put them up in courses, since a
course belongs to every cohort that takes it.
"""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from lessons.interchange import services
from lessons.interchange.items import Kind, label
from lessons.interchange.models import QuestionSet
from lessons.loading.problems import Problem
from lessons.models import Course
from lessons.permissions import is_staff_somewhere, person

#: What each kind of question is called.
WORDS = {
    Kind.DESCRIPTION: gettext_lazy("Text"),
    Kind.ESSAY: gettext_lazy("Essay"),
    Kind.TRUEFALSE: gettext_lazy("True or false"),
    Kind.SINGLE: gettext_lazy("One choice"),
    Kind.MULTIPLE: gettext_lazy("Several choices"),
    Kind.SHORT: gettext_lazy("Short answer"),
    Kind.MATCHING: gettext_lazy("Matching"),
    Kind.NUMERICAL: gettext_lazy("A number"),
    Kind.ORDERING: gettext_lazy("Ordering"),
}

#: The formats of the page's download links, in order.
FILES = {"gift": "GIFT", "qti21": "QTI 2.1", "qti30": "QTI 3.0", "yaml": "quiz.yaml"}


class FileForm(forms.Form):
    """A file to bring in."""

    file = forms.FileField(
        label=gettext_lazy("File"),
        help_text=gettext_lazy("GIFT as text, QTI as .xml or .zip, or a course as .imscc."),
        widget=forms.ClearableFileInput(attrs={"class": "field", "accept": ".gift,.txt,.xml,.zip,.imscc"}),
    )
    title = forms.CharField(
        label=gettext_lazy("Title"),
        max_length=160,
        required=False,
        help_text=gettext_lazy("Left empty, the file's name."),
        widget=forms.TextInput(attrs={"class": "field", "autocomplete": "off"}),
    )


def own_sets(request: HttpRequest) -> QuerySet[QuestionSet]:
    """The sets that one may see.  404 for who teaches nowhere."""
    user = person(request)
    if user.is_staff:
        return QuestionSet.objects.all()
    if not is_staff_somewhere(user):
        raise Http404
    return QuestionSet.objects.filter(owner=user)


@login_required
def sets(request: HttpRequest) -> HttpResponse:
    """All sets of one's own, and the form for another."""
    rows = own_sets(request)
    form = FileForm(request.POST or None, request.FILES or None)
    problems: list[str] = []
    if request.method == "POST" and form.is_valid():
        upload = form.cleaned_data["file"]
        try:
            if upload.size > services.MAX_FILE:
                raise services.Refused([Problem(upload.name, 0, "", _("The file is too large."))])
            found = services.bring(upload.read(), upload.name, owner=person(request), title=form.cleaned_data["title"].strip())
        except services.Refused as refused:
            problems = [str(problem) for problem in refused.problems]
        else:
            messages.success(request, _("Questions brought in: %(count)s") % {"count": len(found.items)})
            return redirect(found)
    context = {"sets": rows.defer("items"), "form": form, "problems": problems[:100], "more": max(0, len(problems) - 100)}
    return render(request, "interchange/sets.html", context, status=422 if problems or form.errors else 200)


@require_GET
@login_required
def question_set(request: HttpRequest, slug: str) -> HttpResponse:
    """One set: its questions, what did not carry over, its files."""
    found = get_object_or_404(own_sets(request), slug=slug)
    questions = [{"item": item, "word": WORDS[item.kind], "label": label(item)} for item in found.questions()]
    courses = Course.objects.filter(active=True).select_related("version") if person(request).is_staff else []
    files = [(form, word) for form, word in FILES.items() if form in services.WRITERS]
    context: dict[str, Any] = {"set": found, "questions": questions, "files": files, "courses": courses}
    return render(request, "interchange/set.html", context)


@require_POST
@login_required
def delete(request: HttpRequest, slug: str) -> HttpResponse:
    """Throw a set away.  A quiz that was made of it stays."""
    get_object_or_404(own_sets(request), slug=slug).delete()
    messages.success(request, _("The set is gone. Quizzes that were made of it stay."))
    return redirect("interchange:sets")


@require_POST
@login_required
def put_up(request: HttpRequest, slug: str) -> HttpResponse:
    """Make a set the quiz of a new chapter of a course; for those who run the site."""
    if not person(request).is_staff:
        raise Http404
    found = get_object_or_404(own_sets(request), slug=slug)
    course = get_object_or_404(Course, slug=request.POST.get("course", "").replace("\0", ""), active=True)
    try:
        quiz = services.put_up(found, course)
    except services.Refused as refused:
        for problem in refused.problems:
            messages.error(request, problem.reason)
        return redirect(found)
    messages.success(request, _("The quiz is up."))
    return redirect(quiz)


@require_GET
@login_required
def download(request: HttpRequest, slug: str, form: str) -> HttpResponse:
    """The set as a file."""
    found = get_object_or_404(own_sets(request), slug=slug)
    if form not in services.WRITERS:
        raise Http404
    written = services.write(found, form, (get_language() or "en").split("-")[0])
    answer = HttpResponse(written.content, content_type=written.content_type)
    answer["Content-Disposition"] = f'attachment; filename="{written.name}"'
    return answer
