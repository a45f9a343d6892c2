"""One request through nginx: rewriting, access, the location's handler, error pages, added headers, and the access line."""

from __future__ import annotations

import base64
import ipaddress
import posixpath
import re
from collections.abc import Callable, Iterator
from urllib.parse import parse_qs, urlencode, urlsplit

from ...host import apr1, files
from ...host.machine import hosts
from ...host.process import Process
from ...kernel import clock, network
from ...kernel.errors import ConnectError
from ...kernel.http import Request, Response
from ...kernel.world import World
from .. import logs, pages
from . import nginxconf
from .nginxconf import Directive
from .web import TYPES, client_ip, find_page, hostname, http_date

REASONS = {
    200: "OK", 201: "Created", 204: "No Content", 301: "Moved Permanently", 302: "Found", 303: "See Other", 304: "Not Modified",
    307: "Temporary Redirect", 308: "Permanent Redirect", 400: "Bad Request", 401: "Authorization Required", 402: "Payment Required",
    403: "Forbidden", 404: "Not Found", 405: "Not Allowed", 408: "Request Time-out", 409: "Conflict", 410: "Gone",
    413: "Request Entity Too Large", 414: "Request-URI Too Large", 415: "Unsupported Media Type", 416: "Requested Range Not Satisfiable",
    421: "Misdirected Request", 429: "Too Many Requests", 500: "Internal Server Error", 501: "Not Implemented", 502: "Bad Gateway",
    503: "Service Temporarily Unavailable", 504: "Gateway Time-out",
}  # fmt: skip
_ADDED = frozenset((200, 201, 204, 206, 301, 302, 303, 304, 307, 308))
_VARIABLE = re.compile(r"\$(?:\{(\w+)\}|(\w+))")
_COMBINED = '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent"'
#: Turns inside one request, as nginx has them.
TURNS = 10
#: Modules whose handlers are known and not there.
_ELSEWHERE = ("fastcgi_pass", "uwsgi_pass", "scgi_pass", "grpc_pass", "js_content")


def to_file(world: World, proc: Process, path: str, line: str) -> None:
    """A line at the end of a file of the process' machine or container."""
    try:
        files.write_file(world, proc.host, path, line.encode() + b"\n", mnt=proc.mnt, append=True)
    except OSError:
        return


def opened(world: World, proc: Process, path: str) -> None:
    """Make a log's file when it is not there yet, as opening it does."""
    tree = files.tree(hosts(world)[proc.host], proc.mnt)
    if path.startswith("/") and not path.startswith("/dev/") and tree.isdir(posixpath.dirname(path)):
        try:
            tree.lookup(path, follow=False)
        except OSError:
            files.write_file(world, proc.host, path, b"", mnt=proc.mnt)


def to_log(world: World, proc: Process, path: str, line: str, stream: str) -> None:
    """A line of a log: to the container's output where its file leads there (as in the image), else into the file."""
    if path in ("/dev/stdout", "/dev/stderr", "stderr"):
        logs.emit(world, proc, line, "stderr" if path.endswith("stderr") else "stdout")
        return
    tree = files.tree(hosts(world)[proc.host], proc.mnt)
    try:
        node = tree.lookup(path, follow=False)
    except OSError:
        to_file(world, proc, path, line)
        return
    if node.kind == "link" and node.target in ("/dev/stdout", "/dev/stderr"):
        logs.emit(world, proc, line, stream)
    else:
        to_file(world, proc, path, line)


def _walk(block: Directive, name: str) -> Iterator[Directive]:
    for one in block.inner or ():
        if one.name == name:
            yield one
        yield from _walk(one, name)


def log_files(conf: Directive) -> Iterator[Directive]:
    """Directives that name a log's file."""
    for name in ("access_log", "error_log"):
        for one in _walk(conf, name):
            if one.args[0] not in ("off", "stderr") and "$" not in one.args[0] and not one.args[0].startswith("syslog:"):
                yield one


def upstreams(conf: Directive) -> dict[str, Directive]:
    """The `upstream` blocks by name."""
    web = conf.first("http")
    return {one.args[0]: one for one in web.all("upstream")} if web is not None else {}


