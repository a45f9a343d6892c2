"""One kustomization: what it takes in, makes and changes, in kustomize's order (`api/internal/target`)."""

from __future__ import annotations

import posixpath
from collections.abc import Callable
from functools import partial

from ....kernel.versions import KUSTOMIZE
from ....kube.api.objects import clone
from ... import goyaml
from ...flags import quote
from ..errors import CommandError
from ..hashing import suffix
from ..session import Session
from . import (
    configuration,
    fieldspecs,
    generators,
    images,
    origins,
    plugins,
    references,
    replacements,
    shapes,
    variables,
)
from .configuration import Config
from .fieldspecs import Spec
from .incoming import definitions, is_remote
from .items import Item, Obj, clustered
from .order import in_order
from .patching import Patching
from .variables import Var

#: Files that are looked for.
FILES = ("kustomization.yaml", "kustomization.yml", "Kustomization")
KNOWN = frozenset((
    "apiVersion", "kind", "metadata", "resources", "bases", "components", "namePrefix", "nameSuffix", "namespace", "labels", "commonLabels",
    "commonAnnotations", "images", "replicas", "configMapGenerator", "secretGenerator", "generatorOptions", "patches", "patchesStrategicMerge",
    "patchesJson6902", "replacements", "sortOptions", "vars", "helmCharts", "helmGlobals", "helmChartInflationGenerator", "transformers",
    "generators", "validators", "crds", "configurations", "openapi", "buildMetadata",
))  # fmt: skip
#: What objects are to tell of their making.
METADATA = ("originAnnotations", "transformerAnnotations", "managedByLabel")
#: Fields that kustomize warns of, and what takes their place.
DEPRECATED = {
    "bases": "resources", "commonLabels": "labels", "imageTags": "images", "patchesJson6902": "patches", "patchesStrategicMerge": "patches",
    "vars": "replacements",
}  # fmt: skip
MAX_DEPTH = 20
#: Kinds whose names stay as they are.
UNNAMED = ("CustomResourceDefinition", "Namespace", "APIService")


def build(session: Session, folder: str) -> list[Obj]:
    """The objects of a kustomization directory; raises CommandError or NotSimulated."""
    if is_remote(folder):
        return [clone(obj) for obj in definitions(folder)]
    path = session.inv.path(folder)
    if session.inv.exists(path) and not session.inv.isdir(path):
        raise CommandError(f"must build at directory: '{folder}': file is not directory")
    if not session.inv.isdir(path):
        raise CommandError(
            f"must build at directory: not a valid directory: evalsymlink failure on '{folder}' : lstat {path}: no such file or directory"
        )
    top = Kustomization(session, path)
    top.build([])
    top.add_hashes()
    references.follow(top.items, top.config.references)
    unused = variables.resolve(top.items, top.vars, top.config.of("varReference"))
    if unused:
        session.klog("I", "log.go:244", f"well-defined vars that were never replaced: {','.join(unused)}")
    kept = [item for item in top.items if not _local(item.obj)]
    origins.annotate(kept, top.metadata, KUSTOMIZE)
    return in_order([item.obj for item in kept], top.spec.get("sortOptions") or {})


def _local(obj: Obj) -> bool:
    return "config.kubernetes.io/local-config" in ((obj.get("metadata") or {}).get("annotations") or {})


