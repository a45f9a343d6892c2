"""Reading and writing configuration documents: strict decoding, conversion from v1beta3, printing (util/config, util/marshal.go).

A decoded document is JSON of version v1beta4 with only what the file said; `defaults.py` completes it.
"""

from __future__ import annotations

import re
from typing import Any

from ...kernel.versions import VERSION
from ...kube import component
from .. import goyaml
from ..flag_kinds import format_duration
from . import types
from .run import Failure, Run

Json = dict[str, Any]
#: Group, version, kind.
Gvk = tuple[str, str, str]

COMPONENT_KINDS = {
    "KubeletConfiguration": ("kubelet.config.k8s.io", "v1beta1"),
    "KubeProxyConfiguration": ("kubeproxy.config.k8s.io", "v1alpha1"),
}
TOKEN = re.compile(r"([a-z0-9]{6})\.([a-z0-9]{16})")
TOKEN_PATTERN = "\\\\A([a-z0-9]{6})\\\\.([a-z0-9]{16})\\\\z"


def go_gvk(gvk: Gvk) -> str:
    """`%#v` of a GroupVersionKind."""
    return f'schema.GroupVersionKind{{Group:"{gvk[0]}", Version:"{gvk[1]}", Kind:"{gvk[2]}"}}'


def split(text: str) -> dict[Gvk, Json]:
    """The documents of a file by what they are (`SplitConfigDocuments`)."""
    found: dict[Gvk, Json] = {}
    twice: list[str] = []
    for part in goyaml.split_documents(text):
        try:
            document = goyaml.load(part)
        except goyaml.YamlError as error:
            raise Failure(
                f"could not interpret GroupVersionKind; unmarshal error: error converting YAML to JSON: {error}"
            ) from None
        if document is None:
            continue
        if not isinstance(document, dict):
            kind = "array" if isinstance(document, list) else "string" if isinstance(document, str) else "number"
            raise Failure(
                "could not interpret GroupVersionKind; unmarshal error: error unmarshaling JSON: while decoding JSON: json: cannot "
                f'unmarshal {kind} into Go value of type struct {{ APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string '
                '"json:\\"kind,omitempty\\"" }'
            )
        group, _, version = str(document.get("apiVersion") or "").rpartition("/")
        gvk = (group, version, str(document.get("kind") or ""))
        if not all(gvk):
            shown = f"{gvk[0]}/{gvk[1]}, Kind={gvk[2]}"
            raise Failure(
                f"invalid configuration for GroupVersionKind {shown}: kind and apiVersion is mandatory information that must be specified"
            )
        if any(known[2] == gvk[2] for known in found):
            twice.append(f'invalid configuration: kind "{gvk[2]}" is specified twice in YAML file')
            continue
        found[gvk] = document
    if twice:
        raise Failure(twice[0] if len(twice) == 1 else f"[{', '.join(twice)}]")
    return found


def known(gvk: Gvk) -> bool:
    """Whether some version of kubeadm's scheme has the kind."""
    if gvk[0] == types.GROUP:
        return gvk[2] in types.KINDS_OF.get(gvk[1], ())
    return COMPONENT_KINDS.get(gvk[2]) == gvk[:2]


def check_version(run: Run, gvk: Gvk, *, allow_deprecated: bool) -> None:
    """Refuse what is too old, warn of what is deprecated (`validateSupportedVersion`)."""
    group, version, kind = gvk
    if group != types.GROUP:
        return
    migrate = (
        "'kubeadm config migrate --old-config old-config-file --new-config new-config-file', which will write the new, similar spec using "
        "a newer API version."
    )
    if version in types.OLD:
        raise Failure(
            f'your configuration file uses an old API spec: "{group}/{version}" (kind: "{kind}"). Please use kubeadm {types.OLD[version]} '
            f"instead and run {migrate}"
        )
    if version in types.DEPRECATED and not allow_deprecated:
        run.warn(
            "common.go:101",
            f'your configuration file uses a deprecated API spec: "{group}/{version}" (kind: "{kind}"). Please use {migrate}',
        )


def strict_problems(gvk: Gvk, document: Json) -> str:
    """What a strict decoder finds: fields that do not exist, in order, or ""."""
    if gvk[0] != types.GROUP:
        return ""
    unknown = _unknown(gvk[2], document, gvk[1], "", top=True)
    if not unknown:
        return ""
    listed = ", ".join(f'unknown field "{path}"' for path in unknown)
    return f"error unmarshaling configuration {go_gvk(gvk)}: strict decoding error: {listed}"


def _unknown(struct: str, value: Any, version: str, path: str, *, top: bool = False) -> list[str]:
    if not isinstance(value, dict):
        return []
    fields = types.fields_of(struct, version)
    out: list[str] = []
    for key in sorted(value):
        where = f"{path}.{key}" if path else key
        if key not in fields:
            if not (top and key in ("apiVersion", "kind")):
                out.append(where)
            continue
        kind = fields[key]
        if kind in types.STRUCTS:
            out += _unknown(kind, value[key], version, where)
        elif kind[2:] in types.STRUCTS and isinstance(value[key], list):
            for at, item in enumerate(value[key]):
                out += _unknown(kind[2:], item, version, f"{where}[{at}]")
    return out