def names(conf: Directive) -> Iterator[tuple[str, str]]:
    """(name, where it stands) of what has to be resolved before a start."""
    known = upstreams(conf)
    for one in known.values():
        for server in one.all("server"):
            if not server.args[0].startswith("unix:"):
                yield server.args[0].partition(":")[0], server.where
    for one in _walk(conf, "proxy_pass"):
        if "$" not in one.args[0]:
            name = urlsplit(one.args[0]).hostname or ""
            if name and name not in known and (urlsplit(one.args[0]).netloc not in known):
                yield name, one.where


class Serving:
    """One request."""

    def __init__(
        self,
        world: World,
        proc: Process,
        conf: Directive,
        request: Request,
        version: str,
        turns: dict[str, int],
        lookup: Callable[..., str],
    ) -> None:
        self.world, self.proc, self.conf, self.request, self.version, self.turns, self.lookup = (
            world,
            proc,
            conf,
            request,
            version,
            turns,
            lookup,
        )
        self.errors: list[str] = []
        near = re.sub(r":\d+$", "", request.headers.get("host", ""))
        # a request over the loopback comes from it; elsewhere the namespace's first address is the client's
        local = request.source == proc.netns and (near == "localhost" or near.startswith("127."))
        self.peer = "127.0.0.1" if local else client_ip(world, request)
        web = conf.first("http")
        self.port = request.port or 80
        self.host = re.sub(r":\d+$", "", request.headers.get("host", ""))
        self.server = nginxconf.server_for(conf, self.port, self.host)
        self.outer = [conf, *([web] if web is not None else []), *([self.server] if self.server is not None else [])]
        self.blocks = self.outer
        self.uri = request.path or "/"
        self.query = urlencode(request.query, doseq=True)
        self.given: dict[str, str] = {}
        self.match: re.Match[str] | None = None
        self.upstream = "-"
        tokens = nginxconf.nearest(self.outer, "server_tokens")
        self.banner = (
            "nginx" if tokens and tokens[0].args[0] == "off" else f"nginx/{version}" + (" (Ubuntu)" if proc.mnt == "host" else "")
        )

    # -- variables ------------------------------------------------------------------------------------------------------------
    def variable(self, name: str, answer: Response | None = None) -> str:
        """A variable's value, "" for one that has none."""
        request = self.request
        if name in self.given:
            return self.given[name]
        if name.isdigit():
            return (
                (self.match.group(int(name)) or "") if self.match is not None and int(name) <= (self.match.re.groups or 0) else ""
            )
        if self.match is not None and name in (self.match.groupdict() or {}):
            return self.match.group(name) or ""
        if name.startswith("http_"):
            return request.headers.get(name[5:].replace("_", "-"), "")
        if name.startswith("arg_"):
            return (parse_qs(self.query).get(name[4:]) or [""])[0]
        if name.startswith("sent_http_"):
            return answer.headers.get(name[10:].replace("_", "-"), "") if answer is not None else ""
        asked = request.path + (f"?{urlencode(request.query, doseq=True)}" if request.query else "")
        wall = clock.to_datetime(self.world.wall)
        space = network.network(self.world).namespaces.get(self.proc.netns)
        names = self.server.first("server_name") if self.server is not None else None
        before = request.headers.get("x-forwarded-for")
        values = {
            "host": self.host or (names.args[0] if names else ""), "uri": self.uri, "document_uri": self.uri, "request_uri": asked, "args": self.query,
            "query_string": self.query, "is_args": "?" if self.query else "", "remote_addr": self.peer, "remote_port": "40000", "remote_user": "-",
            "scheme": "https" if request.scheme == "https" and nginxconf.ports(self.conf).get(self.port) else "http", "server_port": str(self.port),
            "server_addr": (space.ips[0] if space is not None and space.ips else "127.0.0.1"), "hostname": hostname(self.world, self.proc),
            "server_name": names.args[0] if names else "", "server_protocol": "HTTP/1.1", "request_method": request.method, "https": "",
            "request": f"{request.method} {asked} HTTP/1.1", "nginx_version": self.version, "pid": str(self.proc.pid), "document_root": self.root(),
            "request_filename": self.root() + self.uri, "realpath_root": self.root(), "content_type": request.headers.get("content-type", ""),
            "content_length": request.headers.get("content-length", ""), "proxy_add_x_forwarded_for": f"{before}, {self.peer}" if before else self.peer,
            "time_local": wall.strftime("%d/%b/%Y:%H:%M:%S +0000"), "time_iso8601": wall.strftime("%Y-%m-%dT%H:%M:%S+00:00"),
            "msec": f"{self.world.wall // 10**9}.{self.world.wall // 10**6 % 1000:03d}", "request_time": "0.000", "upstream_addr": self.upstream,
            "upstream_response_time": "0.000" if self.upstream != "-" else "-", "connection": "1", "connection_requests": "1", "pipe": ".",
            "request_length": str(80 + len(request.body)), "request_body": request.body.decode("utf-8", "replace"), "request_id": f"{self.world.now:032x}",
            "http_upgrade": request.headers.get("upgrade", ""), "gzip_ratio": "-", "proxy_host": "", "binary_remote_addr": self.peer,
        }  # fmt: skip
        if answer is not None:
            size = str(len(answer.body))
            values |= {
                "status": str(answer.status),
                "body_bytes_sent": size,
                "bytes_sent": size,
                "upstream_status": str(answer.status),
            }
        if name in values:
            return values[name]
        return self._mapped(name)

    def _mapped(self, name: str) -> str:
        web = self.conf.first("http")
        for one in web.all("map") if web is not None else ():
            if one.args[1] != f"${name}":
                continue
            subject = self.fill(one.args[0])
            default = ""
            for row in one.inner or ():
                value = row.args[0] if row.args else ""
                if row.name == "default":
                    default = value
                elif row.name == subject or (
                    row.name.startswith("~") and nginxconf.search(row.name.lstrip("~*"), subject, fold=row.name.startswith("~*"))
                ):
                    return self.fill(value)
            return self.fill(default)
        return ""

    def fill(self, text: str, answer: Response | None = None) -> str:
        """A text with its variables' values."""
        return _VARIABLE.sub(lambda m: self.variable(m[1] or m[2], answer), text)[:100_000]

    def root(self) -> str:
        """The `root` that holds here."""
        found = nginxconf.nearest(self.blocks, "root")
        path = self.fill(found[0].args[0]) if found and "$document_root" not in found[0].args[0] else "/etc/nginx/html"
        return (path if path.startswith("/") else f"/etc/nginx/{path}").rstrip("/")

    # -- the phases -------------------------------------------------------------------------------------------------------------
    def answer(self) -> Response:
        """The answer, error pages and added headers with it."""
        if self.server is None:
            return self._page(404)
        answer = self._turns()
        kept = list(self.blocks)
        for one in nginxconf.nearest(self.blocks, "error_page") if answer.obj is None else ():
            codes = [word for word in one.args[:-1] if word.isdigit()]
            if str(answer.status) not in codes:
                continue
            target, how = one.args[-1], next((word[1:] for word in one.args[:-1] if word.startswith("=")), None)
            if target.startswith(("http://", "https://")):
                answer = self._redirect(302, self.fill(target))
                break
            status, self.uri = answer.status, self.fill(target)
            found = self._turns(named=target if target.startswith("@") else "", inner=True)
            if found.status < 400:
                found.status = status if how is None else int(how) if how.isdigit() else found.status
                answer = found
            break
        answer.obj = None
        for one in nginxconf.nearest(self.blocks if self.blocks else kept, "add_header"):
            if (answer.status in _ADDED or "always" in one.args[2:]) and (value := self.fill(one.args[1], answer)):
                answer.headers[one.args[0].lower()] = value
        return answer

    def _turns(self, named: str = "", *, inner: bool = False) -> Response:
        assert self.server is not None
        self.blocks = self.outer
        found = self._rewrite(self.server) if not inner else None
        for _ in range(TURNS):
            if isinstance(found, Response):
                return found
            if named:
                place = next((one for one in self.server.all("location") if one.args[0] == named), None)
                around, match = ([place], None) if place is not None else ([], None)
            else:
                around, match = nginxconf.location_for(self.server, self.uri)
            self.match = match or self.match
            self.blocks = [*self.outer, *around]
            if around and around[-1].first("internal") is not None and not (inner or named):
                return self._page(404)
            found = self._rewrite(around[-1]) if around else None
            if found == "last":
                named = ""
                continue
            if isinstance(found, Response):
                return found
            refused = self._access()
            if refused is not None:
                return refused
            content = self._content()
            if isinstance(content, Response):
                return content
            named = content if content.startswith("@") else ""
            if not named:
                self.uri, _, query = content.partition("?")
                self.query, inner = query or self.query, True
        self.errors.append(f'rewrite or internal redirection cycle while internally redirecting to "{self.uri}"{self._about()}')
        return self._page(500)

    def _rewrite(self, block: Directive) -> Response | str | None:
        """`set`, `if`, `rewrite`, `return` of a block in order: an answer, `last`, or None to go on."""
        for one in block.inner or ():
            if one.name == "set":
                self.given[one.args[0].lstrip("$")] = self.fill(one.args[1])
            elif one.name == "return":
                return self._return(one)
            elif one.name == "break":
                return None
            elif one.name == "if" and self._holds(one.args):
                found = self._rewrite(one)
                if found is not None:
                    return found
                self.blocks = [*self.blocks, one]
            elif one.name == "rewrite":
                match = nginxconf.search(one.args[0], self.uri)
                if match is None:
                    continue
                self.match = match
                target, flag = self.fill(one.args[1]), one.args[2] if len(one.args) > 2 else ""
                if flag in ("redirect", "permanent") or target.startswith(("http://", "https://")):
                    tail = f"?{self.query}" if self.query and "?" not in target else ""
                    return self._redirect(301 if flag == "permanent" else 302, target.removesuffix("?") + tail)
                self.uri, mark, query = target.partition("?")
                self.query = "&".join(part for part in (query, "" if mark and not query else self.query) if part)
                if flag == "last":
                    return "last"
                if flag == "break":
                    return None
        return None

    def _holds(self, args: tuple[str, ...]) -> bool:
        text = " ".join(args).removeprefix("(").removesuffix(")").strip()
        left, _, rest = text.partition(" ")
        op, _, right = rest.strip().partition(" ")
        right = right.strip().strip("\"'")
        if left in ("-f", "!-f", "-d", "!-d", "-e", "!-e"):
            tree = files.tree(hosts(self.world)[self.proc.host], self.proc.mnt)
            path = self.fill(rest.strip())
            there = {"f": tree.exists(path) and not tree.isdir(path), "d": tree.isdir(path), "e": tree.exists(path)}[left[-1]]
            return there != left.startswith("!")
        value = self.fill(left)
        if not op:
            return value not in ("", "0")
        if op in ("=", "!="):
            return (value == self.fill(right)) == (op == "=")
        match = nginxconf.search(right, value, fold=op.endswith("*"))
        if match is not None and not op.startswith("!"):
            self.match = match
        return (match is not None) != op.startswith("!")

    def _access(self) -> Response | None:
        for block in reversed(self.blocks):
            rules = [one for one in block.inner or () if one.name in ("allow", "deny")]
            first = next((one for one in rules if one.args[0] == "all" or _within(self.peer, one.args[0])), None)
            if first is not None and first.name == "deny":
                self.errors.append(f"access forbidden by rule{self._about()}")
                return self._page(403)
            if rules:
                break
        basic = nginxconf.nearest(self.blocks, "auth_basic")
        if basic and basic[0].args[0] != "off" and not self._authorized():
            answer = self._page(401)
            answer.headers["www-authenticate"] = f'Basic realm="{self.fill(basic[0].args[0])}"'
            return answer
        return None

    def _authorized(self) -> bool:
        held = nginxconf.nearest(self.blocks, "auth_basic_user_file")
        kind, _, given = self.request.headers.get("authorization", "").partition(" ")
        if not held or kind.lower() != "basic":
            return False
        try:
            path = held[0].args[0] if held[0].args[0].startswith("/") else f"/etc/nginx/{held[0].args[0]}"
            rows = files.read_file(self.world, self.proc.host, path, mnt=self.proc.mnt).decode("utf-8", "replace").splitlines()
            user, _, word = base64.b64decode(given).decode("utf-8", "replace").partition(":")
        except (OSError, ValueError):
            return False
        for row in rows:
            name, _, stored = row.partition(":")
            if name == user:
                return apr1.fits(word, stored)
        return False

    # -- handlers ---------------------------------------------------------------------------------------------------------------
    def _content(self) -> Response | str:
        """The answer of the location's handler, or the URI to go on with inside."""
        place = self.blocks[-1]
        handlers = [*reversed(self.blocks[len(self.outer) :])] or [place]
        for block in handlers:
            if (passed := block.first("proxy_pass")) is not None:
                return self._proxy(passed)
            if any(block.first(name) for name in _ELSEWHERE):
                self.errors.append(f"connect() failed (111: Connection refused) while connecting to upstream{self._about()}")
                return self._page(502)
            if block.first("stub_status") is not None:
                text = "Active connections: 1 \nserver accepts handled requests\n 1 1 1 \nReading: 0 Writing: 1 Waiting: 0 \n"
                return Response(status=200, headers={"content-type": "text/plain"}, body=text.encode())
            break
        tries = nginxconf.nearest(self.blocks, "try_files")
        if tries:
            tree = files.tree(hosts(self.world)[self.proc.host], self.proc.mnt)
            *some, last = tries[0].args
            for word in some:
                uri = self.fill(word)
                path = self._path(uri)
                if tree.isdir(path) if word.endswith("/") else (tree.exists(path) and not tree.isdir(path)):
                    self.uri = uri
                    return self._static()
            if last.startswith("="):
                return self._page(int(last[1:]) if last[1:].isdigit() else 404)
            return self.fill(last)
        return self._static()

    def _path(self, uri: str) -> str:
        for block in reversed(self.blocks[len(self.outer) :]):
            alias = block.first("alias")
            if alias is not None:
                kind = block.args[0] if len(block.args) == 2 else ""
                tail = "" if kind in ("~", "~*", "=") else uri[len(block.args[-1]) :]
                return posixpath.normpath(self.fill(alias.args[0]) + tail)
        return posixpath.normpath(self.root() + "/" + uri.lstrip("/")) + ("/" if uri.endswith("/") and uri != "/" else "")

    def _static(self) -> Response:
        if self.request.method not in ("GET", "HEAD"):
            return self._page(405)
        tree = files.tree(hosts(self.world)[self.proc.host], self.proc.mnt)
        path = self._path(self.uri)
        if tree.isdir(path):
            if not self.uri.endswith("/"):
                return self._redirect(301, self.uri + "/")
            found = nginxconf.nearest(self.blocks, "index")
            for name in found[0].args if found else ("index.html",):
                if tree.exists(posixpath.join(path, self.fill(name))):
                    path = posixpath.join(path, self.fill(name))
                    break
            else:
                listed = nginxconf.nearest(self.blocks, "autoindex")
                if listed and listed[0].args[0] == "on":
                    return self._listing(path)
                self.errors.append(f'directory index of "{path.rstrip("/")}/" is forbidden{self._about()}')
                return self._page(403)
        status, body, path, mtime = find_page(self.world, self.proc, "/", path)
        if status != 200:
            self.errors.append(f'open() "{path}" failed (2: No such file or directory){self._about()}')
            return self._page(404)
        default = nginxconf.nearest(self.blocks, "default_type")
        kind = TYPES.get(posixpath.splitext(path)[1], default[0].args[0] if default else "text/plain")
        when = mtime or self.world.epoch - 30 * clock.DAY
        headers = {
            "content-type": kind,
            "last-modified": http_date(when),
            "etag": f'"{when // clock.SECOND:x}-{len(body):x}"',
            "accept-ranges": "bytes",
        }
        return Response(status=200, headers=headers, body=body)

    def _listing(self, path: str) -> Response:
        tree = files.tree(hosts(self.world)[self.proc.host], self.proc.mnt)
        rows = ""
        found = [name for name in tree.listdir(path) if not name.startswith(".")]
        for name in sorted(found, key=lambda one: (not tree.isdir(f"{path}/{one}"), one)):
            folder = tree.isdir(f"{path}/{name}")
            shown = name + "/" * folder
            node = tree.lookup(f"{path}/{name}")
            when = clock.to_datetime(node.mtime or self.world.epoch).strftime("%d-%b-%Y %H:%M")
            size = "-" if folder else str(len(tree.read(f"{path}/{name}")))
            rows += f'<a href="{shown}">{shown}</a>{" " * max(51 - len(shown), 1)}{when}{size:>20}\r\n'
        head = f"<html>\r\n<head><title>Index of {self.uri}</title></head>\r\n<body>\r\n<h1>Index of {self.uri}</h1>"
        text = f'{head}<hr><pre><a href="../">../</a>\r\n{rows}</pre><hr></body>\r\n</html>\r\n'
        return Response(status=200, headers={"content-type": "text/html"}, body=text.encode())

    def _proxy(self, passed: Directive) -> Response:
        target = self.fill(passed.args[0])
        parts = urlsplit(target)
        pool = upstreams(self.conf).get(parts.netloc)
        path, query = self.uri, self.query
        if "$" in passed.args[0] and (parts.path or parts.query):
            path, query = parts.path, parts.query or query
        elif parts.path:
            place = self.blocks[-1]
            prefix = place.args[-1] if place.name == "location" and (len(place.args) == 1 or place.args[0] in ("=", "^~")) else ""
            path = parts.path + self.uri[len(prefix) :] if prefix else parts.path
        headers = {
            name: value for name, value in self.request.headers.items() if name not in ("host", "connection", "content-length")
        }
        headers |= {"host": parts.netloc, "connection": "close"}
        for one in nginxconf.nearest(self.blocks, "proxy_set_header"):
            value = self.fill(one.args[1]).replace("$proxy_host", parts.netloc)
            headers[one.args[0].lower()] = value
        headers = {name: value for name, value in headers.items() if value}
        error = ConnectError("refused", parts.netloc)
        for address, port in self._endpoints(parts.netloc, pool, 443 if parts.scheme == "https" else 80):
            self.upstream = f"{address}:{port}"
            sent = Request(
                method=self.request.method, path=path or "/", query=parse_qs(query, keep_blank_values=True), headers=headers, body=self.request.body,
                scheme=parts.scheme or "http",
            )  # fmt: skip
            try:
                found = network.http(self.world, self.proc.netns, address, port, sent)
            except ConnectError as failed:
                error = failed
                late = failed.kind == "timeout"
                why = "upstream timed out (110: Connection timed out)" if late else "connect() failed (111: Connection refused)"
                self.errors.append(f"{why} while connecting to upstream{self._about(f'{parts.scheme}://{address}:{port}{path}')}")
                continue
            kept = {name: value for name, value in found.headers.items() if name not in ("server", "date", "connection")}
            hidden = {one.args[0].lower() for one in nginxconf.nearest(self.blocks, "proxy_hide_header")}
            caught = nginxconf.nearest(self.blocks, "proxy_intercept_errors")
            answer = Response(
                status=found.status,
                headers={k: v for k, v in kept.items() if k not in hidden},
                body=found.body,
                stream=found.stream,
                obj=found.obj,
            )
            if found.obj is not None and not found.body and found.stream is None:
                import orjson

                answer.body = orjson.dumps(found.obj)
            answer.obj = None if caught and caught[0].args[0] == "on" else True
            return answer
        if pool is not None:
            self.errors.append(f"no live upstreams while connecting to upstream{self._about(target)}")
        return self._page(504 if error.kind == "timeout" else 502)

    def _endpoints(self, netloc: str, pool: Directive | None, port: int) -> list[tuple[str, int]]:
        """Addresses in the order in which they are tried."""

        def one(text: str) -> tuple[str, int]:
            name, _, number = text.partition(":")
            return self.lookup(self.world, self.proc, name), int(number) if number.isdigit() else port

        if pool is None:
            found = [one(netloc)]
        else:
            rows = [row for row in pool.all("server") if "down" not in row.args]
            main = [row for row in rows if "backup" not in row.args]
            spread: list[str] = []
            weights = [int(next((a[7:] for a in row.args if re.fullmatch(r"weight=\d{1,3}", a)), "1")) for row in main]
            for turn in range(max(weights, default=0)):
                spread += [row.args[0] for row, weight in zip(main, weights, strict=True) if turn < weight]
            if spread:
                if pool.first("ip_hash") is not None:
                    at = sum(int(part) for part in self.peer.split(".")[:3] if part.isdigit())
                else:
                    at = self.turns.get(netloc, 0)
                    self.turns[netloc] = (at + 1) % len(spread)
                spread = spread[at % len(spread) :] + spread[: at % len(spread)]
            found = [one(text) for text in dict.fromkeys([*spread, *(row.args[0] for row in rows if "backup" in row.args)])]
        if not all(address for address, _ in found):
            self.errors.append(f"{netloc.partition(':')[0]} could not be resolved (3: Host not found){self._about()}")
        return [(address, number) for address, number in found if address]

    # -- answers ----------------------------------------------------------------------------------------------------------------
    def _return(self, one: Directive) -> Response:
        first, rest = one.args[0], one.args[1] if len(one.args) > 1 else None
        if not first.isdigit():
            return self._redirect(302, self.fill(first))
        status = int(first)
        if status in (301, 302, 303, 307, 308) and rest is not None:
            return self._redirect(status, self.fill(rest))
        if rest is None:
            return self._page(status)
        default = nginxconf.nearest(self.blocks, "default_type")
        kind = default[0].args[0] if default else "text/plain"
        answer = Response(status=status, headers={"content-type": kind}, body=self.fill(rest).encode())
        answer.obj = True  # error_page does not take the place of a text
        return answer

    def _redirect(self, status: int, target: str) -> Response:
        if target.startswith("/"):
            port = f":{self.port}" if self.port not in (80, 443) else ""
            target = f"{self.variable('scheme')}://{self.host or 'localhost'}{port}{target}"
        answer = self._page(status)
        answer.headers["location"] = target
        return answer

    def _page(self, status: int) -> Response:
        if status == 444:
            raise ConnectError("reset", self.proc.netns, "EOF")
        if status in (204, 304) or status not in REASONS:
            return Response(status=status, headers={}, body=b"")
        body = pages.nginx_error(status, REASONS[status], self.banner.partition("/")[2])
        return Response(status=status, headers={"content-type": "text/html"}, body=body)

    def _about(self, upstream: str = "") -> str:
        """What nginx puts behind an error of a request."""
        request = self.request
        names = self.server.first("server_name") if self.server is not None else None
        shown = f', upstream: "{upstream}"' if upstream else ""
        return (
            f", client: {self.peer}, server: {names.args[0] if names else ''}, request: "
            f'"{self.variable("request")}"{shown}, host: "{request.headers.get("host", "")}"'
        )

    def log(self, answer: Response) -> None:
        """The access line, where and as the configuration says."""
        web = self.conf.first("http")
        formats = {one.args[0]: "".join(one.args[1:]) for one in web.all("log_format")} if web is not None else {}
        formats = {name: re.sub(r"^escape=\w+", "", text) for name, text in formats.items()}
        for one in nginxconf.nearest(self.blocks, "access_log") or [
            Directive("access_log", ("/var/log/nginx/access.log",), None, "", 0)
        ]:
            if one.args[0] == "off" or one.args[0].startswith("syslog:"):
                continue
            form = formats.get(one.args[1] if len(one.args) > 1 else "combined", _COMBINED)
            line = _VARIABLE.sub(lambda m: self.variable(m[1] or m[2], answer) or "-", form)
            to_log(self.world, self.proc, one.args[0], line, "stdout")


def _within(address: str, network_text: str) -> bool:
    try:
        return ipaddress.ip_address(address) in ipaddress.ip_network(network_text, strict=False)
    except ValueError:
        return False
