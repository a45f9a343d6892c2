"""helm: releases in the cluster, charts and their templates, repositories."""

from __future__ import annotations

import json
from typing import Any

import pytest

from simulator.core.cli.helm import charts, engine, given, scaffold, sprig
from simulator.core.cli.kubectl.gotemplate_parse import TemplateError
from simulator.core.kernel.clock import SECOND
from simulator.core.kernel.world import World
from simulator.core.sandbox import Sandbox


@pytest.fixture(scope="module")
def image() -> bytes:
    return Sandbox.boot("three-nodes", 1).snapshot()


@pytest.fixture
def box(image: bytes) -> Sandbox:
    return Sandbox.restore(image)


def render(text: str, values: dict[str, Any] | None = None, more: dict[str, str] | None = None) -> str:
    """One template of a chart with these values."""
    raw = {
        "Chart.yaml": b"apiVersion: v2\nname: c\nversion: 1.0.0\n",
        "templates/t.yaml": text.encode(),
        **{k: v.encode() for k, v in (more or {}).items()},
    }
    chart = charts.build(raw)
    return engine.render(
        World(seed=1), chart, charts.effective(chart, values or {}), {"Name": "r"}, {"KubeVersion": {"Version": "v1.36.2"}}
    )["c/templates/t.yaml"]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("{{ .Values.a | default 3 }}", "3"),
        ("{{ .Values.nothing }}", ""),
        ("{{- range $k, $v := .Values.m }}{{ $k }}={{ $v }};{{ end }}", "a=1;b=2;"),
        ("{{ toYaml .Values.m | nindent 2 }}", "\n  a: 1\n  b: 2"),
        ("{{ .Release.Name | upper | quote }}", '"R"'),
        ('{{ include "x" (dict "n" 5) }}', "<5>"),
        ('{{ tpl "{{ .Release.Name }}!" . }}', "r!"),
        ('{{ printf "%s-%03d" "a" 7 | trunc 4 | trimSuffix "0" }}', "a-0".removesuffix("0") + "0"),
        ('{{ ternary "y" "n" (semverCompare ">=1.30-0" .Capabilities.KubeVersion.Version) }}', "y"),
        ("{{ with .Values.m }}{{ .a }}{{ else }}none{{ end }}", "1"),
        ('{{ list 3 1 2 | join "," }} {{ until 3 }} {{ add 1 2 3 }} {{ max 4 9 }}', "3,1,2 [0 1 2] 6 9"),
        ('{{ (.Files.Get "f.txt") | trim }} {{ .Files.Get "g" }}', "hi "),
        ('{{ $x := dict "a" 1 }}{{ $_ := set $x "b" 2 }}{{ toJson $x }}', '{"a":1,"b":2}'),
        ('{{ regexReplaceAll "[0-9]+" "a12b3" "#" }} {{ b64enc "hi" }} {{ "a b" | snakecase }}', "a#b# aGk= a_b"),
        ('{{ merge (dict "a" 1) (dict "a" 2 "b" 3) | toJson }}', '{"a":1,"b":3}'),
    ],
)
def test_templates(text: str, wanted: str) -> None:
    more = {"templates/_h.tpl": '{{ define "x" }}<{{ .n }}>{{ end }}', "f.txt": "hi\n"}
    assert render(text, {"m": {"a": 1, "b": 2}}, more) == wanted


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{{ .Values.a.b.c }}", "nil pointer evaluating interface {}.b"),
        ('{{ required "need it" .Values.a }}', "error calling required: need it"),
        ('{{ fail "no" }}', "error calling fail: no"),
        ("{{ .Values.x | nofunc }}", 'function "nofunc" not defined'),
        ('{{ include "missing" . }}', 'no template "missing" associated with template "gotpl"'),
        ('{{ define "l" }}{{ include "l" . }}{{ end }}{{ include "l" . }}', "nested reference name: l"),
        ("{{ if .Values.a }}", "unexpected EOF"),
    ],
)
def test_faults_of_templates(text: str, told: str) -> None:
    with pytest.raises((engine.RenderError, TemplateError)) as failed:
        render(text)
    assert told in str(failed.value)


@pytest.mark.parametrize(
    ("constraint", "version", "fits"),
    [
        ("^1.2.3", "1.9.0", True),
        ("^1.2.3", "2.0.0", False),
        ("~1.2", "1.2.9", True),
        (">=1.20.0-0", "1.36.2", True),
        (">=1 <2", "1.5.0", True),
        ("1.x", "1.7.1", True),
        ("*", "2.0.0-rc1", False),
        ("1.2 - 1.4", "1.3.0", True),
    ],
)
def test_constraints(constraint: str, version: str, fits: bool) -> None:
    assert sprig.satisfies(constraint, version) is fits


def test_values_of_the_command_line() -> None:
    values: dict[str, Any] = {}
    given.set_values(values, r"a.b=1,a.c=true,l={x,2},s[1].n=t,e=a\,b,z=null,v=1.20")
    assert values == {"a": {"b": 1, "c": True}, "l": ["x", 2], "s": [None, {"n": "t"}], "e": "a,b", "z": None, "v": "1.20"}
    given.set_values(values, "a.b=1", strings=True)
    assert values["a"]["b"] == "1"


