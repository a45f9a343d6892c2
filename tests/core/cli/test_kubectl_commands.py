"""kubectl in a three-node world: what it prints, where errors go, what it changes."""

from __future__ import annotations

import re

import pytest

from simulator.core.cli.kubectl.registry import COMMANDS, GROUPS, ROOT
from simulator.core.kernel.clock import SECOND
from simulator.core.sandbox import RunResult, Sandbox


@pytest.fixture(scope="module")
def booted() -> bytes:
    """The image of a fresh cluster."""
    return Sandbox.boot("three-nodes").snapshot()


@pytest.fixture
def cluster(booted: bytes) -> Sandbox:
    """A cluster of its own for each test."""
    return Sandbox.restore(booted)


def ok(cluster: Sandbox, command: str, settle: int = 0) -> str:
    """Standard output of a command that must succeed; then `settle` nanoseconds pass."""
    result = cluster.run(command)
    assert result.code == 0, result
    cluster.advance(cluster.now + settle)
    return result.stdout


def fails(cluster: Sandbox, command: str) -> RunResult:
    """The result of a command that must fail with status 1 and print nothing."""
    result = cluster.run(command)
    assert result.code == 1, result
    return result


def test_system_pods_are_there_because_they_run(cluster: Sandbox) -> None:
    listed = ok(cluster, "kubectl get pods -n kube-system -o name")
    for name in ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"):
        assert f"pod/{name}-controlplane\n" in listed


def test_a_deployment_from_creation_to_deletion(cluster: Sandbox) -> None:
    assert (
        ok(cluster, "kubectl create deployment web --image=nginx:1.25 --replicas=2", 30 * SECOND)
        == "deployment.apps/web created\n"
    )
    assert re.search(r"web +2/2 +2 +2 +\d+s\n", ok(cluster, "kubectl get deploy"))
    assert ok(cluster, "kubectl scale deploy web --replicas=3", 30 * SECOND) == "deployment.apps/web scaled\n"
    assert ok(cluster, "kubectl get deploy web -o jsonpath='{.status.readyReplicas}'") == "3"
    assert ok(cluster, "kubectl expose deploy web --port=80") == "service/web exposed\n"
    described = ok(cluster, "kubectl describe deploy web")
    assert "Replicas:               3 desired | 3 updated | 3 total | 3 available | 0 unavailable\n" in described
    assert ok(cluster, "kubectl delete deploy,svc web") == (
        'deployment.apps "web" deleted from default namespace\nservice "web" deleted from default namespace\n'
    )
    assert fails(cluster, "kubectl get deploy web").stderr == 'Error from server (NotFound): deployments.apps "web" not found\n'


def test_apply_says_created_unchanged_configured(cluster: Sandbox) -> None:
    manifest = 'apiVersion: v1\\nkind: ConfigMap\\nmetadata: {name: c}\\ndata: {a: "%s"}\\n'
    assert ok(cluster, f"printf '{manifest}' 1 > c.yaml; kubectl apply -f c.yaml") == "configmap/c created\n"
    assert ok(cluster, "kubectl apply -f c.yaml") == "configmap/c unchanged\n"
    assert ok(cluster, f"printf '{manifest}' 2 | kubectl apply -f -") == "configmap/c configured\n"
    assert ok(cluster, "kubectl get cm c -o jsonpath='{.data.a}'") == "2"


def test_apply_deletes_what_the_manifest_no_longer_has(cluster: Sandbox) -> None:
    pod = "apiVersion: v1\\nkind: ConfigMap\\nmetadata: {name: c, labels: {old: x, keep: z}}\\ndata: {a: x, b: z}\\n"
    ok(cluster, f"printf '{pod}' | kubectl apply -f -; kubectl label cm c mine=1")
    ok(cluster, f"printf '{pod}' | sed 's/, b: z//; s/old: x, //' | kubectl apply -f -")
    assert ok(cluster, "kubectl get cm c -o jsonpath='{.data} {.metadata.labels}'") == '{"a":"x"} {"keep":"z","mine":"1"}'


