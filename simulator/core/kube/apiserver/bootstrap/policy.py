"""The bootstrap RBAC objects, read from `policy.txt` (`plugin/pkg/auth/authorizer/rbac/bootstrappolicy/policy.go`).

Parsed once a process and shared between worlds: frozen by convention.
"""

from __future__ import annotations

import pkgutil
from functools import lru_cache
from typing import Any

Obj = dict[str, Any]
RBAC = "rbac.authorization.k8s.io"
_AGGREGATE = RBAC + "/"
_LABELS = {"kubernetes.io/bootstrapping": "rbac-defaults"}
_ANNOTATIONS = {"rbac.authorization.kubernetes.io/autoupdate": "true"}
AUTHENTICATED, UNAUTHENTICATED = "system:authenticated", "system:unauthenticated"

#: Bindings of cluster roles to groups and users of the same name.
_GROUPS = (
    ("cluster-admin", ("system:masters",)),
    ("system:monitoring", ("system:monitoring",)),
    ("system:discovery", (AUTHENTICATED,)),
    ("system:basic-user", (AUTHENTICATED,)),
    ("system:public-info-viewer", (AUTHENTICATED, UNAUTHENTICATED)),
    ("system:service-account-issuer-discovery", ("system:serviceaccounts",)),
)
_USERS = (
    ("system:node-proxier", "system:kube-proxy"),
    ("system:kube-controller-manager", "system:kube-controller-manager"),
    ("system:kube-scheduler", "system:kube-scheduler"),
    ("system:volume-scheduler", "system:kube-scheduler"),
)
#: Role bindings: namespace, name, role, users, service accounts of kube-system.
_ROLE_BINDINGS = (
    ("kube-public", "system:controller:bootstrap-signer", "system:controller:bootstrap-signer", (), ("bootstrap-signer",)),
    ("kube-system", "system::extension-apiserver-authentication-reader", "extension-apiserver-authentication-reader",
     ("system:kube-controller-manager", "system:kube-scheduler"), ()),
    ("kube-system", "system::leader-locking-kube-controller-manager", "system::leader-locking-kube-controller-manager",
     ("system:kube-controller-manager",), ("kube-controller-manager", "leader-election-controller")),
    ("kube-system", "system::leader-locking-kube-scheduler", "system::leader-locking-kube-scheduler",
     ("system:kube-scheduler",), ("kube-scheduler",)),
    ("kube-system", "system:controller:bootstrap-signer", "system:controller:bootstrap-signer", (), ("bootstrap-signer",)),
    ("kube-system", "system:controller:cloud-provider", "system:controller:cloud-provider", (), ("cloud-provider",)),
    ("kube-system", "system:controller:token-cleaner", "system:controller:token-cleaner", (), ("token-cleaner",)),
)  # fmt: skip


def _meta(name: str, namespace: str = "", labels: dict[str, str] | None = None) -> Obj:
    meta: Obj = {"name": name}
    if namespace:
        meta["namespace"] = namespace
    meta["labels"] = {**_LABELS, **(labels or {})}
    meta["annotations"] = dict(_ANNOTATIONS)
    return meta


def _rule(line: str) -> Obj:
    parts = [part.strip() for part in line.split("|")]
    rule: Obj = {"verbs": parts[0].split(",")}
    if parts[1] == "@":
        rule["nonResourceURLs"] = parts[2].split(",")
        return rule
    rule["apiGroups"] = ["" if group == "core" else group for group in parts[1].split(",")]
    rule["resources"] = parts[2].split(",")
    if len(parts) > 3:
        rule["resourceNames"] = parts[3].split(",")
    return rule


def _role(words: list[str]) -> Obj:
    if words[0] == "role":
        return {"kind": "Role", "apiVersion": RBAC + "/v1", "metadata": _meta(words[2], words[1]), "rules": []}
    labels = {_AGGREGATE + word[1:]: "true" for word in words[2:] if word.startswith("+")}
    role: Obj = {"kind": "ClusterRole", "apiVersion": RBAC + "/v1", "metadata": _meta(words[1], labels=labels), "rules": []}
    if "aggregates" in words:
        label = _AGGREGATE + words[words.index("aggregates") + 1]
        role["aggregationRule"] = {"clusterRoleSelectors": [{"matchLabels": {label: "true"}}]}
    return role


