"""Reading scenarios of both platforms: index, assets, Markdown actions, quizzes, and everything that may be wrong with them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from simulator.core.kernel.errors import BadInput
from simulator.katacoda import actions, answers, assets, images, package, quizzes
from simulator.katacoda.actions import COPY, EXEC, FENCE, FILE
from simulator.katacoda.files import Folder
from simulator.katacoda.player import Player, dialect

OURS = Path(__file__).parent / "scenarios"


def read(folder: Path, index: str = "index.json") -> package.Scenario:
    """The scenario in a folder."""
    return package.read(Folder(folder), index)


def write(folder: Path, data: object, **files: str) -> Path:
    """A scenario's folder with these files."""
    (folder / "index.json").write_text(data if isinstance(data, str) else json.dumps(data))
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(text)
    return folder


def test_a_killercoda_index_is_read_whole() -> None:
    """Every part of our own scenario arrives."""
    found = read(OURS / "harbour")
    assert (found.title, found.difficulty, found.time, found.image) == (
        "The harbour",
        "beginner",
        "10 minutes",
        "kubernetes-kubeadm-2nodes",
    )
    assert [step.name for step in found.pages()] == ["intro", "step1", "step2", "finish"]
    assert found.intro and (found.intro.background, found.intro.foreground) == ("prepare.sh", "wait.sh")
    assert [a.host for a in found.assets] == ["controlplane", "controlplane", "node01"]
    assert not found.notes


def test_katacodas_names_of_keys_are_understood_and_what_is_amiss_is_told_with_its_line() -> None:
    """`courseData`, `code`, terminals; an unknown key and a missing file are notes."""
    found = read(OURS / "quay")
    assert found.intro and found.intro.background == "env-init.sh"
    assert found.steps[1].foreground == "step2.sh" and found.steps[1].verify == ""
    assert found.port == 80 and found.katacoda and found.terminals[0]["command"] == "uptime"
    said = [str(note) for note in found.notes]
    assert any(s.startswith("index.json:10:") and "missing.sh does not exist" in s for s in said)
    assert any(s.startswith("index.json:17:") and "extra: unknown key" in s for s in said)


def test_yaml_indexes_and_courses(tmp_path: Path) -> None:
    """index.yaml, a structure.json and a pathway name scenarios in order."""
    for name in ("b", "a"):
        (tmp_path / name).mkdir()
    (tmp_path / "a" / "index.yaml").write_text("title: A\nbackend: {imageid: ubuntu}\n")
    write(tmp_path / "b", {"title": "B", "backend": {"imageid": "ubuntu"}})
    (tmp_path / "structure.json").write_text(
        '{"title": "All", "items": [{"path": "b", "title": "Bee"}, {"path": "a"}, {"path": "gone"}]}'
    )
    (tmp_path / "x-pathway.json").write_text('{"title": "Way", "courses": [{"course_id": "a"}]}')
    folder = Folder(tmp_path)
    found, notes = package.courses(folder)
    assert [(c.title, c.scenarios) for c in found] == [("All", ["b", "a"]), ("Way", ["a"])]
    assert found[0].titles == {"b": "Bee"}
    assert [str(n) for n in notes] == ["structure.json: gone: no such scenario here; left out"]
    assert package.read(folder, "a/index.yaml").title == "A"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "index.json:1:2"),
        ("[1]", "must be a mapping, is list"),
        ('{"details": 3}', "details: must be a mapping"),
    ],
)
def test_what_is_no_scenario_is_refused_with_its_place(tmp_path: Path, text: str, said: str) -> None:
    """The message names file, line and field."""
    with pytest.raises(BadInput, match=said.replace("(", r"\(")):
        read(write(tmp_path, text))


def test_paths_out_of_the_scenario_and_links_are_refused(tmp_path: Path) -> None:
    """Nothing outside the folder is read."""
    secret = tmp_path / "secret"
    secret.write_text("no")
    inside = tmp_path / "scenario"
    inside.mkdir()
    (inside / "link.md").symlink_to(secret)
    found = read(
        write(
            inside,
            {"title": "T", "details": {"steps": [{"text": "../secret"}, {"text": "link.md"}]}, "backend": {"imageid": "ubuntu"}},
        )
    )
    assert [step.text for step in found.steps] == ["", ""]
    said = [note.text for note in found.notes]
    assert any("lies outside the scenario" in s for s in said) and any("not followed" in s for s in said)
    with pytest.raises(BadInput, match="not followed"):
        Folder(inside).read("link.md")


