"""The default profile: plugins in the order in which they run, and the weights of those that score
(pkg/scheduler/apis/config/v1/default_plugins.go).

Not there yet: NodeVolumeLimits, VolumeRestrictions, VolumeZone, GangScheduling, and DynamicResources but for its word in
PostFilter.
"""

from __future__ import annotations

from .framework import Plugin
from .plugins import (
    image_locality,
    inter_pod_affinity,
    node_affinity,
    node_name,
    node_ports,
    node_resources,
    node_unschedulable,
    pod_topology_spread,
    scheduling_gates,
    taint_toleration,
    volume_binding,
)

PLUGINS: tuple[Plugin, ...] = (
    scheduling_gates.PLUGIN,
    node_unschedulable.PLUGIN,
    node_name.PLUGIN,
    taint_toleration.PLUGIN,
    node_affinity.PLUGIN,
    node_ports.PLUGIN,
    node_resources.FIT,
    volume_binding.PLUGIN,
    pod_topology_spread.PLUGIN,
    inter_pod_affinity.PLUGIN,
    node_resources.BALANCED,
    image_locality.PLUGIN,
)

WEIGHTS: dict[str, int] = {
    "TaintToleration": 3,
    "NodeAffinity": 2,
    "NodeResourcesFit": 1,
    "PodTopologySpread": 2,
    "InterPodAffinity": 2,
    "NodeResourcesBalancedAllocation": 1,
    "ImageLocality": 1,
}
