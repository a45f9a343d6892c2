"""What the real kubectl says to the command lines of `lines.txt`, kept in `lines.json` for a fast test.

    python -m tests.gateway.lines [--check | --new]

plays the lines with the kubectl on the PATH (v1.36 or newer) against a served world and writes what it said; with `--check` it only
tells where the terminal's kubectl says something else, and with `--new` it plays those that have no answer yet.  To be run again when the API server's answers or the lines change.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from simulator.core.kernel.clock import SECOND
from simulator.core.sandbox import Sandbox
from simulator.headless.transcript import settle
from tests.transcripts.normalise import normalise

HERE = Path(__file__).parent
LINES, SAID = HERE / "lines.txt", HERE / "lines.json"
WORKERS = 3
Answer = tuple[str, str, int]


def lines() -> tuple[list[str], list[str]]:
    """(those that make the world, those that ask it)."""
    first, _, rest = LINES.read_text().partition("\n\n")
    return [line for line in first.splitlines() if not line.startswith("#")], [line for line in rest.splitlines() if line]


def folded(text: str) -> str:
    """Without what is random."""
    return normalise(text.replace("kubernetes-admin@kubernetes", "context"), etcd=False)


def terminal() -> Sandbox:
    """The world that is asked, made by the first lines."""
    sandbox = Sandbox.boot("three-nodes", 1)
    for line in lines()[0]:
        assert sandbox.run(line).code == 0, line
        settle(sandbox)
    return sandbox


def ours(sandbox: Sandbox, line: str) -> Answer:
    """What the terminal's kubectl says."""
    result = sandbox.run(line, limit=60 * SECOND)
    return folded(result.stdout), folded(result.stderr), result.code


def real(folder: Path, known: dict[str, Answer]) -> dict[str, Answer]:
    """What the real client says to every line that is not known yet, and what is known, in the order of the lines."""
    from .test_terminal_kubectl import Both

    both = Both(folder)
    before, asked = lines()
    for line in before:
        both.real(line)

    def one(line: str) -> Answer:
        done = subprocess.run(
            ["bash", "-c", line], env=both.env, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300
        )
        here = f"127.0.0.1:{both.thread.port}"
        texts = [folded(text.replace(here, "172.30.1.2:6443")) for text in (done.stdout, done.stderr)]
        return texts[0], texts[1], done.returncode

    with ThreadPoolExecutor(WORKERS) as pool:
        new = [line for line in asked if line not in known]
        found = {**known, **dict(zip(new, pool.map(one, new), strict=True))}
    both.thread.stop()
    return {line: found[line] for line in asked}


def main() -> int:
    """Write what the real client says, or show the differences; exit status 1 when there are any."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--check", action="store_true", help="write nothing")
    parser.add_argument("--new", action="store_true", help="ask only about lines that have no answer yet")
    args = parser.parse_args()
    known = {line: (out, err, code) for line, (out, err, code) in json.loads(SAID.read_text()).items()} if args.new else {}
    with tempfile.TemporaryDirectory() as folder:
        found = real(Path(folder), known)
    sandbox, different = terminal(), 0
    for line, said in found.items():
        mine = ours(sandbox, line)
        if mine != said:
            different += 1
            print(f"$ {line}\nreal: {said}\nours: {mine}\n")
    if not args.check:
        SAID.write_text(json.dumps(found, indent=0, ensure_ascii=False) + "\n")
    print(f"{len(found)} lines, {different} different")
    return int(different > 0)


if __name__ == "__main__":
    os._exit(main())