def test_actions_of_both_dialects() -> None:
    """What is clicked, copied, written; with lines, terminals, hosts; what is only shown is not an action."""
    text = (OURS / "harbour" / "first" / "text.md").read_text()
    found = actions.parse(text)
    runs = [a for a in found if a.kind == EXEC]
    assert [a.text.split("\n")[0] for a in runs] == [
        "crane.sh $BERTH", "pwd", "kubectl apply -f /root/harbour/crane.yaml", "ssh node01 cat /root/berth.txt", "kubectl -n harbour get pods -w",
    ]  # fmt: skip
    assert [a.line for a in runs] == [1, 1, 4, 11, 14]
    assert runs[3].interrupt and not runs[2].interrupt
    assert [a.text for a in found if a.kind == COPY] == ["copy me"]
    quay = actions.parse((OURS / "quay" / "step1.md").read_text())
    assert [(a.filename, a.target) for a in quay if a.kind == FILE] == [("quay.conf", "replace"), ("quay.conf", "insert")]
    assert quay[0].text == 'name="quay"\n#ROPES\n'
    assert [(a.terminal, a.host) for a in quay if a.kind == EXEC] == [("", ""), ("T2", ""), ("", "host1")]


def test_fences_of_go_templates_are_no_actions_and_fences_may_nest_in_lists() -> None:
    """`{{.Name}}` is not `{{exec}}`; the indent of a list is taken off; the action may stand on the line below."""
    text = "- item\n\n    ```sh\n    a {{.Name}}\n      b\n    ```{{execute T3}}\n\n`docker ps --format {{.Names}}`\n\n~~~\nc\n~~~\n{{copy}}\n"
    found = actions.parse(text)
    assert [(a.kind, a.text) for a in found] == [(EXEC, "a {{.Name}}\n  b"), (COPY, "c")]
    assert found[0].terminal == "T3"


def test_solutions_are_found_without_the_output_that_is_shown_below_them() -> None:
    """Commands and manifests of <details>; tables and blanks are not typed."""
    found = answers.of_page(actions.parse((OURS / "harbour" / "second" / "text.md").read_text()))
    assert [a.kind for a in found] == [EXEC, FILE, EXEC]
    assert found[1].target == "apply"
    assert found[2].text.split("\n") == ["kubectl -n harbour get pods", "", "kubectl -n harbour logs <pod-name>"]
    assert (
        answers.blank(found[2].text) == "<pod-name>"
        and answers.blank("cat <<EOF\n<a>\nEOF") == ""
        and answers.blank("a < b > c") == ""
    )
    assert answers.commands("$ ls\nfile\n$ pwd", "console") == "ls\npwd"
    assert answers.commands("key: value", "yaml") == "" and answers.commands("NAME READY", "") == ""


def test_a_manifest_goes_to_the_file_that_the_next_command_names() -> None:
    """`kubectl apply -f web.yaml` after a manifest means that file."""
    text = "```yaml\napiVersion: v1\nkind: Pod\n```\n\n```\nkubectl apply -f web.yaml\n```\n"
    found = answers.of_page(actions.parse(text))
    assert (found[0].filename, found[0].marker) == ("web.yaml", "")
    assert [a.kind for a in actions.parse(text)] == [FENCE, FENCE]


def test_quizzes() -> None:
    """All four kinds; one without a right answer is told with its line."""
    found, notes = quizzes.parse((OURS / "quay" / "step1.md").read_text(), "step1.md")
    assert [q.kind for q in found] == ["exact", "contains", "several", "one"]
    assert found[0].accepts("rope") and not found[0].accepts("ropes")
    assert found[1].accepts("a ship it is") and found[2].accepts(["bollard", "crane"]) and not found[2].accepts(["crane"])
    assert [str(n) for n in notes] == ["step1.md:26: quiz 'Q5: nothing right': no right answer; left out"]


