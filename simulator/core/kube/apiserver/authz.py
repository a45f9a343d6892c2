"""May they: the `Node` and `RBAC` authorisers behind the `system:masters` short cut (`plugin/pkg/auth/authorizer`).

RBAC rules of a user are collected once and kept until a role or binding changes (a revision per RBAC prefix), and the
verdict of each (user, verb, resource, …) is kept with them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from ..api.errors import ApiError
from ..api.selectors import FieldTerm
from . import node_authorizer
from .call import User

if TYPE_CHECKING:
    from .server import Server

Obj = dict[str, Any]
#: The rules that a binding gives, the binding, its subject that is the user, and its namespace ("" for a ClusterRoleBinding).
Grant = tuple[list[Obj], Obj, Obj, str]
MASTERS = "system:masters"
PREFIXES = ("roles/", "rolebindings/", "clusterroles/", "clusterrolebindings/")
HEALTH = (["healthz"], ["livez"], ["readyz"])


class Attributes(msgspec.Struct, frozen=True):
    """What is to be authorised."""

    user: User
    verb: str
    group: str = ""
    resource: str = ""
    subresource: str = ""
    namespace: str = ""
    name: str = ""
    path: str = ""
    version: str = ""
    #: Terms of the field selector of a list, watch or deletecollection.
    fields: tuple[FieldTerm, ...] = ()

    @property
    def full_resource(self) -> str:
        """`pods` or `pods/log`."""
        return f"{self.resource}/{self.subresource}" if self.subresource else self.resource


class Authorizer:
    """One server's authorisers."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self._stamp: Any = None
        self._verdicts: dict[Attributes, tuple[bool, str]] = {}
        self._grants: dict[tuple[User, str], list[Grant]] = {}
        self._bindings: list[tuple[str, Obj]] = []
        self._roles: dict[tuple[str, str], list[Obj]] = {}

    def allowed(self, asked: Attributes) -> tuple[bool, str]:
        """(whether, why or why not).  RBAC says which binding allows it (`rbac.go`: RBACAuthorizer.Authorize), the others say nothing."""
        if MASTERS in asked.user.groups:
            return True, ""
        modes = self.server.config.authorization_modes
        if "AlwaysAllow" in modes:
            return True, ""
        if "RBAC" in modes:
            try:
                self._refresh()
            except ApiError:
                if asked.path.split("/")[1:2] not in HEALTH:
                    raise
                return True, ""  # the bootstrap policy lets everybody ask, and nothing else is known
            found = self._verdicts.get(asked)
            if found is None:
                if len(self._verdicts) > 20_000:
                    self._verdicts.clear()
                found = self._verdicts[asked] = self._rbac(asked)
            if found[0]:
                return found
        else:
            found = (False, "")
        if "Node" in modes and node_authorizer.is_node(asked.user):
            return node_authorizer.allowed(self.server, asked)
        return found

    # -- RBAC -----------------------------------------------------------------------------------------------------------
    def _refresh(self) -> None:
        """Reload roles and bindings when one of them has changed since the last look."""
        stamp = self.server.rbac_stamp()
        if stamp == self._stamp:
            return
        copies = [self.server.copy(prefix) for prefix in PREFIXES]
        if not all(fresh for _, fresh in copies):
            if self._stamp is not None:
                return  # etcd is away: what is known goes on to hold, as in the real informers
            stamp = ()
        self._stamp = stamp
        roles, role_bindings, cluster_roles, cluster_bindings = (found for found, _ in copies)
        self._verdicts.clear()
        self._grants.clear()
        self._roles = {("", r["metadata"]["name"]): r.get("rules") or [] for r in cluster_roles}
        self._roles.update({(r["metadata"]["namespace"], r["metadata"]["name"]): r.get("rules") or [] for r in roles})
        self._bindings = [("", b) for b in cluster_bindings] + [(b["metadata"]["namespace"], b) for b in role_bindings]

    def rules(self, user: User, namespace: str) -> list[Obj]:
        """Every rule that applies to a user in a namespace ("": cluster-wide rules only)."""
        self._refresh()
        return [rule for rules, _, _, _ in self._granted(user, namespace) for rule in rules]

    def _granted(self, user: User, namespace: str) -> list[Grant]:
        """What every binding that names the user gives in a namespace; kept until a role or binding changes."""
        known = self._grants.get((user, namespace))
        if known is not None:
            return known
        out: list[Grant] = []
        for scope, binding in self._bindings:
            if scope and scope != namespace:
                continue
            subject = next((one for one in binding.get("subjects") or () if applies(one, user, scope)), None)
            if subject is not None:
                ref = binding["roleRef"]
                out.append((self._roles.get((scope if ref["kind"] == "Role" else "", ref["name"]), []), binding, subject, scope))
        if len(self._grants) > 2_000:
            self._grants.clear()
        self._grants[user, namespace] = out
        return out

    def _rbac(self, asked: Attributes) -> tuple[bool, str]:
        for rules, binding, subject, scope in self._granted(asked.user, asked.namespace):
            if any(rule_allows(rule, asked) for rule in rules):
                return True, f"RBAC: allowed by {describe(binding, subject, scope)}"
        return False, ""


