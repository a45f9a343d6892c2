"""The catalogue of the simulated registry: which images there are, their tags, layers, configuration and what is in them.

Digests are not those of the real registries: they are made from the names, so they are the same in every world.  Sizes of
layers are rounded from the real images (compressed, linux/amd64).  `build` names one version: `<repository>:<version>`; several
tags may point at one build, as they do in reality.
"""

from __future__ import annotations

from functools import lru_cache

from ..kernel.versions import OTHER_IMAGES, PATCH, VERSION
from . import more_images, releases
from .build import KIB, KUBE, MIB, MULTI, PATH, Build
from .builders import database, environment, nginx, plain, redis

__all__ = ["BUILDS", "KIB", "KUBE", "MIB", "MULTI", "PATH", "REGISTRIES", "REPOSITORIES", "TAGS", "Build", "find_digest"]


def _kube(component: str, size: int, version: str = "") -> Build:
    """A component's image; one of an older release says so in its program's name."""
    program = f"{component}:{version}" if version else component
    return Build(
        name=f"registry.k8s.io/{component}:v{version or PATCH}",
        layers=(82, 1, 13, size - (17 if version else 0)),
        programs=((f"/usr/local/bin/{component}", program),),
        env=(("PATH", PATH), ("SSL_CERT_FILE", "/etc/ssl/certs/ca-certificates.crt")),
        userland="debian" if component == "kube-proxy" else "none",
        platforms=KUBE,
    )


def _etcd_image(version: str, size: int) -> Build:
    suffix = "" if version == "3.6.8" else f":{version}"
    return Build(
        name=f"registry.k8s.io/etcd:{version}-0",
        layers=(82, 1, 13, size),
        cmd=("/usr/local/bin/etcd",),
        programs=tuple((f"/usr/local/bin/{name}", f"{name}{suffix}") for name in ("etcd", "etcdctl", "etcdutl")),
        ports=("2379/tcp", "2380/tcp", "4001/tcp", "7001/tcp"),
        platforms=KUBE,
    )


def _coredns_image(version: str, size: int) -> Build:
    return Build(
        name=f"registry.k8s.io/coredns/coredns:v{version}",
        layers=(82, 1, 13, size),
        entrypoint=("/coredns",),
        user="nonroot:nonroot",
        ports=("53/tcp", "53/udp"),
        programs=(("/coredns", "coredns"),),
        platforms=KUBE,
    )


