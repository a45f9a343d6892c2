"""nginx and Apache on a machine, in containers and pods, and the small tools around them."""

from __future__ import annotations

import pytest

from simulator.core.host import apr1
from simulator.core.kernel.clock import SECOND
from simulator.core.runtime.programs import nginxconf
from simulator.core.sandbox import Sandbox

SITE = r"""
upstream back { server 127.0.0.1:9001; server 127.0.0.1:9002 weight=2; server 127.0.0.1:9003 backup; }
map $http_x_kind $kind { default plain; ~^b big; }
server {
  listen 8080; server_name app.local;
  location / { proxy_pass http://back; proxy_set_header X-Real-IP $remote_addr; }
  location /api/ { return 200 "$uri $host $kind\n"; }
  location ~ ^/u/(\d+)$ { return 301 /user?id=$1; }
  location = /health { access_log off; add_header X-A b; default_type text/plain; return 200 ok; }
  location /files/ { alias /srv/files/; autoindex on; }
  location /old { rewrite ^/old/(.*)$ /api/$1 last; }
  location /shut { deny all; }
  location /in { auth_basic "Door"; auth_basic_user_file /etc/nginx/users; alias /srv/files/a.txt; }
  location /gone { proxy_pass http://127.0.0.1:9; }
  error_page 502 /sorry.html;
  location = /sorry.html { root /srv; }
}
server { listen 9001; return 200 "one\n"; }
server { listen 9002; location / { return 200 "two $http_x_real_ip\n"; } }
"""


@pytest.fixture(scope="module")
def machine() -> Sandbox:
    """A machine with Docker, nginx and its site."""
    box = Sandbox.boot("playground-ubuntu", 1)
    done = box.run(
        "apt-get update -qq && apt-get install -y -qq nginx apache2-utils zip unzip docker-compose >/dev/null; echo $?",
        host="ubuntu",
        limit=300 * SECOND,
    )
    assert done.stdout.rstrip().endswith("0"), done.stdout + done.stderr
    return box


def run(box: Sandbox, text: str) -> str:
    """What a line prints, both outputs."""
    found = box.run(text, host="ubuntu", limit=120 * SECOND)
    return found.stdout + found.stderr


def test_a_site_is_tested_reloaded_and_served(machine: Sandbox) -> None:
    """Servers, locations, upstreams, rewriting, access and error pages as the configuration says, once it has been reloaded."""
    run(
        machine,
        f"mkdir -p /srv/files && echo x > /srv/files/a.txt; echo sorry > /srv/sorry.html; htpasswd -cb /etc/nginx/users bob s3cret; cat > /etc/nginx/sites-enabled/app <<'X'\n{SITE}\nX",
    )
    assert "Connection refused" in run(machine, "curl -sS localhost:8080") or "Couldn't connect" in run(
        machine, "curl -sS localhost:8080"
    )
    assert "test is successful" in run(machine, "nginx -t")
    run(machine, "systemctl reload nginx")
    assert [run(machine, "curl -s localhost:8080") for _ in range(3)] == ["one\n", "two 127.0.0.1\n", "two 127.0.0.1\n"]
    assert run(machine, "curl -s -H 'X-Kind: bus' localhost:8080/api/x") == "/api/x localhost big\n"
    assert run(machine, "curl -s localhost:8080/old/y") == "/api/y localhost plain\n"
    assert "Location: http://localhost:8080/user?id=12" in run(machine, "curl -sI localhost:8080/u/12")
    health = run(machine, "curl -si localhost:8080/health")
    assert "X-A: b" in health and "Content-Type: text/plain" in health and health.endswith("ok")
    assert ">a.txt</a>" in run(machine, "curl -s localhost:8080/files/")
    assert "403 Forbidden" in run(machine, "curl -s localhost:8080/shut")
    assert run(machine, "curl -s -o /dev/null -w '%{http_code}' localhost:8080/in") == "401"
    assert run(machine, "curl -s -u bob:s3cret localhost:8080/in") == "x\n"
    assert run(machine, "curl -s -u bob:wrong -o /dev/null -w '%{http_code}' localhost:8080/in") == "401"
    assert run(machine, "curl -s -w ' %{http_code}' localhost:8080/gone") == "sorry\n 502"
    log = run(machine, "tail -1 /var/log/nginx/access.log; tail -1 /var/log/nginx/error.log")
    assert '"GET /gone HTTP/1.1" 502' in log and "connect() failed (111: Connection refused) while connecting to upstream" in log


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("foo bar;", 'unknown directive "foo"'),
        ("server { listen 81 root /x; }", 'invalid parameter "root"'),
        ("server { listen 81; ", 'unexpected end of file, expecting "}"'),
        ("server { root; }", 'invalid number of arguments in "root" directive'),
        ("listen 80;", '"listen" directive is not allowed here'),
        ("server { location / { proxy_pass http://nosuch.invalid; } }", 'host not found in upstream "nosuch.invalid"'),
        ("server { listen 443 ssl; }", 'no "ssl_certificate" is defined'),
        ("server { listen 82; location / { root /x }", 'unexpected "}"'),
    ],
)
def test_a_wrong_configuration_is_refused_in_nginxs_words(machine: Sandbox, text: str, said: str) -> None:
    """`nginx -t` names what is wrong and where; the running server goes on."""
    told = run(
        machine,
        f"echo '{text}' > /etc/nginx/conf.d/a.conf; nginx -t; echo $?; nginx -s reload; rm /etc/nginx/conf.d/a.conf; curl -sI localhost | head -1",
    )
    assert said in told and "test failed" in told and "HTTP/1.1 200 OK" in told
    assert "/etc/nginx/conf.d/a.conf" in told


