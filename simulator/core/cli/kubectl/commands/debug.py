"""`kubectl debug`: ephemeral containers, copies of pods, pods on nodes (`kubectl/pkg/cmd/debug/debug.go`)."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from ....host.program import Wait, WaitTopic
from ....kube.api.errors import ApiError
from ....kube.api.objects import clone
from ... import goyaml
from ...cobra import Command, Flag
from ...flags import quote
from .. import debug_profiles
from ..attaching import attach
from ..builder import Builder, Info
from ..errors import CommandError, is_not_found
from ..mapper import Mapping
from ..patches import apply_local, send, update_diff
from ..session import Session
from ..streams import follow_log
from .run import IMAGE

Obj = dict[str, Any]
SECTIONS = ("containers", "initContainers", "ephemeralContainers")
FIXED = ("name", "command", "image", "lifecycle", "volumeDevices")
NON_ROOT = ("Warning: Non-root user is configured for the entire target Pod, and some capabilities granted by debug profile may not work. Please "
            'consider using "--custom" with a custom profile that specifies "securityContext.runAsUser: 0".\n')  # fmt: skip


class Debug:
    """One run: its options, checked."""

    def __init__(self, s: Session) -> None:
        values = s.values
        self.s = s
        at = values.dash_at
        self.targets, self.words = (values.args[:at], values.args[at:]) if at >= 0 else (values.args, [])
        self.image, self.copy_to, self.container = values.text("image"), values.text("copy-to"), values.text("container")
        self.images = values.mapping("set-image")
        self.attach = values.on("attach") if "attach" in values.changed else values.on("stdin")
        self.quiet = values.on("quiet")
        self.profile = values.text("profile")
        if self.profile not in debug_profiles.PROFILES:
            raise CommandError(f"unknown profile: {self.profile}")
        self.custom = self._custom()
        self._check()

    def _custom(self) -> Obj | None:
        path = self.s.values.text("custom")
        if not path:
            return None
        try:
            found = goyaml.load(self.s.inv.read_file(path).decode("utf-8", "replace"))
        except OSError as error:
            why = f"open {path}: {(error.strerror or 'error').lower()}"
            raise CommandError(f"must pass a container spec json file for custom profile: {why}") from None
        except goyaml.YamlError as error:
            raise CommandError(f"{path} does not contain a valid container spec: {error}") from None
        if not isinstance(found, dict):
            raise CommandError(f"{path} does not contain a valid container spec: error unmarshaling JSON: while decoding JSON: json: cannot unmarshal "
                               "string into Go value of type v1.Container")  # fmt: skip
        return found

    def _check(self) -> None:
        values = self.s.values
        if self.attach and "attach" in values.changed and not self.image and not self.container:
            raise CommandError("you must specify --container or create a new container using --image in order to attach.")
        if self.copy_to:
            if not (self.image or self.images or self.words):
                raise CommandError("you must specify --image, --set-image or command arguments.")
            if self.words and not self.container and not self.image:
                raise CommandError("you must specify an existing container or a new image when specifying args.")
        else:
            for flag in ("replace", "same-node", "set-image"):
                if flag in values.changed and (flag == "set-image" or values.on(flag)):
                    raise CommandError(f"--{flag} may only be used with --copy-to.")
            if not self.image:
                raise CommandError("you must specify --image when not using --copy-to.")
        if self.image and not IMAGE.fullmatch(self.image):
            raise CommandError(f"invalid image name {quote(self.image)}: invalid reference format")
        if not self.targets and not values.items("filename"):
            raise CommandError("NAME or filename is required for debug")
        policy = values.text("image-pull-policy")
        if policy not in ("", "Always", "IfNotPresent", "Never"):
            raise CommandError(f"invalid image pull policy: {policy}")
        for name, image in sorted(self.images.items()):
            if not IMAGE.fullmatch(image):
                raise CommandError(f"invalid image name {quote(image)} for container {quote(name)}: invalid reference format")
        target = values.text("target")
        if target:
            if self.copy_to:
                raise CommandError("--target is incompatible with --copy-to. Use --share-processes instead.")
            if not self.quiet:
                self.s.out(f"Targeting container {quote(target)}. If you don't see processes from this container it may be because the container runtime "
                           "doesn't support this feature.\n")  # fmt: skip
        if values.on("tty") and not values.on("stdin"):
            raise CommandError("-i/--stdin is required for containers with -t/--tty=true")
        if self.custom is not None and any(self.custom.get(key) for key in FIXED):
            raise CommandError("name, command, image, lifecycle and volume devices are not modifiable via custom profile")
        if self.profile == "legacy":
            self.s.err("--profile=legacy is deprecated and planned to be removed in v1.39. It is recommended to specify other profile, for example "
                       '"--profile=general".\n')  # fmt: skip

    # -- what is made ---------------------------------------------------------------------------------------------------
    def on(self, info: Info) -> tuple[Obj, str]:
        """Debug one object: the pod that was made or changed, and the container to attach to ("" for none)."""
        kind = info.mapping.kind
        if kind.kind == "Node" and not kind.group:
            return self.node(info.obj or {})
        if kind.kind == "Pod" and not kind.group:
            return self.copy(info.obj or {}) if self.copy_to else self.ephemeral(info)
        raise CommandError(f"{quote(f'{kind.group}/{info.mapping.version}, Kind={kind.kind}')} not supported by debug")

    def fields(self) -> Obj:
        """What every new container has of the command line."""
        values = self.s.values
        out: Obj = {}
        env = values.mapping("env")
        if env:
            out["env"] = [{"name": name, "value": env[name]} for name in sorted(env)]
        if values.text("image-pull-policy"):
            out["imagePullPolicy"] = values.text("image-pull-policy")
        if values.on("stdin"):
            out["stdin"] = True
        if values.on("tty"):
            out["tty"] = True
        return out

    def command(self) -> Obj:
        """The words after `--`, as command or arguments."""
        return {"args" if self.s.values.on("arguments-only") else "command": self.words} if self.words else {}

    def ephemeral(self, info: Info) -> tuple[Obj, str]:
        """Add an ephemeral container to a pod."""
        s, before = self.s, info.obj or {}
        name = self.name_for(before)
        item = {"name": name, "image": self.image, "terminationMessagePolicy": "File", **self.fields(), **self.command()}
        if s.values.text("target"):
            item["targetContainerName"] = s.values.text("target")
        pod = clone(before)
        pod["spec"].setdefault("ephemeralContainers", []).append(item)
        debug_profiles.apply(self.profile, pod, name, "ephemeral", set())
        self.customise(pod, name, "ephemeralContainers")
        self.warn(pod, name)
        patch, form = update_diff(info.mapping, before, pod)
        try:
            return send(
                s, info.mapping, info.namespace, info.name, patch, form, manager="", subresource="ephemeralcontainers"
            ), name
        except ApiError as error:
            if is_not_found(error) and not (error.status.get("details") or {}).get("name"):
                text = f"ephemeral containers are disabled for this cluster (error from server: {quote(error.message)})"
                raise CommandError(text) from None
            raise

    def node(self, node: Obj) -> tuple[Obj, str]:
        """A pod on a node, with its file system below /host by most profiles."""
        s, where = self.s, node["metadata"]["name"]
        container = self.container or "debugger"
        name = f"node-debugger-{where}-{s.world.rng('kubectl').token(5)}"
        if not self.quiet:
            s.out(f"Creating debugging pod {name} with container {container} on node {where}.\n")
        item = {"name": container, "image": self.image, "terminationMessagePolicy": "File", **self.fields(), **self.command()}
        spec = {"containers": [item], "nodeName": where, "restartPolicy": "Never", "tolerations": [{"operator": "Exists"}]}
        meta = {"name": name, "labels": {"app.kubernetes.io/managed-by": "kubectl-debug"}}
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec}
        debug_profiles.apply(self.profile, pod, container, "node", set())
        self.customise(pod, container, "containers")
        made: Obj = s.call("POST", s.kind("pods").path(s.namespace), obj=pod)
        return made, container

    def copy(self, pod: Obj) -> tuple[Obj, str]:
        """A copy of a pod, with a container more or changed."""
        s, values, meta = self.s, self.s.values, pod["metadata"]
        spec: Obj = clone(pod["spec"])
        spec.pop("ephemeralContainers", None)
        if "share-processes" in values.changed:
            spec["shareProcessNamespace"] = values.on("share-processes")
        if not values.on("same-node"):
            spec.pop("nodeName", None)
        copied: Obj = {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": self.copy_to, "namespace": meta["namespace"]},
            "spec": spec,
        }
        copied["metadata"].update({key: dict(meta[key]) for key in ("annotations", "labels") if meta.get(key)})
        for item in spec["containers"]:
            item["image"] = self.images.get(item["name"]) or self.images.get("*") or item["image"]
        named = {item["name"]: item for key in SECTIONS for item in spec.get(key) or ()}
        name, chosen = self.container, named.get(self.container)
        if chosen is None and not self.image:
            if not self.images:
                raise CommandError("you must specify image when creating new container")
            name = ""
        else:
            if chosen is None:
                name = name or self.name_for(copied)
                chosen = {"name": name, "terminationMessagePolicy": "File"}
                spec["containers"].append(chosen)
            if self.words:
                chosen.pop("args", None)
            chosen.update({**({"image": self.image} if self.image else {}), **self.command()})
            chosen.update({"stdin": False, "tty": False, **self.fields()})
            debug_profiles.apply(self.profile, copied, name, "copy", self.kept())
            self.customise(copied, name, "containers")
            self.warn(copied, name)
        made: Obj = s.call("POST", s.kind("pods").path(meta["namespace"]), obj=copied)
        if values.on("replace"):
            options = {"kind": "DeleteOptions", "apiVersion": "v1", "gracePeriodSeconds": 0}
            s.call("DELETE", s.kind("pods").path(meta["namespace"], meta["name"]), obj=options)
        return made, name

    def kept(self) -> set[str]:
        """The `--keep-…` flags that are on."""
        flags = (*debug_profiles.PROBES, "keep-labels", "keep-annotations", "keep-init-containers")
        return {flag for flag in flags if self.s.values.on(flag)}

    def name_for(self, pod: Obj) -> str:
        """The container's name: given, or one that no container of the pod has."""
        if self.container:
            return self.container
        taken = {item["name"] for key in SECTIONS for item in pod["spec"].get(key) or ()}
        name = ""
        while not name or name in taken:
            name = f"debugger-{self.s.world.rng('kubectl').token(5)}"
        if not self.quiet:
            self.s.out(f"Defaulting debug container name to {name}.\n")
        return name

    def customise(self, pod: Obj, name: str, section: str) -> None:
        """Merge the partial container of `--custom`."""
        if self.custom is None:
            return
        items = pod["spec"][section]
        at = next((at for at, item in enumerate(items) if item["name"] == name), -1)
        if at < 0:
            raise CommandError(f"unable to find the {name} container in the pod {pod['metadata']['name']}")
        patch = {"spec": {"containers": [{**self.custom, "name": name}]}}
        merged = apply_local(Mapping(self.s.kind("pods")), {"spec": {"containers": [items[at]]}}, patch, "strategic")
        items[at] = merged["spec"]["containers"][0]

    def warn(self, pod: Obj, name: str) -> None:
        """Say that capabilities may not help a user who is not root."""
        user = (pod["spec"].get("securityContext") or {}).get("runAsUser")
        item: Obj = next((item for key in SECTIONS for item in pod["spec"].get(key) or () if item["name"] == name), {})
        held = item.get("securityContext") or {}
        if (
            user
            and held
            and held.get("runAsUser") != 0
            and (held.get("privileged") or (held.get("capabilities") or {}).get("add"))
        ):
            self.s.err(NON_ROOT)


