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
    "freetext": """rubric:
  - id: cause
    points: 1
    text: {ko: 원인을 말한다, en: Names the cause}
""",
}


def of(kind: str) -> str:
    """The text to begin with; a single choice for a type that has none (those that ask a cluster are written after docs/authoring.md)."""
    name = kind if kind in _REST else "single"
    return _HEAD.format(type=name) + _REST[name]


def kinds() -> list[str]:
    """The types that have one."""
    return list(_REST)
