"""`kubectl set image | env | resources | selector | serviceaccount | subject` (`kubectl/pkg/cmd/set`)."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from typing import Any

from ....kube.api import names, quantity, selectors
from ....kube.api.errors import ApiError
from ....kube.api.objects import clone
from ...cobra import Command, Flag
from ...flags import quote
from ..builder import Builder, Info
from ..describe.pods import field_value
from ..errors import CommandError, Plain, raise_all
from ..flagsets import (
    dry_run,
    dry_run_flag,
    dry_run_suffix,
    field_manager_flag,
    file_arguments,
    file_flags,
    filename_flag,
    print_flags,
    record_flag,
    recursive_flag,
    selector_flag,
)
from ..groups import group_run
from ..patches import send, typed, update_diff
from ..printers import Output
from ..recording import recorded
from ..session import Session

Obj = dict[str, Any]
LOCAL = "you must specify resources by --filename when --local is set.\nExample resource specifications include:\n   '-f rsrc.yaml'\n   '--filename=rsrc.json'"
#: Where the pod specification stands in each kind (`polymorphichelpers.UpdatePodSpecForObject`).
POD_SPECS: dict[str, tuple[str, ...]] = {
    "Pod": ("spec",), "ReplicationController": ("spec", "template", "spec"), "Deployment": ("spec", "template", "spec"),
    "DaemonSet": ("spec", "template", "spec"), "ReplicaSet": ("spec", "template", "spec"), "StatefulSet": ("spec", "template", "spec"),
    "Job": ("spec", "template", "spec"), "CronJob": ("spec", "jobTemplate", "spec", "template", "spec"),
}  # fmt: skip


def pod_spec(info: Info, obj: Obj) -> Obj:
    """The pod specification of an object, to be changed in place."""
    path = POD_SPECS.get(info.mapping.kind.kind)
    if path is None:
        raise CommandError(f"the object is not a pod or does not have a pod template: *v1.{info.mapping.kind.kind}")
    for key in path:
        obj = obj.setdefault(key, {})
    return obj


class Setter:
    """One run: chooses objects, changes copies of them, sends what differs."""

    def __init__(self, s: Session, resources: list[str], word: str, failed: str = "", *, even_equal: bool = False) -> None:
        values = s.values
        self.s, self.word, self.failed = s, word, failed
        #: Objects that would stay as they are count as changed (`serviceaccount`, `selector` look at no difference).
        self.even_equal = even_equal
        #: Errors of single objects, told when all are done.
        self.problems: list[Exception] = []
        self.sent = 0
        self.local = values.has("local") and values.on("local")
        if self.local and not values.items("filename") and not values.text("kustomize"):
            raise CommandError(LOCAL)
        self.strategy, self.output = dry_run(s), Output(s, typed=self.local)
        everything = values.has("all") and values.on("all")
        self.builder = Builder(s, args=resources, **file_arguments(s), selector=values.text("selector") if values.has("selector") else "",
                               allow_empty=everything, latest=not self.local, local=self.local, fetch=not self.local)  # fmt: skip

    def run(self, change: Callable[[Info, Obj], None]) -> int:
        """Change every object; `change` edits a copy or raises."""
        s = self.s
        infos = self.builder.infos()
        if not self.even_equal or self.failed:  # all are read before one is changed
            raise_all(self.builder.errors)
        errors = self.problems = [*self.builder.errors, *self.problems]
        for info in infos:
            before = typed(s, info.mapping, info.obj or {}, info.source) if self.local else info.obj or {}
            after = clone(before)
            try:
                change(info, after)
            except Plain:
                raise
            except CommandError as error:
                name = f"{info.mapping.kind.kind.lower()}/{info.name}" if self.local else info.label
                errors.append(CommandError(f"error: {name} {error}\n"))
                continue
            after = recorded(s, after)
            try:
                patch, form = update_diff(info.mapping, before, after)
                if not patch and not self.even_equal:
                    continue
                if self.local or self.strategy == "client":
                    self._tell(after)
                    continue
                manager = s.values.text("field-manager") or "kubectl-set"
                result = send(
                    s, info.mapping, info.namespace, info.name, patch, form, manager=manager, dry=self.strategy == "server"
                )
                self.sent += 1
                self._tell(result)
            except ApiError as error:
                errors.append(CommandError(f"{self.failed} {error.message}") if self.failed else error)
            except CommandError as error:
                errors.append(error)
        raise_all(errors)
        return 0

    def _tell(self, obj: Obj) -> None:
        self.output.done(obj, self.word + dry_run_suffix(self.strategy))


def _split(args: list[str], changes: str = "") -> tuple[list[str], list[str]]:
    """Resources, then pairs (`GetResourcesAndPairs`, `SplitEnvironmentFromResources`)."""
    resources: list[str] = []
    pairs: list[str] = []
    for arg in args:
        if arg.find("=") > 0 or (arg.endswith("-") and (len(arg) > 1 or changes == "environment")):
            pairs.append(arg)
        elif pairs and changes:
            raise CommandError(f"all resources must be specified before {changes} changes: {arg}")
        else:
            resources.append(arg)
    return resources, pairs


def _one_choice(s: Session) -> None:
    if s.values.on("all") and s.values.text("selector"):
        raise CommandError("cannot set --all and --selector at the same time")


# -- image --------------------------------------------------------------------------------------------------------------------


def run_image(s: Session) -> int:
    """`kubectl set image`."""
    resources, pairs = _split(s.values.args, "image")
    images: dict[str, str] = {}
    for pair in pairs:
        name, _, image = pair.partition("=")
        images[name] = image
    setter = Setter(s, resources, "image updated", "failed to patch image update to pod template:")
    if not images:
        setter.builder.infos()
        raise_all(setter.builder.errors)
        raise CommandError("at least one image update is required")
    _one_choice(s)
    if "*" in images and len(images) > 1:
        raise CommandError(
            "all containers are already specified by *, but saw more than one container_name=container_image pairs"
        )

    def change(info: Info, obj: Obj) -> None:
        spec = pod_spec(info, obj)
        containers = [*(spec.get("initContainers") or ()), *(spec.get("containers") or ())]
        for name, image in images.items():
            found = [item for item in containers if name in ("*", item["name"])]
            if not found:
                setter.problems.append(CommandError(f"error: unable to find container named {quote(name)}"))
            for item in found:
                item["image"] = image

    return setter.run(change)


# -- env ----------------------------------------------------------------------------------------------------------------------


def _wild(pattern: str, name: str) -> bool:
    return re.fullmatch(re.escape(pattern).replace(r"\*", ".*"), name) is not None


def chosen_containers(spec: Obj, pattern: str) -> list[Obj]:
    """The containers of a pod that a pattern names, init containers after the others."""
    return [
        item for section in ("containers", "initContainers") for item in spec.get(section) or () if _wild(pattern, item["name"])
    ]


def _read_env(text: str) -> list[Obj]:
    """The variables of standard input, one a line; what follows a # is a comment (`env_parse.go`: readEnv)."""
    lines = [line.partition("#")[0] for line in text.splitlines()]
    pairs = [line.partition("=") for line in lines if "=" in line]
    return [{"name": name, "value": value} if value else {"name": name} for name, _, value in pairs]


