"""The Job controller: run pods until enough of them have succeeded (pkg/controller/job/job_controller.go).

Each pod carries the finaliser `batch.kubernetes.io/job-tracking`, so that none is lost uncounted: a finished pod's UID goes into
`status.uncountedTerminatedPods`, the finaliser is taken away, and only then the pod is counted.
"""

from __future__ import annotations

from typing import Any

from ...kernel import clock
from ..api.objects import Obj, condition, controller_of, key_of, split_key
from ..client import ApiError
from . import common, job_backoff, job_indexes, job_policy
from .base import Controller

FINALIZER = "batch.kubernetes.io/job-tracking"
INDEX = job_indexes.INDEX
#: What `spec.managedBy` says of a Job of ours.
MANAGER = "kubernetes.io/job-controller"
#: At most so many pods are made or deleted in one sync.
MOST = 500


def is_finished(job: Obj) -> bool:
    """Complete or Failed."""
    return any((condition(job, kind) or {}).get("status") == "True" for kind in ("Complete", "Failed"))


def _only_replaces_failed(job: Obj) -> bool:
    """Whether a pod that is being deleted is replaced only once it has failed (podReplacementPolicy)."""
    spec = job["spec"]
    return (spec.get("podReplacementPolicy") or ("Failed" if spec.get("podFailurePolicy") is not None else "")) == "Failed"


def _is_lost(job: Obj, pod: Obj) -> bool:
    """Failed, or being deleted before it finished (isPodFailed)."""
    phase = (pod.get("status") or {}).get("phase")
    if phase == "Failed" or _only_replaces_failed(job):
        return bool(phase == "Failed")
    return bool(pod["metadata"].get("deletionTimestamp")) and phase != "Succeeded"


def _without(pods: list[Obj], others: list[Obj]) -> list[Obj]:
    """The pods that are not among others."""
    gone = {id(pod) for pod in others}
    return [pod for pod in pods if id(pod) not in gone]


