"""What docker's client refuses by itself, its help, and its commands on what a host has none of; the words are those of Docker 28."""

from __future__ import annotations

import json

import pytest

from simulator.core.sandbox import Sandbox


@pytest.fixture(scope="module")
def box() -> Sandbox:
    return Sandbox.boot("docker")


@pytest.fixture(scope="module")
def cluster() -> Sandbox:
    return Sandbox.boot("kubeadm-ready")


RUN = "\n\nUsage:  docker run [OPTIONS] IMAGE [COMMAND] [ARG...]\n\nRun 'docker run --help' for more information\n"
HINT = "\n\nRun 'docker run --help' for more information\n"


@pytest.mark.parametrize(
    ("command", "code", "error"),
    [
        ("docker run --ulimit foo busybox", 125, 'invalid argument "foo" for "--ulimit" flag: invalid ulimit argument: foo' + RUN),
        ("docker run --sysctl foo busybox", 125, "invalid argument \"foo\" for \"--sysctl\" flag: sysctl 'foo' is not allowed" + RUN),
        ("docker run --dns foo busybox", 125, 'invalid argument "foo" for "--dns" flag: IP address is not correctly formatted: foo' + RUN),
        ("docker run --add-host foo busybox", 125, 'invalid argument "foo" for "--add-host" flag: bad format for add-host: "foo"' + RUN),
        ("docker run --mount type=foo busybox", 125, 'invalid argument "type=foo" for "--mount" flag: target is required' + RUN),
        ("docker run --pid foo busybox", 125, "docker: --pid: invalid PID mode" + HINT),
        ("docker run --mac-address foo busybox", 125, "docker: foo is not a valid mac address" + HINT),
        ("docker run --label-file /nosuch busybox", 125, "docker: open /nosuch: no such file or directory" + HINT),
        ("docker run --cidfile /no/x busybox", 127, "docker: failed to create the container ID file: open /no/x: no such file or directory" + HINT),
        ("docker run --log-driver none --log-opt a=b busybox", 125, "docker: invalid logging opts for driver none" + HINT),
        ("docker system prune --filter foo -f", 125, 'invalid argument "foo" for "--filter" flag: bad format of filter (expected name=value)\n\nUsage:  docker system prune [OPTIONS]\n\nRun \'docker system prune --help\' for more information\n'),
        ("docker network foo", 1, "docker: unknown command: docker network foo\n\nUsage:  docker network\n\nRun 'docker network --help' for more information\n"),
        ("docker help foo", 1, "unknown help topic: foo\n"),
        ("docker --foo", 125, "unknown flag: --foo\n\nUsage:  docker [OPTIONS] COMMAND [ARG...]\n\nRun 'docker --help' for more information\n"),
        ("docker node ls", 1, 'Error response from daemon: This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node to swarm and try again.\n'),
        ("docker swarm leave", 1, "Error response from daemon: This node is not part of a swarm\n"),
        ("docker swarm init", 1, "docker: docker swarm init: not simulated in Slipway yet\n"),
        ("docker plugin inspect x", 1, 'Error response from daemon: plugin "x" not found\n'),
        ("docker manifest inspect nosuch/nosuch", 1, "no such manifest: docker.io/nosuch/nosuch:latest\n"),
        ("docker tag a UPPER", 1, 'Error parsing reference: "UPPER" is not a valid repository/tag: invalid reference format: repository name (library/UPPER) must be lowercase\n'),
    ],
)  # fmt: skip
def test_the_clients_own_refusals(box: Sandbox, command: str, code: int, error: str) -> None:
    done = box.run(command, host="docker01")
    assert (done.code, done.stderr.endswith(error)) == (code, True), done.stderr


def test_help_shows_defaults_as_pflag_does(box: Sandbox) -> None:
    text = box.run("docker run --help", host="docker01").stdout
    assert "  -m, --memory bytes                     Memory limit\n" in text
    assert "      --ulimit ulimit                    Ulimit options (default [])\n" in text
    assert "      --help                             Print usage\n" in text
    assert "                                         'private': Run the container in\n" in text
    group = box.run("docker network", host="docker01")
    assert (group.code, group.stdout, group.stderr[:30]) == (0, "", "Usage:  docker network COMMAND")
    root = box.run("docker --help", host="docker01").stdout
    assert "\nSwarm Commands:\n  swarm       Manage Swarm\n\n" in root


def test_what_a_registry_has_under_a_name(box: Sandbox) -> None:
    found = json.loads(box.run("docker manifest inspect nginx", host="docker01").stdout)
    assert found["mediaType"] == "application/vnd.oci.image.index.v1+json"
    assert {"architecture": "amd64", "os": "linux"} in [row["platform"] for row in found["manifests"]]


def test_a_context_travels_as_a_file(box: Sandbox) -> None:
    lines = [
        "docker context create far --docker host=tcp://10.0.0.9:2376 --description there",
        "docker context export far && docker context rm far && docker context import near far.dockercontext",
        "docker context update near --description here",
        "docker context ls --format '{{.Name}} {{.Description}} {{.DockerEndpoint}}' | tail -1",
        "docker context export far",
    ]
    done = [box.run(line, host="docker01") for line in lines]
    assert [one.code for one in done] == [0, 0, 0, 0, 1]
    assert done[3].stdout == "near here tcp://10.0.0.9:2376\n"
    assert done[1].stderr == 'Written file "far.dockercontext"\nSuccessfully imported context "near"\n'
    assert box.run("docker context create near --docker nohost=1", host="docker01").stderr == 'context "near" already exists\n'


@pytest.mark.parametrize(
    ("command", "code", "said"),
    [
        ("docker build -o out .", 1, "docker: docker build --output: not simulated in Slipway yet\n"),
        ("nerdctl run --rootfs /x sh", 1, "nerdctl run --rootfs: not simulated in Slipway yet\n"),
        ("nerdctl image convert --soci a b", 1, "nerdctl image convert --soci: not simulated in Slipway yet\n"),
        ("nerdctl checkpoint ls a", 1, "nerdctl checkpoint ls: not simulated in Slipway yet\n"),
        ("nerdctl manifest --help", 0, "Manage image manifests.\n"),
        ("nerdctl run --help", 0, "--cgroup-conf strings"),
    ],
)
def test_what_nothing_here_can_do_says_so(box: Sandbox, cluster: Sandbox, command: str, code: int, said: str) -> None:
    nerdctl = command.startswith("nerdctl")
    done = (cluster if nerdctl else box).run(command, host="controlplane" if nerdctl else "docker01")
    assert (done.code, said in done.stdout + done.stderr) == (code, True), done.stdout + done.stderr


def test_events_tell_commands_and_volumes(box: Sandbox) -> None:
    for line in (
        "docker run -d --name told -v kept:/d busybox sleep 1000",
        "docker exec told false",
        "docker stop -t 0 told",
    ):
        box.run(line, host="docker01")
    form = "{{.Type}} {{.Action}} {{.Actor.Attributes.exitCode}}"
    lines = box.run(f"docker events --since 5m --until 0s --format '{form}'", host="docker01").stdout.splitlines()
    seen = [line.replace(" <no value>", "") for line in lines[lines.index("volume create <no value>") :]]
    assert seen == [
        "volume create", "container create", "network connect", "volume mount", "container start", "container exec_create: false",
        "container exec_start: false", "container exec_die 1", "container kill", "container kill", "container die 137", "network disconnect", "volume unmount",
        "container stop",
    ]  # fmt: skip
