"""The CronJob controller: a Job each time the schedule comes round (pkg/controller/cronjob/cronjob_controllerv2.go).

Time zones other than UTC need the zone database and are not simulated in Slipway yet; such a CronJob says so in an Event.
"""

from __future__ import annotations

import datetime as dt

from ...kernel import clock
from ..api.cronspec import Schedule, zone_of
from ..api.objects import Obj, annotations_of, condition, controller_of, key_of, labels_of, owner_reference, split_key
from ..client import ApiError
from .base import Controller
from .job import is_finished

#: Schedules are looked at a little after the minute (nextScheduleDelta).
DELTA = 100 * clock.MS
SCHEDULED_AT = "batch.kubernetes.io/cronjob-scheduled-timestamp"
#: Above so many missed times a CronJob is warned of.
MANY = 100


def since(cron: Obj, status: Obj, now: dt.datetime) -> dt.datetime:
    """The time after which runs may be due: the last one, or the creation, but no longer ago than the starting deadline."""
    last = clock.to_datetime(clock.parse_rfc3339(status.get("lastScheduleTime") or cron["metadata"]["creationTimestamp"]))
    limit = cron["spec"].get("startingDeadlineSeconds")
    return last if limit is None else max(last, now - dt.timedelta(seconds=limit))


def latest(after: dt.datetime, now: dt.datetime, schedule: Schedule) -> tuple[dt.datetime | None, int]:
    """(the latest time that came after `after`, about how many did); raises ValueError for a schedule that never comes true.

    The number is reckoned from the first interval, so that a clock that was years off costs nothing (`mostRecentScheduleTime`).
    """
    first = schedule.after(after)
    if first is None:
        raise ValueError("time difference between two schedules is less than 1 second")
    if now < first:
        return None, 0
    second = schedule.after(first)
    if second is None or now < second:
        return first, 0
    between = round((second - first).total_seconds())
    missed = int((now - first).total_seconds()) // between + 1
    due, at = None, schedule.after(first + dt.timedelta(seconds=(missed - 2) * between))
    while at is not None and at <= now:
        due, at = at, schedule.after(at)
    return due, missed


