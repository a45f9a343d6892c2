"""podman: images of one's own and a registry, archives, names in full, an engine apart from Docker's; what Docker has not says so."""

from __future__ import annotations

import pytest

from simulator.core.sandbox import Sandbox


@pytest.fixture(scope="module")
def snapshot() -> bytes:
    sandbox = Sandbox.boot("playground-ubuntu", 1)
    sandbox.run(
        'mkdir -p /root/b; printf \'FROM alpine\\nRUN echo hi > /x\\nCMD ["cat","/x"]\\n\' > /root/b/Dockerfile', host="ubuntu"
    )
    made = sandbox.run(
        "podman build -t app:1.0 /root/b && podman run -d --name registry -p 5000:5000 docker.io/library/registry:2",
        host="ubuntu",
    )
    assert made.code == 0, made
    assert "STEP 2/3: RUN echo hi > /x\n" in made.stdout
    assert "Successfully tagged localhost/app:1.0\n" in made.stdout
    assert "Trying to pull docker.io/library/registry:2...\n" in made.stderr
    return sandbox.snapshot()


@pytest.mark.parametrize(
    ("command", "said", "code"),
    [
        ("podman --version", "podman version 4.9.3\n", 0),
        ("podman run --rm app:1.0", "hi\n", 0),
        ("podman images --format '{{.Repository}}:{{.Tag}}'", "localhost/app:1.0\ndocker.io/library/registry:2\n", 0),
        ("docker ps -aq; docker images -q", "", 0),
        ("podman tag app:1.0 localhost:5000/app:2; podman push --tls-verify=false localhost:5000/app:2 >/dev/null; curl -s localhost:5000/v2/_catalog", '{"repositories":["app"]}\n', 0),
        ("podman save --format oci-archive -o /a.tar app:1.0; tar tf /a.tar | grep -cx -e oci-layout -e index.json; podman rmi app:1.0 >/dev/null; podman load -qi /a.tar; podman run --rm localhost/app:1.0", "2\nLoaded image: localhost/app:1.0\nhi\n", 0),
        ("podman ps --format '{{.Names}} {{.Image}}'; podman stop registry; podman rm registry; podman ps -aq", "registry docker.io/library/registry:2\nregistry\nregistry\n", 0),
        ("podman run nothing-there 2>&1 | tail -n 1 | cut -c 1-60", "Error: initializing source docker://docker.io/library/nothin\n", 0),
        ("podman pod ls 2>&1", "podman pod: not simulated in Slipway yet\n", 1),
        ("podman frobnicate 2>&1", "Error: unrecognized command `podman frobnicate`\nTry 'podman --help' for more information\n", 125),
    ],
)  # fmt: skip
def test_commands(snapshot: bytes, command: str, said: str, code: int) -> None:
    result = Sandbox.restore(snapshot).run(command, host="ubuntu")
    assert (result.stdout, result.code) == (said, code), result.stderr
