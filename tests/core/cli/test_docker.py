"""docker on a host with Docker's engine: what a learner types and what comes back."""

from __future__ import annotations

import pytest

from simulator.core.sandbox import RunResult, Sandbox


class Host:
    """A host of a scenario; `run` types a command there."""

    def __init__(self, scenario: str = "docker", name: str = "docker01") -> None:
        self.box = Sandbox.boot(scenario)
        self.name = name

    def run(self, command: str, **more: str) -> RunResult:
        return self.box.run(command, host=more.get("host", self.name), user=more.get("user", "root"))

    def out(self, command: str) -> str:
        done = self.run(command)
        assert done.code == 0, done.stderr
        return done.stdout

    def wait(self, seconds: float) -> None:
        self.box.advance(self.box.now + int(seconds * 1e9))


@pytest.fixture(scope="module")
def booted() -> Host:
    return Host()


@pytest.fixture
def docker(booted: Host) -> Host:
    fresh = Host.__new__(Host)
    fresh.box, fresh.name = Sandbox.restore(booted.box.snapshot()), booted.name
    return fresh


def test_run_publishes_a_port_and_lists_the_container(docker: Host) -> None:
    done = docker.run("docker run -d --name web -p 8080:80 nginx")
    assert done.code == 0 and len(done.stdout.strip()) == 64
    assert done.stderr.startswith("Unable to find image 'nginx:latest' locally\nlatest: Pulling from library/nginx\n")
    assert "Status: Downloaded newer image for nginx:latest\n" in done.stderr
    docker.wait(3)
    head, row = docker.out("docker ps").splitlines()
    assert (
        head
        == "CONTAINER ID   IMAGE     COMMAND                  CREATED         STATUS         PORTS                                     NAMES"
    )
    assert row.endswith(
        '   nginx     "/docker-entrypoint.…"   3 seconds ago   Up 3 seconds   0.0.0.0:8080->80/tcp, [::]:8080->80/tcp   web'
    )
    assert "Welcome to nginx!" in docker.out("curl -s localhost:8080")
    assert "172.17.0.1 - - [" in docker.out("docker logs web 2>/dev/null")
    assert docker.out("ctr -n moby containers ls -q").strip() == done.stdout.strip()
    assert docker.out("docker port web") == "80/tcp -> 0.0.0.0:8080\n80/tcp -> [::]:8080\n"


def test_what_is_refused_is_refused_in_dockers_words(docker: Host) -> None:
    for command, code, error in (
        ("docker nosuch", 1, "docker: unknown command: docker nosuch\n\nRun 'docker --help' for more information\n"),
        (
            "docker ps --nosuch",
            125,
            "unknown flag: --nosuch\n\nUsage:  docker ps [OPTIONS]\n\nRun 'docker ps --help' for more information\n",
        ),
        ("docker logs nosuch", 1, "Error response from daemon: No such container: nosuch\n"),
        ("docker rmi nosuch", 1, "Error response from daemon: No such image: nosuch:latest\n"),
        ("docker inspect nosuch", 1, "Error: No such object: nosuch\n"),
        ("docker network rm bridge", 1, "Error response from daemon: bridge is a pre-defined network and cannot be removed\n"),
        ("docker volume inspect nosuch", 1, "Error response from daemon: get nosuch: no such volume\n"),
        (
            "docker pull nosuch/nosuch -q",
            1,
            "Error response from daemon: pull access denied for nosuch/nosuch, repository does not exist or may require 'docker login': denied: requested access to the resource is denied\n",
        ),
        (
            "docker pull nginx:nosuch",
            1,
            "Error response from daemon: manifest for nginx:nosuch not found: manifest unknown: manifest unknown\n",
        ),
    ):
        done = docker.run(command)
        assert (done.code, done.stderr) == (code, error), command
    usage = docker.run("docker run")
    assert usage.code == 1 and usage.stderr.startswith(
        "docker: 'docker run' requires at least 1 argument\n\nUsage:  docker run [OPTIONS] IMAGE"
    )
    missing = docker.run("docker run alpine nosuch")
    assert missing.code == 127 and 'exec: "nosuch": executable file not found in $PATH' in missing.stderr
    denied = docker.run("docker ps", user="ubuntu")
    assert denied.stderr.startswith(
        "permission denied while trying to connect to the Docker daemon socket at unix:///var/run/docker.sock"
    )


