"""The page's editor inside the world: what a terminal's shell may read and write, editors that are taken over, outlines of the API."""

from __future__ import annotations

from functools import cache
from typing import Any

import orjson
import pytest

from simulator import frames
from simulator.core.kernel.errors import BadInput
from simulator.core.sandbox import Sandbox
from simulator.core.shell import filepane

T = "controlplane"
MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: sea\ndata:\n  depth: '3'\n"


@cache
def image() -> bytes:
    """A world with a user who is not root, files that are hard to edit, and a custom resource."""
    sandbox = Sandbox.boot("three-nodes", 1)
    for command in (
        "useradd -m ada; printf 'caf\\351\\n' > latin; printf 'a\\0b' > nul; head -c 60000 /dev/zero | tr '\\0' x > long; printf 'a\\r\\nb\\r\\n' > dos",
        "echo secret > /root/mine; chmod 600 /root/mine; chmod 755 /root; echo all > /tmp/all; chmod 666 /tmp/all; ln -s /tmp/all link",
        "kubectl create configmap sea --from-literal=depth=1",
        "kubectl apply -f - <<'E'\napiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: boats.sea.example}\n"
        "spec:\n  group: sea.example\n  scope: Namespaced\n  names: {plural: boats, singular: boat, kind: Boat}\n  versions:\n"
        "  - name: v1\n    served: true\n    storage: true\n    schema:\n      openAPIV3Schema:\n        type: object\n        properties:\n"
        "          spec:\n            type: object\n            required: [sails]\n            properties:\n"
        "              sails: {type: integer, description: How many.}\n              rig: {type: string, enum: [sloop, ketch]}\nE\n",
    ):
        assert sandbox.run(command).code == 0, command
    sandbox.settle(5_000_000_000)
    sandbox.drain_trace()
    return sandbox.snapshot()


@pytest.fixture
def sandbox() -> Sandbox:
    return Sandbox.restore(image())


def typed(sandbox: Sandbox, *lines: str) -> str:
    """The output of lines."""
    sandbox.drain()
    for line in lines:
        sandbox.apply("line", {"terminal": T, "text": line}, sandbox.now)
        sandbox.advance(sandbox.now + 1_000_000_000)
    return "".join(chunk.data for chunk in sandbox.drain() if chunk.fd)


def saved(sandbox: Sandbox, path: str, text: str, **more: Any) -> tuple[str, dict[str, Any]]:
    """How a save went, as the trace tells it."""
    sandbox.drain_trace()
    sandbox.apply("save", {"terminal": T, "path": path, "text": text, **more}, sandbox.now)
    event = next(e for e in sandbox.drain_trace() if e.action in ("saved", "unsaved"))
    return event.action, event.detail or {}


def test_a_new_file_is_written_where_the_shell_stands(sandbox: Sandbox) -> None:
    typed(sandbox, "mkdir -p work && cd work && umask 077")
    found = sandbox.file(T, "map.yaml")
    assert (found["path"], found["fresh"], found["text"], found["cwd"]) == ("/root/work/map.yaml", True, "", "/root/work")
    how, detail = saved(sandbox, "map.yaml", MAP)
    assert how == "saved" and detail["bytes"] == len(MAP) and detail["user"] == "root"
    assert typed(sandbox, "ls -l map.yaml; cat map.yaml").endswith(MAP)
    assert sandbox.file(T, "~/work/map.yaml")["version"] == detail["version"]
    assert "configmap/sea configured" in typed(sandbox, "kubectl apply -f map.yaml")
    assert typed(sandbox, "stat -c %a map.yaml").strip() == "600"


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("/etc", "directory"), ("/no/such/file", "missing"), ("latin", "encoding"), ("nul", "binary"), ("/usr/bin/kubectl", "binary"),
        ("long", "large"), ("/proc/uptime", "special"), ("/etc/hostname/x", "missing"),
    ],
)  # fmt: skip
def test_what_no_editor_opens_says_why(sandbox: Sandbox, path: str, why: str) -> None:
    found = sandbox.file(T, path)
    assert found["why"] == why and "text" not in found


