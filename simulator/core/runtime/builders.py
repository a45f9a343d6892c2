"""How images of the catalogue are made: families of images that differ by their version."""

from __future__ import annotations

from .build import PATH, Build


def environment(**extra: str) -> tuple[tuple[str, str], ...]:
    """The environment of an image: PATH and what is given."""
    return (("PATH", PATH), *extra.items())


def nginx(version: str, flavour: str) -> Build:
    """A version of nginx; `flavour` is `debian` or `alpine`."""
    alpine = flavour == "alpine"
    return Build(
        name=f"docker.io/library/nginx:{version}{'-alpine' if alpine else ''}",
        layers=(3718, 1790, 1, 1, 1, 2, 16742) if alpine else (29060, 32410, 1, 1, 1, 2, 2),
        entrypoint=("/docker-entrypoint.sh",),
        cmd=("nginx", "-g", "daemon off;"),
        env=environment(NGINX_VERSION=version, NJS_VERSION="0.9.4", PKG_RELEASE="1" if alpine else "1~trixie"),
        ports=("80/tcp",),
        stop_signal="SIGQUIT",
        userland="alpine" if alpine else "debian",
        programs=(("/usr/sbin/nginx", "nginx"), ("/docker-entrypoint.sh", "docker-entrypoint"), ("/usr/bin/curl", "curl")),
        files=(
            ("/usr/share/nginx/html/index.html", "@nginx-index"),
            ("/usr/share/nginx/html/50x.html", "@nginx-50x"),
            ("/etc/nginx/nginx.conf", "@nginx-conf"),
            ("/etc/nginx/mime.types", "@nginx-types"),
            ("/etc/nginx/conf.d/default.conf", "@nginx-default"),
            ("/var/log/nginx/access.log", "->/dev/stdout"),
            ("/var/log/nginx/error.log", "->/dev/stderr"),
        ),
    )


def redis(version: str, flavour: str) -> Build:
    """A version of Redis."""
    alpine = flavour == "alpine"
    return Build(
        name=f"docker.io/library/redis:{version}{'-alpine' if alpine else ''}",
        layers=(3718, 1, 1005, 21400, 1, 1, 2) if alpine else (29060, 1, 840, 22160, 1, 1, 2),
        entrypoint=("docker-entrypoint.sh",),
        cmd=("redis-server",),
        env=environment(REDIS_VERSION=version),
        cwd="/data",
        ports=("6379/tcp",),
        volumes=("/data",),
        userland="alpine" if alpine else "debian",
        programs=(
            ("/usr/local/bin/redis-server", "redis-server"),
            ("/usr/local/bin/redis-cli", "redis-cli"),
            ("/usr/local/bin/docker-entrypoint.sh", "docker-entrypoint"),
        ),
    )


#: Clients that images of databases bring. None is simulated, which each of them says when it is run.
_CLIENTS: dict[str, tuple[str, ...]] = {
    "mysql": ("mysql", "mysqladmin", "mysqldump"),
    "mariadb": ("mariadb", "mariadb-admin", "mariadb-dump"),
    "postgres": ("psql", "pg_dump", "pg_isready", "createdb"),
    "mongo": ("mongosh", "mongodump"),
}


def database(repo: str, version: str, layers: tuple[int, ...], program: str, port: str, volume: str, **env: str) -> Build:
    """A version of a database server with its entry point script."""
    return Build(
        name=f"docker.io/library/{repo}:{version}",
        layers=layers,
        entrypoint=("docker-entrypoint.sh",),
        cmd=(program,),
        env=environment(**env),
        ports=(port,),
        volumes=(volume,),
        stop_signal="SIGINT" if repo == "postgres" else "",
        userland="debian",
        programs=(
            (f"/usr/local/bin/{program}", program),
            ("/usr/local/bin/docker-entrypoint.sh", "docker-entrypoint"),
            *((f"/usr/bin/{name}", name) for name in _CLIENTS.get(repo, ())),
        ),
    )


#: Interpreters of plain images: repository → (path, command).
_INTERPRETERS: dict[str, tuple[tuple[str, str], ...]] = {
    "python": (("/usr/local/bin/python3", "python3"), ("/usr/local/bin/python", "python3")),
    "node": (("/usr/local/bin/node", "node"),),
}


def plain(repo: str, version: str, layers: tuple[int, ...], userland: str, cmd: tuple[str, ...], **env: str) -> Build:
    """An image of a userland or an interpreter, whose command is a shell."""
    name = f"docker.io/library/{repo}:{version}"
    return Build(
        name=name, layers=layers, cmd=cmd, env=environment(**env), userland=userland, programs=_INTERPRETERS.get(repo, ())
    )