class Kustomization(Patching):
    """One directory."""

    def __init__(self, session: Session, path: str, parent: Kustomization | None = None) -> None:
        self.s, self.path = session, path
        self.depth: int = parent.depth + 1 if parent is not None else 0
        if self.depth > MAX_DEPTH:
            raise CommandError("kustomizations nest too deeply")
        self.top: str = parent.top if parent is not None else path
        self.items: list[Item] = []
        self.config, self.vars = Config(), list[Var]()
        self.spec = self._load()
        asked = frozenset(word for word in self.spec.get("buildMetadata") or () if word in METADATA)
        #: The options of the outermost kustomization hold for all.
        self.metadata: frozenset[str] = parent.metadata if parent is not None else asked

    def _load(self) -> Obj:
        inv = self.s.inv
        found = [name for name in FILES if inv.exists(posixpath.join(self.path, name))]
        if not found:
            raise CommandError(
                f"unable to find one of 'kustomization.yaml', 'kustomization.yml' or 'Kustomization' in directory '{self.path}'"
            )
        if len(found) > 1:
            raise CommandError(f"Found multiple kustomization files under: {self.path}\n")
        try:
            spec = goyaml.load(inv.read_file(posixpath.join(self.path, found[0])).decode("utf-8", "replace")) or {}
        except goyaml.YamlError as error:
            raise CommandError(f"invalid Kustomization: {error}") from None
        if not isinstance(spec, dict):
            kind = "array" if isinstance(spec, list) else "string" if isinstance(spec, str) else "number"
            raise CommandError(f"invalid Kustomization: json: cannot unmarshal {kind} into Go value of type types.Kustomization")
        self.file_name = found[0]
        for key in sorted(spec):
            if key not in KNOWN:
                raise CommandError(f"invalid Kustomization: json: unknown field {quote(key)}")
        shapes.check(spec)
        for key, instead in DEPRECATED.items():
            if key in spec:
                trial = "[EXPERIMENTAL] " if key == "vars" else ""
                self.s.err(f"# Warning: '{key}' is deprecated. Please use '{instead}' instead. {trial}Run 'kustomize edit fix' to update your "
                           "Kustomization automatically.\n")  # fmt: skip
        if not {
            key: value for key, value in spec.items() if key not in ("apiVersion", "kind") and value not in (None, [], {}, "")
        }:
            raise CommandError("kustomization.yaml is empty")
        self._check_type(spec)
        return spec

    def _check_type(self, spec: Obj) -> None:
        kind, version = spec.get("kind") or "Kustomization", spec.get("apiVersion")
        wrong = []
        if kind not in ("Kustomization", "Component"):
            wrong.append("kind should be Kustomization or Component")
        needed = "kustomize.config.k8s.io/v1alpha1" if kind == "Component" else "kustomize.config.k8s.io/v1beta1"
        if version and version != needed:
            wrong.append(f"apiVersion for {kind} should be {needed}")
        if wrong:
            raise CommandError(f"Failed to read kustomization file under {self.path}:\n" + "\n".join(wrong))

    @property
    def component(self) -> bool:
        """Whether it is a component, which changes what its user has."""
        return bool(self.spec.get("kind") == "Component")

    def build(self, given: list[Item]) -> None:
        """Fill `items`; a component begins with what its user has."""
        self.items = given
        for item in [*(self.spec.get("resources") or ()), *(self.spec.get("bases") or ())]:
            self._resource(str(item))
        self._configure()
        self._generate()
        for path in self.spec.get("components") or ():
            self._component(str(path))
        self._transform()
        for _, obj in self._external("validators"):
            plugins.transformer(self, obj)
        self.vars = variables.merged(self.vars, self.spec.get("vars") or [], self.items)

    def _configure(self) -> None:
        """Places and schemas of the kustomization's own."""
        for path in self.spec.get("configurations") or ():
            configuration.load(self.file(str(path)).decode("utf-8", "replace"), self.config)
        try:
            for path in self.spec.get("crds") or ():
                configuration.load_definitions(self.file(str(path)).decode("utf-8", "replace"), self.config)
        except CommandError as error:
            raise CommandError(f"loading CRDs [{' '.join(str(path) for path in self.spec['crds'])}]: {error}") from None
        wanted = self.spec.get("openapi") or {}
        if wanted.get("version"):
            raise CommandError("the specified OpenAPI version is not built in")
        if wanted.get("path"):
            configuration.load_openapi(self.file(str(wanted["path"])).decode("utf-8", "replace"), self.config)

    def _generate(self) -> None:
        """Built-in generators in their order, then those that `generators` configures."""
        for one in (*(self.spec.get("helmCharts") or ()), *(self.spec.get("helmChartInflationGenerator") or ())):
            chart = {("name" if key == "chartName" else key): value for key, value in one.items()}
            raise CommandError(
                f"trouble configuring builtin {plugins.HELM} with config: `\n{goyaml.dump(chart)}`: must specify --enable-helm"
            )
        for key, kind in (("configMapGenerator", "ConfigMap"), ("secretGenerator", "Secret")):
            for args in self.spec.get(key) or ():
                new = generators.generate(kind, args, self.spec.get("generatorOptions") or {}, self.file)
                new.origin = origins.origin("", self.where, {"apiVersion": "builtin", "kind": f"{kind}Generator"})
                self._absorb(new, str(args.get("behavior") or "create"))
        try:
            made = [(plugins.generate(self, obj), where, obj) for where, obj in self._external("generators")]
        except CommandError as error:
            raise CommandError(f"loading generator plugins: {error}") from None
        for new, where, obj in made:
            new.origin = origins.origin("", where, {**obj, "name": (obj.get("metadata") or {}).get("name")})
            self._absorb(new, str(obj.get("behavior") or "create"))

    def _transform(self) -> None:
        """Built-in transformers in their order, then those that `transformers` configures."""
        spec = self.spec
        for entry in spec.get("patchesStrategicMerge") or ():
            inline = "\n" in str(entry) or (
                not self.s.inv.exists(posixpath.join(self.path, str(entry))) and str(entry).lstrip().startswith("{")
            )
            self._step("PatchStrategicMergeTransformer", partial(self.patch, {"patch" if inline else "path": str(entry)}))
        for one in spec.get("patches") or ():
            self._step("PatchTransformer", partial(self.patch, one))
        if spec.get("namespace"):
            self._step("NamespaceTransformer", self._namespace)
        for word in ("prefix", "suffix"):
            text = str(spec.get(f"name{word.title()}") or "")
            if text:
                places = self.config.of(f"name{word.title()}")
                pair = (text, "") if word == "prefix" else ("", text)
                self._step(f"{word.title()}Transformer", partial(self.affix, *pair, places))
        self._step("LabelTransformer", self._labels)
        if spec.get("commonAnnotations"):
            self._step("AnnotationsTransformer", self._annotations)
        for one in spec.get("patchesJson6902") or ():
            self._step("PatchJson6902Transformer", partial(self.patch, one))
        for one in spec.get("replicas") or ():
            self._step("ReplicaCountTransformer", partial(self.count, one, (*fieldspecs.REPLICAS, *self.config.of("replicas"))))
        for one in spec.get("images") or ():
            self._step("ImageTagTransformer", partial(self._images, one))
        self._step(
            "ReplacementTransformer", lambda: replacements.apply(self.items, self.replacements_of(spec.get("replacements") or []))
        )
        steps = [(where, obj, plugins.transformer(self, obj)) for where, obj in self._external("transformers")]
        for where, obj, run in steps:
            self._step(str(obj["kind"]), run, where, str((obj.get("metadata") or {}).get("name") or ""))

    def _step(self, kind: str, run: Callable[[], None], where: str = "", name: str = "") -> None:
        """One transformer; what it changes says so where `transformerAnnotations` asks for it."""
        if "transformerAnnotations" not in self.metadata:
            run()
            return
        before = {id(item): obj for item, obj in zip(self.items, plugins.copies(self.items), strict=True)}
        run()
        for item in self.items:
            if before.get(id(item)) != item.obj:
                by = {"apiVersion": "builtin", "kind": kind, "name": name}
                item.changes.append(origins.origin("", where or self.where, by))

    @property
    def where(self) -> str:
        """The kustomization file as seen from the outermost one."""
        return posixpath.relpath(posixpath.join(self.path, self.file_name), self.top)

    def _external(self, field: str) -> list[tuple[str, Obj]]:
        """The configurations of a list of plug-ins, inline ones first, each with the file that it stands in."""
        inline: list[tuple[str, Obj]] = []
        paths: list[str] = []
        for entry in self.spec.get(field) or ():
            try:
                documents = [goyaml.load(part) for part in goyaml.split_documents(str(entry))]
            except goyaml.YamlError:
                documents = []
            if documents and all(isinstance(one, dict) and one.get("kind") for one in documents):
                inline += [(self.where, one) for one in documents]
            else:
                paths.append(str(entry))
        held, self.items = self.items, []
        try:
            for path in paths:
                self._resource(path)
            found = [(item.origin.partition("path: ")[2].strip(), item.obj) for item in self.items]
        except CommandError as error:
            raise CommandError(str(error).removeprefix("accumulating resources: ")) from None
        finally:
            self.items = held
        return [*inline, *found]

    def add_hashes(self) -> None:
        """The hashes of generated objects' content at the end of their names."""
        for item in self.items:
            if item.hashed:
                item.keep()
                item.obj["metadata"]["name"] += f"-{suffix(item.obj, kustomize=True)}"
                item.hashed = False

    # -- transformers -----------------------------------------------------------------------------------------------------
    def _namespace(self) -> None:
        wanted = self.spec.get("namespace")
        for item in self.items if wanted else ():
            obj = item.obj
            item.keep()
            if obj["kind"] == "Namespace":
                obj["metadata"]["name"] = wanted
            elif not clustered(obj):
                obj.setdefault("metadata", {})["namespace"] = wanted
            fieldspecs.put(obj, (*fieldspecs.NAMESPACE, *self.config.of("namespace")), wanted)
            for subject in obj.get("subjects") or () if obj["kind"].endswith("RoleBinding") else ():
                if subject.get("name") == "default":
                    subject["namespace"] = wanted

    def affix(self, prefix: str, suffix: str, places: tuple[Spec, ...]) -> None:
        """Words before and after names: of all objects, or at the given places."""
        own = [spec for spec in places if spec.path == "metadata/name"]
        others = [spec for spec in places if spec.path != "metadata/name"]

        def act(at: Obj, key: str) -> None:
            at[key] = f"{prefix}{at[key]}{suffix}"

        for item in self.items:
            if item.obj["kind"] in UNNAMED:
                continue
            if not own or any(spec.fits(item.obj) for spec in own):
                item.keep()
                item.obj["metadata"]["name"] = f"{prefix}{item.obj['metadata']['name']}{suffix}"
                item.prefixes += [prefix] if prefix else []
                item.suffixes += [suffix] if suffix else []
            for spec in others:
                if spec.fits(item.obj):
                    fieldspecs.visit(item.obj, fieldspecs.split(spec.path), spec.create, act)

    def _labels(self) -> None:
        for one in self.spec.get("labels") or ():
            if one.get("includeSelectors"):
                specs = (*fieldspecs.COMMON_LABELS, *self.config.of("commonLabels"))
            elif one.get("includeTemplates"):
                specs = (*fieldspecs.TEMPLATE_LABELS, *self.config.of("templateLabels"))
            else:
                specs = (*fieldspecs.METADATA_LABELS, *self.config.of("labels"))
            more = tuple(
                Spec(f["path"], f.get("kind", ""), f.get("group", ""), bool(f.get("create")), f.get("version", ""))
                for f in one.get("fields") or ()
            )
            for item in self.items:
                fieldspecs.add_pairs(item.obj, (*specs, *more), one.get("pairs") or {})
        for item in self.items if self.spec.get("commonLabels") else ():
            fieldspecs.add_pairs(
                item.obj, (*fieldspecs.COMMON_LABELS, *self.config.of("commonLabels")), self.spec["commonLabels"]
            )

    def _annotations(self) -> None:
        for item in self.items:
            specs = (*fieldspecs.ANNOTATIONS, *self.config.of("commonAnnotations"))
            fieldspecs.add_pairs(item.obj, specs, self.spec["commonAnnotations"])

    def count(self, one: Obj, specs: tuple[Spec, ...]) -> None:
        """The count of an entry of `replicas` at the given places."""
        found = [
            item for item in self.items for spec in specs
            if spec.fits(item.obj) and any(had.name == one.get("name") for had in (*item.before, item.id))
        ]  # fmt: skip
        if not found:
            kinds_ = " ".join(
                f"{spec.kind or '[noKind]'}.{spec.version or '[noVer]'}.{spec.group or '[noGrp]'}" for spec in specs
            )
            raise CommandError(f"resource with name {one.get('name')} does not match a config with the following GVK [{kinds_}]")
        for item in found:
            fieldspecs.put(item.obj, specs, one.get("count", 0))

    def _images(self, one: Obj) -> None:
        for item in self.items:
            self.retag(item, one, self.config.of("images"))

    def retag(self, item: Item, one: Obj, places: tuple[Spec, ...]) -> None:
        """New images of an entry of `images`, and at the given places."""
        if item.obj["kind"] != "CustomResourceDefinition":
            images.retag(item.obj, one)
        plugins.retag_places(item.obj, one, places)

    def replacements_of(self, entries: list[Obj]) -> list[Obj]:
        """Entries of `replacements` with the files that they name."""
        found: list[Obj] = []
        for one in entries:
            if not one.get("path"):
                found.append(one)
                continue
            where = posixpath.normpath(posixpath.join(self.path, str(one["path"])))
            if not self.s.inv.exists(where):
                lost = f"evalsymlink failure on '{where}' : lstat {where}: no such file or directory"
                raise CommandError(
                    f"trouble configuring builtin ReplacementTransformer with config: `\n{goyaml.dump({'replacements': entries})}`: {lost}"
                )
            content = goyaml.load(self.s.inv.read_file(where).decode("utf-8", "replace"))
            found += content if isinstance(content, list) else [content]
        return found