def decode(gvk: Gvk, document: Json) -> Json:
    """A document as JSON of v1beta4: unknown fields dropped, values checked; raises Failure as the codec does."""
    body = _decode_struct(gvk[2], document, gvk[1], "")
    if gvk[1] == "v1beta3":
        body = _from_v1beta3(gvk[2], body)
    return body


_GO_NAMES = {"dict": "object", "list": "array", "str": "string", "bool": "bool", "int": "number", "float": "number"}
_GO_TYPES = {"string": "string", "bool": "bool", "int": "int32", "duration": "string", "time": "string", "token": "string"}


def _decode_struct(struct: str, value: Json, version: str, path: str) -> Json:
    fields = types.fields_of(struct, version)
    out: Json = {}
    for key, item in value.items():
        if key not in fields or item is None:
            continue
        where = f"{path}.{key}" if path else key
        out[key] = _decode_value(fields[key], item, version, where, struct)
    return out


def _decode_value(kind: str, value: Any, version: str, where: str, struct: str) -> Any:
    def wrong(wanted: str) -> Failure:
        shown = _GO_NAMES.get(type(value).__name__, "value")
        return Failure(f"json: cannot unmarshal {shown} into Go struct field {struct}.{where} of type {wanted}")

    if kind.startswith("[]"):
        if not isinstance(value, list):
            raise wrong(f"[]{kind[2:]}" if kind[2:] in _GO_TYPES else f"[]{version}.{kind[2:]}")
        return [_decode_value(kind[2:], item, version, where, struct) for item in value]
    if kind in types.STRUCTS:
        if not isinstance(value, dict):
            raise wrong(f"{version}.{kind}")
        return _decode_struct(kind, value, version, where)
    if kind == "map":
        if not isinstance(value, dict):
            raise wrong("map[string]string")
        return value
    if kind == "bool":
        if not isinstance(value, bool):
            raise wrong("bool")
        return value
    if kind == "int":
        if isinstance(value, bool) or not isinstance(value, int):
            raise wrong("int32")
        return value
    if not isinstance(value, str):
        raise wrong("string")
    if kind == "duration":
        try:
            return format_duration(component.parse_duration(value))
        except ValueError as error:
            raise Failure(str(error)) from None
    if kind == "token" and TOKEN.fullmatch(value) is None:
        raise Failure(f'the bootstrap token "{value}" was not of the form "{TOKEN_PATTERN}"')
    return value


def _from_v1beta3(kind: str, body: Json) -> Json:
    """Arguments become lists, the old timeouts the new ones (v1beta3/conversion.go)."""

    def listed(section: Json, key: str) -> None:
        if isinstance(section.get(key), dict):
            section[key] = [{"name": name, "value": str(value)} for name, value in sorted(section[key].items())]

    for name in ("apiServer", "controllerManager", "scheduler"):
        listed(body.get(name) or {}, "extraArgs")
    listed((body.get("etcd") or {}).get("local") or {}, "extraArgs")
    listed(body.get("nodeRegistration") or {}, "kubeletExtraArgs")
    if kind == "ClusterConfiguration":
        body["_timeout"] = (body.get("apiServer") or {}).pop("timeoutForControlPlane", None)
    if kind == "JoinConfiguration":
        waited = (body.get("discovery") or {}).pop("timeout", None)
        if waited:
            body.setdefault("timeouts", {})["discovery"] = waited
    return body


def printable(kind: str, body: Json) -> Json:
    """A document as the encoder writes it: empty optional fields left out, the others there."""
    out = _printable(kind, body)
    return {"apiVersion": f"{types.GROUP}/{types.CURRENT}", "kind": kind, **out}


def _printable(struct: str, value: Json) -> Json:
    always = types.always_printed(struct)
    out: Json = {}
    for name, kind in types.fields_of(struct).items():
        item = value.get(name)
        if kind in types.STRUCTS:
            if item is not None or name in always:
                out[name] = _printable(kind, item or {})
            continue
        if kind[2:] in types.STRUCTS and item:
            out[name] = [_printable(kind[2:], one) for one in item]
            continue
        # a pointer to false is printed, a plain false is not; plain ones are never set to false here
        if item not in (None, "", [], {}, 0) or (item is False and _pointer(struct, name)) or name in always:
            out[name] = item if item is not None or kind.startswith("[]") else ""
    return out


def _pointer(struct: str, name: str) -> bool:
    return name == "imagePullSerial" or struct.startswith("Upgrade")


def dump(kind: str, body: Json) -> str:
    """YAML of a document."""
    return goyaml.dump(printable(kind, body))


def tool_minor(version: str = VERSION) -> int:
    """36 of `v1.36.2`."""
    return int(version.split(".")[1])
