"""ImageLocality: nodes that have the (large) images already are better (plugins/imagelocality)."""

from __future__ import annotations

from ..framework import MAX_SCORE, Cycle, NodeInfo, Plugin

NAME = "ImageLocality"
MB = 1024 * 1024
LEAST = 23 * MB
MOST = 1000 * MB


def normalized(image: str) -> str:
    """An image name with its tag."""
    return image + ":latest" if image.rfind(":") <= image.rfind("/") else image


def _wanted(cycle: Cycle) -> tuple[list[tuple[str, float]], int]:
    """The pod's images, each with the share of nodes that have it, and the size that counts as full; worked out once a cycle."""
    found: tuple[list[tuple[str, float]], int] | None = cycle.data.get(NAME)
    if found is None:
        spec = cycle.pod["spec"]
        containers = [*(spec.get("initContainers") or ()), *(spec.get("containers") or ())]
        mounted = [v["image"].get("reference") for v in spec.get("volumes") or () if v.get("image")]
        images = [normalized(name or "") for name in (*(c.get("image") for c in containers), *mounted)]
        shares = [sum(1 for n in cycle.nodes.values() if image in n.images) / len(cycle.nodes) for image in images]
        found = cycle.data[NAME] = (list(zip(images, shares, strict=True)), MOST * len(containers))
    return found


def score(cycle: Cycle, node: NodeInfo) -> int:
    """The bytes of the pod's images on the node, scaled by how many nodes have them."""
    wanted, most = _wanted(cycle)
    held = node.images
    total = sum(int(held[image] * share) for image, share in wanted if image in held)
    total = max(LEAST, min(total, most))
    return MAX_SCORE * (total - LEAST) // (most - LEAST) if most > LEAST else 0


PLUGIN = Plugin(name="ImageLocality", score=score)
