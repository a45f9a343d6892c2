"""URLs.  Pages carry their language (`/ko/…`, `/en/…`); machines' addresses do not."""

from __future__ import annotations

from allauth.account.decorators import secure_admin_login
from django.conf.urls.i18n import i18n_patterns
from django.contrib import admin
from django.urls import include, path

from lessons.api.site import api
from lessons.badges.views import verify

# The admin's own log-in knows no rate limits and no second factor: it is the site's log-in instead.
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]

urlpatterns = [
    path("i18n/", include("django.conf.urls.i18n")),
    path("api/v1/", api.urls),
    path("lti/", include("lessons.lti.urls")),
    path("badges/", include("lessons.badges.urls")),
    path("clusters/", include("simulator.urls")),
    *i18n_patterns(
        path("accounts/", include("allauth.urls")),
        path("admin/", admin.site.urls),
        path("interchange/", include("lessons.interchange.urls")),
        path("badges/verify/", verify, name="badge-verify"),
        path("api-tokens/", include("lessons.api.urls")),
        path("", include("lessons.urls")),
        prefix_default_language=True,
    ),
]
