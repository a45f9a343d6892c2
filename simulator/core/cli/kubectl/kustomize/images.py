"""New names and tags of images (`api/filters/imagetag`)."""

from __future__ import annotations

import re
from typing import Any

from .items import Obj


def retag(value: Any, change: Obj) -> None:
    """New images in every list of containers, wherever it stands, and in image volumes (`filters/imagetag`)."""
    if isinstance(value, list):
        for one in value:
            retag(one, change)
    elif isinstance(value, dict):
        for key, inner in value.items():
            retag(inner, change)
            for one in inner if key in ("containers", "initContainers", "volumes") and isinstance(inner, list) else ():
                holder, field = (one, "image") if key != "volumes" else ((one or {}).get("image"), "reference")
                if isinstance(holder, dict) and isinstance(holder.get(field), str):
                    holder[field] = renamed(holder[field], change)


def renamed(image: str, change: Obj) -> str:
    """An image as a change of `images` has it."""
    match = re.fullmatch(r"(.*?)(:[\w][\w.-]*)?(@.*)?", image)
    name, tag, digest = (match[1], match[2] or "", match[3] or "") if match else (image, "", "")
    if name != change.get("name"):
        return image
    name = change.get("newName") or name
    if change.get("newTag"):
        tag, digest = f":{change['newTag']}", ""
    if change.get("tagSuffix") and tag:
        tag += str(change["tagSuffix"])
    if change.get("digest"):
        tag, digest = (tag if change.get("newTag") else ""), f"@{change['digest']}"
    return name + tag + digest
