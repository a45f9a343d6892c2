"""Preferences of kubectl: `kubectl kuberc`, aliases and default flags; and standard input under its name."""

from __future__ import annotations

import pytest

from simulator.core.sandbox import Sandbox


@pytest.fixture(scope="module")
def world() -> bytes:
    return Sandbox.boot("one-node", 1).snapshot()


@pytest.fixture
def box(world: bytes) -> Sandbox:
    return Sandbox.restore(world)


def write(box: Sandbox, text: str) -> None:
    assert box.run(f"mkdir -p ~/.kube; printf '{text}' > ~/.kube/kuberc").code == 0


HEAD = "apiVersion: kubectl.config.k8s.io/v1beta1\\nkind: Preference\\n"


def test_an_alias_is_its_command_with_its_flags_and_arguments(box: Sandbox) -> None:
    set_alias = "kubectl kuberc set --section aliases --name getn --command get --prependarg nodes --option output=name"
    assert box.run(set_alias).stdout == "Updated /root/.kube/kuberc\n"
    assert box.run("kubectl getn").stdout == "node/controlplane\n"
    assert box.run("kubectl getn -o jsonpath='{.items[*].kind}'").stdout == "Node"
    assert box.run("KUBERC=off kubectl getn").stderr.startswith('error: unknown command "getn" for "kubectl"')
    again = box.run(set_alias)
    assert (again.code, again.stderr) == (1, 'error: alias "getn" already exists, use --overwrite to replace\n')
    assert box.run(set_alias.replace("nodes", "ns") + " --overwrite").code == 0
    assert "namespace/default" in box.run("kubectl getn").stdout
    write(box, HEAD + "aliases:\\n- {name: mk, command: create cm, appendArgs: [made, --from-literal=a=b]}\\n")
    assert box.run("kubectl mk").stdout == "configmap/made created\n"


def test_a_default_stands_where_the_flag_is_not_typed(box: Sandbox) -> None:
    write(box, HEAD + "defaults:\\n- {command: get, options: [{name: output, default: name}]}\\n")
    assert box.run("kubectl get ns default").stdout == "namespace/default\n"
    assert box.run("kubectl get ns default -ojsonpath={.kind}").stdout == "Namespace"
    assert box.run("kubectl get ns default --kuberc /dev/null").stdout.startswith("NAME ")
    write(box, HEAD.replace("v1beta1", "v1alpha1") + "overrides:\\n- {command: get, flags: [{name: output, default: name}]}\\n")
    assert box.run("kubectl get ns default").stdout == "namespace/default\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("defaults:\\n- {command: get, options: [{name: nope, default: x}]}\\n", "invalid flag nope for command get"),
        ("defaults:\\n- {command: get, options: [{name: watch, default: x}]}\\n",
         'could not apply override value x to flag watch in command get err: strconv.ParseBool: parsing "x": invalid syntax'),
        ("defaults:\\n- {command: get, options: [{name: --output, default: x}]}\\n", "flag name --output should be in long form without dashes"),
        ("aliases:\\n- {name: get2, command: get}\\n", "invalid alias name, can only include alphabetical characters"),
        ("aliases:\\n- {name: a, command: get}\\n- {name: a, command: get}\\n", "duplicate alias name a"),
    ],
)  # fmt: skip
def test_wrong_preferences_stop_every_command(box: Sandbox, text: str, said: str) -> None:
    write(box, HEAD + text)
    done = box.run("kubectl get ns")
    assert (done.code, done.stdout, done.stderr) == (1, "", f"error occurred while applying preferences {said}\n")


def test_view_offers_a_file_and_shows_it(box: Sandbox) -> None:
    assert box.run("kubectl kuberc view < /dev/null").stdout.startswith("kuberc file not found at /root/.kube/kuberc\n")
    assert box.run("echo y | kubectl kuberc view").stdout.endswith("Updated /root/.kube/kuberc\n")
    assert box.run("kubectl kuberc view -o jsonpath='{.defaults[*].command} {.aliases}'").stdout == "apply delete []"
    gone = box.run("kubectl kuberc view --kuberc /nope")
    why = "kuberc error kuberc: open /nope: no such file or directory"
    assert (gone.code, gone.stderr) == (1, f"error occurred while applying preferences {why}\n")


def test_standard_input_has_a_name(box: Sandbox) -> None:
    box.run("kubectl create cm conf; kubectl create deploy web --image=nginx")
    assert box.run("kubectl patch cm conf --patch-file=/dev/stdin <<< 'data: {a: b}'").stdout == "configmap/conf patched\n"
    assert box.run("echo hello | kubectl create cm two --from-file=x=/dev/stdin").code == 0
    assert box.run("kubectl get cm two -o jsonpath='{.data.x}'").stdout == "hello\n"
    assert box.run("printf 'K=v # a comment\\n' | kubectl set env deploy/web -").stdout == "deployment.apps/web env updated\n"
    assert box.run("kubectl set env deploy/web --list").stdout == "# Deployment web, container nginx\nK=v \n"
