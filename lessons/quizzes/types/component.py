"""Click the component.  The page draws the ship map's parts, each a choice; an answer is the list of chosen parts' names.

The parts are those of the ship map (docs/map.md): a control ship, two worker ships, and what sails between.  An author may leave some
out.  Without a pointer, without JavaScript and to a screen reader it is a group of labelled choices.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from lessons.quizzes.types.base import FieldPath, Form, Mark, QuestionType, Spec

#: name → (ship, what it is called).  The order is the order on the map and for the keyboard.
PARTS: dict[str, tuple[str, str]] = {
    "kubectl": ("shore", "kubectl"),
    "kube-apiserver": ("controlplane", "kube-apiserver"),
    "etcd": ("controlplane", "etcd"),
    "kube-scheduler": ("controlplane", "kube-scheduler"),
    "kube-controller-manager": ("controlplane", "kube-controller-manager"),
    "kubelet-node01": ("node01", "kubelet"),
    "kube-proxy-node01": ("node01", "kube-proxy"),
    "containerd-node01": ("node01", "containerd"),
    "pods-node01": ("node01", "Pods"),
    "kubelet-node02": ("node02", "kubelet"),
    "kube-proxy-node02": ("node02", "kube-proxy"),
    "containerd-node02": ("node02", "containerd"),
    "pods-node02": ("node02", "Pods"),
}
SHIPS = ("shore", "controlplane", "node01", "node02")


def picked(spec: Spec, response: Any) -> list[str]:
    """The parts in an answer that the map has, in the map's order."""
    given = {item for item in response if isinstance(item, str)} if isinstance(response, list) else set()
    return [name for name in shown(spec) if name in given]


def shown(spec: Spec) -> list[str]:
    """The parts on this question's map."""
    hidden = set(spec.get("without", ()))
    return [name for name in PARTS if name not in hidden]


def called(name: str) -> str:
    """`kubelet, node01`."""
    ship, word = PARTS[name]
    return word if ship in ("shore", "controlplane") else f"{word}, {ship}"


class Component(QuestionType):
    """Point at one part of the map, or at several."""

    name = "component"
    template = "quizzes/types/component.html"
    properties = {
        "correct": {"type": "array", "minItems": 1, "maxItems": 8, "uniqueItems": True, "items": {"enum": list(PARTS)}},
        "any": {"type": "boolean"},
        "without": {"type": "array", "maxItems": 10, "uniqueItems": True, "items": {"enum": list(PARTS)}},
    }
    required = ("correct",)

    @staticmethod
    def several(spec: Spec) -> bool:
        """Whether more than one part may be chosen."""
        return len(spec["correct"]) > 1 and not spec.get("any")

    def problems(self, spec: Spec) -> Iterator[tuple[FieldPath, str]]:
        for index, name in enumerate(spec["correct"]):
            if name in spec.get("without", ()):
                yield ("correct", index), f"`{name}` is left out by `without`"

    def present(self, spec: Spec, language: str, seed: str, response: Any) -> dict[str, Any]:
        chosen = picked(spec, response)
        ships = []
        for ship in SHIPS:
            parts = [
                {"value": name, "text": PARTS[name][1], "label": called(name), "checked": name in chosen}
                for name in shown(spec)
                if PARTS[name][0] == ship
            ]
            if parts:
                ships.append({"name": ship, "parts": parts})
        return {"ships": ships, "kind": "checkbox" if self.several(spec) else "radio"}

    def parse(self, form: Form, name: str, spec: Spec) -> Any:
        chosen = picked(spec, form.getlist(name))
        return (chosen if self.several(spec) else chosen[:1]) or None

    def grade(self, spec: Spec, response: Any) -> Mark:
        chosen, right = picked(spec, response), spec["correct"]
        detail = {"chosen": chosen, "correct": list(right)}
        if not self.several(spec):
            return Mark(1.0 if len(chosen) == 1 and chosen[0] in right else 0.0, detail)
        hits = len(set(chosen) & set(right))
        return Mark(max(0, hits - (len(chosen) - hits)) / len(right), detail)

    def key(self, spec: Spec, language: str) -> list[str]:
        return [called(name) for name in PARTS if name in spec["correct"]]

    def said(self, spec: Spec, response: Any, language: str) -> list[str]:
        return [called(name) for name in picked(spec, response)]
