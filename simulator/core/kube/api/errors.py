"""Status errors with the real messages (`apimachinery/pkg/api/errors/errors.go`, `util/validation/field/errors.go`)."""

from __future__ import annotations

import json
from typing import Any

import msgspec

Obj = dict[str, Any]


class ApiError(Exception):
    """A request failed with this Status; what a client raises and what a handler turns into the response."""

    def __init__(self, status: Obj, headers: dict[str, str] | None = None) -> None:
        super().__init__(status.get("message", ""))
        self.status = status
        self.headers = headers or {}

    @property
    def code(self) -> int:
        """The HTTP status code."""
        return int(self.status.get("code", 500))

    @property
    def reason(self) -> str:
        """The machine-readable reason: `NotFound`, `Conflict`, …"""
        return str(self.status.get("reason", ""))

    @property
    def message(self) -> str:
        """What kubectl prints after `Error from server (…): `."""
        return str(self.status.get("message", ""))


def status(code: int, reason: str, message: str, details: Obj | None = None) -> Obj:
    """A failure Status in the field order of the real one."""
    out: Obj = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": message, "reason": reason}
    if details is not None:
        out["details"] = details
    if not reason:
        del out["reason"]
    out["code"] = code
    return out


def success(details: Obj | None = None) -> Obj:
    """The Status of a deletion that is done."""
    out: Obj = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success"}
    if details is not None:
        out["details"] = details
    return out


def _split(resource: str) -> tuple[str, str]:
    plural, _, group = resource.partition(".")
    return plural, group


def _details(resource: str, name: str = "", **more: Any) -> Obj:
    """Details of a `plural.group` resource; empty members are left out as Go's omitempty does."""
    plural, group = _split(resource)
    out: Obj = {"name": name, "group": group, "kind": plural, **more}
    return {k: v for k, v in out.items() if v not in ("", None, 0, [])}


def not_found(resource: str, name: str) -> ApiError:
    """404 for an object."""
    return ApiError(status(404, "NotFound", f'{resource} "{name}" not found', _details(resource, name)))


class PathNotFound(ApiError):
    """A path that nothing serves: the server answers with a line of text instead of a Status (`http.NotFound`)."""

    BODY = b"404 page not found\n"
    HEADERS = {"content-type": "text/plain; charset=utf-8", "x-content-type-options": "nosniff"}


def path_not_found(*, ours: bool = False) -> ApiError:
    """404 for a path that nothing serves; below a built-in group's own paths (`ours`) it is a Status (`serviceErrorHandler`)."""
    found = status(404, "NotFound", "the server could not find the requested resource", {})
    return ApiError(found) if ours else PathNotFound(found)


def already_exists(resource: str, name: str) -> ApiError:
    """409 on create."""
    return ApiError(status(409, "AlreadyExists", f'{resource} "{name}" already exists', _details(resource, name)))


def generate_name_conflict(resource: str, name: str) -> ApiError:
    """409 when every generated name was taken."""
    text = f'{resource} "{name}" already exists, the server was not able to generate a unique name for the object'
    return ApiError(status(409, "AlreadyExists", text, _details(resource, name, retryAfterSeconds=1)))


#: The reason inside a resourceVersion conflict (`apiserver/pkg/registry/generic/registry/store.go`: OptimisticLockErrorMsg).
OPTIMISTIC_LOCK = "the object has been modified; please apply your changes to the latest version and try again"


def conflict(resource: str, name: str, why: str = OPTIMISTIC_LOCK) -> ApiError:
    """409 on update, patch or delete."""
    text = f'Operation cannot be fulfilled on {resource} "{name}": {why}'
    return ApiError(status(409, "Conflict", text, _details(resource, name)))


def apply_conflict(causes: list[Obj], message: str) -> ApiError:
    """409 of server-side apply."""
    return ApiError(status(409, "Conflict", message, {"causes": causes}))


def unauthorized() -> ApiError:
    """401: who are you?"""
    return ApiError(status(401, "Unauthorized", "Unauthorized"))


def forbidden(resource: str, name: str, why: str) -> ApiError:
    """403 by admission (`pods "x" is forbidden: …`)."""
    if not resource:
        text = f"forbidden: {why}"
    elif not name:
        text = f"{resource} is forbidden: {why}"
    else:
        text = f'{resource} "{name}" is forbidden: {why}'
    return ApiError(status(403, "Forbidden", text, _details(resource, name)))


def bad_request(message: str) -> ApiError:
    """400."""
    return ApiError(status(400, "BadRequest", message))


def method_not_supported(resource: str, action: str) -> ApiError:
    """405 for a verb that the resource has not got."""
    text = f'{action} is not supported on resources of kind "{resource}"'
    return ApiError(status(405, "MethodNotAllowed", text, _details(resource)))


def method_not_allowed() -> ApiError:
    """405 for an HTTP method that the path has not got."""
    return ApiError(status(405, "MethodNotAllowed", "the server does not allow this method on the requested resource", {}))


def internal_error(why: str) -> ApiError:
    """500."""
    return ApiError(status(500, "InternalError", f"Internal error occurred: {why}", {"causes": [{"message": why}]}))