def run_env(s: Session) -> int:
    """`kubectl set env`."""
    values = s.values
    resources, pairs = _split(values.args, "environment")
    _one_choice(s)
    if not resources and not values.items("filename"):
        raise CommandError("one or more resources must be specified as <resource> <name> or <resource>/<name>")
    new: list[Obj] = []
    remove: list[str] = []
    for pair in [*pairs, *values.items("env")]:
        if pair == "-":
            new += _read_env(s.stdin.decode("utf-8", "replace"))
            continue
        name, equals, value = pair.partition("=")
        if equals:
            wrong = names.env_name(name)
            if wrong:
                raise CommandError(f"{quote(name)} is not a valid key name: {';'.join(wrong)}")
            new.append({"name": name, "value": value} if value else {"name": name})
        else:
            remove.append(pair[:-1])
    if values.on("list") and values.text("output"):
        raise CommandError("--list and --output may not be specified together")
    if values.items("keys") and not values.text("from"):
        raise CommandError("when specifying --keys, a configmap or secret must be provided with --from")
    for item in new:
        if item["name"] in remove:
            raise CommandError("can not both modify and remove the same environment variable in the same command")
    setter = Setter(s, resources, "env updated", "failed to patch env update to pod template:")
    if values.text("from"):
        new += _from(s)

    def change(info: Info, obj: Obj) -> None:
        spec = pod_spec(info, obj)
        chosen = chosen_containers(spec, values.text("containers"))
        if not chosen:
            s.warn(
                f"{info.mapping.kind.kind}/{info.name} does not have any containers matching {quote(values.text('containers'))}"
            )
        for item in chosen:
            _change_env(s, item, new, remove)

    if values.on("list"):
        return _list_env(s, setter, new, remove)
    return setter.run(change)


