"""Kustomizations of many forms beside what the real kubectl builds of them, and what it says of wrong ones.

    python -m tests.core.cli.test_kubectl_kustomize_cases

asks the kubectl on the PATH again and writes `kustomize/said.json`.
"""

from __future__ import annotations

import json
import re
import subprocess
import tempfile
from pathlib import Path

import pytest

from simulator.core.kernel.clock import SECOND
from simulator.core.sandbox import Sandbox

HERE = Path(__file__).parent / "kustomize"
CASES, SAID = HERE / "cases.sh", HERE / "said.json"
COUNT = 11


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
    return re.sub(r"0xc[0-9a-f]+", "<pointer>", re.sub(r"(?m)^Error: ", "error: ", text))


@pytest.fixture(scope="module")
def box() -> Sandbox:
    box = Sandbox.boot("one-node", 1)
    assert box.run(f"cat > cases.sh <<'END'\n{CASES.read_text()}\nEND").code == 0
    return box


@pytest.mark.parametrize("case", range(1, COUNT + 1))
def test_it_builds_what_the_real_one_builds(box: Sandbox, case: int) -> None:
    command = f"rm -rf w; mkdir w; cp cases.sh w; cd w; bash cases.sh {case} 2> err; cat err >&2; cd .."
    result = box.run(command, limit=60 * SECOND)
    out, err = json.loads(SAID.read_text())[case - 1]
    assert (result.stdout, folded(result.stderr, "/root/w")) == (out, err)


def test_the_recorded_answers_are_not_empty() -> None:
    said = json.loads(SAID.read_text())
    assert len(said) == COUNT and all(out or err for out, err in said)


def main() -> None:
    """Ask the real kubectl."""
    said = []
    for case in range(1, COUNT + 1):
        with tempfile.TemporaryDirectory() as home:
            (Path(home) / "cases.sh").write_text(CASES.read_text())
            done = subprocess.run(["bash", "cases.sh", str(case)], cwd=home, capture_output=True, text=True, check=False)
            said.append((folded(done.stdout, home), folded(done.stderr, home)))
    SAID.write_text(json.dumps(said, indent=0, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