class CronJobController(Controller):
    """Keys are CronJobs."""

    name = "cronjob-controller"
    source = "cronjob-controller"
    resources = ("cronjobs", "jobs")

    def changed(self, resource: str, kind: str, obj: Obj) -> None:
        """A CronJob or one of its Jobs changed."""
        if resource == "cronjobs":
            self.enqueue(key_of(obj))
            return
        ref = controller_of(obj)
        if ref is not None and ref.get("kind") == "CronJob":
            self.enqueue(f"{obj['metadata']['namespace']}/{ref['name']}")

    def sync(self, key: str) -> None:
        """Follow one CronJob's Jobs, clean up, start what is due, and come back for the next time."""
        namespace, name = split_key(key)
        cron = self.informer("cronjobs").get(namespace, name)
        if cron is None:
            return
        jobs = self.informer("jobs").by_owner(cron["metadata"]["uid"])
        status: Obj = {**(cron.get("status") or {})}
        self._follow(cron, status, jobs)
        self._history(cron, jobs)
        if not cron["metadata"].get("deletionTimestamp") and not cron["spec"].get("suspend"):
            self._schedule(cron, status, key)
        if not status.get("active"):
            status.pop("active", None)
        if status != (cron.get("status") or {}):
            self.client.update("cronjobs", {**cron, "status": status}, subresource="status")

    def _follow(self, cron: Obj, status: Obj, jobs: list[Obj]) -> None:
        active = list(status.get("active") or [])
        known = {ref["uid"] for ref in active}
        for job in jobs:
            name, uid = job["metadata"]["name"], job["metadata"]["uid"]
            done = is_finished(job)
            if uid not in known and not done:
                self.event(cron, "Warning", "UnexpectedJob", f"Saw a job that the controller did not create or forgot: {name}")
            elif uid in known and done:
                kind = "Complete" if (condition(job, "Complete") or {}).get("status") == "True" else "Failed"
                active = [ref for ref in active if ref["uid"] != uid]
                self.event(cron, "Normal", "SawCompletedJob", f"Saw completed job: {name}, condition: {kind}")
            completed = (job.get("status") or {}).get("completionTime")
            if done and completed and completed > (status.get("lastSuccessfulTime") or ""):
                status["lastSuccessfulTime"] = completed
        present = {job["metadata"]["uid"] for job in jobs}
        for ref in [r for r in active if r["uid"] not in present]:
            active.remove(ref)
            self.event(cron, "Normal", "MissingJob", f"Active job went missing: {ref['name']}")
        status["active"] = active

    def _history(self, cron: Obj, jobs: list[Obj]) -> None:
        for kind, field, default in (("Complete", "successfulJobsHistoryLimit", 3), ("Failed", "failedJobsHistoryLimit", 1)):
            done = [j for j in jobs if (condition(j, kind) or {}).get("status") == "True"]
            done.sort(key=lambda j: ((j.get("status") or {}).get("startTime") or "", j["metadata"]["name"]))
            limit = cron["spec"].get(field, default)
            for job in done[: max(0, len(done) - limit)]:
                self._delete(cron, job)

    def _delete(self, cron: Obj, job: Obj) -> None:
        try:
            self.client.delete("jobs", job["metadata"]["namespace"], job["metadata"]["name"], propagation="Background")
        except ApiError as error:
            self.event(cron, "Warning", "FailedDelete", f"Deleted job: {error}")
            raise
        self.event(cron, "Normal", "SuccessfulDelete", f"Deleted job {job['metadata']['name']}")

    # -- time ------------------------------------------------------------------------------------------------------------
    def _schedule(self, cron: Obj, status: Obj, key: str) -> None:
        try:
            zone = zone_of(cron["spec"].get("timeZone"))
        except ValueError as error:
            self.event(cron, "Warning", "UnknownTimeZone", f'invalid timeZone: "{cron["spec"]["timeZone"]}": {error}')
            return
        text = cron["spec"]["schedule"]
        try:
            schedule = Schedule(text, zone)
        except ValueError as error:
            self.event(cron, "Warning", "UnparseableSchedule", f'unparseable schedule: "{text}" : {error}')
            return
        now = clock.to_datetime(self.world.wall)
        try:
            due, missed = latest(since(cron, status, now), now, schedule)
        except ValueError as error:
            self.event(cron, "Warning", "InvalidSchedule", f"invalid schedule: {text} : {error}")
            return
        if missed > MANY:
            advice = "too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew"
            self.event(cron, "Warning", "TooManyMissedTimes", advice)
        if due is not None:
            self._start(cron, status, due, now)
        upcoming = schedule.after(now)
        if upcoming is not None:
            wait = int((upcoming - now).total_seconds() * 1000) * clock.MS
            self.enqueue(key, wait + DELTA)

    def _start(self, cron: Obj, status: Obj, due: dt.datetime, now: dt.datetime) -> None:
        policy = cron["spec"].get("concurrencyPolicy", "Allow")
        if status.get("active") and policy == "Forbid":
            text = "Not starting job because prior execution is running and concurrency policy is Forbid"
            self.event(cron, "Normal", "JobAlreadyActive", text)
            return
        if policy == "Replace":
            for ref in status.get("active") or []:
                job = self.informer("jobs").get(cron["metadata"]["namespace"], ref["name"])
                if job is not None:
                    self._delete(cron, job)
            status["active"] = []
        stamp = due.strftime("%Y-%m-%dT%H:%M:%SZ")
        template = cron["spec"]["jobTemplate"]
        meta: Obj = {
            "name": f"{cron['metadata']['name']}-{int(due.timestamp()) // 60}",
            "namespace": cron["metadata"]["namespace"],
        }
        meta["annotations"] = {**annotations_of(template), SCHEDULED_AT: stamp}
        if labels_of(template):
            meta["labels"] = dict(labels_of(template))
        meta["ownerReferences"] = [owner_reference(cron)]
        body = {"apiVersion": "batch/v1", "kind": "Job", "metadata": meta, "spec": template["spec"]}
        try:
            made = self.client.create("jobs", meta["namespace"], body)
            self.event(cron, "Normal", "SuccessfulCreate", f"Created job {made['metadata']['name']}")
        except ApiError as error:
            if "being terminated" in error.message:
                return
            if error.reason != "AlreadyExists":
                self.event(cron, "Warning", "FailedCreate", f"Error creating job: {error}")
                raise
            # Made by an earlier pass whose status was never written: it is noted now.  One of somebody else's is left alone.
            made = self.client.get("jobs", meta["namespace"], meta["name"])
            mine = (controller_of(made) or {}).get("uid") == cron["metadata"]["uid"]
            if not mine or any(ref["uid"] == made["metadata"]["uid"] for ref in status.get("active") or ()):
                return
        ref = {"apiVersion": "batch/v1", "kind": "Job", "name": made["metadata"]["name"], "namespace": meta["namespace"]}
        ref |= {"uid": made["metadata"]["uid"], "resourceVersion": made["metadata"]["resourceVersion"]}
        status["active"] = [*(status.get("active") or []), ref]
        status["lastScheduleTime"] = stamp