_B: tuple[tuple[Build, tuple[str, ...]], ...] = (
    (nginx("1.29.4", "debian"), ("latest", "1.29.4", "1.29", "1", "mainline", "trixie")),
    (nginx("1.29.4", "alpine"), ("alpine", "1.29.4-alpine", "1.29-alpine", "1-alpine", "mainline-alpine")),
    (nginx("1.28.1", "debian"), ("1.28.1", "1.28", "stable", "stable-trixie")),
    (nginx("1.28.1", "alpine"), ("1.28-alpine", "1.28.1-alpine", "stable-alpine")),
    (nginx("1.27.5", "debian"), ("1.27.5", "1.27")),
    (nginx("1.27.5", "alpine"), ("1.27.5-alpine", "1.27-alpine")),
    (nginx("1.26.3", "debian"), ("1.26.3", "1.26")),
    (nginx("1.25.5", "debian"), ("1.25.5", "1.25")),
    (nginx("1.25.5", "alpine"), ("1.25.5-alpine", "1.25-alpine")),
    (nginx("1.24.0", "debian"), ("1.24.0", "1.24")),
    (nginx("1.23.4", "debian"), ("1.23.4", "1.23")),
    (nginx("1.22.1", "debian"), ("1.22.1", "1.22")),
    (nginx("1.21.6", "debian"), ("1.21.6", "1.21")),
    (nginx("1.20.2", "debian"), ("1.20.2", "1.20")),
    (nginx("1.19.10", "debian"), ("1.19.10", "1.19")),
    (nginx("1.19.3", "debian"), ("1.19.3",)),
    (nginx("1.18.0", "debian"), ("1.18.0", "1.18")),
    (nginx("1.17.10", "debian"), ("1.17.10", "1.17")),
    (nginx("1.16.1", "debian"), ("1.16.1", "1.16")),
    (nginx("1.14.2", "debian"), ("1.14.2", "1.14")),
    (nginx("1.7.9", "debian"), ("1.7.9", "1.7")),
    (redis("8.4.0", "debian"), ("latest", "8.4.0", "8.4", "8", "trixie")),
    (redis("8.4.0", "alpine"), ("alpine", "8.4.0-alpine", "8.4-alpine", "8-alpine")),
    (redis("7.4.7", "debian"), ("7.4.7", "7.4", "7")),
    (redis("7.4.7", "alpine"), ("7.4.7-alpine", "7.4-alpine", "7-alpine")),
    (redis("6.2.21", "debian"), ("6.2.21", "6.2", "6")),
    (redis("6.2.21", "alpine"), ("6.2-alpine", "6-alpine")),
    (redis("5.0.14", "debian"), ("5.0.14", "5.0", "5")),
    (
        plain("busybox", "1.37.0", (2144,), "busybox", ("sh",)),
        ("latest", "1.37.0", "1.37", "1", "stable", "musl", "glibc", "uclibc"),
    ),
    (plain("busybox", "1.36.1", (2152,), "busybox", ("sh",)), ("1.36.1", "1.36")),
    (plain("busybox", "1.35.0", (2149,), "busybox", ("sh",)), ("1.35.0", "1.35")),
    (plain("busybox", "1.34.1", (2145,), "busybox", ("sh",)), ("1.34.1", "1.34")),
    (plain("busybox", "1.28.4", (709,), "busybox", ("sh",)), ("1.28.4", "1.28", "1.27.2", "1.27", "1.26", "1.24")),
    (plain("alpine", "3.23.0", (3718,), "alpine", ("/bin/sh",)), ("latest", "3.23.0", "3.23", "3", "edge")),
    (plain("alpine", "3.22.2", (3712,), "alpine", ("/bin/sh",)), ("3.22.2", "3.22")),
    (plain("alpine", "3.20.8", (3544,), "alpine", ("/bin/sh",)), ("3.20.8", "3.20")),
    (plain("alpine", "3.19.9", (3342,), "alpine", ("/bin/sh",)), ("3.19.9", "3.19")),
    (plain("ubuntu", "24.04", (29050,), "debian", ("/bin/bash",)), ("latest", "24.04", "noble", "rolling")),
    (plain("ubuntu", "22.04", (28870,), "debian", ("/bin/bash",)), ("22.04", "jammy")),
    (plain("ubuntu", "20.04", (26840,), "debian", ("/bin/bash",)), ("20.04", "focal")),
    (plain("debian", "13.2", (48110,), "debian", ("bash",)), ("latest", "13.2", "13", "trixie", "stable")),
    (plain("debian", "13.2-slim", (29060,), "debian", ("bash",)), ("stable-slim", "trixie-slim", "13-slim")),
    (plain("debian", "12.12", (47360,), "debian", ("bash",)), ("12.12", "12", "bookworm", "oldstable")),
    (
        plain("python", "3.14.2", (48110, 24600, 65800, 206800, 6200, 27100), "debian", ("python3",), PYTHON_VERSION="3.14.2"),
        ("latest", "3.14", "3", "3.14.2"),
    ),
    (
        plain("python", "3.14.2-slim", (29060, 1260, 13800), "debian", ("python3",), PYTHON_VERSION="3.14.2"),
        ("slim", "3-slim", "3.14-slim"),
    ),
    (
        plain("python", "3.13.11-alpine", (3718, 450, 12600), "alpine", ("python3",), PYTHON_VERSION="3.13.11"),
        ("alpine", "3.13-alpine", "3-alpine"),
    ),
    (
        plain("node", "24.11.1", (48110, 24600, 65800, 206800, 4, 55900, 1250), "debian", ("node",), NODE_VERSION="24.11.1"),
        ("latest", "24", "lts", "current"),
    ),
    (
        plain("node", "24.11.1-alpine", (3718, 51200, 1230), "alpine", ("node",), NODE_VERSION="24.11.1"),
        ("alpine", "24-alpine", "lts-alpine"),
    ),
    (
        plain("node", "22.21.1", (48110, 24600, 65800, 206800, 4, 55100, 1250), "debian", ("node",), NODE_VERSION="22.21.1"),
        ("22", "jod"),
    ),
    (
        plain("perl", "5.42.0", (48110, 24600, 65800, 206800, 130, 14900), "debian", ("perl5.42.0", "-de0")),
        ("latest", "5.42", "5", "5.42.0"),
    ),
    (plain("perl", "5.34.0", (48110, 24600, 65800, 206800, 130, 14100), "debian", ("perl5.34.0", "-de0")), ("5.34.0", "5.34")),
    (
        plain("golang", "1.25.5", (48110, 24600, 65800, 59600, 1, 1), "debian", ("bash",), GOLANG_VERSION="1.25.5"),
        ("latest", "1.25", "1"),
    ),
    (
        database(
            "mysql",
            "9.5.0",
            (48900, 1, 980, 4680, 2, 334, 48700, 1, 130200, 5),
            "mysqld",
            "3306/tcp",
            "/var/lib/mysql",
            MYSQL_VERSION="9.5.0-1.el9",
        ),
        ("latest", "9.5.0", "9.5", "9"),
    ),
    (
        database(
            "mysql",
            "8.4.7",
            (48900, 1, 980, 4680, 2, 334, 48700, 1, 129100, 5),
            "mysqld",
            "3306/tcp",
            "/var/lib/mysql",
            MYSQL_VERSION="8.4.7-1.el9",
        ),
        ("8.4.7", "8.4", "lts"),
    ),
    (
        database(
            "mysql",
            "8.0.44",
            (48900, 1, 980, 4680, 2, 334, 48700, 1, 126100, 5),
            "mysqld",
            "3306/tcp",
            "/var/lib/mysql",
            MYSQL_VERSION="8.0.44-1.el9",
        ),
        ("8.0.44", "8.0", "8"),
    ),
    (
        database(
            "mysql",
            "5.7.44",
            (48900, 1, 980, 4680, 2, 334, 25400, 1, 108100, 5),
            "mysqld",
            "3306/tcp",
            "/var/lib/mysql",
            MYSQL_VERSION="5.7.44-1.el7",
        ),
        ("5.7.44", "5.7", "5"),
    ),
    (
        database(
            "mariadb",
            "12.1.2",
            (29700, 1, 5600, 3, 330, 92100, 2, 9),
            "mariadbd",
            "3306/tcp",
            "/var/lib/mysql",
            MARIADB_VERSION="1:12.1.2+maria~ubu2404",
        ),
        ("latest", "12.1.2", "12.1", "12"),
    ),
    (
        database(
            "postgres",
            "18.1",
            (29060, 1170, 4580, 1, 8210, 3, 107900, 10, 5),
            "postgres",
            "5432/tcp",
            "/var/lib/postgresql",
            PG_MAJOR="18",
        ),
        ("latest", "18.1", "18"),
    ),
    (
        database(
            "postgres",
            "17.7",
            (29060, 1170, 4580, 1, 8210, 3, 106900, 10, 5),
            "postgres",
            "5432/tcp",
            "/var/lib/postgresql/data",
            PG_MAJOR="17",
        ),
        ("17.7", "17"),
    ),
    (
        database(
            "postgres",
            "16.11",
            (29060, 1170, 4580, 1, 8210, 3, 105900, 10, 5),
            "postgres",
            "5432/tcp",
            "/var/lib/postgresql/data",
            PG_MAJOR="16",
        ),
        ("16.11", "16", "16-alpine", "alpine"),
    ),
    (
        database(
            "postgres",
            "15.15",
            (29060, 1170, 4580, 1, 8210, 3, 104900, 10, 5),
            "postgres",
            "5432/tcp",
            "/var/lib/postgresql/data",
            PG_MAJOR="15",
        ),
        ("15.15", "15"),
    ),
    (
        database(
            "mongo", "8.2.2", (29700, 1, 1480, 980, 1, 271300, 3, 5), "mongod", "27017/tcp", "/data/db", MONGO_VERSION="8.2.2"
        ),
        ("latest", "8.2", "8"),
    ),
    (
        Build(
            name="docker.io/library/httpd:2.4.66",
            layers=(29060, 1, 1, 4320, 12210, 1),
            cmd=("httpd-foreground",),
            env=(("PATH", "/usr/local/apache2/bin:" + PATH), ("HTTPD_PREFIX", "/usr/local/apache2"), ("HTTPD_VERSION", "2.4.66")),
            cwd="/usr/local/apache2",
            ports=("80/tcp",),
            stop_signal="SIGWINCH",
            userland="debian",
            programs=(("/usr/local/bin/httpd-foreground", "httpd"), ("/usr/local/apache2/bin/httpd", "httpd")),
            files=(("/usr/local/apache2/htdocs/index.html", "<html><body><h1>It works!</h1></body></html>\n"),),
        ),
        ("latest", "2.4.66", "2.4", "2", "alpine", "2.4-alpine"),
    ),
    (
        Build(
            name="docker.io/library/memcached:1.6.39",
            layers=(29060, 2, 1420, 980, 1, 1),
            entrypoint=("docker-entrypoint.sh",),
            cmd=("memcached",),
            env=environment(MEMCACHED_VERSION="1.6.39"),
            user="memcache",
            ports=("11211/tcp",),
            userland="debian",
            programs=(("/usr/local/bin/memcached", "memcached"), ("/usr/local/bin/docker-entrypoint.sh", "docker-entrypoint")),
        ),
        ("latest", "1.6.39", "1.6", "1", "alpine"),
    ),
    (
        Build(
            name="docker.io/library/hello-world:linux",
            layers=(3,),
            cmd=("/hello",),
            programs=(("/hello", "hello"),),
        ),
        ("latest", "linux"),
    ),
    (
        Build(
            name="docker.io/curlimages/curl:8.17.0",
            layers=(3718, 1, 4870, 2),
            entrypoint=("/entrypoint.sh",),
            cmd=("curl",),
            user="curl_user",
            userland="alpine",
            programs=(("/usr/bin/curl", "curl"), ("/entrypoint.sh", "docker-entrypoint")),
        ),
        ("latest", "8.17.0"),
    ),
    (
        Build(
            name="registry.k8s.io/pause:3.10.2",
            layers=(312,),
            entrypoint=("/pause",),
            user="65535:65535",
            programs=(("/pause", "pause"),),
            platforms=KUBE,
            pinned=True,
        ),
        ("3.10.2",),
    ),
    (
        Build(
            name="registry.k8s.io/pause:3.10.1",
            layers=(311,),
            entrypoint=("/pause",),
            user="65535:65535",
            programs=(("/pause", "pause"),),
            platforms=KUBE,
            pinned=True,
        ),
        ("3.10.1", "3.10", "latest", "3.9", "3.8", "3.7", "3.6", "3.5", "3.2", "3.1"),
    ),
    (_kube("kube-apiserver", 27410), (VERSION,)),
    (_kube("kube-controller-manager", 23060), (VERSION,)),
    (_kube("kube-scheduler", 17330), (VERSION,)),
    (_kube("kube-proxy", 25900), (VERSION,)),
    *(
        (_kube(component, size, version), (f"v{version}",))
        for version in OTHER_IMAGES
        for component, size in (
            ("kube-apiserver", 27410),
            ("kube-controller-manager", 23060),
            ("kube-scheduler", 17330),
            ("kube-proxy", 25900),
        )
    ),
    (_etcd_image("3.6.6", 23350), ("3.6.6-0",)),
    (_coredns_image("1.13.1", 22510), ("v1.13.1",)),
    (
        Build(
            name="ghcr.io/flannel-io/flannel-cni-plugin:v1.8.0-flannel1",
            layers=(3718, 1210),
            userland="alpine",
            programs=(("/flannel", "cni-plugin"),),
        ),
        ("v1.8.0-flannel1",),
    ),
    (
        Build(
            name="ghcr.io/flannel-io/flannel:v0.27.4",
            layers=(3718, 5870, 22390),
            entrypoint=("/opt/bin/flanneld",),
            userland="alpine",
            programs=(("/opt/bin/flanneld", "flanneld"),),
        ),
        ("v0.27.4",),
    ),
    *(
        (
            Build(
                name=f"docker.io/rancher/local-path-provisioner:v0.0.{patch}",
                layers=(3630, 17900),
                entrypoint=("/usr/bin/local-path-provisioner",),
                userland="alpine",
                programs=(("/usr/bin/local-path-provisioner", f"local-path-provisioner:v0.0.{patch}"),),
            ),
            (f"v0.0.{patch}",),
        )
        for patch in (32, 31, 30, 29, 28, 26, 24, 23, 22, 19)
    ),
    *(
        (
            Build(
                name=f"registry.k8s.io/metrics-server/metrics-server:v{version}",
                layers=(82, 1, 13, 20470),
                entrypoint=("/metrics-server",),
                user="65534",
                programs=(("/metrics-server", "metrics-server"),),
                platforms=KUBE,
            ),
            (f"v{version}",),
        )
        for version in ("0.8.0", "0.7.2", "0.6.4")
    ),
    (_etcd_image("3.6.8", 23470), ("3.6.8-0",)),
    (_coredns_image("1.14.2", 22720), ("v1.14.2",)),
    (
        Build(
            name="docker.io/polinux/stress:1.0.4",
            layers=(2050, 2140),
            cmd=("stress", "--help"),
            userland="alpine",
            programs=(("/usr/local/bin/stress", "stress"),),
        ),
        ("latest", "1.0.4"),
    ),
    (
        Build(
            name="docker.io/vish/stress:latest",
            layers=(1340,),
            entrypoint=("/stress",),
            programs=(("/stress", "stress-consumer"),),
        ),
        ("latest",),
    ),
    (
        Build(
            name="registry.k8s.io/e2e-test-images/agnhost:2.59",
            layers=(3718, 22900, 31100),
            entrypoint=("/agnhost",),
            cmd=("pause",),
            userland="alpine",
            ports=("80/tcp", "8080/tcp", "8081/tcp", "9376/tcp"),
            programs=(("/agnhost", "agnhost"),),
            platforms=KUBE,
        ),
        ("2.59", "2.53", "2.47", "2.40", "2.39"),
    ),
    (
        Build(
            name="docker.io/library/registry:2.8.3",
            layers=(3402, 250, 6420, 1, 1),
            entrypoint=("/entrypoint.sh",),
            cmd=("/etc/docker/registry/config.yml",),
            ports=("5000/tcp",),
            volumes=("/var/lib/registry",),
            userland="alpine",
            programs=(("/entrypoint.sh", "registry"), ("/bin/registry", "registry")),
        ),
        ("2", "2.8", "2.8.3", "latest"),
    ),
    (
        Build(
            name="docker.io/library/registry:3.0.0",
            layers=(3640, 250, 18420, 1, 1),
            entrypoint=("/entrypoint.sh",),
            cmd=("/etc/distribution/config.yml",),
            ports=("5000/tcp",),
            volumes=("/var/lib/registry",),
            userland="alpine",
            programs=(("/entrypoint.sh", "registry"), ("/bin/registry", "registry")),
        ),
        ("3", "3.0", "3.0.0"),
    ),
    (
        Build(
            name="docker.io/traefik/whoami:v1.11.0",
            layers=(150, 130, 2480),
            entrypoint=("/whoami",),
            ports=("80/tcp",),
            programs=(("/whoami", "whoami"),),
        ),
        ("latest", "v1.11", "v1.11.0", "v1.10", "v1.9"),
    ),
    (
        Build(
            name="docker.io/containous/whoami:v1.5.0",
            layers=(150, 130, 2330),
            entrypoint=("/whoami",),
            ports=("80/tcp",),
            programs=(("/whoami", "whoami"),),
        ),
        ("latest", "v1.5.0"),
    ),
    (
        Build(
            name="docker.io/hashicorp/http-echo:1.0.0",
            layers=(105, 13, 2950),
            entrypoint=("/http-echo",),
            ports=("5678/tcp",),
            user="65532:65532",
            programs=(("/http-echo", "http-echo"),),
        ),
        ("latest", "1.0", "1.0.0", "0.2.3"),
    ),
    (
        Build(
            name="docker.io/ealen/echo-server:0.9.2",
            layers=(3400, 41200, 1, 2560),
            cmd=("/echo-server",),
            userland="alpine",
            ports=("80/tcp",),
            programs=(("/echo-server", "echoserver"),),
        ),
        ("latest", "0.9.2"),
    ),
    (
        Build(
            name="registry.k8s.io/echoserver:1.10",
            layers=(42000, 1, 380, 1),
            cmd=("/usr/local/bin/run.sh",),
            userland="debian",
            ports=("8080/tcp", "8443/tcp"),
            programs=(("/usr/local/bin/run.sh", "echoserver"),),
            platforms=("linux/amd64",),
        ),
        ("1.10", "1.4"),
    ),
    (
        Build(
            name="docker.io/library/rabbitmq:4.2.1",
            layers=(29050, 58100, 1, 1900, 1, 19400, 1, 2),
            entrypoint=("docker-entrypoint.sh",),
            cmd=("rabbitmq-server",),
            ports=("5672/tcp", "15692/tcp"),
            volumes=("/var/lib/rabbitmq",),
            env=environment(RABBITMQ_VERSION="4.2.1"),
            userland="debian",
            programs=(
                ("/opt/rabbitmq/sbin/rabbitmq-server", "rabbitmq-server"),
                ("/usr/local/bin/rabbitmq-server", "rabbitmq-server"),
                ("/usr/local/bin/docker-entrypoint.sh", "docker-entrypoint"),
            ),
        ),
        ("latest", "4.2.1", "4.2", "4", "3", "alpine"),
    ),
    (
        Build(
            name="docker.io/library/rabbitmq:4.2.1-management",
            layers=(29050, 58100, 1, 1900, 1, 19400, 1, 2, 19900),
            entrypoint=("docker-entrypoint.sh",),
            cmd=("rabbitmq-server",),
            ports=("5672/tcp", "15672/tcp", "15692/tcp"),
            volumes=("/var/lib/rabbitmq",),
            env=environment(RABBITMQ_VERSION="4.2.1", RABBITMQ_PLUGINS="management"),
            userland="debian",
            programs=(
                ("/usr/local/bin/rabbitmq-server", "rabbitmq-server"),
                ("/usr/local/bin/docker-entrypoint.sh", "docker-entrypoint"),
            ),
        ),
        ("management", "4-management", "4.2-management", "3-management"),
    ),
    (
        database(
            "mongo", "7.0.26", (29700, 1, 1480, 980, 1, 241300, 3, 5), "mongod", "27017/tcp", "/data/db", MONGO_VERSION="7.0.26"
        ),
        ("7.0.26", "7.0", "7"),
    ),
    (
        database(
            "mongo", "6.0.27", (29700, 1, 1480, 980, 1, 221300, 3, 5), "mongod", "27017/tcp", "/data/db", MONGO_VERSION="6.0.27"
        ),
        ("6.0.27", "6.0", "6", "5", "4.4"),
    ),
    *(
        (
            plain("python", f"{v}", (48110, 24600, 65800, 206800, 6200, 22100), "debian", ("python3",), PYTHON_VERSION=v),
            (v, v.rpartition(".")[0]),
        )
        for v in ("3.13.11", "3.12.12", "3.11.14", "3.10.19", "3.9.25")
    ),
    *(
        (
            plain("python", f"{v}-slim", (29060, 1260, 12800), "debian", ("python3",), PYTHON_VERSION=v),
            (f"{v}-slim", f"{v.rpartition('.')[0]}-slim"),
        )
        for v in ("3.13.11", "3.12.12", "3.11.14", "3.10.19", "3.9.25")
    ),
    *(
        (
            plain("python", f"{v}-alpine", (3718, 450, 11600), "alpine", ("python3",), PYTHON_VERSION=v),
            (f"{v}-alpine", f"{v.rpartition('.')[0]}-alpine"),
        )
        for v in ("3.12.12", "3.11.14", "3.10.19", "3.9.25")
    ),
    *(
        (
            plain("node", v, (48110, 24600, 65800, 206800, 4, 54100, 1250), "debian", ("node",), NODE_VERSION=v),
            (v, v.partition(".")[0]),
        )
        for v in ("20.19.6", "18.20.8")
    ),
    *(
        (
            plain("node", f"{v}-alpine", (3718, 49200, 1230), "alpine", ("node",), NODE_VERSION=v),
            (f"{v}-alpine", f"{v.partition('.')[0]}-alpine"),
        )
        for v in ("22.21.1", "20.19.6", "18.20.8")
    ),
    (
        plain("golang", "1.25.5-alpine", (3718, 290, 58600, 1, 1), "alpine", ("sh",), GOLANG_VERSION="1.25.5"),
        ("alpine", "1.25-alpine", "1-alpine"),
    ),
    (plain("debian", "11.11", (53740,), "debian", ("bash",)), ("11", "11.11", "bullseye")),
    (plain("debian", "12.12-slim", (28220,), "debian", ("bash",)), ("12-slim", "bookworm-slim")),
    (plain("ubuntu", "18.04", (25690,), "debian", ("/bin/bash",)), ("18.04", "bionic")),
    (plain("alpine", "3.18.12", (3320,), "alpine", ("/bin/sh",)), ("3.18.12", "3.18", "3.17", "3.16")),
    (plain("alpine", "3.21.5", (3560,), "alpine", ("/bin/sh",)), ("3.21.5", "3.21")),
)

