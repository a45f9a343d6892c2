"""Options of writes: CreateOptions, UpdateOptions, PatchOptions, DeleteOptions (`apimachinery/pkg/apis/meta/v1/validation`)."""

from __future__ import annotations

from typing import Any

from ...kernel.http import Request
from ..api import errors
from ..api.errors import FieldError

Obj = dict[str, Any]
#: The longest name of a field manager, in bytes.
MANAGER = 128
VALIDATIONS = ("", "Ignore", "Strict", "Warn")
POLICIES = ("Foreground", "Background", "Orphan")


def check_write(kind: str, request: Request, *, apply: bool = False) -> None:
    """Validate the query of a create, update or patch; `kind` is CreateOptions, UpdateOptions or PatchOptions.  Raises 422."""
    query = request.query
    if not query and not apply:
        return
    manager, problems = request.param("fieldManager"), list[FieldError]()
    if kind == "PatchOptions":
        if apply and not manager:
            problems.append(errors.required("fieldManager", "is required for apply patch"))
        elif not apply and "force" in query:
            problems.append(errors.forbidden_field("force", "may not be specified for non-apply patch"))
    if len(manager.encode()) > MANAGER:
        problems.append(errors.too_long("fieldManager", MANAGER))
    for i, char in enumerate(manager):
        if not (char.isprintable() and (char == " " or not char.isspace())):
            text = f"invalid character U+{ord(char):04X} (at position {i})"
            problems.append(errors.invalid_value("fieldManager", manager, text))
    problems += dry_run(query.get("dryRun") or [])
    validation = request.param("fieldValidation")
    if validation not in VALIDATIONS:
        problems.append(errors.not_supported("fieldValidation", validation, VALIDATIONS))
    if problems:
        raise errors.invalid(kind, "meta.k8s.io", "", problems)


def dry_run(values: list[str]) -> list[FieldError]:
    """`ValidateDryRun`."""
    return [] if set(values) <= {"All"} else [errors.not_supported("dryRun", values, ("All",))]


def check_delete(options: Obj) -> None:
    """`ValidateDeleteOptions`; raises 422."""
    policy, problems = options.get("propagationPolicy"), list[FieldError]()
    if options.get("orphanDependents") is not None and policy is not None:
        text = "orphanDependents and deletionPropagation cannot be both set"
        problems.append(errors.invalid_value("propagationPolicy", policy, text))
    if policy is not None and policy not in POLICIES:
        problems.append(errors.not_supported("propagationPolicy", policy, (*POLICIES, "nil")))
    problems += dry_run(options.get("dryRun") or [])
    if problems:
        raise errors.invalid("DeleteOptions", "meta.k8s.io", "", problems)


def whole(request: Request, name: str) -> int | None:
    """A number of the query, None when it is absent; raises 400 as the decoding of options does."""
    text = request.param(name)
    if not text:
        return None
    if not text.lstrip("+-").isdigit() or not text.isascii():
        raise errors.bad_request(f'strconv.ParseInt: parsing "{text}": invalid syntax')
    return int(text)
