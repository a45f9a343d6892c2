"""The language of a WebSocket's messages: `?lang=`, else the language cookie, else what the browser prefers."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs

from django.conf import settings
from django.utils import translation
from django.utils.translation.trans_real import parse_accept_lang_header


def language_of(scope: dict[str, Any]) -> str:
    """One of `settings.LANGUAGES`."""
    headers = dict(scope.get("headers", ()))
    asked = parse_qs(scope.get("query_string", b"").decode("latin1")).get("lang", [])
    cookie = scope.get("cookies", {}).get(settings.LANGUAGE_COOKIE_NAME)
    accepted = [code for code, _weight in parse_accept_lang_header(headers.get(b"accept-language", b"").decode("latin1"))]
    for code in (*asked, *([cookie] if cookie else []), *accepted):
        try:
            return translation.get_supported_language_variant(code)
        except LookupError:
            continue
    return str(settings.LANGUAGE_CODE)
