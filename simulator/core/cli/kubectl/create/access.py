"""`kubectl create role | clusterrole | rolebinding | clusterrolebinding | serviceaccount | token` (`create_role.go` …)."""

from __future__ import annotations

from typing import Any

from ....kube.api.errors import ApiError
from ....kube.api.kinds import KindInfo
from ...cobra import Command, Flag
from ..errors import CommandError, Plain, UsageError
from ..flagsets import print_flags
from ..printers import Output
from ..session import Session
from .base import generator, metadata

Obj = dict[str, Any]
RBAC = "rbac.authorization.k8s.io"
RESOURCE_VERBS = ("get", "list", "watch", "create", "update", "patch", "delete", "deletecollection", "use", "bind", "impersonate", "approve",
                  "sign", "escalate", "attest")  # fmt: skip
SPECIAL: dict[str, tuple[tuple[str, str], ...]] = {
    "use": (("podsecuritypolicies", "policy"), ("podsecuritypolicies", "extensions")),
    "bind": (("roles", RBAC), ("clusterroles", RBAC)),
    "escalate": (("roles", RBAC), ("clusterroles", RBAC)),
    "impersonate": (("users", ""), ("serviceaccounts", ""), ("groups", ""), ("userextras", "authentication.k8s.io")),
    "approve": (("signers", "certificates.k8s.io"),),
    "sign": (("signers", "certificates.k8s.io"),),
    "attest": (("signers", "certificates.k8s.io"),),
}


def _resource(s: Session, word: str) -> tuple[str, str, str]:
    """Plural, group and subresource of `--resource`."""
    name, _, sub = word.partition("/")
    plural, _, group = name.partition(".")
    if plural == "*":
        return "*", group, sub
    if not plural:
        raise CommandError("resource must be specified if apiGroup/subresource specified")
    found = s.mapper.find(name)
    if found is None:
        for rows in SPECIAL.values():
            if (plural, group) in rows:
                return plural, group, sub
        where = f' in group "{group}"' if group else ""
        raise Plain(f'the server doesn\'t have a resource type "{plural}"{where}')
    return found.kind.plural, found.kind.group, sub


def _verbs(verbs: list[str]) -> list[str]:
    out = list(dict.fromkeys(verbs))
    if "*" in out:
        return ["*"]
    return out


def _rules(s: Session) -> list[Obj]:
    values = s.values
    verbs = _verbs(values.items("verb"))
    if not verbs:
        raise CommandError("at least one verb must be specified")
    for verb in verbs:
        if (
            verb != "*"
            and verb not in RESOURCE_VERBS
            and not (values.has("non-resource-url") and values.items("non-resource-url"))
        ):
            s.err(f"Warning: '{verb}' is not a standard resource verb\n")
    if not values.items("resource"):
        return []
    groups: dict[str, list[str]] = {}
    for word in dict.fromkeys(values.items("resource")):
        plural, group, sub = _resource(s, word)
        groups.setdefault(group, [])
        name = f"{plural}/{sub}" if sub else plural
        if name not in groups[group]:
            groups[group].append(name)
    out = []
    for group in sorted(groups):
        rule: Obj = {"verbs": verbs, "apiGroups": [group], "resources": groups[group]}
        if values.items("resource-name"):
            rule["resourceNames"] = list(dict.fromkeys(values.items("resource-name")))
        out.append(rule)
    return out


def role(s: Session, name: str) -> Obj:
    """A Role with one rule a group."""
    rules = _rules(s)
    if not rules:
        raise CommandError("at least one resource must be specified")
    return {"kind": "Role", "apiVersion": f"{RBAC}/v1", "metadata": metadata(s, name), "rules": rules}


