"""What platforms and their people reach: log-in, launch, keys, choosing content; and staff's page of platforms."""

from __future__ import annotations

import secrets
import time
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login as log_in
from django.contrib.auth.decorators import login_required
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.clickjacking import xframe_options_exempt
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from lessons.grading.progress import outline
from lessons.lti import grades, keys, mapping, registration
from lessons.lti.launch import CLAIM, DEEP, Refused, begin, finish
from lessons.lti.models import Context, Platform, RegistrationLink
from lessons.models import Course
from lessons.outbox import http
from lessons.outbox import services as outbox
from lessons.outbox.models import Delivery
from lessons.permissions import person

COOKIE = "slipway_lti"
BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


def absolute(request: HttpRequest, name: str) -> str:
    """An address of ours as platforms know it."""
    return request.build_absolute_uri(reverse(f"lti:{name}"))


def refuse(request: HttpRequest, error: Exception) -> HttpResponse:
    """A page that says why."""
    return render(request, "lti/refused.html", {"reason": str(error)}, status=403)


@csrf_exempt
@require_http_methods(["GET", "POST"])
def login(request: HttpRequest) -> HttpResponse:
    """A platform begins a log-in; the browser is sent on to it."""
    given = request.POST if request.method == "POST" else request.GET
    try:
        made, address = begin({name: str(value) for name, value in given.items()}, absolute(request, "launch"))
    except Refused as refused:
        return refuse(request, refused)
    answer = HttpResponse(status=302, headers={"Location": address})
    # The answer is posted from the platform's page, so the cookie has to come along from there.
    cross: Literal["None", "Lax"] = "None" if settings.HTTPS else "Lax"
    answer.set_cookie(
        COOKIE, made.state, max_age=600, secure=settings.HTTPS, httponly=True, samesite=cross, path=reverse("lti:launch")
    )
    return answer


@csrf_exempt
@require_POST
def launch(request: HttpRequest) -> HttpResponse:
    """The platform's answer: somebody opens content, or chooses some."""
    try:
        found = finish(request.POST.get("state", ""), request.COOKIES.get(COOKIE, ""), request.POST.get("id_token", ""))
        user = mapping.user_of(found.platform, found.claims["sub"], found.claims)
        if not user.is_active:
            raise Refused("this account is closed")
        if found.is_deep_linking:
            choice = _choice(found)
            log_in(request, user, backend=BACKEND)
            request.session["lti_choice"] = choice
            return redirect("lti:choose")
        target = mapping.wanted(found)
        link = mapping.enter(found, user, target)
    except Refused as refused:
        return refuse(request, refused)
    log_in(request, user, backend=BACKEND)
    if link is not None:
        grades.tell_again(link, user.pk)
    answer = redirect(target.get_absolute_url())
    answer.delete_cookie(COOKIE, path=reverse("lti:launch"))
    return answer


def _choice(found: Any) -> dict[str, Any]:
    """What has to be known to answer a deep-linking request."""
    wish = found.claims.get(DEEP + "deep_linking_settings")
    address = str(wish.get("deep_link_return_url") or "") if isinstance(wish, dict) else ""
    if mapping.role_of(found.claims.get(CLAIM + "roles")) == "learner":
        raise Refused("only who teaches chooses content")
    if (
        not address.startswith(("https://", "http://"))
        or not isinstance(wish, dict)
        or "ltiResourceLink" not in (wish.get("accept_types") or [])
    ):
        raise Refused("the platform does not take links")
    return {
        "platform": found.platform.pk, "deployment": found.deployment, "return": address, "data": wish.get("data"),
        "several": bool(wish.get("accept_multiple", False)),
    }  # fmt: skip


