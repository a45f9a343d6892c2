"""nginx as a program: reads its configuration when it starts, is tested and reloaded by its own command, serves files, answers and proxies.

What a configuration cannot do here: FastCGI and its like answer 502, caches and limits have no effect, `sub_filter`, SSI and the scripting
modules neither.
"""

from __future__ import annotations

import posixpath

import msgspec

from ...host import dns, files, processes
from ...host.machine import hosts
from ...host.process import Process
from ...host.program import Exited
from ...kernel import clock, network
from ...kernel.errors import ConnectError
from ...kernel.http import Request, Response
from ...kernel.world import World
from .. import logs, pages
from . import nginxconf, nginxserve
from .basics import Quiet
from .nginxconf import BadConfig, Directive
from .web import http_date

#: What the images bring; an nginx with these files keeps nothing in the world.
#: Options with which nginx tells or asks something and ends.
_ASKS = ("-v", "-V", "-t", "-T", "-s", "-h")
IMAGE = ("/etc/nginx/conf.d/default.conf", "/etc/nginx/mime.types", "/etc/nginx/nginx.conf")


class NginxState(msgspec.Struct, omit_defaults=True):
    """What one nginx has read, and whose turn it is at each of its upstreams."""

    texts: dict[str, str] = {}
    turns: dict[str, int] = {}


def states(world: World) -> dict[str, NginxState]:
    """The section `nginx` by process key; one with the files of its image has no entry."""
    return world.section("nginx", dict)


def gather(world: World, proc: Process) -> dict[str, str]:
    """The configuration files that can be included, by path."""
    tree = files.tree(hosts(world)[proc.host], proc.mnt)
    found: dict[str, str] = {}
    todo = ["/etc/nginx"]
    while todo and len(found) < 200:
        folder = todo.pop()
        try:
            for name in tree.listdir(folder):
                path = f"{folder}/{name}"
                if tree.isdir(path):
                    todo.append(path)
                else:
                    found[path] = tree.read(path).decode("utf-8", "replace")
        except OSError:
            continue
    return found


_BUILT_IN = {
    "/etc/nginx/conf.d/default.conf": pages.NGINX_DEFAULT,
    "/etc/nginx/mime.types": pages.NGINX_TYPES,
    "/etc/nginx/nginx.conf": pages.NGINX_CONF,
}


def main_file(argv: list[str]) -> str:
    """The file of `-c`."""
    return argv[argv.index("-c") + 1] if "-c" in argv[:-1] else "/etc/nginx/nginx.conf"


def conf_of(world: World, proc: Process) -> Directive:
    """What a running nginx has read."""
    held = world.sections.get("nginx", {}).get(proc.key)
    texts = held.texts if held is not None and held.texts else _BUILT_IN
    return nginxconf.read(tuple(sorted(texts.items())), main_file(proc.argv))


def lookup(world: World, proc: Process, name: str) -> str:
    """The address of a name as the process' resolver finds it: /etc/hosts, then the servers and search list of /etc/resolv.conf; or ""."""
    if name.replace(".", "").isdigit():
        return name
    if name == "localhost":
        return "127.0.0.1"

    def lines(path: str) -> list[list[str]]:
        try:
            text = files.read_file(world, proc.host, path, mnt=proc.mnt).decode("utf-8", "replace")
        except (OSError, KeyError):
            return []
        return [line.partition("#")[0].split() for line in text.splitlines()]

    for words in lines("/etc/hosts"):
        if name in words[1:] and ":" not in words[0]:
            return words[0]
    table = lines("/etc/resolv.conf")
    servers = [words[1] for words in table if words[:1] == ["nameserver"] and len(words) > 1]
    search = next((words[1:] for words in table if words[:1] in (["search"], ["domain"])), [])
    for full in (
        [name, *(f"{name}.{domain}" for domain in search)] if name.count(".") else [*(f"{name}.{d}" for d in search), name]
    ):
        for server in servers:
            try:
                answer = dns.ask(world, proc.netns, server, full.rstrip("."))
            except ConnectError:
                continue
            if answer.addresses:
                return answer.addresses[0]
            break
    return ""


