"""Recordings of a real control plane, replayed in the simulator: the share of commands whose output, errors and status are all equal.

`recordings/` holds copies of recordings of Kubernetes v1.36.2 and etcd 3.6.13, a few topics each for a part of the product.  Run with
`-s` to see the scores; a recording never decides what the simulator prints.
"""

from __future__ import annotations

import difflib
import json
from pathlib import Path
from typing import Any

import pytest

from simulator.headless import transcript
from tests.transcripts.normalise import normalise

FOLDER = Path(__file__).parent / "recordings"
#: The least percentage of equal commands by topic; raise it when a topic gets better.
FLOORS = {
    "cli-errors": 90,
    "config-kubeconfig": 97,
    "configmaps-secrets": 97,
    "crd": 96,
    "csr": 97,
    "daemonset-statefulset": 96,
    "delete": 97,
    "deploy-rollout": 97,
    "deploy-set-scale": 97,
    "describe": 91,
    "edit": 100,
    "etcd-kv": 97,
    "etcd-snapshot": 98,
    "etcd-txn-watch": 96,
    "events-wait-watch": 96,
    "explain": 74,
    "get-jsonpath": 96,
    "get-selectors": 96,
    "ingress-netpol-hpa": 96,
    "jobs-cronjobs": 96,
    "kubeadm-config": 93,
    "kubeadm-phases": 92,
    "kustomize": 95,
    "labels-annotations": 96,
    "namespace-quota-limits": 97,
    "patch": 96,  # one command ends as the scheduler chose between two equal nodes
    "rbac": 97,
    "run-pods": 96,
    "sched-basics": 96,
    "services": 97,
    "storage": 97,
    "validation-errors": 97,
}


def same(record: dict[str, Any], answer: dict[str, Any], etcd: bool) -> bool:
    """Whether an answer equals what the real tools said."""
    return record["code"] == answer.get("code") and all(
        normalise(record[part], etcd=etcd) == normalise(answer.get(part) or "", etcd=etcd) for part in ("stdout", "stderr")
    )


def difference(record: dict[str, Any], answer: dict[str, Any], etcd: bool) -> str:
    """What differs, for the report of a failure."""
    lines = [f"$ {record['cmd'].splitlines()[0]}  (status {record['code']}, here {answer.get('code')})"]
    for part in ("stdout", "stderr"):
        real, here = (normalise(side.get(part) or "", etcd=etcd).split("\n") for side in (record, answer))
        lines += list(difflib.unified_diff(real, here, f"real {part}", f"simulated {part}", lineterm="", n=1))[:20]
    return "\n".join(lines)


def test_every_recording_has_a_floor() -> None:
    assert sorted(FLOORS) == sorted(path.stem for path in FOLDER.glob("*.json"))


@pytest.mark.parametrize("topic", sorted(FLOORS))
def test_topic(topic: str) -> None:
    document = json.loads((FOLDER / f"{topic}.json").read_text(encoding="utf-8"))
    records = document["records"]
    answers = transcript.play(
        document["env"].split(), [{key: record[key]} for record in records for key in ("cmd", "control") if key in record]
    )
    counted = [pair for pair in zip(records, answers, strict=True) if "cmd" in pair[0] and not pair[0].get("volatile")]
    etcd = document["env"].startswith("etcd")
    wrong = [difference(*pair, etcd) for pair in counted if not same(*pair, etcd)]
    score = 100 * (len(counted) - len(wrong)) / len(counted)
    print(f"{topic}: {score:.1f}% of {len(counted)} commands equal")
    assert score >= FLOORS[topic], "\n\n".join(wrong)


def test_a_wrong_answer_is_noticed() -> None:
    record = {"cmd": "kubectl get pods", "stdout": "NAME   READY\nweb    1/1\n", "stderr": "", "code": 0}
    assert same(record, {"stdout": "NAME     READY\nweb      1/1\n", "stderr": "", "code": 0}, False)
    for change in ({"stdout": "NAME   READY\nweb    0/1\n"}, {"stderr": "error\n"}, {"code": 1}):
        assert not same(record, {"stdout": record["stdout"], "stderr": "", "code": 0, **change}, False)