@login_required
def choose(request: HttpRequest) -> HttpResponse:
    """Lessons, exercises and quizzes to choose from; then the signed answer, sent by a form."""
    choice = request.session.get("lti_choice")
    if not choice:
        raise Http404
    platform = get_object_or_404(Platform, pk=choice["platform"], active=True)
    names = request.POST.getlist("target")[: 50 if choice["several"] else 1]
    targets = [target for target in map(mapping.find_target, names) if target is not None]
    if request.method == "POST" and targets:
        del request.session["lti_choice"]
        token = keys.sign(_answer(request, platform, choice, targets))
        parts = urlsplit(choice["return"])
        answer = render(request, "lti/send.html", {"address": choice["return"], "token": token, "platform": platform})
        answer._csp_update = {"form-action": f"{parts.scheme}://{parts.netloc}"}  # type: ignore[attr-defined]
        return answer
    shown = [_offered(course) for course in Course.objects.filter(active=True).select_related("version")]
    context = {"courses": shown, "several": choice["several"], "platform": platform, "missing": request.method == "POST"}
    return render(request, "lti/choose.html", context)


def _offered(course: Course) -> dict[str, Any]:
    """A course with everything in it that can be linked to, in order."""
    found: list[mapping.Target] = []
    for chapter in outline(course).chapters:
        for row in chapter.lessons:
            found += [row.lesson, *row.exercises]
        found += [chapter.quiz] if chapter.quiz else []
    return {"course": course, "rows": [(mapping.target_name(target), target) for target in found]}


def _answer(request: HttpRequest, platform: Platform, choice: dict[str, Any], targets: list[Any]) -> dict[str, Any]:
    now = int(time.time())
    items = []
    for target in targets:
        item: dict[str, Any] = {
            "type": "ltiResourceLink", "title": target.title, "url": absolute(request, "launch"),
            "custom": {"slipway_target": mapping.target_name(target)},
        }  # fmt: skip
        if (most := most_points(target)) is not None:
            item["lineItem"] = {"scoreMaximum": most, "label": target.title, "resourceId": mapping.target_name(target)}
        items.append(item)
    claims = {
        "iss": platform.client_id, "aud": [platform.issuer], "iat": now, "exp": now + 300, "nonce": secrets.token_urlsafe(24),
        CLAIM + "deployment_id": choice["deployment"], CLAIM + "message_type": "LtiDeepLinkingResponse", CLAIM + "version": "1.3.0",
        DEEP + "content_items": items,
    }  # fmt: skip
    return claims | ({DEEP + "data": choice["data"]} if choice.get("data") is not None else {})


def most_points(target: Any) -> float | None:
    """What there is to earn, or None for what is not graded."""
    name = mapping.target_name(target)
    if name.startswith("exercise:"):
        return float(target.data.get("points", 10))
    if name.startswith("quiz:"):
        return sum(float(question.get("points", 1)) for question in target.data.get("questions", [])) or None
    return None


@require_GET
def jwks(request: HttpRequest) -> HttpResponse:
    """Our public keys."""
    return JsonResponse(keys.published(), headers={"Cache-Control": "public, max-age=300"})


@xframe_options_exempt
@require_GET
def register(request: HttpRequest, secret: str) -> HttpResponse:
    """A platform's administrator has opened a registration link there: register, say so, and have the window closed."""
    address = request.GET.get("openid_configuration", "")
    ours = {name: absolute(request, name) for name in ("login", "launch", "jwks")}
    try:
        made = registration.register(secret, address, request.GET.get("registration_token", ""), ours)
        answer = render(request, "lti/registered.html", {"platform": made})
        origin = urlsplit(made.issuer)
        # platforms show this page in a frame of theirs, and wait for its message
        answer._csp_replace = {"frame-ancestors": f"{origin.scheme}://{origin.netloc}"}  # type: ignore[attr-defined]
    except Refused as refused:
        answer = refuse(request, refused)
    return answer


if TYPE_CHECKING:
    _PlatformForm = forms.ModelForm[Platform]
else:
    _PlatformForm = forms.ModelForm

# -- staff ----------------------------------------------------------------------------------------------------------------------


