"""git: sessions recorded with the real tool (2.39) give the same words, statuses and object names; what is not there says so."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from simulator.core.sandbox import Sandbox

HERE = Path(__file__).parent
#: The recordings' surroundings: one author, one time for every commit.
SETUP = """mkdir -p /tmp/gt/home /tmp/gt/w; cd /tmp/gt/w
export GIT_AUTHOR_DATE='@1790000000 +0000' GIT_COMMITTER_DATE='@1790000000 +0000' EDITOR=true HOME=/tmp/gt/home
git config --global user.name Ada; git config --global user.email ada@example.com; git config --global init.defaultBranch main
"""


def run(script: str) -> tuple[str, int]:
    result = Sandbox.boot("playground-ubuntu", 1).run(script, host="ubuntu")
    return result.stdout + result.stderr, result.code


@pytest.mark.parametrize("session", sorted(path.stem for path in HERE.glob("*.txt")))
def test_sessions_go_as_recorded(session: str) -> None:
    recorded = (HERE / f"{session}.txt").read_text()
    script = SETUP
    for line in re.findall(r"^\$ (.*)$", recorded, re.M):
        script += f"printf '%s\\n' {_quoted('$ ' + line)}\n{{ {line}; }} 2>&1; echo \"[$?]\"\n"
    assert run(script)[0] == recorded


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


def test_who_commits_must_be_known() -> None:
    said, code = run("cd /tmp; git init -q -b main r; cd r; echo a > a; git add a; git commit -m a")
    assert code == 128
    assert "*** Please tell me who you are." in said
    assert said.rstrip().endswith("fatal: unable to auto-detect email address (got 'root@ubuntu.(none)')")


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ("git clone https://github.com/someone/something.git", "what is there is not simulated in Slipway yet"),
        ("git clone https://nowhere.invalid/x.git", "Could not resolve host: nowhere.invalid"),
        ("git init -q r; cd r; git rebase main", "git: rebase: not simulated in Slipway yet"),
        ("git init -q r; cd r; git status --frobnicate", "git: status --frobnicate: not simulated in Slipway yet"),
    ],
)
def test_what_is_not_there_says_so(command: str, says: str) -> None:
    said, code = run(SETUP + command)
    assert says in said
    assert code in (1, 128)
    assert "Traceback" not in said


def test_what_a_world_brings_along_is_cloned() -> None:
    sandbox = Sandbox.boot("playground-ubuntu", 1)
    files = {"README.md": (b"# labs\n", 0o644), "bin/run.sh": (b"#!/bin/sh\necho ran\n", 0o755)}
    sandbox.world.tables["repositories"] = lambda url: files if url == "https://github.com/owner/labs" else None
    result = sandbox.run(
        "git clone https://github.com/owner/labs 2>&1 && labs/bin/run.sh && cd labs && git status -sb", host="ubuntu"
    )
    assert result.code == 0
    assert result.stdout.endswith("ran\n## main...origin/main\n")