def check(world: World, proc: Process, texts: dict[str, str], main: str) -> Directive:
    """Read a configuration as nginx does when it starts or is tested; raises BadConfig."""
    conf = nginxconf.read(tuple(sorted(texts.items())), main)
    tree = files.tree(hosts(world)[proc.host], proc.mnt)
    for server in nginxconf.servers(conf):
        for name in ("ssl_certificate", "ssl_certificate_key"):
            for one in server.all(name):
                if not tree.exists(one.args[0]):
                    kind = "cannot load certificate" + (" key" if name.endswith("key") else "")
                    raise BadConfig(
                        f'{kind} "{one.args[0]}": BIO_new_file() failed (SSL: error:80000002:system library::No such file or directory:'
                        f"calling fopen({one.args[0]}, r) error:10000080:BIO routines::no such file)"
                    )
        if any("ssl" in one.args[1:] for one in server.all("listen")) and not nginxconf.nearest(
            [conf, conf.first("http") or conf, server], "ssl_certificate"
        ):
            one = next(one for one in server.all("listen") if "ssl" in one.args[1:])
            raise BadConfig(f'no "ssl_certificate" is defined for the "listen ... ssl" directive in {one.where}')
    for name, where in nginxserve.names(conf):
        if not lookup(world, proc, name):
            raise BadConfig(f'host not found in upstream "{name}" in {where}')
    for one in nginxserve.log_files(conf):
        folder = posixpath.dirname(one.args[0])
        if folder and not tree.isdir(folder) and not folder.startswith("/dev"):
            raise BadConfig(f'open() "{one.args[0]}" failed (2: No such file or directory)')
    return conf


#: What all workers of one server take (KiB).
_WORKERS_KIB = 3_800


class NginxWorker(Quiet):
    """A worker process: its master answers for it."""