def test_assets_globs_and_modes() -> None:
    """Globs keep folders from the first wildcard on; names do not."""
    names = ["conf.yaml", "app1/a.json", "app1/etc/b.json", "app2/c.txt", "run.sh"]
    assert assets.select(names, "conf.yaml") == [("conf.yaml", "conf.yaml")]
    assert [n for n, _ in assets.select(names, "*")] == ["conf.yaml", "run.sh"]
    assert len(assets.select(names, "**")) == 5 and len(assets.select(names, "**/*.json")) == 2
    assert assets.select(names, "app1/**/*.json") == [("app1/a.json", "a.json"), ("app1/etc/b.json", "etc/b.json")]
    assert assets.select(names, "app?/*.txt") == [("app2/c.txt", "app2/c.txt")]
    assert assets.select(names, "nothing") == []
    assert [oct(assets.mode_of(c)) for c in ("+x", "600", "u+x", "go-r", "a=rw")] == ["0o755", "0o600", "0o744", "0o600", "0o666"]
    with pytest.raises(ValueError, match="cannot be read"):
        assets.mode_of("executable")


@pytest.mark.parametrize(
    ("image", "world", "remark"),
    [
        ("kubernetes-kubeadm-1node", "playground-1node", ""),
        ("kubernetes-kubeadm-2nodes-rapid", "playground-2nodes", ""),
        ("kubernetes-k3s-1node", "playground-1node", "K3s"),
        ("kubernetes-cluster-running:1.18", "playground-2nodes", ""),
        ("ubuntu", "playground-ubuntu", ""),
        ("nodejs:12", "playground-ubuntu", "nodejs:12 is not simulated"),
    ],
)
def test_images(image: str, world: str, remark: str) -> None:
    """Which world stands for an image."""
    found = images.find(image)
    assert found.scenario == world and remark in found.remark and bool(remark) == bool(found.remark)


@pytest.mark.parametrize(
    ("text", "there"),
    [
        ("docker run -d nginx", True),
        ("first\n  sudo docker build -t a .", True),
        ("We compare it with docker run in words", False),
        ("curl -fsSL https://get.docker.com | sh\ndocker ps", False),
        ("apt-get install -y docker.io\ndocker ps", False),
        ("kubectl get pods", False),
    ],
)
def test_docker_beside_a_cluster(text: str, there: bool) -> None:
    """A cluster's machines have Docker where a scenario uses it and does not install it itself."""
    assert images.of("kubernetes-kubeadm-1node", [text]).docker is there
    assert not images.of("ubuntu", [text]).docker
    old = images.of("ubuntu", ["docker-compose up -d"])
    assert old.compose and old.installs == [images.INSTALL_COMPOSE]
    assert not images.of("ubuntu", ["apt install docker-compose", "docker-compose up"]).compose


def test_dialects_of_verify_scripts() -> None:
    """A script that says done is judged by that; every other one by its status."""
    assert [dialect(t) for t in ('[ -f /a ] && echo "done"', "echo done", "if x; then echo 'done'; fi", "for a in b; do c; done", "echo done: ok")] == [
        "done", "done", "done", "exit", "exit",
    ]  # fmt: skip


def test_a_block_goes_into_the_file_that_the_line_before_it_names() -> None:
    """Among a page's solution: created, added to, and not where the block is a command or the line names no file."""
    text = (
        "<details>\n\nAdd this line to the `/root/Dockerfile`:\n\n```plain\nCOPY a /app\n```\n\nCreate the file `~/x.conf`:\n```\nn=1\n```\n\n"
        "Look at `/etc/hosts`:\n```\n1.2.3.4 a\n```\n\nCreate `/root/d`:\n```bash\nmkdir /root/d\n```\n</details>\n"
    )
    found = answers.of_page(actions.parse(text))
    assert [(one.kind, one.filename, one.target, one.text) for one in found] == [
        ("file", "/root/Dockerfile", "append", "COPY a /app\n"),
        ("file", "~/x.conf", "replace", "n=1\n"),
        ("exec", "", "", "mkdir /root/d"),
    ]


