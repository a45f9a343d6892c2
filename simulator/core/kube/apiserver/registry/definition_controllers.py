"""What the API server does with a CustomResourceDefinition after the write: registration, names, establishing, cleaning up.

The controllers of apiextensions-apiserver (`pkg/controller/{status,establish,finalizer}`) and of the control plane
(`crdregistration`) run right behind the write here, each as a write of its own, in the order that etcd sees in a real cluster:
the APIService of each new group version, the accepted names, then `Established`.  A definition that is deleted stays, `Terminating`,
until the last of its objects is gone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ....kernel import clock
from ...api.objects import clone
from ..storage import Storage

if TYPE_CHECKING:
    from ..server import Server

Obj = dict[str, Any]
PREFIX = b"/registry/apiextensions.k8s.io/customresourcedefinitions/"
API_SERVICES = "/registry/apiregistration.k8s.io/apiservices/"
CLEANUP = "customresourcecleanup.apiextensions.k8s.io"
#: How long the objects of a definition may take to go before that is said.
PATIENCE = clock.MINUTE
#: The label of APIServices that the server keeps in step with definitions.
MANAGED = "kube-aggregator.kubernetes.io/automanaged"
#: Where groups of custom resources stand among all groups, and their versions in the group.
GROUP_PRIORITY, VERSION_PRIORITY = 1000, 100


def key_of(name: str) -> bytes:
    """Where a definition is stored."""
    return PREFIX + name.encode()


def condition(server: Server, obj: Obj, kind: str, value: bool, reason: str, message: str) -> None:
    """Set a condition in a fresh object's status; the time stays where the value does."""
    held = list(obj["status"].get("conditions") or ())
    text = "True" if value else "False"
    before = next((c for c in held if c.get("type") == kind), None)
    same = before is not None and before.get("status") == text
    since = before.get("lastTransitionTime") if before is not None and same else server.world.timestamp()
    new = {"type": kind, "status": text, "lastTransitionTime": since, "reason": reason, "message": message}
    if before is None:
        held.append(new)
    else:
        held[held.index(before)] = new
    obj["status"]["conditions"] = held


def holds(obj: Obj, kind: str) -> bool:
    """Whether a condition is True."""
    found = (obj.get("status") or {}).get("conditions") or ()
    return any(c.get("type") == kind and c.get("status") == "True" for c in found)


def _write(server: Server, obj: Obj, revision: int) -> tuple[Obj, int] | None:
    stored = server.storage.update(key_of(obj["metadata"]["name"]), obj, revision)
    return None if stored is None else (stored, int(stored["metadata"]["resourceVersion"]))


def _fresh(obj: Obj) -> Obj:
    made: Obj = clone(obj)
    made["metadata"].pop("resourceVersion", None)
    made.setdefault("status", {})
    return made


def settle(server: Server, name: str, versions: set[str]) -> None:
    """After a write: register `versions` of the group, then accept the names, then establish."""
    found = server.storage.get(key_of(name))
    if found is None:
        return
    register(server, found[0]["spec"]["group"], versions)
    named = _name(server, *found)
    if named is not None and holds(named[0], "NamesAccepted") and not holds(named[0], "Established"):
        made = _fresh(named[0])
        condition(server, made, "Established", True, "InitialNamesAccepted", "the initial names have been accepted")
        _write(server, made, named[1])
    server.load_custom()


def _name(server: Server, obj: Obj, revision: int) -> tuple[Obj, int] | None:
    """Write the names that the definition gets and the conditions that say so (`NamingConditionController.sync`)."""
    accepted, problem = accept(server.storage, obj)
    made = _fresh(obj)
    made["status"]["acceptedNames"] = accepted
    condition(server, made, "NamesAccepted", problem is None, *(problem or ("NoConflicts", "no conflicts found")))
    if not holds(made, "Established"):
        if problem is None:
            condition(server, made, "Established", False, "Installing", "the initial names have been accepted")
        else:
            condition(server, made, "Established", False, "NotAccepted", "not all names are accepted")
    old = obj.get("status") or {}
    names = [c for c in old.get("conditions") or () if c["type"] == "NamesAccepted"]
    if old.get("acceptedNames") == accepted and names == [
        c for c in made["status"]["conditions"] if c["type"] == "NamesAccepted"
    ]:
        return obj, revision
    return _write(server, made, revision)


