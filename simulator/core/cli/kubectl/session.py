"""One run of kubectl: its streams, its configuration, its connection, and the requests it makes.

Follows `kubectl/pkg/cmd/util/factory_client_access.go`, `cli-runtime/pkg/genericclioptions/config_flags.go` and client-go's `rest/request.go`.
"""

from __future__ import annotations

import functools
import re
from typing import Any
from urllib.parse import quote as url_quote
from urllib.parse import unquote as url_unquote

from ...kernel.clock import SECOND, to_datetime
from ...kernel.errors import ConnectError
from ...kernel.http import Request, Response
from ...kernel.versions import COMMIT, VERSION
from ...kube.api.errors import ApiError, status
from ...kube.api.kinds import KindInfo
from ...kube.client import KubeClient
from ..cobra import Command
from ..flags import Values, parse_duration, quote
from . import wirelog
from .errors import CommandError, UrlError, connect_why
from .kubeconfig import Config, Connection, Files
from .mapper import Mapper

Obj = dict[str, Any]
USER_AGENT = f"kubectl/{VERSION} (linux/amd64) kubernetes/{COMMIT[:7]}"
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json"

#: Parameters of mutating requests in the order that Go's url.Values.Encode gives them: sorted.
Query = dict[str, str]


class Session:
    """The state of one invocation; commands are functions of it."""

    def __init__(self, inv: Any, command: Command, values: Values) -> None:
        self.inv, self.command, self.values = inv, command, values
        self.world = inv.world
        self.warned: list[str] = []
        self.discovered = False
        self.stdin = b""
        #: How often client-go's memory cache tries (and tells) when the server is away; differs by command.
        self.tries = 5

    # -- streams ----------------------------------------------------------------------------------------------------------
    def out(self, text: str) -> None:
        """Standard output."""
        self.inv.out(text)

    def err(self, text: str) -> None:
        """Standard error."""
        self.inv.err(text)

    def klog(self, level: str, source: str, text: str) -> None:
        """A line of klog on standard error."""
        now = to_datetime(self.world.wall)
        self.err(f"{level}{now:%m%d %H:%M:%S.%f} {self.inv.proc.pid:7d} {source}] {text}\n")

    def warn(self, text: str) -> None:
        """A warning, once."""
        if text not in self.warned:
            self.warned.append(text)
            self.err(f"Warning: {text}\n")

    def warn_line(self, text: str) -> None:
        """A warning followed by an empty line, as can-i prints it."""
        self.err(f"Warning: {text}\n\n")

    # -- configuration ----------------------------------------------------------------------------------------------------
    @functools.cached_property
    def files(self) -> Files:
        """The kubeconfig files."""
        return Files(self.inv, self.values.text("kubeconfig"))

    @functools.cached_property
    def config(self) -> Config:
        """The merged configuration."""
        return self.files.load()

    @functools.cached_property
    def connection(self) -> Connection:
        """Server, credentials and namespace."""
        found = Connection(self.config, self.values, self.files)
        if self.verbosity >= 6:
            for path in self.files.paths():
                if self.inv.exists(path):
                    self.klog("I", "loader.go:407", f"Config loaded from file:  {path}")
        return found

    @property
    def namespace(self) -> str:
        """The namespace of this call."""
        return self.connection.namespace

    @property
    def explicit_namespace(self) -> bool:
        """Whether `-n` was given."""
        return self.connection.explicit_namespace

    @functools.cached_property
    def client(self) -> KubeClient:
        """The client, made at first use."""
        link = self.connection
        return KubeClient(self.world, self.inv.proc.netns or self.inv.proc.host, link.server, link.credentials(), USER_AGENT)

    @functools.cached_property
    def mapper(self) -> Mapper:
        """Names of resources."""
        return Mapper(self)

    @functools.cached_property
    def timeout(self) -> str:
        """`--request-timeout` as given, "" for none."""
        text = self.values.text("request-timeout")
        if text.isdigit():
            return "" if int(text) == 0 else text + "s"
        try:
            return "" if parse_duration(text) == 0 else text
        except ValueError:
            raise CommandError("Invalid timeout value. Timeout must be a single integer in seconds, or an integer followed by a corresponding "
                               "time unit (e.g. 1s | 2m | 3h)") from None  # fmt: skip

    @property
    def verbosity(self) -> int:
        """`-v`."""
        return self.values.number("v")

    # -- requests ---------------------------------------------------------------------------------------------------------
    def url(self, path: str, query: Query | None = None) -> str:
        """The address that error messages show."""
        text = "&".join(f"{key}={url_quote(value, safe='')}" for key, value in sorted((query or {}).items()))
        return self.connection.server + path + ("?" + text if text else "")

    def request(
        self, method: str, path: str, *, query: Query | None = None, obj: Any = None, accept: str = "", content: str = ""
    ) -> Response:
        """Send a request; raises UrlError and ApiError."""
        query = dict(query or {})
        if self.timeout:
            query["timeout"] = self.timeout
        client = self.client
        headers = {"accept": accept or "application/json"}
        if content:
            headers["content-type"] = content
        elif obj is not None:
            headers["content-type"] = "application/json"
        sent = Request(method=method, path=path, query={key: [value] for key, value in query.items()}, headers=headers, obj=obj)
        started = client.latency
        if self.verbosity >= 7:
            wirelog.request(self, sent, self.url(path, query), client.headers.get("user-agent", ""))
        try:
            answer = client.request(sent)
        except ConnectError as error:
            url = self.url(path, query)
            wirelog.response(self, sent, url, None, "", client.latency - started)
            operation = "Get" if method == "GET" else method.capitalize()
            raise UrlError(operation, url, connect_why(error, bool(self.timeout))) from None
        self._in_time(method, path, query, started)
        if self.verbosity >= 6:
            told = f"{answer.status} {REASONS.get(answer.status, '')}".strip()
            wirelog.response(self, sent, self.url(path, query), answer, told, client.latency - started)
        self._warnings(answer)
        if answer.status >= 400:
            raise ApiError(_status_of(answer, "" if accept == "*/*" else _asked(method, path)), answer.headers)
        return answer

    def _in_time(self, method: str, path: str, query: Query, started: int) -> None:
        """Give up an answer that came after --request-timeout."""
        if self.timeout:
            limit = parse_duration(self.timeout)
            if self.client.latency - started > limit:
                self.client.latency = started + limit
                operation = "Get" if method == "GET" else method.capitalize()
                why = "net/http: request canceled (Client.Timeout exceeded while awaiting headers)"
                raise UrlError(operation, self.url(path, query), why)

    def openapi(self, source: str) -> None:
        """What checks a manifest before it is sent asks for the schema; tells it when the server is away."""
        try:
            self.client.request(Request(method="GET", path="/api", headers={"accept": "application/json"}))
        except ConnectError as error:
            failed = UrlError(
                "Get", self.url("/openapi/v2", {"timeout": self.timeout or "32s"}), connect_why(error, bool(self.timeout))
            )
            raise CommandError(
                f"error validating {quote(source)}: error validating data: failed to download openapi: {failed}; if you choose to ignore these errors, "
                "turn validation off with --validate=false"
            ) from None

    def checked(self, sent: Request) -> Response:
        """Send a request that was made by hand (repeated parameters); raises as `request` does."""
        try:
            answer = self.client.request(sent)
        except ConnectError as error:
            operation = "Get" if sent.method == "GET" else sent.method.capitalize()
            raise UrlError(operation, self.url(sent.path), connect_why(error, bool(self.timeout))) from None
        self._warnings(answer)
        if answer.status >= 400:
            raise ApiError(_status_of(answer), answer.headers)
        return answer

    def call(self, method: str, path: str, **more: Any) -> Any:
        """Send a request and return the decoded answer."""
        answer = self.request(method, path, **more)
        return answer.obj if answer.obj is not None else answer.body

    def _warnings(self, answer: Response) -> None:
        header = answer.headers.get("warning")
        if header:
            for match in re.finditer(r'299 \S+ "((?:[^"\\]|\\.)*)"', header):
                self.warn(match[1].replace('\\"', '"').replace("\\\\", "\\"))

    # -- discovery --------------------------------------------------------------------------------------------------------
    def discover(self) -> None:
        """Ask the server which API groups it has, once; tells klog about each failed try, as client-go's memory cache does."""
        if self.discovered:
            return
        url_query = {"timeout": self.timeout or "32s"}
        try:
            self.client.request(
                Request(
                    method="GET", path="/api", query={"timeout": [url_query["timeout"]]}, headers={"accept": "application/json"}
                )
            )
        except ConnectError as error:
            url = self.url("/api", url_query)
            failed = UrlError("Get", url, connect_why(error, bool(self.timeout)))
            for _ in range(self.tries):
                self.klog(
                    "E",
                    "memcache.go:265",
                    f'"Unhandled Error" err={quote("couldn" + chr(39) + f"t get current server API group list: {failed}")}',
                )
            raise failed from None
        self.discovered = True

    # -- objects ----------------------------------------------------------------------------------------------------------
    def get(self, kind: KindInfo, namespace: str, name: str, *, version: str = "", subresource: str = "") -> Obj:
        """One object."""
        found: Obj = self.call("GET", kind.path(namespace if kind.namespaced else "", name, subresource, version))
        return found

    def list(self, kind: KindInfo, namespace: str = "", *, labels: str = "", fields: str = "", limit: int = 0) -> list[Obj]:
        """The objects of a namespace, or of all."""
        query = {}
        if labels:
            query["labelSelector"] = labels
        if fields:
            query["fieldSelector"] = fields
        if limit:
            query["limit"] = str(limit)
        return list(self.call("GET", kind.path(namespace), query=query)["items"])

    def kind(self, resource: str) -> KindInfo:
        """The row of `plural` or `plural.group`."""
        return self.mapper.resource(resource)

    def elapsed(self) -> int:
        """Modelled time of the requests so far, to be slept before the command ends."""
        return self.__dict__["client"].take_latency() if "client" in self.__dict__ else 0


