"""Validation of a Job's spec (`validateJobSpec`, pkg/apis/batch/validation/validation.go of v1.36)."""

from __future__ import annotations

from typing import Any

from ...api import names
from ...api.errors import FieldError, duplicate, invalid_value, not_supported, required, too_many
from . import pod
from .ingress import domain_path

Obj = dict[str, Any]
ACTIONS = ("Count", "FailIndex", "FailJob", "Ignore")
#: Bounds of indexed Jobs: pods at once, failed indexes, and both when there are more than 100,000 indexes.
PARALLEL, FAILED, MANY, PARALLEL_OF_MANY, FAILED_OF_MANY = 100_000, 100_000, 100_000, 10_000, 10_000
COUNTS = ("parallelism", "completions", "activeDeadlineSeconds", "backoffLimit", "ttlSecondsAfterFinished", "backoffLimitPerIndex",
          "maxFailedIndexes")  # fmt: skip
HIGH = "when completions are above 100000 and used with backoff limit per index"


def _shown(values: tuple[str, ...]) -> str:
    """A Go slice with `%q`."""
    return "valid values: [" + " ".join(f'"{value}"' for value in values) + "]"


def spec_errors(spec: Obj, path: str) -> list[FieldError]:
    """What is wrong with a Job's spec at `path`."""
    out: list[FieldError] = []
    for name in COUNTS:
        if isinstance(spec.get(name), int) and spec[name] < 0:
            out.append(invalid_value(f"{path}.{name}", spec[name], "must be greater than or equal to 0"))
    if spec.get("maxFailedIndexes") is not None and spec.get("backoffLimitPerIndex") is None:
        out.append(required(f"{path}.backoffLimitPerIndex", "when maxFailedIndexes is specified"))
    if spec.get("managedBy") is not None:
        out += domain_path(spec["managedBy"], f"{path}.managedBy")
    mode = spec.get("completionMode") or "NonIndexed"
    if mode == "Indexed":
        out += _indexed(spec, path)
    else:
        if mode != "NonIndexed":
            out.append(not_supported(f"{path}.completionMode", mode, ("NonIndexed", "Indexed")))
        else:
            out += [
                invalid_value(f"{path}.{name}", spec[name], "requires indexed completion mode")
                for name in ("backoffLimitPerIndex", "maxFailedIndexes")
                if spec.get(name) is not None
            ]
    template = spec.get("template") or {}
    if spec.get("podFailurePolicy") is not None:
        out += _failure_policy(spec, template.get("spec") or {}, f"{path}.podFailurePolicy.rules")
    if spec.get("successPolicy") is not None:
        if mode != "Indexed":
            out.append(invalid_value(f"{path}.successPolicy", spec["successPolicy"], "requires indexed completion mode"))
        else:
            out += _success_policy(spec, f"{path}.successPolicy.rules")
    out += _replacement(spec, path)
    return out + pod.template(template, f"{path}.template") + _restart(spec, template, f"{path}.template.spec.restartPolicy")


def _restart(spec: Obj, template: Obj, at: str) -> list[FieldError]:
    policy = (template.get("spec") or {}).get("restartPolicy") or "Always"
    if policy == "Always":
        return [required(at, 'valid values: "OnFailure", "Never"')]
    if policy not in ("OnFailure", "Never"):
        return [not_supported(at, policy, ("OnFailure", "Never"))]
    if spec.get("podFailurePolicy") is not None and policy != "Never":
        return [invalid_value(at, policy, 'only "Never" is supported when podFailurePolicy is specified')]
    return []


def _replacement(spec: Obj, path: str) -> list[FieldError]:
    policy = spec.get("podReplacementPolicy")
    allowed = ("Failed",) if spec.get("podFailurePolicy") is not None else ("Failed", "TerminatingOrFailed")
    return [] if policy is None or policy in allowed else [not_supported(f"{path}.podReplacementPolicy", policy, allowed)]


def _indexed(spec: Obj, path: str) -> list[FieldError]:
    out: list[FieldError] = []
    count, parallel, failed = spec.get("completions"), spec.get("parallelism") or 0, spec.get("maxFailedIndexes")
    if count is None:
        out.append(required(f"{path}.completions", "when completion mode is Indexed"))
    if parallel > PARALLEL:
        text = f"must be less than or equal to {PARALLEL} when completion mode is Indexed"
        out.append(invalid_value(f"{path}.parallelism", parallel, text))
    if failed is not None and count is not None and failed > count:
        out.append(invalid_value(f"{path}.maxFailedIndexes", failed, "must be less than or equal to completions"))
    if failed is not None and failed > FAILED:
        out.append(invalid_value(f"{path}.maxFailedIndexes", failed, f"must be less than or equal to {FAILED}"))
    if (count or 0) > MANY and spec.get("backoffLimitPerIndex") is not None:
        if failed is None:
            out.append(required(f"{path}.maxFailedIndexes", f"must be specified when completions is above {MANY}"))
        if parallel > PARALLEL_OF_MANY:
            out.append(invalid_value(f"{path}.parallelism", parallel, f"must be less than or equal to {PARALLEL_OF_MANY} {HIGH}"))
        if (failed or 0) > FAILED_OF_MANY:
            text = f"must be less than or equal to {FAILED_OF_MANY} {HIGH}"
            out.append(invalid_value(f"{path}.maxFailedIndexes", failed, text))
    return out


