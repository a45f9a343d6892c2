"""Validation of pods and pod templates (`pkg/apis/core/validation/validation.go`): the parts that users meet."""

from __future__ import annotations

from typing import Any

from ...api import internal, names, quantity
from ...api.errors import FieldError, duplicate, forbidden_field, invalid_value, not_found_field, not_supported, required
from . import affinity, meta, podparts
from .quotas import STANDARD

Obj = dict[str, Any]

PULL_POLICIES = ("Always", "IfNotPresent", "Never")
RESTART_POLICIES = ("Always", "OnFailure", "Never")
DNS_POLICIES = ("ClusterFirst", "ClusterFirstWithHostNet", "Default", "None")
UPDATABLE = (
    "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,"
    "`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),"
    "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)"
)


def pod(obj: Obj) -> list[FieldError]:
    """`ValidatePodCreate`."""
    return pod_spec(obj.get("spec") or {}, "spec")


def template(obj: Obj | None, path: str) -> list[FieldError]:
    """`ValidatePodTemplateSpec`."""
    if obj is None:
        return [required(path)]
    held = obj.get("metadata") or {}
    out = meta.check_labels(held.get("labels"), f"{path}.labels") + meta.check_annotations(
        held.get("annotations"), f"{path}.annotations"
    )
    out += pod_spec(obj.get("spec") or {}, f"{path}.spec")
    if (obj.get("spec") or {}).get("ephemeralContainers"):
        out.append(forbidden_field(f"{path}.spec.ephemeralContainers", "ephemeral containers not allowed in pod template"))
    return out


def pod_spec(spec: Obj, path: str) -> list[FieldError]:
    """`ValidatePodSpec`."""
    out, volumes = _volumes(spec.get("volumes") or (), f"{path}.volumes")
    seen: set[str] = set()
    out += _containers(spec.get("containers") or (), f"{path}.containers", volumes, seen, spec)
    out += _containers(spec.get("initContainers") or (), f"{path}.initContainers", volumes, seen, spec, initial=True)
    out += _ephemeral(spec, f"{path}.ephemeralContainers", volumes, seen)
    out += podparts.host_ports(spec, path)
    if spec.get("restartPolicy") not in RESTART_POLICIES:
        out.append(not_supported(f"{path}.restartPolicy", spec.get("restartPolicy", ""), RESTART_POLICIES))
    if spec.get("dnsPolicy") not in DNS_POLICIES:
        out.append(not_supported(f"{path}.dnsPolicy", spec.get("dnsPolicy", ""), DNS_POLICIES))
    for key, value in sorted((spec.get("nodeSelector") or {}).items()):
        out += [invalid_value(f"{path}.nodeSelector", key, text) for text in names.qualified_name(key)]
        out += [invalid_value(f"{path}.nodeSelector", value, text) for text in names.label_value(value)]
    out += podparts.pod_context(spec, f"{path}.securityContext")
    out += affinity.affinity(spec.get("affinity") or {}, f"{path}.affinity")
    out += podparts.dns(spec, f"{path}.dnsConfig")
    for i, gate in enumerate(spec.get("readinessGates") or ()):
        kind = gate.get("conditionType") or ""
        out += [invalid_value(f"{path}.readinessGates[{i}].conditionType", kind, text) for text in names.qualified_name(kind)]
    out += affinity.spread(spec.get("topologySpreadConstraints") or (), f"{path}.topologySpreadConstraints")
    for name in ("serviceAccountName", "nodeName"):
        if spec.get(name):
            out += [invalid_value(f"{path}.{name}", spec[name], text) for text in names.dns_subdomain(spec[name])]
    deadline = spec.get("activeDeadlineSeconds")
    if deadline is not None and not 1 <= deadline <= 2147483647:
        out.append(invalid_value(f"{path}.activeDeadlineSeconds", deadline, "must be between 1 and 2147483647, inclusive"))
    for name in ("hostname", "subdomain"):
        if spec.get(name):
            out += [invalid_value(f"{path}.{name}", spec[name], text) for text in names.dns_label(spec[name])]
    out += affinity.tolerations(spec.get("tolerations") or (), f"{path}.tolerations")
    out += podparts.host_aliases(spec.get("hostAliases") or (), f"{path}.hostAliases")
    if spec.get("priorityClassName"):
        out += [
            invalid_value(f"{path}.priorityClassName", spec["priorityClassName"], t)
            for t in names.dns_subdomain(spec["priorityClassName"])
        ]
    if spec.get("runtimeClassName"):
        name = spec["runtimeClassName"]
        out += [invalid_value(f"{path}.runtimeClassName", name, text) for text in names.dns_subdomain(name)]
    if spec.get("preemptionPolicy") not in (None, "PreemptLowerPriority", "Never"):
        out.append(not_supported(f"{path}.preemptionPolicy", spec["preemptionPolicy"], ("PreemptLowerPriority", "Never")))
    return out


