"""Set-up command: extract the API schema of the pinned `kubernetes-validate` package into the core's compact cache.

    python scripts/extract_schema.py [--minor 1.36]

It writes a pair of files a release: `simulator/core/kube/api/data/v1.36.schema.json` (types, list and patch keys; small, read when a
world of the release boots) and `v1.36.openapi.json` (the same with descriptions; read when a client asks for OpenAPI).  None is committed.
"""

from __future__ import annotations

import argparse
import json
import sys
from importlib import resources
from pathlib import Path
from typing import Any

DATA = Path(__file__).resolve().parent.parent / "simulator" / "core" / "kube" / "api" / "data"
REF = "#/$defs/"
#: The data packs; `kernel/versions.py: PACKS` names them for the simulator, which this command does not import.
MINORS = ("1.36", "1.37", "1.35")


def main() -> int:
    """Write the two files of each minor version; exit 1 when the package has not got one."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("--minor", action="append", help=f"Kubernetes minor version; all of {', '.join(MINORS)} by default")
    for minor in parser.parse_args().minor or MINORS:
        if not extract(minor):
            print(f"kubernetes-validate has no definitions of v{minor}", file=sys.stderr)
            return 1
    return 0


def extract(minor: str) -> bool:
    """Write the two files of a minor version; False when the package has not got it."""
    source = resources.files("kubernetes_validate") / "kubernetes-json-schema" / f"v{minor}.0-local" / "_definitions.json"
    if not source.is_file():
        return False
    definitions: dict[str, Any] = json.loads(source.read_text())["$defs"]
    DATA.mkdir(parents=True, exist_ok=True)
    schema = {name: compact(body) for name, body in sorted(definitions.items())}
    (DATA / f"v{minor}.schema.json").write_text(json.dumps(schema, separators=(",", ":")))
    openapi = {name: component(name, body) for name, body in sorted(definitions.items())}
    (DATA / f"v{minor}.openapi.json").write_text(json.dumps(openapi, separators=(",", ":")))
    return True


def compact(body: dict[str, Any]) -> dict[str, Any]:
    """A type as `{f: {field: spec}, r: [required], g: [[group, version, kind]]}`; scalars have `t` and no `f`."""
    out: dict[str, Any] = {}
    if "properties" in body:
        required = body.get("required", [])
        out["f"] = {name: field(spec) for name, spec in body["properties"].items()}
        if required:
            out["r"] = required
    else:
        out.update(field(body))
    if body.get("x-kubernetes-map-type") == "atomic":
        out["a"] = 1
    found = body.get("x-kubernetes-group-version-kind")
    if found:
        out["g"] = [[item["group"], item["version"], item["kind"]] for item in found]
    return out


def field(spec: dict[str, Any]) -> dict[str, Any]:
    """A field: `t` its type, `$` the referenced type, `i` items, `v` map values, `l` list type, `k` list keys, `p` patch."""
    out: dict[str, Any] = {}
    if "$ref" in spec:
        out["$"] = spec["$ref"].removeprefix(REF)
    kind = plain_type(spec)
    if kind:
        out["t"] = kind
    if spec.get("format"):
        out["o"] = spec["format"]
    if "items" in spec:
        out["i"] = field(spec["items"])
    if isinstance(spec.get("additionalProperties"), dict):
        out["v"] = field(spec["additionalProperties"])
    for short, name in (("l", "x-kubernetes-list-type"), ("k", "x-kubernetes-list-map-keys"), ("m", "x-kubernetes-map-type")):
        if spec.get(name):
            out[short] = spec[name]
    if spec.get("x-kubernetes-patch-strategy"):
        out["p"] = [spec["x-kubernetes-patch-strategy"], spec.get("x-kubernetes-patch-merge-key", "")]
    return out


def plain_type(spec: dict[str, Any]) -> str:
    """The JSON type without the `null` that the strict schemas allow."""
    kind = spec.get("type")
    if isinstance(kind, list):
        return next((item for item in kind if item != "null"), "")
    return kind or ""


def component(name: str, body: Any) -> Any:
    """A definition as an OpenAPI v3 component: `null` types dropped, references to `#/components/schemas/`."""
    if isinstance(body, list):
        return [component(name, item) for item in body]
    if not isinstance(body, dict):
        return body
    out: dict[str, Any] = {}
    for key, value in body.items():
        if key == "$ref":
            out[key] = "#/components/schemas/" + value.removeprefix(REF)
        elif key == "type":
            out[key] = plain_type(body)
        elif key == "enum" and value and name.count(".") > 2 and len(value) == 1:
            continue
        elif key == "properties":
            out[key] = {field_name: described(component(name, spec)) for field_name, spec in value.items()}
        else:
            out[key] = component(name, value)
    return out


def described(spec: dict[str, Any]) -> dict[str, Any]:
    """A property whose `$ref` has siblings must wrap it in allOf, as the real document does."""
    if "$ref" in spec and len(spec) > 1:
        ref = spec.pop("$ref")
        return {"allOf": [{"$ref": ref}], "default": {}, **spec}
    return spec


if __name__ == "__main__":
    raise SystemExit(main())
