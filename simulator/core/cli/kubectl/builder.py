"""From arguments, files and selectors to objects (`cli-runtime/pkg/resource/builder.go`, `visitor.go`, `selector.go`)."""

from __future__ import annotations

import fnmatch
import posixpath
from typing import Any

from ...kube.api import selectors
from ...kube.api.errors import ApiError
from ..flags import quote
from .errors import CommandError, is_not_found, raise_all
from .manifests import Document, paths_of, read_documents
from .mapper import Mapping
from .session import Session

Obj = dict[str, Any]
MISSING = """You must provide one or more resources by argument or filename.
Example resource specifications include:
   '-f rsrc.yaml'
   '--filename=rsrc.json'
   '<resource> <name>'
   '<resource>'"""


class MissingResource(CommandError):
    """Neither an argument nor a file names a resource."""

    def __init__(self) -> None:
        super().__init__(MISSING)


class Info:
    """One object: its resource, where it is, what was read, and the file it came from."""

    __slots__ = ("mapping", "name", "namespace", "obj", "source", "table")

    def __init__(self, mapping: Mapping, namespace: str, name: str, obj: Obj | None = None, source: str = "") -> None:
        self.mapping, self.namespace, self.name, self.obj, self.source = mapping, namespace, name, obj, source
        self.table = False

    @property
    def label(self) -> str:
        """`deployments.apps/web`, as wait messages name it: resource and name."""
        return f"{self.mapping.kind.plural}/{self.name}"

    def path(self, subresource: str = "") -> str:
        """The request path of the object."""
        return self.mapping.path(self.namespace, self.name, subresource)


