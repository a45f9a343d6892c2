"""Our shell and text tools against the machine's own: the same snippet gives the same output, messages and status.

Snippets are those of `snippets.py` and of the files in `snippets/`, where a line of `%%` stands between them. A file named after a tool that
this machine has not (`jq.txt`) is skipped, and says so.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from simulator.core.host.machine import hosts
from simulator.core.kernel.world import World
from simulator.core.shell import runner
from simulator.core.shell.coreutils.table import COMMANDS

from .host_world import make_world
from .snippets import SNIPPETS

SCRATCH = "/tmp/scratch"
FOLDER = Path(__file__).parent / "snippets_of"
#: Files whose name is no tool of every machine.
OPTIONAL = frozenset({"bc", "jq", "column", "xxd"})
#: How often the machine's bash is asked before a difference counts.
ATTEMPTS = 4


def stored() -> list[tuple[str, str]]:
    """(name, snippet) of the files."""
    found = []
    for path in sorted(FOLDER.glob("*.txt")):
        parts = [part for part in path.read_text().split("\n%%\n") if part.strip()]
        found += [(f"{path.stem}-{number:03d}", part.strip("\n")) for number, part in enumerate(parts)]
    return found


STORED = stored()


def shell_world() -> World:
    """A host with the commands of a Linux box and an empty scratch directory."""
    world = make_world()
    world.tables["commands"].update(COMMANDS)
    hosts(world)["controlplane"].fs.mkdir(SCRATCH)
    return world


def ours(text: str) -> tuple[str, str, int]:
    """Run in the simulator."""
    found = runner.run(shell_world(), text, cwd=SCRATCH, env={"HOME": "/root"})
    return found.stdout, found.stderr, found.code


def real(text: str, folder: Path) -> tuple[str, str, int]:
    """Run in the machine's bash."""
    env = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": "/root", "LANG": "C.UTF-8", "TZ": "UTC"}
    # whoever started the tests may ignore signals (nohup, a background job), and bash would take that over
    argv = ["env", "--default-signal", "bash", "-c", text]
    found = subprocess.run(argv, cwd=folder, env=env, capture_output=True, timeout=300, stdin=subprocess.DEVNULL, check=False)
    code = found.returncode if found.returncode >= 0 else 128 - found.returncode
    return found.stdout.decode("utf-8", "replace"), found.stderr.decode("utf-8", "replace"), code


def normal(text: str, folder: str) -> str:
    """Leave out what rightly differs: the directory, awk's own dialect of messages, warnings about here-documents."""
    text = text.replace(folder, SCRATCH)
    return re.sub(r"(?m)^bash: warning: .*\n|^(\S+: line \d+): +\d+ (Killed|Terminated).*\n", "", text)


@pytest.mark.parametrize("number", range(len(SNIPPETS)), ids=lambda n: f"{n:03d}")
def test_a_snippet_does_what_bash_does(number: int, tmp_path: Path) -> None:
    compare(SNIPPETS[number], tmp_path)


@pytest.mark.parametrize("name", range(len(STORED)), ids=lambda n: STORED[n][0])
def test_a_stored_snippet_does_what_bash_does(name: int, tmp_path: Path) -> None:
    tool = STORED[name][0].rpartition("-")[0]
    if tool in OPTIONAL and shutil.which(tool) is None:
        pytest.skip(f"this machine has no {tool}")
    compare(STORED[name][1], tmp_path)


def compare(text: str, tmp_path: Path) -> None:
    """Run a snippet in both and compare all that they say.

    A real shell with background jobs, pipes and clocks has several true outcomes, of which a loaded machine also shows the rare ones (`jobs` right
    after `wait` now and then still lists a job in bash 5.2). Snippets are written without such races; where one is left, the machine is asked again,
    in an empty directory. Ours is asked once: it is the same every time.
    """
    out, err, code = ours(text)
    for attempt in range(ATTEMPTS):
        folder = tmp_path / str(attempt)
        folder.mkdir()
        real_out, real_err, real_code = real(text, folder)
        where = str(folder)
        found, expected = (
            (normal(out, where), normal(err, where), code),
            (normal(real_out, where), normal(real_err, where), real_code),
        )
        if found == expected:
            break
    assert found == expected, text
