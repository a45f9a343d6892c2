"""The plugins that there are, and the default ones in the order in which they run with their weights
(pkg/scheduler/framework/plugins/registry.go, pkg/scheduler/apis/config/v1/default_plugins.go)."""

from __future__ import annotations

from collections.abc import Callable

from ..api.objects import Obj
from .framework import Plugin
from .plugins import (
    image_locality,
    inter_pod_affinity,
    node_affinity,
    node_name,
    node_ports,
    node_resources,
    node_unschedulable,
    node_volume_limits,
    pod_topology_spread,
    scheduling_gates,
    taint_toleration,
    volume_binding,
    volume_restrictions,
    volume_zone,
)


def _fixed(plugin: Plugin) -> Callable[[Obj], Plugin]:
    return lambda _args: plugin


#: A plugin's name and what makes it of its arguments.
FACTORIES: dict[str, Callable[[Obj], Plugin]] = {
    "SchedulingGates": _fixed(scheduling_gates.PLUGIN),
    "NodeUnschedulable": _fixed(node_unschedulable.PLUGIN),
    "NodeName": _fixed(node_name.PLUGIN),
    "TaintToleration": _fixed(taint_toleration.PLUGIN),
    "NodeAffinity": node_affinity.plugin,
    "NodePorts": _fixed(node_ports.PLUGIN),
    "NodeResourcesFit": node_resources.fit,
    "VolumeRestrictions": _fixed(volume_restrictions.PLUGIN),
    "NodeVolumeLimits": _fixed(node_volume_limits.PLUGIN),
    "VolumeBinding": _fixed(volume_binding.PLUGIN),
    "VolumeZone": _fixed(volume_zone.PLUGIN),
    "PodTopologySpread": pod_topology_spread.plugin,
    "InterPodAffinity": inter_pod_affinity.plugin,
    "NodeResourcesBalancedAllocation": node_resources.balanced,
    "ImageLocality": _fixed(image_locality.PLUGIN),
}

#: Plugins that have no work here but may be named: the order of the queue, preemption and binding are the scheduler's own;
#: dynamic resources, gangs and declared features of nodes are not simulated.
NAMES: tuple[str, ...] = (
    "PrioritySort",
    "DefaultPreemption",
    "DefaultBinder",
    "DynamicResources",
    "NodeDeclaredFeatures",
    "GangScheduling",
    "TopologyPlacementGenerator",
    "PodGroupPodsCount",
)

#: What a profile enables at every extension point (multiPoint), with weights.
DEFAULTS: tuple[tuple[str, int], ...] = (
    ("SchedulingGates", 0),
    ("PrioritySort", 0),
    ("NodeUnschedulable", 0),
    ("NodeName", 0),
    ("TaintToleration", 3),
    ("NodeAffinity", 2),
    ("NodePorts", 0),
    ("NodeResourcesFit", 1),
    ("VolumeRestrictions", 0),
    ("NodeVolumeLimits", 0),
    ("VolumeBinding", 0),
    ("VolumeZone", 0),
    ("PodTopologySpread", 2),
    ("InterPodAffinity", 2),
    ("DynamicResources", 2),
    ("DefaultPreemption", 0),
    ("NodeResourcesBalancedAllocation", 1),
    ("ImageLocality", 1),
    ("DefaultBinder", 0),
    ("NodeDeclaredFeatures", 0),
)
