"""Undoing a rollout by the deprecated annotation `deprecated.deployment.rollback.to` (pkg/controller/deployment/rollback.go).

`kubectl rollout undo` does not need it: it writes the old template itself.
"""

from __future__ import annotations

from ..api.objects import Obj, annotations_of
from . import deployment_util as util
from .base import Controller


def roll_back(controller: Controller, d: Obj, every: list[Obj]) -> None:
    """Put the template of the asked revision (0 means the one before) back, or say why not."""
    text = annotations_of(d)[util.ROLLBACK_TO]
    revision = int(text) if text.isdigit() else 0
    if revision == 0:
        known = sorted(util.revision_of(rs) for rs in every)
        revision = known[-2] if len(known) > 1 else 0
    target = next((rs for rs in every if revision and util.revision_of(rs) == revision), None)
    annotations = {k: v for k, v in annotations_of(d).items() if k != util.ROLLBACK_TO}
    changed = {**d, "metadata": {**d["metadata"], "annotations": annotations}}
    if target is None:
        controller.event(d, "Warning", "DeploymentRollbackRevisionNotFound", "Unable to find the revision to rollback to.")
    elif util.same_template(d["spec"]["template"], target["spec"]["template"]):
        message = f'The rollback revision contains the same template as current deployment "{d["metadata"]["name"]}"'
        controller.event(d, "Warning", "DeploymentRollbackTemplateUnchanged", message)
    else:
        template = target["spec"]["template"]
        labels = {k: v for k, v in template["metadata"]["labels"].items() if k != util.HASH_LABEL}
        changed["spec"] = {**d["spec"], "template": {**template, "metadata": {**template["metadata"], "labels": labels}}}
        controller.event(
            d, "Normal", "DeploymentRollback", f'Rolled back deployment "{d["metadata"]["name"]}" to revision {revision}'
        )
    controller.client.update("deployments", changed)
