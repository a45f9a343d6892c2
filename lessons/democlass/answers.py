"""Answers to quiz questions as a browser would send them: right ones from the key, wrong ones as learners give them."""

from __future__ import annotations

import random
from typing import Any, Protocol

from lessons.quizzes.types.base import text
from lessons.quizzes.types.component import Component, shown
from lessons.quizzes.types.world import Output

Fields = dict[str, list[str]]


class Item(Protocol):
    """What of `lessons.quizzes.services.Asked` is used here."""

    spec: Any
    kind: Any
    seed: str

    @property
    def name(self) -> str:
        """The prefix of its form fields."""


class Sent:
    """A form of several fields, with the two calls of a QueryDict that question types use."""

    def __init__(self, fields: Fields) -> None:
        self.fields = fields

    def get(self, key: str, default: str = "", /) -> Any:
        """The last value of a field."""
        return self.fields.get(key, [default])[-1]

    def getlist(self, key: str, /) -> list[Any]:
        """All values of a field."""
        return list(self.fields.get(key, []))

    def __contains__(self, key: str) -> bool:
        return key in self.fields


def fields(item: Item, *, right: bool, rng: random.Random) -> Fields:
    """The fields of one question; none for a type that nobody here knows how to answer."""
    make = _MAKERS.get(item.kind.name)
    return make(item, right, rng) if make else {}


def _choice(item: Item, right: bool, rng: random.Random) -> Fields:
    choices = item.spec["choices"]
    key = [index for index, choice in enumerate(choices) if choice.get("correct")]
    others = [index for index in range(len(choices)) if index not in key]
    if right:
        return {item.name: [str(index) for index in key]}
    if item.kind.name == "single":  # the first wrong choice tempts most
        return {item.name: [str(rng.choices(others, [2 ** (len(others) - place) for place in range(len(others))])[0])]}
    kept = [index for index in key if rng.random() < 0.6]
    added = [index for index in others if rng.random() < 0.45] or ([rng.choice(others)] if others and kept == key else [])
    return {item.name: [str(index) for index in sorted(kept + added)] or [str(rng.choice(others or key))]}


def _truefalse(item: Item, right: bool, rng: random.Random) -> Fields:
    return {item.name: [str(bool(item.spec["answer"]) is right).lower()]}


#: What learners write instead, for answers that are words of this field.
_INSTEAD = ("kubectl get pods", "etcd", "kubelet", "/etc/kubernetes", "kube-apiserver", "default", "containerd")


def _short(item: Item, right: bool, rng: random.Random) -> Fields:
    said = text(item.spec["accept"][0], "en")
    if right:
        return {item.name: [said if rng.random() < 0.8 else f" {said.upper() if not item.spec.get('case') else said} "]}
    wrong = [word for word in _INSTEAD if word.casefold() != said.casefold()]
    return {item.name: [said[:-2] + said[-1:] if len(said) > 4 and rng.random() < 0.3 else rng.choice(wrong)]}


def _numeric(item: Item, right: bool, rng: random.Random) -> Fields:
    wanted = float(item.spec["answer"])
    value = wanted if right else rng.choice([wanted + 1, wanted * 10, wanted - 1, wanted + 3, 8080.0])
    return {item.name: [f"{value:g}"]}


def _matching(item: Item, right: bool, rng: random.Random) -> Fields:
    picks = list(range(len(item.spec["pairs"])))
    if not right:
        here, there = rng.sample(picks, 2)
        picks[here], picks[there] = picks[there], picks[here]
    return {f"{item.name}.{index}": [str(pick)] for index, pick in enumerate(picks)}


def _ordering(item: Item, right: bool, rng: random.Random) -> Fields:
    order = list(range(len(item.spec["items"])))
    if not right:
        place = rng.randrange(len(order) - 1)
        order[place], order[place + 1] = order[place + 1], order[place]
    # the page sends the order it showed and a position for each: an order already reached is shown as it is
    out = {f"{item.name}.{index}": [str(place)] for place, index in enumerate(order, 1)}
    return {f"{item.name}.shown": [str(index) for index in order], **out}


def _fillin(item: Item, right: bool, rng: random.Random) -> Fields:
    """Whoever does not know it all gets one gap wrong."""
    gaps = dict(item.spec["gaps"])
    missed = None if right else rng.choice(sorted(gaps))
    out: Fields = {}
    for name, gap in gaps.items():
        well = name != missed
        if "choices" in gap:
            word = "0" if well else str(rng.randrange(1, len(gap["choices"])))
        elif "answer" in gap:
            word = f"{float(gap['answer']) + (0 if well else rng.choice([1, 10])):g}"
        else:
            word = text(gap["accept"][0], "en") if well else rng.choice(_INSTEAD)
        out[f"{item.name}.{name}"] = [word]
    return out


def _component(item: Item, right: bool, rng: random.Random) -> Fields:
    wanted = list(item.spec["correct"])
    if right:
        return {item.name: wanted if Component.several(item.spec) else wanted[:1]}
    return {item.name: [rng.choice([part for part in shown(item.spec) if part not in wanted])]}


def _output(item: Item, right: bool, rng: random.Random) -> Fields:
    said = Output.wanted(item.spec)
    return {item.name: [said if right and said else rng.choice(_INSTEAD)]}


def _command(item: Item, right: bool, rng: random.Random) -> Fields:
    steps = [step if isinstance(step, str) else str(step.get("run", "")) for step in item.spec["solution"]]
    return {item.name: ["\n".join(steps) if right else rng.choice(("kubectl get pods", "kubectl get nodes -o wide"))]}


def _freetext(item: Item, right: bool, rng: random.Random) -> Fields:
    model = text(item.spec["model"], "en") if "model" in item.spec else "The control loop compares what is with what should be."
    return {item.name: [model if right else " ".join(model.split()[: rng.randint(3, 8)])]}


_MAKERS = {
    "fillin": _fillin,
    "component": _component,
    "output": _output,
    "command": _command,
    "freetext": _freetext,
    "single": _choice,
    "multiple": _choice,
    "truefalse": _truefalse,
    "short": _short,
    "numeric": _numeric,
    "matching": _matching,
    "ordering": _ordering,
}