def describe(binding: Obj, subject: Obj, namespace: str) -> str:
    """A binding in the authoriser's words (`pkg/registry/rbac/validation/rule.go`: describers)."""
    ref, name = binding["roleRef"], binding["metadata"]["name"]
    kind, shown = ("RoleBinding", f"{name}/{namespace}") if namespace else ("ClusterRoleBinding", name)
    who = subject.get("name", "")
    if subject.get("kind") == "ServiceAccount":
        who = f"{who}/{subject.get('namespace') or namespace}"
    return f'{kind} "{shown}" of {ref["kind"]} "{ref["name"]}" to {subject.get("kind")} "{who}"'


def applies(subject: Obj, user: User, namespace: str) -> bool:
    """Whether a binding's subject is this user (`appliesToUser`)."""
    kind, name = subject.get("kind"), subject.get("name", "")
    if kind == "User":
        return bool(name == user.name)
    if kind == "Group":
        return name in user.groups
    where = subject.get("namespace") or namespace
    return bool(kind == "ServiceAccount" and where and user.name == f"system:serviceaccount:{where}:{name}")


def rule_allows(rule: Obj, asked: Attributes) -> bool:
    """`RuleAllows` of `plugin/pkg/auth/authorizer/rbac/rbac.go`."""
    verbs = rule.get("verbs") or ()
    if "*" not in verbs and asked.verb not in verbs:
        return False
    if not asked.resource:
        return any(_path_matches(pattern, asked.path) for pattern in rule.get("nonResourceURLs") or ())
    groups = rule.get("apiGroups") or ()
    if "*" not in groups and asked.group not in groups:
        return False
    resources = rule.get("resources") or ()
    named = "*" in resources or asked.full_resource in resources
    if not named and (not asked.subresource or f"*/{asked.subresource}" not in resources):
        return False
    allowed = rule.get("resourceNames") or ()
    return not allowed or asked.name in allowed


def _path_matches(pattern: str, path: str) -> bool:
    return pattern == "*" or pattern == path or (pattern.endswith("*") and path.startswith(pattern.rstrip("*")))


def explain(asked: Attributes) -> str:
    """The reason of a 403 (`responsewriters.forbiddenMessage`)."""
    who = f'User "{asked.user.name}"'
    if not asked.resource:
        return f'{who} cannot {asked.verb} path "{asked.path}"'
    text = f'{who} cannot {asked.verb} resource "{asked.full_resource}" in API group "{asked.group}"'
    if asked.namespace:
        return f'{text} in the namespace "{asked.namespace}"'
    return f"{text} at the cluster scope"