def _volumes(held: Any, path: str) -> tuple[list[FieldError], dict[str, Obj]]:
    out: list[FieldError] = []
    found: dict[str, Obj] = {}
    for i, item in enumerate(held):
        name, at = item.get("name", ""), f"{path}[{i}]"
        out += podparts.source(item, at)
        if not name:
            out.append(required(f"{at}.name"))
        else:
            out += [invalid_value(f"{at}.name", name, text) for text in names.dns_label(name)]
            if name in found:
                out.append(duplicate(f"{at}.name", name))
        found[name] = item
    return out, found


def _containers(
    held: Any, path: str, volumes: dict[str, Obj], seen: set[str], spec: Obj, *, initial: bool = False, first: int = 0
) -> list[FieldError]:
    out: list[FieldError] = []
    if not held and not initial:
        return [required(path)]
    for i, item in enumerate(held, first):
        at = f"{path}[{i}]"
        name = item.get("name", "")
        if not name:
            out.append(required(f"{at}.name"))
        else:
            out += [invalid_value(f"{at}.name", name, text) for text in names.dns_label(name)]
        if name and name in seen:
            out.append(duplicate(f"{at}.name", name))
        seen.add(name)
        image = item.get("image", "")
        if not image:
            out.append(required(f"{at}.image"))
        elif image != image.strip():
            out.append(invalid_value(f"{at}.image", image, "must not have leading or trailing whitespace"))
        out += _container(item, at, volumes, initial=initial, grace=spec.get("terminationGracePeriodSeconds"))
    if not initial:
        out += _ports_conflict(spec, path.rpartition(".")[0])
    return out


#: What an ephemeral container has not got (`allowedEphemeralContainerFields`).
NOT_EPHEMERAL = (
    "ports",
    "resources",
    "resizePolicy",
    "restartPolicy",
    "livenessProbe",
    "readinessProbe",
    "startupProbe",
    "lifecycle",
)


def _ephemeral(spec: Obj, path: str, volumes: dict[str, Obj], seen: set[str]) -> list[FieldError]:
    """`validateEphemeralContainers`."""
    out: list[FieldError] = []
    others, text = set(seen), "cannot be set for an Ephemeral Container"
    for i, item in enumerate(spec.get("ephemeralContainers") or ()):
        at, target = f"{path}[{i}]", item.get("targetContainerName")
        out += _containers([item], path, volumes, set(), spec, initial=True, first=i)
        if item.get("name") in seen:
            out.append(duplicate(f"{at}.name", item["name"]))
        seen.add(item.get("name", ""))
        if target and target not in others:
            out.append(not_found_field(f"{at}.targetContainerName", target))
        out += [forbidden_field(f"{at}.{member}", text) for member in NOT_EPHEMERAL if item.get(member)]
        for n, mount in enumerate(item.get("volumeMounts") or ()):
            out += [forbidden_field(f"{at}.volumeMounts[{n}].{m}", text) for m in ("subPath", "subPathExpr") if mount.get(m)]
    return out


def _container(item: Obj, at: str, volumes: dict[str, Obj], *, initial: bool, grace: int | None = None) -> list[FieldError]:
    out: list[FieldError] = []
    sidecar = item.get("restartPolicy") == "Always"
    policy = item.get("terminationMessagePolicy", "File")
    if policy not in ("File", "FallbackToLogsOnError"):
        out.append(not_supported(f"{at}.terminationMessagePolicy", policy, ("File", "FallbackToLogsOnError")))
    if "restartPolicy" in item or "restartPolicyRules" in item:
        out += podparts.restarts(item, at)
    out += _ports(item.get("ports") or (), f"{at}.ports")
    out += _env(item.get("env") or (), f"{at}.env")
    out += podparts.env_from(item.get("envFrom") or (), f"{at}.envFrom")
    out += _mounts(item.get("volumeMounts") or (), f"{at}.volumeMounts", volumes)
    if item.get("imagePullPolicy") not in PULL_POLICIES:
        out.append(not_supported(f"{at}.imagePullPolicy", item.get("imagePullPolicy", ""), PULL_POLICIES))
    out += resources(item.get("resources") or {}, f"{at}.resources")
    out += podparts.container_context(item.get("securityContext"), f"{at}.securityContext")
    for name in ("postStart", "preStop"):
        hook = (item.get("lifecycle") or {}).get(name)
        if hook is not None:
            out += podparts.handler(hook, f"{at}.lifecycle.{name}", grace)
    for name in ("livenessProbe", "readinessProbe", "startupProbe"):
        if item.get(name) is not None:
            if initial and not sidecar:
                out.append(forbidden_field(f"{at}.{name}", "may not be set for init containers without restartPolicy=Always"))
            else:
                out += _probe(item[name], f"{at}.{name}")
                if name != "readinessProbe" and item[name].get("successThreshold", 1) != 1:
                    out.append(invalid_value(f"{at}.{name}.successThreshold", item[name]["successThreshold"], "must be 1"))
    return out


