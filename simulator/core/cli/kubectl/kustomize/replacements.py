"""Replacements: a value of one object, copied into fields of others (kustomize, `api/filters/replacement`)."""

from __future__ import annotations

import re
from typing import Any

from ... import goyaml
from ...flags import quote
from ..errors import CommandError
from ..jsontext import compact
from .items import Id, Item, Obj, Selector

_MISSING = object()
Place = tuple[Any, Any]  # a container and a key or an index of it


def apply(items: list[Item], replacements: list[Obj]) -> None:
    """Copy the values; raises CommandError."""
    for one in replacements:
        if (one.get("source") is None and one.get("sourceValue") is None) or not one.get("targets"):
            raise CommandError("replacements must specify a source and at least one target")
        value = _source(items, one)
        for target in one["targets"]:
            _into(items, value, target)


def split(path: str) -> list[str]:
    """Names of a path with dots; `\\.` and brackets keep one together (`SmarterPathSplitter`)."""
    parts = [""]
    depth = at = 0
    while at < len(path):
        char = path[at]
        if char == "\\" and path[at + 1 : at + 2] == ".":
            parts[-1] += "."
            at += 2
            continue
        depth += (char == "[") - (char == "]")
        if char == "." and depth == 0:
            parts.append("")
        else:
            parts[-1] += char
        at += 1
    return [part for part in parts if part] or [""]


def _ids(item: Item) -> list[Id]:
    return [*item.before, item.id]


def _source(items: list[Item], one: Obj) -> Any:
    if one.get("sourceValue") is not None:
        if one.get("source") is not None:
            raise CommandError("value and resource selectors are mutually exclusive")
        return str(one["sourceValue"])
    source = one["source"]

    def selected(have: Id) -> bool:
        return all(
            not source.get(key) or source[key] == getattr(have, key) for key in ("group", "version", "kind", "name", "namespace")
        )

    found = [item for item in items if any(selected(have) for have in _ids(item))]
    wanted = Id(*(str(source.get(key) or "") for key in ("group", "version", "kind", "name", "namespace")))
    path = str(source.get("fieldPath") or "metadata.name")
    if len(found) != 1:
        told = f"{wanted}:{source['fieldPath']}" if source.get("fieldPath") else str(wanted)
        raise CommandError(f"{'multiple matches for selector' if found else 'nothing selected by'} {told}")
    places = _places(found[0].obj, split(path), None)
    value = places[0][0][places[0][1]] if places else None
    if value in (None, "", {}, []):
        raise CommandError(f"fieldPath `{path}` is missing for replacement source {wanted}")
    options = source.get("options") or {}
    if options.get("delimiter"):
        parts, index = _text(value).split(options["delimiter"]), int(options.get("index") or 0)
        if not 0 <= index < len(parts):
            raise CommandError(f"options.index {index} is out of bounds for value {_text(value)}")
        value = parts[index]
    return value


def _text(value: Any) -> str:
    if isinstance(value, dict | list):
        raise CommandError("delimiter option can only be used with scalar nodes")
    return str(value).lower() if isinstance(value, bool) else str(value)


def _into(items: list[Item], value: Any, target: Obj) -> None:
    if not target.get("select"):
        raise CommandError("target must specify resources to select")
    selector = Selector(target["select"])
    rejects = [Selector(one) for one in target.get("reject") or ()]
    options = target.get("options") or {}
    for item in items:
        if selector.chooses(item) and not any(one.chooses(item) for one in rejects):
            item.keep()
            for path in target.get("fieldPaths") or ("metadata.name",):
                _put(item.obj, str(path), value, options)


def _put(obj: Obj, path: str, value: Any, options: Obj) -> None:
    parts = split(path)
    if _structured(obj, parts, value, options):
        return
    create = bool(options.get("create"))
    places = _places(obj, parts, {} if create else None)
    if not places:
        verb = "find or create" if create else "find"
        raise CommandError(f"unable to {verb} field {quote(path)} in replacement target")
    for holder, key in places:
        held = holder.get(key, _MISSING) if isinstance(holder, dict) else holder[key]
        holder[key] = _new(held, value, options)


def _new(held: Any, value: Any, options: Obj) -> Any:
    """The value in the place of another: a scalar keeps the type that it has there."""
    if options.get("delimiter"):
        parts, index = _text("" if held is _MISSING else held).split(options["delimiter"]), int(options.get("index") or 0)
        text = _text(value)
        if index < 0:
            parts.insert(0, text)
        elif index >= len(parts):
            parts.append(text)
        else:
            parts[index] = text
        value = options["delimiter"].join(parts)
    if held is _MISSING or held is None or isinstance(held, dict | list) or isinstance(value, dict | list):
        return value
    if isinstance(held, str):
        return _text(value)
    try:
        return goyaml.load(_text(value))
    except goyaml.YamlError:
        return value


def _structured(obj: Obj, parts: list[str], value: Any, options: Obj) -> bool:
    """A path that goes on inside a text of JSON or YAML (kustomize 5.8); False where there is none."""
    for length in range(1, len(parts)):
        places = _places(obj, parts[:length], None)
        held = places[0][0][places[0][1]] if len(places) == 1 else None
        if not isinstance(held, str):
            continue
        try:
            inner = goyaml.load(held)
        except goyaml.YamlError:
            return False
        found = _places(inner, parts[length:], {} if options.get("create") else None) if isinstance(inner, dict | list) else []
        if not found:
            return False
        for holder, key in found:
            old = holder.get(key, _MISSING) if isinstance(holder, dict) else holder[key]
            holder[key] = _new(old, value, {})
        if held.lstrip()[:1] in ("{", "["):
            from ..jsontext import indented

            text = indented(inner, 2) if "\n" in held and "  " in held else compact(inner)
        else:
            text = goyaml.dump(inner).strip()
        places[0][0][places[0][1]] = text
        return True
    return False


def _places(value: Any, parts: list[str], create: Any) -> list[Place]:
    """Where a path leads: names, `*`, numbers, `-` for a new element, `[key=value]`."""
    part, rest = parts[0], parts[1:]
    found: list[Place] = []
    match = re.fullmatch(r"\[(.*?)=(.*)\]", part)
    if isinstance(value, list):
        if match:
            found = [(value, at) for at, one in enumerate(value) if _equal(one, match[1], match[2])]
            if not found and create is not None:
                value.append({match[1]: match[2]} if match[1] else match[2])
                found = [(value, len(value) - 1)]
        elif part == "*":
            found = [(value, at) for at in range(len(value))]
        elif part.lstrip("-").isdigit():
            at = int(part)
            if create is not None and at == len(value):
                value.append({} if rest else "")
            found = [(value, at)] if 0 <= at < len(value) else []
        elif part == "-" and value:
            found = [(value, len(value) - 1)]
    elif isinstance(value, dict):
        if part == "*":
            found = [(value, key) for key in value]
        elif part in value or create is not None:
            if part not in value and rest:
                value[part] = [] if rest[0].startswith("[") or rest[0].isdigit() else {}
            found = [(value, part)]
    if not rest:
        return found
    return [place for holder, key in found for place in _places(holder[key], rest, create)]


def _equal(one: Any, key: str, wanted: str) -> bool:
    if not key:
        return not isinstance(one, dict | list) and _text(one) == wanted
    return isinstance(one, dict) and key in one and not isinstance(one[key], dict | list) and _text(one[key]) == wanted
