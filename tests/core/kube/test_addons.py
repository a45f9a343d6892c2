"""Add-ons from the manifests that their projects publish: they do what they say, and what is not there says so."""

from __future__ import annotations

import pytest

from simulator.core.kernel.clock import SECOND
from simulator.core.runtime.addons import crds, pages
from simulator.core.sandbox import Sandbox
from simulator.core.shell.coreutils import internet

RAW = "https://raw.githubusercontent.com"
GITHUB = "https://github.com"
POOL = """
apiVersion: metallb.io/v1beta1
kind: IPAddressPool
metadata: {name: first, namespace: metallb-system}
spec: {addresses: ["%s"]}
"""


@pytest.fixture
def world() -> Sandbox:
    """A control plane and a node."""
    return Sandbox.boot("playground-2nodes")


def run(world: Sandbox, command: str, stdin: str = "") -> str:
    """What a command says within ten virtual minutes."""
    done = world.run(command, stdin=stdin.encode(), limit=600 * SECOND)
    return done.stdout + done.stderr


def test_metallb_gives_addresses_of_its_pools(world: Sandbox) -> None:
    """Pending without a pool; then an address that answers, one each, until none is left; an asked one; and it is given back."""
    run(world, f"kubectl apply -f {RAW}/metallb/metallb/v0.14.9/config/manifests/metallb-native.yaml")
    assert run(world, "kubectl wait -n metallb-system --for=condition=Ready pod --all --timeout=90s").count("condition met") == 3
    run(world, "kubectl create deploy web --image=nginx && kubectl expose deploy web --port 80 --type LoadBalancer; sleep 5")
    assert "<pending>" in run(world, "kubectl get svc web")
    assert 'Failed to allocate IP for "default/web": no available IPs' in run(world, "kubectl describe svc web")
    run(world, "kubectl apply -f -; sleep 5", POOL % "172.30.1.240-172.30.1.241")
    assert "Welcome to nginx!" in run(world, "curl -s 172.30.1.240")
    run(world, "kubectl create svc loadbalancer two --tcp 80; kubectl create svc loadbalancer three --tcp 80; sleep 3")
    said = run(
        world, "kubectl get svc -o jsonpath='{range .items[*]}{.metadata.name}={.status.loadBalancer.ingress[0].ip} {end}'"
    )
    assert said == "kubernetes= three= two=172.30.1.241 web=172.30.1.240 "
    restored = Sandbox.restore(world.snapshot())  # goes on where it was
    run(restored, """kubectl patch svc web -p '{"spec":{"type":"ClusterIP"}}'; sleep 5""")
    assert "172.30.1.240" in run(restored, "kubectl get svc three")
    assert '["172.30.1.240-172.30.1.241"]' in run(restored, "kubectl get ipaddresspools -n metallb-system")


def test_metallb_refuses_what_is_no_range(world: Sandbox) -> None:
    """A range from high to low is told in the log and gives nothing."""
    run(world, f"kubectl apply -f {RAW}/metallb/metallb/main/config/manifests/metallb-native.yaml; sleep 30")
    run(world, "kubectl apply -f -; sleep 2", POOL % "172.30.1.9-172.30.1.2")
    assert 'is after the end IP \\"172.30.1.2\\"' in run(world, "kubectl logs -n metallb-system deploy/controller")