def _probe(probe: Obj, at: str) -> list[FieldError]:
    out: list[FieldError] = []
    out += podparts.handler(probe, at)
    for name in ("initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold"):
        if probe.get(name, 0) < 0:
            out.append(invalid_value(f"{at}.{name}", probe[name], "must be greater than or equal to 0"))
    return out


def _ports(held: Any, path: str) -> list[FieldError]:
    out: list[FieldError] = []
    seen: set[str] = set()
    for i, port in enumerate(held):
        at = f"{path}[{i}]"
        name = port.get("name", "")
        if name:
            out += [invalid_value(f"{at}.name", name, text) for text in names.port_name(name)]
            if name in seen:
                out.append(duplicate(f"{at}.name", name))
            seen.add(name)
        number = port.get("containerPort", 0)
        if not number:
            out.append(required(f"{at}.containerPort"))
        else:
            out += [invalid_value(f"{at}.containerPort", number, text) for text in names.port_number(number)]
        if port.get("hostPort"):
            out += [invalid_value(f"{at}.hostPort", port["hostPort"], text) for text in names.port_number(port["hostPort"])]
        if port.get("protocol") not in ("TCP", "UDP", "SCTP"):
            out.append(not_supported(f"{at}.protocol", port.get("protocol", ""), ("SCTP", "TCP", "UDP")))
    return out


def _ports_conflict(spec: Obj, path: str) -> list[FieldError]:
    out: list[FieldError] = []
    seen: set[tuple[int, str, str]] = set()
    for i, item in enumerate(spec.get("containers") or ()):
        for j, port in enumerate(item.get("ports") or ()):
            number = port.get("hostPort", 0)
            if not number:
                continue
            key = (number, port.get("protocol", "TCP"), port.get("hostIP", ""))
            if key in seen:
                out.append(duplicate(f"{path}.containers[{i}].ports[{j}].hostPort", f"{key[1]}/{key[2]}/{number}"))
            seen.add(key)
    return out


def _env(held: Any, path: str) -> list[FieldError]:
    out: list[FieldError] = []
    for i, item in enumerate(held):
        at = f"{path}[{i}]"
        if not item.get("name"):
            out.append(required(f"{at}.name"))
        else:
            out += [invalid_value(f"{at}.name", item["name"], text) for text in names.relaxed_env_name(item["name"])]
        if item.get("valueFrom") is not None:
            out += podparts.value_from(item, f"{at}.valueFrom")
    return out


def _mounts(held: Any, path: str, volumes: dict[str, Obj]) -> list[FieldError]:
    out: list[FieldError] = []
    seen: set[str] = set()
    for i, item in enumerate(held):
        at = f"{path}[{i}]"
        name, where = item.get("name", ""), item.get("mountPath", "")
        if not name:
            out.append(required(f"{at}.name"))
        elif name not in volumes:
            out.append(not_found_field(f"{at}.name", name))
        if not where:
            out.append(required(f"{at}.mountPath"))
        elif where in seen:
            out.append(invalid_value(f"{at}.mountPath", where, "must be unique"))
        seen.add(where)
        if item.get("subPath"):  # the error names the list, as the real one does
            out += podparts.descending(item["subPath"], f"{path}.subPath")
    return out


