"""From the words of a command line to resources (`client-go/restmapper`, `meta/priority.go`, `cli-runtime` `Builder.mappingFor`).

Built-in kinds come from the API's literal table; kinds of custom resources are asked of the server when a word is none of these.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...kube.api import kinds, packs
from ...kube.api.kinds import KindInfo, Subresource
from ...kube.component import version_of
from . import discovery_cache
from .errors import CommandError, NoMatch

if TYPE_CHECKING:
    from .session import Session

Obj = dict[str, Any]
_GROUPS = frozenset(item.group for item in kinds.KINDS)


class Mapping:
    """A resource, in the version it is asked for."""

    __slots__ = ("kind", "version")

    def __init__(self, kind: KindInfo, version: str = "") -> None:
        self.kind = kind
        self.version = version or kind.version

    @property
    def api_version(self) -> str:
        """`apps/v1`."""
        return f"{self.kind.group}/{self.version}" if self.kind.group else self.version

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Mapping) and (self.kind.kind, self.kind.group, self.version) == (
            other.kind.kind,
            other.kind.group,
            other.version,
        )

    def __hash__(self) -> int:
        return hash((self.kind.kind, self.kind.group, self.version))

    def path(self, namespace: str = "", name: str = "", subresource: str = "") -> str:
        """The request path."""
        return self.kind.path(namespace if self.kind.namespaced else "", name, subresource, self.version)


class Mapper:
    """Resolves names; holds what was learnt of custom resources during one run."""

    def __init__(self, session: Session) -> None:
        self.session = session
        #: Built-in kinds of this kubectl's release.
        self.release = version_of(session.inv.proc)
        self.known = packs.kinds_of(self.release)
        self._custom: tuple[KindInfo, ...] | None = None

    def custom(self) -> tuple[KindInfo, ...]:
        """Kinds that the server has beyond the table."""
        if self._custom is None:
            documents = discovery_cache.live(self.session, _GROUPS)
            discovery_cache.store(self.session, documents)
            self._custom = _kinds_of(documents)
        return self._custom

    def remembered(self) -> tuple[KindInfo, ...]:
        """Custom kinds as the discovery cache has them: what an earlier call learnt, even if the server has them no more."""
        return self._custom if self._custom is not None else _kinds_of(discovery_cache.load(self.session))

    def all(self) -> tuple[KindInfo, ...]:
        """Every kind, custom ones last."""
        return self.known + self.custom()

    def find(self, word: str) -> Mapping | None:
        """What a word of the command line names; the server is asked only for what the cache does not know."""
        return _find(word, self.known) or _find(word, self.remembered()) or _find(word, self.custom())

    def mapping(self, word: str) -> Mapping:
        """What a word names; raises NoMatch."""
        self.session.discover()
        found = self.find(word)
        self._ambiguous(word, found)
        if found is None:
            raise NoMatch(word.split(".", 1)[0] if "." in word else word)
        return found

    def _ambiguous(self, word: str, found: Mapping | None) -> None:
        """Warn of a short name that resources of lower priority have too."""
        for item in self.all() if self._custom is not None else self.known:
            if found is not None and item is not found.kind and word in item.short_names and word in found.kind.short_names:
                self.session.warn(f'short name "{word}" could also match lower priority resource {item.group_resource}')

    def resource(self, name: str) -> KindInfo:
        """A kind by `plural` or `plural.group`."""
        try:
            return kinds.by_resource(name)
        except KeyError:
            for item in self.custom():
                if name in (item.plural, item.group_resource):
                    return item
        raise NoMatch(name)

    def for_object(self, obj: Obj) -> Mapping:
        """The resource of an object's apiVersion and kind."""
        api_version, kind = str(obj.get("apiVersion") or ""), str(obj.get("kind") or "")
        group, version = kinds.split_api_version(api_version)
        found = kinds.by_kind(api_version, kind)
        if found is not None and not api_version:
            version = found.version
        if found is None or version not in found.versions or not packs.serves(self.release, found):
            self.session.discover()
            found = _of_kind(self.remembered(), group, version, kind) or _of_kind(self.custom(), group, version, kind)
        if found is None:
            raise CommandError(f'no matches for kind "{kind}" in version "{api_version}"')
        return Mapping(found, version)

    def built_in(self, group: str) -> bool:
        """A group of the API's own kinds (or discovery of such)."""
        return group in _GROUPS or not group

    def category(self, word: str) -> list[KindInfo]:
        """The members of a category (`all`), or nothing."""
        found = [item for item in self.known if word in item.categories]
        if not found and _find(word, self.known) is not None:
            return []
        return found + [item for item in self.remembered() or self.custom() if word in item.categories]


def _kinds_of(documents: dict[str, list[Obj]]) -> tuple[KindInfo, ...]:
    """The kinds of discovery documents, by `group/version` with preferred versions first."""
    found: dict[tuple[str, str], KindInfo] = {}
    for name, resources in documents.items():
        group, _, version = name.partition("/")
        for item in resources:
            add_resource(found, item, group, version)
    return tuple(found.values())


def _of_kind(table: tuple[KindInfo, ...], group: str, version: str, kind: str) -> KindInfo | None:
    return next((item for item in table if item.kind == kind and item.group == group and version in item.versions), None)


def add_resource(found: dict[tuple[str, str], KindInfo], item: Obj, group: str, version: str) -> None:
    """Add an APIResource of discovery to a table of kinds."""
    plural, _, sub = str(item["name"]).partition("/")
    before = found.get((group, plural))
    if sub:
        if before is not None and before.version == version:
            more = Subresource(sub, tuple(item.get("verbs") or ()))
            found[group, plural] = KindInfo(**{**_fields(before), "subresources": (*before.subresources, more)})
        return
    if before is not None:
        found[group, plural] = KindInfo(**{**_fields(before), "versions": (*before.versions, version)})
        return
    found[group, plural] = KindInfo(
        kind=item["kind"], plural=plural, group=group, versions=(version,), namespaced=bool(item.get("namespaced")),
        short_names=tuple(item.get("shortNames") or ()), categories=tuple(item.get("categories") or ()),
        verbs=tuple(item.get("verbs") or ()), singular=item.get("singularName") or item["kind"].lower(), custom=True,
        etcd_prefix=f"/registry/{group}/{plural}",  # whose doorbell `wait` hears
    )  # fmt: skip


def _fields(item: KindInfo) -> dict[str, Any]:
    return {name: getattr(item, name) for name in item.__struct_fields__}


def _find(word: str, table: tuple[KindInfo, ...]) -> Mapping | None:
    lower = word.lower()
    for item in table:
        if lower in (item.plural, item.singular_name) or lower in item.short_names or lower == item.kind.lower():
            return Mapping(item)
    name, dot, rest = lower.partition(".")
    if not dot:
        return None
    named = [item for item in table if kinds.matches(item, name)]
    version, dot, group = rest.partition(".")
    for item in named if dot else ():  # a version is only meant in `resource.version.group`
        if version in item.versions and group == item.group:
            return Mapping(item, version)
    for item in named if dot else ():  # a short name is spelt out first, which forgets a version that is not served
        if name in item.short_names and group == item.group:
            return Mapping(item)
    for item in named:
        if (
            rest == item.group
            or (item.group and item.group.startswith(rest + "."))
            or (item.group and item.group.startswith(rest))
        ):
            return Mapping(item)
    return None