def test_gateway_api_is_definitions(world: Sandbox) -> None:
    """Objects are stored with their defaults, wait for a controller, and are validated."""
    said = run(
        world,
        f"kubectl apply --server-side -f {GITHUB}/kubernetes-sigs/gateway-api/releases/download/v1.2.1/standard-install.yaml",
    )
    assert said.count("serverside-applied") == 5
    route = "{apiVersion: gateway.networking.k8s.io/v1, kind: HTTPRoute, metadata: {name: r}, spec: {parentRefs: [{name: g}], hostnames: [a.b]}}"
    gateway = (
        "{apiVersion: gateway.networking.k8s.io/v1, kind: Gateway, metadata: {name: g}, spec: {gatewayClassName: c, "
        "listeners: [{name: http, port: 80, protocol: HTTP}]}}"
    )
    run(world, "kubectl apply -f -", f"{route}\n---\n{gateway}\n")
    assert (
        run(world, "kubectl get httproute r -o jsonpath='{.spec.rules[0].matches[0].path.value}{.spec.parentRefs[0].kind}'")
        == "/Gateway"
    )
    assert '["a.b"]' in run(world, "kubectl get httproute")
    assert "Unknown" in run(world, "kubectl get gateway g")  # nobody has programmed it
    assert "spec.listeners: Required value" in run(world, "kubectl apply -f -", gateway.partition(", listeners")[0] + "}}")


def test_cert_manager_signs(world: Sandbox) -> None:
    """An authority signed by itself, a leaf signed by it, a Secret that comes back; ACME says that it is not simulated."""
    run(world, f"kubectl apply -f {GITHUB}/cert-manager/cert-manager/releases/latest/download/cert-manager.yaml")
    assert run(world, "kubectl wait -n cert-manager --for=condition=Available deploy --all --timeout=90s").count("met") == 3
    top = "apiVersion: cert-manager.io/v1\n"
    objects = (
        "kind: ClusterIssuer\nmetadata: {name: self}\nspec: {selfSigned: {}}\n",
        "kind: Certificate\nmetadata: {name: ca, namespace: cert-manager}\nspec: {isCA: true, commonName: my-ca, secretName: root, "
        "issuerRef: {name: self, kind: ClusterIssuer}, privateKey: {algorithm: ECDSA, size: 256}}\n",
        "kind: ClusterIssuer\nmetadata: {name: ca}\nspec: {ca: {secretName: root}}\n",
        "kind: ClusterIssuer\nmetadata: {name: acme}\nspec: {acme: {}}\n",
        "kind: Certificate\nmetadata: {name: web}\nspec: {dnsNames: [a.example], secretName: web-tls, issuerRef: {name: ca, kind: ClusterIssuer}}\n",
    )
    run(world, "kubectl apply -f -", "---\n".join(top + one for one in objects))
    began = world.now
    assert "condition met" in run(world, "kubectl wait --for=condition=Ready certificate/web --timeout=60s")
    assert world.now - began < 15 * SECOND  # heard of, not found at the end of the wait
    said = run(
        world,
        "kubectl get secret web-tls -o jsonpath='{.data.tls\\.crt}' | base64 -d | openssl x509 -noout -issuer -ext subjectAltName",
    )
    assert "CN = my-ca" in said and "DNS:a.example" in said
    assert "acme issuers: not simulated in Slipway yet" in run(world, "kubectl get clusterissuer acme -o wide")
    run(world, "kubectl delete secret web-tls; sleep 3")
    assert "kubernetes.io/tls" in run(world, "kubectl get secret web-tls")


@pytest.mark.parametrize("way", ["calico", "operator"])
def test_calico_is_a_network(world: Sandbox, way: str) -> None:
    """By its manifest or its operator: nodes get its configuration, pods their addresses, and what it leaves out is said."""
    base, space = f"{RAW}/projectcalico/calico/v3.30.3/manifests", "kube-system" if way == "calico" else "calico-system"
    files = ["calico.yaml"] if way == "calico" else ["operator-crds.yaml", "tigera-operator.yaml", "custom-resources.yaml"]
    for name in files:
        run(world, f"kubectl create -f {base}/{name}")
    run(world, f"sleep 8; kubectl rollout status -n {space} ds/calico-node --timeout=120s")
    assert "10-calico.conflist" in run(world, "ls /etc/cni/net.d")
    said = run(
        world,
        "kubectl run p --image=nginx; kubectl wait --for=condition=Ready pod/p; curl -s $(kubectl get pod p -o jsonpath={.status.podIP})",
    )
    assert "Welcome to nginx!" in said
    assert "not simulated in Slipway yet" in run(world, f"kubectl logs -n {space} ds/calico-node")
    if way == "operator":
        assert run(world, "sleep 30; kubectl get tigerastatus calico").split()[7] == "True"


