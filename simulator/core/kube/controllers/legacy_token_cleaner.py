"""Marks token Secrets that were made for accounts by old clusters and that nobody uses, and deletes them a year later
(pkg/controller/serviceaccount/legacy_serviceaccount_token_cleaner.go)."""

from __future__ import annotations

from ...kernel import clock
from ..api.objects import Obj, annotations_of, labels_of
from ..client import ApiError
from ..component import duration
from .base import Controller
from .serviceaccount_token import NAME, TYPE, UID

LAST_USED, INVALID_SINCE = "kubernetes.io/legacy-token-last-used", "kubernetes.io/legacy-token-invalid-since"
TRACKING = "kube-apiserver-legacy-service-account-token-tracking"
DAY = 24 * clock.HOUR


def _date(text: str) -> int | None:
    """Unix nanoseconds of a date such as 2026-11-23, or None."""
    try:
        return clock.parse_rfc3339(f"{text}T00:00:00Z") if len(text) == 10 else None
    except ValueError:
        return None


class LegacyTokenCleaner(Controller):
    """Looks once a day."""

    name = "legacy-serviceaccount-token-cleaner-controller"
    source = "legacy-service-account-token-cleaner"
    resources = ("serviceaccounts", "secrets", "pods")
    period = DAY

    def tick(self) -> None:
        """Mark or delete what has not been used for `--legacy-service-account-token-clean-up-period` (a year)."""
        legacy = [s for s in self.informer("secrets").list() if s.get("type") == TYPE]
        if not legacy:
            return
        period = duration(self.flags, "legacy-service-account-token-clean-up-period", 365 * DAY)
        since = _date((self.client.get("configmaps", "kube-system", TRACKING).get("data") or {}).get("since") or "")
        if since is None or self.world.wall < since + DAY + period:
            return
        for secret in legacy:
            self._look(secret, self.world.wall - period)

    def _look(self, secret: Obj, limit: int) -> None:
        meta, labels = secret["metadata"], labels_of(secret)
        oldest = clock.rfc3339(limit)[:10]
        if meta.get("deletionTimestamp") or clock.parse_rfc3339(meta["creationTimestamp"]) >= limit:
            return
        used = labels.get(LAST_USED)
        if used is not None and (_date(used) is None or used >= oldest):
            return
        notes = annotations_of(secret)
        account = self.informer("serviceaccounts").get(meta["namespace"], notes.get(NAME) or "")
        if account is None or notes.get(UID) not in (None, "", account["metadata"]["uid"]):
            return
        if not any(item.get("name") == meta["name"] for item in account.get("secrets") or ()) or self._mounted(secret):
            return
        marked = labels.get(INVALID_SINCE) or ""
        try:
            if _date(marked) is None:
                today = clock.rfc3339(self.world.wall)[:10]
                patch = {"metadata": {"uid": meta["uid"], "labels": {INVALID_SINCE: today}}}
                self.client.patch("secrets", meta["namespace"], meta["name"], patch, kind="merge")
            elif marked < oldest:
                version = meta["resourceVersion"]
                self.client.delete("secrets", meta["namespace"], meta["name"], resource_version=version)
        except ApiError as error:
            if error.code not in (404, 409):
                raise

    def _mounted(self, secret: Obj) -> bool:
        name = secret["metadata"]["name"]
        pods = self.informer("pods").list(secret["metadata"]["namespace"])
        return any((v.get("secret") or {}).get("secretName") == name for p in pods for v in p["spec"].get("volumes") or ())
