"""`python -m simulator run|scenarios|transcript|bench|serve`: what they print, and what they say to bad input."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from simulator.core.sandbox import Sandbox
from simulator.headless.main import main

ROOT = Path(__file__).parents[2]


class Result:
    """What a run of the command line gave."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err

    @property
    def records(self) -> list[dict[str, Any]]:
        """Standard output as one JSON record a line."""
        return [json.loads(line) for line in self.out.splitlines()]


@pytest.fixture
def simulator(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Any:
    """Call the command line with arguments and standard input."""

    def call(*args: str, stdin: str | bytes = "") -> Result:
        data = stdin.encode() if isinstance(stdin, str) else stdin
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data), encoding="utf-8"))
        try:
            code = main(list(args))
        except SystemExit as left:
            code = int(left.code or 0)
        text = capsys.readouterr()
        assert "Traceback" not in text.err
        return Result(code, text.out, text.err)

    return call


def test_scenarios_are_listed(simulator: Any) -> None:
    found = simulator("scenarios")
    assert found.code == 0
    assert "three-nodes" in [line.split()[0] for line in found.out.splitlines()]


def test_run_prints_what_a_terminal_would(simulator: Any) -> None:
    found = simulator("run", stdin="echo hello\nls /nope\nexit_status=$?; echo $exit_status\n")
    assert found.code == 0
    assert found.out == (
        "controlplane:~$ echo hello\nhello\n"
        "controlplane:~$ ls /nope\nls: cannot access '/nope': No such file or directory\n"
        "controlplane:~$ exit_status=$?; echo $exit_status\n2\n"
    )


def test_run_reads_a_file_and_continues_lines(simulator: Any, tmp_path: Path) -> None:
    script = tmp_path / "script"
    script.write_text("cat <<END\none\n  two\nEND\necho a \\\nb\necho 'open\nquote'\nfor i in 1 2; do\necho $i\ndone\n")
    found = simulator("run", str(script))
    assert found.code == 0
    output = [line for line in found.out.splitlines() if not line.startswith(("controlplane", ">"))]
    assert output == ["one", "  two", "a b", "open", "quote", "1", "2"]


def test_run_steers_the_world(simulator: Any) -> None:
    found = simulator(
        "run", "--json", stdin=json.dumps(["hostname", "#! advance 5m", "#! host node01", "hostname", "#! settle 10s", "true"])
    )
    first, second, third = found.records
    assert (first["stdout"], second["stdout"]) == ("controlplane\n", "node01\n")
    assert second["at"] - first["at"] >= 300
    assert third["code"] == 0


def test_run_brings_a_fault(simulator: Any) -> None:
    found = simulator(
        "run", stdin="#! fault stop kubelet node01\n#! advance 1m\nkubectl get node node01 --no-headers\n#! fault power-off node02\n"
        "#! advance 1m\nkubectl get node node02 --no-headers\n"
    )  # fmt: skip
    assert found.code == 0
    lines = [line.split()[:2] for line in found.out.splitlines() if not line.startswith("controlplane:")]
    assert lines == [["node01", "NotReady"], ["node02", "NotReady"]]
    assert "#!" not in found.out


def test_run_writes_records(simulator: Any) -> None:
    commands = ["echo out; echo err >&2; (exit 3)", "cat <<END\nhere\nEND", "kubectl get pods", "nothing-like-that", ""]
    found = simulator("run", "--json", stdin=json.dumps(commands))
    assert found.code == 0
    records = found.records
    assert [record["cmd"] for record in records] == commands
    assert all(list(record) == ["cmd", "stdout", "stderr", "code", "at"] for record in records)
    assert (records[0]["stdout"], records[0]["stderr"], records[0]["code"]) == ("out\n", "err\n", 3)
    assert records[1]["stdout"] == "here\n"
    assert records[2]["stderr"] == "No resources found in default namespace.\n"
    assert (records[3]["stderr"], records[3]["code"]) == ("nothing-like-that: command not found\n", 127) or (
        "command not found" in records[3]["stderr"] and records[3]["code"] == 127
    )
    assert [record["at"] for record in records] == sorted(record["at"] for record in records)


def test_a_command_without_an_end_gets_ctrl_c(simulator: Any) -> None:
    found = simulator("run", "--json", "--limit", "20s", stdin=json.dumps(["sleep 100000", "echo on"]))
    first, second = found.records
    assert first["code"] == 130
    assert second["stdout"] == "on\n"
    assert second["at"] >= first["at"] >= 20


def test_the_same_seed_gives_the_same_world(simulator: Any) -> None:
    script = "kubectl create deployment web --image=nginx\nkubectl get pods -o wide\n"
    first, again, other = (simulator("run", "--seed", seed, stdin=script).out for seed in ("3", "3", "4"))
    assert first == again
    assert first != other