def test_a_repositorys_own_files_answer_at_their_raw_addresses(tmp_path: Path) -> None:
    """Also in a folder of the repository, and in the copy in which a verify script is tried first; others stay not found."""
    (tmp_path / "a" / "k8s").mkdir(parents=True)
    (tmp_path / "a" / "k8s" / "ns.yaml").write_text("apiVersion: v1\nkind: Namespace\nmetadata: {name: raw}\n")
    (tmp_path / "a" / "step.md").write_text(
        "`kubectl apply -f https://raw.githubusercontent.com/o/r/main/labs/a/k8s/ns.yaml`{{exec}}\n"
    )
    (tmp_path / "a" / "verify.sh").write_text(
        "curl -fsS https://raw.githubusercontent.com/o/r/refs/heads/main/a/k8s/ns.yaml && kubectl get ns raw\n"
    )
    index = {
        "title": "t",
        "details": {"steps": [{"text": "step.md", "verify": "verify.sh"}]},
        "backend": {"dockerimage": "minikube-running:1.20"},
    }
    (tmp_path / "a" / "index.json").write_text(json.dumps(index))
    folder = Folder(tmp_path)
    report = Player(folder, package.read(folder, "a/index.json")).play()
    assert report.world == "playground-1node" and report.passed and report.steps[0].verify is not None
    assert report.steps[0].verify.before is False
    assert any("answers with a/k8s/ns.yaml of this tree" in str(note) for note in report.notes)


def test_a_page_sends_the_reader_to_a_hosts_terminal() -> None:
    """By its tab, in several languages; other words about tabs and hosts send nobody anywhere."""
    from simulator.katacoda.player import tabs

    two = ("controlplane", "node01")
    text = "Open a tab in your browser.\n> Bascule sur l'onglet **`node01`** pour cette étape.\nthe node node01\nIn the **controlplane** tab\nthe `web` tab\n"
    assert tabs(text, two) == [(2, "node01"), (4, "controlplane")]
    assert tabs(text, ("controlplane",)) == []


def test_a_manifest_among_commands_is_a_file() -> None:
    """Named by a comment, an editor's command or its use; applied when nothing names it; here-documents stay whole."""
    manifest = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: x\n"
    assert answers.parts(f"ls\n# pod.yaml\n{manifest}\n# then\nkubectl apply -f pod.yaml") == [
        ("ls", ""),
        (manifest, "pod.yaml"),
        ("# then\nkubectl apply -f pod.yaml", ""),
    ]
    assert answers.parts(f"vi a/b.yaml\n{manifest}") == [(manifest, "a/b.yaml")]
    assert answers.parts(f"{manifest}kubectl create -f q.yml")[0] == (manifest, "q.yml")
    assert answers.parts(manifest) == [(manifest, "apply")]
    here = f"cat <<EOF | kubectl apply -f -\n{manifest}EOF\nls"
    assert answers.parts(here) == [(here, "")]


@pytest.mark.parametrize(
    ("block", "typed"),
    [
        ("ls -ld /tmp\ndrwxrwxrwt 14 root root 4096 /tmp", "ls -ld /tmp"),
        ("root# umask\n0022\njoe$ umask", "umask\numask"),
        ("production\ns3cr3t", ""),
        ("kubectl get nodes\n\n1949056 Ki / 1024\nCapacity, this is it\nheavy pods:", "kubectl get nodes\n"),
        ("ExecStart=/usr/bin/dockerd -H fd://", ""),
        ("A=1\nmytool --flag value", "A=1\nmytool --flag value"),
    ],
)
def test_output_below_commands_is_not_typed(block: str, typed: str) -> None:
    """What authors show below their commands is told from them."""
    assert answers.commands(block, "bash") == typed


def test_a_plain_machine_whose_pages_use_kubectl_has_a_cluster() -> None:
    """Unless they make one with kubeadm; a mention in words is no use."""
    from simulator.katacoda import images

    assert images.of("ubuntu", ["Now: `kubectl get pods`{{exec}}"]).scenario == "playground-1node"
    assert "kubectl" in images.of("ubuntu-4GB", ["kubectl apply -f x.yaml"]).remark
    for text in ("kubeadm init\nkubectl get nodes", "we install kubectl first", "kubectl version --client"):
        assert images.of("ubuntu", [text]).scenario == "playground-ubuntu"