def test_a_daemon_leaves_the_shell(machine: Sandbox) -> None:
    """`nginx` without a unit returns and serves; a second one finds the port taken; `-s quit` ends it."""
    assert run(machine, "systemctl stop nginx; nginx; echo $?; curl -sI localhost | head -1") == "0\nHTTP/1.1 200 OK\r\n"
    assert "98: Address already in use" in run(machine, "nginx")
    assert "Couldn't connect" in run(machine, "nginx -s quit; curl localhost") and "active" in run(
        machine, "systemctl start nginx; systemctl is-active nginx"
    )


def test_a_container_reads_its_configuration_when_it_starts(machine: Sandbox) -> None:
    """A mounted configuration with a name of Docker's resolver, an upstream that goes away, and a snapshot in between."""
    run(
        machine,
        "docker network create n1; docker run -d --name app --network n1 nginx; mkdir c; echo 'server { listen 80; location / { proxy_pass http://app; } }' > c/default.conf",
    )
    run(machine, "docker run -d --name px --network n1 -p 8089:80 -v $PWD/c:/etc/nginx/conf.d nginx:1.27")
    box = Sandbox.restore(machine.snapshot())
    assert "Welcome to nginx!" in run(box, "curl -s localhost:8089")
    run(box, "docker rm -f app")
    assert "502 Bad Gateway" in run(box, "curl -s localhost:8089")
    assert "nginx: [emerg] host not found in upstream" in run(box, "docker restart px; docker logs px")
    assert "nginx version: nginx/1.27" in run(box, "docker run --rm nginx:1.27 nginx -v")


def test_archives_and_the_old_composes_name(machine: Sandbox) -> None:
    """`zip` and `unzip` carry files, folders and modes; `docker-compose` is `docker compose`."""
    told = run(
        machine,
        "cd /tmp; mkdir -p d/e; echo hello > d/e/f; printf '#!/bin/sh\\necho ran\\n' > d/s; chmod 755 d/s; zip -qr a.zip d; rm -r d; unzip -o a.zip; cat d/e/f; d/s; unzip -l a.zip | tail -1",
    )
    assert "inflating" in told or "extracting" in told
    assert "hello\nran\n" in told and "4 files" in told
    assert "cannot find or open nothere" in run(machine, "unzip nothere")
    # a byte of what is stored has changed: it is told, and is no traceback
    damage = "cd /tmp; rm -f b.zip; echo hello > g; zip -q0 b.zip g; sed -i s/hello/hallo/ b.zip; "
    assert "bad CRC g" in run(machine, damage + "rm g; unzip b.zip; echo $?; ls g")
    told = run(machine, damage + "unzip -t b.zip; echo $?")
    assert "At least one error was detected in b.zip.\n2\n" in told
    assert run(machine, "cd /tmp; zip -q b.zip g; echo $?") == "3\n\nzip error: Zip file structure invalid (b.zip)\n"
    assert "No errors detected in compressed data of a.zip.\n0\n" in run(machine, "cd /tmp; unzip -t a.zip; echo $?")