@lru_cache(maxsize=1)
def objects() -> tuple[Obj, ...]:
    """Every bootstrap role and binding, roles first, each kind sorted by name as the real hook goes through them."""
    data = pkgutil.get_data(__package__, "policy.txt") or b""
    roles: list[Obj] = []
    for line in data.decode().splitlines():
        if line.startswith("#"):
            continue
        if line.startswith("  "):
            roles[-1]["rules"].append(_rule(line))
        else:
            roles.append(_role(line.split()))
    _aggregate(roles)
    cluster = [r for r in roles if r["kind"] == "ClusterRole"]
    local = [r for r in roles if r["kind"] == "Role"]
    return (*cluster, *_cluster_bindings(cluster), *local, *_role_bindings())


def _aggregate(roles: list[Obj]) -> None:
    """`admin`, `edit` and `view` start with the rules that the aggregation controller would give them."""
    labelled = [r for r in roles if r["kind"] == "ClusterRole" and "aggregationRule" not in r]
    order = ("view", "edit", "admin")
    for name in order:
        role = next(r for r in roles if r["metadata"]["name"] == name)
        (label,) = role["aggregationRule"]["clusterRoleSelectors"][0]["matchLabels"]
        parts = [r for r in labelled if label in r["metadata"]["labels"]]
        parts += [r for r in roles if r["metadata"]["name"] in order and r is not role and label in r["metadata"]["labels"]]
        seen: list[Obj] = []
        for part in sorted(parts, key=lambda r: str(r["metadata"]["name"])):
            seen.extend(rule for rule in part["rules"] if rule not in seen)
        role["rules"] = seen


def _subject(kind: str, name: str) -> Obj:
    if kind == "ServiceAccount":
        return {"kind": kind, "name": name, "namespace": "kube-system"}
    return {"kind": kind, "apiGroup": RBAC, "name": name}


def _binding(kind: str, meta: Obj, role_kind: str, role: str, subjects: list[Obj]) -> Obj:
    out: Obj = {"kind": kind, "apiVersion": RBAC + "/v1", "metadata": meta}
    if subjects:
        out["subjects"] = subjects
    out["roleRef"] = {"apiGroup": RBAC, "kind": role_kind, "name": role}
    return out


def _cluster_bindings(cluster: list[Obj]) -> list[Obj]:
    pairs: list[tuple[str, list[Obj]]] = [(name, [_subject("Group", g) for g in groups]) for name, groups in _GROUPS]
    pairs += [(name, [_subject("User", user)]) for name, user in _USERS]
    pairs += [("system:kube-dns", [_subject("ServiceAccount", "kube-dns")]), ("system:node", [])]
    prefix = "system:controller:"
    for role in cluster:
        name = role["metadata"]["name"]
        if name.startswith(prefix):
            pairs.append((name, [_subject("ServiceAccount", name.removeprefix(prefix))]))
    return [
        _binding("ClusterRoleBinding", _meta(name), "ClusterRole", name, subjects)
        for name, subjects in sorted(pairs, key=lambda p: p[0])
    ]


def _role_bindings() -> list[Obj]:
    out = []
    for namespace, name, role, users, accounts in _ROLE_BINDINGS:
        subjects = [_subject("User", user) for user in users] + [_subject("ServiceAccount", account) for account in accounts]
        out.append(_binding("RoleBinding", _meta(name, namespace), "Role", role, subjects))
    return out


def _node_rules() -> list[Obj]:
    for role in objects():
        if role["metadata"]["name"] == "system:node" and role["kind"] == "ClusterRole":
            rules: list[Obj] = role["rules"]
            return rules
    return []


#: The rules of `system:node`, which the Node authoriser grants.
NODE_RULES: list[Obj] = _node_rules()