@pytest.mark.parametrize(
    ("args", "stdin", "says"),
    [
        (["run", "/nowhere/script"], "", "/nowhere/script: "),
        (["run", "/"], "", "/: "),
        (["run", "--scenario", "two-moons"], "", "two-moons"),
        (["run", "--host", "node09"], "", "node09"),
        (["run"], b"echo \xff\xfe\n", "utf-8"),
        (["run", "--json"], "not json", "-: "),
        (["run", "--json"], '{"cmd": "ls"}', "must be a JSON array of command strings"),
        (["run", "--json"], '["ls", 5]', "must be a JSON array of command strings"),
        (["run"], "#! dance\n", "#! dance"),
        (["run"], "#! advance soon\n", "soon"),
        (["run"], "#! host node09\n", "node09"),
        (["run"], "#! fault earthquake\n", "earthquake"),
        (["run"], "#! fault power-off node09\n", "node09"),
        (["run"], "#! fault 'open\n", "No closing quotation"),
        (["run", "--settle", "forever"], "", "--settle"),
        (["transcript"], "not json", "transcript: "),
        (["transcript"], "[]", "transcript: "),
        (["transcript"], '{"env": "kube"}', "transcript: "),
        (["transcript"], '{"env": "kube", "steps": 3}', "transcript: "),
        (["transcript"], '{"env": "kube", "steps": ["ls"]}', "transcript: "),
        (["serve", "--listen", "6443x"], "", "--listen"),
        (["serve", "--listen", "127.0.0.1:99999"], "", "--listen"),
        (["serve", "--listen", "192.0.2.1:0"], "", "--listen 192.0.2.1:0: "),
        (["serve", "--listen", "127.0.0.1:0", "--kubeconfig", "/nowhere/config"], "", "--kubeconfig /nowhere/config: "),
        (["serve", "--speed", "0"], "", "--speed 0: "),
        (["serve", "--speed", "nan"], "", "--speed nan: "),
        (["serve", "--scenario", "two-moons"], "", "two-moons"),
        ([], "", "COMMAND"),
        (["sail"], "", "sail"),
    ],
    ids=lambda value: " ".join(value)[:40] if isinstance(value, list) else str(value)[:20],
)
def test_bad_input_is_refused_with_a_reason(simulator: Any, args: list[str], stdin: str | bytes, says: str) -> None:
    found = simulator(*args, stdin=stdin)
    assert found.code == 2
    assert found.out == ""
    assert says in found.err


def test_a_file_that_is_not_utf8(simulator: Any, tmp_path: Path) -> None:
    (tmp_path / "script").write_bytes(b"echo \xff\n")
    found = simulator("run", str(tmp_path / "script"))
    assert found.code == 2
    assert "utf-8" in found.err


def test_a_transcript_answers_step_by_step(simulator: Any) -> None:
    steps = [{"cmd": "echo hello"}, {"cmd": "ls /nope"}, {"cmd": "kubectl get ns default --no-headers -o name"}]
    found = simulator("transcript", stdin=json.dumps({"scenario": "x", "env": "kube", "steps": steps}))
    assert found.code == 0
    answers = json.loads(found.out)
    for answer in answers:  # of a world with an API server: what was written to etcd until it was quiet
        assert all(verb in ("CREATE", "UPDATE", "DELETE") and "/" in key for verb, key in answer.pop("changes"))
    assert answers[0] == {"stdout": "hello\n", "stderr": "", "code": 0}
    assert answers[1] == {"stdout": "", "stderr": "ls: cannot access '/nope': No such file or directory\n", "code": 2}
    assert answers[2]["stdout"] == "namespace/default\n"


def test_a_transcript_of_an_unknown_world_is_answered_with_empty_records(simulator: Any) -> None:
    found = simulator("transcript", stdin=json.dumps({"scenario": "x", "env": "moon", "steps": [{"cmd": "ls"}, {"cmd": "ls"}]}))
    assert (found.code, json.loads(found.out)) == (0, [{}, {}])
    assert "moon" in found.err


@pytest.mark.slow
def test_bench_prints_figures(simulator: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from simulator.headless import bench

    monkeypatch.setattr(bench, "_time", lambda work, runs: (work(), 0.001)[1])
    figures = json.loads(simulator("bench", "--json").out)
    assert {name for name in bench.TARGETS if not name.startswith("large_")} <= set(figures)  # those of --large take minutes
    assert 0 < figures["at_rest_bytes"] < 1_000_000
    assert figures["virtual_seconds_per_second"] > 1


def test_a_served_world_that_fails_ends_with_a_message(simulator: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(self: Sandbox, until: int) -> None:
        raise RuntimeError("the sea has gone")

    monkeypatch.setattr(Sandbox, "advance", fails)
    found = simulator("serve", "--listen", "127.0.0.1:0", "--kubeconfig", str(tmp_path / "config"))
    assert found.code == 1
    assert found.out.startswith("ready https://127.0.0.1:")
    assert found.err.startswith("python -m simulator serve: the world stopped: RuntimeError: the sea has gone")
    assert (tmp_path / "config").stat().st_mode & 0o777 == 0o600


@pytest.mark.xdist_group("processes")
def test_as_a_process_whatever_the_locale(tmp_path: Path) -> None:
    env = {"PATH": os.environ["PATH"], "LC_ALL": "C", "HOME": str(tmp_path)}
    found = subprocess.run(
        [sys.executable, "-m", "simulator", "run"],
        cwd=ROOT,
        env=env,
        input="echo 안녕\n".encode(),
        capture_output=True,
        timeout=300,
        check=False,
    )
    assert (found.returncode, found.stderr) == (0, b"")
    assert found.stdout.decode() == "controlplane:~$ echo 안녕\n안녕\n"
