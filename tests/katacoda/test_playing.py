"""`python -m simulator katacoda`: our own scenarios in both dialects, played from the first page to the last."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from simulator.headless.main import main

OURS = Path(__file__).parent / "scenarios"


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Both scenarios with their answers, as JSON."""
    import contextlib
    import io

    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        code = main(["katacoda", str(OURS), "--answers", "--json"])
    found: dict[str, Any] = json.loads(out.getvalue())
    found["code"] = code
    return found


def steps(played: dict[str, Any], number: int) -> dict[str, Any]:
    """The pages of a scenario by name."""
    return {page["name"]: page for page in played["scenarios"][number]["steps"]}


def test_scenarios_come_in_the_order_of_their_course(played: dict[str, Any]) -> None:
    """structure.json gives the order; a failure in one is in the exit status."""
    assert [s["scenario"] for s in played["scenarios"]] == ["harbour", "quay"]
    assert played["scenarios"][0]["passed"] and not played["scenarios"][1]["passed"]
    assert played["code"] == 1
    assert played["summary"]["verifies"] == played["summary"]["verifies_passed"] == 3


def test_a_killercoda_scenario_passes(played: dict[str, Any]) -> None:
    """Scripts, assets, watched commands, another machine, solutions, verify by exit status."""
    pages = steps(played, 0)
    assert [s["text"] for s in pages["intro"]["scripts"]] == ["background", "foreground"]
    assert "The harbour is open" in pages["intro"]["scripts"][1]["output"]
    first = pages["step1"]["commands"]
    assert [c["status"] for c in first[:4]] == [0, 0, 0, 0]
    assert first[0]["output"] == "crane at berth 7\n" and first[1]["output"] == "/tmp\n"
    assert "successfully rolled out" in first[2]["output"] and first[3]["output"] == "berth seven\n"
    assert first[4]["state"] == "running" and first[4]["output"].count("Running") == 2
    assert pages["step1"]["verify"]["passed"] and pages["step2"]["verify"]["passed"]
    assert pages["step2"]["commands"][-1]["state"] == "skipped"


def test_a_katacoda_scenario_says_what_is_not_there(played: dict[str, Any]) -> None:
    """Files of the editor, terminals, interrupts, verify by the word, an unknown command."""
    pages = steps(played, 1)
    first = pages["step1"]["commands"]
    assert first[2]["output"] == 'name="quay"\nropes=4\n'
    assert first[3]["output"] == "172.30.1.2\n" and first[3]["terminal"] == "ubuntu-t2"
    assert first[4]["output"] == "ubuntu\n"
    assert pages["step1"]["verify"] == {
        "passed": True, "status": 0, "dialect": "done", "tries": 1, "output": "done\n", "not_simulated": [], "missing": [], "before": False,
        "early": False,
    }  # fmt: skip
    assert len(pages["step1"]["quizzes"]) == 4
    second = pages["step2"]["commands"]
    assert [c["state"] for c in second[:3]] == ["done", "running", "done"] and second[2]["output"] == "up\n"
    assert second[-1]["missing"] == ["podman-tui"] and not pages["step2"]["simulated"]


def test_without_answers_a_hidden_solution_is_not_typed(capsys: pytest.CaptureFixture[str]) -> None:
    """Only what can be clicked is; the text report names the failed verify script and its status is 1."""
    assert main(["katacoda", str(OURS / "harbour")]) == 1
    said = capsys.readouterr().out
    assert "verify: passed (status 0)" in said and "verify: FAILED at try 3 (status 1)" in said
    assert (
        "1 scenarios; 3 of 3 steps ran without anything that is not simulated (of those with kubectl and the shell alone 3 of 3); 1 of 2 verify scripts passed"
        in said
    )