class PlatformForm(_PlatformForm):
    """A platform, as its administrators say it."""

    deployments = forms.CharField(
        label=gettext_lazy("Deployments"),
        help_text=gettext_lazy("Deployment IDs, separated by spaces."),
        widget=forms.TextInput(attrs={"class": "field"}),
    )

    issuer = forms.URLField(label=gettext_lazy("Issuer"), max_length=255, assume_scheme="https")
    auth_url = forms.URLField(label=gettext_lazy("Authentication address"), max_length=500, assume_scheme="https")
    token_url = forms.URLField(label=gettext_lazy("Access token address"), max_length=500, assume_scheme="https")
    jwks_url = forms.URLField(label=gettext_lazy("Key set address"), max_length=500, assume_scheme="https")

    class Meta:
        model = Platform
        fields = ("name", "issuer", "client_id", "auth_url", "token_url", "jwks_url")
        labels = {"name": gettext_lazy("Name"), "client_id": gettext_lazy("Client ID")}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.widget.attrs["class"] = "field"

    def clean(self) -> dict[str, Any]:
        """Addresses that the site asks by itself have to be allowed."""
        cleaned: dict[str, Any] = super().clean() or {}
        for name in ("token_url", "jwks_url"):
            try:
                http.check(cleaned.get(name) or "")
            except http.Refused as refused:
                if name in cleaned:
                    self.add_error(name, str(refused))
        return cleaned


@login_required
def platforms(request: HttpRequest) -> HttpResponse:
    """All platforms, the form for another, and the queue of grades.  For those who run the site."""
    if not person(request).is_staff:
        raise Http404
    form = PlatformForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        made = form.save(commit=False)
        made.deployments = form.cleaned_data["deployments"].split()
        made.save()
        messages.success(request, _("The platform is registered."))
        return redirect("lti:platforms")
    chosen = request.GET.get("lang", "")
    if chosen in dict(settings.LANGUAGES):
        # the address has no language (documentation and platforms' people keep it): the choice is kept as Django's own form keeps it
        answer = redirect("lti:platforms")
        answer.set_cookie(
            settings.LANGUAGE_COOKIE_NAME,
            chosen,
            max_age=settings.LANGUAGE_COOKIE_AGE,
            path=settings.LANGUAGE_COOKIE_PATH,
            secure=settings.LANGUAGE_COOKIE_SECURE,
            samesite=settings.LANGUAGE_COOKIE_SAMESITE,
        )
        return answer
    queue = Delivery.objects.filter(channel="ags").exclude(done_at__isnull=False).order_by("-id")[:100]
    ours = [
        (word, absolute(request, name))
        for word, name in ((_("Log-in address"), "login"), (_("Launch address"), "launch"), (_("Key set address"), "jwks"))
    ]
    contexts = Context.objects.exclude(memberships_url="").select_related("platform", "cohort")
    context = {"platforms": Platform.objects.all(), "form": form, "queue": queue, "ours": ours, "contexts": contexts}
    return render(request, "lti/platforms.html", context)


@require_POST
@login_required
def act(request: HttpRequest) -> HttpResponse:
    """What staff does on that page: switch a platform, try grades again, fetch a roster, rotate the keys."""
    if not person(request).is_staff:
        raise Http404
    what, pk = request.POST.get("what", ""), request.POST.get("pk", "0")
    number = int(pk) if pk.isdecimal() and len(pk) < 16 else 0
    if what == "switch":
        found = get_object_or_404(Platform, pk=number)
        Platform.objects.filter(pk=number).update(active=not found.active)
    elif what == "again":
        outbox.again(Q(channel="ags") if not number else Q(pk=number, channel="ags"))
    elif what == "deployment":
        found = get_object_or_404(Platform, pk=number)
        word = request.POST.get("deployment", "").strip()[:255]
        if word and word not in found.deployments:
            Platform.objects.filter(pk=number).update(deployments=[*found.deployments, word])
    elif what == "link":
        secret = RegistrationLink.make(person(request).pk)
        address = request.build_absolute_uri(reverse("lti:register", args=[secret]))
        messages.success(
            request, _("Give this address to the platform; it registers once, within a day: %(address)s") % {"address": address}
        )
    elif what == "rotate":
        keys.rotate()
        messages.success(request, _("A new key signs from now on."))
    elif what == "roster":
        try:
            new = grades.fetch_roster(get_object_or_404(Context, pk=number))
            messages.success(request, _("New members: %(count)s") % {"count": new})
        except (http.Refused, http.Unreachable) as error:
            messages.error(request, _("The roster could not be fetched: %(reason)s") % {"reason": error})
    return redirect("lti:platforms")
