"""The sign-in form: allauth's, with a label that says what to type."""

from __future__ import annotations

from typing import Any

from allauth.account.forms import LoginForm as AllauthLoginForm
from django.utils.translation import gettext_lazy as _


class LoginForm(AllauthLoginForm):  # type: ignore[misc]
    """allauth calls the first field "Login" and explains it in a placeholder, which is gone once somebody types (WCAG 2.2, 3.3.2)."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["login"].label = _("User name or e-mail address")
        for field in self.fields.values():
            field.widget.attrs.pop("placeholder", None)
