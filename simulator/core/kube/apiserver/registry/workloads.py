"""Deployments, replica sets, stateful sets, daemon sets, jobs … (`pkg/registry/apps/*/strategy.go`, `pkg/registry/batch`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...api import names
from ...api.errors import FieldError
from ..defaults import workloads as defaults
from ..validation import podwarnings, scaling
from ..validation import workloads as rules
from .strategy import Strategy

if TYPE_CHECKING:
    from ..call import Call

Obj = dict[str, Any]
#: `k8s.io/api/apps/v1: DeprecatedTemplateGeneration`.
TEMPLATE_GENERATION = "deprecated.daemonset.template.generation"


class Counting(Strategy):
    """Workloads whose status counts pods."""

    generation = True

    def validate_subresource(self, sub: str, obj: Obj, old: Obj) -> list[FieldError]:
        """Counters of the status."""
        return rules.status(self.kind, obj, old) if sub == "status" else super().validate_subresource(sub, obj, old)

    #: Whether the pods' names are made of this one's, so that a name that is no label is warned of.
    names_pods = True

    def warnings(self, obj: Obj, old: Obj | None) -> list[str]:
        """Of the pod template, when the spec is new."""
        if old is not None and obj["spec"] == old["spec"]:
            return []
        said = podwarnings.name(obj) if old is None and self.names_pods else []
        return said + podwarnings.template(obj["spec"].get("template"), "spec.template.")


class Deployment(Counting):
    """Deployments."""

    generation_by_annotations = True

    def default(self, obj: Obj) -> None:
        """Deployment defaults."""
        defaults.deployment(obj)

    def validate(self, obj: Obj) -> list[FieldError]:
        """`ValidateDeployment`."""
        return rules.deployment(obj)

    def validate_update(self, obj: Obj, old: Obj) -> list[FieldError]:
        """`ValidateDeploymentUpdate`, the selector immutable."""
        return rules.deployment(obj) + rules.immutable_selector(obj, old)


class ReplicaSet(Counting):
    """ReplicaSets."""

    fields = {"status.replicas": ("status", "replicas")}
    field_defaults = {"status.replicas": "0"}

    def default(self, obj: Obj) -> None:
        """ReplicaSet defaults."""
        defaults.replica_set(obj)

    def validate(self, obj: Obj) -> list[FieldError]:
        """`ValidateReplicaSet`."""
        return rules.replica_set(obj)

    def validate_update(self, obj: Obj, old: Obj) -> list[FieldError]:
        """The selector is immutable."""
        return rules.replica_set(obj) + rules.immutable_selector(obj, old)


class ReplicationController(Counting):
    """ReplicationControllers."""

    fields = {"status.replicas": ("status", "replicas")}
    field_defaults = {"status.replicas": "0"}

    def default(self, obj: Obj) -> None:
        """ReplicationController defaults."""
        defaults.replication_controller(obj)

    def validate(self, obj: Obj) -> list[FieldError]:
        """`ValidateReplicationController`."""
        return rules.replication_controller(obj)

    def default_finalizers(self, obj: Obj) -> list[str]:
        """Replication controllers orphan by default in the oldest API; v1 does not ask for it."""
        return []


class DaemonSet(Counting):
    """DaemonSets.  What was `spec.templateGeneration` lives on as an annotation that only the server writes."""

    names_pods = False

    def default(self, obj: Obj) -> None:
        """DaemonSet defaults."""
        defaults.daemon_set(obj)

    def prepare_create(self, call: Call, obj: Obj) -> None:
        """The first template generation (`daemonSetStrategy.PrepareForCreate`)."""
        _template_generation(obj, 1)

    def prepare_update(self, call: Call, obj: Obj, old: Obj) -> None:
        """Counted up with every change of the template (`daemonSetStrategy.PrepareForUpdate`)."""
        before = (old["metadata"].get("annotations") or {}).get(TEMPLATE_GENERATION, "1")
        changed = obj["spec"].get("template") != old["spec"].get("template")
        _template_generation(obj, int(before) + changed)

    def validate(self, obj: Obj) -> list[FieldError]:
        """`ValidateDaemonSet`."""
        return rules.daemon_set(obj)

    def validate_update(self, obj: Obj, old: Obj) -> list[FieldError]:
        """The selector is immutable."""
        return rules.immutable_selector(obj, old) + rules.daemon_set(obj)


def _template_generation(obj: Obj, number: int) -> None:
    meta = obj["metadata"]
    meta["annotations"] = {**(meta.get("annotations") or {}), TEMPLATE_GENERATION: str(number)}


class StatefulSet(Counting):
    """StatefulSets."""

    names_pods = False

    check_name = staticmethod(names.dns_label)

    def default(self, obj: Obj) -> None:
        """StatefulSet defaults."""
        defaults.stateful_set(obj)

    def warnings(self, obj: Obj, old: Obj | None) -> list[str]:
        """Of the template, and of a history without end."""
        limit = obj["spec"].get("revisionHistoryLimit")
        text = "spec.revisionHistoryLimit: a negative value retains all historical revisions; a value >= 0 is recommended"
        return super().warnings(obj, old) + ([text] if (limit or 0) < 0 else [])

    def validate(self, obj: Obj) -> list[FieldError]:
        """`ValidateStatefulSet`."""
        return rules.stateful_set(obj)

    def validate_update(self, obj: Obj, old: Obj) -> list[FieldError]:
        """Only some fields of the spec may change."""
        return rules.stateful_set(obj, old) + rules.stateful_set_update(obj, old)


class Job(Strategy):
    """Jobs: the server makes the selector and the labels that go with it."""

    generation = True
    fields = {"status.successful": ("status", "succeeded")}
    field_defaults = {"status.successful": "0"}

    def default(self, obj: Obj) -> None:
        """Job defaults."""
        defaults.job(obj)

    def prepare_create(self, call: Call, obj: Obj) -> None:
        """Generate the selector from the uid (`jobStrategy.generateSelector`)."""
        spec = obj["spec"]
        template = spec.get("template")
        if spec.get("manualSelector") or template is None:
            return
        uid, name = obj["metadata"]["uid"], obj["metadata"].get("name", "")
        meta = template.setdefault("metadata", {})
        labels = dict(meta.get("labels") or {})
        labels.setdefault("job-name", name)
        labels.setdefault("batch.kubernetes.io/job-name", name)
        labels.setdefault("controller-uid", uid)
        labels.setdefault("batch.kubernetes.io/controller-uid", uid)
        meta["labels"] = {k: labels[k] for k in sorted(labels)}
        selector = spec.setdefault("selector", {})
        selector.setdefault("matchLabels", {})["batch.kubernetes.io/controller-uid"] = uid
        if not obj["metadata"].get("labels"):  # reading a Job gives it the labels of its template
            obj["metadata"]["labels"] = dict(meta["labels"])

    def validate(self, obj: Obj) -> list[FieldError]:
        """`ValidateJob`."""
        return rules.job(obj)

    def warnings(self, obj: Obj, old: Obj | None) -> list[str]:
        """Of the pod template, when the spec is new."""
        if old is not None and obj["spec"] == old["spec"]:
            return []
        said = podwarnings.name(obj) if old is None else []
        return said + podwarnings.template(obj["spec"].get("template"), "spec.template.")

    def validate_update(self, obj: Obj, old: Obj) -> list[FieldError]:
        """Template, selector and completions are immutable."""
        return rules.job_update(obj, old)


class CronJob(Strategy):
    """CronJobs."""

    generation = True
    check_name = staticmethod(names.dns_subdomain)

    def default(self, obj: Obj) -> None:
        """CronJob defaults."""
        defaults.cron_job(obj)

    def warnings(self, obj: Obj, old: Obj | None) -> list[str]:
        """Of the jobs' pod template, when the spec is new."""
        if old is not None and obj["spec"] == old["spec"]:
            return []
        held = ((obj["spec"].get("jobTemplate") or {}).get("spec") or {}).get("template")
        return (podwarnings.name(obj) if old is None else []) + podwarnings.template(held, "spec.jobTemplate.spec.template.")

    def validate(self, obj: Obj) -> list[FieldError]:
        """`ValidateCronJob`."""
        return rules.cron_job(obj)


class Autoscaler(Strategy):
    """HorizontalPodAutoscalers."""

    def default(self, obj: Obj) -> None:
        """HorizontalPodAutoscaler defaults."""
        defaults.autoscaler(obj)

    def validate(self, obj: Obj) -> list[FieldError]:
        """`ValidateHorizontalPodAutoscaler`."""
        return scaling.autoscaler(obj)

    def validate_update(self, obj: Obj, old: Obj) -> list[FieldError]:
        """`ValidateHorizontalPodAutoscalerUpdate`."""
        return scaling.autoscaler(obj, old)
