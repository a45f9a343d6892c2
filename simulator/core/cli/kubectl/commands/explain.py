"""`kubectl explain` from the server's OpenAPI v3 documents (`kubectl/pkg/explain/v2/templates/plaintext.tmpl`)."""

from __future__ import annotations

import json
import re
from typing import Any

from ....kube.api.errors import ApiError
from ....kube.api.kinds import matches
from ...cobra import Command, Flag
from ...flags import quote
from ..errors import CommandError, NoMatch, Plain
from ..explain_v2 import explain_v2
from ..jsonpath_parse import FieldNode, JSONPathError, Parser
from ..mapper import Mapping
from ..session import Session

Obj = dict[str, Any]
MAX_DEPTH = 40
_WORD = re.compile(r"([ \t]*)([^ \t]+|$)")


def wrap(limit: int, text: str) -> str:
    """Words on lines of at most `limit` columns; line breaks of the text stay (mitchellh/go-wordwrap)."""
    out = []
    for line in text.split("\n"):
        current = ""
        for match in _WORD.finditer(line):
            blanks, word = match.groups()
            if word and current and len(current) + len(blanks) + len(word) > limit:
                out.append(current.rstrip(" "))
                current = word
            elif not word and len(current) + len(blanks) > limit:
                break
            else:
                current += blanks + word
        out.append(current)
    return "\n".join(out)


def indent(amount: int, text: str) -> str:
    """Every line moved right."""
    pad = " " * amount
    return pad + text.replace("\n", "\n" + pad)


class Document:
    """One OpenAPI v3 document."""

    def __init__(self, raw: Obj) -> None:
        self.schemas: dict[str, Obj] = (raw.get("components") or {}).get("schemas") or {}

    def resolve(self, schema: Obj) -> Obj:
        """The schema behind a reference."""
        ref = schema.get("$ref")
        return self.schemas.get(ref.rsplit("/", 1)[1], schema) if ref else schema

    def root(self, mapping: Mapping) -> Obj | None:
        """The schema of a kind."""
        wanted = {"group": mapping.kind.group, "version": mapping.version, "kind": mapping.kind.kind}
        for schema in self.schemas.values():
            if any(
                {key: item.get(key, "") for key in wanted} == wanted
                for item in schema.get("x-kubernetes-group-version-kind") or ()
            ):
                return schema
        return None

    def type_of(self, schema: Obj) -> str:
        """`string`, `[]Container`, `map[string]string`, `PodSpec`."""
        if schema.get("items"):
            return "[]" + self.type_of(schema["items"])
        if isinstance(schema.get("additionalProperties"), dict) and schema["additionalProperties"]:
            return "map[string]" + self.type_of(schema["additionalProperties"])
        if schema.get("allOf") and not schema.get("properties") and len(schema["allOf"]) == 1:
            return self.type_of(schema["allOf"][0])
        if schema.get("$ref"):
            found = self.schemas.get(schema["$ref"].rsplit("/", 1)[1], {})
            if found.get("type") in (None, "object"):
                return str(schema["$ref"].rsplit(".", 1)[1] or "Object")
            return str(found["type"])
        return "Object" if schema.get("type") in (None, "object") else str(schema["type"])

    def description(self, schema: Obj) -> str:
        """The description and those of what it stands for."""
        found = self.resolve(schema)
        out = found["description"] + "\n" if found.get("description") else ""
        for item in found.get("allOf") or ():
            out += self.description(item)
        for key in ("items", "additionalProperties"):
            if isinstance(found.get(key), dict) and found[key]:
                out += self.description(found[key])
        return out

    def below(self, schema: Obj) -> list[Obj]:
        """Where the fields may be found further: items, values, parts."""
        out = list(schema.get("allOf") or ())
        for key in ("items", "additionalProperties"):
            if isinstance(schema.get(key), dict) and schema[key]:
                out.append(schema[key])
        return out

    # -- text -------------------------------------------------------------------------------------------------------------
    def output(self, schema: Obj, path: list[str], recursive: bool, depth: int = 0) -> str:
        """The explanation of what `path` leads to, "" when it leads nowhere."""
        if depth > MAX_DEPTH:
            return ""
        found = self.resolve(schema)
        if not path:
            text = "DESCRIPTION:\n" + indent(4, wrap(76, self.description(schema) or "<empty>")) + "\n"
            fields = self.fields(schema, 1, recursive, ())
            return text + ("FIELDS:\n" + fields if fields else "")
        if path[0] in (found.get("properties") or {}):
            inner = found["properties"][path[0]]
            head = f"FIELD: {path[0]} <{self.type_of(inner)}>\n{enum_text(inner, True, 0)}\n\n" if len(path) == 1 else ""
            rest = self.output(inner, path[1:], recursive, depth + 1)
            return head + rest if rest else ""
        for item in self.below(found):
            text = self.output(item, path, recursive, depth + 1)
            if text:
                return text
        return ""

    def fields(self, schema: Obj, level: int, recursive: bool, seen: tuple[str, ...]) -> str:
        """The fields of a schema, one after the other."""
        ref = schema.get("$ref", "")
        if (ref and ref in seen) or level > MAX_DEPTH:
            return ""
        seen = (*seen, ref) if ref else seen
        found = self.resolve(schema)
        out = []
        for name in sorted(found.get("properties") or {}):
            inner = found["properties"][name]
            out.append(self.field(name, inner, name in (found.get("required") or ()), level, recursive))
            if recursive:
                out.append(self.fields(inner, level + 1, recursive, seen))
        out += [self.fields(item, level, recursive, seen) for item in self.below(found)]
        return "".join(out)

    def field(self, name: str, schema: Obj, required: bool, level: int, short: bool) -> str:
        """One field: its line, and its description unless `short`."""
        amount = 2 * level
        text = (
            " " * amount
            + f"{name}\t<{self.type_of(schema)}>{' -required-' if required else ''}{enum_text(schema, False, amount)}\n"
        )
        if short:
            return text
        return text + indent(amount + 2, wrap(78 - amount, schema.get("description") or "<no description>")) + "\n\n"


