"""`kubectl create namespace | quota | poddisruptionbudget | priorityclass` (`create_namespace.go` …)."""

from __future__ import annotations

import re
from typing import Any

from ....kube.api import quantity, selectors
from ...cobra import Flag
from ...flags import quote
from ..errors import CommandError
from ..session import Session
from .base import generator, metadata

Obj = dict[str, Any]
#: What is wrong with operators that selectors of objects have not got (`metav1.ParseToLabelSelector`).
_UNFIT = {"gt": "isn't supported in label selectors", "lt": "isn't supported in label selectors"}


def namespace(s: Session, name: str) -> Obj:
    """A Namespace."""
    return {"kind": "Namespace", "apiVersion": "v1", "metadata": {"name": name}, "spec": {}, "status": {}}


def quota(s: Session, name: str) -> Obj:
    """A ResourceQuota."""
    hard: dict[str, str] = {}
    for item in s.values.text("hard").split(",") if s.values.text("hard") else ():
        parts = item.split("=")
        if len(parts) != 2:
            raise CommandError(f"Invalid argument syntax {item}, expected <resource>=<value>")
        try:
            hard[parts[0]] = quantity.canonical(parts[1])
        except ValueError as error:
            raise CommandError(str(error)) from None
    spec: Obj = {"hard": dict(sorted(hard.items()))} if hard else {}
    scopes = s.values.text("scopes")
    if scopes:
        listed = scopes.split(",")
        if "" in listed:
            raise CommandError('invalid resource quota scope ""')
        spec["scopes"] = listed
    return {"kind": "ResourceQuota", "apiVersion": "v1", "metadata": metadata(s, name), "spec": spec, "status": {}}


def budget(s: Session, name: str) -> Obj:
    """A PodDisruptionBudget."""
    values = s.values
    low, high = values.text("min-available"), values.text("max-unavailable")
    if not values.text("selector"):
        raise CommandError("a selector must be specified")
    if not low and not high:
        raise CommandError("one of min-available or max-unavailable must be specified")
    if low and high:
        raise CommandError("min-available and max-unavailable cannot be both specified")
    for flag, text in (("min-available", low), ("max-unavailable", high)):
        if text and not re.fullmatch(r"\d+%?", text):
            raise CommandError(f"invalid format specified for {flag}")
    try:
        parsed = selectors.parse_labels(values.text("selector"))
    except selectors.SelectorError as error:
        raise CommandError(f"couldn't parse the selector string {quote(values.text('selector'))}: {error}") from None
    labels: dict[str, str] = {}
    expressions: list[Obj] = []
    names = {"in": "In", "notin": "NotIn", "exists": "Exists", "!": "DoesNotExist"}
    for item in parsed.terms:
        if item.operator in ("=", "=="):
            labels[item.key] = item.values[0]
        else:
            if item.operator not in names:
                raise CommandError(
                    f"{quote(item.operator)} " + _UNFIT.get(item.operator, "is not a valid label selector operator")
                )
            found: Obj = {"key": item.key, "operator": names[item.operator]}
            expressions.append({**found, "values": list(item.values)} if item.values else found)
    selector: Obj = {"matchLabels": labels} if labels else {}
    if expressions:
        selector["matchExpressions"] = expressions
    bound = low or high
    amount: int | str = int(bound) if bound.isdigit() else bound
    spec: Obj = {"minAvailable": amount} if low else {}
    spec["selector"] = selector
    if high:
        spec["maxUnavailable"] = amount
    status = {"disruptionsAllowed": 0, "currentHealthy": 0, "desiredHealthy": 0, "expectedPods": 0}
    return {
        "kind": "PodDisruptionBudget",
        "apiVersion": "policy/v1",
        "metadata": metadata(s, name),
        "spec": spec,
        "status": status,
    }


def priority_class(s: Session, name: str) -> Obj:
    """A PriorityClass."""
    values = s.values
    out: Obj = {
        "kind": "PriorityClass",
        "apiVersion": "scheduling.k8s.io/v1",
        "metadata": {"name": name},
        "value": values.number("value"),
    }
    if values.on("global-default"):
        out["globalDefault"] = True
    if values.text("description"):
        out["description"] = values.text("description")
    out["preemptionPolicy"] = values.text("preemption-policy")
    return out


NAMESPACE = generator("namespace NAME [--dry-run=server|client|none]", "Create a namespace with the specified name", "namespaces", namespace,
                      aliases=("ns",))  # fmt: skip
QUOTA = generator(
    "quota NAME [--hard=key1=value1,key2=value2] [--scopes=Scope1,Scope2] [--dry-run=server|client|none]",
    "Create a quota with the specified name",
    "resourcequotas",
    quota,
    wrap="failed to create quota: ",
    aliases=("resourcequota",),
    flags=(
        Flag(name="hard", usage="resource=quantity pairs, separated by commas."),
        Flag(name="scopes", usage="Scopes that an object must match, separated by commas."),
    ),
)
PDB = generator(
    "poddisruptionbudget NAME --selector=SELECTOR --min-available=N [--dry-run=server|client|none]",
    "Create a pod disruption budget with the specified name",
    "poddisruptionbudgets.policy",
    budget,
    wrap="failed to create poddisruptionbudgets: ",
    aliases=("pdb",),
    flags=(
        Flag(name="min-available", usage="Pods, or a percentage, that must stay available."),
        Flag(name="max-unavailable", usage="Pods, or a percentage, that may be unavailable."),
        Flag(name="selector", usage="Label query of the pods."),
    ),
)
PRIORITYCLASS = generator(
    "priorityclass NAME --value=VALUE --global-default=BOOL [--dry-run=server|client|none]",
    "Create a priority class with the specified name",
    "priorityclasses.scheduling.k8s.io",
    priority_class,
    wrap="failed to create priorityclass: ",
    aliases=("pc",),
    flags=(
        Flag(name="value", kind="int32", usage="The priority."),
        Flag(name="global-default", kind="bool", usage="Whether this is the default priority."),
        Flag(name="description", usage="What the class is for."),
        Flag(name="preemption-policy", default="PreemptLowerPriority", usage="How pods of this class preempt others."),
    ),
)