def _failure_policy(spec: Obj, inner: Obj, at: str) -> list[FieldError]:
    """`validatePodFailurePolicy`."""
    rules = spec["podFailurePolicy"].get("rules") or []
    out = [too_many(at, len(rules), 20)] if len(rules) > 20 else []
    containers = {one.get("name") for group in ("containers", "initContainers") for one in inner.get(group) or ()}
    for i, rule in enumerate(rules):
        place, action = f"{at}[{i}]", rule.get("action") or ""
        if not action:
            out.append(required(f"{place}.action", _shown(ACTIONS)))
        elif action == "FailIndex":
            if spec.get("backoffLimitPerIndex") is None:
                out.append(invalid_value(f"{place}.action", action, "requires the backoffLimitPerIndex to be set"))
        elif action not in ACTIONS:
            out.append(not_supported(f"{place}.action", action, ACTIONS))
        codes, conditions = rule.get("onExitCodes"), rule.get("onPodConditions") or []
        if codes is not None:
            out += _exit_codes(codes, containers, f"{place}.onExitCodes")
        for j, pattern in enumerate(conditions):
            kind, status = str(pattern.get("type") or ""), pattern.get("status") or ""
            out += [invalid_value(f"{place}.onPodConditions[{j}].type", kind, text) for text in names.qualified_name(kind)]
            if not status:
                out.append(required(f"{place}.onPodConditions[{j}].status", _shown(("False", "True", "Unknown"))))
            elif status not in ("False", "True", "Unknown"):
                out.append(not_supported(f"{place}.onPodConditions[{j}].status", status, ("False", "True", "Unknown")))
        if codes is not None and conditions:
            out.append(_bare(place, "specifying both OnExitCodes and OnPodConditions is not supported"))
        if codes is None and not conditions:
            out.append(_bare(place, "specifying one of OnExitCodes and OnPodConditions is required"))
    return out


def _bare(field: str, detail: str) -> FieldError:
    """`field.Invalid` that shows no value (`OmitValueType`)."""
    return FieldError("FieldValueInvalid", field, f"Invalid value: {detail}")


def _exit_codes(codes: Obj, containers: set[Any], at: str) -> list[FieldError]:
    out: list[FieldError] = []
    operator, values = codes.get("operator") or "", codes.get("values") or []
    if not operator:
        out.append(required(f"{at}.operator", _shown(("In", "NotIn"))))
    elif operator not in ("In", "NotIn"):
        out.append(not_supported(f"{at}.operator", operator, ("In", "NotIn")))
    if codes.get("containerName") is not None and codes["containerName"] not in containers:
        text = "must be one of the container or initContainer names in the pod template"
        out.append(invalid_value(f"{at}.containerName", codes["containerName"], text))
    if not values:
        out.append(invalid_value(f"{at}.values", values, "at least one value is required"))
    elif len(values) > 255:
        out.append(too_many(f"{at}.values", len(values), 255))
    for j, value in enumerate(values):
        if operator == "In" and value == 0:
            out.append(invalid_value(f"{at}.values[{j}]", value, "must not be 0 for the In operator"))
        if value in values[:j]:
            out.append(duplicate(f"{at}.values[{j}]", value))
    if sorted(values) != values:
        out.append(invalid_value(f"{at}.values", values, "must be ordered"))
    return out


def _success_policy(spec: Obj, at: str) -> list[FieldError]:
    """`validateSuccessPolicy`."""
    rules, completions = spec["successPolicy"].get("rules") or [], spec.get("completions") or 0
    out: list[FieldError] = []
    if not rules:
        out.append(required(at, "at least one rules must be specified when the successPolicy is specified"))
    if len(rules) > 20:
        out.append(too_many(at, len(rules), 20))
    for i, rule in enumerate(rules):
        count, indexes, total = rule.get("succeededCount"), rule.get("succeededIndexes"), 0
        if count is None and indexes is None:
            text = "at least one of succeededCount or succeededIndexes must be specified"
            out.append(required(f"{at}[{i}]", text))
        if indexes is not None:
            try:
                total = _indexes(indexes, completions)
            except ValueError as bad:
                text = f"error parsing succeededIndexes: {bad}"
                out.append(invalid_value(f"{at}[{i}].succeededIndexes", indexes, text))
        if count is None:
            continue
        place = f"{at}[{i}].succeededCount"
        if count < 0:
            out.append(invalid_value(place, count, "must be greater than or equal to 0"))
        if count > completions:
            text = f"must be less than or equal to {completions} (the number of specified completions)"
            out.append(invalid_value(place, count, text))
        if indexes is not None and count > total:
            text = f"must be less than or equal to {total} (the number of indexes in the specified succeededIndexes field)"
            out.append(invalid_value(place, count, text))
    return out


def _indexes(text: str, completions: int) -> int:
    """How many indexes a text like `1,3-5` names; raises ValueError (`validateIndexesFormat`)."""
    total, last = 0, -1
    for part in text.split(",") if text else ():
        first, dash, second = part.partition("-")
        if "-" in second:
            raise ValueError(
                f"the fragment \"{part}\" violates the requirement that an index interval can have at most two parts separated by '-'"
            )
        low = _index(first, completions)
        if low <= last:
            raise ValueError(f"non-increasing order, previous: {last}, current: {low}")
        high = low
        if dash:
            high = _index(second, completions)
            if high <= low:
                raise ValueError(f"non-increasing order, previous: {low}, current: {high}")
        total, last = total + high - low + 1, high
    return total


def _index(text: str, completions: int) -> int:
    if not text.isascii() or not text.isdigit():
        raise ValueError(f'cannot convert string to integer for index: "{text}"')
    if int(text) >= completions:
        raise ValueError(f'too large index: "{text}"')
    return int(text)
