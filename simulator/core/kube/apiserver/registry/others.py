"""Kinds of the smaller groups: networking, policy, storage, scheduling, certificates, coordination, extensions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...api import names
from ...api.errors import FieldError, invalid_value
from ..defaults import others
from ..validation import certificates, common, endpoints, flowcontrol, ingress, networking
from ..validation import others as rules
from .strategy import Strategy

if TYPE_CHECKING:
    from ..call import Call

Obj = dict[str, Any]


class Rbac(Strategy):
    """Roles: names are path segments, a PUT creates (`pkg/registry/rbac`)."""

    create_on_update = True
    check_name = staticmethod(names.path_segment)

    def validate(self, obj: Obj) -> list[FieldError]:
        """Rules name verbs, and resources or paths."""
        return rules.role(obj)

    def stored(self, call: Call, obj: Obj, old: Obj | None) -> None:
        """Verdicts that were cached no longer hold."""
        call.server.rbac_changed()

    def released(self, call: Call, obj: Obj) -> None:
        """Verdicts that were cached no longer hold."""
        call.server.rbac_changed()


class Binding(Rbac):
    """RoleBindings and ClusterRoleBindings."""

    def default(self, obj: Obj) -> None:
        """API groups."""
        others.binding(obj)

    def validate(self, obj: Obj) -> list[FieldError]:
        """Subjects and the role."""
        return rules.binding(obj)

    def validate_update(self, obj: Obj, old: Obj) -> list[FieldError]:
        """The role is immutable."""
        out = rules.binding(obj)
        if obj.get("roleRef") != old.get("roleRef"):
            ref = obj.get("roleRef") or {}
            shown = {"APIGroup": ref.get("apiGroup", ""), "Kind": ref.get("kind", ""), "Name": ref.get("name", "")}
            out.append(invalid_value("roleRef", shown, "cannot change roleRef"))
        return out


class Counted(Strategy):
    """A kind whose spec changes are counted in metadata.generation."""

    generation = True


class Lease(Strategy):
    """Leases."""

    create_on_update = True
    unconditional_update = False
    quiet = True
    status_fields = ()

    def validate(self, obj: Obj) -> list[FieldError]:
        """`ValidateLease`."""
        return rules.lease(obj)


class EndpointSlice(Counted):
    """EndpointSlices."""

    status_fields = ()

    def default(self, obj: Obj) -> None:
        """Port names and protocols."""
        others.endpoint_slice(obj)

    def validate(self, obj: Obj) -> list[FieldError]:
        """`ValidateEndpointSlice`."""
        return endpoints.slice_errors(obj)

    def validate_update(self, obj: Obj, old: Obj) -> list[FieldError]:
        """The family stays, and what was there before is not looked at again."""
        same = obj.get("endpoints") == old.get("endpoints")
        out = endpoints.slice_errors({**obj, "endpoints": []} if same else obj)
        if obj.get("addressType") != old.get("addressType"):
            out.append(invalid_value("addressType", obj.get("addressType"), "field is immutable"))
        return out


class NetworkPolicy(Counted):
    """NetworkPolicies."""

    def default(self, obj: Obj) -> None:
        """Policy types."""
        others.network_policy(obj)

    def validate(self, obj: Obj) -> list[FieldError]:
        """Ports, peers, address blocks."""
        return networking.network_policy(obj)

    def validate_update(self, obj: Obj, old: Obj) -> list[FieldError]:
        """Blocks that were good once stay good."""
        return networking.network_policy(obj, old)


class IPAddress(Strategy):
    """IPAddresses."""

    check_name = staticmethod(networking.address_name)
    fields = {"spec.parentRef.group": ("spec", "parentRef", "group"), "spec.parentRef.resource": ("spec", "parentRef", "resource"),
              "spec.parentRef.namespace": ("spec", "parentRef", "namespace"), "spec.parentRef.name": ("spec", "parentRef", "name")}  # fmt: skip

    def validate(self, obj: Obj) -> list[FieldError]:
        """Whose it is."""
        return networking.ip_address(obj)

    def validate_update(self, obj: Obj, old: Obj) -> list[FieldError]:
        """It stays with its owner."""
        return networking.ip_address_update(obj, old)


class ServiceCidr(Strategy):
    """ServiceCIDRs."""

    def validate(self, obj: Obj) -> list[FieldError]:
        """One range, or one of each family."""
        return networking.service_cidr(obj)

    def validate_update(self, obj: Obj, old: Obj) -> list[FieldError]:
        """Ranges stay."""
        return networking.service_cidr_update(obj, old)


class FlowSchema(Counted):
    """FlowSchemas."""

    def default(self, obj: Obj) -> None:
        """In the middle."""
        others.flow_schema(obj)

    def validate(self, obj: Obj) -> list[FieldError]:
        """`ValidateFlowSchema`."""
        return flowcontrol.flow_schema(obj)

    def validate_subresource(self, sub: str, obj: Obj, old: Obj) -> list[FieldError]:
        """Conditions."""
        return common.conditions(obj)


class PriorityLevel(FlowSchema):
    """PriorityLevelConfigurations."""

    def default(self, obj: Obj) -> None:
        """Shares, queues."""
        others.priority_level(obj)

    def validate(self, obj: Obj) -> list[FieldError]:
        """`ValidatePriorityLevelConfiguration`."""
        return flowcontrol.priority_level(obj)


class RuntimeClass(Strategy):
    """RuntimeClasses."""

    create_on_update = True
    unconditional_update = False

    def validate(self, obj: Obj) -> list[FieldError]:
        """`ValidateRuntimeClass`."""
        return rules.runtime_class(obj)

    def validate_update(self, obj: Obj, old: Obj) -> list[FieldError]:
        """The handler is immutable."""
        return rules.runtime_class(obj) + rules.runtime_class_update(obj, old)


class IngressClass(Counted):
    """IngressClasses."""

    def default(self, obj: Obj) -> None:
        """Scope of parameters."""
        others.ingress_class(obj)

    def validate(self, obj: Obj) -> list[FieldError]:
        """`ValidateIngressClass`."""
        return ingress.ingress_class(obj)

    def validate_update(self, obj: Obj, old: Obj) -> list[FieldError]:
        """The controller is immutable."""
        return ingress.ingress_class_update(obj, old)


class Ingress(Counted):
    """Ingresses."""

    def validate(self, obj: Obj) -> list[FieldError]:
        """Rules and backends."""
        return ingress.ingress(obj)

    def prepare_create(self, call: Call, obj: Obj) -> None:
        """An empty load balancer status."""
        obj["status"] = {"loadBalancer": {}}


class PriorityClass(Strategy):
    """PriorityClasses."""

    generation = True

    def default(self, obj: Obj) -> None:
        """Pre-emption policy."""
        others.priority_class(obj)

    def validate(self, obj: Obj) -> list[FieldError]:
        """Names and values that are reserved."""
        return rules.priority_class(obj)

    def validate_update(self, obj: Obj, old: Obj) -> list[FieldError]:
        """The value is immutable."""
        return rules.priority_class_update(obj, old)


class DisruptionBudget(Counted):
    """PodDisruptionBudgets."""

    unconditional_update = False

    def validate(self, obj: Obj) -> list[FieldError]:
        """minAvailable or maxUnavailable."""
        return rules.disruption_budget(obj)


class SigningRequest(Strategy):
    """CertificateSigningRequests: the server writes who asked."""

    check_name = staticmethod(names.path_segment)
    fields = {"spec.signerName": ("spec", "signerName")}

    def prepare_create(self, call: Call, obj: Obj) -> None:
        """The requester's identity, whatever the client said (`certificates/strategy.go`)."""
        spec = obj.setdefault("spec", {})
        spec["username"] = call.user.name
        for member in ("uid", "groups", "extra"):
            spec.pop(member, None)
        if call.user.uid:
            spec["uid"] = call.user.uid
        if call.user.groups:
            spec["groups"] = list(call.user.groups)
        if call.user.extra:
            spec["extra"] = {name: list(values) for name, values in call.user.extra}

    def prepare_update(self, call: Call, obj: Obj, old: Obj) -> None:
        """The request itself never changes; new conditions get their times."""
        obj["spec"] = old["spec"]
        if call.info.subresource not in ("status", "approval"):
            return
        now = call.server.world.timestamp()
        held = {c.get("type"): c for c in (old.get("status") or {}).get("conditions") or ()}
        for item in (obj.get("status") or {}).get("conditions") or ():
            if not item.get("lastUpdateTime"):
                item["lastUpdateTime"] = now
            if not item.get("lastTransitionTime"):
                before = held.get(item.get("type")) or {}
                same = before.get("status") == item.get("status") and before.get("lastTransitionTime")
                item["lastTransitionTime"] = same or now

    def validate(self, obj: Obj) -> list[FieldError]:
        """A readable request, known usages, a signer's name."""
        return certificates.request(obj)

    def validate_update(self, obj: Obj, old: Obj) -> list[FieldError]:
        """Nothing but metadata changes."""
        return certificates.update("", obj, old)

    def validate_subresource(self, sub: str, obj: Obj, old: Obj) -> list[FieldError]:
        """What `approval` and `status` may change."""
        return certificates.update(sub, obj, old)