class Builder:
    """What a command asks for; `infos` carries it out.  Errors of single objects are kept in `errors` when `eager`."""

    def __init__(self, session: Session, **asked: Any) -> None:
        self.s = session
        self.args: list[str] = list(asked.get("args") or ())
        self.filenames: list[str] = list(asked.get("filenames") or ())
        self.kustomize: str = asked.get("kustomize") or ""
        self.recursive: bool = asked.get("recursive", False)
        self.selector: str | None = asked.get("selector") or None
        self.fields: str | None = asked.get("fields") or None
        self.all_namespaces: bool = asked.get("all_namespaces", False)
        self.select_all: bool = asked.get("select_all", False)
        self.allow_empty: bool = asked.get("allow_empty", False)
        self.single_type: bool = asked.get("single_type", False)
        self.latest: bool = asked.get("latest", False)
        self.eager: bool = asked.get("eager", True)
        self.local: bool = asked.get("local", False)
        self.fetch: bool = asked.get("fetch", True)
        self.subresource: str = asked.get("subresource") or ""
        self.accept: str = asked.get("accept") or ""
        self.params: dict[str, str] = dict(asked.get("params") or {})
        self.chunk: int = asked.get("chunk", 500)
        self.single_implied = False
        self.targets_single = False
        self.errors: list[Exception] = []
        #: What was found or failed, in the order in which it was asked for.
        self._seen: list[Info | Exception] = []

    # -- what is asked ----------------------------------------------------------------------------------------------------
    def infos(self) -> list[Info]:
        """The objects.  Raises what makes the whole request impossible."""
        self._check_selector()
        tuples, resources, names = self._arguments()
        if self.filenames or self.kustomize:
            return self._by_paths(tuples, resources, names)
        if (
            self.selector is not None
            or self.fields is not None
            or self.select_all
            or (self.allow_empty and resources and not names)
        ):
            return self._by_selector(tuples, resources, names)
        if tuples:
            if resources:
                raise CommandError("you may not specify individual resources and bulk resources in the same call")
            self.single_implied, self.targets_single = len(tuples) == 1, True
            mappings = {word: self._mapping(word) for word, _ in tuples}
            if self.single_type and len(set(mappings.values())) > 1:
                raise CommandError("you may only specify a single resource type")
            return self._by_name([(mappings[word], name) for word, name in tuples])
        if names:
            self.single_implied, self.targets_single = len(names) == 1, True
            if not resources:
                raise CommandError("you must provide a resource and a resource name together")
            if len(resources) > 1:
                raise CommandError(
                    "you may only specify a single resource type" if self.single_type else "you must specify only one resource"
                )
            mapping = self._mapping(resources[0])
            return self._by_name([(mapping, name) for name in names])
        if resources:
            for word in resources:
                self._mapping(word)
            raise CommandError("resource(s) were provided, but no name was specified")
        raise MissingResource

    def _check_selector(self) -> None:
        if self.select_all and (self.selector is not None or self.fields is not None):
            raise CommandError("setting 'all' parameter but found a non empty selector. ")
        if self.filenames and self.kustomize:
            raise CommandError("only one of -f or -k can be specified")

    def _mapping(self, word: str) -> Mapping:
        if self.local:
            raise CommandError("local operation only")
        return self.s.mapper.mapping(word)

    def _arguments(self) -> tuple[list[tuple[str, str]], list[str], list[str]]:
        """Arguments as (type, name) pairs, types, and names."""
        args = list(self.args)
        if len(args) >= 2:
            types = _unique(args[0])
            if len(types) > 1:
                args = [f"{word}/{name}" for word in types for name in args[1:]]
        slashed = [arg for arg in args if "/" in arg]
        if slashed and len(slashed) != len(args):
            raise CommandError("there is no need to specify a resource type as a separate argument when passing arguments in resource/name form "
                               "(e.g. 'kubectl get resource/<resource_name>' instead of 'kubectl get resource resource/<resource_name>'")  # fmt: skip
        if slashed:
            return [_pair(arg) for arg in args], [], []
        if not args:
            return [], [], []
        words: list[str] = []
        for word in args[0].split(","):
            members = self.s.mapper.category(word) if not self.local else []
            words += [item.group_resource for item in members] or [word]
        return [], list(dict.fromkeys(words)), args[1:]

    # -- by selector ------------------------------------------------------------------------------------------------------
    def _by_selector(self, tuples: list[tuple[str, str]], resources: list[str], names: list[str]) -> list[Info]:
        if names:
            raise CommandError("name cannot be provided when a selector is specified")
        if tuples:
            raise CommandError("selectors and the all flag cannot be used when passing resource/name arguments")
        if not resources:
            raise CommandError("at least one resource must be specified to use a selector")
        if self.subresource:
            raise CommandError("subresource cannot be used when bulk resources are specified")
        if len(resources) > 1 and self.single_type:
            raise CommandError("you may only specify a single resource type")
        mappings = list(dict.fromkeys(self._mapping(word) for word in resources))
        out: list[Info] = []
        for mapping in mappings:
            try:
                found = self._list(mapping)
                self._seen += found
                out += found
            except (CommandError, ApiError) as error:
                if not self.eager:
                    raise
                self.errors.append(error)
                self._seen.append(error)
        return out

    def _list(self, mapping: Mapping) -> list[Info]:
        """The objects of one resource; a Table, or a list that is not to be taken apart, stays whole."""
        namespace = "" if self.all_namespaces or not mapping.kind.namespaced else self.s.namespace
        query = dict(self.params)
        if self.selector:
            query["labelSelector"] = self.selector
        if self.fields:
            query["fieldSelector"] = self.fields
        if self.chunk:
            query["limit"] = str(self.chunk)
        out: list[Info] = []
        while True:
            try:
                answer = self.s.call("GET", mapping.path(namespace), query=query, accept=self.accept)
            except ApiError as error:
                if error.reason not in ("BadRequest", "NotFound"):
                    raise
                where = quote(f"{mapping.kind.group}/{mapping.version}, Resource={mapping.kind.plural}")
                text = (f"Unable to find {where} that match label selector {quote(self.selector or '')}, field selector {quote(self.fields or '')}: "
                        if self.selector or self.fields else f"Unable to list {where}: ")  # fmt: skip
                raise ApiError({**error.status, "message": text + error.message}) from None
            more = str((answer.get("metadata") or {}).get("continue") or "")
            out += _taken_apart(answer, mapping, namespace)
            if not more:
                return out
            query["continue"] = more

    # -- by name ----------------------------------------------------------------------------------------------------------
    def _by_name(self, wanted: list[tuple[Mapping, str]]) -> list[Info]:
        out: list[Info] = []
        for mapping, name in wanted:
            if mapping.kind.namespaced and self.all_namespaces:
                raise CommandError("a resource cannot be retrieved by name across all namespaces")
            info = Info(mapping, self.s.namespace if mapping.kind.namespaced else "", name)
            if self._fetch(info):
                self._seen.append(info)
                out.append(info)
        return out

    def _fetch(self, info: Info) -> bool:
        if not self.fetch:
            return True
        try:
            self.retrieve(info)
        except (CommandError, ApiError) as error:
            if not self.eager:
                raise
            self.errors.append(error)
            self._seen.append(error)
            return False
        return True

    def retrieve(self, info: Info) -> None:
        """Read the object from the server."""
        if not info.name:
            raise CommandError("resource name may not be empty")
        try:
            info.obj = self.s.call("GET", info.path(self.subresource), accept=self.accept, query=self.params)
        except ApiError as error:
            if is_not_found(error) and info.namespace not in ("", "default"):
                try:
                    self.s.call("GET", f"/api/v1/namespaces/{info.namespace}")
                except ApiError as absent:
                    if is_not_found(absent):
                        raise absent from None
            raise
        if not isinstance(info.obj, dict):
            raise CommandError("serializer for text/plain; charset=utf-8 doesn't exist")
        info.table = isinstance(info.obj, dict) and info.obj.get("kind") == "Table"

    # -- by file ----------------------------------------------------------------------------------------------------------
    def _by_paths(self, tuples: list[tuple[str, str]], resources: list[str], names: list[str]) -> list[Info]:
        if resources or names or tuples:
            paths_of(self.s, self.filenames, self.recursive)  # files that are missing are told first
        if resources and not names:
            raise CommandError("when paths, URLs, or stdin is provided as input, you may not specify resource arguments as well")
        if names:
            raise CommandError("name cannot be provided when a path is specified")
        if tuples:
            raise CommandError("resource/name arguments cannot be provided when a path is specified")
        self.targets_single = True
        out: list[Info] = []
        documents = read_documents(self.s, self.filenames, self.kustomize, self.recursive, self.errors if self.eager else None)
        plain = [name for name in self.filenames if name != "-"]
        self.single_implied = len(plain) == 1 == len(self.filenames) and len(documents) == 1 and not self.s.inv.isdir(plain[0])
        match = selectors.parse_labels(self.selector) if self.selector else None
        if (
            documents
            and not self.local
            and self.s.values.has("validate")
            and self.s.values.text("validate") not in ("false", "ignore")
        ):
            self.s.openapi(documents[0].source)
        for document in documents:
            try:
                info = self._info(document)
                if match is not None and not match.matches((document.obj.get("metadata") or {}).get("labels") or {}):
                    continue
                if self.latest:
                    self.retrieve(info)
                self._seen.append(info)
                out.append(info)
            except (CommandError, ApiError) as error:
                if not self.eager:
                    raise
                self.errors.append(error)
                self._seen.append(error)
        return out

    def _info(self, document: Document) -> Info:
        obj, meta = document.obj, document.obj.get("metadata") or {}
        try:
            mapping = self.s.mapper.for_object(obj)
        except CommandError as error:
            name, namespace = str(meta.get("name") or ""), str(meta.get("namespace") or "")
            raise CommandError(f"resource mapping not found for name: {quote(name)} namespace: {quote(namespace)} from {quote(document.source)}: "
                               f"{error}\nensure CRDs are installed first") from None  # fmt: skip
        namespace = str(meta.get("namespace") or "")
        if mapping.kind.namespaced and not self.local:
            if namespace and self.s.explicit_namespace and namespace != self.s.namespace:
                raise CommandError(f"the namespace from the provided object {quote(namespace)} does not match the namespace {quote(self.s.namespace)}. "
                                   f"You must pass '--namespace={namespace}' to perform this operation.")  # fmt: skip
            if not namespace and self.all_namespaces:
                raise CommandError(f"no namespace set on resource {mapping.api_version if mapping.kind.group else '/v1'}, "
                                   f"Resource={mapping.kind.plural} {quote(str(meta.get('name') or ''))}")  # fmt: skip
            if not namespace:
                namespace = self.s.namespace
                obj = {**obj, "metadata": {**meta, "namespace": namespace}}
        elif not mapping.kind.namespaced and namespace:
            namespace = ""
            obj = {**obj, "metadata": {key: value for key, value in meta.items() if key != "namespace"}}
        return Info(mapping, namespace, str(meta.get("name") or ""), obj, document.source)

    def fail(self, info: Info, error: Exception) -> None:
        """An object's own error, put among the others in the order of what was asked for (`EagerVisitorList`)."""
        place = next((at for at, item in enumerate(self._seen) if item is info), len(self._seen))
        later = [item for item in self._seen[place + 1 :] if isinstance(item, Exception)]
        first = next((at for at, item in enumerate(self.errors) if any(item is one for one in later)), len(self.errors))
        self.errors.insert(first, error)
        if place < len(self._seen):
            self._seen[place] = error

    def finish(self) -> None:
        """Raise the errors that were kept."""
        raise_all(self.errors)


