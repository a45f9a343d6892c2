"""What an instructor finds in the editor when they begin a question of a type: a small one that is right, to be written over.

`tests/lessons/test_own_quizzes.py` sends each through the checks that authors' files go through.
"""

from __future__ import annotations

_HEAD = """id: new-question
type: {type}
points: 1
text:
  ko: 질문
  en: Question
"""

#: The rest of the question for each type.
_REST = {
    "single": """choices:
  - text: {ko: 맞는 답, en: The right answer}
    correct: true
  - text: {ko: 틀린 답, en: A wrong answer}
    why: {ko: 틀린 까닭, en: Why it is wrong}
""",
    "multiple": """choices:
  - text: {ko: 맞는 답, en: A right answer}
    correct: true
  - text: {ko: 또 하나의 맞는 답, en: Another right answer}
    correct: true
  - text: {ko: 틀린 답, en: A wrong answer}
""",
    "truefalse": """answer: true
""",
    "short": """accept:
  - kubelet
""",
    "numeric": """answer: 6443
tolerance: 0
""",
    "matching": """pairs:
  - left: kubelet
    right: {ko: 파드를 실행합니다, en: runs pods}
  - left: kube-proxy
    right: {ko: 서비스 주소를 파드로 잇습니다, en: makes a Service's address lead to pods}
""",
    "ordering": """items:
  - {ko: 첫째, en: The first}
  - {ko: 둘째, en: The second}
  - {ko: 셋째, en: The third}
""",
    "fillin": """fill:
  ko: "노드에서 파드를 실행하는 프로그램은 [[agent]]이고, [[port]]번 포트에서 듣습니다."
  en: "The program that runs pods on a node is [[agent]]; it listens on port [[port]]."
gaps:
  agent: {choices: [kubelet, kube-proxy, containerd]}   # the first is right
  port: {answer: 10250}
""",
    "component": """correct: [kube-scheduler]
without: [kubectl]
""",
    "output": """scenario: three-nodes
setup:
  - kubectl create deployment web --image=nginx --replicas=2
  - {wait: 20s}
show:
  - kubectl get deployments web
answer: {run: "kubectl get deployments web -o jsonpath='{.status.readyReplicas}'"}
as: number
""",
    "command": """scenario: three-nodes
setup:
  - kubectl create deployment web --image=nginx
settle: 30s
checks:
  - id: three
    title: {ko: 복제본이 셋입니다, en: There are three replicas}
    object: {resource: deployments, name: web}
    expect: {path: status.readyReplicas, equals: 3}
    message: {ko: 준비된 복제본이 셋이 아닙니다., en: There are not three ready replicas.}
solution: [kubectl scale deployment web --replicas=3]
wrong: [kubectl scale deployment web --replicas=2]
""",
    "state": """scenario: three-nodes
hosts: [controlplane]
setup:
  - kubectl cordon node01
checks:
  - id: schedulable
    title: {ko: node01에 파드를 배치할 수 있습니다, en: Pods can be placed on node01}
    object: {resource: nodes, name: node01}
    expect: {path: spec.unschedulable, exists: false}
    message: {ko: node01에 아직 배치할 수 없습니다., en: Nothing can be placed on node01 yet.}
solution: [kubectl uncordon node01]
wrong:
  - [kubectl label node node01 schedulable=true]
""",
    "freetext": """rubric:
  - id: cause
    points: 1
    text: {ko: 원인을 말한다, en: Names the cause}
""",
}


def of(kind: str) -> str:
    """The text to begin with; a single choice for a name that is no type."""
    name = kind if kind in _REST else "single"
    return _HEAD.format(type=name) + _REST[name]


def kinds() -> list[str]:
    """The types that have one."""
    return list(_REST)