def _from(s: Session) -> list[Obj]:
    values = s.values
    word = values.text("from")
    info = Builder(s, args=word.split(" ") if "/" not in word else [word], eager=False).infos()[0]
    kind = info.mapping.kind.kind
    if kind not in ("ConfigMap", "Secret"):
        raise CommandError("unsupported resource specified in --from")
    ref = "configMapKeyRef" if kind == "ConfigMap" else "secretKeyRef"
    out = []
    for key in sorted((info.obj or {}).get("data") or {}):
        if values.items("keys") and key not in values.items("keys"):
            continue
        name = re.sub(r"[^A-Z0-9_]", "_", key.upper())
        if name != key:
            s.warn(f"key {key} transferred to {name}")
        out.append({"name": values.text("prefix") + name, "valueFrom": {ref: {"name": info.name, "key": key}}})
    return out


def _change_env(s: Session, container: Obj, new: list[Obj], remove: list[str]) -> None:
    """A name that is given twice means its first value (`updateEnv`)."""
    env = [item for item in container.get("env") or () if item["name"] not in remove]
    done: set[str] = set()
    for item in new:
        if item["name"] in done:
            continue
        done.add(item["name"])
        at = next((index for index, old in enumerate(env) if old["name"] == item["name"]), None)
        if at is None:
            env.append(item)
        elif s.values.on("overwrite"):
            env[at] = item
        else:
            raise CommandError(f"'{item['name']}' already has a value ({env[at].get('value', '')}), and --overwrite is false")
    if env:
        container["env"] = env
    else:
        container.pop("env", None)


def _list_env(s: Session, setter: Setter, new: list[Obj], remove: list[str]) -> int:
    for info in setter.builder.infos():
        obj = clone(info.obj or {})
        for item in chosen_containers(pod_spec(info, obj), s.values.text("containers")):
            _change_env(s, item, new, remove)
            s.out(f"# {info.mapping.kind.kind} {info.name}, container {item['name']}\n")
            for variable in item.get("env") or ():
                s.out(_listed(s, info, variable))
    raise_all(setter.builder.errors)
    return 0


def _listed(s: Session, info: Info, item: Obj) -> str:
    source = item.get("valueFrom")
    if not source:
        return f"{item['name']}={item.get('value', '')}\n"
    told = {
        "fieldRef": "field path",
        "resourceFieldRef": "resource field",
        "secretKeyRef": "secret",
        "configMapKeyRef": "configmap",
    }
    key = next(iter(source))
    ref = source[key]
    if s.values.on("resolve"):
        value = ""
        if key in ("secretKeyRef", "configMapKeyRef"):
            found = s.get(s.kind("secrets" if key == "secretKeyRef" else "configmaps"), info.namespace, ref["name"])
            value = (found.get("data") or {}).get(ref["key"], "")
            value = base64.b64decode(value).decode("utf-8", "replace") if key == "secretKeyRef" else value
        elif key == "fieldRef":
            value = field_value(info.obj or {}, ref["fieldPath"])
        return f"{item['name']}={value}\n"
    if key == "fieldRef":
        return f"# {item['name']} from field path {ref['fieldPath']}\n"
    if key == "resourceFieldRef":
        container = f"{ref['containerName']}/" if ref.get("containerName") else ""
        return f"# {item['name']} from resource field {container}{ref['resource']}\n"
    return f"# {item['name']} from {told[key]} {ref.get('name', '')}, key {ref['key']}\n"


# -- resources, selector, service account, subject ----------------------------------------------------------------------------


def _quantities(text: str) -> dict[str, str]:
    out: dict[str, str] = {}
    for item in text.split(",") if text else ():
        parts = item.split("=")
        if len(parts) != 2:
            raise CommandError(f"Invalid argument syntax {item}, expected <resource>=<value>")
        try:
            out[parts[0]] = quantity.canonical(parts[1])
        except ValueError as error:
            raise CommandError(str(error)) from None
    return out