def run(s: Session) -> Generator[Wait, Any, int]:
    """Debug each object in turn, attaching where a terminal was asked for."""
    debug = Debug(s)
    words = debug.targets if any("/" in word for word in debug.targets) else ["pods", *debug.targets] if debug.targets else []
    words = [word if "/" in word else f"pods/{word}" for word in words] if any("/" in word for word in words) else words
    for info in Builder(s, args=words, filenames=s.values.items("filename"), eager=False, latest=True).infos():
        pod, container = debug.on(info)
        if debug.attach and container:
            yield from _attach(s, pod, container, debug.quiet)
    return 0


def _attach(s: Session, pod: Obj, container: str, quiet: bool) -> Generator[Wait, Any, None]:
    """Wait until the container runs, then be its terminal; print its log when it has ended."""
    kind, meta = s.kind("pods"), pod["metadata"]
    told = ""
    while True:
        found = s.call("GET", kind.path(meta["namespace"], meta["name"]))
        status = found.get("status") or {}
        listed = [
            item
            for key in ("initContainerStatuses", "containerStatuses", "ephemeralContainerStatuses")
            for item in status.get(key) or ()
        ]
        state = next((item.get("state") or {} for item in listed if item["name"] == container), {})
        if "running" in state or "terminated" in state:
            break
        message = (state.get("waiting") or {}).get("message", "")
        if message and message != told and not quiet:
            told = message
            s.err(f"Warning: container {container}: {message}\n")
        yield WaitTopic((kind.topic,), None)
    if "terminated" in state:
        yield from follow_log(s, found, {"container": container})
        return
    yield from attach(s, found, container, stdin=s.values.on("stdin"), tty=s.values.on("tty"), quiet=quiet)


