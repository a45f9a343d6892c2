"""Containers: programs, signals as PID 1, exits, logs, files and ports."""

from __future__ import annotations

from simulator.core.host import files, processes
from simulator.core.kernel import network, snapshot
from simulator.core.kernel.http import Request
from simulator.core.runtime import containers, logs
from simulator.core.runtime.state import Container, find_container
from simulator.core.tables import SECTIONS

from .box import Box


def started(box: Box, command: str) -> Container:
    result = box.run(command)
    assert result.code == 0, result.err
    found = find_container(box.world, "box", result.out.strip().splitlines()[-1])
    assert found is not None
    return found


def get(box: Box, ip: str, port: int, path: str = "/") -> tuple[int, bytes]:
    host = ip if port == 80 else f"{ip}:{port}"
    answer = network.http(
        box.world, "box", ip, port, Request(method="GET", path=path, headers={"host": host, "user-agent": "curl/8.5.0"})
    )
    return answer.status, answer.body


def test_a_published_port_reaches_nginx(box: Box) -> None:
    web = started(box, "nerdctl run -d --name webserver -p 8080:80 nginx")
    assert get(box, "127.0.0.1", 8080)[0] == 200
    assert b"Welcome to nginx!" in get(box, "172.30.9.2", 8080)[1]
    assert get(box, "127.0.0.1", 8080, "/missing")[0] == 404
    text = "".join(logs.render(line) for line in logs.read(box.world, "box", web.log_path))
    assert '"GET /missing HTTP/1.1" 404 153 "-" "curl/8.5.0" "-"' in text
    files.write_file(box.world, "box", "/usr/share/nginx/html/index.html", b"mine\n", mnt=web.id)
    assert get(box, "127.0.0.1", 8080) == (200, b"mine\n")


def test_a_volume_shows_the_hosts_files(box: Box) -> None:
    files.write_file(box.world, "box", "/srv/site/index.html", b"from the host\n", parents=True)
    started(box, "nerdctl run -d -p 80:80 -v /srv/site:/usr/share/nginx/html nginx")
    assert get(box, "127.0.0.1", 80) == (200, b"from the host\n")
    files.write_file(box.world, "box", "/srv/site/index.html", b"changed\n")
    assert get(box, "127.0.0.1", 80) == (200, b"changed\n")


def test_sleep_as_pid_1_ignores_term(box: Box) -> None:
    slow, quick = started(box, "nerdctl run -d busybox sleep 3600"), started(box, "nerdctl run -d redis")
    for one in (slow, quick):
        containers.signal(box.world, "box", one, 15)
    box.wait(2)
    assert (slow.state, quick.state) == ("RUNNING", "EXITED")
    assert quick.exit_code == 0
    containers.signal(box.world, "box", slow, 9)
    box.wait(1)
    assert (slow.state, slow.exit_code) == ("EXITED", 137)


def test_stop_waits_for_the_grace_period(box: Box) -> None:
    started(box, "nerdctl run -d --name slow busybox sleep 3600")
    before = box.world.now
    assert box.run("nerdctl stop slow").code == 0
    assert 9.9 < (box.world.now - before) / 1e9 < 10.5


def test_a_killed_process_ends_its_container(box: Box) -> None:
    web = started(box, "nerdctl run -d nginx")
    main = processes.find(box.world, "box", web.pid)
    assert main is not None
    processes.kill(box.world, main, 9)
    box.wait(1)
    assert (web.state, web.exit_code, web.reason) == ("EXITED", 137, "Error")


def test_containers_outlive_their_daemon(box: Box) -> None:
    web = started(box, "nerdctl run -d -p 80:80 nginx")
    processes.kill(box.world, box.containerd, 15)
    assert get(box, "127.0.0.1", 80)[0] == 200
    box.start_containerd()
    assert web.id[:12] in box.run("nerdctl ps").out


def test_a_shells_output_and_status(box: Box) -> None:
    done = box.run("nerdctl run --name one busybox sh -c 'echo out; echo err >&2; exit 3'")
    assert done.code == 3
    assert done.out.endswith("out\n")
    assert done.err == "err\n"
    assert "Exited (3)" in box.run("nerdctl ps -a").out


def test_a_world_with_containers_is_stored_and_goes_on(box: Box) -> None:
    web = started(box, "nerdctl run -d -p 80:80 nginx")
    started(box, "nerdctl run -d busybox sleep 100")
    data = snapshot.dump(box.world)
    other = snapshot.load(data, SECTIONS)
    from simulator.core import tables

    tables.install(other, lambda *_: None)
    box.world = other
    assert get(box, "127.0.0.1", 80)[0] == 200
    box.wait(101)
    found = find_container(other, "box", web.id)
    assert found is not None
    assert found.state == "RUNNING"
    assert "Exited (0)" in box.run("nerdctl ps -a").out


def test_a_waiting_script_is_plain_data(box: Box) -> None:
    loop = started(box, "nerdctl run -d busybox sh -c 'while true; do echo tick; date; sleep 5; done'")
    once = started(box, "nerdctl run -d busybox sh -c 'echo begin; sleep 7; echo end; exit 4'")
    box.wait(12)
    ticks = [line.text for line in logs.read(box.world, "box", loop.log_path)]
    assert ticks.count("tick") == 3
    assert [line.text for line in logs.read(box.world, "box", once.log_path)] == ["begin", "end"]
    assert (once.state, once.exit_code) == ("EXITED", 4)
    from simulator.core.host import executor

    assert executor.get(box.world).idle()