def test_a_wait_for_many_sees_those_that_became_ready_meanwhile(world: Sandbox) -> None:
    """While it waits for the first, the others get ready: it must not wait for their next change."""
    run(world, "kubectl run a --image=nginx; kubectl run b --image=nginx; kubectl run c --image=nginx")
    began = world.now
    assert run(world, "kubectl wait --for=condition=Ready pod --all --timeout=300s").count("condition met") == 3
    assert world.now - began < 60 * SECOND


@pytest.mark.parametrize(
    "command",
    [
        "kubectl apply -f {}", "curl -s {}", "curl -sfL {} | sh", "curl -sLo /tmp/x {}", "wget -q {}", "wget -qO- {}",
    ],
)  # fmt: skip
def test_what_the_internet_lacks_says_so(world: Sandbox, command: str) -> None:
    """An address of a host that is there: never a plausible 404 alone."""
    assert "not simulated in Slipway yet" in run(world, command.format(f"{RAW}/argoproj/argo-cd/stable/manifests/install.yaml"))


def test_every_manifest_names_images_that_exist() -> None:
    """Each release that is served can be pulled: no stand-in that cannot start."""
    from simulator.core.runtime import catalogue

    urls = [f"{RAW}/metallb/metallb/{v}/config/manifests/metallb-native.yaml" for v in pages.METALLB]
    urls += [f"{GITHUB}/cert-manager/cert-manager/releases/download/{v}/cert-manager.yaml" for v in pages.CERT_MANAGER]
    urls += [f"{RAW}/projectcalico/calico/{v}/manifests/{n}.yaml" for v in pages.CALICO for n in ("calico", "tigera-operator")]
    for url in urls:
        page = internet.get(url)
        assert page is not None and page.status == 200, url
        text = page.body.decode()
        named = {line.split("image: ")[1].strip() for line in text.splitlines() if "image: " in line}
        assert named, url
        for image in named:
            assert catalogue.find_tag(image) is not None, (url, image)
    missing = internet.get(f"{RAW}/metallb/metallb/v9.9.9/config/manifests/metallb-native.yaml")
    assert missing is not None and (missing.status, missing.body) == (404, b"Not Found")


def test_the_short_form_of_schemas() -> None:
    """Types, requirements, defaults, enumerations and descriptions."""
    assert crds.schema({"a!": "integer=3", "b": "X|Y=X - Which.", "c": ["strings"]}) == {
        "type": "object",
        "required": ["a"],
        "properties": {
            "a": {"type": "integer", "default": 3},
            "b": {"type": "string", "enum": ["X", "Y"], "default": "X", "description": "Which."},
            "c": {"type": "array", "items": {"type": "array", "items": {"type": "string"}}},
        },
    }


def test_kustomize_takes_what_is_there(world: Sandbox) -> None:
    """Gateway API's definitions from their repositories, a manifest by its address; another repository says that it is not simulated."""
    fabric = "https://github.com/nginx/nginx-gateway-fabric/config/crd/gateway-api/standard?ref=v2.1.0"
    assert run(world, f'kubectl kustomize "{fabric}" | kubectl apply -f -').count("created") == 5
    assert "unchanged" not in run(world, "kubectl delete -k github.com/kubernetes-sigs/gateway-api/config/crd?ref=v1.2.0")
    url = f"{RAW}/rancher/local-path-provisioner/v0.0.31/deploy/local-path-storage.yaml"
    run(world, f"mkdir k; printf 'resources: [{url}]\\nnamespace: other\\n' > k/kustomization.yaml")
    assert "namespace: other" in run(world, "kubectl kustomize k")
    assert "not simulated in Slipway yet" in run(
        world, "kubectl kustomize https://github.com/argoproj/argo-cd/manifests?ref=stable"
    )