COMMAND = Command(
    "debug (POD | TYPE[[.VERSION].GROUP]/NAME) [ -- COMMAND [args...] ]",
    short="Create debugging sessions for troubleshooting workloads and nodes",
    long="""Debug cluster resources with interactive containers.

 A pod gets an ephemeral container, or is copied (--copy-to) with a container added or changed. A node gets a pod in its namespaces, with its
 files below /host.""",
    example="""# An interactive container in a pod
kubectl debug mypod -it --image=busybox

# A copy with another image
kubectl debug mypod --copy-to=my-debugger --set-image=app=app:debug

# A shell on a node
kubectl debug node/mynode -it --image=busybox""",
    flags=(
        Flag(name="filename", short="f", kind="strings", usage="Files that name what to debug"),
        Flag(name="arguments-only", kind="bool", usage="The words after -- are arguments, not the command."),
        Flag(name="attach", kind="bool", usage="Attach to the container once it runs; the default with -i."),
        Flag(name="container", short="c", usage="Name of the container."),
        Flag(name="copy-to", usage="Make a copy of the pod with this name."),
        Flag(name="replace", kind="bool", usage="With --copy-to: delete the original pod."),
        Flag(name="env", kind="map", usage="Environment variables of the container."),
        Flag(name="image", usage="Image of the container."),
        Flag(name="keep-labels", kind="bool", usage="With --copy-to: keep the labels."),
        Flag(name="keep-annotations", kind="bool", usage="With --copy-to: keep the annotations."),
        Flag(name="keep-liveness", kind="bool", usage="With --copy-to: keep liveness probes."),
        Flag(name="keep-readiness", kind="bool", usage="With --copy-to: keep readiness probes."),
        Flag(name="keep-startup", kind="bool", usage="With --copy-to: keep startup probes."),
        Flag(name="keep-init-containers", kind="bool", default=True, usage="With --copy-to: run the init containers."),
        Flag(name="set-image", kind="map", usage="With --copy-to: name=image pairs of containers."),
        Flag(name="image-pull-policy", usage="The image pull policy; the server's default when empty."),
        Flag(name="stdin", short="i", kind="bool", usage="Keep standard input open."),
        Flag(name="quiet", short="q", kind="bool", usage="Print no information."),
        Flag(name="same-node", kind="bool", usage="With --copy-to: on the same node."),
        Flag(name="share-processes", kind="bool", default=True, usage="With --copy-to: share the process namespace."),
        Flag(name="target", usage="See the processes of this container."),
        Flag(name="tty", short="t", kind="bool", usage="Give the container a terminal."),
        Flag(name="profile", default="general", usage='One of "general", "baseline", "restricted", "netadmin", "sysadmin".'),
        Flag(name="custom", usage="A file with a partial container that changes the profile."),
    ),
    run=run,
)  # fmt: skip