_ALL = (*releases.builds(), *more_images.IMAGES, *_B)

#: Every build by its name.
BUILDS: dict[str, Build] = {build.name: build for build, _ in _ALL}
#: `repository:tag` → build; what is listed above wins over the older releases.
TAGS: dict[str, Build] = {f"{build.repository}:{tag}": build for build, tags in _ALL for tag in tags}
#: Repositories that exist.
REPOSITORIES: frozenset[str] = frozenset(build.repository for build, _ in _ALL)
#: Registries and paths that hold the same images under another name (Docker's official images at Amazon and Google, the frozen k8s.gcr.io).
MIRRORS: tuple[tuple[str, str], ...] = (
    ("public.ecr.aws/docker/library/", "docker.io/library/"),
    ("public.ecr.aws/nginx/nginx", "docker.io/library/nginx"),
    ("mirror.gcr.io/library/", "docker.io/library/"),
    ("mirror.gcr.io/", "docker.io/"),
    ("gcr.io/google-containers/busybox", "docker.io/library/busybox"),
    ("gcr.io/google_containers/busybox", "docker.io/library/busybox"),
    ("gcr.io/google-containers/", "registry.k8s.io/"),
    ("gcr.io/google_containers/", "registry.k8s.io/"),
    ("k8s.gcr.io/", "registry.k8s.io/"),
    ("registry.k8s.io/busybox", "docker.io/library/busybox"),
    ("us-docker.pkg.dev/google-samples/containers/gke/", "gcr.io/google-samples/"),
)


