"""ImageLocality: nodes that have the (large) images already are better (plugins/imagelocality)."""

from __future__ import annotations

from ..framework import MAX_SCORE, Cycle, NodeInfo, Plugin

MB = 1024 * 1024
LEAST = 23 * MB
MOST = 1000 * MB


def normalized(image: str) -> str:
    """An image name with its tag."""
    return image + ":latest" if image.rfind(":") <= image.rfind("/") else image


def score(cycle: Cycle, node: NodeInfo) -> int:
    """The bytes of the pod's images on the node, scaled by how many nodes have them."""
    spec = cycle.pod["spec"]
    containers = [*(spec.get("initContainers") or ()), *(spec.get("containers") or ())]
    mounted = [v["image"].get("reference") for v in spec.get("volumes") or () if v.get("image")]
    total = 0
    for name in (*(c.get("image") for c in containers), *mounted):
        image = normalized(name or "")
        size = node.images.get(image)
        if size:
            holders = sum(1 for other in cycle.nodes.values() if image in other.images)
            total += int(size * (holders / len(cycle.nodes)))
    most = MOST * len(containers)
    total = max(LEAST, min(total, most))
    return MAX_SCORE * (total - LEAST) // (most - LEAST) if most > LEAST else 0


PLUGIN = Plugin(name="ImageLocality", score=score)