def test_errors_go_to_standard_error(cluster: Sandbox) -> None:
    assert fails(cluster, "kubectl get widgets").stderr == 'error: the server doesn\'t have a resource type "widgets"\n'
    assert (
        fails(cluster, "kubectl get pods --bogus").stderr == "error: unknown flag: --bogus\nSee 'kubectl get --help' for usage.\n"
    )
    assert fails(cluster, "kubectl gte").stderr == 'error: unknown command "gte" for "kubectl"\n\nDid you mean this?\n\tget\n'
    assert cluster.run("kubectl get pods").stderr == "No resources found in default namespace.\n"


def test_a_server_that_is_away(cluster: Sandbox) -> None:
    cluster.advance(cluster.now + 5 * SECOND)
    ok(cluster, "mv /etc/kubernetes/manifests/kube-apiserver.yaml /tmp/", 60 * SECOND)
    told = fails(cluster, "kubectl get pods").stderr.splitlines()
    assert len(told) == 6 and all("memcache.go:265]" in line for line in told[:5])
    assert told[5] == "The connection to the server 172.30.1.2:6443 was refused - did you specify the right host or port?"


def test_no_kubeconfig_means_localhost(cluster: Sandbox) -> None:
    told = cluster.run("KUBECONFIG= HOME=/nowhere kubectl get pods").stderr.splitlines()
    assert told[-1] == "The connection to the server localhost:8080 was refused - did you specify the right host or port?"


def test_logs_and_exec(cluster: Sandbox) -> None:
    ok(cluster, "kubectl run once --image=busybox --restart=Never -- sh -c 'echo hello'", 20 * SECOND)
    assert ok(cluster, "kubectl logs once") == "hello\n"
    ok(cluster, "kubectl run web --image=nginx:1.25", 20 * SECOND)
    assert ok(cluster, "kubectl exec web -- cat /etc/hostname") == "web\n"
    result = cluster.run("kubectl exec web -- sh -c 'exit 3'")
    assert (result.code, result.stderr) == (3, "command terminated with exit code 3\n")


def test_rollout_history_and_undo(cluster: Sandbox) -> None:
    ok(cluster, "kubectl create deployment web --image=nginx:1.25", 20 * SECOND)
    ok(cluster, "kubectl set image deploy/web nginx=nginx:1.26", 30 * SECOND)
    assert "1         <none>\n2         <none>\n" in ok(cluster, "kubectl rollout history deploy/web")
    assert ok(cluster, "kubectl rollout undo deploy/web", 30 * SECOND) == "deployment.apps/web rolled back\n"
    assert ok(cluster, "kubectl get deploy web -o jsonpath='{.spec.template.spec.containers[0].image}'") == "nginx:1.25"


def test_edit_with_a_program_as_editor(cluster: Sandbox) -> None:
    ok(cluster, "kubectl create cm c --from-literal=color=red")
    assert ok(cluster, "EDITOR=\"sed -i 's/color: red/color: blue/'\" kubectl edit cm c") == "configmap/c edited\n"
    assert ok(cluster, "kubectl get cm c -o jsonpath='{.data.color}'") == "blue"
    assert cluster.run("EDITOR=true kubectl edit cm c").stderr == "Edit cancelled, no changes made.\n"


def test_wait_times_out_in_virtual_time(cluster: Sandbox) -> None:
    ok(cluster, "kubectl run web --image=nginx:1.25")
    assert ok(cluster, "kubectl wait --for=condition=Ready pod/web --timeout=60s") == "pod/web condition met\n"
    assert (
        fails(cluster, "kubectl wait --for=condition=Odd pod/web --timeout=1s").stderr
        == "error: timed out waiting for the condition on pods/web\n"
    )


def test_every_command_of_the_help_screen_is_there() -> None:
    listed = {name for _, names in GROUPS for name in names}
    assert listed <= {command.name for command in COMMANDS}
    for command in ROOT.walk():
        assert command.short or command is ROOT, command.path
        assert command.run is not None or command is ROOT, command.path


@pytest.mark.parametrize("path", [command.path for command in ROOT.walk()])
def test_help_of_every_command(path: str) -> None:
    from simulator.core.cli.kubectl.root import help_text

    command, _ = ROOT.find(path.split()[1:])
    text = help_text(command)
    assert command.name == "options" or f"  {path}" in text or f'Use "{path}' in text