def run_resources(s: Session) -> int:
    """`kubectl set resources`."""
    values = s.values
    setter = Setter(s, values.args, "resource requirements updated", "failed to patch resources update to pod template")
    if not values.args and not values.items("filename") and not values.text("kustomize"):
        setter.builder.infos()
    _one_choice(s)
    if not values.text("limits") and not values.text("requests"):
        raise CommandError("you must specify an update to requests or limits (in the form of --requests/--limits)")
    wanted = {"limits": _quantities(values.text("limits")), "requests": _quantities(values.text("requests"))}

    def change(info: Info, obj: Obj) -> None:
        spec = pod_spec(info, obj)
        chosen = chosen_containers(spec, values.text("containers"))
        if not chosen:
            setter.problems.append(CommandError(f"error: unable to find container named {values.text('containers')}"))
        for item in chosen:
            resources = item.setdefault("resources", {})
            for section, changes in wanted.items():
                for name, value in changes.items():
                    resources.setdefault(section, {})[name] = value

    return setter.run(change)


def run_selector(s: Session) -> int:
    """`kubectl set selector`."""
    args = s.values.args
    if not args:
        raise CommandError("one selector is required")
    try:
        terms = selectors.parse_labels(args[-1]).terms
    except selectors.SelectorError as error:
        raise CommandError(f"couldn't parse the selector string {quote(args[-1])}: {error}") from None
    labels = {term.key: term.values[0] for term in terms if term.operator in ("=", "==")}
    names_of = {"in": "In", "notin": "NotIn", "!=": "NotIn", "exists": "Exists", "!": "DoesNotExist"}
    rest = [
        f"{{{term.key} {names_of[term.operator]} [{' '.join(sorted(term.values))}]}}"
        for term in terms
        if term.operator in names_of
    ]

    def change(info: Info, obj: Obj) -> None:
        if info.mapping.kind.kind != "Service":
            raise Plain("error: setting a selector is only supported for Services")
        if rest:
            raise Plain(f"error: match expression [{' '.join(rest)}] not supported on this object")
        obj["spec"]["selector"] = labels
        if s.values.text("resource-version"):
            obj["metadata"]["resourceVersion"] = s.values.text("resource-version")

    return Setter(s, args[:-1], "selector updated", even_equal=True).run(change)


def run_account(s: Session) -> int:
    """`kubectl set serviceaccount`."""
    args = s.values.args
    if not args:
        raise CommandError("serviceaccount is required")

    def change(info: Info, obj: Obj) -> None:
        pod_spec(info, obj)["serviceAccountName"] = args[-1]

    return Setter(s, args[:-1], "serviceaccount updated", "failed to patch ServiceAccountName", even_equal=True).run(change)


def run_subject(s: Session) -> int:
    """`kubectl set subject`."""
    values = s.values
    setter = Setter(s, values.args, "subjects updated", "failed to patch subjects to rolebinding:")
    infos = setter.builder.infos()
    raise_all(setter.builder.errors)
    _one_choice(s)
    group = "rbac.authorization.k8s.io"
    subjects: list[Obj] = [{"kind": "User", "apiGroup": group, "name": item} for item in values.items("user")]
    subjects += [{"kind": "Group", "apiGroup": group, "name": item} for item in values.items("group")]
    for item in values.items("serviceaccount"):
        namespace, colon, name = item.partition(":")
        if not colon or ":" in name or not name:
            raise CommandError("serviceaccount must be <namespace>:<name>")
        if not namespace and any(info.mapping.kind.kind == "ClusterRoleBinding" for info in infos):
            raise CommandError("serviceaccount must be <namespace>:<name>, namespace must be specified")
        namespace = namespace or s.namespace
        subjects.append({"kind": "ServiceAccount", "namespace": namespace, "name": name})
    if not subjects:
        raise CommandError("you must specify at least one value of user, group or serviceaccount")

    def change(info: Info, obj: Obj) -> None:
        if info.mapping.kind.kind not in ("RoleBinding", "ClusterRoleBinding"):
            raise CommandError("setting subjects is only supported for RoleBinding/ClusterRoleBinding")
        held = obj.setdefault("subjects", [])
        held += [item for item in subjects if item not in held]

    return setter.run(change)


