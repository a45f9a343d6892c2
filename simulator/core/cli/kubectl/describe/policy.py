"""RBAC, disruption budgets and autoscalers (`describe.go`, `util/rbac/rbac.go`)."""

from __future__ import annotations

from typing import Any

from ...flags import quote
from .doc import Doc, list_text, selector_text, time_text

Obj = dict[str, Any]


def compact_rules(rules: list[Obj]) -> list[Obj]:
    """Rules taken apart by resource and joined again by verbs, sorted (`CompactRules`)."""
    joined: dict[tuple[str, str, str, tuple[str, ...]], list[str]] = {}
    for rule in rules or ():
        names = rule.get("resourceNames") or [""]
        for group in rule.get("apiGroups") or ():
            for resource in rule.get("resources") or ():
                for name in names:
                    verbs = joined.setdefault((group, resource, name, ()), [])
                    verbs += [verb for verb in rule.get("verbs") or () if verb not in verbs]
    out: list[Obj] = []
    for (group, resource, name, urls), verbs in joined.items():
        out.append({"group": group, "resource": resource, "names": [name] if name else [], "urls": list(urls), "verbs": verbs})
    for rule in rules or ():
        for url in rule.get("nonResourceURLs") or ():
            out.append({"group": "", "resource": "", "names": [], "urls": [url], "verbs": list(rule.get("verbs") or ())})
    return sorted(out, key=rule_key)


def rule_key(rule: Obj) -> str:
    """What rules are sorted by: the text of the Go struct, verbs first."""
    groups = [rule["group"]] if rule["resource"] else []
    resources = [rule["resource"]] if rule["resource"] else []
    return (
        f"Verbs:{list_text(rule['verbs'])},APIGroups:{list_text(groups)},Resources:{list_text(resources)},ResourceNames:{list_text(rule['names'])},"
        f"NonResourceURLs:{list_text(rule['urls'])},"
    )


def policy_table(d: Doc, rules: list[Obj]) -> None:
    """The rows of `PolicyRule:`."""
    d.line(1, "Resources\tNon-Resource URLs\tResource Names\tVerbs")
    d.line(1, "---------\t-----------------\t--------------\t-----")
    for rule in compact_rules(rules):
        cells = [list_text(rule[key]) for key in ("urls", "names", "verbs")]
        d.line(1, "\t".join([rule_name(rule), *cells]))


def rule_name(rule: Obj) -> str:
    """`deployments.apps/scale`."""
    resource, _, sub = str(rule["resource"]).partition("/")
    if rule["group"] and resource:
        resource = f"{resource}.{rule['group']}"
    return f"{resource}/{sub}" if sub else resource


def role(d: Doc, obj: Obj) -> None:
    """A Role or ClusterRole."""
    d.head(obj, namespace=False)
    d.labels_and_annotations(obj)
    d.line(0, "PolicyRule:")
    policy_table(d, obj.get("rules") or [])


def binding(d: Doc, obj: Obj) -> None:
    """A RoleBinding or ClusterRoleBinding."""
    d.head(obj, namespace=False)
    d.labels_and_annotations(obj)
    d.line(0, "Role:")
    d.line(1, f"Kind:\t{obj['roleRef']['kind']}")
    d.line(1, f"Name:\t{obj['roleRef']['name']}")
    d.line(0, "Subjects:")
    d.line(1, "Kind\tName\tNamespace")
    d.line(1, "----\t----\t---------")
    for item in obj.get("subjects") or ():
        d.line(1, f"{item['kind']}\t{item['name']}\t{item.get('namespace', '')}")


def budget(d: Doc, obj: Obj) -> None:
    """A PodDisruptionBudget."""
    spec, status = obj.get("spec") or {}, obj.get("status") or {}
    d.head(obj)
    if spec.get("minAvailable") is not None:
        d.line(0, f"Min available:\t{spec['minAvailable']}")
    elif spec.get("maxUnavailable") is not None:
        d.line(0, f"Max unavailable:\t{spec['maxUnavailable']}")
    d.line(0, f"Selector:\t{selector_text(spec['selector']) if spec.get('selector') is not None else '<unset>'}")
    d.line(0, "Status:")
    for title, key in (("Allowed disruptions", "disruptionsAllowed"), ("Current", "currentHealthy"), ("Desired", "desiredHealthy"),
                       ("Total", "expectedPods")):  # fmt: skip
        d.line(2, f"{title}:\t{status.get(key, 0)}")
    d.events(obj)