def find_tag(name: str) -> Build | None:
    """The build of a `repository:tag`, by its own name or that of the registry that it mirrors."""
    found = TAGS.get(name)
    if found is not None:
        return found
    for prefix, origin in MIRRORS:
        if name.startswith(prefix):
            return TAGS.get(origin + name[len(prefix) :])
    return None


def exists(repository: str) -> bool:
    """Whether there is such a repository, here or at the origin of a mirror."""
    return repository in REPOSITORIES or any(
        repository.startswith(prefix) and origin + repository[len(prefix) :] in REPOSITORIES for prefix, origin in MIRRORS
    )


#: Registries whose name resolves.
REGISTRIES: frozenset[str] = frozenset(
    {
        "docker.io",
        "registry.k8s.io",
        "quay.io",
        "gcr.io",
        "ghcr.io",
        "public.ecr.aws",
        "k8s.gcr.io",
        "mirror.gcr.io",
        "docker.elastic.co",
        "mcr.microsoft.com",
        "registry.gitlab.com",
        "us-docker.pkg.dev",
        "europe-docker.pkg.dev",
        "registry.redhat.io",
        "registry.access.redhat.com",
        "cgr.dev",
        "nvcr.io",
    }
)


def find_digest(repository: str, digest: str) -> Build | None:
    """The build of a repository whose index or manifest has that digest."""
    found = by_digest().get(digest)
    return found if found is not None and found.repository == repository and digest != found.digest("config") else None


@lru_cache(maxsize=1)
def by_digest() -> dict[str, Build]:
    """Builds by the digests of their index, manifest and config."""
    return {build.digest(part): build for build in BUILDS.values() for part in ("index", "manifest", "config")}