REASONS = {200: "OK", 201: "Created", 202: "Accepted", 400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found",
           405: "Method Not Allowed", 406: "Not Acceptable", 409: "Conflict", 410: "Gone", 415: "Unsupported Media Type",
           422: "Unprocessable Entity", 429: "Too Many Requests", 500: "Internal Server Error", 503: "Service Unavailable",
           504: "Gateway Timeout"}  # fmt: skip


#: What client-go says of a path that nothing serves.
NO_RESOURCE = "the server could not find the requested resource"
_RESOURCE = re.compile(r"/(?:api/v1|apis/([^/]+)/[^/]+)(?:/namespaces/[^/]+(?=/[^/]))?/([^/]+)(?:/([^/]+))?.*")


def _asked(method: str, path: str) -> str:
    """` (get boats.sea.example.com one)`: what a generic error says was asked for; "" for paths of no resource."""
    match = _RESOURCE.fullmatch(path)
    if match is None:
        return ""
    group, plural, name = match.groups()
    resource = f"{plural}.{group}" if group else plural
    return f" ({method.lower()} {resource}{f' {name}' if name else ''})"


def _status_of(answer: Response, asked: str = "") -> Obj:
    """The Status of a failed answer, made up as client-go does when the server sent none."""
    found = answer.obj
    if isinstance(found, dict) and found.get("kind") == "Status":
        return found
    text = answer.body.decode("utf-8", "replace").strip()
    code = answer.status
    if code == 404:
        return status(404, "NotFound", NO_RESOURCE + asked)
    if code == 401:
        return status(401, "Unauthorized", "the server has asked for the client to provide credentials")
    if code == 403:
        return status(403, "Forbidden", text or "unknown")
    if code >= 500:
        shown = text or "unknown"
        reason = "ServiceUnavailable" if code == 503 else "Timeout" if code == 504 else "InternalError"
        return status(code, reason, f"an error on the server ({quote(shown)}) has prevented the request from succeeding")
    return status(code, "", text or f"the server responded with the status code {code} but did not return more information")


def seconds(nanos: int) -> int:
    """Whole seconds of a duration."""
    return nanos // SECOND


def split_raw(uri: str) -> tuple[str, Query]:
    """Path and parameters of a `--raw` URI."""
    path, _, query = uri.partition("?")
    out: Query = {}
    for pair in query.split("&") if query else ():
        key, _, value = pair.partition("=")
        out[url_unquote(key)] = url_unquote(value)
    return path, out