def test_looking_changes_nothing(sandbox: Sandbox) -> None:
    before = sandbox.snapshot()
    for path in ("dos", "link", "nope", "/etc", ""):
        sandbox.file(T, path)
    sandbox.outline(), sandbox.outline("apps/v1", "Deployment"), sandbox.outline("sea.example/v1", "Boat", "spec.sails")
    assert sandbox.snapshot() == before
    assert sandbox.file(T, "dos")["text"] == "a\r\nb\r\n"
    assert sandbox.file(T, "link")["text"] == "all\n"


def test_the_rights_are_those_of_the_shell_and_sudo_is_asked_for(sandbox: Sandbox) -> None:
    typed(sandbox, "su - ada")
    assert sandbox.file(T, "/root/mine")["why"] == "denied"
    found = sandbox.file(T, "/etc/hosts")
    assert found["user"] == "ada" and not found["writable"] and found["sudo"]
    how, detail = saved(sandbox, "/etc/hosts", "x\n", was=found["version"])
    assert (how, detail["why"], detail["message"]) == ("unsaved", "refused", "tee: /etc/hosts: Permission denied")
    how, detail = saved(sandbox, "/etc/hosts", "x\n", was=found["version"], sudo=True)
    assert how == "unsaved" and "is not in the sudoers file" in detail["message"]
    typed(sandbox, "exit", "usermod -aG sudo ada", "su - ada")
    assert saved(sandbox, "/etc/hosts", found["text"] + "10.0.0.9 x\n", was=found["version"], sudo=True)[0] == "saved"
    assert "10.0.0.9 x" in typed(sandbox, "tail -1 /etc/hosts")
    assert saved(sandbox, "/tmp/all", "mine\n", was=filepane.version(b"all\n"))[0] == "saved"


def test_a_file_that_changed_meanwhile_is_not_overwritten_unasked(sandbox: Sandbox) -> None:
    was = sandbox.file(T, "/tmp/all")["version"]
    typed(sandbox, "echo other > /tmp/all")
    assert saved(sandbox, "/tmp/all", "mine\n", was=was)[1]["why"] == "changed"
    assert saved(sandbox, "/tmp/all", "mine\n")[1]["why"] == "changed"  # it is not new either
    assert sandbox.file(T, "/tmp/all")["text"] == "other\n"
    assert saved(sandbox, "/tmp/all", "mine\n", was=filepane.ANYTHING)[0] == "saved"
    typed(sandbox, "rm /tmp/all")
    assert saved(sandbox, "/tmp/all", "mine\n", was=was)[1]["why"] == "changed"


@pytest.mark.parametrize(("editor", "keys"), [("vi", "Ounsaved\x1b"), ("nano", "unsaved\r"), ("vi", "Ounsaved")])
def test_an_editor_on_the_screen_is_taken_over_with_what_was_typed(sandbox: Sandbox, editor: str, keys: str) -> None:
    typed(sandbox, f"export KUBE_EDITOR={editor}", "kubectl edit configmap sea")
    view = sandbox.terminals()[T]
    assert view.raw and view.editing.startswith("/tmp/kubectl-edit-")
    sandbox.apply("keys", {"terminal": T, "data": keys}, sandbox.now)
    found = sandbox.file(T, "", taken=True)
    assert (found["editor"], found["by"], found["path"]) == (editor, "kubectl edit configmap sea", view.editing)
    assert found["text"].startswith("unsaved\n")
    text = found["text"].replace("unsaved\n", "").replace('depth: "1"', 'depth: "한국어"')
    assert saved(sandbox, found["path"], text, was="old", taken=True)[1]["why"] == "changed"
    how, detail = saved(sandbox, found["path"], text, was=found["version"], taken=True)
    assert how == "saved" and sandbox.terminals()[T].editing == found["path"]  # written, and still open
    assert sandbox.file(T, "", taken=True)["version"] == detail["version"]
    text = text.replace("한국어", "깊다")
    assert saved(sandbox, found["path"], text, was=detail["version"], taken=True, leave=True)[0] == "saved"
    sandbox.advance(sandbox.now + 1_000_000_000)
    assert "configmap/sea edited" in "".join(chunk.data for chunk in sandbox.drain())
    assert typed(sandbox, "kubectl get cm sea -o jsonpath={.data.depth}") == "깊다"
    assert sandbox.file(T, "", taken=True)["why"] == "gone"
    assert saved(sandbox, found["path"], text, was="*", taken=True)[1]["why"] == "gone"


