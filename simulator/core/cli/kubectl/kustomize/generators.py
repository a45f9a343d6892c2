"""Generators of config maps and secrets (kustomize, `api/internal/generators`, `api/kv`)."""

from __future__ import annotations

import base64
import posixpath
from collections.abc import Callable

from ..errors import CommandError
from .items import Item, Obj

#: Reads a file of the kustomization's directory.
Read = Callable[[str], bytes]


def generate(kind: str, args: Obj, options: Obj, read: Read) -> Item:
    """The object that a generator makes; its name gets a hash later unless `disableNameSuffixHash`."""
    data = _pairs(kind, args, read)
    own = args.get("options") or {}
    obj: Obj = {"apiVersion": "v1", "kind": kind, "metadata": {"name": args.get("name") or ""}}
    if not args.get("name"):
        raise CommandError(f"a {kind.lower()} must have a name")
    if args.get("namespace"):
        obj["metadata"]["namespace"] = args["namespace"]
    for key in ("labels", "annotations"):
        pairs = {**(options.get(key) or {}), **(own.get(key) or {})}
        if pairs:
            obj["metadata"][key] = {name: str(value) for name, value in pairs.items()}
    if kind == "Secret":
        obj["type"] = args.get("type") or "Opaque"
        if data:
            obj["data"] = {name: base64.b64encode(value).decode() for name, value in data.items()}
    else:
        for name, value in data.items():
            try:
                obj.setdefault("data", {})[name] = value.decode()
            except UnicodeDecodeError:
                obj.setdefault("binaryData", {})[name] = base64.b64encode(value).decode()
    if own.get("immutable", options.get("immutable")):
        obj["immutable"] = True
    plain = own["disableNameSuffixHash"] if "disableNameSuffixHash" in own else options.get("disableNameSuffixHash")
    return Item(obj, hashed=not (plain or options.get("disableNameSuffixHash")))


def _pairs(kind: str, args: Obj, read: Read) -> dict[str, bytes]:
    """The data: of env files, literals and files, in this order."""
    data: dict[str, bytes] = {}

    def add(name: str, value: bytes) -> None:
        if name in data:
            raise CommandError(f"{kind.lower()} {args.get('name')} illegally repeats the key `{name}`")
        data[name] = value

    envs = [*(args.get("envs") or ()), *([args["env"]] if args.get("env") else ())]

    def load(what: str, all_of_them: list[object], path: str) -> bytes:
        try:
            return read(path)
        except CommandError as error:
            raise CommandError(f"loading KV pairs: {what}: {_go(all_of_them)}: {error}") from None

    for path in envs:
        for line in load("env source files", envs, path).decode("utf-8", "replace").removeprefix("\ufeff").splitlines():
            if line.strip() and not line.lstrip().startswith("#"):
                name, _, value = line.lstrip().partition("=")
                add(name, value.encode())
    for literal in args.get("literals") or ():
        name, equals, value = str(literal).partition("=")
        if not equals or not name:
            raise CommandError(
                f"loading KV pairs: literal sources {_go(args['literals'])}: invalid literal source {literal}, expected key=value"
            )
        if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'":
            value = value[1:-1]
        add(name, value.encode())
    for entry in args.get("files") or ():
        name, equals, path = str(entry).partition("=")
        path = path if equals else name
        add(name if equals else posixpath.basename(path), load("file sources", args["files"], path))
    return data


def _go(values: list[object]) -> str:
    return f"[{' '.join(str(value) for value in values)}]"