def test_managed_fields_hold_what_clients_sent(cluster: Sandbox) -> None:
    ok(cluster, "kubectl run web --image=nginx", 10 * SECOND)
    text = ok(cluster, "kubectl get pod web --show-managed-fields -o jsonpath='{.metadata.managedFields}'")
    assert '"manager":"kubectl-run"' in text
    assert '"manager":"kubelet"' in text
    assert "kube-scheduler" not in text, "a binding goes past the field manager"
    assert "f:tolerations" not in text, "admission's additions have no owner"


def test_only_a_change_of_the_template_counts_as_a_template_generation(cluster: Sandbox) -> None:
    manifest = (
        "apiVersion: apps/v1\nkind: DaemonSet\nmetadata: {name: agent, namespace: default}\n"
        "spec: {selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, spec: {containers: [{name: c, image: nginx}]}}}\n"
    )
    ok(cluster, f"printf '{manifest}' | kubectl apply -f -")
    ask = r"kubectl get ds agent -o jsonpath='{.metadata.annotations.deprecated\.daemonset\.template\.generation}'"
    assert ok(cluster, ask) == "1"
    ok(cluster, 'kubectl patch ds agent -p \'{"spec":{"minReadySeconds":3}}\'')
    assert ok(cluster, ask) == "1"
    ok(cluster, "kubectl set image ds/agent c=nginx:1.26")
    assert ok(cluster, ask) == "2"


def test_edit_takes_several_objects(cluster: Sandbox) -> None:
    ok(
        cluster,
        "kubectl create ns two; kubectl -n two create cm a --from-literal=k=old; kubectl -n two create cm b --from-literal=k=old",
    )
    told = ok(cluster, "EDITOR='sed -i s/old/new/' kubectl -n two edit cm a b")
    assert told == "configmap/a edited\nconfigmap/b edited\n"
    assert ok(cluster, "kubectl -n two get cm a b -o jsonpath='{.items[*].data.k}'") == "new new"


def test_edit_last_applied_changes_the_annotation_alone(cluster: Sandbox) -> None:
    ok(cluster, "kubectl create cm plain --from-literal=k=v")
    assert "no last-applied-configuration" in fails(cluster, "EDITOR=true kubectl apply edit-last-applied cm/plain").stderr
    ok(cluster, "printf 'apiVersion: v1\\nkind: ConfigMap\\nmetadata: {name: c}\\ndata: {a: x}\\n' | kubectl apply -f -")
    assert ok(cluster, "EDITOR='sed -i s/x$/zz/' kubectl apply edit-last-applied cm/c") == "configmap/c edited\n"
    assert ok(cluster, "kubectl get cm c -o jsonpath='{.data.a}'") == "x"
    assert "a: zz\n" in ok(cluster, "kubectl apply view-last-applied cm/c")


def test_create_lets_the_object_be_edited(cluster: Sandbox) -> None:
    manifest = "printf 'apiVersion: v1\\nkind: ConfigMap\\nmetadata: {name: c}\\ndata: {a: x}\\n'"
    assert ok(cluster, f"{manifest} | EDITOR='sed -i s/x$/zz/' kubectl create --edit -f -") == "configmap/c created\n"
    assert ok(cluster, "kubectl get cm c -o jsonpath='{.data.a}'") == "zz"


CUSTOM = """apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: boats.sea.example.com}
spec:
  group: sea.example.com
  scope: Namespaced
  names: {plural: boats, singular: boat, kind: Boat, shortNames: [bt], categories: [all]}
  versions:
  - {name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}}
"""


def test_the_discovery_cache_outlives_a_definition(cluster: Sandbox) -> None:
    ok(cluster, f"cat > crd.yaml <<'EOF'\n{CUSTOM}EOF\nkubectl apply -f crd.yaml", 3 * SECOND)
    ok(cluster, "printf 'apiVersion: sea.example.com/v1\\nkind: Boat\\nmetadata: {name: one}\\n' | kubectl apply -f -")
    assert "boat.sea.example.com/one" in ok(cluster, "kubectl get all")
    ok(cluster, "kubectl delete crd boats.sea.example.com", 3 * SECOND)
    assert fails(cluster, "kubectl get bt").stderr == (
        'Error from server (NotFound): Unable to list "sea.example.com/v1, Resource=boats": the server could not find the requested '
        "resource (get boats.sea.example.com)\n"
    )
    cluster.advance(cluster.now + 7 * 3600 * SECOND)
    assert fails(cluster, "kubectl get bt").stderr == 'error: the server doesn\'t have a resource type "bt"\n'


