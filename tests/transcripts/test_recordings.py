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
#: The least percentage of commands whose ordered writes to etcd are the real ones, where a topic writes at all; by topic as above.
CHANGE_FLOORS = dict.fromkeys(
    "configmaps-secrets crd csr daemonset-statefulset delete deploy-rollout describe edit events-wait-watch get-jsonpath "
    "get-selectors ingress-netpol-hpa jobs-cronjobs kustomize labels-annotations namespace-quota-limits rbac run-pods "
    "sched-basics storage validation-errors".split(),
    100,
) | {
    "deploy-set-scale": 55,
    "patch": 72,
    "services": 93,
}  # the first two: pods here take their grace period to go, the stand-in's none
CHANGES = json.loads((FOLDER.parent / "changes.json").read_text(encoding="utf-8"))
#: What several writers race for, or a stand-in for kubelets wrote in the recordings.
NOT_COMPARED = ("events/", "leases", "masterleases", "ranges/", "minions/", "peerserverleases", "csinodes/")


def written(changes: list[list[str]]) -> list[str]:
    """The writes that controllers and clients make, in order: `C`, `U` or `D` and the key."""
    keys = [(operation, normalise(key.removeprefix("/registry/"))) for operation, key in changes]
    return [
        f"{operation[0]} {key}"
        for operation, key in keys
        if not key.startswith(NOT_COMPARED) and (operation, key.partition("/")[0]) != ("UPDATE", "pods")
    ]


def unlike(topic: str, records: list[dict[str, Any]], answers: list[dict[str, Any]]) -> tuple[int, list[str]]:
    """How many commands' writes count, and what differs of them.  Where two real runs differed only the same writes in another order
    count, as equal."""
    count, wrong = 0, list[str]()
    for index, (record, answer) in enumerate(zip(records, answers, strict=True)):
        known = CHANGES.get(topic, {}).get(str(index), {})
        real, here = known.get("changes", []), written(answer.get("changes") or [])
        if (not real and not here) or "cmd" not in record or (known.get("race") and sorted(real) != sorted(here)):
            continue
        count += 1
        if real != here and not known.get("race"):
            lines = difflib.unified_diff(real, here, "real writes", "simulated writes", lineterm="", n=1)
            wrong.append("\n".join([f"$ {record['cmd'].splitlines()[0]}", *lines]))
    return count, wrong


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
    assert sorted(CHANGE_FLOORS) == sorted(CHANGES)


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
    if topic in CHANGES:
        count, differs = unlike(topic, records, answers)
        score = 100 * (count - len(differs)) / count
        print(f"{topic}: {score:.1f}% of {count} commands write the same in the same order")
        assert score >= CHANGE_FLOORS[topic], "\n\n".join(differs)


def test_a_wrong_answer_is_noticed() -> None:
    record = {"cmd": "kubectl get pods", "stdout": "NAME   READY\nweb    1/1\n", "stderr": "", "code": 0}
    assert same(record, {"stdout": "NAME     READY\nweb      1/1\n", "stderr": "", "code": 0}, False)
    for change in ({"stdout": "NAME   READY\nweb    0/1\n"}, {"stderr": "error\n"}, {"code": 1}):
        assert not same(record, {"stdout": record["stdout"], "stderr": "", "code": 0, **change}, False)
