"""One's own API tokens: made with scopes, shown once, revoked."""

from __future__ import annotations

import datetime
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from lessons.api.models import Token
from lessons.permissions import person

#: The most tokens that somebody may hold at once.
MOST = 20
_WORDS = {
    "courses:read": gettext_lazy("Courses with their chapters, lessons, exercises and quizzes"),
    "cohorts:read": gettext_lazy("Cohorts in which you are staff, and their members"),
    "progress:read": gettext_lazy("Progress: your own, and of learners in those cohorts"),
    "grades:read": gettext_lazy("Grades: your own, and of learners in those cohorts"),
    "clusters:read": gettext_lazy("Clusters and transcripts: your own, and of learners in those cohorts, of their course"),
    "webhooks": gettext_lazy("Webhooks of cohorts in which you are owner or instructor"),
}


class TokenForm(forms.Form):
    """What a token is for, and for how long."""

    name = forms.CharField(
        label=gettext_lazy("Name"), max_length=80, help_text=gettext_lazy("Which program will use it."),
        widget=forms.TextInput(attrs={"class": "field", "autocomplete": "off"}),
    )  # fmt: skip
    scopes = forms.MultipleChoiceField(
        label=gettext_lazy("It may read"), choices=list(_WORDS.items()), widget=forms.CheckboxSelectMultiple
    )
    days = forms.TypedChoiceField(
        label=gettext_lazy("It ends"), coerce=int, initial=90, widget=forms.Select(attrs={"class": "field"}),
        choices=[(30, gettext_lazy("in 30 days")), (90, gettext_lazy("in 90 days")), (365, gettext_lazy("in a year")), (0, gettext_lazy("never"))],
    )  # fmt: skip


@login_required
@never_cache
def tokens(request: HttpRequest) -> HttpResponse:
    """The list, the form, and after it the new token, which is not shown again."""
    user = person(request)
    form = TokenForm(request.POST or None)
    held = [one for one in Token.objects.filter(user=user, revoked_at=None) if one.live]
    secret = ""
    if request.method == "POST" and form.is_valid():
        if len(held) >= MOST:
            form.add_error(None, _("There are %(most)s tokens already; revoke one first.") % {"most": MOST})
        else:
            days = form.cleaned_data["days"]
            ends: dict[str, Any] = {"expires_at": timezone.now() + datetime.timedelta(days=days)} if days else {}
            made, secret = Token.make(user.pk, form.cleaned_data["name"], form.cleaned_data["scopes"], **ends)
            held, form = [made, *held], TokenForm()
    return render(request, "api/tokens.html", {"form": form, "tokens": held, "secret": secret, "words": _WORDS})


@require_POST
@login_required
def revoke(request: HttpRequest, pk: int) -> HttpResponse:
    """It opens nothing from now on."""
    if Token.objects.filter(pk=pk, user=person(request), revoked_at=None).update(revoked_at=timezone.now()):
        messages.success(request, _("The token is revoked."))
    return redirect("tokens:list")