def test_a_folder_without_scenarios_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Status 2 and one line that says what was looked for."""
    assert main(["katacoda", str(tmp_path)]) == 2
    assert "no index.json, index.yaml, index.yml in it or below" in capsys.readouterr().err
    assert main(["katacoda", str(tmp_path / "gone")]) == 2
    (tmp_path / "index.json").write_text("{]")
    assert main(["katacoda", str(tmp_path)]) == 2
    assert "index.json:1:2" in capsys.readouterr().err


def test_a_scenario_plays_the_same_every_time(played: dict[str, Any]) -> None:
    """The worlds are deterministic, and so is what was played in them."""
    import contextlib
    import io

    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        main(["katacoda", str(OURS / "quay"), "--answers", "--json"])
    again = json.loads(out.getvalue())["scenarios"][0]["steps"]
    assert again == played["scenarios"][1]["steps"]


def test_names_that_only_the_cluster_knows_are_looked_up(tmp_path: Path) -> None:
    """A pod's name with x in place of its end, the only pod, a node; a shell in a container is left; a plain machine with a kit has a cluster."""
    from simulator.katacoda import package
    from simulator.katacoda.files import Folder
    from simulator.katacoda.player import Player

    details = {"steps": [{"text": "one.md"}]}
    (tmp_path / "index.json").write_text(json.dumps({"title": "T", "details": details, "backend": {"imageid": "ubuntu"}}))
    lines = [
        "minikube start",
        "kubectl create deploy web --image=nginx && kubectl rollout status deploy/web",
        "kubectl get pod web-xxxxxxx-xxxxx -o name",
        "kubectl exec -it <pod-name> -- sh",
        "kubectl get pods <pod-name> -o name",
        "kubectl get node <node-name> -o name",
        "kubectl get secret <secret-name>",
    ]
    (tmp_path / "one.md").write_text("\n\n".join(f"`{line}`{{{{exec}}}}" for line in lines))
    folder = Folder(tmp_path)
    report = Player(folder, package.read(folder, "index.json")).play()
    assert report.world == "playground-1node" and any("minikube is played" in note.text for note in report.notes)
    commands = report.steps[0].commands
    assert [one.status for one in commands[:6]] == [0] * 6
    assert commands[2].output.startswith("pod/web-") and commands[2].output == commands[4].output
    assert commands[5].output == "node/controlplane\n"
    assert commands[6].state == "skipped"


def test_steps_of_other_programs_are_counted_apart(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A step that calls a program of another project is no kubectl-and-shell step; what is typed at its prompt is not for the shell."""
    steps = [{"text": "one.md"}, {"text": "two.md"}, {"text": "three.md"}]
    (tmp_path / "index.json").write_text(json.dumps({"details": {"steps": steps}, "backend": {"imageid": "ubuntu"}}))
    (tmp_path / "one.md").write_text("`irb`{{exec}}\n\n`puts 1`{{exec}}\n\n`class Ship`{{exec}}\n")
    (tmp_path / "two.md").write_text("```\nputs 2\nexit\n```{{exec}}\n\n`echo ashore`{{exec}}\n")
    (tmp_path / "three.md").write_text("`$ echo afloat`{{exec}}\n")
    main(["katacoda", str(tmp_path), "--json"])
    found = json.loads(capsys.readouterr().out)
    one, two, three = found["scenarios"][0]["steps"]
    assert one["others"] == ["irb"] and one["commands"][0]["not_simulated"] + one["commands"][0]["missing"]
    assert [c["state"] for c in one["commands"][1:]] == ["skipped", "skipped"] and not one["commands"][1]["missing"]
    assert two["commands"][0]["state"] == "skipped" and two["commands"][1]["output"] == "ashore\n"
    assert three["commands"][0]["output"] == "afloat\n" and three["others"] == []
    counts = found["summary"]
    assert (
        counts["steps"],
        counts["steps_simulated"],
        counts["steps_kubectl_shell"],
        counts["steps_kubectl_shell_simulated"],
    ) == (3, 2, 1, 1)
    assert counts["steps_other_programs"] == {"irb": 2}


def test_which_programs_a_text_calls() -> None:
    """By the words of its commands, in containers too; not in here-documents, quotes and comments."""
    from simulator.katacoda import others

    assert others.called("sudo terraform init && X=$(aws s3 ls)\nkubectl exec -it db -- psql -U me\n# helm; istioctl") == [
        "terraform",
        "aws",
        "psql",
    ]
    assert others.called("cat <<EOF | kubectl apply -f -\nterraform\nEOF\necho 'argocd login'") == []
    asked = [
        "psql -h db",
        "psql -c 'x'",
        "python3",
        "python3 x.py",
        "docker exec -it c redis-cli",
        "redis-cli ping",
        "mysql < dump.sql",
    ]
    assert [others.prompt(line) for line in asked] == ["psql", "", "python3", "", "redis-cli", "", ""]
    assert others.split("docker exec -it c redis-cli\nSET a b") == ("docker exec -it c redis-cli", "redis-cli", "SET a b")
