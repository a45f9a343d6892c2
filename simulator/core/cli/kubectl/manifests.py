"""Reading manifests: files, directories, patterns, standard input, kustomizations (`cli-runtime/pkg/resource/visitor.go`)."""

from __future__ import annotations

import json
import posixpath
from collections.abc import Iterator
from typing import Any, NamedTuple

from ...kernel.errors import ConnectError
from ...kernel.http import Request
from ...kube.api import gojson
from ...kube.component import dialled
from .. import goyaml
from ..flags import quote
from .errors import CommandError, raise_all
from .session import Session

Obj = dict[str, Any]
EXTENSIONS = (".json", ".yaml", ".yml")
MAX_DOCUMENTS = 5000


class Document(NamedTuple):
    """One object and where it was written."""

    obj: Obj
    source: str


def read_documents(
    session: Session, filenames: list[str], kustomize: str = "", recursive: bool = False, errors: list[Exception] | None = None
) -> list[Document]:
    """All objects of the given files in order, lists taken apart.  With `errors`, what fails is kept there and the rest is read."""
    out: list[Document] = []
    values = session.values
    validated = values.has("validate") and values.text("validate") not in ("false", "ignore")
    for path, source in paths_of(session, filenames, recursive):
        try:
            for value in values_of(_text(session, path), source):
                try:
                    out += flatten(_checked(value, source) if validated else _decoded(value, source), source)
                except Undecodable as error:  # the documents after it are still read
                    if errors is None:
                        raise
                    errors.append(error)
        except CommandError as error:
            if errors is None:
                raise
            if error not in errors:
                errors.append(error)
    if kustomize:
        from .kustomize import build

        try:
            out += [Document(obj, kustomize) for obj in build(session, kustomize)]
        except CommandError as error:
            if errors is None:
                raise
            errors.append(error)
    if len(out) > MAX_DOCUMENTS:
        raise CommandError(f"more than {MAX_DOCUMENTS} objects")
    return out


def paths_of(session: Session, filenames: list[str], recursive: bool) -> list[tuple[str, str]]:
    """(path, how it is named) of every file that is meant; CommandError with all that are missing."""
    paths: list[tuple[str, str]] = []
    absent: list[Exception] = []
    for name in filenames:
        try:
            paths += _paths(session, name, recursive)
        except CommandError as error:  # every one is told
            absent.append(error)
    raise_all(absent)
    return paths


def _paths(session: Session, name: str, recursive: bool) -> list[tuple[str, str]]:
    from .builder import expand

    if name == "-":
        return [("-", "STDIN")]
    if name.startswith(("http://", "https://")):
        return [(name, name)]
    out: list[tuple[str, str]] = []
    for path in expand(session, name):
        if session.inv.isdir(path):
            out += [(item, item) for item in _walk(session, path, recursive)]
        else:
            out.append((path, path))
    if not out:
        raise CommandError(f"error reading {[name]}: recognized file extensions are [.json .yaml .yml]".replace("'", ""))
    return out


def _walk(session: Session, folder: str, recursive: bool) -> list[str]:
    out = []
    for name in session.inv.tree.listdir(session.inv.path(folder)):
        path = posixpath.join(folder, name)
        if session.inv.isdir(path):
            out += _walk(session, path, recursive) if recursive else []
        elif name.endswith(EXTENSIONS):
            out.append(path)
    return out


def _text(session: Session, path: str) -> str:
    if path == "-":
        data: bytes = session.stdin
    elif path.startswith(("http://", "https://")):
        data = download(session, path)
    else:
        try:
            data = session.inv.read_file(path)
        except OSError as error:
            raise CommandError(f"open {path}: {(error.strerror or 'error').lower()}") from None
    return data.decode("utf-8", "replace")


def download(session: Session, url: str) -> bytes:
    """A manifest of the simulated internet (cli-runtime, pkg/resource/visitor.go: readHttpWithRetries)."""
    from ...shell.coreutils import curl, internet

    inv, seen = session.inv, url
    for _ in range(10):
        try:
            target = curl.Target(seen)
            answer = curl.fetch(inv, target, Request(method="GET", path=target.path, scheme=target.scheme, source=inv.proc.netns))
        except curl.CurlError as error:
            host = seen.split("://")[1].split("/")[0].partition(":")[0]
            why = f"lookup {host} on 127.0.0.53:53: no such host" if error.code == 6 else str(error)
            raise CommandError(f'Get "{seen}": dial tcp: {why}') from None
        except ConnectError as error:
            raise CommandError(f'Get "{seen}": {dialled(error)}') from None
        session.client.latency += answer.latency
        if answer.status not in (301, 302, 303, 307, 308):
            break
        seen = answer.headers.get("location", "")
    if answer.status != 200:
        if internet.ABSENT.encode() in answer.body:
            raise CommandError(f"unable to read URL {quote(url)}: {internet.ABSENT}")
        text = {403: "Forbidden", 404: "Not Found", 500: "Internal Server Error"}.get(answer.status, "")
        raise CommandError(
            f"unable to read URL {quote(url)}, server reported {answer.status} {text}, status code={answer.status}"
        )
    return answer.body