class JobController(Controller):
    """Reconciles Jobs; keys that begin with `pod:` are pods whose Job may be gone."""

    name = "job-controller"
    source = "job-controller"
    resources = ("jobs", "pods")

    def changed(self, resource: str, kind: str, obj: Obj) -> None:
        """A Job or one of its pods changed."""
        if resource == "jobs":
            self.enqueue(key_of(obj))
            return
        ref = controller_of(obj)
        if ref is not None and ref.get("kind") == "Job":
            self.enqueue(f"{obj['metadata']['namespace']}/{ref['name']}")
        if (
            kind != "DELETED"
            and FINALIZER in (obj["metadata"].get("finalizers") or ())
            and obj["metadata"].get("deletionTimestamp")
        ):
            self.enqueue("pod:" + key_of(obj))

    def sync(self, key: str) -> None:
        """Take one Job's next step."""
        if key.startswith("pod:"):
            self._orphan(key.removeprefix("pod:"))
            return
        namespace, name = split_key(key)
        job = self.informer("jobs").get(namespace, name)
        if job is None or job["spec"].get("managedBy", MANAGER) != MANAGER:
            return
        pods = self.informer("pods").by_owner(job["metadata"]["uid"])
        if is_finished(job):
            self.memory.pop(key, None)
            for pod in pods:
                if common.is_terminal(pod):
                    self._release(pod)
            return
        self._sync(job, pods)

    def _orphan(self, key: str) -> None:
        namespace, name = split_key(key)
        pod = self.informer("pods").get(namespace, name)
        if pod is None:
            return
        ref = controller_of(pod)
        owner = self.informer("jobs").get(namespace, ref["name"]) if ref is not None else None
        if owner is None or ref is None or owner["metadata"]["uid"] != ref["uid"] or is_finished(owner):
            self._release(pod)

    def _release(self, pod: Obj) -> None:
        if FINALIZER not in (pod["metadata"].get("finalizers") or ()):
            return
        kept = [f for f in pod["metadata"]["finalizers"] if f != FINALIZER]
        patch = {"metadata": {"uid": pod["metadata"]["uid"], "finalizers": kept or None}}
        try:
            self.client.patch("pods", pod["metadata"]["namespace"], pod["metadata"]["name"], patch, kind="merge")
        except ApiError as error:
            if error.code != 404:
                raise

    # -- one Job ---------------------------------------------------------------------------------------------------------
    def _sync(self, job: Obj, pods: list[Obj]) -> None:
        status: Obj = dict(job.get("status") or {})
        spec, key = job["spec"], key_of(job)
        if not status.get("startTime") and not spec.get("suspend"):
            status["startTime"] = self.world.timestamp()
        tracked = [p for p in pods if FINALIZER in (p["metadata"].get("finalizers") or ())]
        won = [p for p in tracked if (p.get("status") or {}).get("phase") == "Succeeded"]
        lost = [p for p in tracked if _is_lost(job, p)]
        ignored = {p["metadata"]["uid"] for p in lost if not job_policy.judge(spec.get("podFailurePolicy"), p).counts}
        succeeded = int(status.get("succeeded") or 0) + len(won)
        failed = int(status.get("failed") or 0) + len(lost) - len(ignored)
        active = [p for p in pods if common.is_active(p)]
        self.memory[key] = job_backoff.after(self.memory.get(key), won, lost)
        outcome = self._by_policy(job, lost) or self._outcome(job, status, active, succeeded, failed)
        if spec.get("completionMode") == "Indexed":
            before = job_indexes.parse(status.get("completedIndexes") or "", int(spec.get("completions") or 0))
            outcome, lost = self._indexes(job, status, pods, lost, outcome)
            done = job_indexes.parse(status.get("completedIndexes") or "", int(spec.get("completions") or 0))
            succeeded, won = len(done), [p for p in won if job_indexes.of(p) in done - before]
        going = sum(1 for p in pods if common.is_terminating(p))
        count, failure = len(active), None
        if outcome is not None:
            gone, failure = self._delete(job, active, release=False)
            if len(gone) != len(active):
                outcome = None
            active, count, going = _without(active, gone), count - len(gone), going + len(gone)
        elif not job["metadata"].get("deletionTimestamp"):
            active, count, gone, failure = self._manage(job, active, succeeded, going)
            going += len(gone)
            outcome = self._complete(job, succeeded, count)
            if outcome is None:
                self._suspended(job, status)
        left = [p for p in _without(tracked, [*won, *lost]) if self._lets_go(job, p, outcome)]
        if outcome is not None and outcome[0] == "Failed":  # whatever had not ended by then counts as failed
            more = [p for p in left if (p.get("status") or {}).get("phase") != "Succeeded"]
            ignored |= {p["metadata"]["uid"] for p in more if not job_policy.judge(spec.get("podFailurePolicy"), p).counts}
            lost, left = [*lost, *more], _without(left, more)
        if spec.get("completionMode") == "Indexed":
            last = int(spec.get("completions") or 0)
            ignored |= {p["metadata"]["uid"] for p in lost if (index := job_indexes.of(p)) is None or index >= last}
        status |= {"active": count, "ready": sum(1 for p in active if common.is_ready(p)), "terminating": going}
        self._count(job, status, won, lost, outcome, ignored, left)
        if failure is not None:
            raise failure

    @staticmethod
    def _lets_go(job: Obj, pod: Obj, outcome: tuple[str, str, str] | None) -> bool:
        """Whether a pod that is not counted may lose its finaliser (canRemoveFinalizer)."""
        over = outcome is not None or bool(job["metadata"].get("deletionTimestamp"))
        return over or (pod.get("status") or {}).get("phase") == "Succeeded"

    @staticmethod
    def _complete(job: Obj, succeeded: int, active: int) -> tuple[str, str, str] | None:
        """Complete once enough pods have succeeded and none is active."""
        completions = job["spec"].get("completions")
        if active or not (succeeded > 0 if completions is None else succeeded >= completions):
            return None
        return "Complete", "CompletionsReached", "Reached expected number of succeeded pods"

    @staticmethod
    def _by_policy(job: Obj, lost: list[Obj]) -> tuple[str, str, str] | None:
        """Failed when a failed pod meets a FailJob rule (getFailJobMessage)."""
        policy = job["spec"].get("podFailurePolicy")
        if any((condition(job, kind) or {}).get("status") == "True" for kind in ("FailureTarget", "SuccessCriteriaMet")):
            return None
        found = (job_policy.judge(policy, pod).message for pod in lost) if policy else ()
        message = next((text for text in found if text), "")
        return ("Failed", "PodFailurePolicy", message) if message else None

    def _indexes(
        self, job: Obj, status: Obj, pods: list[Obj], lost: list[Obj], outcome: tuple[str, str, str] | None
    ) -> tuple[tuple[str, str, str] | None, list[Obj]]:
        """Which indexes are done and which are given up, what follows from that, and the failed pods that may be let go: one whose
        index is tried again stays until its successor is there (delayed deletion per index)."""
        spec = job["spec"]
        completions = int(spec.get("completions") or 0)
        won = job_indexes.done(status.get("completedIndexes") or "", pods, completions, "Succeeded")
        if won:
            status["completedIndexes"] = job_indexes.text_of(won)
        limit = spec.get("backoffLimitPerIndex")
        if limit is not None:
            given_up = job_indexes.parse(status.get("failedIndexes") or "", completions)
            given_up |= {i for p in lost if (i := job_indexes.of(p)) is not None and self._gives_up(job, p)}
            given_up -= won
            status["failedIndexes"] = job_indexes.text_of(given_up)
            if outcome is None:
                most = spec.get("maxFailedIndexes")
                if most is not None and len(given_up) > most:
                    text = "Job has exceeded the specified maximal number of failed indexes"
                    outcome = ("Failed", "MaxFailedIndexesExceeded", text)
                elif given_up and len(given_up) + len(won) >= completions:
                    outcome = ("Failed", "FailedIndexes", "Job has failed indexes")
            held = {job_indexes.of(p) for p in pods if common.is_active(p)} | won | given_up
            lost = [p for p in lost if outcome is not None or job_indexes.of(p) in held]
        if outcome is None:
            met = job_policy.enough(spec.get("successPolicy"), completions, won)
            if met:
                outcome = ("Complete", "SuccessPolicy", met)
        return outcome, lost

    @staticmethod
    def _gives_up(job: Obj, pod: Obj) -> bool:
        """Whether the index of a failed pod is not tried again."""
        judged = job_policy.judge(job["spec"].get("podFailurePolicy"), pod)
        return judged.action == "FailIndex" or (
            judged.counts and job_indexes.failures(pod) + 1 > int(job["spec"]["backoffLimitPerIndex"])
        )

    def _outcome(self, job: Obj, status: Obj, active: list[Obj], succeeded: int, failed: int) -> tuple[str, str, str] | None:
        """(Complete or Failed, reason, message) once it is certain."""
        spec = job["spec"]
        early = (condition(job, kind) for kind in ("SuccessCriteriaMet", "FailureTarget"))
        target = next((c for c in early if c is not None and c["status"] == "True"), None)
        if target is not None:
            return "Failed" if target["type"] == "FailureTarget" else "Complete", target["reason"], target["message"]
        limit = int(spec.get("backoffLimit", 2**31 - 1 if spec.get("backoffLimitPerIndex") is not None else 6))
        retried = sum(common.restarts(p) for p in active) if spec["template"]["spec"].get("restartPolicy") == "OnFailure" else 0
        if failed > limit or (retried and retried > limit):
            return "Failed", "BackoffLimitExceeded", "Job has reached the specified backoff limit"
        deadline = spec.get("activeDeadlineSeconds")
        if deadline and status.get("startTime"):
            left = clock.parse_rfc3339(status["startTime"]) + deadline * clock.SECOND - self.world.wall
            if left <= 0:
                return "Failed", "DeadlineExceeded", "Job was active longer than specified deadline"
            self.enqueue(key_of(job), left)
        return None

    def _manage(
        self, job: Obj, active: list[Obj], succeeded: int, going: int
    ) -> tuple[list[Obj], int, list[Obj], ApiError | None]:
        """Have the right number of active pods: those of the cache that stay, how many there are now, those deleted, and what went wrong."""
        spec = job["spec"]
        parallel, completions = int(spec.get("parallelism", 1)), spec.get("completions")
        if spec.get("suspend"):
            wanted = 0
        elif completions is None:
            wanted = len(active) if succeeded else parallel
        else:
            wanted = max(0, min(parallel, int(completions) - succeeded))
        remove = self._surplus(job, active, len(active) - wanted)[:MOST]
        if remove:
            gone, failure = self._delete(job, remove)
            return _without(active, gone), len(active) - len(gone), gone, failure
        missing = wanted - len(active) - (going if _only_replaces_failed(job) else 0)
        if spec.get("suspend") or missing <= 0:
            return active, len(active), [], None
        per_index = spec.get("backoffLimitPerIndex") is not None
        wait = 0 if per_index else job_backoff.left(self.memory[key_of(job)], self.world.wall)
        if wait:
            self.enqueue(key_of(job), wait)
            return active, 0, [], None  # nothing counts as active while the back-off lasts, as in the real controller
        made, failure = self._create(job, min(missing, MOST), active)
        return active, len(active) + made, [], failure

    def _surplus(self, job: Obj, active: list[Obj], count: int) -> list[Obj]:
        """The pods to delete: those of an index that is taken in any case, then the least worth (activePodsForRemoval)."""
        indexed = job["spec"].get("completionMode") == "Indexed" and not job["spec"].get("suspend")
        rank = lambda p: common.deletion_rank(p, 0, self.world)  # noqa: E731
        first = job_indexes.surplus(sorted(active, key=rank), int(job["spec"].get("completions") or 0)) if indexed else []
        rest = sorted(_without(active, first), key=rank)
        return [*first, *rest[: max(0, count - len(first))]]

    def _create(self, job: Obj, count: int, active: list[Obj]) -> tuple[int, ApiError | None]:
        """Make pods in batches that double while all goes well; how many were made, and the first error."""
        made, batch = 0, 1
        indexes = self._free_indexes(job, count, active) if job["spec"].get("completionMode") == "Indexed" else [None] * count
        while indexes:
            now, indexes = indexes[:batch], indexes[batch:]
            failure: ApiError | None = None
            for index in now:
                try:
                    created = self.client.create("pods", job["metadata"]["namespace"], self._pod(job, index))
                except ApiError as error:
                    if "being terminated" in error.message:
                        return made, None
                    self.event(job, "Warning", "FailedCreate", f"Error creating: {error}")
                    failure = failure or error
                    continue
                made += 1
                self.event(job, "Normal", "SuccessfulCreate", f"Created pod: {created['metadata']['name']}")
            if failure is not None:
                return made, failure
            batch *= 2
        return made, None

    def _pod(self, job: Obj, index: int | None) -> Obj:
        name = job["metadata"]["name"]
        prefix = f"{name}-" if index is None else f"{name}-{index}-"
        pod = common.pod_from_template(job["spec"]["template"], job, generate=prefix)
        pod["metadata"]["finalizers"] = [FINALIZER]
        if index is not None:
            self._indexed(pod, name, index)
            self._counted(job, pod, index)
        return pod

    def _free_indexes(self, job: Obj, count: int, active: list[Obj]) -> list[Any]:
        pods = self.informer("pods").by_owner(job["metadata"]["uid"])
        completions, status = int(job["spec"].get("completions") or 0), job.get("status") or {}
        taken = job_indexes.done(status.get("completedIndexes") or "", pods, completions, "Succeeded")
        taken |= {index for p in active if (index := job_indexes.of(p)) is not None}
        if job["spec"].get("backoffLimitPerIndex") is not None:
            taken |= job_indexes.parse(status.get("failedIndexes") or "", completions)
            for pod in self._failed_last(job).values():
                index = job_indexes.of(pod)
                if index is None or index in taken:
                    continue
                if self._gives_up(job, pod) or not self._index_rested(job, pod):
                    taken.add(index)
        if _only_replaces_failed(job):
            taken |= {index for p in pods if common.is_terminating(p) and (index := job_indexes.of(p)) is not None}
        return list(job_indexes.free(taken, count, completions))

    def _failed_last(self, job: Obj) -> dict[int, Obj]:
        """The last failed pod of each index that is still tracked."""
        out: dict[int, Obj] = {}
        for pod in self.informer("pods").by_owner(job["metadata"]["uid"]):
            index = job_indexes.of(pod)
            if index is None or not _is_lost(job, pod) or FINALIZER not in (pod["metadata"].get("finalizers") or ()):
                continue
            held = out.get(index)
            if held is None or job_indexes.failures(pod) >= job_indexes.failures(held):
                out[index] = pod
        return out

    def _index_rested(self, job: Obj, pod: Obj) -> bool:
        """Whether the back-off of a failed pod's index is over (10 s doubling with the index's own failures)."""
        wait = job_backoff.left_of_index(pod, self.world.wall)
        if wait:
            self.enqueue(key_of(job), wait)
        return not wait

    def _counted(self, job: Obj, pod: Obj, index: int) -> None:
        """A pod of an index that is tried again says how often that failed."""
        if job["spec"].get("backoffLimitPerIndex") is None:
            return
        before = self._failed_last(job).get(index)
        counts, ignored = 0, 0
        if before is not None:
            judged = job_policy.judge(job["spec"].get("podFailurePolicy"), before)
            counts = job_indexes.failures(before) + (1 if judged.counts else 0)
            ignored = job_indexes.ignored(before) + (0 if judged.counts else 1)
        notes = {**pod["metadata"]["annotations"], job_indexes.FAILURES: str(counts)}
        pod["metadata"]["annotations"] = {**notes, job_indexes.IGNORED: str(ignored)} if ignored else notes

    @staticmethod
    def _indexed(pod: Obj, name: str, index: int) -> None:
        meta, spec = pod["metadata"], pod["spec"]
        meta["annotations"] = {**(meta.get("annotations") or {}), INDEX: str(index)}
        meta["labels"] = {**(meta.get("labels") or {}), INDEX: str(index)}
        source = {"fieldRef": {"fieldPath": f"metadata.labels['{INDEX}']"}}
        env = {"name": "JOB_COMPLETION_INDEX", "valueFrom": source}
        containers = [{**c, "env": [*(c.get("env") or ()), env]} for c in spec["containers"]]
        pod["spec"] = {**spec, "hostname": f"{name}-{index}", "containers": containers}

    def _delete(self, job: Obj, pods: list[Obj], *, release: bool = True) -> tuple[list[Obj], ApiError | None]:
        """Let pods go (unless they are still to be counted) and delete them; those that went, and the first error (deleteJobPods)."""
        gone: list[Obj] = []
        failure: ApiError | None = None
        for pod in pods:
            try:
                if release:
                    self._release(pod)
                self.client.delete("pods", pod["metadata"]["namespace"], pod["metadata"]["name"])
            except ApiError as error:
                if error.code != 404:
                    failure = failure or error
                    continue
            else:
                self.event(job, "Normal", "SuccessfulDelete", f"Deleted pod: {pod['metadata']['name']}")
            gone.append(pod)
        return gone, failure

    # -- status ----------------------------------------------------------------------------------------------------------
    def _suspended(self, job: Obj, status: Obj) -> None:
        found = condition(job, "Suspended")
        asked = bool(job["spec"].get("suspend"))
        if asked == (found is not None and found["status"] == "True"):
            return
        value, reason, message = ("True", "JobSuspended", "Job suspended") if asked else ("False", "JobResumed", "Job resumed")
        if asked or found is not None:
            status["conditions"] = common.set_condition(
                status.get("conditions") or [], self._condition("Suspended", reason, message, value)
            )
            self.event(job, "Normal", "Suspended" if asked else "Resumed", message)
        if asked:
            status.pop("startTime", None)
        elif found is not None:
            status["startTime"] = self.world.timestamp()

    def _condition(self, kind: str, reason: str, message: str, value: str = "True") -> Obj:
        now = self.world.timestamp()
        return {
            "lastProbeTime": now,
            "lastTransitionTime": now,
            "message": message,
            "reason": reason,
            "status": value,
            "type": kind,
        }

    def _count(
        self,
        job: Obj,
        status: Obj,
        won: list[Obj],
        lost: list[Obj],
        outcome: tuple[str, str, str] | None,
        ignored: set[str],
        left: list[Obj],
    ) -> None:
        """Write what is uncounted, let the pods go (those that count and what is `left`), then count them; a certain outcome is
        announced first, then final."""
        conditions = list(status.get("conditions") or [])
        if outcome is not None:
            early = "SuccessCriteriaMet" if outcome[0] == "Complete" else "FailureTarget"
            if not any(c["type"] == early for c in conditions):
                conditions.append(self._condition(early, outcome[1], outcome[2]))
        if conditions:
            status["conditions"] = conditions
        indexed = job["spec"].get("completionMode") == "Indexed"
        if indexed and (won or status.get("completedIndexes")):  # an index is counted once, whatever pods succeeded for it
            status["succeeded"] = len(job_indexes.parse(status["completedIndexes"], int(job["spec"].get("completions") or 0)))
        if won or lost or outcome is not None:
            names = {
                "succeeded": [] if indexed else [p["metadata"]["uid"] for p in won],
                "failed": [p["metadata"]["uid"] for p in lost if p["metadata"]["uid"] not in ignored],
            }
            status["uncountedTerminatedPods"] = {key: uids for key, uids in names.items() if uids}
            job = self._store(job, status)
            for pod in [*won, *lost, *left]:
                self._release(pod)
            status = {**status, **{k: int(status.get(k) or 0) + len(n) for k, n in names.items() if n or status.get(k)}}
        else:
            for pod in left:
                self._release(pod)
        status["uncountedTerminatedPods"] = {}
        over = outcome is not None and not status["terminating"]
        if outcome is not None and over:
            status["conditions"] = [*status["conditions"], self._condition(*outcome)]
            if outcome[0] == "Complete":
                status["completionTime"] = self.world.timestamp()
        self._store(job, status)
        if outcome is not None and over:
            if outcome[0] == "Complete":
                self.event(job, "Normal", "Completed", "Job completed")
            else:
                self.event(job, "Warning", outcome[1], outcome[2])

    def _store(self, job: Obj, status: Obj) -> Obj:
        clean = {k: v for k, v in status.items() if k not in ("active",) or v}
        if clean == (job.get("status") or {}):
            return job
        return self.client.update("jobs", {**job, "status": clean}, subresource="status")
