"""`curl` and `wget`: requests to simulated listeners and to the small simulated internet (internet.py)."""

from __future__ import annotations

import base64
import posixpath
import re
from collections.abc import Generator
from typing import Any
from urllib.parse import parse_qs, quote, unquote

from ...host.dns import OUTSIDE
from ...host.invocation import Call
from ...host.program import Sleep, Wait, WaitTopic
from ...kernel import routing
from ...kernel.clock import MS
from ...kernel.errors import ConnectError, NotSimulated
from ...kernel.http import Request, Response, stream_item
from . import archive, curl_tls, internet, packets
from .common import Code, parse
from .names import Found, resolve

REASONS = {200: "OK", 201: "Created", 204: "No Content", 301: "Moved Permanently", 302: "Found", 303: "See Other", 304: "Not Modified", 307: "Temporary Redirect", 308: "Permanent Redirect", 400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed", 409: "Conflict", 410: "Gone", 412: "Precondition Failed", 415: "Unsupported Media Type", 429: "Too Many Requests", 500: "Internal Server Error", 502: "Bad Gateway", 503: "Service Unavailable", 504: "Gateway Timeout"}  # fmt: skip
LONG = """location:L output=o remote-name:O silent:s show-error:S insecure:k include:i head:I request=X data=d data-raw=d data-binary=d header=H
fail:f verbose:v cacert=cacert cert=cert key=key user=u user-agent=A max-time=m connect-timeout=connect-timeout write-out=w get:G http1.1 http2
progress-bar:# compressed retry=retry json=json cookie=b dump-header=D fail-with-body:f create-dirs no-progress-meter:s globoff:g no-buffer:N tlsv1.2 tlsv1.3 proto=proto proto-default=proto retry-connrefused retry-all-errors retry-delay=retry retry-max-time=retry disable:q request-target=x"""


_MORE = """ cookie-jar=c continue-at=C range=r upload-file=T proxy=x config=K url=url help?help http1.0:0 referer=e stderr=stderr
oauth2-bearer=bearer"""


class CurlError(Exception):
    """curl's number and message."""

    def __init__(self, code: int, text: str, lookup: Found | None = None) -> None:
        super().__init__(text)
        self.code = code
        self.lookup = lookup or Found()


class Target:
    """A parsed address."""

    def __init__(self, url: str) -> None:
        match = re.fullmatch(r"(?:(\w+)://)?(?:([^/@]*)@)?(\[[^\]]*\]|[^/:?#]*)(?::(\d*))?([^?#]*)(?:\?([^#]*))?(?:#.*)?", url)
        if match is None or not match.group(3):
            raise CurlError(
                3, "URL rejected: No host part in the URL" if match else "URL rejected: Malformed input to a URL function"
            )
        self.scheme = (match.group(1) or "http").lower()
        if self.scheme not in ("http", "https"):
            raise CurlError(1, f'Protocol "{self.scheme}" not supported')
        self.auth = match.group(2) or ""
        self.host = match.group(3).strip("[]")
        self.port = int(match.group(4) or (443 if self.scheme == "https" else 80))
        if self.port > 65535:
            raise CurlError(3, "URL rejected: Port number was not a decimal number between 0 and 65535")
        self.path = match.group(5) or "/"
        self.query = match.group(6) or ""

    @property
    def url(self) -> str:
        """The address written out."""
        default = 443 if self.scheme == "https" else 80
        port = "" if self.port == default else f":{self.port}"
        return f"{self.scheme}://{self.host}{port}{self.path}" + (f"?{self.query}" if self.query else "")


def fetch(
    call: Call, target: Target, request: Request, trust: bytes | None = None, given: dict[str, str] | None = None
) -> Response:
    """One request; raises ConnectError, or CurlError for names and (unless `trust`, the CAs' PEM, is None) for certificates.

    `given` has addresses of `host:port` that are not looked up (--resolve).
    """
    address = (given or {}).get(f"{target.host}:{target.port}") or (given or {}).get(f"*:{target.port}")
    found = Found([address]) if address else resolve(call, target.host)
    if not found.addresses:
        raise CurlError(6, f"Could not resolve host: {target.host}", found)
    addresses = found.addresses
    page = internet.get(target.url, call.world) if addresses[0] == OUTSIDE.get(target.host) else None
    if page is not None:
        return Response(
            status=page.status, headers=dict(page.headers), body=page.body, latency=(80 + len(page.body) // 50_000) * MS
        )
    request.scheme = target.scheme
    path = packets.send(call, addresses[0], target.port)
    item = path.listener
    from ...host import processes

    proc = processes.find(call.world, item.host, item.pid)
    program = processes.program_of(call.world, proc.program) if proc is not None else None
    if program is None or not hasattr(program, "http"):
        raise CurlError(52, "Empty reply from server")
    if target.scheme == "https" and trust is not None and proc is not None and _speaks_tls(proc.program):
        problem = curl_tls.problem(call, proc, target.host, trust)
        if problem:
            raise CurlError(60, problem)
    return routing.send(call.world, call.proc.netns, path, request)


#: Programs that serve HTTPS with certificates of their own.
_TLS = ("kube-apiserver", "etcd", "kubelet", "kube-controller-manager", "kube-scheduler", "nginx-ingress-controller")


def _speaks_tls(program: str) -> bool:
    return program.partition(":")[0] in _TLS


def _trust(call: Call, options: dict[str, str]) -> bytes | None:
    """The CAs that a transfer trusts (None with -k); raises CurlError."""
    if "k" in options:
        return None
    path = options.get("cacert", "")
    if not path:
        return b""
    try:
        return call.read_file(path)
    except OSError:
        raise CurlError(77, f"error setting certificate file: {path}") from None


#: What a server of TLS 1.3 answers to a client's certificate, in Go's words and in OpenSSL's.
_ALERTS = {
    "remote error: tls: certificate required": "0A00045C:SSL routines::tlsv13 alert certificate required",
    "remote error: tls: unknown certificate authority": "0A000418:SSL routines::tlsv1 alert unknown ca",
}


def _explain(failed: ConnectError, target: Target) -> CurlError:
    where = f"{target.host} port {target.port}"
    if failed.kind == "refused":
        return CurlError(7, f"Failed to connect to {where} after 0 ms: Couldn't connect to server")
    if failed.kind == "timeout":
        return CurlError(28, f"Failed to connect to {where} after 134217 ms: Couldn't connect to server")
    if failed.kind == "tls" and failed.detail in _ALERTS:
        return CurlError(56, f"OpenSSL SSL_read: OpenSSL/3.0.13: error:{_ALERTS[failed.detail]}, errno 0")
    if failed.kind == "tls":
        return CurlError(60, failed.detail or "SSL certificate problem: unable to get local issuer certificate")
    if failed.kind == "reset":
        return CurlError(56, "Recv failure: Connection reset by peer")
    if failed.kind == "dns":
        return CurlError(6, f"Could not resolve host: {target.host}")
    return CurlError(7, f"Failed to connect to {where} after 3061 ms: Couldn't connect to server")


def _certificate(call: Call, options: dict[str, str]) -> bytes:
    """The client's certificate, once its key is there and belongs to it; raises CurlError."""
    path = options["cert"]
    try:
        cert = call.read_file(path)
    except OSError:
        why = "error:80000002:system library::No such file or directory, (no key found, wrong pass phrase, or wrong file format?)"
        raise CurlError(58, f"could not load PEM client certificate from {path}, OpenSSL error {why}") from None
    if "key" not in options and b"PRIVATE KEY" not in cert:
        raise CurlError(58, f"unable to set private key file: '{path}' type PEM")
    if "key" in options:
        try:
            call.read_file(options["key"])
        except OSError:
            raise CurlError(58, f"unable to set private key file: '{options['key']}' type PEM") from None
    return cert


def _request(
    call: Call, options: dict[str, str], headers: list[str], data: list[str], target: Target
) -> Generator[Wait, Any, Request]:
    body = b""
    parts: list[bytes] = []
    for text in data:
        if text.startswith("@"):
            parts.append((yield from call.read()) if text == "@-" else call.read_file(text[1:]))
        else:
            parts.append(text.encode("utf-8", "surrogateescape"))
    if data:
        body = b"&".join(parts)
        if "raw" not in options:
            body = body.replace(b"\r", b"")
    table = {
        "host": target.host + (f":{target.port}" if target.port not in (80, 443) else ""),
        "user-agent": options.get("A", "curl/8.5.0"),
        "accept": "*/*",
    }
    if data:
        table["content-type"] = "application/x-www-form-urlencoded"
    if "json" in options:
        table["content-type"] = table["accept"] = "application/json"
    if "bearer" in options:
        table["authorization"] = f"Bearer {options['bearer']}"
    if "e" in options:
        table["referer"] = options["e"]
    if "r" in options:
        table["range"] = f"bytes={options['r']}"
    if "b" in options:
        table["cookie"] = _cookies(call, options["b"])
    if "T" in options:
        try:
            body = (yield from call.read()) if options["T"] in ("-", ".") else call.read_file(options["T"])
        except OSError:
            raise CurlError(26, f"Failed to open/read local data from file/application: {options['T']}") from None
    if "u" in options:
        table["authorization"] = "Basic " + base64.b64encode(options["u"].encode("utf-8", "surrogateescape")).decode()
    for header in headers:
        name, _, value = header.partition(":")
        table[name.strip().lower()] = value.strip()
    method = options.get("X") or (
        "HEAD" if "I" in options else "PUT" if "T" in options else "POST" if data and "G" not in options else "GET"
    )
    query = target.query
    if "G" in options and data:
        query = "&".join([part for part in (query, body.decode()) if part])
        body = b""
    cert = _certificate(call, options) if "cert" in options else b""
    return Request(
        method=method,
        path=unquote(target.path),
        query=parse_qs(query, keep_blank_values=True),
        headers=table,
        body=body,
        client_cert=cert,
    )


def _collect(call: Call) -> tuple[list[str], list[str], dict[str, str]]:
    """Every -H and -d in order, and the addresses of --resolve (options that may be repeated); raises CurlError."""
    headers: list[str] = []
    data: list[str] = []
    forms: list[str] = []
    known: dict[str, str] = {}
    args, at = [call.argv[0]], 1
    while at < len(call.argv):
        word = call.argv[at]
        value = word.partition("=")[2]
        if word == "--data-urlencode" or word.startswith("--data-urlencode="):
            at += word == "--data-urlencode"
            value = value or (call.argv[at] if at < len(call.argv) else "")
            name, mark, text = value.partition("=")
            data.append(f"{name}={quote(text, safe='')}" if mark and name else quote(text if mark else value, safe=""))
        elif word in ("-F", "--form", "--form-string") or (word.startswith("-F") and len(word) > 2):
            at += len(word) == 2 or word.startswith("--")
            forms.append(word[2:] if word.startswith("-F") and len(word) > 2 else call.argv[at] if at < len(call.argv) else "")
        elif word in ("-H", "-d", "--header", "--data", "--data-raw", "--data-binary", "--data-ascii", "--json"):
            at += 1
            value = call.argv[at] if at < len(call.argv) else ""
            (headers if word in ("-H", "--header") else data).append(value)
            if word == "--json":
                args += ["--json", value]
        elif word == "--resolve":
            at += 1
            value = call.argv[at] if at < len(call.argv) else ""
            found = re.fullmatch(r"\+?([^:]+):(\d+):\[?([^\]]+)\]?", value)
            if found is None:
                raise CurlError(49, f"Couldn't parse CURLOPT_RESOLVE entry '{value}'")
            known[f"{found[1]}:{found[2]}"] = found[3].split(",")[0]
        elif re.match(r"-[Hd].", word) and not word.startswith("--"):
            (headers if word[1] == "H" else data).append(word[2:])
        else:
            args.append(word)
        at += 1
    call.argv = args
    if forms:
        data[:] = [_form(call, forms)]
        headers.insert(0, f"Content-Type: multipart/form-data; boundary={BOUNDARY}")
    return headers, data, known


BOUNDARY = "------------------------slipway0c0a1b2d"


def _form(call: Call, forms: list[str]) -> str:
    """The body of `-F name=text`, `name=@file`, `name=<file`; raises CurlError."""
    out = ""
    for one in forms:
        name, mark, value = one.partition("=")
        if not mark:
            raise CurlError(2, "Illegally formatted input field")
        value, *more = value.split(";") if value[:1] in ("@", "<") else [value]
        kind, file = "", ""
        if value[:1] in ("@", "<"):
            try:
                held = call.read_file(value[1:]).decode("utf-8", "surrogateescape")
            except OSError:
                raise CurlError(26, "Failed to open/read local data from file/application") from None
            if value[0] == "@":
                file = f'; filename="{posixpath.basename(value[1:])}"'
                kind = next((part[5:] for part in more if part.startswith("type=")), "application/octet-stream")
            value = held
        head = f'Content-Disposition: form-data; name="{name}"{file}' + (f"\r\nContent-Type: {kind}" if kind else "")
        out += f"--{BOUNDARY}\r\n{head}\r\n\r\n{value}\r\n"
    return out + f"--{BOUNDARY}--\r\n"


def curl(call: Call) -> Code:
    """`curl [options] urls`."""
    try:
        headers, data, known = _collect(call)
    except CurlError as failed:
        call.err(f"curl: ({failed.code}) {failed}\n")
        return failed.code
    if "-E" in call.argv:
        call.argv = ["--cert" if word == "-E" else word for word in call.argv]
    if set(call.argv[1:]) & {"-V", "--version"}:
        call.out(
            "curl 8.5.0 (x86_64-pc-linux-gnu) libcurl/8.5.0 OpenSSL/3.0.13 zlib/1.3\nRelease-Date: 2023-12-06\nProtocols: http https\n"
            "Features: alt-svc AsynchDNS HSTS HTTPS-proxy IPv6 Largefile libz SSL threadsafe UnixSockets\n"
        )
        return 0
    options, urls = parse(call, "LOsSkiIfvGo:X:H:u:A:m:w:b:e:D:#gNc:C:r:T:x:K:h0", LONG + _MORE, code=2)
    urls += [options["url"]] if "url" in options else []
    if "h" in options or "help" in options:
        call.out("Usage: curl [options...] <url>\n")
        return 0
    if "x" in options or "K" in options:
        raise NotSimulated(f"option '-{'x' if 'x' in options else 'K'}'")
    for key in ("m", "connect-timeout"):
        if key in options and not re.fullmatch(r"\d{1,6}(\.\d+)?", options[key]):
            shown = "-m" if key == "m" else f"--{key}"
            call.err(
                f"curl: option {shown}: expected a proper numerical parameter\ncurl: try 'curl --help' for more information\n"
            )
            return 2
    if not urls:
        call.err("curl: (2) no URL specified\ncurl: try 'curl --help' or 'curl --manual' for more information\n")
        return 2
    code = 0
    for url in urls:
        began = call.world.now
        try:
            code = yield from _transfer(call, options, headers, data, known, url)
        except CurlError as failed:
            if "s" not in options or "S" in options:
                call.err(f"curl: ({failed.code}) {failed}\n" + (curl_tls.HELP if failed.code == 60 else ""))
            if "w" in options:
                call.out(_written(options["w"], None, url, took=call.world.now - began, code=failed.code))
            code = failed.code
    return code


def _transfer(call: Call, options: dict[str, str], headers: list[str], data: list[str], known: dict[str, str], url: str) -> Code:
    target = Target(url)
    shown = b""
    for _ in range(30):
        request = yield from _request(call, options, headers, data, target)
        if "v" in options:
            call.err(
                f"* Connected to {target.host} port {target.port}\n> {request.method} {target.path} HTTP/1.1\n"
                + "".join(f"> {n.title()}: {v}\n" for n, v in request.headers.items())
                + ">\n"
            )
        try:
            answer = fetch(call, target, request, _trust(call, options), known)
        except CurlError as failed:
            given = options.get("connect-timeout") or options.get("m") or "300"
            limit = float(given) if re.fullmatch(r"\d{1,6}(\.\d+)?", given) else 300.0
            yield Sleep(min(failed.lookup.waited, int(limit * 1000) * MS))
            if failed.lookup.waited > int(limit * 1000) * MS:
                raise CurlError(28, f"Resolving timed out after {int(limit * 1000) + 1} milliseconds") from None
            raise
        except ConnectError as failed:
            if failed.kind in ("timeout", "no-route"):
                limit = float(options.get("connect-timeout") or options.get("m") or (134 if failed.kind == "timeout" else 3))
                yield Sleep(int(limit * 1000) * MS)
                if ("connect-timeout" in options or "m" in options) and failed.kind == "timeout":
                    raise CurlError(28, f"Connection timed out after {int(limit * 1000) + 1} milliseconds") from None
            raise _explain(failed, target) from None
        most = float(options["m"]) if re.fullmatch(r"\d{1,6}(\.\d+)?", options.get("m", "")) else 0.0
        if 0 < most * 1e9 < answer.latency:
            yield Sleep(int(most * 1000) * MS)
            raise CurlError(28, f"Operation timed out after {int(most * 1000) + 1} milliseconds with 0 bytes received")
        yield Sleep(max(answer.latency, MS))
        if "i" in options or "I" in options:
            shown += _head(answer)
        if options.get("D"):
            yield from _dump(call, options["D"], _head(answer))
        if "v" in options:
            call.err("".join(f"< {line}\n" for line in _head(answer).decode().splitlines()))
        if "c" in options and answer.headers.get("set-cookie"):
            _keep(call, options["c"], target.host, answer.headers["set-cookie"])
        location = answer.headers.get("location")
        if answer.status in (301, 302, 303, 307, 308) and location and "L" in options:
            target = Target(location if "://" in location else f"{target.scheme}://{target.host}:{target.port}{location}")
            continue
        break
    hidden = "f" in options or "o" in options or "O" in options
    if hidden and internet.ABSENT.encode() in answer.body:  # said where a script that pipes or saves the answer cannot swallow it
        call.err(f"curl: {target.url}: {internet.ABSENT}\n")
    if "f" in options and answer.status >= 400:
        raise CurlError(22, f"The requested URL returned error: {answer.status}")
    body = b"" if "I" in options else body_of(answer)
    output = options.get("o") or (posixpath.basename(Target(url).path) if "O" in options else "")
    if "O" in options and not output:
        raise CurlError(23, "Remote file name has no length")
    yield from _deliver(call, options, output, shown + body)
    if answer.stream is not None:
        yield from _streamed(call, answer, most)
    if "w" in options:
        call.out(_written(options["w"], answer, target.url))
    return 0


def _cookies(call: Call, given: str) -> str:
    """The cookies of `-b`: `name=value`, or those of a file in Netscape's format (and of its own making)."""
    if "=" in given:
        return given
    try:
        rows = [
            line.removeprefix("#HttpOnly_").split("\t") for line in call.read_file(given).decode("utf-8", "replace").splitlines()
        ]
    except OSError:
        return ""
    return "; ".join(f"{row[5]}={row[6]}" for row in rows if len(row) == 7)


def _keep(call: Call, path: str, host: str, text: str) -> None:
    """Write a cookie that came into the jar of `-c`."""
    pair, *_ = text.split(";")
    name, _, value = pair.strip().partition("=")
    row = f"{host}\tFALSE\t/\tFALSE\t0\t{name}\t{value}\n"
    head = "# Netscape HTTP Cookie File\n# https://curl.se/docs/http-cookies.html\n# This file was generated by libcurl! Edit at your own risk.\n\n"
    old = call.read_file(path).decode("utf-8", "replace") if path != "-" and call.exists(path) else head
    kept = "".join(line for line in old.splitlines(keepends=True) if line.split("\t")[5:6] != [name])
    if path == "-":
        call.out(kept + row)
    else:
        call.write_file(path, (kept + row).encode())


def _dump(call: Call, path: str, head: bytes) -> Generator[Wait, Any, None]:
    """The headers, to a file or (`-`) among the output."""
    if path == "-":
        call.out(head)
        return
    try:
        call.write_file(path, head)
    except OSError:
        raise CurlError(23, f"Failed to open {path} to write headers") from None
    return
    yield


def body_of(answer: Response) -> bytes:
    """The bytes of an answer, objects as indented JSON."""
    if answer.obj is not None and not answer.body:
        import orjson

        return orjson.dumps(answer.obj, option=orjson.OPT_INDENT_2) + b"\n"
    return answer.body


def _deliver(call: Call, options: dict[str, str], output: str, data: bytes) -> Generator[Wait, Any, None]:
    meter = "s" not in options and (output or not call.stdout_tty)
    if meter:
        size = len(data)
        text = f"{size // 1024}k" if size >= 100_000 else str(size)
        call.err(
            "  % Total    % Received % Xferd  Average Speed   Time    Time     Time  Current\n                                 Dload  Upload   Total   Spent    Left  Speed\n"
        )
        call.err(
            f"\r100 {text:>5}  100 {text:>5}    0     0  {size * 4 % 99999:>5}      0 --:--:-- --:--:-- --:--:-- {size * 4 % 99999:>5}\n"
        )
    if output and output != "-":
        try:
            call.write_file(output, data)
            if data.startswith(archive.MAGIC):  # a program, which needs its execute bit yet
                node = call.tree.edit(call.path(output))
                node.kind, node.target = "exec", archive.unpack(data, 0, 0, 0, 0).target
        except OSError:
            raise CurlError(23, "Failure writing output to destination") from None
    else:
        call.out(data)
    return
    yield


def _streamed(call: Call, answer: Response, most: float = 0.0) -> Generator[Wait, Any, None]:
    """A watch or a followed log: until the other side ends it, Ctrl-C, or `-m` seconds have passed."""
    stream, got = answer.stream, 0
    end = call.world.now + int(most * 1000) * MS - answer.latency if most > 0 else 0
    try:
        while True:
            for item in stream.poll():
                data = stream_item(item)
                got += len(data)
                call.out(data)
            if stream.closed:
                return
            if end and call.world.now >= end:
                text = f"Operation timed out after {int(most * 1000) + 1} milliseconds with {got} bytes received"
                raise CurlError(28, text)
            topics = (stream.topic,) if stream.topic else ()
            later = call.world.now + 1000 * MS
            yield WaitTopic(topics, min(later, end) if end else later)
    finally:
        stream.close()


def _head(answer: Response) -> bytes:
    lines = [f"HTTP/1.1 {answer.status} {REASONS.get(answer.status, '')}"]
    lines += [f"{name.title()}: {value}" for name, value in answer.headers.items()]
    if "content-length" not in answer.headers and answer.status != 204:
        lines.append(f"Content-Length: {len(body_of(answer))}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def _written(form: str, answer: Response | None, url: str, *, took: int = 0, code: int = 0) -> str:
    table = {
        "http_code": f"{answer.status if answer else 0:03d}",
        "response_code": f"{answer.status if answer else 0:03d}",
        "size_download": str(len(body_of(answer)) if answer else 0),
        "url_effective": url,
        "time_total": f"{(answer.latency if answer else took) / 1e9:.6f}",
        "content_type": answer.headers.get("content-type", "") if answer else "",
        "exitcode": str(code),
    }
    form = form.replace("\\n", "\n").replace("\\t", "\t")
    return re.sub(r"%\{(\w+)\}", lambda m: table.get(m.group(1), ""), form)