def accept(storage: Storage, obj: Obj) -> tuple[Obj, tuple[str, str] | None]:
    """The names that a definition gets in its group, and (reason, message) of the last conflict (`calculateNamesAndConditions`)."""
    spec, mine = obj.get("spec") or {}, str(obj["metadata"].get("name", ""))
    taken: set[str] = set()
    kinds: set[str] = set()
    for other in storage.list(PREFIX)[0]:
        if other["metadata"]["name"] == mine or other["spec"]["group"] != spec.get("group"):
            continue
        held = (other.get("status") or {}).get("acceptedNames") or {}
        taken.update(item for item in (held.get("plural"), held.get("singular"), *(held.get("shortNames") or ())) if item)
        kinds.update(item for item in (held.get("kind"), held.get("listKind")) if item)
    wanted = spec.get("names") or {}
    accepted = dict((obj.get("status") or {}).get("acceptedNames") or {})
    problem: tuple[str, str] | None = None

    def claim(member: str, used: set[str], reason: str) -> None:
        nonlocal problem
        value = wanted.get(member, "")
        if value and value != accepted.get(member) and value in used:
            problem = (reason, f'"{value}" is already in use')
        elif value:
            accepted[member] = value

    claim("plural", taken, "PluralConflict")
    claim("singular", taken, "SingularConflict")
    short = list(wanted.get("shortNames") or ())
    clashes = [
        f'"{item}" is already in use' for item in short if item in taken and item not in (accepted.get("shortNames") or ())
    ]
    if clashes:
        problem = ("ShortNamesConflict", clashes[0] if len(clashes) == 1 else f"[{', '.join(clashes)}]")
    else:
        accepted.pop("shortNames", None)
        if short:
            accepted["shortNames"] = short
    claim("kind", kinds, "KindConflict")
    claim("listKind", kinds, "ListKindConflict")
    accepted.pop("categories", None)
    if wanted.get("categories"):
        accepted["categories"] = list(wanted["categories"])
    order = ("plural", "singular", "shortNames", "kind", "listKind", "categories")
    out = {name: accepted[name] for name in order if name in accepted}
    for name in ("plural", "kind"):
        out.setdefault(name, "")
    return out, problem


def register(server: Server, group: str, versions: set[str]) -> None:
    """Have an APIService for each version that some definition of the group serves, and none for the others (`handleVersionUpdate`)."""
    definitions = [item for item in server.storage.list(PREFIX)[0] if item["spec"]["group"] == group]
    served = {v["name"] for item in definitions for v in item["spec"].get("versions") or () if v.get("served")}
    for version in sorted(versions):
        key = f"{API_SERVICES}{version}.{group}".encode()
        found = server.storage.get(key)
        if version in served:
            if found is None:
                server.storage.create(key, _api_service(server, group, version))
        elif found is not None and (found[0]["metadata"].get("labels") or {}).get(MANAGED) == "true":
            server.storage.delete(key, found[1])


def _api_service(server: Server, group: str, version: str) -> Obj:
    world = server.world
    meta: Obj = {"name": f"{version}.{group}", "uid": world.rng("apiserver/uids").uuid()}
    meta |= {"creationTimestamp": clock.rfc3339(world.wall), "labels": {MANAGED: "true"}}
    spec = {"group": group, "version": version, "groupPriorityMinimum": GROUP_PRIORITY, "versionPriority": VERSION_PRIORITY}
    text = "Local APIServices are always available"
    said = {"type": "Available", "status": "True", "lastTransitionTime": world.timestamp(), "reason": "Local", "message": text}
    obj = {"kind": "APIService", "apiVersion": "apiregistration.k8s.io/v1", "metadata": meta}
    return {**obj, "spec": spec, "status": {"conditions": [said]}}


