"""What `kubeadm` shows without a cluster: dry runs, manifests of add-ons, the order of extra arguments, names of certificates."""

from __future__ import annotations

import pytest
import yaml

from simulator.core.sandbox import Sandbox


@pytest.fixture(scope="module")
def ready() -> Sandbox:
    return Sandbox.boot("kubeadm-ready")


def test_a_dry_run_tells_every_call_to_the_api(ready: Sandbox) -> None:
    done = ready.run("kubeadm init --dry-run --kubernetes-version v1.36.2 --token abcdef.0123456789abcdef", host="controlplane")
    assert done.code == 0, done.stderr
    calls = [line.split(" action ")[1].split(" in ")[0] for line in done.stdout.splitlines() if "Would perform" in line]
    assert calls[:6] == [f'CREATE on resource "{name}"' for name in ("configmaps", "roles", "rolebindings") * 2]
    assert calls[6:10] == [
        'GET on resource "nodes"', 'PATCH on resource "nodes"', 'GET on resource "secrets"', 'CREATE on resource "secrets"'
    ]  # fmt: skip
    assert calls[-6:] == [
        f'CREATE on resource "{name}"'
        for name in ("configmaps", "daemonsets", "serviceaccounts", "clusterrolebindings", "roles", "rolebindings")
    ]
    assert (
        '[dryrun] Would write file "/etc/kubernetes/manifests/etcd.yaml" with content:\napiVersion: v1\nkind: Pod\n'
        in done.stdout
    )
    assert "[dryrun] Would make sure the kubelet returns 'ok' at http://127.0.0.1:10248/healthz\n" in done.stdout
    assert "kubeadm.kubernetes.io/component-config.hash: sha256:" in done.stdout
    assert "  config.conf: |-\n    apiVersion: kubeproxy.config.k8s.io/v1alpha1\n" in done.stdout
    assert ready.run("find /etc/kubernetes/manifests /etc/kubernetes/pki -type f", host="controlplane").stdout == ""


@pytest.mark.parametrize(
    ("addon", "kinds"),
    [
        ("coredns", ["Deployment", "ConfigMap", "Service", "ClusterRole", "ClusterRoleBinding", "ServiceAccount"]),
        ("kube-proxy", ["ServiceAccount", "ClusterRoleBinding", "Role", "RoleBinding", "ConfigMap", "DaemonSet"]),
    ],
)
def test_an_addons_manifest_is_only_printed(ready: Sandbox, addon: str, kinds: list[str]) -> None:
    done = ready.run(f"kubeadm init phase addon {addon} --print-manifest --kubernetes-version v1.36.2", host="controlplane")
    assert done.code == 0, done.stderr
    assert [document["kind"] for document in yaml.safe_load_all(done.stdout)] == kinds


def test_extra_arguments_stand_after_the_defaults_as_they_were_given(ready: Sandbox) -> None:
    done = ready.run(
        "kubeadm init phase control-plane scheduler --kubernetes-version v1.36.2 --scheduler-extra-args v=4,bind-address=0.0.0.0,kubeconfig=/x; "
        "grep -- '- --' /etc/kubernetes/manifests/kube-scheduler.yaml; rm -r /etc/kubernetes/manifests",
        host="controlplane",
    )
    assert [line.strip()[4:].partition("=")[0] for line in done.stdout.splitlines()[1:]] == [
        "authentication-kubeconfig", "authorization-kubeconfig", "leader-elect", "v", "bind-address", "kubeconfig",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("command", "error"),
    [
        ("kubeadm config images list --feature-gates foo=true", "error: unrecognized feature-gate key: foo\n"),
        ("kubeadm config images list -o foo", 'the output format "foo", allowed formats are: go-template,go-template-file,json,'),
        ("kubeadm token create --dry-run --kubeconfig /nope", "error: failed to load kubeconfig: open /nope: no such file or directory\n"),
        ("kubeadm init --apiserver-advertise-address 127.0.0.1 --kubernetes-version v1.36.2", "error: unable to select an IP from lo network interface\n"),
        ("kubeadm init --service-cidr 10.96.0.0/30 --kubernetes-version v1.36.2", "error: networking.serviceSubnet: Invalid value: "),
    ],
)  # fmt: skip
def test_what_is_refused_before_anything_happens(ready: Sandbox, command: str, error: str) -> None:
    done = ready.run(command, host="controlplane")
    assert (done.code, error in done.stderr) == (1, True), done.stderr


def test_an_endpoint_with_its_own_port_is_warned_of_for_each_file(ready: Sandbox) -> None:
    done = ready.run(
        "cd /tmp; kubeadm init phase certs ca --cert-dir /tmp/pki --kubernetes-version v1.36.2 >/dev/null && kubeadm init phase kubeconfig all "
        "--cert-dir /tmp/pki --kubeconfig-dir /tmp/conf --kubernetes-version v1.36.2 --control-plane-endpoint lb:8443",
        host="controlplane",
    )
    assert done.stderr.count("[endpoint] WARNING: port specified in controlPlaneEndpoint overrides bindPort") == 4
    assert "server: https://lb:8443\n" in ready.run("cat /tmp/conf/admin.conf", host="controlplane").stdout