def test_a_multi_stage_build_runs_its_commands_caches_them_and_makes_an_image(docker: Host) -> None:
    docker.run(
        "mkdir /root/app; echo hi > /root/app/page; echo secret > /root/app/left-out; echo left-out > /root/app/.dockerignore"
    )
    text = "FROM alpine:3.20 AS work\\nARG NAME=world\\nRUN echo hello \\$NAME > /greeting\\nFROM nginx:alpine\\nENV A=1 B='two words'\\n"
    text += "COPY --from=work /greeting /usr/share/nginx/html/\\nCOPY . /ctx/\\nWORKDIR /srv\\nHEALTHCHECK --interval=2s CMD test -f /ctx/page\\n"
    docker.run(f'printf "{text}" > /root/app/Dockerfile')
    built = docker.run("cd /root/app && docker build --build-arg NAME=you -t site:1 .")
    assert built.code == 0 and " [work 2/2] RUN echo hello $NAME > /greeting\n" in built.stderr
    assert "naming to docker.io/library/site:1 done\n" in built.stderr and "CACHED" not in built.stderr
    again = docker.run("cd /root/app && docker build --build-arg NAME=you -t site:2 .")
    assert again.stderr.count("CACHED") == 6
    other = docker.run(
        "cd /root/app && docker build --build-arg NAME=me -t site:3 . && docker run --rm site:3 cat /usr/share/nginx/html/greeting"
    )
    assert other.stdout == "hello me\n"
    docker.out("docker run -d --name site -P site:1")
    docker.wait(7)
    assert "(healthy)" in docker.out("docker ps")
    assert docker.out("docker exec site sh -c 'pwd; ls /ctx; echo $B'") == "/srv\nDockerfile\npage\ntwo words\n"
    assert docker.out("curl -s localhost:$(docker port site 80 | head -1 | cut -d: -f2)/greeting") == "hello you\n"


def test_builds_fail_as_buildkit_says(docker: Host) -> None:
    docker.run("mkdir /root/b; printf 'FROM alpine\\nRUN false\\n' > /root/b/Dockerfile")
    done = docker.run("docker build /root/b")
    assert done.code == 1
    assert done.stderr.endswith(
        'ERROR: failed to build: failed to solve: process "/bin/sh -c false" did not complete successfully: exit code: 1\n'
    )
    assert "Dockerfile:2\n--------------------\n   1 |     FROM alpine\n   2 | >>> RUN false\n" in done.stderr
    docker.run("printf 'FROM alpine\\nCOPY nosuch /\\n' > /root/b/Dockerfile")
    assert '"/nosuch": not found' in docker.run("docker build /root/b").stderr
    docker.run("printf 'FRM alpine\\n' > /root/b/Dockerfile")
    assert (
        "dockerfile parse error on line 1: unknown instruction: FRM (did you mean FROM?)"
        in docker.run("docker build /root/b").stderr
    )
    assert "open Dockerfile: no such file or directory" in docker.run("docker build /tmp").stderr


def test_containers_on_a_user_network_find_each_other_by_name(docker: Host) -> None:
    docker.out("docker network create app")
    docker.out("docker run -d --name cache --network app --network-alias store redis:alpine")
    assert "172.18.0.2" in docker.out("docker run --rm --network app busybox nslookup store")
    assert docker.run("docker run --rm busybox nslookup cache").code != 0
    used = docker.run("docker network rm app")
    assert used.code == 1 and 'network app has active endpoints (name:"cache"' in used.stderr
    docker.out("docker rm -f cache && docker network rm app")


