"""Servers of images: a registry of one's own, Redis and its client, whoami, Python's file server."""

from __future__ import annotations

from .box import Box


def test_a_registry_takes_images_and_gives_them_back(box: Box) -> None:
    box.run("nerdctl run -d -q -p 5000:5000 --name reg registry:2")
    box.run("nerdctl pull -q busybox")
    box.run("nerdctl tag busybox localhost:5000/team/box:1")
    assert box.run("nerdctl push -q localhost:5000/team/box:1").code == 0
    assert box.run("curl -s localhost:5000/v2/_catalog").out == '{"repositories":["team/box"]}\n'
    assert box.run("curl -s localhost:5000/v2/team/box/tags/list").out == '{"name":"team/box","tags":["1"]}\n'
    box.run("nerdctl rmi localhost:5000/team/box:1")
    assert box.run("nerdctl run --rm -q localhost:5000/team/box:1 echo back").out == "back\n"
    assert "not found" in box.run("nerdctl pull localhost:5000/team/box:2").err
    assert "http: server gave HTTP response to HTTPS client" in box.run("nerdctl pull 172.30.9.2:5000/team/box:1").err
    assert "connection refused" in box.run("nerdctl pull localhost:5001/team/box:1").err


def test_redis_answers_its_client(box: Box) -> None:
    box.run("nerdctl run -d -q --name cache redis:7 --requirepass secret")
    cli = "nerdctl exec cache redis-cli -a secret"
    assert box.run("nerdctl exec cache redis-cli get a").out == "NOAUTH Authentication required.\n"
    for command, answer in (
        ("ping", "PONG\n"), ("set a 1", "OK\n"), ("incr a", "2\n"), ("get nosuch", "\n"), ("rpush l x y", "2\n"), ("lrange l 0 -1", "x\ny\n"), ("hset h f 1 g 2", "2\n"),
        ("hgetall h", "f\n1\ng\n2\n"), ("get l", "WRONGTYPE Operation against a key holding the wrong kind of value\n"), ("dbsize", "3\n"), ("set t 1 EX 10", "OK\n"), ("ttl t", "10\n"),
        ("nosuch a", "ERR unknown command 'nosuch', with args beginning with: 'a' \n"), ("get", "ERR wrong number of arguments for 'get' command\n"),
    ):  # fmt: skip
        assert box.run(f"{cli} {command}").out == answer, command
    box.wait(11)
    assert box.run(f"{cli} exists t").out == "0\n"
    assert "Connection refused" in box.run("nerdctl exec cache redis-cli -p 7000 ping").err


def test_small_http_servers_say_what_they_are(box: Box) -> None:
    box.run("nerdctl run -d -q --name who -p 8001:80 traefik/whoami")
    assert box.run("curl -s localhost:8001").out.startswith("Hostname: ")
    box.run("nerdctl run -d -q --name echo -p 8002:5678 hashicorp/http-echo -text=hello")
    assert box.run("curl -s localhost:8002").out == "hello\n"
    box.run("nerdctl run -d -q --name py -p 8003:8000 -w /srv python:3.12-slim python3 -m http.server")
    assert "Directory listing for /" in box.run("curl -s localhost:8003/").out
    assert 'GET / HTTP/1.1" 200 -' in box.run("nerdctl logs py").err