class Nginx(Quiet):
    """The server: a container's first process, or a unit of a machine."""

    def start(self, world: World, proc: Process) -> None:
        """Options that only tell something end at once; else read, bind and say so."""
        words = proc.argv[1:] if proc.argv[:1] and proc.argv[0].endswith("nginx") else proc.argv[2:]
        if any(word in words for word in _ASKS):
            raise Exited(self._told(world, proc, words))
        image = proc.mnt != "host"
        if (image and any(name.endswith("docker-entrypoint.sh") for name in proc.argv[:1])) or (image and "daemon off;" in words):
            self._entrypoint(world, proc)
        main = main_file(proc.argv)
        try:
            texts = gather(world, proc)
            conf = check(world, proc, texts, main)
        except BadConfig as failed:
            self._emergency(world, proc, str(failed))
            raise Exited(1) from None
        if {path: text for path, text in texts.items() if path in IMAGE} != _BUILT_IN or len(texts) != len(_BUILT_IN):
            states(world)[proc.key] = NginxState(texts)
        for port in nginxconf.ports(conf):
            self._bind(world, proc, port)
        for path in dict.fromkeys(["/var/log/nginx/error.log", *(one.args[0] for one in nginxserve.log_files(conf))]):
            nginxserve.opened(world, proc, path)
        self._started(world, proc)

    @staticmethod
    def daemonizes(proc: Process) -> bool:
        """Whether a call from a shell leaves the server behind: every one but those that ask something and `daemon off;`."""
        words = " ".join(proc.argv[1:])
        return not set(_ASKS) & set(proc.argv[1:]) and "daemon off" not in words

    # -- the command's own questions --------------------------------------------------------------------------------------
    def _told(self, world: World, proc: Process, words: list[str]) -> int:
        def say(text: str) -> None:
            processes.write(world, proc, text + "\n")

        if "-v" in words or "-V" in words:
            say(f"nginx version: nginx/{self._version(proc)}" + (" (Ubuntu)" if proc.mnt == "host" else ""))
            return 0
        if "-s" in words:
            return self._signal(world, proc, words[words.index("-s") + 1] if "-s" in words[:-1] else "")
        main = main_file(proc.argv)
        try:
            texts = gather(world, proc)
            check(world, proc, texts, main)
        except BadConfig as failed:
            say(f"nginx: [emerg] {failed}\nnginx: configuration file {main} test failed")
            return 1
        if "-q" not in words:
            say(f"nginx: the configuration file {main} syntax is ok\nnginx: configuration file {main} test is successful")
        if "-T" in words:
            for path in [main, *(one for one in sorted(texts) if one != main)]:
                say(f"# configuration file {path}:\n{texts[path]}")
        return 0

    def _signal(self, world: World, proc: Process, word: str) -> int:
        """`-s stop|quit|reload|reopen`: to the nginx of the same machine or container."""
        running = next(
            (
                p
                for p in processes.by_program(world, proc.host, proc.program.partition(":")[0])
                if p.mnt == proc.mnt and p.key != proc.key
            ),
            None,
        )
        if word not in ("stop", "quit", "reload", "reopen"):
            processes.write(world, proc, f'nginx: invalid option: "-s {word}"\n')
            return 1
        if running is None:
            text = 'nginx: [error] open() "/run/nginx.pid" failed (2: No such file or directory)\n'
            processes.write(world, proc, text)
            return 1
        if word == "reopen":
            return 0
        if word in ("stop", "quit"):
            processes.kill(world, running, 15 if word == "stop" else 3)
            return 0
        try:
            texts = gather(world, proc)
            conf = check(world, proc, texts, main_file(running.argv))
        except BadConfig as failed:
            processes.write(world, proc, f"nginx: [emerg] {failed}\n")
            return 1
        wanted, had = nginxconf.ports(conf), nginxconf.ports(conf_of(world, running))
        states(world)[running.key] = NginxState(texts)
        if set(wanted) != set(had):
            network.close_sockets(world, running.netns, running.pid)
            for port in wanted:
                self._bind(world, running, port)
        self.notice(world, running, "signal 1 (SIGHUP) received from 0, reconfiguring")
        self.notice(world, running, "reconfiguring")
        return 0

    # -- starting -----------------------------------------------------------------------------------------------------------
    @staticmethod
    def _version(proc: Process) -> str:
        return proc.env.get("NGINX_VERSION") or ("1.24.0" if proc.mnt == "host" else "1.29.4")

    @staticmethod
    def _entrypoint(world: World, proc: Process) -> None:
        prefix = "/docker-entrypoint.sh: "
        for text in (
            prefix + "/docker-entrypoint.d/ is not empty, will attempt to perform configuration",
            prefix + "Looking for shell scripts in /docker-entrypoint.d/",
            prefix + "Launching /docker-entrypoint.d/10-listen-on-ipv6-by-default.sh",
            "10-listen-on-ipv6-by-default.sh: info: Getting the checksum of /etc/nginx/conf.d/default.conf",
            "10-listen-on-ipv6-by-default.sh: info: Enabled listen on IPv6 in /etc/nginx/conf.d/default.conf",
            prefix + "Sourcing /docker-entrypoint.d/15-local-resolvers.envsh",
            prefix + "Launching /docker-entrypoint.d/20-envsubst-on-templates.sh",
            prefix + "Launching /docker-entrypoint.d/30-tune-worker-processes.sh",
            prefix + "Configuration complete; ready for start up",
        ):
            logs.emit(world, proc, text)

    def _bind(self, world: World, proc: Process, port: int) -> None:
        try:
            network.listen(world, proc.netns, port, host=proc.host, pid=proc.pid)
        except OSError:
            self._emergency(world, proc, f"bind() to 0.0.0.0:{port} failed (98: Address already in use)")
            raise Exited(1) from None

    @staticmethod
    def _when(world: World) -> str:
        return clock.to_datetime(world.wall).strftime("%Y/%m/%d %H:%M:%S")

    def _emergency(self, world: World, proc: Process, text: str) -> None:
        if proc.mnt != "host":
            logs.emit(world, proc, f"{self._when(world)} [emerg] 1#1: {text}", "stderr")
        logs.emit(world, proc, f"nginx: [emerg] {text}" + "\n" * proc.sink.startswith(("fd:", "tty:", "file:")), "stderr")

    def notice(self, world: World, proc: Process, text: str, level: str = "notice", who: str = "1#1") -> None:
        """A line of the error log: standard error in an image, its file elsewhere."""
        line = f"{self._when(world)} [{level}] {who}: {text}"
        if proc.mnt == "host":
            if level in ("error", "warn"):
                nginxserve.to_file(world, proc, "/var/log/nginx/error.log", line)
            return
        nginxserve.to_log(world, proc, "/var/log/nginx/error.log", line, "stderr")

    def _started(self, world: World, proc: Process) -> None:
        machine = hosts(world)[proc.host]
        texts = (
            'using the "epoll" event method',
            f"nginx/{self._version(proc)}",
            "built by gcc 14.2.0 (Debian 14.2.0-19) ",
            f"OS: Linux {machine.kernel}",
            "getrlimit(RLIMIT_NOFILE): 1048576:1048576",
            "start worker processes",
            *(f"start worker process {29 + i}" for i in range(machine.cpus)),
        )
        if proc.sink.startswith("cri:"):  # one write instead of ten: clusters of a thousand of these are started
            texts = (f"\n{self._when(world)} [notice] 1#1: ".join(texts),)
        for text in texts:
            self.notice(world, proc, text)
        for _ in range(machine.cpus):
            worker = processes.add(
                world,
                host=proc.host,
                program="nginx-worker",
                argv=["nginx: worker process"],
                ppid=proc.pid,
                user="www-data" if proc.mnt == "host" else "101:101",
                cwd=proc.cwd,
                mnt=proc.mnt,
                netns=proc.netns,
                unit=proc.unit,
                container=proc.container,
                pgid=proc.pgid,
            )
            worker.memory_kib = _WORKERS_KIB // machine.cpus

    # -- serving ------------------------------------------------------------------------------------------------------------
    def http(self, world: World, proc: Process, request: Request) -> Response:
        """Serve a request by the configuration that was read; write the access line."""
        conf = conf_of(world, proc)
        held = world.sections.get("nginx", {}).get(proc.key)
        served = nginxserve.Serving(
            world, proc, conf, request, self._version(proc), held.turns if held is not None else {}, lookup
        )
        answer = served.answer()
        for text in served.errors:
            self.notice(world, proc, text, "error", "29#29")
        answer.headers = {"server": served.banner, "date": http_date(world.wall), "connection": "keep-alive"} | answer.headers
        answer.headers.setdefault("content-length", str(len(answer.body)))
        served.log(answer)
        if request.method == "HEAD":
            answer.body = b""
        return answer

    #: It has a certificate for each name (server_name).
    sni = True

    def certificate(self, world: World, proc: Process, name: str = "") -> bytes:
        """The certificate of the server of that name on a port with TLS; b"" without one."""
        conf = conf_of(world, proc)
        web = conf.first("http")
        for port, tls in nginxconf.ports(conf).items():
            server = nginxconf.server_for(conf, port, name) if tls else None
            if server is None or web is None:
                continue
            found = nginxconf.nearest([web, server], "ssl_certificate")
            if found:
                try:
                    return files.read_file(world, proc.host, found[0].args[0], mnt=proc.mnt)
                except OSError:
                    return b""
        return b""

    def stop(self, world: World, proc: Process, signal: int) -> int:
        """TERM and QUIT end it with 0 after its farewell lines."""
        world.sections.get("nginx", {}).pop(proc.key, None)
        for worker in processes.by_program(world, proc.host, "nginx-worker"):
            if worker.ppid == proc.pid:
                processes.kill(world, worker, signal)
        if signal == 9:
            return 137
        name = {3: "3 (SIGQUIT)", 15: "15 (SIGTERM)", 2: "2 (SIGINT)"}.get(signal, str(signal))
        self.notice(world, proc, f"signal {name} received, {'shutting down' if signal == 3 else 'exiting'}")
        self.notice(world, proc, "exit")
        return 0
