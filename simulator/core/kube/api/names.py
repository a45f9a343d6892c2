"""Names: `generateName` (`apiserver/pkg/storage/names/generate.go`) and the checks of `apimachinery/pkg/util/validation`.

Each check returns the list of messages that the real one returns, empty when the value is fine.
"""

from __future__ import annotations

import re

from ...kernel.rng import Stream

MAX_GENERATED = 63 - 5

_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?\Z")
_LABEL1035 = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?\Z")
_SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*\Z")
_QUALIFIED = re.compile(r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]\Z")
_LABEL_VALUE = re.compile(r"(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?\Z")
_CONFIG_KEY = re.compile(r"[-._a-zA-Z0-9]+\Z")
_ENV = re.compile(r"[-._a-zA-Z][-._a-zA-Z0-9]*\Z")
_PORT_NAME = re.compile(r"[-a-z0-9]+\Z")

_SUBDOMAIN_MESSAGE = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with "
    "an alphanumeric character (e.g. 'example.com', regex used for validation is "
    r"'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)
_LABEL_MESSAGE = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an "
    "alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
)
_LABEL1035_MESSAGE = (
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end "
    "with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')"
)
_QUALIFIED_MESSAGE = (
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character "
    "(e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
)
_LABEL_VALUE_MESSAGE = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with "
    "an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is "
    "'(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
)
_CONFIG_KEY_MESSAGE = (
    "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or "
    "'key-name', regex used for validation is '[-._a-zA-Z0-9]+')"
)
_ENV_MESSAGE = (
    "a valid environment variable name must consist of alphabetic characters, digits, '_', '-', or '.', and must not start with "
    "a digit (e.g. 'my.env-name',  or 'MY_ENV.NAME',  or 'MyEnvName1', regex used for validation is '[-._a-zA-Z][-._a-zA-Z0-9]*')"
)


def generate(base: str, rng: Stream) -> str:
    """A name from `metadata.generateName`: the base, cut to fit, and five random characters."""
    return base[:MAX_GENERATED] + rng.token(5)


def max_len(limit: int, unit: str = "characters") -> str:
    """The message for a value that is too long; labels count bytes, names characters."""
    return f"must be no more than {limit} {unit}"


def dns_label(value: str) -> list[str]:
    """`IsDNS1123Label`."""
    errors = [max_len(63)] if len(value) > 63 else []
    if not _LABEL.match(value):
        errors.append("must not contain dots" if _SUBDOMAIN.match(value) else _LABEL_MESSAGE)
    return errors


def dns1035_label(value: str) -> list[str]:
    """`IsDNS1035Label`."""
    errors = [max_len(63)] if len(value) > 63 else []
    if not _LABEL1035.match(value):
        errors.append(_LABEL1035_MESSAGE)
    return errors


def dns_subdomain(value: str) -> list[str]:
    """`IsDNS1123Subdomain`."""
    errors = [max_len(253)] if len(value) > 253 else []
    if not _SUBDOMAIN.match(value):
        errors.append(_SUBDOMAIN_MESSAGE)
    return errors


def path_segment(value: str) -> list[str]:
    """`IsValidPathSegmentName`: what RBAC names must satisfy."""
    if value in (".", ".."):
        return [f"may not be '{value}'"]
    return [f"may not contain '{c}'" for c in ("/", "%") if c in value]


def qualified_name(value: str) -> list[str]:
    """`IsQualifiedName`: label keys, taint keys, resource names."""
    errors: list[str] = []
    parts = value.split("/")
    if len(parts) == 1:
        name = parts[0]
    elif len(parts) == 2:
        prefix, name = parts
        if not prefix:
            errors.append("prefix part must be non-empty")
        else:
            errors.extend("prefix part " + m for m in dns_subdomain(prefix))
    else:
        return [
            "a qualified name "
            + _QUALIFIED_MESSAGE
            + " with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"
        ]
    if not name:
        errors.append("name part must be non-empty")
    elif len(name) > 63:
        errors.append("name part " + max_len(63, "bytes"))
    if not _QUALIFIED.match(name):
        errors.append("name part " + _QUALIFIED_MESSAGE)
    return errors


def label_value(value: str) -> list[str]:
    """`IsValidLabelValue`."""
    errors = [max_len(63, "bytes")] if len(value) > 63 else []
    if not _LABEL_VALUE.match(value):
        errors.append(_LABEL_VALUE_MESSAGE)
    return errors


def config_key(value: str) -> list[str]:
    """`IsConfigMapKey`: the keys of ConfigMaps and Secrets."""
    errors = [max_len(253)] if len(value) > 253 else []
    if not _CONFIG_KEY.match(value):
        errors.append(_CONFIG_KEY_MESSAGE)
    elif value in (".", ".."):
        errors.append(f"must not be '{value}'")
    elif value.startswith(".."):
        errors.append("must not start with '..'")
    return errors


def relaxed_env_name(value: str) -> list[str]:
    """`IsRelaxedEnvVarName`: what the API server asks of the names of environment variables since v1.34."""
    out = [] if value else ["environment variable name must be non-empty"]
    if any(not " " <= char <= "~" or char == "=" for char in value):
        out.append("a valid environment variable name must consist only of printable ASCII characters other than '='")
    return out


def env_name(value: str) -> list[str]:
    """`IsEnvVarName`."""
    if not _ENV.match(value):
        return [_ENV_MESSAGE]
    if value in (".", ".."):
        return [f"must not be '{value}'"]
    if value.startswith(".."):
        return ["must not start with '..'"]
    return []


def port_name(value: str) -> list[str]:
    """`IsValidPortName`."""
    errors = ["must be no more than 15 characters"] if len(value) > 15 else []
    if not _PORT_NAME.match(value):
        errors.append("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)")
    if not re.search("[a-z]", value):
        errors.append("must contain at least one letter (a-z)")
    if "--" in value:
        errors.append("must not contain consecutive hyphens")
    if value and (value[0] == "-" or value[-1] == "-"):
        errors.append("must not begin or end with a hyphen")
    return errors


def port_number(value: int) -> list[str]:
    """`IsValidPortNum`."""
    return [] if 1 <= value <= 65535 else ["must be between 1 and 65535, inclusive"]