def cluster_role(s: Session, name: str) -> Obj:
    """A ClusterRole; rules, or an aggregation."""
    values = s.values
    head: Obj = {"kind": "ClusterRole", "apiVersion": f"{RBAC}/v1", "metadata": metadata(s, name, namespaced=False)}
    if values.mapping("aggregation-rule"):
        if values.items("non-resource-url") or values.items("verb") or values.items("resource") or values.items("resource-name"):
            raise CommandError("aggregation rule must be specified without nonResourceURLs, verbs, resources or resourceNames")
        return {
            **head,
            "rules": None,
            "aggregationRule": {"clusterRoleSelectors": [{"matchLabels": values.mapping("aggregation-rule")}]},
        }
    if not values.items("verb"):
        raise CommandError("at least one verb must be specified")
    urls = values.items("non-resource-url")
    if not values.items("resource") and not urls:
        raise CommandError("one of resource or nonResourceURL must be specified")
    for verb in values.items("verb") if urls else ():
        if verb not in ("*", "get", "put", "post", "head", "options", "delete", "patch"):
            raise CommandError(f"invalid verb: '{verb}' for nonResourceURL")
    for url in urls:
        if url != "*" and not url.startswith("/"):
            raise CommandError("nonResourceURL should start with /")
        if "*" in url[:-1]:
            raise CommandError("nonResourceURL only supports wildcard matches when '*' is at the end")
    rules = _rules(s)
    if urls:
        rules.append({"verbs": _verbs(values.items("verb")), "nonResourceURLs": urls})
    return {**head, "rules": rules}


def _subjects(s: Session) -> list[Obj]:
    values = s.values
    out: list[Obj] = [{"kind": "User", "apiGroup": RBAC, "name": item} for item in values.items("user")]
    out += [{"kind": "Group", "apiGroup": RBAC, "name": item} for item in values.items("group")]
    for item in values.items("serviceaccount"):
        namespace, colon, name = item.partition(":")
        if not colon or not namespace or not name or ":" in name:
            raise CommandError("serviceaccount must be <namespace>:<name>")
        out.append({"kind": "ServiceAccount", "name": name, "namespace": namespace})
    return out


def role_binding(s: Session, name: str) -> Obj:
    """A RoleBinding."""
    values = s.values
    cluster, local = values.text("clusterrole"), values.text("role")
    if bool(cluster) == bool(local):
        raise CommandError("exactly one of clusterrole or role must be specified")
    out: Obj = {"kind": "RoleBinding", "apiVersion": f"{RBAC}/v1", "metadata": metadata(s, name)}
    subjects = _subjects(s)
    if subjects:
        out["subjects"] = subjects
    out["roleRef"] = {"apiGroup": RBAC, "kind": "Role" if local else "ClusterRole", "name": local or cluster}
    return out


def cluster_role_binding(s: Session, name: str) -> Obj:
    """A ClusterRoleBinding."""
    out: Obj = {"kind": "ClusterRoleBinding", "apiVersion": f"{RBAC}/v1", "metadata": metadata(s, name, namespaced=False)}
    subjects = _subjects(s)
    if subjects:
        out["subjects"] = subjects
    out["roleRef"] = {"apiGroup": RBAC, "kind": "ClusterRole", "name": s.values.text("clusterrole")}
    return out


SUBJECTS = (
    Flag(name="user", kind="array", usage="A user to bind; may be repeated."),
    Flag(name="group", kind="array", usage="A group to bind; may be repeated."),
    Flag(name="serviceaccount", kind="array", usage="A service account to bind, <namespace>:<name>; may be repeated."),
)
RULE = (
    Flag(name="verb", kind="strings", usage="Verb of the rule; may be repeated."),
    Flag(name="resource", kind="strings", usage="Resource of the rule; may be repeated."),
    Flag(name="resource-name", kind="array", usage="Name that the rule is for; may be repeated."),
)