def test_one_object_of_set_does_not_stop_the_others(cluster: Sandbox) -> None:
    ok(cluster, "kubectl create deployment web --image=nginx:1.25; kubectl create service clusterip web --tcp=80")
    told = cluster.run("kubectl set env svc/web deploy/web A=1")
    assert (told.stdout, told.code) == ("deployment.apps/web env updated\n", 1)
    assert told.stderr == "error: services/web the object is not a pod or does not have a pod template: *v1.Service\n"
    assert ok(cluster, "kubectl set env deploy/web -c none B=2") == ""


def test_impersonation_with_uid_and_extra(cluster: Sandbox) -> None:
    shown = ok(
        cluster,
        "kubectl auth whoami --as=jane --as-uid=7 --as-group=devs --as-user-extra=team=a -o jsonpath='{.status.userInfo}'",
    )
    assert '"uid":"7"' in shown and '"extra":{"team":["a"]}' in shown
    assert "without impersonating a user" in fails(cluster, "kubectl get pods --as-group=devs").stderr


def test_auth_reconcile_tells_the_missing_part_of_a_rule(cluster: Sandbox) -> None:
    head = "apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: part%s}\n"
    rules = 'rules: [{apiGroups: [""], resources: [pods], verbs: [%s]}]\n'
    ok(
        cluster,
        f"cat > part.yaml <<'EOF'\n{head % ', namespace: default'}{rules % 'get'}EOF\nkubectl auth reconcile -f part.yaml",
    )
    said = cluster.run("sed -i 's/.get./[get, list, watch]/' part.yaml; kubectl auth reconcile -f part.yaml")
    rows = "".join(
        f"\t\t{{Verbs:[{verb}] APIGroups:[] Resources:[pods] ResourceNames:[] NonResourceURLs:[]}}\n"
        for verb in ("list", "watch")
    )
    assert said.stderr == f"\treconciliation required update\n\tmissing rules added:\n{rows}"
    nowhere = cluster.run(f"cat > no.yaml <<'EOF'\n{head % '2'}{rules % 'get'}EOF\nkubectl auth reconcile -f no.yaml")
    assert (nowhere.code, nowhere.stderr) == (1, "error: resource name may not be empty\n")


def test_what_edit_and_wait_do_not_take(cluster: Sandbox) -> None:
    named = cluster.run("EDITOR=true kubectl edit cm kube-root-ca.crt -o name").stderr
    assert (
        named == 'error: unable to match a printer suitable for the output format "name", allowed formats are: json,kyaml,yaml\n'
    )
    assert fails(cluster, "kubectl wait --for=delete -k .").stderr.startswith("error: unknown shorthand flag: 'k' in -k\n")


def test_a_raw_watch_is_printed_as_it_comes(cluster: Sandbox) -> None:
    cluster.run("kubectl create configmap seen -n default")
    path = "/api/v1/namespaces/default/configmaps?watch=1&timeoutSeconds=3&fieldSelector=metadata.name%3Dseen"
    line = f"(sleep 1; kubectl label configmap seen a=b) > /dev/null & kubectl get --raw '{path}' | jq -r .type"
    assert [w for w in cluster.run(line).stdout.split() if w.isupper()] == ["ADDED", "MODIFIED"]
    assert cluster.run(f"kubectl get --raw '{path}' | head -1 | cut -c1-15").stdout == '{"type":"ADDED"\n'


def test_a_path_that_nothing_serves_is_a_line_of_text(cluster: Sandbox) -> None:
    ok(
        cluster,
        "kubectl create sa asks; kubectl create clusterrolebinding asks --clusterrole=cluster-admin --serviceaccount=default:asks",
    )
    for path in (
        "/nope",
        "/apis/nope.io/v1",
        "/apis/nope.io/v1/boats",
        "/api/v1/nopes",
        "/apis/apps/v7",
        "/apis/apps/v1/namespaces/default/daemonsets/x/scale",
    ):
        curl = "curl -sk -w ' %{http_code}' -H \"Authorization: Bearer $(kubectl create token asks)\""
        said = cluster.run(f"{curl} https://172.30.1.2:6443{path}").stdout
        if "nope" in path.partition("v1")[0]:
            assert said == "404 page not found\n 404", path
        else:  # below its own groups' paths the server sends a Status
            assert '"message": "the server could not find the requested resource"' in said and '"details": {}' in said, path
    assert (
        cluster.run("kubectl get --raw /nope").stderr
        == "Error from server (NotFound): the server could not find the requested resource\n"
    )


