"""Sign-in at social providers, by settings: which, with which clients, and where their forms lead (allauth's `socialaccount`)."""

from __future__ import annotations

from typing import Any

from . import environment

#: Name in SOCIAL_PROVIDERS: the origin that its button leads to, and what is asked of it.
KNOWN: dict[str, tuple[str, dict[str, Any]]] = {
    "github": ("https://github.com", {"SCOPE": ["read:user", "user:email"]}),
    "gitlab": ("https://gitlab.com", {"SCOPE": ["read_user"]}),
    "google": ("https://accounts.google.com", {"SCOPE": ["profile", "email"], "AUTH_PARAMS": {"access_type": "online"}}),
    "kakao": ("https://kauth.kakao.com", {}),
    "microsoft": ("https://login.microsoftonline.com", {"SCOPE": ["User.Read"]}),
    "naver": ("https://nid.naver.com", {}),
}


def chosen() -> dict[str, dict[str, Any]]:
    """What SOCIAL_PROVIDERS names, as `SOCIALACCOUNT_PROVIDERS` takes it; a name or a client that is missing stops the start."""
    found: dict[str, dict[str, Any]] = {}
    for name in environment.words("SOCIAL_PROVIDERS"):
        if name not in KNOWN:
            raise environment.BadSetting(f"SOCIAL_PROVIDERS: {name}: must be of {', '.join(KNOWN)}")
        client, secret = (environment.text(f"{name.upper()}_CLIENT_{word}") for word in ("ID", "SECRET"))
        if not client or not secret:
            raise environment.BadSetting(
                f"SOCIAL_PROVIDERS: {name}: {name.upper()}_CLIENT_ID and {name.upper()}_CLIENT_SECRET are needed"
            )
        found[name] = {**KNOWN[name][1], "APPS": [{"client_id": client, "secret": secret}], "VERIFIED_EMAIL": False}
    return found


def applications(providers: dict[str, dict[str, Any]]) -> list[str]:
    """The Django applications of the chosen ones."""
    return [f"allauth.socialaccount.providers.{name}" for name in providers]


def origins(providers: dict[str, dict[str, Any]]) -> list[str]:
    """Where their buttons lead, for the content policy."""
    return [KNOWN[name][0] for name in providers]