@pytest.mark.parametrize("expression", ["(a|a)*$", "(a|aa)+$", "(a*)*$", "((a+)b?)+$"])
def test_an_expression_that_could_run_for_ever_is_refused(machine: Sandbox, expression: str) -> None:
    told = run(
        machine,
        f"echo 'server {{ location ~ {expression} {{ }} }}' > /etc/nginx/conf.d/re.conf; nginx -t; rm /etc/nginx/conf.d/re.conf",
    )
    assert "not simulated in Slipway yet" in told
    assert "Docker Compose version" in run(machine, "docker-compose --version")


def test_apache_serves_its_sites() -> None:
    """Virtual hosts by name and port, sites switched on and off, access lines in its file."""
    box = Sandbox.boot("playground-ubuntu", 1)
    run(box, "apt-get update -qq; apt-get install -y -qq apache2 >/dev/null")
    assert "It works!" in run(box, "curl -s localhost")
    run(
        box,
        "mkdir /srv/b; echo bee > /srv/b/index.html; printf 'Listen 80\\nListen 8081\\n' > /etc/apache2/ports.conf; printf '<VirtualHost *:8081>\\nServerName b.local\\nDocumentRoot /srv/b\\n</VirtualHost>\\n' > /etc/apache2/sites-available/b.conf",
    )
    assert "Enabling site b." in run(box, "a2ensite b && apache2ctl configtest && systemctl reload apache2")
    assert run(box, "curl -s localhost:8081") == "bee\n"
    assert '"GET / HTTP/1.1" 200' in run(box, "tail -1 /var/log/apache2/access.log")


def test_passwords_as_apache_keeps_them() -> None:
    """Known pairs of `openssl passwd -apr1` and `-1`; another word does not fit."""
    assert apr1.apr1("myPassword", "r31.....") == "$apr1$r31.....$HqJZimcKQFAMYayBlzkrA/"
    assert apr1.fits("myPassword", "$apr1$r31.....$HqJZimcKQFAMYayBlzkrA/") and not apr1.fits(
        "other", "$apr1$r31.....$HqJZimcKQFAMYayBlzkrA/"
    )
    assert apr1.fits("myPassword", "{SHA}VBPuJHI7uixaa6LQGWx4s+5GKNE=")


def test_locations_in_nginxs_order() -> None:
    """Exact, the longest prefix with `^~`, expressions as they stand, the longest prefix."""
    text = "events {} http { server { location / {} location /a {} location ^~ /a/b {} location = /a {} location ~ \\.png$ {} location ~* \\.GIF$ {} } }"
    (server,) = nginxconf.servers(nginxconf.read((("/etc/nginx/nginx.conf", text),)))

    def chosen(path: str) -> tuple[str, ...]:
        return nginxconf.location_for(server, path)[0][-1].args

    assert [chosen(p) for p in ("/", "/a", "/a/x", "/a/b/c.png", "/x.png", "/x.gif")] == [
        ("/",),
        ("=", "/a"),
        ("/a",),
        ("^~", "/a/b"),
        ("~", "\\.png$"),
        ("~*", "\\.GIF$"),
    ]
    assert nginxconf.search("(a+)+$", "a" * 40 + "b") is None


def test_docker_is_installed_beside_a_cluster() -> None:
    """get.docker.com and Ubuntu's packages bring an engine; the kubelet goes on with containerd, and a project's newest release is told."""
    box = Sandbox.boot("playground-1node", 1)

    def on(text: str) -> str:
        found = box.run(text, host="controlplane", limit=300 * SECOND)
        return found.stdout + found.stderr

    assert "Server: Docker Engine" in on("curl -fsSL https://get.docker.com | sh")
    on(
        "docker run -d --name web -p 8080:80 nginx; kubectl run x --image=nginx; kubectl wait --for=condition=Ready pod/x --timeout=60s"
    )
    assert "HTTP/1.1 200 OK" in on("curl -sI localhost:8080")
    assert on("kubectl get pod x --no-headers | tr -s ' ' | cut -d' ' -f3") == "Running\n"
    assert on("curl -s https://api.github.com/repos/etcd-io/etcd/releases/latest | grep tag_name | cut -d '\"' -f4").startswith(
        "v3.6."
    )
    assert on(
        "curl -sLo /usr/local/bin/docker-compose https://github.com/docker/compose/releases/latest/download/docker-compose-linux-x86_64; chmod +x /usr/local/bin/docker-compose; docker-compose version"
    ).startswith("Docker Compose version")
