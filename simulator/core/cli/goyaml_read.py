"""Reading YAML as the Go tools do (sigs.k8s.io/yaml over go-yaml v2: `resolve.go`, `decode.go`; `apimachinery/util/yaml/decoder.go`)."""

from __future__ import annotations

import re
from typing import Any

import yaml

from ..kube.api import goyaml
from .flags import quote as go_quote

WORDS = frozenset(
    [
        "y",
        "Y",
        "yes",
        "Yes",
        "YES",
        "true",
        "True",
        "TRUE",
        "on",
        "On",
        "ON",
        "n",
        "N",
        "no",
        "No",
        "NO",
        "false",
        "False",
        "FALSE",
        "off",
        "Off",
        "OFF",
        "~",
        "null",
        "Null",
        "NULL",
        ".nan",
        ".NaN",
        ".NAN",
        ".inf",
        ".Inf",
        ".INF",
        "+.inf",
        "+.Inf",
        "+.INF",
        "-.inf",
        "-.Inf",
        "-.INF",
    ]
)
#: Booleans to go-yaml v2 and strings to v3.
OLD_BOOLEANS = frozenset("y Y yes Yes YES on On ON n N no No NO off Off OFF".split())
INT = re.compile(r"[-+]?(0[xX][0-9a-fA-F]+|0[oO][0-7]+|0[bB][01]+|0[0-7]*|[1-9][0-9]*)")
FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_BASE60 = re.compile(r"[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?")
DATE = re.compile(r"\d{4}-\d{1,2}-\d{1,2}(?:[Tt ]\d{1,2}:\d{1,2}:\d{1,2}(?:\.\d+)?(?:Z|[-+]\d\d:\d\d)?)?")


def reads_as_string(text: str) -> bool:
    """A plain scalar of this text is a string, not a number, boolean, null or time (`resolve`)."""
    if not text or text in WORDS:
        return False
    if text[0] in "0123456789+-.":
        if text[0] == ".":
            return FLOAT.fullmatch(text) is None
        if text[0].isdigit() and DATE.fullmatch(text):
            return False
        bare = text.replace("_", "")
        return not (INT.fullmatch(bare) or FLOAT.fullmatch(bare) or _BASE60.fullmatch(text))
    return True


class YamlError(ValueError):
    """Text that is not YAML; the message is like go-yaml's."""


class _Loader(yaml.CSafeLoader if hasattr(yaml, "CSafeLoader") else yaml.SafeLoader):  # type: ignore[misc]
    """PyYAML's parser with go-yaml's idea of plain scalars."""


def _plain(loader: Any, node: Any) -> Any:
    text = node.value
    if not text or text in ("~", "null", "Null", "NULL"):
        return None
    if text in WORDS:
        if text[0] in ".+-":
            return text
        return text in ("y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON")
    if reads_as_string(text) or DATE.fullmatch(text):
        return text
    bare = text.replace("_", "")
    try:
        if re.fullmatch(r"[-+]?0[0-7]+", bare):
            return int(bare, 8)
        if INT.fullmatch(bare):
            return int(bare, 0)
        if FLOAT.fullmatch(bare):
            number = float(bare)
            return int(number) if number == int(number) and abs(number) < 1e21 else number
    except (ValueError, OverflowError):
        pass
    return text


def _string_key_mapping(loader: Any, node: Any) -> dict[str, Any]:
    merged = any(key.tag == "tag:yaml.org,2002:merge" for key, _ in node.value)
    loader.flatten_mapping(node)
    out: dict[str, Any] = {}
    for key_node, value_node in node.value:
        key = loader.construct_object(key_node, deep=True)
        name = key if isinstance(key, str) else key_node.value if not isinstance(key, (dict, list)) else str(key)
        if name in out and not merged:
            line = key_node.start_mark.line + 1
            raise YamlError(f"yaml: unmarshal errors:\n  line {line}: key {go_quote(name)} already set in map")
        out[name] = loader.construct_object(value_node, deep=True)
    return out


def _plain_v3(loader: Any, node: Any) -> Any:
    return node.value if node.value in OLD_BOOLEANS else _plain(loader, node)


_Loader.yaml_implicit_resolvers = {}
_Loader.add_implicit_resolver("tag:slipway:plain", re.compile(r"^(?!<<$)", re.DOTALL), None)
_Loader.add_implicit_resolver("tag:yaml.org,2002:merge", re.compile(r"^<<$"), ["<"])
_Loader.add_constructor("tag:slipway:plain", _plain)
_Loader.add_constructor("tag:yaml.org,2002:map", _string_key_mapping)


class _LoaderV3(_Loader):
    """go-yaml v3's: `yes`, `on` and `y` are strings."""


_LoaderV3.add_constructor("tag:slipway:plain", _plain_v3)

#: Bound on what one text may expand to through aliases, and on its size.
MAX_BYTES = 4 * 1024 * 1024
MAX_ALIASES = 1000


def _check(text: str) -> None:
    if len(text) > MAX_BYTES:
        raise YamlError("yaml: document contains excessive aliasing")
    if "*" in text and "&" in text:
        count = sum(1 for event in yaml.parse(text, Loader=_Loader) if isinstance(event, yaml.AliasEvent))
        if count > MAX_ALIASES:
            raise YamlError("yaml: document contains excessive aliasing")


def load(text: str, v3: bool = False) -> Any:
    """The one document of `text` as JSON-shaped data, as go-yaml v2 reads it or v3; raises YamlError."""
    try:
        _check(text)
        return yaml.load(text, Loader=_LoaderV3 if v3 else _Loader)
    except yaml.YAMLError as error:
        raise YamlError(goyaml.message(error)) from None
    except RecursionError:
        raise YamlError("yaml: exceeded max depth of 10000") from None


def split_documents(text: str) -> list[str]:
    """The documents of a stream, split at lines `---` as apimachinery's YAML reader does (`util/yaml/decoder.go`)."""
    documents = re.split(r"(?m)^---[ \t]*(?:#.*)?(?:\n|\Z)", text)
    return [item for item in documents if item.strip()]