def test_subcharts_get_their_values_and_can_be_switched_off() -> None:
    child = {
        f"charts/sub/{path}": data
        for path, data in {
            "Chart.yaml": b"apiVersion: v2\nname: sub\nversion: 1.0.0\n",
            "values.yaml": b"x: 1\ny: 2\n",
            "templates/s.yaml": b"{{ .Values.x }}{{ .Values.y }}{{ .Values.global.g }}",
        }.items()
    }
    raw = {
        "Chart.yaml": b"apiVersion: v2\nname: p\nversion: 1.0.0\ndependencies:\n- {name: sub, version: '*', condition: sub.enabled}\n",
        "values.yaml": b"sub: {x: 5}\nglobal: {g: 7}\n",
        **child,
    }
    for config, wanted in (({}, "527"), ({"sub": {"enabled": False}}, None)):
        chart = charts.build(raw)
        out = engine.render(World(seed=1), chart, charts.effective(chart, config), {}, {})
        assert out.get("p/charts/sub/templates/s.yaml") == wanted


def test_a_packed_chart_is_the_same_chart() -> None:
    chart = charts.build(scaffold.files("web"))
    assert charts.pack(chart) == charts.pack(charts.unpack(charts.pack(chart)))


def test_a_release_from_install_to_uninstall(box: Sandbox) -> None:
    added = box.run("helm repo add bitnami https://charts.bitnami.com/bitnami")
    assert added.stdout == '"bitnami" has been added to your repositories\n' and "stand-ins of Slipway's own" in added.stderr
    absent = box.run("helm repo add acme https://charts.acme.example")
    assert absent.code == 1 and "https://charts.acme.example: not simulated in Slipway yet" in absent.stderr
    assert "# A stand-in of Slipway for nginx" in box.run("helm show values bitnami/nginx").stdout
    made = box.run("helm install web bitnami/nginx --set service.type=ClusterIP --set replicaCount=2 --wait")
    assert "STATUS: deployed\nREVISION: 1" in made.stdout
    assert (
        box.run(
            "kubectl get deploy web-nginx -o jsonpath='{.status.readyReplicas} {.metadata.annotations.meta\\.helm\\.sh/release-name}'"
        ).stdout
        == "2 web"
    )
    assert (
        "has been upgraded. Happy Helming!"
        in box.run("helm upgrade web bitnami/nginx --reuse-values --set replicaCount=1").stdout
    )
    assert box.run("kubectl get deploy web-nginx -o jsonpath='{.spec.replicas}'").stdout == "1"
    box = Sandbox.restore(box.snapshot())
    assert box.run("helm rollback web 1").stdout == "Rollback was a success! Happy Helming!\n"
    rows = json.loads(box.run("helm history web -o json").stdout)
    assert [(row["revision"], row["status"], row["description"]) for row in rows] == [
        (1, "superseded", "Install complete"), (2, "superseded", "Upgrade complete"), (3, "deployed", "Rollback to 1"),
    ]  # fmt: skip
    assert box.run("kubectl get deploy web-nginx -o jsonpath='{.spec.replicas}'").stdout == "2"
    assert box.run("helm list -q").stdout == "web\n"
    assert (
        box.run("helm install web bitnami/nginx").stderr.splitlines(keepends=True)[-1]
        == "Error: INSTALLATION FAILED: cannot re-use a name that is still in use\n"
    )
    assert box.run("helm uninstall web").stdout == 'release "web" uninstalled\n'
    box.advance(box.now + 40 * SECOND)
    assert box.run("kubectl get deploy,svc,secret -A | grep -c web").stdout == "0\n"
    assert box.run("helm status web").stderr == "Error: release: not found\n"


def test_hooks_conflicts_and_failures(box: Sandbox) -> None:
    box.run("helm create c; rm -r c/templates/*; printf 'x: 1\\n' > c/values.yaml")
    box.run(
        "printf 'apiVersion: v1\\nkind: ConfigMap\\nmetadata: {name: cm}\\ndata: {x: \"{{ .Values.x }}\"}\\n' > c/templates/cm.yaml"
    )
    hook = 'apiVersion: batch/v1\\nkind: Job\\nmetadata:\\n  name: pre\\n  annotations: {helm.sh/hook: pre-install}\\nspec:\\n  backoffLimit: 0\\n  template:\\n    spec: {restartPolicy: Never, containers: [{name: c, image: busybox, command: [sh, -c, "exit {{ .Values.x }}"]}]}\\n'
    box.run(f"printf '{hook}' > c/templates/job.yaml")
    failed = box.run("helm install bad ./c")
    assert failed.stderr.startswith("Error: INSTALLATION FAILED: job pre failed")
    assert box.run("kubectl get cm cm").code == 1
    assert box.run("helm install good ./c --set x=0").code == 0
    assert box.run("kubectl get cm cm -o jsonpath='{.data.x}'").stdout == "0"
    taken = box.run("helm install other ./c --set x=0").stderr
    assert 'ConfigMap "cm" in namespace "default" exists and cannot be imported into the current release' in taken
    assert box.run("helm upgrade good ./c -f <(echo 'x: 0'); helm get values good").stdout.endswith(
        "USER-SUPPLIED VALUES:\nx: 0\n"
    )
    assert box.run("helm template ./c --set x=4 -s templates/cm.yaml | tail -1").stdout == 'data: {x: "4"}\n'
    assert "0 chart(s) failed" in box.run("helm lint ./c").stdout
    refused = box.run("helm registry login x; helm plugin list")
    assert (
        refused.stderr == "Error: helm registry: not simulated in Slipway yet\nError: helm plugin: not simulated in Slipway yet\n"
    )