def resources(held: Obj, path: str) -> list[FieldError]:
    """`ValidateContainerResourceRequirements`."""
    out: list[FieldError] = []
    limits, requests = held.get("limits") or {}, held.get("requests") or {}
    for kind, amounts in (("limits", limits), ("requests", requests)):
        for name, amount in sorted(amounts.items()):
            at = f"{path}.{kind}[{name}]"
            out += [invalid_value(at if "/" in name else f"{path}.{kind}", name, text) for text in names.qualified_name(name)]
            if "/" not in name and name not in STANDARD and not name.startswith("hugepages-"):
                out.append(invalid_value(f"{path}.{kind}[{name}]", name, "must be a standard resource type or fully qualified"))
            if "/" not in name and name not in ("cpu", "memory", "ephemeral-storage") and not name.startswith("hugepages-"):
                out.append(invalid_value(f"{path}.{kind}[{name}]", name, "must be a standard resource for containers"))
            if quantity.nano(amount) < 0:
                out.append(invalid_value(at, amount, "must be greater than or equal to 0"))
    for name, amount in sorted(requests.items()):
        limit = limits.get(name)
        if limit is not None and quantity.compare(amount, limit) > 0:
            out.append(invalid_value(f"{path}.requests", amount, f"must be less than or equal to {name} limit of {limit}"))
    return out


def pod_update(obj: Obj, old: Obj) -> list[FieldError]:
    """`ValidatePodUpdate`: a few fields of the spec may change."""
    spec, held = obj.get("spec") or {}, old.get("spec") or {}
    if spec == held:
        return []
    out = pod(obj)
    for kind in ("containers", "initContainers"):
        items = spec.get(kind) or ()
        if len(items) != len(held.get(kind) or ()):
            return [*out, forbidden_field(f"spec.{kind}", "pod updates may not add or remove containers")]
    problem = _deadline(spec.get("activeDeadlineSeconds"), held.get("activeDeadlineSeconds"))
    if problem is not None:
        return [*out, problem]
    was = held.get("tolerations") or []
    if any(item not in (spec.get("tolerations") or ()) for item in was):
        text = "existing toleration can not be modified except its tolerationSeconds"
        out.append(forbidden_field("spec.tolerations", text))
    if held.get("schedulingGates"):
        wanted = spec.get("nodeSelector") or {}
        if any(wanted.get(key) != value for key, value in (held.get("nodeSelector") or {}).items()):
            text = "only additions to spec.nodeSelector are allowed (no mutations or deletions)"
            out.append(invalid_value("spec.nodeSelector", wanted, text))
    munged = _munged(spec, held)
    before, after = internal.pod_spec(held), internal.pod_spec(munged)
    if before != after:
        out.append(forbidden_field("spec", f"{UPDATABLE}\n{internal.difference(before, after)}"))
    return out


def _deadline(new: int | None, old: int | None) -> FieldError | None:
    """`activeDeadlineSeconds` may be set once and become less."""
    if new is not None and not 0 <= new <= 2147483647:
        return invalid_value("spec.activeDeadlineSeconds", new, "must be between 0 and 2147483647, inclusive")
    if new is not None and old is not None and old < new:
        return invalid_value("spec.activeDeadlineSeconds", new, "must be less than or equal to previous value")
    if new is None and old is not None:
        return invalid_value("spec.activeDeadlineSeconds", None, "must not update from a positive integer to nil value")
    return None


def _munged(spec: Obj, held: Obj) -> Obj:
    """The new specification with the old values of what may change."""
    out = dict(spec)
    for kind in ("containers", "initContainers"):
        if out.get(kind):
            out[kind] = [{**item, "image": held[kind][at].get("image")} for at, item in enumerate(out[kind])]
    for name in ("activeDeadlineSeconds", "schedulingGates", "tolerations"):
        out.pop(name, None)
        if name in held:
            out[name] = held[name]
    if (held.get("terminationGracePeriodSeconds") or 0) < 0 and out.get("terminationGracePeriodSeconds") == 1:
        out["terminationGracePeriodSeconds"] = held["terminationGracePeriodSeconds"]
    if held.get("schedulingGates"):  # a gated pod's node selector and affinity may become narrower
        for name in ("nodeSelector", "affinity"):
            out.pop(name, None)
            if name in held:
                out[name] = held[name]
    return out


def ephemeral_update(obj: Obj, old: Obj) -> list[FieldError]:
    """`ValidatePodEphemeralContainersUpdate`: a whole pod, none of the old ones changed; mirror pods have none."""
    at = "spec.ephemeralContainers"
    if "kubernetes.io/config.mirror" in (old["metadata"].get("annotations") or {}):
        return [forbidden_field("", "static pods do not support ephemeral containers")]
    out = pod(obj)
    mine = {item.get("name"): item for item in obj["spec"].get("ephemeralContainers") or ()}
    for held in old["spec"].get("ephemeralContainers") or ():
        name = held["name"]
        if name not in mine:
            out.append(forbidden_field(at, f'existing ephemeral containers "{name}" may not be removed\n'))
        elif mine[name] != held:
            said = internal.difference(held, mine[name])
            out.append(forbidden_field(at, f'existing ephemeral containers "{name}" may not be changed\n{said}'))
    return out
