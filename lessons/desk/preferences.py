"""What people set for themselves: the name on their certificates, and their time zone."""

from __future__ import annotations

import unicodedata
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from lessons.desk import zones
from lessons.desk.models import Preference
from lessons.permissions import person


class PreferenceForm(forms.Form):
    """A name as it is written where somebody lives, and a zone."""

    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=120,
        required=False,
        help_text=gettext_lazy("It stands on your certificates and beside your user name in the lists of your cohorts’ staff."),
        widget=forms.TextInput(attrs={"class": "field", "autocomplete": "name"}),
    )
    own_zone = forms.ChoiceField(label=gettext_lazy("Time zone"), required=False, widget=forms.Select(attrs={"class": "field"}))

    def __init__(self, *args: Any, browser: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["own_zone"]
        assert isinstance(field, forms.ChoiceField)
        browsers = _("as my browser says (%(zone)s)") % {"zone": browser} if browser else _("as my browser says")
        field.choices = [("", browsers), *((name, name.replace("_", " ")) for name in zones.names())]

    def clean_name(self) -> str:
        """On one line, composed, without characters that cannot be seen."""
        text = unicodedata.normalize("NFC", self.cleaned_data["name"])
        return " ".join("".join(char for char in text if char.isprintable()).split())


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def preferences(request: HttpRequest) -> HttpResponse:
    """One's name and time zone."""
    user = person(request)
    kept = Preference.objects.filter(user=user).first()
    initial = {"name": user.get_full_name(), "own_zone": kept.zone if kept else ""}
    form = PreferenceForm(request.POST or None, initial=initial, browser=zones.of_browser(request))
    if request.method == "POST" and form.is_valid():
        if form.cleaned_data["name"] != user.get_full_name():
            user.first_name, user.last_name = form.cleaned_data["name"], ""
            user.save(update_fields=["first_name", "last_name"])
        zones.choose(request, user, form.cleaned_data["own_zone"])
        messages.success(request, _("Saved."))
        return redirect("lessons:preferences")
    context = {"form": form, "now": timezone.now()}
    return render(request, "desk/preferences.html", context, status=422 if request.method == "POST" else 200)