def test_describe_of_two_names_that_are_not_there_describes_nothing(cluster: Sandbox) -> None:
    said = cluster.run("kubectl describe pod/nope svc/kubernetes")
    assert (said.code, said.stdout, said.stderr) == (1, "", 'Error from server (NotFound): pods "nope" not found\n')


def test_auth_reconcile_removes_and_recreates(cluster: Sandbox) -> None:
    role = "apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: r, namespace: default}\nrules: [{apiGroups: [''], resources: [%s], verbs: [get]}]\n"
    ok(cluster, f"cat > one.yaml <<'EOF'\n{role % 'pods'}EOF\nkubectl auth reconcile -f one.yaml")
    told = cluster.run(
        f"cat > two.yaml <<'EOF'\n{role % 'services'}EOF\nkubectl auth reconcile -f two.yaml --remove-extra-permissions"
    )
    assert told.stdout == "role.rbac.authorization.k8s.io/r reconciled\n"
    assert "\textra rules removed:\n" in told.stderr
    assert ok(cluster, "kubectl get role r -o jsonpath='{.rules[*].resources}'") == '["services"]'


def test_cluster_info_dump_goes_to_files(cluster: Sandbox) -> None:
    assert ok(cluster, "kubectl cluster-info dump --output-directory=/tmp/d -n default") == "Cluster info dumped to /tmp/d\n"
    assert "kube-system" in ok(cluster, "ls /tmp/d")
    assert ok(cluster, "head -c 25 /tmp/d/nodes.json") == '{\n    "kind": "NodeList",'
    assert "==== START logs for container etcd of pod kube-system/etcd-controlplane ====" in ok(
        cluster, "cat /tmp/d/kube-system/etcd-controlplane/logs.txt"
    )


def test_wait_takes_several_conditions(cluster: Sandbox) -> None:
    ok(cluster, "kubectl run p --image=nginx:1.25", 20 * SECOND)
    told = ok(cluster, "kubectl wait pod/p --for=condition=Ready --for=jsonpath='{.status.phase}'=Running")
    assert told == "pod/p condition met\npod/p condition met\n"


def test_templates_tell_where_they_failed(cluster: Sandbox) -> None:
    result = cluster.run("kubectl get ns default -o go-template='{{.kind}}: {{len .nothing}}'")
    assert result.code == 1 and result.stdout.startswith("Namespace: Error executing template: template: output:1:13: ")
    assert result.stderr.endswith(
        'template: output:1:13: executing "output" at <len .nothing>: error calling len: reflect: call of reflect.Value.Type on zero Value\n'
    )


def test_verbosity_tells_requests_headers_and_bodies() -> None:
    box = Sandbox.boot("one-node", 1)
    seven = box.run("kubectl get ns default -v=7").stderr
    assert re.search(
        r'"Request" verb="GET" url="https://\S+/api/v1/namespaces/default" headers=<\n\tAccept: \S+\n\tUser-Agent: kubectl/',
        seven,
    )
    assert re.search(r'"Response" status="200 OK" milliseconds=\d+\n', seven) and "Body" not in seven
    eight = box.run("kubectl get ns nope -v=8").stderr
    assert '"Request Body" body=""' in eight and '"Response" status="404 Not Found" headers=<\n\tAudit-Id: ' in eight
    assert '"Response Body" body=<\n\t{"kind":"Status","apiVersion":"v1"' in eight
    assert 'server response object: %s[{\n  "kind": "Status",' in eight and eight.endswith('namespaces "nope" not found\n')
    assert re.search(r"\[truncated \d+ chars\]", box.run("kubectl get pods -A -v=8").stderr)
    assert "truncated" not in box.run("kubectl get ns default -v=9").stderr
