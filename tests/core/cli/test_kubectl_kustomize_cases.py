"""Kustomizations of many forms beside what the real kubectl builds of them, and what it says of wrong ones.

    python -m tests.core.cli.test_kubectl_kustomize_cases [cases|plugins]

asks the kubectl on the PATH again (v1.36 for `plugins`) and writes `kustomize/said.json` or `kustomize/plugins.json`.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from simulator.core.kernel.clock import SECOND
from simulator.core.sandbox import Sandbox

HERE = Path(__file__).parent / "kustomize"
#: Scripts of cases → (what the real one said, the numbers of the cases).
SUITES = {
    "cases": (HERE / "said.json", tuple(range(1, 12))),
    "plugins": (HERE / "plugins.json", tuple(number for number in range(1, 45) if number != 42)),
}


def folded(text: str, home: str) -> str:
    """Errors without klog's frame (older clients log them), and nothing of the process's own memory and directory."""
    text = text.replace(home, "/root/w")
    text = re.sub(
        r'(?m)^E\d{4} .*?"command failed" err="(.*)"$', lambda m: "error: " + m[1].encode().decode("unicode_escape"), text
    )
    text = re.sub(
        r'(?ms)^E\d{4} [^\n]*?"command failed" err=<\n(.*?)^ >$',
        lambda m: "error: " + re.sub("(?m)^\t", "", m[1]).rstrip("\n"),
        text,
    )
    text = re.sub(r"(?m)^([IWE])\d{4} [\d:.]+ +\d+ ", r"\1<klog> ", text)
    return re.sub(r"0x[0-9a-f]{6,}|<pointer>", "<pointer>", re.sub(r"(?m)^Error: ", "error: ", text))


@pytest.fixture(scope="module")
def box() -> Sandbox:
    box = Sandbox.boot("one-node", 1)
    for suite in SUITES:
        assert box.run(f"cat > {suite}.sh <<'END'\n{(HERE / f'{suite}.sh').read_text()}\nEND").code == 0
    return box


@pytest.mark.parametrize(("suite", "case"), [(suite, case) for suite, (_, cases) in SUITES.items() for case in cases])
def test_it_builds_what_the_real_one_builds(box: Sandbox, suite: str, case: int) -> None:
    command = f"rm -rf w; mkdir w; cp {suite}.sh w; cd w; bash {suite}.sh {case} 2> err; cat err >&2; cd .."
    result = box.run(command, limit=60 * SECOND)
    said, cases = SUITES[suite]
    out, err = json.loads(said.read_text())[cases.index(case)]
    assert (result.stdout, folded(result.stderr, "/root/w")) == (out, err)


@pytest.mark.parametrize("suite", SUITES)
def test_the_recorded_answers_are_not_empty(suite: str) -> None:
    said, cases = SUITES[suite]
    answers = json.loads(said.read_text())
    assert len(answers) == len(cases) and all(out or err for out, err in answers)


def main(suite: str = "cases") -> None:
    """Ask the real kubectl."""
    answers, (said, cases) = [], SUITES[suite]
    for case in cases:
        with tempfile.TemporaryDirectory() as home:
            (Path(home) / f"{suite}.sh").write_text((HERE / f"{suite}.sh").read_text())
            done = subprocess.run(["bash", f"{suite}.sh", str(case)], cwd=home, capture_output=True, text=True, check=False)
            answers.append((folded(done.stdout, home), folded(done.stderr, home)))
    said.write_text(json.dumps(answers, indent=0, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