def test_an_editor_that_may_not_write_says_so_itself(sandbox: Sandbox) -> None:
    typed(sandbox, "su - ada", "view /etc/hosts")
    found = sandbox.file(T, "", taken=True)
    how, detail = saved(sandbox, "/etc/hosts", "x\n", was=found["version"], taken=True, leave=True)
    assert (how, detail["message"]) == ("unsaved", "E45: 'readonly' option is set (add ! to override)")
    assert sandbox.terminals()[T].editing == "/etc/hosts"


def test_a_save_is_played_again_like_any_input(sandbox: Sandbox) -> None:
    twin = Sandbox.restore(image())
    for one in (sandbox, twin):
        typed(one, "vi f")
        for row in (
            {"path": "/root/f", "text": "a\n", "was": filepane.version(b""), "taken": True, "leave": True},
            {"path": "/etc/kubernetes/manifests/kube-scheduler.yaml", "text": "nonsense: [", "was": "*"},
        ):
            one.apply("save", {"terminal": T, **row}, one.now)
        one.advance(one.now + 20_000_000_000)
    assert sandbox.digest() == twin.digest()
    assert sandbox.fork().digest() == sandbox.digest()
    assert typed(sandbox, "cat f") == "a\n"
    gone = typed(sandbox, "crictl ps --name kube-scheduler -q")
    assert gone == "", gone  # the kubelet has seen the manifest change


def test_bad_rows_and_machines_that_are_off(sandbox: Sandbox) -> None:
    assert frames.TEXT_LIMIT == filepane.TEXT_LIMIT
    for row in (
        {"path": ""},
        {"path": "a\nb"},
        {"text": "x" * (filepane.TEXT_LIMIT + 1)},
        {"text": 3},
        {"more": 1},
        {"terminal": "no"},
    ):
        with pytest.raises(BadInput):
            sandbox.apply("save", {"terminal": T, "path": "f", "text": "", **row}, sandbox.now)
    with pytest.raises(BadInput):
        sandbox.file("no", "f")
    sandbox.apply("fault", {"name": "power-off", "args": ["node01"]}, sandbox.now)
    assert sandbox.file("node01", "/etc/hosts")["why"] == "off"
    sandbox.apply("save", {"terminal": "node01", "path": "/f", "text": ""}, sandbox.now)
    assert [(e.detail or {})["why"] for e in sandbox.drain_trace() if e.action == "unsaved"] == ["off"]


def test_outlines_are_those_of_the_worlds_api(sandbox: Sandbox) -> None:
    kinds = sandbox.outline()["kinds"]
    assert ["apps/v1", "Deployment"] in kinds and ["sea.example/v1", "Boat"] in kinds
    deployment = sandbox.outline("apps/v1", "Deployment")
    assert len(orjson.dumps(deployment)) < 64_000
    spec = deployment["schemas"]["io.k8s.api.apps.v1.DeploymentSpec"]
    assert spec["required"] == ["selector", "template"] and "description" not in spec["properties"]["replicas"]
    assert spec["properties"]["template"] == {"$ref": "io.k8s.api.core.v1.PodTemplateSpec"}
    boat = sandbox.outline("sea.example/v1", "Boat")
    assert boat["schemas"][boat["root"]]["properties"]["spec"]["properties"]["rig"]["enum"] == ["sloop", "ketch"]
    assert sandbox.outline("sea.example/v1", "Boat", "spec.sails") == {
        "type": "integer",
        "text": "How many.",
        "enum": [],
        "required": True,
    }
    policy = sandbox.outline("v1", "Pod", "spec.containers.imagePullPolicy")
    assert policy["enum"] == ["Always", "IfNotPresent", "Never"]
    assert sandbox.outline("v1", "Pod", "spec.containers")["type"] == "[]Container"
    assert sandbox.outline("v1", "Nope") == {} == sandbox.outline("v1", "Pod", "spec.nope")
    # with the API server away, what the release itself has
    typed(sandbox, "mv /etc/kubernetes/manifests/kube-apiserver.yaml /root/")
    sandbox.advance(sandbox.now + 40_000_000_000)
    assert sandbox.outline("v1", "Pod")["root"] == "io.k8s.api.core.v1.Pod" and sandbox.outline("sea.example/v1", "Boat") == {}