ROLE = generator(
    "role NAME --verb=verb --resource=resource.group/subresource [--resource-name=resourcename] [--dry-run=server|client|none]",
    "Create a role with single rule",
    "roles." + RBAC,
    role,
    flags=RULE,
)
CLUSTERROLE = generator(
    "clusterrole NAME --verb=verb --resource=resource.group [--resource-name=resourcename] [--dry-run=server|client|none]",
    "Create a cluster role",
    "clusterroles." + RBAC,
    cluster_role,
    flags=(
        *RULE,
        Flag(name="non-resource-url", kind="strings", usage="A URL path that the rule is for."),
        Flag(name="aggregation-rule", kind="pairs", shown=" ", usage="Labels of the ClusterRoles to combine."),
    ),
)
ROLEBINDING = generator(
    "rolebinding NAME --clusterrole=NAME|--role=NAME [--user=username] [--group=groupname] [--serviceaccount=namespace:serviceaccountname] "
    "[--dry-run=server|client|none]",
    "Create a role binding for a particular role or cluster role",
    "rolebindings." + RBAC,
    role_binding,
    wrap="failed to create rolebinding: ",
    flags=(Flag(name="clusterrole", usage="The ClusterRole to bind"), Flag(name="role", usage="The Role to bind"), *SUBJECTS),
)
CLUSTERROLEBINDING = generator(
    "clusterrolebinding NAME --clusterrole=NAME [--user=username] [--group=groupname] [--serviceaccount=namespace:serviceaccountname] "
    "[--dry-run=server|client|none]",
    "Create a cluster role binding for a particular cluster role",
    "clusterrolebindings." + RBAC,
    cluster_role_binding,
    wrap="failed to create clusterrolebinding: ",
    flags=(Flag(name="clusterrole", required=True, usage="The ClusterRole to bind"), *SUBJECTS),
)
SERVICEACCOUNT = generator(
    "serviceaccount NAME [--dry-run=server|client|none]",
    "Create a service account with the specified name",
    "serviceaccounts",
    lambda s, name: {"kind": "ServiceAccount", "apiVersion": "v1", "metadata": metadata(s, name)},
    wrap="failed to create serviceaccount: ",
    aliases=("sa",),
)


def run_token(s: Session) -> int:
    """`kubectl create token`."""
    values = s.values
    if len(values.args) != 1:
        raise UsageError(s.command, f"exactly one NAME is required, got {len(values.args)}")
    duration = values.number("duration")
    if duration < 0:
        raise CommandError("--duration must be greater than or equal to 0")
    if duration % 10**9:
        raise CommandError("--duration cannot be expressed in units less than seconds")
    kinds: dict[str, str] = {"Pod": "v1", "Secret": "v1", "Node": "v1"}
    bound = values.text("bound-object-kind")
    if not bound and (values.text("bound-object-name") or values.text("bound-object-uid")):
        word = "name" if values.text("bound-object-name") else "uid"
        raise CommandError(f"--bound-object-{word} can only be set if --bound-object-kind is provided")
    if bound and bound not in kinds:
        raise CommandError(f"supported --bound-object-kind values are {', '.join(sorted(kinds))}")
    if bound and not values.text("bound-object-name"):
        raise CommandError("--bound-object-name is required if --bound-object-kind is provided")
    spec: Obj = {
        "audiences": values.items("audience") or None,
        "expirationSeconds": duration // 10**9 if duration else None,
        "boundObjectRef": None,
    }
    if bound:
        ref = {
            "kind": bound,
            "apiVersion": kinds[bound],
            "name": values.text("bound-object-name"),
            "uid": values.text("bound-object-uid"),
        }
        spec["boundObjectRef"] = {key: value for key, value in ref.items() if value}
    request = {"kind": "TokenRequest", "apiVersion": "authentication.k8s.io/v1", "metadata": {},
               "spec": {key: value for key, value in spec.items() if value is not None}}  # fmt: skip
    kind: KindInfo = s.kind("serviceaccounts")
    try:
        answer = s.call("POST", kind.path(s.namespace, values.args[0], "token"), obj=request)
    except ApiError as error:
        raise CommandError(f"failed to create token: {error.message}") from None
    output = Output(s, typed=True)
    if output.given:
        output.print(answer)
    else:
        s.out(answer["status"]["token"] + "\n")
    return 0


TOKEN = Command(
    "token SERVICE_ACCOUNT_NAME",
    short="Request a service account token",
    long="Request a service account token.",
    example="# A token of service account myapp\nkubectl create token myapp\n\n# Valid for ten minutes\nkubectl create token myapp --duration 10m",
    flags=(
        *print_flags(),
        Flag(name="audience", kind="array", usage="Audience of the token; may be repeated."),
        Flag(name="duration", kind="duration", usage="Lifetime to ask for; the server may give another."),
        Flag(name="bound-object-kind", usage="Kind of the object that the token dies with: Node, Pod, Secret."),
        Flag(name="bound-object-name", usage="Its name."),
        Flag(name="bound-object-uid", usage="Its UID."),
    ),
    run=run_token,
)