def _unique(text: str) -> list[str]:
    return list(dict.fromkeys(text.split(",")))


def _pair(arg: str) -> tuple[str, str]:
    parts = arg.split("/")
    if len(parts) != 2:
        raise CommandError("arguments in resource/name form may not have more than one slash")
    if not parts[0] or not parts[1] or "," in parts[0]:
        raise CommandError("arguments in resource/name form must have a single resource and name")
    return parts[0], parts[1]


def _taken_apart(answer: Any, mapping: Mapping, namespace: str) -> list[Info]:
    if answer.get("kind") == "Table":
        info = Info(mapping, namespace, "", answer)
        info.table = True
        return [info]
    kind = str(answer.get("kind", "")).removesuffix("List")
    out = []
    for item in answer.get("items") or ():
        if "kind" not in item:
            item = {"apiVersion": answer.get("apiVersion"), "kind": kind, **item}
        meta = item["metadata"]
        out.append(Info(mapping, meta.get("namespace", ""), meta["name"], item))
    return out


def expand(session: Session, pattern: str) -> list[str]:
    """The files of a pattern; raises when there are none."""
    inv = session.inv
    if inv.exists(pattern):
        return [pattern]
    folder, _, last = pattern.rpartition("/")
    if any(char in last for char in "*?["):
        base = folder or "."
        if inv.isdir(base):
            found = [posixpath.join(folder, name) for name in inv.tree.listdir(inv.path(base)) if fnmatch.fnmatchcase(name, last)]
            if found:
                return sorted(found)
    raise CommandError(f"the path {quote(pattern)} does not exist")