def enum_text(schema: Obj, long: bool, amount: int) -> str:
    """The values of an enumeration: four on a line, or all of them below each other."""
    values = schema.get("enum")
    if not values:
        return ""
    shown = ['""' if value == "" else str(value) for value in values]
    if long:
        return "ENUM:" + "".join(f"\n    {value}" for value in shown)
    return "\n" + " " * amount + "enum: " + ", ".join(shown[:4]) + (", ...." if len(shown) > 4 else "")


def run(s: Session) -> int:
    """Find the resource, its document and the field."""
    values = s.values
    if not values.args:
        raise CommandError(
            'You must specify the type of resource to explain. Use "kubectl api-resources" for a complete list of supported resources.\n'
        )
    if len(values.args) > 1:
        raise CommandError("We accept only this format: explain RESOURCE\n")
    older = values.text("output") == "plaintext-openapiv2"
    version = values.text("api-version")
    mapping, path = _resource(s, values.args[0], anywhere=not version)
    group, number = mapping.kind.group, mapping.version
    if version:
        group, _, number = version.rpartition("/")
        if "/" in group:
            raise CommandError(f"unexpected GroupVersion string: {version}")
    gvr = f"{group}/{number}, Resource={mapping.kind.plural}" if group else f"/{number}, Resource={mapping.kind.plural}"
    try:
        answer = s.request("GET", f"/openapi/v3/{f'apis/{group}/{number}' if group else f'api/{number}'}")
    except ApiError as error:
        if error.code == 404:
            kind = gvr.replace("Resource=" + mapping.kind.plural, "Kind=" + mapping.kind.kind)
            raise CommandError(f"couldn't find resource for {quote(kind if older else gvr)}") from None
        raise CommandError(f"failed to fetch openapi schema for {group}/{number}: {error.message}") from None
    if values.text("output") not in ("plaintext", "plaintext-openapiv2"):
        raise CommandError(f"unrecognized format: {values.text('output')}")
    if group != mapping.kind.group or number not in mapping.kind.versions:
        raise CommandError(f"GVR ({gvr}) not found in OpenAPI schema")
    mapping = Mapping(mapping.kind, number)
    document = Document(answer.obj if answer.obj is not None else json.loads(answer.body))
    root = document.root(mapping)
    if root is None:
        raise CommandError(f"GVK {mapping.api_version}, Kind={mapping.kind.kind} not found in OpenAPI schema")
    if older:
        s.out(explain_v2(document, root, mapping, path, values.on("recursive")))
        return 0
    text = document.output(root, path, values.on("recursive"))
    head = f"GROUP:      {mapping.kind.group}\n" if mapping.kind.group else ""
    s.out(f"{head}KIND:       {mapping.kind.kind}\nVERSION:    {mapping.version}\n\n")
    if not text:
        raise CommandError(f"field {quote(path[-1])} does not exist")
    s.out(f"{text}\n")
    return 0


def _nodes(text: str) -> list[Any]:
    """The nodes of a dotted path, read as a JSONPath (`explain.jsonPathParse`)."""
    try:
        outer = Parser("{." + text.removesuffix(".") + "}").root()
    except JSONPathError as error:
        raise CommandError(str(error)) from None
    if len(outer) != 1:
        raise CommandError("must pass in 1 jsonpath string")
    return outer[0]


def _fields(nodes: list[Any], message: str) -> list[str]:
    """The names of what must all be fields."""
    if not all(isinstance(node, FieldNode) for node in nodes):
        raise CommandError(f"invalid jsonpath syntax, {message}")
    return [node.name for node in nodes]


def _resource(s: Session, word: str, *, anywhere: bool) -> tuple[Mapping, list[str]]:
    """The resource, then the fields, of `pods.spec.containers`; with `anywhere` the group may follow: `events.events.k8s.io.reason`."""
    s.discover()
    nodes = _nodes(word)
    first = "first node must be field node"
    head = _fields(nodes[:1], first)[0]
    if not head:
        raise CommandError("a resource must be present, got: /, Resource=")
    try:
        mapping = s.mapper.mapping(head)
    except NoMatch as error:
        raise Plain(str(error)) from None
    if not anywhere:
        return mapping, _fields(nodes[1:], "all nodes must be field nodes")
    for item in (mapping.kind, *s.mapper.all()):
        if matches(item, head.lower()) and word.startswith(item.group_resource):
            rest = word[len(item.group_resource) :]
            return Mapping(item), _fields(_nodes(rest)[1:], first) if rest else []
    return mapping, _fields(nodes[1:], first)


COMMAND = Command(
    "explain TYPE [--recursive=FALSE|TRUE] [--api-version=api-version-group] [-o|--output=plaintext|plaintext-openapiv2]",
    short="Get documentation for a resource",
    long="""Describe fields and structure of various resources.

 A field is named by its path: <type>.<fieldName>[.<fieldName>]. What is printed comes from the server's OpenAPI documents.

Use "kubectl api-resources" for a complete list of supported resources.""",
    example="""# A resource and its fields
kubectl explain pods

# Every field, at once
kubectl explain pods --recursive

# One field
kubectl explain pods.spec.containers""",
    flags=(
        Flag(name="recursive", short="R", kind="bool", usage="Print the names of all fields of all levels."),
        Flag(name="api-version", usage="Use this group/version."),
        Flag(name="output", short="o", default="plaintext", usage="plaintext or plaintext-openapiv2."),
    ),
    run=run,
)