def test_volumes_outlive_containers(docker: Host) -> None:
    docker.out("docker run --name one -v data:/data alpine sh -c 'echo 1 > /data/f'")
    assert docker.out("docker run --rm -v data:/data alpine cat /data/f") == "1\n"
    assert docker.run("docker volume rm data").stderr.startswith("Error response from daemon: remove data: volume is in use - [")
    docker.out("docker rm one && docker volume rm data")
    docker.out("docker run --rm -v /srv/page:/usr/share/nginx/html:ro nginx ls /usr/share/nginx/html")


def test_commit_save_and_load_carry_an_image_to_another_host() -> None:
    both = Host("docker-two")
    both.out("docker run --name made alpine sh -c 'echo kept > /kept'")
    assert both.out("docker diff made") == "A /kept\n"
    both.out("docker commit -m note made kept:1 && docker save -o /root/kept.tar kept:1")
    listed = both.out("tar tf /root/kept.tar")
    assert "oci-layout\n" in listed and "manifest.json\n" in listed
    data = both.box.run("cat /root/kept.tar | base64", host="docker01").stdout
    both.box.run("base64 -d > /root/kept.tar", host="docker02", stdin=data.encode())
    loaded = both.run("docker load -i /root/kept.tar && docker run --rm kept:1 cat /kept", host="docker02")
    assert loaded.stdout == "Loaded image: kept:1\nkept\n"


def test_restart_policies_and_health_are_the_engines_business(docker: Host) -> None:
    docker.out("docker run -d --name again --restart always alpine sh -c 'sleep 1; exit 3'")
    docker.wait(20)
    count = int(docker.out("docker inspect -f '{{.RestartCount}}' again"))
    assert 3 <= count <= 8
    docker.out("docker stop again")
    docker.wait(30)
    assert docker.out("docker inspect -f '{{.State.Status}} {{.RestartCount}}' again").startswith("exited ")
    docker.out("docker run -d --name sick --health-cmd 'test -f /ok' --health-interval 1s --health-retries 2 alpine sleep 1000")
    docker.wait(5)
    assert docker.out("docker inspect -f '{{.State.Health.Status}}' sick") == "unhealthy\n"
    docker.out("docker exec sick touch /ok")
    docker.wait(2)
    assert "(healthy)" in docker.out("docker ps")


def test_a_daemon_that_stops_takes_its_containers_along_and_brings_back_those_that_restart(docker: Host) -> None:
    docker.out("docker run -d --name stays --restart unless-stopped nginx; docker run -d --name goes nginx")
    docker.out("systemctl stop docker")
    assert (
        docker.run("docker ps").stderr
        == "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?\n"
    )
    docker.out("systemctl start docker")
    docker.wait(2)
    assert docker.out("docker ps --format '{{.Names}}'") == "stays\n"
    assert "Exited (137)" in docker.out("docker ps -a --filter name=goes --format '{{.Status}}'")


def test_compose_brings_a_project_up_and_down(docker: Host) -> None:
    text = (
        "services:\\n  web:\\n    image: nginx:alpine\\n    ports: ['8088:80']\\n    depends_on:\\n      cache:\\n        condition: service_healthy\\n"
        "  cache:\\n    image: redis:alpine\\n    healthcheck: {test: ['CMD', 'true'], interval: 1s}\\n    volumes: ['data:/data']\\nvolumes:\\n  data:\\n"
    )
    docker.run(f'mkdir /root/shop; printf "{text}" > /root/shop/compose.yaml')
    up = docker.run("cd /root/shop && docker compose up -d")
    assert up.code == 0
    lines = [line.strip() for line in up.stderr.splitlines() if line.startswith(" ")]
    assert lines.index("Container shop-cache-1  Healthy") < lines.index("Container shop-web-1  Started")
    assert "Network shop_default  Created" in lines
    names = docker.out("cd /root/shop && docker compose ps --format '{{.Name}} {{.Service}} {{.State}}'")
    assert names == "shop-cache-1 cache running\nshop-web-1 web running\n"
    assert "Welcome to nginx" in docker.out("curl -s localhost:8088")
    docker.out("cd /root/shop && docker compose scale cache=2")
    assert docker.out("docker ps -q | wc -l").strip() == "3"
    assert "name: shop\n" in docker.out("cd /root/shop && docker compose config")
    docker.out("cd /root/shop && docker compose down -v")
    assert docker.out("docker ps -aq; docker volume ls -q; docker network ls -q | wc -l").strip() == "3"


