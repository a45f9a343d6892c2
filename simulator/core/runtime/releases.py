"""Tags that stay in a registry for ever: the releases of the families that manifests name most, by minor version and last patch.

The catalogue lists today's tags; manifests of others name older ones.  Each row says which releases there were (Docker Hub's official
images; the projects' release notes): a tag that never was stays unknown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from .build import Build
from .builders import database, nginx, plain, redis

#: Minor release → its last patch release.
NGINX = {
    "1.29": 4, "1.28": 1, "1.27": 5, "1.26": 3, "1.25": 5, "1.24": 0, "1.23": 4, "1.22": 1, "1.21": 6, "1.20": 2, "1.19": 10, "1.18": 0,
    "1.17": 10, "1.16": 1, "1.15": 12, "1.14": 2, "1.13": 12, "1.12": 2, "1.11": 13, "1.10": 3, "1.9": 15, "1.8": 1, "1.7": 12,
}  # fmt: skip
REDIS = {"8.4": 0, "8.2": 3, "8.0": 5, "7.4": 7, "7.2": 12, "7.0": 15, "6.2": 21, "6.0": 20, "5.0": 14, "4.0": 14, "3.2": 12}
BUSYBOX = {
    "1.37": 0,
    "1.36": 1,
    "1.35": 0,
    "1.34": 1,
    "1.33": 1,
    "1.32": 1,
    "1.31": 1,
    "1.30": 1,
    "1.29": 3,
    "1.28": 4,
    "1.27": 2,
    "1.26": 2,
}
ALPINE = {
    "3.23": 0, "3.22": 2, "3.21": 5, "3.20": 8, "3.19": 9, "3.18": 12, "3.17": 10, "3.16": 9, "3.15": 11, "3.14": 10, "3.13": 12, "3.12": 12,
    "3.11": 13, "3.10": 9, "3.9": 6, "3.8": 5,
}  # fmt: skip
HTTPD = {"2.4": 66}
POSTGRES = {"18": 1, "17": 7, "16": 11, "15": 15, "14": 20, "13": 23, "12": 22, "11": 22, "10": 23}
POSTGRES_9 = {"9.6": 24, "9.5": 25}
MYSQL = {"9.5": 0, "8.4": 7, "8.0": 44, "5.7": 44, "5.6": 51}
MARIADB = {"12.1": 2, "11.8": 5, "11.4": 9, "10.11": 15, "10.6": 24, "10.5": 29, "10.4": 34, "10.3": 39}
MONGO = {"8.2": 2, "8.0": 16, "7.0": 26, "6.0": 27, "5.0": 31, "4.4": 29, "4.2": 24, "4.0": 28, "3.6": 23}
PYTHON = {"3.14": 2, "3.13": 11, "3.12": 12, "3.11": 14, "3.10": 19, "3.9": 25, "3.8": 20, "3.7": 17, "3.6": 15}
NODE = {"25": ("25.2.1",), "24": ("24.11.1",), "22": ("22.21.1",), "20": ("20.19.6",), "18": ("18.20.8",), "16": ("16.20.2",), "14": ("14.21.3",),
        "12": ("12.22.12",), "10": ("10.24.1",)}  # fmt: skip
GOLANG = {"1.25": 5, "1.24": 11, "1.23": 12, "1.22": 12, "1.21": 13, "1.20": 14, "1.19": 13, "1.18": 10, "1.17": 13, "1.16": 15}
BASH = {"5.3": 8, "5.2": 37, "5.1": 16, "5.0": 18, "4.4": 23}

Row = tuple[Build, tuple[str, ...]]


def _patches(table: dict[str, int]) -> Iterator[tuple[str, str, bool]]:
    """(minor, release, whether it is the minor's last) of every release."""
    for minor, last in table.items():
        for patch in range(last + 1):
            yield minor, f"{minor}.{patch}", patch == last


def _family(table: dict[str, int], make: Callable[[str, str], Build], flavours: tuple[tuple[str, str], ...]) -> Iterator[Row]:
    """Every release in every flavour; `flavours` are (suffix of the tag, flavour for `make`)."""
    for minor, release, last in _patches(table):
        for suffix, flavour in flavours:
            tags = (f"{release}{suffix}", f"{minor}{suffix}") if last else (f"{release}{suffix}",)
            yield make(release, flavour), tags


def _first_zero(row: Row) -> Row:
    """Releases of projects that number `x.0` without the patch."""
    build, tags = row
    return build, tuple({t.removesuffix(".0"): None for t in tags} | dict.fromkeys(tags))


def _plain(repo: str, layers: tuple[int, ...], cmd: tuple[str, ...]) -> Callable[[str, str], Build]:
    def make(release: str, flavour: str) -> Build:
        small = flavour in ("alpine", "busybox")
        name = release if flavour in ("debian", "busybox") or repo in ("alpine", "bash") else f"{release}-{flavour}"
        userland = flavour if small else "debian"
        return plain(repo, name, layers[:2] if small else layers, userland, cmd)

    return make


def _database(repo: str, program: str, port: str, volume: str) -> Callable[[str, str], Build]:
    def make(release: str, flavour: str) -> Build:
        return database(repo, release + flavour, (29060, 1170, 4580, 98000), program, port, volume)

    return make


_SLIM = (("", "debian"), ("-slim", "slim"), ("-alpine", "alpine"), ("-bookworm", "debian"), ("-bullseye", "debian"))


def _httpd(release: str, flavour: str) -> Build:
    return Build(
        name=f"docker.io/library/httpd:{release}{flavour}",
        layers=(3718, 1, 1, 4320, 12210, 1) if flavour else (29060, 1, 1, 4320, 12210, 1),
        cmd=("httpd-foreground",),
        env=(
            ("PATH", "/usr/local/apache2/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"),
            ("HTTPD_PREFIX", "/usr/local/apache2"),
            ("HTTPD_VERSION", release),
        ),
        cwd="/usr/local/apache2",
        ports=("80/tcp",),
        stop_signal="SIGWINCH",
        userland="alpine" if flavour else "debian",
        programs=(("/usr/local/bin/httpd-foreground", "httpd"), ("/usr/local/apache2/bin/httpd", "httpd")),
        files=(("/usr/local/apache2/htdocs/index.html", "<html><body><h1>It works!</h1></body></html>\n"),),
    )


def builds() -> tuple[Row, ...]:
    """Every row; the catalogue's own come after them and win."""
    rows: list[Row] = [
        *_family(
            NGINX,
            nginx,
            (("", "debian"), ("-alpine", "alpine"), ("-perl", "debian"), ("-alpine-slim", "alpine"), ("-bookworm", "debian")),
        ),
        *((nginx("1.29.4", "alpine" if "alpine" in tag else "debian"), (tag,)) for tag in _NGINX_TAGS),
        *_family(REDIS, redis, (("", "debian"), ("-alpine", "alpine"), ("-bookworm", "debian"))),
        *_family(
            BUSYBOX,
            _plain("busybox", (2150,), ("sh",)),
            (("", "busybox"), ("-musl", "busybox"), ("-glibc", "busybox"), ("-uclibc", "busybox")),
        ),
        *(_first_zero(row) for row in _family(ALPINE, _plain("alpine", (3600,), ("/bin/sh",)), (("", "alpine"),))),
        *_family({"2.4": HTTPD["2.4"]}, _httpd, (("", ""), ("-alpine", "-alpine"))),
        *_family(
            POSTGRES,
            _database("postgres", "postgres", "5432/tcp", "/var/lib/postgresql/data"),
            (("", ""), ("-alpine", "-alpine")),
        ),
        *_family(
            POSTGRES_9,
            _database("postgres", "postgres", "5432/tcp", "/var/lib/postgresql/data"),
            (("", ""), ("-alpine", "-alpine")),
        ),
        *_family(MYSQL, _database("mysql", "mysqld", "3306/tcp", "/var/lib/mysql"), (("", ""), ("-debian", ""))),
        *_family(MARIADB, _database("mariadb", "mariadbd", "3306/tcp", "/var/lib/mysql"), (("", ""),)),
        *_family(MONGO, _database("mongo", "mongod", "27017/tcp", "/data/db"), (("", ""),)),
        *_family(PYTHON, _plain("python", (48110, 24600, 65800, 206800, 6200, 24100), ("python3",)), _SLIM),
        *_family(GOLANG, _plain("golang", (48110, 24600, 65800, 206800, 59600, 1), ("bash",)), _SLIM),
        *_family(BASH, _plain("bash", (3600, 4100), ("bash",)), (("", "alpine"), ("-alpine3.22", "alpine"))),
        (plain("bash", "5.3.8", (3600, 4100), "alpine", ("bash",)), ("latest", "5", "5.3")),
    ]
    for major, releases in NODE.items():
        make = _plain("node", (48110, 24600, 65800, 206800, 4, 55100, 1250), ("node",))
        for suffix, flavour in _SLIM:
            for release in releases:
                tags = (f"{release}{suffix}", f"{major}{suffix}", f"{release.rpartition('.')[0]}{suffix}")
                rows.append((make(release, flavour), tags))
    rows += [
        (_httpd("2.4.66", ""), ("trixie", "bookworm", "2.4-trixie", "2-trixie")),
        (_httpd("2.4.66", "-alpine"), ("2-alpine", "2.4-alpine", "alpine")),
        (database("mariadb", "11.8.5", (29700, 1, 92100), "mariadbd", "3306/tcp", "/var/lib/mysql"), ("11", "lts")),
        (database("mariadb", "10.11.15", (29700, 1, 90100), "mariadbd", "3306/tcp", "/var/lib/mysql"), ("10",)),
    ]
    for tag in ("alpine", "alpine3.22", "18-alpine", "bookworm", "trixie"):
        rows.append((database("postgres", "18.1", (29060, 1170, 107900), "postgres", "5432/tcp", "/var/lib/postgresql"), (tag,)))
    return tuple(rows)


_NGINX_TAGS = (
    "perl", "mainline-perl", "stable-perl", "alpine-slim", "alpine-perl", "stable-alpine-slim", "stable-alpine-perl", "mainline-alpine-slim",
    "mainline-trixie", "mainline-bookworm", "bookworm", "stable-bookworm", "alpine3.22", "trixie-perl", "otel", "alpine-otel",
)  # fmt: skip