def expired(message: str) -> ApiError:
    """410: that resourceVersion or continue token is too old."""
    return ApiError(status(410, "Expired", message))


def too_many_requests(message: str, retry_after: int = 0, causes: list[Obj] | None = None) -> ApiError:
    """429 (evictions that a budget forbids)."""
    details: Obj = {}
    if causes:
        details["causes"] = causes
    if retry_after:
        details["retryAfterSeconds"] = retry_after
    return ApiError(status(429, "TooManyRequests", message, details))


def timeout(message: str) -> ApiError:
    """504: the server gave up."""
    return ApiError(status(504, "Timeout", f"Timeout: {message}", {}))


def unavailable(message: str) -> ApiError:
    """503."""
    return ApiError(status(503, "ServiceUnavailable", message))


def not_acceptable(accepted: str) -> ApiError:
    """406: none of the media types that the client accepts can be served."""
    return ApiError(status(406, "NotAcceptable", f"only the following media types are accepted: {accepted}"))


def unsupported_media_type(accepted: str) -> ApiError:
    """415: the body is in a media type that is not understood."""
    text = f"the body of the request was in an unknown format - accepted media types include: {accepted}"
    return ApiError(status(415, "UnsupportedMediaType", text))


def entity_too_large(message: str) -> ApiError:
    """413."""
    return ApiError(status(413, "RequestEntityTooLarge", f"Request entity too large: {message}"))


# -- field errors -------------------------------------------------------------------------------------------------------


class FieldError(msgspec.Struct, frozen=True):
    """One cause of an Invalid status: its type, field path and body (`field.Error`)."""

    type: str
    field: str
    body: str

    @property
    def text(self) -> str:
        """`spec.replicas: Invalid value: -1: must be …`."""
        return f"{self.field}: {self.body}"


_BODY = {
    "FieldValueRequired": "Required value",
    "FieldValueInvalid": "Invalid value",
    "FieldValueForbidden": "Forbidden",
    "FieldValueDuplicate": "Duplicate value",
    "FieldValueNotFound": "Not found",
    "FieldValueNotSupported": "Unsupported value",
    "FieldValueTooLong": "Too long",
    "FieldValueTooMany": "Too many",
    "FieldValueTypeInvalid": "Invalid value",
}


def show(value: Any) -> str:
    """A value as a field error prints it: Go's %q of strings, JSON of the rest."""
    if value is None:
        return "null"
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _error(kind: str, field: str, shown: str, detail: str) -> FieldError:
    body = _BODY[kind] + (f": {shown}" if shown else "") + (f": {detail}" if detail else "")
    return FieldError(kind, field or "<nil>", body)


def required(field: str, detail: str = "") -> FieldError:
    """`field.Required`."""
    return _error("FieldValueRequired", field, "", detail)


def invalid_value(field: str, value: Any, detail: str) -> FieldError:
    """`field.Invalid`."""
    return _error("FieldValueInvalid", field, show(value), detail)


def type_invalid(field: str, value: Any, detail: str) -> FieldError:
    """`field.TypeInvalid`."""
    return _error("FieldValueTypeInvalid", field, show(value), detail)


def forbidden_field(field: str, detail: str) -> FieldError:
    """`field.Forbidden`."""
    return _error("FieldValueForbidden", field, "", detail)


def duplicate(field: str, value: Any) -> FieldError:
    """`field.Duplicate`."""
    return _error("FieldValueDuplicate", field, show(value), "")


def not_found_field(field: str, value: Any) -> FieldError:
    """`field.NotFound`."""
    return _error("FieldValueNotFound", field, show(value), "")


def not_supported(field: str, value: Any, supported: list[str] | tuple[str, ...]) -> FieldError:
    """`field.NotSupported`."""
    detail = "supported values: " + ", ".join(f'"{item}"' for item in supported) if supported else ""
    return _error("FieldValueNotSupported", field, show(value), detail)


def too_long(field: str, limit: int) -> FieldError:
    """`field.TooLong`."""
    return _error("FieldValueTooLong", field, "", f"may not be more than {limit} bytes")


def too_many(field: str, actual: int, limit: int) -> FieldError:
    """`field.TooMany`."""
    return _error("FieldValueTooMany", field, str(actual), f"must have at most {limit} item{'' if limit == 1 else 's'}")


def invalid(kind: str, group: str, name: str, errors: list[FieldError]) -> ApiError:
    """422 with its causes; duplicate messages are said once, as `utilerrors.Aggregate` does."""
    qualified = f"{kind}.{group}" if group else kind
    texts = list(dict.fromkeys(e.text for e in errors))
    said = f": {texts[0] if len(texts) == 1 else '[' + ', '.join(texts) + ']'}" if texts else ""
    causes = [{"reason": e.type, "message": e.body, "field": e.field} for e in errors]
    details = {k: v for k, v in {"name": name, "group": group, "kind": kind, "causes": causes}.items() if v}
    return ApiError(status(422, "Invalid", f'{qualified} "{name}" is invalid{said}', details))


def status_success(code: int) -> Obj:
    """The Status of a successful subresource call (binding, eviction)."""
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": code}
