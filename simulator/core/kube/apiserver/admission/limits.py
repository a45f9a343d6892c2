"""LimitRanger and ResourceQuota (`plugin/pkg/admission/limitranger`, `apiserver/pkg/admission/plugin/resourcequota`)."""

from __future__ import annotations

from typing import Any

from ...api import errors, quantity
from ...api import quotas as quotas_of
from ...api.errors import ApiError
from ..call import Call
from ..storage import with_version

Obj = dict[str, Any]
ANNOTATION = "kubernetes.io/limit-ranger"


class LimitRanger:
    """Defaults and bounds of a namespace's LimitRanges."""

    name = "LimitRanger"

    def mutate(self, call: Call, obj: Obj, old: Obj | None) -> None:
        """Containers without requests and limits get the range's defaults."""
        if call.kind.kind != "Pod" or old is not None or call.info.subresource:
            return
        done: list[str] = []
        for held in self._ranges(call):
            for item in held["spec"].get("limits") or ():
                if item.get("type") == "Container":
                    done += self._defaults(obj, item)
        if done:
            meta = obj["metadata"]
            meta["annotations"] = {**(meta.get("annotations") or {}), ANNOTATION: "LimitRanger plugin set: " + "; ".join(done)}

    @staticmethod
    def _ranges(call: Call) -> list[Obj]:
        return call.server.storage.list(f"/registry/limitranges/{call.namespace}/".encode())[0]

    @staticmethod
    def _defaults(obj: Obj, item: Obj) -> list[str]:
        """Fill in what containers leave open; returns what was set (`mergeContainerResources`)."""
        done: list[str] = []
        spec = obj["spec"]
        named = [("container", c) for c in spec.get("containers") or ()]
        named += [("init container", c) for c in spec.get("initContainers") or ()]
        for what, container in named:
            resources = container.setdefault("resources", {})
            for member, source in (("requests", "defaultRequest"), ("limits", "default")):
                amounts = dict(resources.get(member) or {})
                missing = {k: v for k, v in (item.get(source) or {}).items() if k not in amounts}
                if missing:
                    amounts |= missing
                    done.append(f"{', '.join(sorted(missing))} {member[:-1]} for {what} {container.get('name', '')}")
                if amounts:
                    resources[member] = {k: amounts[k] for k in sorted(amounts)}
        return done

    def validate(self, call: Call, obj: Obj | None, old: Obj | None) -> None:
        """Each container within the bounds."""
        if obj is None or call.kind.kind != "Pod" or old is not None or call.info.subresource:
            return
        problems: list[str] = []
        for held in self._ranges(call):
            for item in held["spec"].get("limits") or ():
                if item.get("type") == "Container":
                    for container in obj["spec"].get("containers") or ():
                        problems += bounds(item, container.get("resources") or {}, "Container")
        if problems:
            shown = problems[0] if len(problems) == 1 else "[" + ", ".join(problems) + "]"
            raise errors.forbidden("pods", str(obj["metadata"].get("name") or ""), shown)


def bounds(item: Obj, resources: Obj, kind: str) -> list[str]:
    """What of a container lies outside a LimitRange item."""
    out: list[str] = []
    requests, limits = resources.get("requests") or {}, resources.get("limits") or {}
    for name, low in sorted((item.get("min") or {}).items()):
        request, limit = requests.get(name), limits.get(name)
        if request is None:
            out.append(f"minimum {name} usage per {kind} is {low}.  No request is specified")
        elif quantity.compare(request, low) < 0:
            out.append(f"minimum {name} usage per {kind} is {low}, but request is {request}")
        elif limit is not None and quantity.compare(limit, low) < 0:
            out.append(f"minimum {name} usage per {kind} is {low}, but limit is {limit}")
    for name, high in sorted((item.get("max") or {}).items()):
        limit, request = limits.get(name), requests.get(name)
        if limit is None:
            out.append(f"maximum {name} usage per {kind} is {high}.  No limit is specified")
        elif quantity.compare(limit, high) > 0:
            out.append(f"maximum {name} usage per {kind} is {high}, but limit is {limit}")
        elif request is not None and quantity.compare(request, high) > 0:
            out.append(f"maximum {name} usage per {kind} is {high}, but request is {request}")
    return out