def test_worlds_with_docker_can_be_stored_and_give_the_same_again(docker: Host) -> None:
    docker.out("docker run -d --name web --restart always -p 80:80 nginx")
    again = Sandbox.restore(docker.box.snapshot())
    assert again.digest() == docker.box.digest()
    assert again.run("docker ps --format '{{.Names}}'", host="docker01").stdout == "web\n"


@pytest.mark.parametrize(
    "text",
    [
        "services: [", "- 1", "foo: 1", "services: 3", "services:\\n  a: 3", "services:\\n  a: {}", "services:\\n  a: {image: nginx, foo: 1}",
        "services:\\n  a: {image: nginx, depends_on: [b]}", "services:\\n  a: {image: nginx, networks: [q]}", "services:\\n  a: {image: nginx, ports: [x]}",
        "services:\\n  a: {image: nginx, healthcheck: {interval: zz, test: x}}", "services:\\n  a: {image: nginx, mem_limit: much}",
    ],
)  # fmt: skip
def test_compose_files_that_are_wrong_are_refused_with_a_reason(docker: Host, text: str) -> None:
    docker.run(f'mkdir /root/wrong; printf "{text}\\n" > /root/wrong/compose.yaml')
    done = docker.run("cd /root/wrong && docker compose up -d")
    assert done.code != 0 and done.stderr.strip()


def test_contexts_are_kept_one_file_each(docker: Host) -> None:
    docker.out("docker context create far --docker host=tcp://192.0.2.1:2375 && docker context use far")
    assert (
        docker.run("docker ps").stderr
        == "Cannot connect to the Docker daemon at tcp://192.0.2.1:2375. Is the docker daemon running?\n"
    )
    docker.out("docker context use default && docker context rm far")
    assert "far" not in docker.out("docker context ls")


def test_templates_miss_fields_as_the_client_does(docker: Host) -> None:
    docker.out("docker run -d --name web -l app=x -l com.a.my-key=v nginx:alpine")
    assert docker.out('docker ps --format \'{{.Label "app"}}|{{.Label "no"}}\'') == "x|\n"
    assert docker.out("docker ps --format 'table {{.Names}}\\t{{.Label \"com.a.my-key\"}}'") == "NAMES     my key\nweb       v\n"
    done = docker.run("docker ps --format '{{.Nope}}'")
    told = 'failed to execute template: template: :1:2: executing "" at <.Nope>: can\'t evaluate field Nope in type *formatter.ContainerContext\n'
    assert (done.code, done.stderr) == (1, told)
    done = docker.run("docker inspect -f '{{.State.Health.Status}}' web")
    told = 'template parsing error: template: :1:8: executing "" at <.State.Health.Status>: map has no entry for key "Health"\n'
    assert (done.code, done.stdout, done.stderr) == (1, "\n", told)
    assert docker.run("docker inspect -f '{{.Id' web").code == 64
    shown = docker.out(
        "docker inspect -f '{{.HostConfig.CapAdd}} {{json .HostConfig.CapAdd}} {{.State.Health}} {{.Config.Labels.no}}' web"
    )
    assert shown == "[] null <nil> <no value>\n"


def test_a_directory_is_no_program(docker: Host) -> None:
    docker.out("docker run -d --name web nginx:alpine")
    done = docker.run("docker exec web /etc")
    assert done.code == 126 and 'exec: "/etc": is a directory: unknown' in done.stdout
    done = docker.run("docker run --rm --entrypoint /etc nginx:alpine")
    assert done.code == 126 and 'error during container init: exec: "/etc": is a directory: unknown' in done.stderr
    assert docker.run("docker compose nope").code == 16
