"""`kubectl create deployment | job | cronjob` (`create_deployment.go`, `create_job.go`, `create_cronjob.go`)."""

from __future__ import annotations

from typing import Any

from ...cobra import Flag
from ..errors import CommandError
from ..session import Session
from .base import command_words, generator, metadata

Obj = dict[str, Any]


def container_name(s: Session, image: str) -> str:
    """A container name from an image: its last path part without tag or digest; where that took changes, random letters follow."""
    name = image.split("/")[-1]
    name = name.split(":")[0].split("@")[0]
    fit = name.replace("_", "-").replace(".", "-")
    return fit if fit == name else f"{fit}-{s.world.rng('kubectl').token(5)}"


def deployment(s: Session, name: str) -> Obj:
    """A Deployment of one or more images."""
    values = s.values
    images, words = values.items("image"), command_words(s)
    if len(images) > 1 and words:
        raise CommandError("cannot specify multiple --image options and command")
    replicas = values.number("replicas")
    containers: list[Obj] = []
    for image in images:
        item: Obj = {"name": container_name(s, image), "image": image}
        if words:
            item["command"] = words
        if values.number("port") >= 0 and "port" in values.changed and not containers:
            item["ports"] = [{"containerPort": values.number("port")}]
        item["resources"] = {}
        containers.append(item)
    labels = {"app": name}
    return {
        "kind": "Deployment",
        "apiVersion": "apps/v1",
        "metadata": metadata(s, name, labels=labels),
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": containers}},
            "strategy": {},
        },
        "status": {},
    }


def _pod_spec(name: str, image: str, words: list[str], restart: str) -> Obj:
    item: Obj = {"name": name, "image": image}
    if words:
        item["command"] = words
    item["resources"] = {}
    return {"containers": [item], "restartPolicy": restart}


def job(s: Session, name: str) -> Obj:
    """A Job of an image, or of a CronJob's template."""
    values, words = s.values, command_words(s)
    if bool(values.text("image")) == bool(values.text("from")):
        raise CommandError("either --image or --from must be specified")
    if values.text("from"):
        if words:
            raise CommandError("cannot specify --from and command")
        return _job_from(s, name)
    template = {"metadata": {}, "spec": _pod_spec(name, values.text("image"), words, "Never")}
    return {"kind": "Job", "apiVersion": "batch/v1", "metadata": metadata(s, name), "spec": {"template": template}, "status": {}}


def _job_from(s: Session, name: str) -> Obj:
    from ..builder import Builder

    words = s.values.text("from").split(" ")
    found = Builder(s, args=words, eager=False).infos()
    if len(found) != 1 or found[0].obj is None:
        raise CommandError("from must be an existing cronjob")
    cron = found[0].obj
    if cron.get("kind") != "CronJob":
        raise CommandError(f"unknown object type *v1.{cron.get('kind')}")
    inner = cron["spec"]["jobTemplate"]
    meta = metadata(s, name)
    if (inner.get("metadata") or {}).get("labels"):
        meta["labels"] = inner["metadata"]["labels"]
    meta["annotations"] = {
        "cronjob.kubernetes.io/instantiate": "manual",
        **((inner.get("metadata") or {}).get("annotations") or {}),
    }
    owner = {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "name": cron["metadata"]["name"],
        "uid": cron["metadata"]["uid"],
        "controller": True,
    }
    meta["ownerReferences"] = [owner]
    return {"kind": "Job", "apiVersion": "batch/v1", "metadata": meta, "spec": inner["spec"], "status": {}}


def cron_job(s: Session, name: str) -> Obj:
    """A CronJob of an image."""
    values = s.values
    spec = _pod_spec(name, values.text("image"), command_words(s), values.text("restart") or "OnFailure")
    return {
        "kind": "CronJob",
        "apiVersion": "batch/v1",
        "metadata": metadata(s, name),
        "spec": {
            "schedule": values.text("schedule"),
            "jobTemplate": {"metadata": {"name": name}, "spec": {"template": {"metadata": {}, "spec": spec}}},
        },
        "status": {},
    }


DEPLOYMENT = generator(
    "deployment NAME --image=image -- [COMMAND] [args...]",
    "Create a deployment with the specified name",
    "deployments.apps",
    deployment,
    wrap="failed to create deployment: ",
    aliases=("deploy",),
    flags=(
        Flag(name="image", kind="strings", required=True, usage="Image of a container; may be repeated."),
        Flag(name="port", kind="int32", default=-1, usage="The containerPort of the first container."),
        Flag(name="replicas", short="r", kind="int32", default=1, usage="Number of replicas."),
    ),
    example="""# A deployment that runs busybox
kubectl create deployment my-dep --image=busybox

# With a command
kubectl create deployment my-dep --image=busybox -- date

# Three replicas of nginx
kubectl create deployment my-dep --image=nginx --replicas=3

# With a port
kubectl create deployment my-dep --image=busybox --port=5701

# Several containers
kubectl create deployment my-dep --image=busybox:latest --image=ubuntu:latest --image=nginx""",
)

JOB = generator(
    "job NAME --image=image [--from=cronjob/name] -- [COMMAND] [args...]",
    "Create a job with the specified name",
    "jobs.batch",
    job,
    wrap="failed to create job: ",
    flags=(Flag(name="image", usage="Image to run."), Flag(name="from", usage="Make the job from this resource (a CronJob).")),
)

CRONJOB = generator(
    "cronjob NAME --image=image --schedule='0/5 * * * ?' -- [COMMAND] [args...] [flags]",
    "Create a cron job with the specified name",
    "cronjobs.batch",
    cron_job,
    wrap="failed to create cronjob: ",
    aliases=("cj",),
    flags=(
        Flag(name="image", required=True, usage="Image to run."),
        Flag(name="schedule", required=True, usage="When to run, in cron format."),
        Flag(name="restart", usage="Restart policy of the job: OnFailure or Never"),
    ),
)