def parse(text: str, source: str, v3: bool = False) -> list[Obj]:
    """The objects of one file (as go-yaml v3 reads it: kustomize); raises CommandError."""
    return [_checked(value, source) for value in values_of(text, source, v3)]


def values_of(text: str, source: str, v3: bool = False) -> Iterator[Any]:
    """The documents of one file, one after the other: a JSON stream when it begins with a brace, else YAML; raises CommandError."""
    if text.lstrip()[:1] == "{":
        yield from _json_stream(text, source)
        return
    for part in goyaml.split_documents(text):
        try:
            value = goyaml.load(part, v3)
        except goyaml.YamlError as error:
            raise CommandError(f"error parsing {source}: error converting YAML to JSON: {error}") from None
        if value is not None:
            yield value


class Undecodable(CommandError):
    """One document that is no object of any kind."""


def _json_stream(text: str, source: str) -> list[Any]:
    decoder, at = json.JSONDecoder(), 0
    out: list[Any] = []
    while True:
        while at < len(text) and text[at].isspace():
            at += 1
        if at >= len(text):
            return out
        try:
            value, at = decoder.raw_decode(text, at)
        except (ValueError, RecursionError) as error:
            try:
                # YAML in flow style begins with a brace too.
                return [item for item in (goyaml.load(part) for part in goyaml.split_documents(text)) if item is not None]
            except goyaml.YamlError:
                pass
            if not isinstance(error, json.JSONDecodeError):
                raise CommandError(f"error parsing {source}: json: exceeded max depth") from None
            told, offset = gojson.problem(error)
            why = f"json: offset {offset}: {told}" if offset else "unexpected EOF"
            raise CommandError(f"error parsing {source}: {why}") from None
        out.append(value)


def _checked(value: Any, source: str) -> Obj:
    if not isinstance(value, dict):
        raise CommandError(f"error validating {quote(source)}: error validating data: invalid object to validate; if you choose to ignore these errors, "
                           "turn validation off with --validate=false")  # fmt: skip
    missing = [text for key, text in (("apiVersion", "apiVersion not set"), ("kind", "kind not set")) if not value.get(key)]
    if missing:
        told = missing[0] if len(missing) == 1 else "[" + ", ".join(missing) + "]"
        raise CommandError(f"error validating {quote(source)}: error validating data: {told}; if you choose to ignore these errors, turn validation "
                           "off with --validate=false")  # fmt: skip
    return _decoded(value, source)


def _decoded(value: Any, source: str) -> Obj:
    """An object of any kind (`unstructuredJSONScheme.Decode`)."""
    if not isinstance(value, dict):
        what = (
            "array"
            if isinstance(value, list)
            else "string"
            if isinstance(value, str)
            else "bool"
            if isinstance(value, bool)
            else "number"
        )
        raise Undecodable(
            f"unable to decode {quote(source)}: json: cannot unmarshal {what} into Go value of type unstructured.detector"
        )
    if not value.get("kind"):
        text = json.dumps(value, separators=(",", ":"), ensure_ascii=False, sort_keys=not source.endswith(".json"))
        raise Undecodable(f"unable to decode {quote(source)}: Object 'Kind' is missing in '{text}'")
    meta = value.get("metadata")
    if isinstance(meta, dict):
        for key in ("labels", "annotations"):
            for item in meta[key].values() if isinstance(meta.get(key), dict) else ():
                if not isinstance(item, (str, type(None))):
                    what = (
                        "bool"
                        if isinstance(item, bool)
                        else "number"
                        if isinstance(item, (int, float))
                        else "array"
                        if isinstance(item, list)
                        else "object"
                    )
                    raise Undecodable(f"unable to decode {quote(source)}: json: cannot unmarshal {what} into Go struct field ObjectMeta.metadata.{key} "
                                       "of type string")  # fmt: skip
        for key in ("name", "namespace", "generateName"):
            if key in meta and not isinstance(meta[key], (str, type(None))):
                kind = "bool" if isinstance(meta[key], bool) else "number" if isinstance(meta[key], (int, float)) else "object"
                raise Undecodable(f"unable to decode {quote(source)}: json: cannot unmarshal {kind} into Go struct field ObjectMeta.metadata.{key} "
                                   "of type string")  # fmt: skip
    return value


def flatten(obj: Obj, source: str) -> list[Document]:
    """A `List` (or `…List`) as its items."""
    if str(obj.get("kind", "")).endswith("List") and isinstance(obj.get("items"), list):
        out: list[Document] = []
        for item in obj["items"]:
            out += flatten(_checked(item, source), source)
        return out
    return [Document(obj, source)]