NAMED = "Files, directories or URLs that name the resource."
PLAIN = (*print_flags(), Flag(name="local", kind="bool", usage="Change what the file has and do not ask the server."),
         Flag(name="all", kind="bool", usage="All resources of the given types in the namespace"), dry_run_flag(),
         field_manager_flag("kubectl-set"))  # fmt: skip
COMMON = (*PLAIN, *file_flags(NAMED), selector_flag())
CONTAINERS = Flag(name="containers", short="c", default="*", usage="Names of containers; '*' stands for any text")

COMMAND = Command(
    "set SUBCOMMAND",
    short="Set specific features on objects",
    long="Configure application resources.\n\n These commands help you make changes to existing application resources.",
    commands=(
        Command("env RESOURCE/NAME KEY_1=VAL_1 ... KEY_N=VAL_N", short="Update environment variables on a pod template",
                long="Update environment variables on a pod template.", example="# One variable\nkubectl set env deployment/registry STORAGE_DIR=/local",
                flags=(*COMMON, CONTAINERS, Flag(name="from", usage="A config map or secret to take variables from"),
                       Flag(name="prefix", usage="Text before each name"), Flag(name="env", short="e", kind="array", usage="A variable, key=value"),
                       Flag(name="keys", kind="strings", usage="Keys to take from --from"), Flag(name="list", kind="bool", usage="Print the variables"),
                       Flag(name="resolve", kind="bool", usage="With --list: print the values of references"),
                       Flag(name="overwrite", kind="bool", default=True, usage="Replace variables that are there already")), run=run_env),
        Command("image (-f FILENAME | TYPE NAME) CONTAINER_NAME_1=CONTAINER_IMAGE_1 ... CONTAINER_NAME_N=CONTAINER_IMAGE_N",
                short="Update the image of a pod template", long="Update existing container image(s) of resources.",
                example="# One container\nkubectl set image deployment/nginx nginx=nginx:1.9.1\n\n# Every container\nkubectl set image daemonset abc *=nginx:1.9.1",
                flags=(*COMMON, record_flag()), run=run_image),
        Command("resources (-f FILENAME | TYPE NAME)  ([--limits=LIMITS & --requests=REQUESTS]",
                short="Update resource requests/limits on objects with pod templates", long="Specify compute resource requirements for any resource that "
                "defines a pod template.", example="# Limits\nkubectl set resources deployment nginx --limits=cpu=200m,memory=512Mi",
                flags=(*COMMON, CONTAINERS, Flag(name="limits", usage="Limits, 'cpu=100m,memory=256Mi'; 0 removes one."),
                       Flag(name="requests", usage="Requests, 'cpu=100m,memory=256Mi'; 0 removes one."), record_flag()), run=run_resources),
        Command("selector (-f FILENAME | TYPE NAME) EXPRESSIONS [--resource-version=version]", short="Set the selector on a resource",
                long="Set the selector on a resource.", example="# A service\nkubectl set selector svc/web app=web",
                flags=(*PLAIN, filename_flag(NAMED), recursive_flag(default=True), Flag(name="resource-version", usage="Succeed only if this is the object's resourceVersion."), record_flag()),
                run=run_selector),
        Command("serviceaccount (-f FILENAME | TYPE NAME) SERVICE_ACCOUNT", aliases=("sa",), short="Update the service account of a resource",
                long="Update the service account of pod template resources.", example="# A deployment\nkubectl set serviceaccount deployment nginx robot",
                flags=(*PLAIN, *file_flags(NAMED), record_flag()), run=run_account),
        Command("subject (-f FILENAME | TYPE NAME) [--user=username] [--group=groupname] [--serviceaccount=namespace:serviceaccountname] "
                "[--dry-run=server|client|none]", short="Update the user, group, or service account in a role binding or cluster role binding",
                long="Update the user, group, or service account in a role binding or cluster role binding.",
                example="# Add a user\nkubectl set subject rolebinding admin --user=jane",
                flags=(*COMMON, Flag(name="user", kind="array", usage="A user; may be repeated"), Flag(name="group", kind="array", usage="A group"),
                       Flag(name="serviceaccount", kind="array", usage="A service account, namespace:name")), run=run_subject),
    ),
    run=group_run("stderr", 1),
)  # fmt: skip
