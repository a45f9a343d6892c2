"""What nerdctl can besides Docker, by its effects: lazy pulling, encryption, signatures, IPFS, BuildKit as a service of its own."""

from __future__ import annotations

import pytest

from simulator.core.sandbox import RunResult, Sandbox


class Nodes:
    """A small cluster; commands are typed on its nodes."""

    def __init__(self) -> None:
        self.box = Sandbox.boot("two-nodes")

    def run(self, command: str, host: str = "node01") -> RunResult:
        return self.box.run(command, host=host)

    def out(self, command: str, host: str = "node01") -> str:
        done = self.run(command, host)
        assert done.code == 0, done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def nodes() -> Nodes:
    return Nodes()


def test_build_wants_buildkit(nodes: Nodes) -> None:
    nodes.run('mkdir /root/b; printf \'FROM alpine\\nRUN echo hi > /hi\\nCMD ["cat","/hi"]\\n\' > /root/b/Dockerfile')
    refused = nodes.run("nerdctl build -t hi:1 /root/b")
    assert refused.code == 1 and "no buildkit host is available, tried 2 candidates" in refused.stderr
    nodes.out("systemctl start buildkit")
    assert "Loaded image: docker.io/library/hi:1" in nodes.out("nerdctl build -t hi:1 /root/b")
    assert nodes.out("nerdctl run --rm hi:1") == "hi\n"


def test_an_image_built_on_a_node_runs_as_a_pod_once_it_is_imported_for_kubernetes(nodes: Nodes) -> None:
    nodes.out("nerdctl save -o /root/hi.tar hi:1 && ctr -n k8s.io images import /root/hi.tar")
    assert "docker.io/library/hi" in nodes.out("crictl images")
    nodes.out("kubectl run hi --image=hi:1 --image-pull-policy=Never --restart=Never", host="controlplane")
    nodes.box.advance(nodes.box.now + 20 * 10**9)
    assert nodes.out("kubectl logs hi", host="controlplane") == "hi\n"


def test_lazy_pulling_wants_its_snapshotter_and_then_downloads_next_to_nothing(nodes: Nodes) -> None:
    nodes.out("nerdctl run -d -q --name reg -p 5000:5000 registry:2 && nerdctl pull -q python:3.12")
    nodes.out(
        "nerdctl image convert --estargz --oci python:3.12 localhost:5000/python:esgz && nerdctl push -q localhost:5000/python:esgz"
    )
    nodes.out("nerdctl rmi -f localhost:5000/python:esgz")
    assert "snapshotter not loaded: stargz" in nodes.run("nerdctl --snapshotter=stargz pull localhost:5000/python:esgz").stderr
    nodes.out(
        "systemctl start stargz-snapshotter && printf '[proxy_plugins.stargz]\\ntype = \"snapshot\"\\n' >> /etc/containerd/config.toml"
    )
    nodes.out("systemctl restart containerd")
    began = nodes.box.now
    nodes.out("nerdctl --snapshotter=stargz pull -q localhost:5000/python:esgz")
    lazy, began = nodes.box.now - began, nodes.box.now
    nodes.out("nerdctl rmi -f localhost:5000/python:esgz && nerdctl pull -q localhost:5000/python:esgz")
    assert lazy * 5 < nodes.box.now - began


def test_a_signature_is_verified_before_anything_is_pulled(nodes: Nodes) -> None:
    nodes.out("cd /root && cosign generate-key-pair && nerdctl tag hi:1 localhost:5000/hi:1")
    nodes.out("cd /root && nerdctl push -q --sign=cosign --cosign-key cosign.key localhost:5000/hi:1")
    assert (
        nodes.out("cd /root && nerdctl pull -q --verify=cosign --cosign-key cosign.pub localhost:5000/hi:1")
        == "localhost:5000/hi:1\n"
    )
    unsigned = nodes.run("cd /root && nerdctl pull -q --verify=cosign --cosign-key cosign.pub localhost:5000/python:esgz")
    assert unsigned.code == 1 and "no signatures found" in unsigned.stderr
    nodes.out("mkdir /root/other; cd /root/other && cosign generate-key-pair")
    other = nodes.run("nerdctl pull -q --verify=cosign --cosign-key /root/other/cosign.pub localhost:5000/hi:1")
    assert other.code == 1 and "no matching signatures" in other.stderr


def test_an_encrypted_image_runs_only_where_the_key_is(nodes: Nodes) -> None:
    nodes.out("cd /root && nerdctl image encrypt --recipient=jwe:cosign.pub hi:1 hi:locked")
    locked = nodes.run("nerdctl run --rm hi:locked")
    assert locked.code == 1 and "no suitable key unwrapper found" in locked.stderr
    nodes.out(
        "mkdir -p /etc/containerd/ocicrypt/keys; sed -e 1d -e '$d' /root/cosign.key | base64 -d > /etc/containerd/ocicrypt/keys/mine.pem"
    )
    assert nodes.out("nerdctl run --rm hi:locked") == "hi\n"


def test_an_image_comes_from_peers_by_its_content(nodes: Nodes) -> None:
    cid = ""
    for host in ("node01", "controlplane"):
        nodes.out("ipfs init; ipfs daemon > /dev/null 2>&1 &", host)
    cid = nodes.out("nerdctl push ipfs://hi:1 2>/dev/null").strip()
    assert cid.startswith("bafkrei")
    assert nodes.out(f"nerdctl run --rm -q ipfs://{cid}", host="controlplane") == "hi\n"
