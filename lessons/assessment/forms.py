"""Forms of quizzes and grades.  Times are the server's; an empty time is no limit."""

from __future__ import annotations

import itertools
from typing import Any, ClassVar

from django import forms
from django.utils.translation import gettext_lazy as _

from lessons.grading.models import Adjustment, GradeGroup
from lessons.models import Chapter, Cohort
from lessons.quizzes.models import Assignment, Extension
from lessons.quizzes.review import PARTS, PHASES


def _moment() -> forms.DateTimeInput:
    return forms.DateTimeInput(format="%Y-%m-%dT%H:%M", attrs={"type": "datetime-local", "class": "field"})


_NUMBER = {"class": "field"}


def _in_order(form: forms.BaseForm, data: dict[str, Any]) -> None:
    """Opening, due and closing follow each other."""
    names = ("opens_at", "due_at", "closes_at")
    given = [(name, data[name]) for name in names if data.get(name)]
    for (_first, before), (name, after) in itertools.pairwise(given):
        if after < before:
            form.add_error(name, _("This is before the time above it."))


class AssignmentForm(forms.ModelForm):  # type: ignore[type-arg]
    """The terms of a quiz for a cohort."""

    class Meta:
        model = Assignment
        fields = (
            *("opens_at", "due_at", "closes_at", "minutes", "attempts", "counts", "late", "late_percent", "late_most"),
            "access_code",
        )
        labels: ClassVar = {
            "opens_at": _("Opens"),
            "due_at": _("Due"),
            "closes_at": _("Closes"),
            "minutes": _("Minutes for an attempt"),
            "attempts": _("Attempts"),
            "counts": _("What counts"),
            "late": _("Work handed in late"),
            "late_percent": _("Percent that each day begun takes"),
            "late_most": _("At most this many percent"),
            "access_code": _("Access code"),
        }
        help_texts: ClassVar = {
            "minutes": _("Empty: no limit. The server's clock counts."),
            "attempts": _("0: any number. Empty: as the quiz says."),
            "access_code": _("Empty: none. Capitals and spaces do not count."),
        }
        widgets: ClassVar = {
            "opens_at": _moment(),
            "due_at": _moment(),
            "closes_at": _moment(),
            "minutes": forms.NumberInput(attrs={**_NUMBER, "min": 1, "max": 1440}),
            "attempts": forms.NumberInput(attrs={**_NUMBER, "min": 0, "max": 100}),
            "counts": forms.Select(attrs={"class": "field"}),
            "late": forms.Select(attrs={"class": "field"}),
            "late_percent": forms.NumberInput(attrs={**_NUMBER, "min": 0, "max": 100}),
            "late_most": forms.NumberInput(attrs={**_NUMBER, "min": 0, "max": 100}),
            "access_code": forms.TextInput(attrs={"class": "field mono", "autocomplete": "off"}),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        words = {
            "points": _("points"),
            "answers": _("their answers"),
            "marks": _("right or wrong"),
            "key": _("right answers"),
            "feedback": _("remarks"),
        }
        phases = {
            "submitted": _("after handing in"),
            "due": _("after the due date"),
            "closed": _("after closing"),
        }
        given = self.instance.review if self.instance and self.instance.pk else {}
        for phase in PHASES:
            self.fields[f"review_{phase}"] = forms.MultipleChoiceField(
                label=phases[phase],
                choices=[(part, words[part]) for part in PARTS],
                required=False,
                initial=given.get(phase, list(PARTS)),
                widget=forms.CheckboxSelectMultiple,
            )

    def _some(self, *names: str) -> list[forms.BoundField]:
        return [self[name] for name in names]

    @property
    def sections(self) -> list[tuple[Any, list[forms.BoundField]]]:
        """The fields but what is shown when, under their headings."""
        return [
            (_("When"), self._some("opens_at", "due_at", "closes_at")),
            (_("Attempts"), self._some("attempts", "counts", "minutes", "access_code")),
            (_("Work handed in after the due date"), self._some("late", "late_percent", "late_most")),
        ]

    @property
    def review_heads(self) -> list[Any]:
        """The phases of `review_rows` in words."""
        return [self.fields[f"review_{phase}"].label for phase in PHASES]

    @property
    def review_rows(self) -> list[tuple[str, list[Any]]]:
        """What is shown when, as a table: each part in words, with its box for each phase."""
        columns = [list(self[f"review_{phase}"]) for phase in PHASES]
        return [(str(boxes[0].choice_label), list(boxes)) for boxes in zip(*columns, strict=True)]

    def clean(self) -> dict[str, Any]:
        """Times in order, numbers within what makes sense."""
        data: dict[str, Any] = super().clean() or self.cleaned_data
        _in_order(self, data)
        for name, low, high in (("minutes", 1, 1440), ("late_percent", 0, 100), ("late_most", 0, 100), ("attempts", 0, 100)):
            if data.get(name) is not None and not low <= data[name] <= high:
                self.add_error(name, _("Between %(low)s and %(high)s.") % {"low": low, "high": high})
        return data

    def save(self, commit: bool = True) -> Assignment:
        """Keep the terms with what is shown when."""
        self.instance.review = {phase: self.cleaned_data[f"review_{phase}"] for phase in PHASES}
        found: Assignment = super().save(commit)
        return found


class QuizForm(forms.Form):
    """A quiz of a cohort's own."""

    title_ko = forms.CharField(
        label=_("Title in Korean"),
        max_length=120,
        required=False,
        widget=forms.TextInput(attrs={"class": "field", "autocomplete": "off", "lang": "ko"}),
    )
    title_en = forms.CharField(
        label=_("Title in English"),
        max_length=120,
        required=False,
        widget=forms.TextInput(attrs={"class": "field", "autocomplete": "off", "lang": "en"}),
        help_text=_("One of the two is enough; it then stands in both languages."),
    )
    chapter = forms.ModelChoiceField(
        label=_("Chapter"), queryset=Chapter.objects.none(), empty_label=None, widget=forms.Select(attrs={"class": "field"})
    )
    minutes = forms.IntegerField(
        label=_("Estimated minutes"),
        min_value=1,
        max_value=240,
        initial=15,
        widget=forms.NumberInput(attrs={**_NUMBER, "min": 1, "max": 240}),
    )

    def __init__(self, *args: Any, cohort: Cohort, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["chapter"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = cohort.course.chapters.filter(active=True).select_related("version").order_by("number")
        field.label_from_instance = lambda chapter: f"{chapter.number} {chapter.title}"  # type: ignore[method-assign,assignment]

    def clean(self) -> dict[str, Any]:
        """A title in one language at least."""
        data: dict[str, Any] = super().clean() or self.cleaned_data
        if not data.get("title_ko") and not data.get("title_en"):
            self.add_error("title_ko", _("A quiz needs a title."))
        return data

    @property
    def title(self) -> dict[str, str]:
        """In both languages."""
        ko, en = self.cleaned_data["title_ko"], self.cleaned_data["title_en"]
        return {"ko": ko or en, "en": en or ko}


class ExtensionForm(forms.ModelForm):  # type: ignore[type-arg]
    """What one learner is granted."""

    class Meta:
        model = Extension
        fields = ("extra_minutes", "extra_attempts", "opens_at", "due_at", "closes_at", "reason")
        labels: ClassVar = {
            "opens_at": _("Opens"),
            "due_at": _("Due"),
            "closes_at": _("Closes"),
            "extra_minutes": _("Minutes more"),
            "extra_attempts": _("Attempts more"),
            "reason": _("Reason"),
        }
        widgets: ClassVar = {
            "opens_at": _moment(),
            "due_at": _moment(),
            "closes_at": _moment(),
            "extra_minutes": forms.NumberInput(attrs={**_NUMBER, "min": 0, "max": 1440}),
            "extra_attempts": forms.NumberInput(attrs={**_NUMBER, "min": 0, "max": 100}),
            "reason": forms.TextInput(attrs={"class": "field", "autocomplete": "off"}),
        }

    def clean(self) -> dict[str, Any]:
        """Times in order."""
        data: dict[str, Any] = super().clean() or self.cleaned_data
        _in_order(self, data)
        return data


class AdjustForm(forms.Form):
    """A grade set by hand, excused, or given back to the computation."""

    kind = forms.ChoiceField(
        label=_("Grade"),
        choices=[("", _("as computed")), *Adjustment.Kind.choices],
        required=False,
        widget=forms.Select(attrs={"class": "field"}),
    )
    points = forms.FloatField(
        label=_("Points"), required=False, min_value=0, widget=forms.NumberInput(attrs={"class": "field", "step": "any"})
    )
    reason = forms.CharField(
        label=_("Reason"),
        max_length=500,
        widget=forms.TextInput(attrs={"class": "field", "autocomplete": "off"}),
        help_text=_("The learner reads it."),
    )

    def __init__(self, *args: Any, most: float = 0, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.most = most

    def clean(self) -> dict[str, Any]:
        """Points go with a grade that is set by hand, and only with that."""
        data: dict[str, Any] = super().clean() or self.cleaned_data
        if data.get("kind") == Adjustment.Kind.OVERRIDE:
            if data.get("points") is None:
                self.add_error("points", _("How many points?"))
            elif data["points"] > 10 * self.most:
                self.add_error("points", _("That is more than ten times what there is."))
        else:
            data["points"] = None
        return data


class ReasonForm(forms.Form):
    """Why something is done."""

    reason = forms.CharField(
        label=_("Reason"), max_length=500, widget=forms.TextInput(attrs={"class": "field", "autocomplete": "off"})
    )


class RegradeForm(ReasonForm):
    """Why work is marked again, and what of it."""

    question = forms.ChoiceField(label=_("Questions"), required=False)
    everything = forms.BooleanField(label=_("Also run answers given in a cluster again"), required=False)

    def __init__(self, *args: Any, questions: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["question"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [("", _("all questions")), *((slug, slug) for slug in questions)]


class GroupForm(forms.ModelForm):  # type: ignore[type-arg]
    """A group of items that count together."""

    class Meta:
        model = GradeGroup
        fields = ("name", "weight", "drop_lowest")
        labels: ClassVar = {"name": _("Name"), "weight": _("Weight"), "drop_lowest": _("Lowest that are dropped")}
        widgets: ClassVar = {
            "name": forms.TextInput(attrs={"class": "field", "autocomplete": "off"}),
            "weight": forms.NumberInput(attrs={"class": "field", "min": 0, "step": "any"}),
            "drop_lowest": forms.NumberInput(attrs={"class": "field", "min": 0}),
        }