# -- quota --------------------------------------------------------------------------------------------------------------


class ResourceQuota:
    """Charge what is created against the namespace's quotas."""

    name = "ResourceQuota"

    def mutate(self, call: Call, obj: Obj, old: Obj | None) -> None:
        """Nothing to change."""

    def validate(self, call: Call, obj: Obj | None, old: Obj | None) -> None:
        """Refuse what would exceed a quota; otherwise write the new usage."""
        if obj is None or old is not None or not call.kind.namespaced or call.info.subresource or call.kind.kind == "Event":
            return
        prefix = f"/registry/resourcequotas/{call.namespace}/".encode()
        quotas = call.server.storage.list(prefix)[0]
        if not quotas:
            return
        found_usage = quotas_of.usage(call.kind.group, call.kind.plural, obj, call.server.world.wall)
        asked = {name: amount.nano for name, amount in found_usage.items()}
        changed: list[tuple[Obj, Obj]] = []
        for quota in quotas:
            found = self._charge(call, quota, asked, obj)
            if found is not None:
                changed.append((quota, found))
        if not call.dry_run:
            for quota, state in changed:
                key = prefix + quota["metadata"]["name"].encode()
                fresh = with_version({**quota, "status": state}, 0)
                call.server.storage.update(key, fresh, int(quota["metadata"]["resourceVersion"]))

    @staticmethod
    def _charge(call: Call, quota: Obj, asked: dict[str, int], obj: Obj) -> Obj | None:
        state = quota.get("status") or {}
        hard = state.get("hard") or {}
        if quotas_of.is_scoped(quota) and (call.kind.kind != "Pod" or not quotas_of.matches(quota, obj)):
            return None
        name = str(quota["metadata"]["name"])
        resource, target = call.kind.group_resource, str(obj["metadata"].get("name") or "")
        relevant = {k: v for k, v in asked.items() if k in hard}
        if call.kind.kind == "Pod":
            _must_specify(call, quota, hard, obj, name)
        over = {
            k: v
            for k, v in relevant.items()
            if v and quantity.nano((state.get("used") or {}).get(k)) + v > quantity.nano(hard[k])
        }
        if over:
            shown = [(k, _show(v), (state.get("used") or {}).get(k, "0"), hard[k]) for k, v in sorted(over.items())]
            parts = ", ".join(
                f"{label}: " + ",".join(f"{row[0]}={row[i]}" for row in shown)
                for i, label in ((1, "requested"), (2, "used"), (3, "limited"))
            )
            raise errors.forbidden(resource, target, f"exceeded quota: {name}, {parts}")
        if not relevant:
            return None
        used = dict(state.get("used") or {})
        for key, amount in relevant.items():
            held = quantity.nano(used.get(key))
            used[key] = _show(held + amount, str(used[key] if held else hard[key]))
        return {**state, "used": {k: used[k] for k in sorted(used)}}


def _show(nano: int, like: str = "") -> str:
    form = quantity.parse(like).format if like else "DecimalSI"
    return str(quantity.Quantity(nano, form))


def _must_specify(call: Call, quota: Obj, hard: Obj, obj: Obj, name: str) -> None:
    """A compute quota needs every container to say what it takes."""
    missing: list[str] = []
    for key in sorted(hard):
        member, _, resource = key.partition(".") if "." in key else ("requests", ".", key)
        if resource not in quotas_of.COMPUTE or member not in ("requests", "limits"):
            continue
        lacking = sorted(
            c["name"]
            for c in obj["spec"].get("containers") or ()
            if resource not in ((c.get("resources") or {}).get(member) or {})
        )
        if lacking:
            missing.append(f"{key} for: {','.join(lacking)}")
    if missing:
        raise _forbidden(call, obj, f"failed quota: {name}: must specify {'; '.join(missing)}")


def _forbidden(call: Call, obj: Obj, why: str) -> ApiError:
    return errors.forbidden(call.kind.group_resource, str(obj["metadata"].get("name") or ""), why)
