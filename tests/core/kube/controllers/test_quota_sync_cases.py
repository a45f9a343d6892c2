"""Facts about one look at a ResourceQuota as data (`cases/quota_sync.json`): what it counts, and whether that is written."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from simulator.core.kube.api import quantity
from simulator.core.kube.api.objects import Obj
from simulator.core.kube.controllers.resourcequota import ResourceQuotaController

from . import one_sync

CASES = json.loads((Path(__file__).parent / "cases" / "quota_sync.json").read_text())


def amounts(given: Obj | None) -> dict[str, int]:
    """Quantities as numbers."""
    return {name: quantity.nano(str(text)) for name, text in (given or {}).items()}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["what"])
def test_what_a_quota_counts(case: Obj, monkeypatch: pytest.MonkeyPatch) -> None:
    quota = {"metadata": {"name": "quota", "namespace": "testing", "uid": "q"}, **case["quota"]}
    for number, item in enumerate(case["items"]):
        item["metadata"] |= {"namespace": "testing", "uid": str(number)}
    objects = {"resourcequotas": [quota], case["kind"]: case["items"]}
    monkeypatch.setattr(one_sync.Still, "feed", lambda *_: None, raising=False)
    made, asked = one_sync.controller(ResourceQuotaController, objects)
    made.sync("testing/quota")
    status = asked.updated[-1]["status"] if asked.updated else quota["status"]
    assert amounts(status.get("hard")) == amounts(case["want"].get("hard"))
    assert amounts(status.get("used")) == amounts(case["want"].get("used"))
    assert asked.updated or not case["writes"]