def autoscaler(d: Doc, obj: Obj) -> None:
    """A HorizontalPodAutoscaler (v2)."""
    meta, spec, status = obj["metadata"], obj["spec"], obj.get("status") or {}
    d.head(obj)
    d.labels_and_annotations(obj)
    d.line(0, f"CreationTimestamp:\t{time_text(meta.get('creationTimestamp'))}")
    target = spec["scaleTargetRef"]
    d.line(0, f"Reference:\t{target['kind']}/{target['name']}")
    d.line(0, "Metrics:\t( current / target )")
    current = status.get("currentMetrics") or []
    for at, metric in enumerate(spec.get("metrics") or ()):
        d.line(1, _metric(metric, current[at] if at < len(current) else {}))
    d.line(0, f"Min replicas:\t{spec.get('minReplicas', '<unset>')}")
    d.line(0, f"Max replicas:\t{spec.get('maxReplicas', 0)}")
    if spec.get("behavior"):
        d.line(0, "Behavior:")
        for title, key in (("Scale Up", "scaleUp"), ("Scale Down", "scaleDown")):
            _behaviour(d, title, spec["behavior"].get(key))
    d.line(0, f"{target['kind']} pods:\t{status.get('currentReplicas', 0)} current / {status.get('desiredReplicas', 0)} desired")
    if status.get("conditions"):
        d.line(0, "Conditions:")
        d.line(1, "Type\tStatus\tReason\tMessage")
        d.line(1, "----\t------\t------\t-------")
        for item in status["conditions"]:
            d.line(1, f"{item['type']}\t{item['status']}\t{item.get('reason', '')}\t{item.get('message', '')}")
    d.events(obj)


def _metric(metric: Obj, now: Obj) -> str:
    kind = metric["type"]
    if kind in ("Resource", "ContainerResource"):
        key = "resource" if kind == "Resource" else "containerResource"
        found, have = metric[key], (now.get(key) or {}).get("current") or {}
        where = "on pods" if kind == "Resource" else f'of container "{found["container"]}" on pods'
        if found["target"].get("averageValue") is not None:
            return (
                f"resource {found['name']} {where}:\t{have.get('averageValue', '<unknown>')} / {found['target']['averageValue']}"
            )
        used = (
            f"{have['averageUtilization']}% ({have.get('averageValue')})"
            if have.get("averageUtilization") is not None
            else "<unknown>"
        )
        wanted = found["target"].get("averageUtilization")
        return f"resource {found['name']} {where}  (as a percentage of request):\t{used} / {'<auto>' if wanted is None else f'{wanted}%'}"
    key = kind[0].lower() + kind[1:]
    found, have = metric[key], (now.get(key) or {}).get("current") or {}
    name, target = quote(found["metric"]["name"]), found["target"]
    average = target.get("averageValue")
    value = f"{have.get('averageValue' if average else 'value', '<unknown>')} / {average or target.get('value')}"
    if kind == "Pods":
        return f"{name} on pods:\t{value}"
    if kind == "Object":
        name += f" on {found['describedObject']['kind']}/{found['describedObject']['name']}"
    return f"{name} (target {'average value' if average else 'value'}):\t{value}"


def _behaviour(d: Doc, title: str, rules: Obj | None) -> None:
    if not rules:
        return
    d.line(1, f"{title}:")
    if rules.get("stabilizationWindowSeconds") is not None:
        d.line(2, f"Stabilization Window: {rules['stabilizationWindowSeconds']} seconds")
    if rules.get("policies"):
        d.line(2, f"Select Policy: {rules.get('selectPolicy', 'Max')}")
        d.line(2, "Policies:")
        for item in rules["policies"]:
            d.line(3, f"- Type: {item['type']}\tValue: {item['value']}\tPeriod: {item['periodSeconds']} seconds")