# -- the end of a definition ----------------------------------------------------------------------------------------------
def mark(server: Server, obj: Obj, revision: int) -> Obj | None:
    """The first write of a deletion: the finalizer and the condition (`registry/customresourcedefinition/etcd.go`); None on a conflict."""
    made = _fresh(obj)
    meta = made["metadata"]
    meta["deletionTimestamp"] = clock.rfc3339(server.world.wall)
    meta["finalizers"] = [*(f for f in meta.get("finalizers") or () if f != CLEANUP), CLEANUP]
    text = "CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon"
    condition(server, made, "Terminating", True, "InstanceDeletionPending", text)
    stored = _write(server, made, revision)
    return None if stored is None else stored[0]


def finish(server: Server, name: str) -> None:
    """Delete the objects of a definition that is going; once none is left it goes too (`CRDFinalizer.sync`)."""
    found = server.storage.get(key_of(name))
    if found is None or CLEANUP not in (found[0]["metadata"].get("finalizers") or ()):
        return
    made = _fresh(found[0])
    condition(server, made, "Terminating", True, "InstanceDeletionInProgress", "CustomResource deletion is in progress")
    written, begins = found, made["status"] != found[0]["status"]
    if begins:
        stored = _write(server, made, found[1])
        if stored is None:
            return
        written = stored
    if holds(written[0], "Established") and _delete_objects(server, written[0]["spec"]):
        process = server.process()
        if begins and process is not None:
            server.world.after(PATIENCE, process.target, ["definition", name])
        return
    made = _fresh(written[0])
    meta = made["metadata"]
    meta["finalizers"] = [f for f in meta["finalizers"] if f != CLEANUP]
    if meta["finalizers"]:
        condition(server, made, "Terminating", False, "InstanceDeletionCompleted", "removed all instances")
        _write(server, made, written[1])
        return
    server.storage.delete(key_of(name), written[1])
    gone(server, written[0])


def late(server: Server, name: str) -> None:
    """Objects were still there after a minute: that is said, and looked at again (`deleteInstances` has given up for now)."""
    found = server.storage.get(key_of(name))
    if found is None or CLEANUP not in (found[0]["metadata"].get("finalizers") or ()):
        return
    made = _fresh(found[0])
    text = "could not confirm zero CustomResources remaining: context deadline exceeded"
    condition(server, made, "Terminating", True, "InstanceDeletionCheck", text)
    if _write(server, made, found[1]) is not None:
        finish(server, name)


def gone(server: Server, obj: Obj) -> None:
    """A definition has left the store: its versions are registered no more, others may have its names."""
    spec = obj["spec"]
    register(server, spec["group"], {v["name"] for v in spec.get("versions") or ()})
    for other in server.storage.list(PREFIX)[0]:
        if other["spec"]["group"] == spec["group"] and not holds(other, "NamesAccepted"):
            settle(server, other["metadata"]["name"], set())
    server.load_custom()


def _delete_objects(server: Server, spec: Obj) -> int:
    """Delete every object of a definition; returns how many finalizers still hold."""
    prefix = f"/registry/{spec['group']}/{spec['names']['plural']}/"
    left = 0
    for item in server.storage.list(prefix.encode())[0]:
        meta = item["metadata"]
        key = (prefix + (f"{meta['namespace']}/" if meta.get("namespace") else "") + meta["name"]).encode()
        if not meta.get("finalizers"):
            server.storage.delete(key, int(meta["resourceVersion"]))
            continue
        left += 1
        if not meta.get("deletionTimestamp"):
            made = clone(item)
            made["metadata"].pop("resourceVersion", None)
            made["metadata"] |= {"deletionTimestamp": clock.rfc3339(server.world.wall), "deletionGracePeriodSeconds": 0}
            server.storage.update(key, made, int(meta["resourceVersion"]))
    return left
